//! The canonical columns and their cells.

use std::fmt::Write as _;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weir_contract::flow::{COLUMNS, Column};
use weir_contract::{FlowBatch, Label};

/// A column of the canonical flow table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Field {
    FlowId,
    EventTime,
    SourceIp,
    DestinationIp,
    SourcePort,
    DestinationPort,
    Transport,
    Bytes,
    Packets,
    Duration,
    Final,
    Label,
    Attack,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Time,
    Port,
    Count,
    Flag,
    /// One of few names.
    Name,
    Address,
    Text,
}

impl Field {
    /// In the order of [`COLUMNS`].
    pub(crate) const ALL: [Self; COLUMNS.len()] = [
        Self::FlowId,
        Self::EventTime,
        Self::SourceIp,
        Self::DestinationIp,
        Self::SourcePort,
        Self::DestinationPort,
        Self::Transport,
        Self::Bytes,
        Self::Packets,
        Self::Duration,
        Self::Final,
        Self::Label,
        Self::Attack,
    ];

    pub(crate) const fn name(self) -> &'static str {
        COLUMNS[self as usize]
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    pub(crate) const fn holds(self) -> Holds {
        match self {
            Self::FlowId | Self::Attack => Holds::Text,
            Self::EventTime => Holds::Time,
            Self::SourceIp | Self::DestinationIp => Holds::Address,
            Self::SourcePort | Self::DestinationPort => Holds::Port,
            Self::Transport | Self::Label => Holds::Name,
            Self::Bytes | Self::Packets | Self::Duration => Holds::Count,
            Self::Final => Holds::Flag,
        }
    }

    pub(crate) const fn is_numeric(self) -> bool {
        matches!(self.holds(), Holds::Time | Holds::Port | Holds::Count)
    }

    pub(crate) fn is_null(self, flows: &FlowBatch, row: usize) -> bool {
        match self {
            Self::FlowId => flows.flow_id.get(row).is_none(),
            Self::Attack => flows.attack.get(row).is_none(),
            Self::EventTime => flows.event_time.is_null(row),
            Self::SourcePort => flows.source_port.is_null(row),
            Self::DestinationPort => flows.destination_port.is_null(row),
            Self::Bytes => flows.bytes.is_null(row),
            Self::Packets => flows.packets.is_null(row),
            Self::Duration => flows.duration_ns.is_null(row),
            Self::Final => flows.last.is_null(row),
            Self::Label => flows.label.is_null(row),
            Self::SourceIp | Self::DestinationIp | Self::Transport => false,
        }
    }

    /// Whether any of the rows is null: a loop that looks at nothing else.
    pub(crate) fn any_null(self, flows: &FlowBatch, mut rows: Range<usize>) -> bool {
        match self {
            Self::FlowId => rows.any(|row| flows.flow_id.get(row).is_none()),
            Self::Attack => rows.any(|row| flows.attack.get(row).is_none()),
            Self::EventTime => any_null(&flows.event_time, rows),
            Self::SourcePort => any_null(&flows.source_port, rows),
            Self::DestinationPort => any_null(&flows.destination_port, rows),
            Self::Bytes => any_null(&flows.bytes, rows),
            Self::Packets => any_null(&flows.packets, rows),
            Self::Duration => any_null(&flows.duration_ns, rows),
            Self::Final => any_null(&flows.last, rows),
            Self::Label => any_null(&flows.label, rows),
            Self::SourceIp | Self::DestinationIp | Self::Transport => false,
        }
    }

    /// The value of a numeric column; null in every other.
    pub(crate) fn number(self, flows: &FlowBatch, row: usize) -> Option<i128> {
        match Numbers::of(self, flows)? {
            Numbers::Time(column) => column.get(row).map(i128::from),
            Numbers::Port(column) => column.get(row).map(i128::from),
            Numbers::Count(column) => column.get(row).map(i128::from),
        }
    }

    /// Writes a value as text, as Python's `str` does; nothing where it is null.
    pub(crate) fn write(self, flows: &FlowBatch, row: usize, text: &mut String) {
        let written = match self {
            Self::FlowId => write_text(flows.flow_id.get(row), text),
            Self::Attack => write_text(flows.attack.get(row), text),
            Self::SourceIp => write!(text, "{}", flows.source_ip[row]),
            Self::DestinationIp => write!(text, "{}", flows.destination_ip[row]),
            Self::Transport => write_text(Some(flows.transport[row].name()), text),
            Self::Label => write_text(flows.label.get(row).map(|class| Label::from_class(class).name()), text),
            Self::Final => write_text(flows.last.get(row).map(|last| if last { "True" } else { "False" }), text),
            _ => self.number(flows, row).map_or(Ok(()), |number| write!(text, "{number}")),
        };
        written.expect("a String takes every text");
    }

    pub(crate) fn cell(self, flows: &FlowBatch, row: usize) -> Cell {
        if self.is_null(flows, row) {
            return Cell::Null;
        }
        match self.holds() {
            Holds::Time | Holds::Port | Holds::Count => self.number(flows, row).map_or(Cell::Null, Cell::Integer),
            Holds::Flag => flows.last.get(row).map_or(Cell::Null, Cell::Flag),
            Holds::Name | Holds::Address | Holds::Text => {
                let mut text = String::new();
                self.write(flows, row, &mut text);
                Cell::Text(text)
            }
        }
    }
}

/// Whether any of the rows is null, without a way out of the loop, which is quicker where none is.
pub(crate) fn any_null<T: Copy + Default>(column: &Column<T>, rows: Range<usize>) -> bool {
    rows.fold(false, |any, row| any | column.is_null(row))
}

fn write_text(value: Option<&str>, text: &mut String) -> std::fmt::Result {
    text.write_str(value.unwrap_or_default())
}

/// The columns of whole numbers by their type, so that a loop is chosen once and not per row.
pub(crate) enum Numbers<'a> {
    Time(&'a Column<i64>),
    Port(&'a Column<u16>),
    Count(&'a Column<u64>),
}

impl<'a> Numbers<'a> {
    pub(crate) fn of(field: Field, flows: &'a FlowBatch) -> Option<Self> {
        Some(match field {
            Field::EventTime => Self::Time(&flows.event_time),
            Field::SourcePort => Self::Port(&flows.source_port),
            Field::DestinationPort => Self::Port(&flows.destination_port),
            Field::Bytes => Self::Count(&flows.bytes),
            Field::Packets => Self::Count(&flows.packets),
            Field::Duration => Self::Count(&flows.duration_ns),
            _ => return None,
        })
    }
}

/// Calls `each` with every present number of a column in the order of its rows; the number of missing ones.
pub(crate) fn each_number(
    field: Field,
    flows: &FlowBatch,
    rows: Range<usize>,
    mut each: impl FnMut(usize, i128),
) -> u64 {
    fn run<T: Copy + Default + Into<i128>>(
        column: &Column<T>,
        rows: Range<usize>,
        each: &mut impl FnMut(usize, i128),
    ) -> u64 {
        let mut missing = 0;
        for row in rows {
            match column.get(row) {
                Some(value) => each(row, value.into()),
                None => missing += 1,
            }
        }
        missing
    }
    match Numbers::of(field, flows) {
        Some(Numbers::Time(column)) => run(column, rows, &mut each),
        Some(Numbers::Port(column)) => run(column, rows, &mut each),
        Some(Numbers::Count(column)) => run(column, rows, &mut each),
        None => rows.len() as u64,
    }
}

/// A value of any column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Cell {
    Null,
    Flag(bool),
    Integer(i128),
    Text(String),
}

impl Cell {
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => json!(flag),
            Self::Integer(number) => integer(*number),
            Self::Text(text) => json!(text),
        }
    }
}

/// A whole number as JSON: as it is between `i64::MIN` and `u64::MAX`, beyond that as the nearest double.
pub(crate) fn integer(number: i128) -> Value {
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(number), _) => json!(number),
        (_, Ok(number)) => json!(number),
        _ => json!(number as f64),
    }
}
