//! The header line: which field of a record means what.

use memchr::memchr;

use crate::decode::{Head, HeadError};
use crate::format::{Format, describe_start};
use crate::table::decoder::trim_carriage_return;
use crate::table::record::{Fields, Quoted};
use crate::table::{BOM, Need, Table};

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Where the names of the columns stand in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeaderLine<'a> {
    /// The names; empty where the file has none.
    pub(crate) text: &'a [u8],
    /// What separates them, where the file says so; otherwise it is what most columns are recognised by.
    pub(crate) separator: Option<u8>,
    /// What precedes the first record.
    pub(crate) head: Head,
}

impl<'a> HeaderLine<'a> {
    /// The first line of `head`.
    pub(crate) fn first(head: &'a [u8]) -> Self {
        let start = if head.starts_with(BOM) { BOM.len() } else { 0 };
        let (line, bytes) = match memchr(b'\n', &head[start..]) {
            Some(end) => (&head[start..start + end], start + end + 1),
            None => (&head[start..], head.len()),
        };
        Self { text: trim_carriage_return(line), separator: None, head: Head { bytes, lines: 1 } }
    }
}

/// A header line as a table understands it.
#[derive(Debug)]
pub(crate) struct Header<T: Table> {
    pub(crate) separator: u8,
    /// The columns of the file as they are spelled.
    pub(crate) names: Vec<String>,
    /// Which field of a record is which column, in the order of the format's columns.
    pub(crate) plan: Vec<(usize, T::Field)>,
    /// A second field for a column already planned.
    duplicate: Option<(usize, T::Field)>,
    pub(crate) head: Head,
}

impl<T: Table> Header<T> {
    /// Reads the header of a file that starts with `head`.
    pub(crate) fn read(head: &[u8]) -> Self {
        let line = T::header_line(head);
        let Some(separator) = line.separator else {
            let mut best = Self::split(line.text, SEPARATORS[0], line.head);
            for &separator in &SEPARATORS[1..] {
                let next = Self::split(line.text, separator, line.head);
                if next.plan.len() > best.plan.len() {
                    best = next;
                }
            }
            return best;
        };
        Self::split(line.text, separator, line.head)
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
        let names = names::<T>(line, separator);
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
        plan.sort_by_key(|(_, field)| T::COLUMNS.iter().position(|column| column.field == *field));
        Self { separator, names, plan, duplicate, head }
    }
}

/// The names of the columns as they are spelled.
fn names<T: Table>(line: &[u8], separator: u8) -> Vec<String> {
    let (mut fields, mut unquoted) = (Fields::default(), Vec::new());
    let text = if !T::QUOTES {
        fields.split(line, separator);
        if let Some(separator) = T::LAST_SEPARATOR {
            fields.split_last(line, separator);
        }
        line
    } else if let Quoted::Record { .. } = fields.split_quoted(line, separator, true, &mut unquoted) {
        &unquoted
    } else {
        // A quote that is not closed on the line leaves a header without a single name, which nothing accepts.
        return Vec::new();
    };
    (0..fields.len()).map(|index| String::from_utf8_lossy(fields.get(text, index)).into_owned()).collect()
}

fn field_of<T: Table>(name: &str) -> Option<T::Field> {
    let name: Vec<u8> = name.trim().bytes().map(comparable).collect();
    let is_known = |known: &&str| {
        T::PREFIXES.iter().any(|prefix| {
            let rest = name.strip_prefix(prefix.as_bytes());
            rest.is_some_and(|rest| rest.iter().copied().eq(known.bytes().map(comparable)))
        })
    };
    T::COLUMNS.iter().find(|column| column.names.iter().any(is_known)).map(|column| column.field)
}

/// A byte of a column's name as names are compared.
fn comparable(byte: u8) -> u8 {
    match byte {
        b'.' | b' ' => b'_',
        _ => byte.to_ascii_lowercase(),
    }
}
