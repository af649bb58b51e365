//! Flow files into one batch, with the place every row came from.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use weir_contract::flow::TextColumn;
use weir_contract::{Digest, FlowBatch};
use weir_flows::{FlowReader, Format};
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
    pub origin: Vec<(u32, u64)>,
    /// Whether the row's id was derived here, because its format has none.
    pub derived: Vec<bool>,
    /// The rows that could not be read.
    pub unreadable: Vec<Quarantined>,
    /// The files, in the order given.
    pub files: Vec<String>,
}

impl Flows {
    /// A row set aside.
    #[must_use]
    pub fn quarantine(&self, row: usize, reason: String) -> Quarantined {
        let (file, line) = self.origin[row];
        let flow = serde_json::to_string(&self.flows.flow(row)).unwrap_or_default();
        Quarantined { file: self.files[file as usize].clone(), line, reason, row: flow }
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
        let mut reader = FlowReader::new(Counted { file, progress: &progress }, &name, format)?;
        stage.detail(format!("{name}: {}", reader.format()));
        while let Some(batch) = reader.next_batch(BATCH)? {
            stage.check()?;
            all.flows.append(&batch.flows);
            all.origin.extend(batch.lines.iter().map(|&line| (number as u32, line)));
            all.unreadable.extend(batch.rejected.into_iter().map(|rejected| Quarantined {
                file: name.clone(),
                line: rejected.line,
                reason: rejected.reason,
                row: rejected.text,
            }));
        }
        all.files.push(name);
    }
    all.derived = derive_ids(&mut all.flows);
    Ok(all)
}

/// Gives rows without an id one that is derived from all their columns but label and attack, plus a running number
/// among identical rows. Returns which rows those are.
fn derive_ids(flows: &mut FlowBatch) -> Vec<bool> {
    let derived: Vec<bool> = flows.flow_id.iter().map(|id| id.is_none()).collect();
    if !derived.contains(&true) {
        return derived;
    }
    let mut seen: HashMap<Digest, u64> = HashMap::new();
    let mut ids = TextColumn::default();
    for (row, &derive) in derived.iter().enumerate() {
        if !derive {
            ids.push(flows.flow_id.get(row));
            continue;
        }
        let mut flow = flows.flow(row);
        (flow.label, flow.attack) = (None, None);
        let content = Digest::of(&serde_json::to_vec(&flow).unwrap_or_default());
        let number = seen.entry(content).or_default();
        ids.push(Some(&format!("{}-{number}", &content.to_string()[..24])));
        *number += 1;
    }
    flows.flow_id = ids;
    derived
}

/// A file that reports how far it was read.
struct Counted<'a> {
    file: File,
    progress: &'a ProgressHandle,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
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

    #[test]
    fn rows_without_an_id_get_one_that_survives_reordering() {
        let rows = ["10.0.0.1,10.0.0.2,tcp,7,benign\n", "10.0.0.1,10.0.0.2,tcp,8,benign\n"];
        let ids = |text: String| {
            let files = [file(&text)];
            let paths: Vec<PathBuf> = files.iter().map(|file| file.path().to_owned()).collect();
            let flows = read(&paths, Some(Format::PacketbeatCsv), &Stage::silent()).unwrap();
            assert!(flows.derived.iter().all(|&derived| derived));
            flows.flows.flow_id.iter().map(|id| id.unwrap().to_owned()).collect::<Vec<_>>()
        };
        let forward = ids(format!("{HEAD}{}{}{}", rows[0], rows[1], rows[0]));
        let mut backward = ids(format!("{HEAD}{}{}{}", rows[0], rows[0], rows[1]));
        assert_eq!(forward[0].split_once('-').unwrap().0, forward[2].split_once('-').unwrap().0);
        assert_ne!(forward[0], forward[2]);
        backward.swap(1, 2);
        assert_eq!(forward, backward);
    }

    #[test]
    fn an_unreadable_line_keeps_its_file_line_and_text() {
        let file = file(&format!("{HEAD}10.0.0.1,10.0.0.2,tcp,7,benign\n10.0.0.999,10.0.0.2,tcp,7,benign\n"));
        let flows = read(&[file.path().to_owned()], Some(Format::PacketbeatCsv), &Stage::silent()).unwrap();
        assert_eq!(flows.flows.len(), 1);
        let aside = &flows.unreadable[0];
        assert_eq!((aside.file.as_str(), aside.line), (file.path().to_str().unwrap(), 3));
        assert!(aside.reason.contains("10.0.0.999"), "{}", aside.reason);
    }
}
