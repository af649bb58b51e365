//! Labels by flow id.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use csv::{ReaderBuilder, StringRecord};
use weir_contract::Label;

use super::{LabelError, Verdict};

const HEADERS: [&[&str]; 2] = [&["flow_id", "label"], &["flow_id", "label", "attack"]];

/// Whether the text is a table and no rules: its first line begins with the first column.
pub(super) fn is_table(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches('"').strip_prefix("flow_id").is_some_and(|rest| !rest.trim_start().starts_with('='))
}

/// Adds the rows of a table to `ids`; returns their number.
pub(super) fn read(file: &str, text: &str, ids: &mut HashMap<String, Verdict>) -> Result<u64, LabelError> {
    let separator = if text.lines().next().is_some_and(|line| line.contains('\t')) { b'\t' } else { b',' };
    let mut reader =
        ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut rows = 0;
    let mut columns = 0;
    loop {
        let before = reader.position().line();
        let more = reader.read_record(&mut record).map_err(|error| LabelError::new(file, before, error))?;
        if !more {
            return Ok(rows);
        }
        let line = record.position().map_or(before, csv::Position::line);
        let wrong = |reason: String| LabelError::new(file, line, reason);
        if columns == 0 {
            let header: Vec<&str> = record.iter().collect();
            if !HEADERS.contains(&header.as_slice()) {
                return Err(wrong(format!("expected the header flow_id,label[,attack], found {}", header.join(","))));
            }
            columns = header.len();
            continue;
        }
        if record.len() != columns {
            return Err(wrong(format!("expected {columns} fields, found {}", record.len())));
        }
        let verdict = verdict(&record).map_err(wrong)?;
        match ids.entry(record[0].to_owned()) {
            Entry::Vacant(free) => drop(free.insert(verdict)),
            Entry::Occupied(taken) if *taken.get() == verdict => {}
            Entry::Occupied(taken) => {
                return Err(wrong(format!("flow {:?} has another label already", taken.key())));
            }
        }
        rows += 1;
    }
}

fn verdict(record: &StringRecord) -> Result<Verdict, String> {
    if record[0].is_empty() {
        return Err("the flow id is empty".to_owned());
    }
    let label: Label =
        record[1].parse().map_err(|()| format!("expected the label benign or malicious, found {:?}", &record[1]))?;
    let attack = record.get(2).filter(|attack| !attack.is_empty()).map(str::to_owned);
    if label == Label::Benign && attack.is_some() {
        return Err("a benign flow has no attack".to_owned());
    }
    Ok(Verdict { label, attack })
}
