//! Bytes of flow formats to [`FlowBatch`](weir_contract::flow::FlowBatch).
//!
//! A file is recognised by its first bytes ([`sniff`]) or read as the [`Format`] its owner names. [`FlowReader`] streams
//! any [`std::io::Read`] in bounded memory; below it a [`Decode`] turns chunks of whole records into flows and knows no
//! IO, and [`Blocks`] cuts a source so that several threads can decode it. Any format may be packed with gzip or zstd
//! ([`weir_decompress`]). Every record ends up in one of two places: among the flows, or among the [`Rejected`] with its line
//! and the reason. What is no flow (blank lines, comments, summaries, records about
//! other things) is counted.
//!
//! This crate knows no tables, features, models or files other than what it is given to read; it writes nothing.
//!
//! # Tables of text (all formats named `*-csv`, `*-tsv` and `*-binetflow`)
//!
//! One header line, then one record per line. The separator is the one of `,` `;` tab `|` under which the header makes
//! most sense. Lines end with LF or CRLF, the last line may lack its end, a UTF-8 byte order mark is skipped. Fields may
//! be quoted (RFC 4180); a quoted field may span lines as long as the record then has as many fields as the header and
//! no more than 16 KiB, otherwise the line that opens the quote is rejected alone. A line longer than [`LINE_LIMIT`] is
//! rejected without being held in memory. A line that repeats the header is passed over and counted as skipped. Columns
//! come in any order; names are compared without case and surrounding spaces, with `_` for `.` and space. Unknown columns
//! are ignored and listed ([`Decode::ignored_columns`]).
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
//! Names may be preceded by `_source_`, `source_` or `_`.
//!
//! # `preprocessed-csv`
//!
//! As above, but: `flow_id_encoded` -> `flow_id`; addresses are decimal u32 of IPv4, and 9223372036854775807, to which
//! every IPv6 address was saturated, reads as `::`; `network_transport` is 1 (tcp) or 2 (udp); `timestamp` is ms since
//! 1970 UTC.
//!
//! # What the other tables have in common
//!
//! `bytes` and `packets` are the sums of both directions, of which an empty one counts nothing; a sum beyond u64 rejects
//! the record. `event_time` is the end of the flow, when exporters write their record: the end the format tells, otherwise
//! start and duration, otherwise the start. A duration that is not told is what lies between start and end; an end before
//! the start then rejects the record. Times without a zone are taken for UTC, although nfdump, Argus and CICFlowMeter
//! write local time: run them with `TZ=UTC`. Ports are null for ICMP, where tools put type and code in their place. Columns
//! that tell nothing of what is listed here, such as flags, are ignored. `final` is null.
//!
//! | canonical | `nf-v2-csv`, `nf-v3-csv` | `cicflowmeter-csv` | `ctu13-binetflow` | `zeek-tsv` |
//! |---|---|---|---|---|
//! | `flow_id` | null | null | null | `uid` |
//! | start | v3: `FLOW_START_MILLISECONDS`, ms since 1970 | `Timestamp` | `StartTime` | `ts`, s since 1970 |
//! | end | v3: `FLOW_END_MILLISECONDS`, ms since 1970 | | | |
//! | `source_ip` | `IPV4_SRC_ADDR` | `Src IP`, `Source IP` | `SrcAddr` | `id.orig_h` |
//! | `destination_ip` | `IPV4_DST_ADDR` | `Dst IP`, `Destination IP` | `DstAddr` | `id.resp_h` |
//! | `source_port` | `L4_SRC_PORT` | `Src Port`, `Source Port` | `Sport` | `id.orig_p` |
//! | `destination_port` | `L4_DST_PORT` | `Dst Port`, `Destination Port` | `Dport` | `id.resp_p` |
//! | `transport` | `PROTOCOL`, a number | `Protocol`, a number | `Proto`, any name | `proto`, any name |
//! | `bytes` | `IN_BYTES` + `OUT_BYTES`, of IP packets | `TotLen Fwd Pkts` + `TotLen Bwd Pkts`, of payload | `TotBytes`, of frames | `orig_ip_bytes` + `resp_ip_bytes`, of IP packets |
//! | `packets` | `IN_PKTS` + `OUT_PKTS` | `Tot Fwd Pkts` + `Tot Bwd Pkts` | `TotPkts` | `orig_pkts` + `resp_pkts` |
//! | `duration_ns` | `FLOW_DURATION_MILLISECONDS`, ms | `Flow Duration`, µs | `Dur`, s | `duration`, s |
//! | `label`, `attack` | `Label`, `Attack` | `Label` | `Label` | `label`, `detailed-label` |
//!
//! | canonical | `nfdump-csv` | `nfdump-csv-fast` |
//! |---|---|---|
//! | start, end | `ts`, `te` | `firstSeen`, `lastSeen` |
//! | `source_ip`, `destination_ip` | `sa`, `da` | `srcAddr`, `dstAddr` |
//! | `source_port`, `destination_port` | `sp`, `dp` | `srcPort`, `dstPort` |
//! | `transport` | `pr`, any name | `proto`, a number or any name |
//! | `bytes` | `ibyt` + `obyt`, of IP packets | `bytes`, or `inBytes` + `outBytes` |
//! | `packets` | `ipkt` + `opkt` | `packets`, or `inPackets` + `outPackets` |
//! | `duration_ns` | `td`, s | `duration`, s |
//!
//! - `nf-v2-csv`, `nf-v3-csv`: the NF-* data sets of the University of Queensland. Version 2, which version 1 reads as
//!   too, has no time: `event_time` is null.
//! - `cicflowmeter-csv`: both spellings of the header, ` Total Fwd Packets` and `Tot Fwd Pkts`. `Flow ID` is not read: it is
//!   made of addresses, ports and protocol, so that different flows share it. `Timestamp` is `14/02/2018 08:31:01 PM`,
//!   day first, with seconds and half of the day optional, or ISO-8601; what can only be month first is rejected. Files
//!   that leave out the half of the day although they count 12 hours (CIC-IDS2017, CSE-CIC-IDS2018) are read as they are
//!   written, so that their afternoons come out as mornings. A negative duration, which the tool writes for packets out of
//!   order, is null. `NaN` and `Infinity` stand in columns that are not read. `BENIGN` is benign, `No Label`,
//!   `NeedManualLabel` and nothing no label, any other text malicious and the name of the attack.
//! - `ctu13-binetflow`: what Argus' `ra` prints with `-c ,`. `StartTime` is `2011/08/10 09:46:53.047277`, seconds since
//!   1970, or ISO-8601; `Dur` and `Label` may be absent. Ports in hexadecimal (`0x0303`) are null. A label with `Botnet` in
//!   it is malicious, with `Normal` benign, with `Background` none, since nobody knows what is in the background; the attack
//!   is the text after `flow=`. `rtp`, `rtcp` and `udt` are udp.
//! - `zeek-tsv`: `conn.log` from its line `#fields` on, with the separator of its line `#separator`. Other lines with `#` are
//!   passed over and counted as skipped. `-` and `(empty)` are null. The bytes are those of IP packets, as NetFlow counts
//!   them, not `orig_bytes` and `resp_bytes`, which count payload and are guessed where packets are missing. The columns
//!   that IoT-23 put behind three spaces in the last one are columns of their own. `Benign` and `Malicious` in any case,
//!   `Normal`, `Botnet`; `Background` and `Unknown` are no label.
//! - `nfdump-csv`: `nfdump -o csv` up to version 1.7.3; `nfdump-csv-fast`: `-o csv-fast`, and `-o csv` since 1.7.4. Times are
//!   `2018-02-14 20:31:01.123`, ms since 1970, or seconds with a fraction. `No matching flows` and the three lines of the
//!   summary are passed over and counted as skipped.
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
mod cicflowmeter;
mod ctu13;
mod decode;
mod flow_id;
mod format;
mod goflow2;
mod json;
mod nf;
mod nfdump;
mod nfdump_csv;
mod packetbeat;
mod packetbeat_json;
mod parts;
mod preprocessed;
mod reader;
mod suricata;
mod table;
mod text;
mod zeek_json;
mod zeek_tsv;

pub use batch::{Batch, Rejected};
pub use blocks::{Block, Blocks, decode_block};
pub use decode::{Chunk, Decode, Head, HeadError, LINE_LIMIT, Progress};
pub use flow_id::{FlowIds, content};
pub use format::{Confidence, Format, SniffError, UnknownFormat, sniff};
pub use json::read_flow;
pub use reader::{FlowReader, ReadError};

/// The time that an ISO-8601 text such as `2022-02-25T12:19:30.013Z` names, in ms since 1970 UTC, as the readers of
/// this crate take it.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    text::time::iso_8601(text.as_bytes()).ok().flatten()
}
