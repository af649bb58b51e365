//! `weir flows`: what is in flow files, and conversion to Parquet.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Parser;
use serde::Serialize;
use weir_contract::flow::COLUMNS;
use weir_contract::{Flow, FlowBatch, Label};
use weir_flows::{Batch, FlowReader, Format, Rejected};
use weir_stage::{CommonArgs, Failure, Stage};
use weir_tables::{FlowTableReader, FlowWriter};

use crate::input::is_parquet;

/// Rows read at a time.
const BATCH: usize = 16_384;

/// Unreadable records shown for each file.
const SHOWN: usize = 5;

/// Show what flow files hold in canonical form, or convert them
#[derive(Debug, Parser)]
pub struct FlowsArgs {
    /// Flow files of any known format, plain, gzip or zstd, or Parquet
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Format of the files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// Flows to show of each file
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rows: usize,

    /// Parquet file to write all flows to, in canonical form
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for FlowsArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What a file holds.
#[derive(Debug, Serialize)]
struct Look {
    file: String,
    format: String,
    /// Readable records.
    flows: u64,
    /// Records that could not be read.
    unreadable: u64,
    /// Records of the format that are about something else than flows.
    passed_over: u64,
    blank_lines: u64,
    /// Null values by column, where there are any.
    null: BTreeMap<&'static str, u64>,
    benign: u64,
    malicious: u64,
    /// Earliest and latest event time, ms since 1970 UTC.
    event_time: Option<(i64, i64)>,
    columns_ignored: Vec<String>,
    columns_missing: Vec<&'static str>,
    first_flows: Vec<Flow>,
    first_unreadable: Vec<Unread>,
}

#[derive(Debug, Serialize)]
struct Unread {
    line: u64,
    reason: String,
    text: String,
}

/// Reads the files, prints what they hold, and writes them as one Parquet file where that is asked for.
///
/// # Errors
/// A file that cannot be read or is no flow file; a destination that cannot be written, which then is not there.
pub fn flows_command(args: FlowsArgs, stage: &Stage) -> Result<(), Failure> {
    let mut target = args.to.as_deref().map(Target::create).transpose()?;
    let mut looks = Vec::new();
    for path in &args.files {
        let look = look(path, args.format, args.rows, stage, |flows| match &mut target {
            Some(target) => Ok(target.writer.append(flows, 0..flows.len())?),
            None => Ok(()),
        })?;
        if look.unreadable > 0 {
            stage.warn(format!("{}: {} records could not be read", look.file, look.unreadable));
        }
        looks.push(look);
    }
    if let Some(target) = target {
        target.finish()?;
    }
    stage.result(&looks, || looks.iter().map(text).collect::<Vec<_>>().join("\n"))
}

/// A file that appears whole or not at all.
struct Target {
    writer: FlowWriter,
    part: PathBuf,
    path: PathBuf,
}

impl Target {
    fn create(path: &Path) -> Result<Self, Failure> {
        let name = path.file_name().ok_or_else(|| Failure::usage(format!("{} names no file", path.display())))?;
        let part = path.with_file_name(format!(".{}.part", name.to_string_lossy()));
        Ok(Self { writer: FlowWriter::create(&part)?, part, path: path.to_owned() })
    }

    fn finish(self) -> Result<(), Failure> {
        self.writer.finish()?;
        let renamed =
            File::open(&self.part).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&self.part, &self.path));
        renamed.map_err(|error| Failure::retry(format!("failed to write {}: {error}", self.path.display())))
    }
}

fn look(
    path: &Path,
    format: Option<Format>,
    shown: usize,
    stage: &Stage,
    mut each: impl FnMut(&FlowBatch) -> Result<(), Failure>,
) -> Result<Look, Failure> {
    let mut look = Look {
        file: path.display().to_string(),
        format: "parquet".to_owned(),
        flows: 0,
        unreadable: 0,
        passed_over: 0,
        blank_lines: 0,
        null: BTreeMap::new(),
        benign: 0,
        malicious: 0,
        event_time: None,
        columns_ignored: Vec::new(),
        columns_missing: Vec::new(),
        first_flows: Vec::new(),
        first_unreadable: Vec::new(),
    };
    let reader = each_batch(path, format, stage, |batch| {
        each(&batch.flows)?;
        look.add(batch, shown);
        Ok(())
    })?;
    if let Some(reader) = reader {
        look.format = reader.format().to_string();
        look.columns_ignored = reader.decoder().ignored_columns().to_vec();
        look.columns_missing = reader.decoder().missing_columns().to_vec();
    }
    Ok(look)
}

/// Gives all records of a file, some at a time, in their order. Returns the reader, or `None` for Parquet.
///
/// # Errors
/// A file that cannot be read or is no flow file, Ctrl-C, and what `each` returns.
pub fn each_batch(
    path: &Path,
    format: Option<Format>,
    stage: &Stage,
    mut each: impl FnMut(&Batch) -> Result<(), Failure>,
) -> Result<Option<FlowReader<File>>, Failure> {
    let unopened = |error: std::io::Error| {
        Failure::input(format!("failed to open {}: {error}", path.display())).hint("give existing flow files")
    };
    if format.is_none() && is_parquet(path).map_err(unopened)? {
        let mut reader = FlowTableReader::open(path)?;
        while let Some(flows) = reader.next(BATCH)? {
            stage.check()?;
            each(&Batch { flows, ..Batch::default() })?;
        }
        return Ok(None);
    }
    let mut reader = FlowReader::open(path, format)?;
    while let Some(batch) = reader.next_batch(BATCH)? {
        stage.check()?;
        each(&batch)?;
    }
    Ok(Some(reader))
}

impl Look {
    fn add(&mut self, batch: &Batch, shown: usize) {
        let flows = &batch.flows;
        self.flows += flows.len() as u64;
        self.unreadable += batch.rejected.len() as u64;
        self.passed_over += batch.skipped;
        self.blank_lines += batch.blank;
        for row in 0..flows.len().min(shown.saturating_sub(self.first_flows.len())) {
            self.first_flows.push(flows.flow(row));
        }
        for Rejected { line, reason, text } in &batch.rejected {
            if self.first_unreadable.len() < SHOWN {
                self.first_unreadable.push(Unread { line: *line, reason: reason.clone(), text: text.clone() });
            }
        }
        for row in 0..flows.len() {
            match flows.label.get(row).map(Label::from_class) {
                Some(Label::Benign) => self.benign += 1,
                Some(Label::Malicious) => self.malicious += 1,
                None => {}
            }
            if let Some(time) = flows.event_time.get(row) {
                let (first, last) = self.event_time.unwrap_or((time, time));
                self.event_time = Some((first.min(time), last.max(time)));
            }
            let nulls = [
                ("flow_id", flows.flow_id.get(row).is_none()),
                ("event_time", flows.event_time.is_null(row)),
                ("source_port", flows.source_port.is_null(row)),
                ("destination_port", flows.destination_port.is_null(row)),
                ("bytes", flows.bytes.is_null(row)),
                ("packets", flows.packets.is_null(row)),
                ("duration_ns", flows.duration_ns.is_null(row)),
                ("final", flows.last.is_null(row)),
                ("label", flows.label.is_null(row)),
                ("attack", flows.attack.get(row).is_none()),
            ];
            for (column, null) in nulls {
                if null {
                    *self.null.entry(column).or_default() += 1;
                }
            }
        }
    }
}

fn text(look: &Look) -> String {
    let Look { file, format, flows, unreadable, passed_over, blank_lines, benign, malicious, .. } = look;
    let mut lines = vec![format!("{file}: {format}")];
    lines.push(format!(
        "  {flows} flows ({benign} benign, {malicious} malicious, {} unlabelled), {unreadable} unreadable records",
        flows - benign - malicious
    ));
    if passed_over + blank_lines > 0 {
        lines.push(format!("  passed over: {passed_over} records about something else, {blank_lines} blank lines"));
    }
    if let Some((first, last)) = look.event_time {
        lines.push(format!("  event time {first} to {last} (ms since 1970 UTC)"));
    }
    if !look.null.is_empty() {
        let nulls: Vec<String> = look.null.iter().map(|(column, rows)| format!("{column} {rows}")).collect();
        lines.push(format!("  null: {}", nulls.join(", ")));
    }
    for (what, columns) in [("ignored", look.columns_ignored.join(", ")), ("missing", look.columns_missing.join(", "))]
    {
        if !columns.is_empty() {
            lines.push(format!("  columns {what}: {columns}"));
        }
    }
    if !look.first_flows.is_empty() {
        lines.push(String::new());
        lines.extend(table(&look.first_flows));
    }
    for Unread { line, reason, text } in &look.first_unreadable {
        lines.push(format!("\n{file}:{line}: {reason}\n  {text}"));
    }
    lines.join("\n") + "\n"
}

/// Flows below the names of their columns, aligned.
fn table(flows: &[Flow]) -> Vec<String> {
    let mut rows: Vec<Vec<String>> = vec![COLUMNS.iter().map(|&name| name.to_owned()).collect()];
    for flow in flows {
        let object = serde_json::to_value(flow).expect("a flow has a JSON form");
        rows.push(
            COLUMNS
                .iter()
                .map(|&name| match object.get(name) {
                    None => "-".to_owned(),
                    Some(serde_json::Value::String(text)) => text.clone(),
                    Some(value) => value.to_string(),
                })
                .collect(),
        );
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(text, &width)| format!("{text:width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
