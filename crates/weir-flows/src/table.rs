//! Tables of text with a header line: what all of them have in common.

mod decoder;
mod header;
mod record;

pub(crate) use decoder::{TableDecoder, reject_long_line};
pub(crate) use header::{Header, HeaderLine};

use crate::batch::Row;

/// The UTF-8 byte order mark.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a field should have held.
pub(crate) type Expected = &'static str;

/// One format among the tables of text.
pub(crate) trait Table: Send + Sync + 'static {
    /// The meanings of its columns.
    type Field: Copy + PartialEq + Send + Sync + std::fmt::Debug;

    /// What is gathered beside the row while a record is read, and needed to finish it.
    type Parts: Default;

    /// Its columns, in the order in which the fields of a record are read.
    const COLUMNS: &'static [ColumnOf<Self::Field>];

    /// What may precede the name of a column.
    const PREFIXES: &'static [&'static str] = &[""];

    /// Whether fields may be quoted.
    const QUOTES: bool = true;

    /// What a line starts with that is a comment.
    const COMMENT: Option<u8> = None;

    /// What separates the columns that share the last field, where there are such.
    const LAST_SEPARATOR: Option<&'static [u8]> = None;

    /// Finds the header in a file that starts with `head`.
    fn header_line(head: &[u8]) -> HeaderLine<'_> {
        HeaderLine::first(head)
    }

    /// Reads one field of a record.
    fn read<'a>(field: Self::Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Self::Parts)
    -> Result<(), Expected>;

    /// Completes the row after its last field.
    #[inline(always)]
    fn finish(_row: &mut Row<'_>, _parts: &Self::Parts) -> Result<(), Expected> {
        Ok(())
    }

    /// Whether a line that is no record is what the format's tool prints beside records.
    fn is_remark(_line: &[u8]) -> bool {
        false
    }
}

/// A column of a format.
pub(crate) struct ColumnOf<F> {
    pub(crate) field: F,
    /// How it may be called; the first is its name in messages.
    pub(crate) names: &'static [&'static str],
    pub(crate) need: Need,
}

impl<F> ColumnOf<F> {
    pub(crate) const fn new(field: F, names: &'static [&'static str], need: Need) -> Self {
        Self { field, names, need }
    }
}

/// Whether a column may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Never.
    Always,
    /// Only where the format is named; by its absence the file is not recognised.
    Usual,
    /// Yes.
    Optional,
}
