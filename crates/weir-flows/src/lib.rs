//! Bytes of flow formats to [`FlowBatch`](weir_contract::flow::FlowBatch).
//!
//! A file is recognised by its first bytes ([`sniff`]) or read as the [`Format`] its owner names. [`FlowReader`] streams
//! any [`std::io::Read`] in bounded memory; below it a [`Decode`] turns chunks of whole records into flows and knows no
//! IO, and [`Blocks`] cuts a source so that several threads can decode it. Any format may be packed with gzip or zstd
//! ([`Decompress`]). Every record ends up in one of two places: among the flows, or among the [`Rejected`] with its line
//! and the reason. Records of a log that are about other things than flows, and blank lines, are counted.
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
//!
//! # JSON (`*-json`, `suricata-eve`)
//!
//! One object per line; blank lines are counted. Only for `nfdump-json` objects may span lines (at most 1 MiB) and stand in
//! an array; a line that starts with `{` starts an object. Unknown members are ignored; of two members with one name the
//! last counts; null is as good as absent. A member of a wrong type or with a value that cannot be rejects the record, and
//! the reason names its path.
//!
//! For all of these formats: `bytes` and `packets` count both directions where the format has both; a direction that is
//! absent counts nothing; without either they are null. `event_time` is ms since 1970 UTC, finer digits cut off; the
//! first that is there of: end of the flow, start and duration, time of the record, start. `duration_ns` is end less start
//! where the format has no duration; an end before the start rejects the record. Addresses have to be there, the
//! transport too except for `packetbeat-json`; it is a name or an IP protocol number, and `icmp` between IPv6 addresses is
//! `icmp6`. ICMP has no ports: what some exporters write as such are types and codes. Text times are ISO-8601, without a
//! zone UTC. `final` and ids are null where the table names none. `label` (`benign`/`malicious` in any case, 0/1,
//! true/false) and `attack` (text; `-` and `(empty)` are null) are read from the top level.
//!
//! | canonical | `packetbeat-json` | `zeek-json` | `suricata-eve` |
//! |---|---|---|---|
//! | `flow_id` | `flow.id` | `uid` | `flow_id`, a number |
//! | `event_time` | `@timestamp` | `ts` + `duration`: epoch seconds or ISO-8601 | `flow.end`, else `timestamp` |
//! | `source_ip`, `source_port` | `source.ip`, `source.port` | `id.orig_h`, `id.orig_p` | `src_ip`, `src_port` |
//! | `destination_ip`, `destination_port` | `destination.ip`, `.port` | `id.resp_h`, `id.resp_p` | `dest_ip`, `dest_port` |
//! | `transport` | `network.transport`, absent: `other` | `proto` | `proto` |
//! | `bytes` | `network.bytes`, else `source.bytes` + `destination.bytes` | `orig_ip_bytes` + `resp_ip_bytes`, of IP packets | `flow.bytes_toserver` + `flow.bytes_toclient` |
//! | `packets` | `network.packets`, else as bytes | `orig_pkts` + `resp_pkts` | `flow.pkts_toserver` + `flow.pkts_toclient` |
//! | `duration_ns` | `event.duration`, ns | `duration`, s, to the nearest ns | `flow.end` - `flow.start` |
//! | `final` | `flow.final` | | |
//! | `attack` | `attack` | `attack`, `detailed-label` | `attack` |
//! | passed over unless | `event.dataset` is `flow`, `network_traffic.flow` or absent | `_path` is `conn` or absent | `event_type` is `flow` or absent |
//!
//! `packetbeat-json` may also stand in `_source`, as Elasticsearch exports it, and its names may be flat (`"source.ip"`);
//! so may those of `zeek-json`, which writes them flat itself.
//!
//! | canonical | `goflow2-json` | `nfdump-json` |
//! |---|---|---|
//! | `event_time` | `time_flow_end_ns`, else `time_received_ns`, else `time_flow_start_ns`: epoch ns or ISO-8601; 0 is absent | `last`, else `received`, else `first` |
//! | `source_ip`, `source_port` | `src_addr`, `src_port` | `src4_addr` or `src6_addr`, `src_port` |
//! | `destination_ip`, `destination_port` | `dst_addr`, `dst_port` | `dst4_addr` or `dst6_addr`, `dst_port` |
//! | `transport` | `proto` | `proto` |
//! | `bytes`, `packets` | `bytes`, `packets` (of one direction) | `in_bytes` + `out_bytes`, `in_packets` + `out_packets` |
//! | `duration_ns` | end - start | `last` - `first` |
//! | `label` | `label` | `label` where it is one; other words (`<none>`) are null |
//! | passed over unless | | `type` is `FLOW` or absent |
//!
//! The counters of `goflow2-json` are not multiplied with `sampling_rate`: some exporters have scaled them already, and an
//! estimate should not pass for a count. nfdump prints local time without a zone; run it with `TZ=UTC`. What it prints without
//! flows (`No matching flows`) is counted as passed over. The names `t_first`, `t_last` and `t_received` of older versions
//! are read too.

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
