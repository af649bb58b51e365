//! `audit.jsonl`: what was done, by whom, when and why.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// A line of the audit log.
///
/// A run that changes anything writes [`Action::Applying`] before it does, then a line per address once it is done. A
/// run that fails ends with [`Action::RolledBack`] or [`Action::Failed`]: then its lines since `applying` do not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, seconds since 1970 UTC.
    pub time: i64,
    /// What.
    pub action: Action,
    /// Whose block; null where it is about the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Until when the block lasts, of one that was added, renewed or adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Who did it.
    pub by: Author,
    /// Why.
    pub reason: String,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A change begins.
    Applying,
    /// An address is blocked.
    Added,
    /// A block lasts longer.
    Renewed,
    /// A block that was enforced already, and that the blocklist did not know, is known now.
    Adopted,
    /// A block is over.
    Expired,
    /// A block was taken away by a person.
    Removed,
    /// A block was taken away because its address may no longer be blocked.
    Lifted,
    /// A change failed; what was before is as it was.
    RolledBack,
    /// A change failed, and what is enforced now is not known.
    Failed,
}

/// Who changes what is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The user id of the process.
    pub uid: u32,
    /// The name of the user who called it, where the command knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What enforces it: `nftables`, `ipset`, ..., or `none`.
    pub enforcer: String,
    /// The run that it is done for, of those that have a name: every try of a step of a workflow has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// The records that hold: without those of runs that failed.
pub(crate) fn holding(history: &[Record]) -> Vec<&Record> {
    let mut holding = Vec::new();
    let mut begin = 0;
    for record in history {
        match record.action {
            Action::Applying => begin = holding.len(),
            Action::RolledBack | Action::Failed => holding.truncate(begin),
            _ => holding.push(record),
        }
    }
    holding
}

/// Appends `records`, each a line of its own even after a line that was torn, and flushes them to the disk.
pub(super) fn append(path: &Path, records: &[Record]) -> io::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let mut bytes = Vec::new();
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            bytes.push(b'\n');
        }
    }
    for record in records {
        serde_json::to_writer(&mut bytes, record)?;
        bytes.push(b'\n');
    }
    file.write_all(&bytes)?;
    file.sync_all()
}

/// The records in `bytes`; what is none is passed over.
pub(super) fn parse(bytes: &[u8]) -> Vec<Record> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(action: Action) -> Record {
        Record {
            time: 1_000,
            action,
            address: Some("192.0.2.1".parse().unwrap()),
            until: Some(4_600),
            by: Author { uid: 0, user: Some("root".to_owned()), enforcer: "nftables".to_owned(), run: None },
            reason: "a \"flood\"\nof lines".to_owned(),
        }
    }

    #[test]
    fn a_record_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.jsonl");
        append(&path, &[record(Action::Added)]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "{\"time\":1000,\"action\":\"added\",\"address\":\"192.0.2.1\",\"until\":4600,\
            \"by\":{\"uid\":0,\"user\":\"root\",\"enforcer\":\"nftables\"},\"reason\":\"a \\\"flood\\\"\\nof lines\"}\n";
        assert_eq!(text, expected);
        assert_eq!(parse(text.as_bytes()), [record(Action::Added)]);
    }

    #[test]
    fn what_a_failed_run_wrote_does_not_hold() {
        use Action::{Added, Applying, Expired, Failed, Removed, RolledBack};
        let history = [Applying, Added, Applying, Removed, Failed, Applying, RolledBack, Applying, Expired].map(record);
        let holding: Vec<Action> = holding(&history).iter().map(|record| record.action).collect();
        assert_eq!(holding, [Added, Expired]);
    }

    #[test]
    fn a_torn_line_does_not_spoil_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.jsonl");
        append(&path, &[record(Action::Added)]).unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        (&file).write_all(b"{\"time\":10").unwrap();
        append(&path, &[record(Action::Expired), record(Action::RolledBack)]).unwrap();
        let expected = [Action::Added, Action::Expired, Action::RolledBack].map(record);
        assert_eq!(parse(&std::fs::read(&path).unwrap()), expected);
    }
}
