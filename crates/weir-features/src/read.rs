//! Flow files into one batch, with the place every row came from.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use weir_contract::digest::Digester;
use weir_contract::flow::TextColumn;
use weir_contract::{Digest, FlowBatch};
use weir_flows::{Content, FlowReader, Format};
use weir_stage::{Failure, ProgressHandle, Stage};
use weir_tables::Quarantined;

/// Rows decoded before the next look at the clock and at Ctrl-C.
const BATCH: usize = 16_384;

/// Everything that was in the files.
#[derive(Debug, Default)]
pub struct Flows {
    /// The readable rows.
    pub flows: FlowBatch,
    /// For each row the number of its file and its line.
    pub origin: Vec<(usize, u64)>,
    /// Whether the row's id was derived here, because its format has none.
    pub derived: Vec<bool>,
    /// The rows that could not be read.
    pub unreadable: Vec<Quarantined>,
    /// Digests of the files, in the order given.
    pub digests: Vec<Digest>,
}

/// The role of input file `number` in manifests and quarantine. Unlike its path, it is the same wherever a run takes
/// place.
#[must_use]
pub fn role(number: usize) -> String {
    format!("flows/{number}")
}

impl Flows {
    /// A row set aside.
    #[must_use]
    pub fn quarantine(&self, row: usize, reason: String) -> Quarantined {
        let (file, line) = self.origin[row];
        let flow = serde_json::to_string(&self.flows.flow(row)).expect("a flow has a JSON form");
        Quarantined { file: role(file), line, reason, row: flow }
    }
}

/// Reads `files` in order. A line that is no flow is set aside with file, line and reason.
///
/// # Errors
/// A file that cannot be read or is no flow file at all; Ctrl-C.
pub fn read(files: &[PathBuf], format: Option<Format>, stage: &Stage) -> Result<Flows, Failure> {
    let mut all = Flows::default();
    let total = files.iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
    let progress = stage.progress("reading flows (bytes)", total);
    for (number, path) in files.iter().enumerate() {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| {
            Failure::input(format!("failed to open {name}: {error}")).hint("give existing flow files with --data")
        })?;
        let mut source = Source { file, digest: Digester::default(), progress: &progress };
        let mut reader = FlowReader::new(&mut source, &name, format)?;
        stage.detail(format!("{name}: {}", reader.format()));
        while let Some(batch) = reader.next_batch(BATCH)? {
            stage.check()?;
            all.flows.append(&batch.flows);
            all.origin.extend(batch.lines.iter().map(|&line| (number, line)));
            all.unreadable.extend(batch.rejected.into_iter().map(|rejected| Quarantined {
                file: role(number),
                line: rejected.line,
                reason: rejected.reason,
                row: rejected.text,
            }));
        }
        all.digests.push(source.digest.finish());
    }
    all.derived = derive_ids(&mut all.flows);
    Ok(all)
}

/// Gives rows without an id one that is derived from what they are. Identical rows are numbered in the order of label
/// and attack, so that the order of rows does not matter. Returns which rows those are.
fn derive_ids(flows: &mut FlowBatch) -> Vec<bool> {
    let derived: Vec<bool> = flows.flow_id.iter().map(|id| id.is_none()).collect();
    let rows = (0..flows.len()).filter(|&row| derived[row]);
    let mut contents: Vec<(Content, usize)> = rows.map(|row| (Content::of(flows.flow(row)), row)).collect();
    if contents.is_empty() {
        return derived;
    }
    let name = |row: usize| (flows.label.get(row), flows.attack.get(row));
    contents.sort_by(|&(content_a, a), &(content_b, b)| content_a.cmp(&content_b).then_with(|| name(a).cmp(&name(b))));
    let mut ids: Vec<Option<String>> = flows.flow_id.iter().map(|id| id.map(str::to_owned)).collect();
    for identical in contents.chunk_by(|(a, _), (b, _)| a == b) {
        for (&(content, row), number) in identical.iter().zip(0..) {
            ids[row] = Some(content.id(number));
        }
    }
    flows.flow_id = ids.iter().map(Option::as_deref).collect::<TextColumn>();
    derived
}

/// A file that is digested as it is read, and reports how far that is.
struct Source<'a> {
    file: File,
    digest: Digester,
    progress: &'a ProgressHandle,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.digest.update(&buffer[..read]);
        self.progress.advance(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    const HEAD: &str = "source_ip,destination_ip,network_transport,network_bytes,label\n";

    fn read_text(text: &str) -> Flows {
        let file = file(text);
        let flows = read(&[file.path().to_owned()], Some(Format::PacketbeatCsv), &Stage::silent()).unwrap();
        assert_eq!(flows.digests, [Digest::of(text.as_bytes())]);
        flows
    }

    #[test]
    fn rows_without_an_id_get_one_that_survives_reordering() {
        let rows = [
            "10.0.0.1,10.0.0.2,tcp,7,benign\n",
            "10.0.0.1,10.0.0.2,tcp,7,malicious\n",
            "10.0.0.1,10.0.0.2,tcp,8,benign\n",
        ];
        let ids = |order: [usize; 3]| {
            let flows = read_text(&format!("{HEAD}{}", order.map(|row| rows[row]).concat()));
            assert!(flows.derived.iter().all(|&derived| derived));
            let mut ids: Vec<(usize, String)> =
                order.into_iter().zip(flows.flows.flow_id.iter().map(|id| id.unwrap().to_owned())).collect();
            ids.sort();
            ids
        };
        let forward = ids([0, 1, 2]);
        assert_eq!(forward, ids([1, 2, 0]));
        let content = |row: usize| forward[row].1.split_once('-').unwrap();
        assert_eq!(content(0).0, content(1).0);
        assert_eq!((content(0).1, content(1).1), ("0", "1"));
        assert_ne!(content(0).0, content(2).0);
    }

    #[test]
    fn an_unreadable_line_keeps_its_file_line_and_text() {
        let flows = read_text(&format!("{HEAD}10.0.0.1,10.0.0.2,tcp,7,benign\n10.0.0.999,10.0.0.2,tcp,7,benign\n"));
        assert_eq!(flows.flows.len(), 1);
        let aside = &flows.unreadable[0];
        assert_eq!((aside.file.as_str(), aside.line), ("flows/0", 3));
        assert!(aside.reason.contains("10.0.0.999"), "{}", aside.reason);
    }
}
