//! A data set from its publisher to a directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use weir_contract::Digest;
use weir_contract::digest::Digester;

use crate::part::{remove, write_whole};
use crate::record::FORMAT_VERSION;
use crate::tally::existing;
use crate::{
    Archive, Dataset, Download, Expected, FETCH, FetchError, Record, Settings, Unpacked, Watcher, download, unpack,
};

/// What to fetch, and where to.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The data set.
    pub dataset: &'a Dataset,
    /// Directory for its files; made where it is missing.
    pub dir: PathBuf,
    /// Where the archive is.
    pub url: String,
    /// Whether the archive stays.
    pub keep_archive: bool,
    /// Whether to download again and to take whatever arrives.
    pub force: bool,
    /// Time for the record, RFC 3339 in UTC.
    pub now: String,
    /// How the network is treated.
    pub settings: Settings,
}

/// A data set that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What is recorded of it.
    pub record: Record,
    /// Whether everything was there already.
    pub unchanged: bool,
    /// What is not as expected, yet no reason to refuse it.
    pub warnings: Vec<String>,
}

/// Fetches a data set: downloads its archive, unpacks its files and writes `fetch.json`, each only as far as it is not
/// done. Files that were recorded before have to be the same again; the archive around them may differ, since
/// publishers pack anew for every download.
///
/// # Errors
/// [`FetchError`]; what arrived stays for the next start.
pub fn fetch(request: &Request<'_>, watcher: &mut Watcher<'_>) -> Result<Fetched, FetchError> {
    let dir = &request.dir;
    fs::create_dir_all(dir).map_err(FetchError::io("make", dir))?;
    let before = if request.force { None } else { Record::read(dir)? };
    if let Some(record) = &before
        && is_whole(dir, record, request.dataset, watcher)?
    {
        return Ok(Fetched { record: record.clone(), unchanged: true, warnings: Vec::new() });
    }

    let path = dir.join(format!("{}.zip", request.dataset.name));
    let (archive, new) = match digest(&path)? {
        Some(archive) if !request.force => (archive, false),
        _ => (bring(request, &path, watcher)?, true),
    };
    let wanted: Vec<(&str, Option<Digest>)> =
        request.dataset.files.iter().map(|file| (file.name, recorded(before.as_ref(), file.name))).collect();
    let unpacked = match unpack(&path, dir, &wanted, watcher) {
        // A page that came instead is not worth keeping.
        Err(error @ FetchError::NoArchive { .. }) if new => {
            remove(&path)?;
            return Err(error);
        }
        unpacked => unpacked?,
    };

    let warnings = warnings(request.dataset, &unpacked);
    // An archive that was kept came when and whence it was recorded.
    let (url, fetched) = match before.filter(|record| !new && record.archive == archive) {
        Some(record) => (record.url, record.fetched),
        None => (request.url.clone(), request.now.clone()),
    };
    let record = Record {
        format_version: FORMAT_VERSION,
        dataset: request.dataset.name.to_owned(),
        url,
        fetched,
        archive,
        members: unpacked.members,
        left_in_archive: unpacked.left,
        licence: request.dataset.licence.to_owned(),
        attribution: request.dataset.attribution(),
        landing_page: request.dataset.landing_page.to_owned(),
    };
    write_whole(&dir.join(FETCH), &record)?;
    if !request.keep_archive {
        remove(&path)?;
    }
    Ok(Fetched { record, unchanged: false, warnings })
}

fn recorded(record: Option<&Record>, name: &str) -> Option<Digest> {
    record?.members.iter().find(|member| member.name == name).map(|member| member.sha256)
}

/// Whether all files of the data set are there as recorded.
fn is_whole(dir: &Path, record: &Record, dataset: &Dataset, watcher: &Watcher<'_>) -> Result<bool, FetchError> {
    for file in dataset.files {
        let Some(member) = record.members.iter().find(|member| member.name == file.name) else { return Ok(false) };
        if existing(dir, file.name, member.bytes, watcher)?.as_ref() != Some(member) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An archive that is there: one that was kept, or one whose unpacking was stopped.
fn digest(path: &Path) -> Result<Option<Archive>, FetchError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(FetchError::io("read", path))?,
    };
    let mut digester = Digester::default();
    let bytes = io::copy(&mut file, &mut digester).map_err(FetchError::io("read", path))?;
    Ok(Some(Archive { bytes, sha256: digester.finish() }))
}

fn bring(request: &Request<'_>, path: &Path, watcher: &mut Watcher<'_>) -> Result<Archive, FetchError> {
    let expected = Expected::default();
    let request = Download { url: &request.url, to: path, expected, settings: &request.settings };
    let downloaded = download(&request, watcher)?;
    Ok(Archive { bytes: downloaded.bytes, sha256: downloaded.sha256 })
}

fn warnings(dataset: &Dataset, unpacked: &Unpacked) -> Vec<String> {
    let differing = dataset.files.iter().zip(&unpacked.members).filter(|(file, member)| file.rows != member.rows);
    let rows =
        differing.map(|(file, member)| format!("{} has {} records instead of {}", file.name, member.rows, file.rows));
    let left = unpacked.left.iter().map(|name| format!("{name} is not a file of {} and was left packed", dataset.name));
    rows.chain(left).collect()
}
