//! Wanted files out of a zip archive, each whole or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Component, Path};

use weir_contract::Digest;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::part::{lock, remove, with_suffix};
use crate::tally::{CHUNK, Member, Tally, existing};
use crate::{Event, FetchError, Watcher};

type Archive = ZipArchive<BufReader<File>>;

/// What came out of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The wanted files, in the order asked for.
    pub members: Vec<Member>,
    /// How many of them were written; the others were there.
    pub written: usize,
    /// Other files of the archive, left in it.
    pub left: Vec<String>,
}

/// Writes the `wanted` files of `archive` into `dir`. Names are compared without the archive's folders; a digest,
/// where given, is what the file must have. Files that are there with the right length and CRC are left alone.
///
/// Publishers pack what authors have packed already: an archive that holds none of the files but one other archive is
/// opened once more.
///
/// # Errors
/// [`FetchError::NoArchive`] for what is no zip; [`FetchError::Archive`] for one that is cut off, lacks a wanted file, holds one twice, encrypted or as a link, holds a
/// name that leads out of `dir`, or whose bytes are not as long as or have not the CRC the archive says;
/// [`FetchError::Digest`]; [`FetchError::Io`]. A file that is wrong does not get its name.
pub fn unpack(
    archive: &Path,
    dir: &Path,
    wanted: &[(&str, Option<Digest>)],
    watcher: &mut Watcher<'_>,
) -> Result<Unpacked, FetchError> {
    let (mut zip, contents) = open(archive)?;
    let Some(index) = inner_archive(&contents, wanted) else {
        return unpack_members(archive, &mut zip, &contents, dir, wanted, watcher);
    };
    let inner = with_suffix(archive, ".inner");
    let unpacked = write(archive, &mut zip, index, &inner, None, watcher).and_then(|_| {
        let (mut zip, contents) = open(&inner)?;
        unpack_members(&inner, &mut zip, &contents, dir, wanted, watcher)
    });
    remove(&inner)?;
    let mut unpacked = unpacked?;
    unpacked.left.extend(contents.into_keys().filter(|name| !is_archive(name)));
    Ok(unpacked)
}

/// Where the only archive inside is, if none of the wanted files lies beside it.
fn inner_archive(contents: &BTreeMap<String, Vec<usize>>, wanted: &[(&str, Option<Digest>)]) -> Option<usize> {
    if wanted.iter().any(|(name, _)| contents.contains_key(*name)) {
        return None;
    }
    let mut archives = contents.iter().filter(|(name, _)| is_archive(name)).flat_map(|(_, indices)| indices);
    archives.next().copied().filter(|_| archives.next().is_none())
}

fn is_archive(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

/// Opens an archive and lists its files by name without folders, each with where it is.
fn open(path: &Path) -> Result<(Archive, BTreeMap<String, Vec<usize>>), FetchError> {
    let file = File::open(path).map_err(FetchError::io("read", path))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(path, error))?;
    let mut contents: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in 0..zip.len() {
        let member = zip.by_index_raw(index).map_err(|error| unreadable(path, error))?;
        let name = member.name().map_err(|error| unreadable(path, error))?.into_owned();
        let Some(file) = file_name(&name) else {
            return Err(FetchError::archive(path, format!("its member {name:?} leads out of the directory")));
        };
        if member.is_symlink() {
            return Err(FetchError::archive(path, format!("its member {name:?} is a link")));
        }
        if !member.is_dir() {
            contents.entry(file.to_owned()).or_default().push(index);
        }
    }
    Ok((zip, contents))
}

/// The last part of a name that stays below the directory it is unpacked in.
fn file_name(name: &str) -> Option<&str> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let other_systems = name.contains(['\\', '\0']) || name.as_bytes().get(1) == Some(&b':');
    path.file_name()?.to_str().filter(|_| plain && !other_systems)
}

fn unreadable(path: &Path, error: ZipError) -> FetchError {
    if let ZipError::Io(source) = error {
        return FetchError::io("read", path)(source);
    }
    let mut start = Vec::new();
    match File::open(path).and_then(|file| file.take(32).read_to_end(&mut start)) {
        Ok(_) if !start.starts_with(b"PK") => {
            FetchError::NoArchive { path: path.to_owned(), begins: String::from_utf8_lossy(&start).into_owned() }
        }
        _ => FetchError::archive(path, error.to_string()),
    }
}

fn unpack_members(
    archive: &Path,
    zip: &mut Archive,
    contents: &BTreeMap<String, Vec<usize>>,
    dir: &Path,
    wanted: &[(&str, Option<Digest>)],
    watcher: &mut Watcher<'_>,
) -> Result<Unpacked, FetchError> {
    // All names are checked before anything is written.
    let mut found = Vec::new();
    for (name, digest) in wanted {
        match contents.get(*name).map(Vec::as_slice) {
            Some(&[index]) => found.push((*name, *digest, index)),
            Some(_) => return Err(FetchError::archive(archive, format!("it holds {name} more than once"))),
            None => {
                let names: Vec<&str> = contents.keys().map(String::as_str).collect();
                let reason = format!("it does not hold {name}, but {}", names.join(", "));
                return Err(FetchError::archive(archive, reason));
            }
        }
    }
    let mut unpacked = Unpacked { members: Vec::new(), written: 0, left: Vec::new() };
    for (name, digest, index) in found {
        let (bytes, crc32) = {
            let member = zip.by_index_raw(index).map_err(|error| unreadable(archive, error))?;
            (member.size(), member.crc32())
        };
        let kept = existing(dir, name, bytes, watcher)?;
        let member = match kept.filter(|kept| kept.crc32 == crc32 && digest.is_none_or(|it| it == kept.sha256)) {
            Some(kept) => kept,
            None => {
                unpacked.written += 1;
                write(archive, zip, index, &dir.join(name), digest, watcher)?
            }
        };
        unpacked.members.push(member);
    }
    let is_wanted = |name: &&String| wanted.iter().any(|(wanted, _)| wanted == name);
    unpacked.left = contents.keys().filter(|name| !is_wanted(name)).cloned().collect();
    Ok(unpacked)
}

/// Writes one member under a temporary name, checks it, and gives it its own.
fn write(
    archive: &Path,
    zip: &mut Archive,
    index: usize,
    target: &Path,
    digest: Option<Digest>,
    watcher: &mut Watcher<'_>,
) -> Result<Member, FetchError> {
    let member = zip.by_index(index).map_err(|error| unreadable(archive, error))?;
    let part = with_suffix(target, ".part");
    let mut file = lock(&part)?;
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let checked = copy(archive, member, &mut file, &part, &name, watcher).and_then(|member| match digest {
        Some(expected) if expected != member.sha256 => {
            let what = format!("{name} of {}", archive.display());
            Err(FetchError::Digest { what, expected, received: member.sha256 })
        }
        _ => Ok(member),
    });
    let named = checked.and_then(|member| {
        file.sync_all().map_err(FetchError::io("write", &part))?;
        fs::rename(&part, target).map_err(FetchError::io("write", target))?;
        Ok(member)
    });
    named.or_else(|error| {
        remove(&part)?;
        Err(error)
    })
}

fn copy(
    archive: &Path,
    mut member: ZipFile<'_, BufReader<File>>,
    file: &mut File,
    part: &Path,
    name: &str,
    watcher: &mut Watcher<'_>,
) -> Result<Member, FetchError> {
    // What a killed process left is overwritten.
    file.set_len(0).map_err(FetchError::io("write", part))?;
    let total = member.size();
    let mut tally = Tally::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        watcher.check()?;
        // The zip reader compares the CRC at the end, and refuses more bytes than the archive says.
        let read = member.read(&mut buffer);
        let read = read.map_err(|error| FetchError::archive(archive, format!("{name} is damaged: {error}")))?;
        if read == 0 {
            break;
        }
        file.write_all(&buffer[..read]).map_err(FetchError::io("write", part))?;
        tally.write_all(&buffer[..read]).map_err(FetchError::io("write", part))?;
        watcher.tell(Event::Unpacked { name, done: tally.bytes(), total });
    }
    if tally.bytes() < total {
        let bytes = tally.bytes();
        return Err(FetchError::archive(archive, format!("{name} has {bytes} bytes instead of {total}")));
    }
    Ok(tally.finish(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_dropped_and_names_that_leave_are_refused() {
        for (name, file) in [("a.csv", "a.csv"), ("x/y/a.csv", "a.csv"), ("./a.csv", "a.csv"), ("x/", "x")] {
            assert_eq!(file_name(name), Some(file), "{name:?}");
        }
        for name in ["../a.csv", "x/../../a.csv", "/etc/a.csv", "..\\a.csv", "C:a.csv", "a\0.csv", "..", ""] {
            assert_eq!(file_name(name), None, "{name:?}");
        }
    }
}
