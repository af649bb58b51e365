//! The header line: which field of a record means what.

use memchr::memchr;

use crate::decode::{Head, HeadError};
use crate::format::{Format, describe_start};
use crate::table::record::{Fields, Quoted};
use crate::table::{BOM, Need, Table};

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What may precede the name of a column.
const PREFIXES: [&str; 4] = ["", "_", "source_", "_source_"];

/// A header line as a table understands it.
#[derive(Debug)]
pub(crate) struct Header<T: Table> {
    pub(crate) separator: u8,
    /// The columns of the file as they are spelled.
    pub(crate) names: Vec<String>,
    /// Which field of a record is which column, by field.
    pub(crate) plan: Vec<(usize, T::Field)>,
    /// A second field for a column already planned.
    duplicate: Option<(usize, T::Field)>,
    pub(crate) head: Head,
}

impl<T: Table> Header<T> {
    /// Reads the first line of `head` under the separator by which most columns are recognised.
    pub(crate) fn read(head: &[u8]) -> Self {
        let start = if head.starts_with(BOM) { BOM.len() } else { 0 };
        let (line, bytes) = match memchr(b'\n', &head[start..]) {
            Some(end) => (&head[start..start + end], start + end + 1),
            None => (&head[start..], head.len()),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let head = Head { bytes, lines: 1 };
        let mut best = Self::split(line, SEPARATORS[0], head);
        for &separator in &SEPARATORS[1..] {
            let next = Self::split(line, separator, head);
            if next.plan.len() > best.plan.len() {
                best = next;
            }
        }
        best
    }

    /// How many columns were recognised, and the columns that keep the file from being recognised.
    pub(crate) fn marks(&self) -> (usize, Vec<&'static str>) {
        (self.plan.len(), self.missing(|need| need != Need::Optional))
    }

    /// The names of the absent columns of some needs.
    pub(crate) fn missing(&self, of: impl Fn(Need) -> bool) -> Vec<&'static str> {
        let absent = |field| self.plan.iter().all(|(_, planned)| *planned != field);
        T::COLUMNS
            .iter()
            .filter(|column| of(column.need) && absent(column.field))
            .map(|column| column.names[0])
            .collect()
    }

    /// The columns of the file that mean nothing to the table.
    pub(crate) fn ignored(&self) -> Vec<String> {
        let unread = |index| self.plan.iter().all(|(planned, _)| *planned != index);
        let name = |(index, name): (usize, &String)| match name.trim() {
            "" => format!("column {}", index + 1),
            name => name.to_owned(),
        };
        self.names.iter().enumerate().filter(|(index, _)| unread(*index)).map(name).collect()
    }

    /// Refuses a header without the columns every flow needs, or with two columns of one meaning.
    pub(crate) fn check(&self, format: Format, head: &[u8]) -> Result<(), HeadError> {
        let missing = self.missing(|need| need == Need::Always);
        if !missing.is_empty() {
            return Err(HeadError::MissingColumns { format, missing, starts: describe_start(head) });
        }
        let Some((second, field)) = self.duplicate else { return Ok(()) };
        let first = self.plan.iter().find(|(_, planned)| *planned == field).map_or(second, |(index, _)| *index);
        let column = T::COLUMNS.iter().find(|column| column.field == field).map_or("", |column| column.names[0]);
        let name = |index: usize| self.names[index].clone();
        Err(HeadError::DuplicateColumn { format, column, first: name(first), second: name(second) })
    }

    fn split(line: &[u8], separator: u8, head: Head) -> Self {
        let mut fields = Fields::default();
        let mut scratch = Vec::new();
        // A quote that is not closed on the line leaves a header without a single name, which nothing accepts.
        let text = match fields.split_quoted(line, separator, true, &mut scratch) {
            Quoted::Record { .. } => scratch.as_slice(),
            Quoted::Unclosed | Quoted::Incomplete => {
                fields = Fields::default();
                &[]
            }
        };
        let names: Vec<String> =
            (0..fields.len()).map(|index| String::from_utf8_lossy(fields.get(text, index)).into_owned()).collect();
        let mut plan: Vec<(usize, T::Field)> = Vec::new();
        let mut duplicate = None;
        for (index, name) in names.iter().enumerate() {
            let Some(field) = field_of::<T>(name) else { continue };
            if plan.iter().all(|(_, planned)| *planned != field) {
                plan.push((index, field));
            } else if duplicate.is_none() {
                duplicate = Some((index, field));
            }
        }
        Self { separator, names, plan, duplicate, head }
    }
}

fn field_of<T: Table>(name: &str) -> Option<T::Field> {
    let name = name.trim().to_ascii_lowercase().replace('.', "_");
    let known = |known: &&str| PREFIXES.iter().any(|prefix| name.strip_prefix(prefix) == Some(*known));
    T::COLUMNS.iter().find(|column| column.names.iter().any(known)).map(|column| column.field)
}
