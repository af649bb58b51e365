//! Tables of text with a header line: what all of them have in common.

mod decoder;
mod header;
mod record;

pub(crate) use decoder::{TableDecoder, reject_long_line};
pub(crate) use header::Header;

use crate::batch::Row;

/// The UTF-8 byte order mark.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a field should have held.
pub(crate) type Expected = &'static str;

/// One format among the tables of text.
pub(crate) trait Table: Send + Sync + 'static {
    /// The meanings of its columns.
    type Field: Copy + PartialEq + Send + Sync + std::fmt::Debug;

    /// Its columns, in the order of the published files.
    const COLUMNS: &'static [ColumnOf<Self::Field>];

    /// Reads one field of a record into the row.
    fn read<'a>(field: Self::Field, text: &'a [u8], row: &mut Row<'a>) -> Result<(), Expected>;
}

/// A column of a format.
pub(crate) struct ColumnOf<F> {
    pub(crate) field: F,
    /// How it may be called; the first is its name in messages.
    pub(crate) names: &'static [&'static str],
    pub(crate) need: Need,
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
