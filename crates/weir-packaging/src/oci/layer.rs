//! Layers: tar files with the bundle in the folder `models`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Builder, EntryType, Header};
use weir_stage::Failure;

/// The folder of the image that holds the bundle.
pub(crate) const MODELS: &str = "models";

/// Bytes of a tar that are no files: 512 to 1,535 for each of them.
const TAR: u64 = 1 << 20;

/// How a layer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
}

impl Compression {
    /// That of a layer's media type; nothing for one that is no tar, or one compressed otherwise.
    pub(crate) fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.oci.image.layer.v1.tar" => Some(Self::None),
            "application/vnd.oci.image.layer.v1.tar+gzip" | "application/vnd.docker.image.rootfs.diff.tar.gzip" => {
                Some(Self::Gzip)
            }
            _ => None,
        }
    }
}

/// The tar of `files`, by name: a folder and plain files of root, from 1970, that everybody may read.
///
/// # Errors
/// For a name that tar cannot hold: longer than 100 bytes.
pub(crate) fn pack(files: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort();
    let mut tar = Builder::new(Vec::new());
    append(&mut tar, EntryType::Directory, 0o755, &format!("{MODELS}/"), &[])?;
    for (name, bytes) in sorted {
        append(&mut tar, EntryType::Regular, 0o644, &format!("{MODELS}/{name}"), bytes)?;
    }
    tar.into_inner()
}

fn append(tar: &mut Builder<Vec<u8>>, kind: EntryType, mode: u32, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_path(path)?;
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    tar.append(&header, bytes)
}

/// Writes the files that a layer holds in `models` to `dir`, which no name can leave; everything else in the layer is
/// passed over. `seen` are the names of earlier layers, `limit` the bytes that may still be written; returns what is
/// left of it.
///
/// # Errors
/// Failures of input (exit 3) for a path with `..`, something other than plain files in `models`, a name that comes
/// twice, too many bytes and damage; to be retried (exit 1) when writing fails.
pub(crate) fn unpack(
    layer: impl Read,
    compression: Compression,
    dir: &Path,
    seen: &mut BTreeSet<String>,
    limit: u64,
) -> Result<u64, Failure> {
    let damaged = |error: io::Error| {
        Failure::input(format!("it is damaged, or larger than {limit} bytes: {error}"))
            .hint("push the image again from the bundle")
    };
    let layer: Box<dyn Read + '_> = match compression {
        Compression::None => Box::new(layer),
        Compression::Gzip => Box::new(MultiGzDecoder::new(layer)),
    };
    // Little can be compressed to a lot, wherever in the layer it lies; the rest of the limit is for tar itself.
    let mut archive = Archive::new(layer.take(limit.saturating_add(TAR)));
    let mut left = limit;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        let shown = path.display();
        let Some(name) = below_models(&path).map_err(|reason| Failure::input(format!("{shown} {reason}")))? else {
            continue;
        };
        let (kind, size) = (entry.header().entry_type(), entry.size());
        if name.is_empty() && kind.is_dir() {
            continue;
        }
        if name.is_empty() || !kind.is_file() {
            return Err(Failure::input(format!("{shown} is no plain file, and a bundle holds nothing else")));
        }
        if !seen.insert(name.clone()) {
            return Err(Failure::input(format!("{shown} comes twice")));
        }
        left = left
            .checked_sub(size)
            .ok_or_else(|| Failure::input(format!("{shown} has {size} bytes, which is too much")))?;
        let unwritten = |error: io::Error| Failure::retry(format!("failed to write {shown}: {error}"));
        let mut file = File::create_new(dir.join(&name)).map_err(unwritten)?;
        let mut buffer = vec![0; 1 << 16];
        let mut missing = size;
        while missing > 0 {
            let read = entry.read(&mut buffer).map_err(damaged)?;
            if read == 0 {
                return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
            }
            file.write_all(&buffer[..read]).map_err(unwritten)?;
            missing -= read as u64;
        }
    }
    Ok(left)
}

/// The name of a file of the bundle; empty for the folder itself, nothing for a path elsewhere. The error says what is
/// wrong with the path.
fn below_models(path: &Path) -> Result<Option<String>, &'static str> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            // Some tools write `./models/...` or `/models/...`; both mean the root of the image.
            Component::CurDir | Component::RootDir => {}
            Component::Normal(name) => parts.push(name.to_str().ok_or("is not UTF-8")?),
            Component::ParentDir | Component::Prefix(_) => return Err("leads out of the image"),
        }
    }
    match parts.as_slice() {
        [MODELS] => Ok(Some(String::new())),
        [MODELS, name] if name.starts_with(".wh.") => Err("takes a file of an earlier layer away"),
        [MODELS, name] => Ok(Some((*name).to_owned())),
        [MODELS, ..] => Err("is in a folder, and a bundle has none"),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    use flate2::write::GzEncoder;
    use weir_contract::{Digest, ExitCode};

    fn files() -> Vec<(String, Vec<u8>)> {
        vec![("b.txt".to_owned(), b"two".to_vec()), ("a.json".to_owned(), b"{}".to_vec())]
    }

    fn unpacked(layer: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let dir = tempfile::tempdir().unwrap();
        unpack(layer, Compression::None, dir.path(), &mut BTreeSet::new(), 1 << 20).map_err(|failure| {
            assert_eq!(failure.code, ExitCode::Input, "{failure}");
            failure.message
        })?;
        let mut files: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        Ok(files)
    }

    /// A tar with one entry, whose name is not checked.
    fn odd(kind: EntryType, path: &str, link: &str, bytes: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        let mut tar = Builder::new(Vec::new());
        tar.append(&header, bytes).unwrap();
        tar.into_inner().unwrap()
    }

    #[test]
    fn a_layer_is_the_same_whatever_the_order_of_its_files() {
        let mut reversed = files();
        reversed.reverse();
        let layer = pack(&files()).unwrap();
        assert_eq!(pack(&reversed).unwrap(), layer);
        // Recorded: images of the same bundle have the same digest in every build.
        assert_eq!(Digest::of(&layer).to_string(), "119b683a8cc1aee90f32dab4fed7e20dfb99fab0e16ea1838b9deee85ac8f952");
        assert_eq!(unpacked(&layer).unwrap(), reversed);
    }

    #[test]
    fn everybody_may_read_everything() {
        let layer = pack(&files()).unwrap();
        let mut archive = Archive::new(layer.as_slice());
        let entries: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap()))
            .collect();
        let expected = [("models/", 0o755), ("models/a.json", 0o644), ("models/b.txt", 0o644)];
        assert_eq!(entries, expected.map(|(path, mode)| (path.to_owned(), mode)));
    }

    #[test]
    fn a_compressed_layer_is_unpacked_and_what_lies_elsewhere_passed_over() {
        let elsewhere = odd(EntryType::Symlink, "bin/sh", "/etc/passwd", b"");
        let mut layer = elsewhere[..512].to_vec();
        layer.extend(pack(&files()).unwrap());
        let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&layer).unwrap();
        let gzip = gzip.finish().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let left = unpack(gzip.as_slice(), Compression::Gzip, dir.path(), &mut BTreeSet::new(), 100);
        assert_eq!(left, Ok(100 - 3 - 2));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn nothing_but_plain_files_right_below_models_is_unpacked() {
        let file = EntryType::Regular;
        for (kind, path, expected) in [
            (file, "models/../x", "models/../x leads out of the image"),
            (file, "../models/x", "../models/x leads out of the image"),
            (file, "models/sub/x", "models/sub/x is in a folder, and a bundle has none"),
            (EntryType::Directory, "models/sub/", "models/sub/ is no plain file, and a bundle holds nothing else"),
            (EntryType::Symlink, "models/x", "models/x is no plain file, and a bundle holds nothing else"),
            (EntryType::Link, "models/x", "models/x is no plain file, and a bundle holds nothing else"),
            (EntryType::Symlink, "models", "models is no plain file, and a bundle holds nothing else"),
            (EntryType::Fifo, "./models/x", "./models/x is no plain file, and a bundle holds nothing else"),
            (file, "models/.wh.x", "models/.wh.x takes a file of an earlier layer away"),
        ] {
            assert_eq!(unpacked(&odd(kind, path, "/etc", b"")).unwrap_err(), expected);
        }
        for path in ["/models/x", "./models/x", "models/x"] {
            assert_eq!(unpacked(&odd(file, path, "", b"1")).unwrap(), [("x".to_owned(), b"1".to_vec())]);
        }
    }

    #[test]
    fn a_file_that_comes_twice_a_cut_layer_and_too_many_bytes_are_refused() {
        let layer = pack(&files()).unwrap();
        let twice = [&layer[..2560], &layer[512..]].concat();
        assert_eq!(unpacked(&twice).unwrap_err(), "models/a.json comes twice");
        for place in [100, 1000, 1025, 1600] {
            let error = unpacked(&layer[..place]).unwrap_err();
            assert!(error.starts_with("it is damaged, or larger than 1048576 bytes: "), "{place}: {error}");
        }
        let dir = tempfile::tempdir().unwrap();
        let error = unpack(layer.as_slice(), Compression::None, dir.path(), &mut BTreeSet::new(), 4).unwrap_err();
        assert_eq!(error.message, "models/b.txt has 3 bytes, which is too much");
    }
}
