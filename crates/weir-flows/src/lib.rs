//! Bytes of flow formats to [`FlowBatch`](weir_contract::flow::FlowBatch).
//!
//! A file is recognised by its first bytes ([`sniff`]) or read as the [`Format`] its owner names. [`FlowReader`] streams
//! any [`std::io::Read`] in bounded memory; below it a [`Decode`] turns chunks of whole lines into flows and knows no IO,
//! so that a file can also be cut by byte range. Every record ends up in one of two places: among the flows, or among
//! the [`Rejected`] with its line and the reason. Blank lines are no records; they are counted.
//!
//! This crate knows no tables, features, models or files other than what it is given to read; it writes nothing.
//!
//! # Tables of text (all `*-csv` formats)
//!
//! One header line, then one record per line. The separator is the one of `,` `;` tab `|` under which the header makes
//! most sense. Lines end with LF or CRLF, the last line may lack its end, a UTF-8 byte order mark is skipped. Fields may
//! be quoted (RFC 4180); a quoted field may span lines as long as the record then has as many fields as the header and
//! no more than 16 KiB, otherwise the line that opens the quote is rejected alone. A line longer than [`LINE_LIMIT`] is
//! rejected without being held in memory. Columns come in any order; names are compared without case, with `.` for `_`,
//! and may be preceded by `_source_`, `source_` or `_`. Unknown columns are ignored and listed
//! ([`Decode::ignored_columns`]).
//!
//! Whole numbers are read exactly, also when written as `950151.0` or `9.50151e5`; fractions, negative numbers and
//! numbers beyond the column's type reject the record. An empty field is null.
//!
//! # `packetbeat-csv`
//!
//! | canonical | column | reading |
//! |---|---|---|
//! | `flow_id` | `flow_id` | text as it is |
//! | `event_time` | `@timestamp`, `timestamp` | ISO-8601 -> ms since 1970 UTC; finer digits are cut off; without a zone: UTC |
//! | `source_ip`, `destination_ip` | same | IPv4 or IPv6, never empty |
//! | `source_port`, `destination_port` | same | 0 to 65535 |
//! | `transport` | `network_transport` | name or IP protocol number; empty (IP in IP) and other IANA names -> `other` |
//! | `bytes` | `network_bytes` | bytes, both directions |
//! | `packets` | `network_packets` | packets, both directions; the column may be absent |
//! | `duration_ns` | `event_duration` | ns |
//! | `final` | `flow_final` | `True`/`False` in any case, `1`/`0` |
//! | `label` | `label` | `benign`/`malicious` in any case, `0`/`1`; the column may be absent |
//! | `attack` | `attack` | text, null for a flow labelled benign or the word `benign`; the column may be absent |
//!
//! # `preprocessed-csv`
//!
//! As above, but: `flow_id_encoded` -> `flow_id`; addresses are decimal u32 of IPv4, and 9223372036854775807, to which
//! every IPv6 address was saturated, reads as `::`; `network_transport` is 1 (tcp) or 2 (udp); `timestamp` is ms since
//! 1970 UTC.

mod batch;
mod blocks;
mod decode;
mod decompress;
mod flow_id;
mod format;
mod goflow2;
mod json;
mod nfdump;
mod packetbeat;
mod packetbeat_json;
mod preprocessed;
mod reader;
mod suricata;
mod table;
mod text;
mod zeek_json;

pub use batch::{Batch, Rejected};
pub use blocks::{Block, Blocks, decode_block};
pub use decode::{Chunk, Decode, Head, HeadError, LINE_LIMIT, Progress};
pub use decompress::Decompress;
pub use flow_id::{FlowIds, content};
pub use format::{Confidence, Format, SniffError, UnknownFormat, sniff};
pub use reader::{FlowReader, ReadError};

/// The time that an ISO-8601 text such as `2022-02-25T12:19:30.013Z` names, in ms since 1970 UTC, as the readers of
/// this crate take it.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    text::time::iso_8601(text.as_bytes()).ok().flatten()
}
