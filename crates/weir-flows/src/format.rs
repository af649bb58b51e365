//! The formats there are, and which of them a file is in.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::batch::excerpt;
use crate::cicflowmeter::CicFlowMeterCsv;
use crate::ctu13::Ctu13Binetflow;
use crate::decode::{Decode, HeadError, quoted};
use crate::goflow2::Goflow2Json;
use crate::json::{self, JsonDecoder};
use crate::nf::{NfV2Csv, NfV3Csv};
use crate::nfdump::NfdumpJson;
use crate::nfdump_csv::{NfdumpCsv, NfdumpCsvFast};
use crate::packetbeat::PacketbeatCsv;
use crate::packetbeat_json::PacketbeatJson;
use crate::preprocessed::PreprocessedCsv;
use crate::suricata::SuricataEve;
use crate::table::{BOM, Header, TableDecoder};
use crate::zeek_json::ZeekJson;
use crate::zeek_tsv::ZeekTsv;

/// A format flows are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Packetbeat flow records as CSV, as in the AssureMOSS data set.
    PacketbeatCsv,
    /// The AssureMOSS data set with all columns encoded as numbers.
    PreprocessedCsv,
    /// nProbe records of the NF-*-v2 data sets, without times.
    NfV2Csv,
    /// nProbe records of the NF-*-v3 data sets, with times.
    NfV3Csv,
    /// CICFlowMeter's flows, as in CIC-IDS2017, CSE-CIC-IDS2018 and CIC-DDoS2019.
    CicFlowMeterCsv,
    /// Argus flows as `ra` prints them, as in CTU-13.
    Ctu13Binetflow,
    /// What `nfdump -o csv` printed before 1.7.4.
    NfdumpCsv,
    /// What `nfdump -o csv-fast` prints, and `nfdump -o csv` since 1.7.4.
    NfdumpCsvFast,
    /// Zeek's conn.log, as in IoT-23.
    ZeekTsv,
    /// Packetbeat flow events in the Elastic Common Schema as JSON lines.
    PacketbeatJson,
    /// Zeek's connection log as JSON lines.
    ZeekJson,
    /// Flow events of Suricata's EVE log.
    SuricataEve,
    /// What goflow2 makes of NetFlow, IPFIX and sFlow, as JSON lines.
    Goflow2Json,
    /// What `nfdump -o json` prints.
    NfdumpJson,
}

/// How many marks of a format (columns of its header) a file shows. The highest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(pub usize);

impl Format {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::PacketbeatCsv,
        Self::PreprocessedCsv,
        Self::NfV2Csv,
        Self::NfV3Csv,
        Self::CicFlowMeterCsv,
        Self::Ctu13Binetflow,
        Self::NfdumpCsv,
        Self::NfdumpCsvFast,
        Self::ZeekTsv,
        Self::PacketbeatJson,
        Self::ZeekJson,
        Self::SuricataEve,
        Self::Goflow2Json,
        Self::NfdumpJson,
    ];

    /// The name by which `--format` knows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PacketbeatCsv => "packetbeat-csv",
            Self::PreprocessedCsv => "preprocessed-csv",
            Self::NfV2Csv => "nf-v2-csv",
            Self::NfV3Csv => "nf-v3-csv",
            Self::CicFlowMeterCsv => "cicflowmeter-csv",
            Self::Ctu13Binetflow => "ctu13-binetflow",
            Self::NfdumpCsv => "nfdump-csv",
            Self::NfdumpCsvFast => "nfdump-csv-fast",
            Self::ZeekTsv => "zeek-tsv",
            Self::PacketbeatJson => "packetbeat-json",
            Self::ZeekJson => "zeek-json",
            Self::SuricataEve => "suricata-eve",
            Self::Goflow2Json => "goflow2-json",
            Self::NfdumpJson => "nfdump-json",
        }
    }

    /// What a file of this format looks like, in a few words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::PacketbeatCsv => {
                "a CSV header such as _source_flow_id,_source_source_ip,...,label, separated by , or ;"
            }
            Self::PreprocessedCsv => {
                "a CSV header such as source_flow_id_encoded,source_flow_final,source_source_ip,..."
            }
            Self::NfV2Csv => "a CSV header such as IPV4_SRC_ADDR,L4_SRC_PORT,...,Label,Attack",
            Self::NfV3Csv => "a CSV header such as FLOW_START_MILLISECONDS,FLOW_END_MILLISECONDS,IPV4_SRC_ADDR,...",
            Self::CicFlowMeterCsv => "a CSV header such as Flow ID,Src IP,Src Port,... or Flow ID, Source IP,...",
            Self::Ctu13Binetflow => "a CSV header such as StartTime,Dur,Proto,SrcAddr,Sport,...",
            Self::NfdumpCsv => "a CSV header such as ts,te,td,sa,da,sp,dp,pr,...",
            Self::NfdumpCsvFast => "a CSV header such as cnt,af,firstSeen,lastSeen,proto,srcAddr,...",
            Self::ZeekTsv => "lines #separator, #fields, #types, then fields between tabs",
            Self::PacketbeatJson => "JSON lines such as {\"@timestamp\":...,\"source\":{\"ip\":...},\"flow\":{...}}",
            Self::ZeekJson => "JSON lines such as {\"ts\":...,\"uid\":...,\"id.orig_h\":...,\"proto\":...}",
            Self::SuricataEve => "JSON lines such as {\"timestamp\":...,\"event_type\":\"flow\",\"src_ip\":...}",
            Self::Goflow2Json => "JSON lines such as {\"type\":...,\"time_received_ns\":...,\"src_addr\":...}",
            Self::NfdumpJson => "JSON objects such as {\"type\":\"FLOW\",\"first\":...,\"src4_addr\":...}",
        }
    }

    /// Whether a file that starts with `head` is in this format, and how sure that is.
    ///
    /// `head` should hold the first line, or the first object where that spans lines; without an end all of it counts.
    #[must_use]
    pub fn sniff(self, head: &[u8]) -> Option<Confidence> {
        let (found, missing) = self.columns(head);
        missing.is_empty().then_some(Confidence(found))
    }

    /// A decoder for a file in this format that starts with `head`, which holds the whole first line, for
    /// [`Format::ZeekTsv`] all lines with `#` before the first record.
    ///
    /// Only the columns without which there is no flow (addresses and transport) must be there.
    ///
    /// # Errors
    /// [`HeadError`] when one of them is missing or a column is there twice, or when there is no JSON object in a format
    /// of objects.
    pub fn decoder(self, head: &[u8]) -> Result<Box<dyn Decode>, HeadError> {
        Ok(match self {
            Self::PacketbeatCsv => Box::new(TableDecoder::<PacketbeatCsv>::new(self, head)?),
            Self::PreprocessedCsv => Box::new(TableDecoder::<PreprocessedCsv>::new(self, head)?),
            Self::NfV2Csv => Box::new(TableDecoder::<NfV2Csv>::new(self, head)?),
            Self::NfV3Csv => Box::new(TableDecoder::<NfV3Csv>::new(self, head)?),
            Self::CicFlowMeterCsv => Box::new(TableDecoder::<CicFlowMeterCsv>::new(self, head)?),
            Self::Ctu13Binetflow => Box::new(TableDecoder::<Ctu13Binetflow>::new(self, head)?),
            Self::NfdumpCsv => Box::new(TableDecoder::<NfdumpCsv>::new(self, head)?),
            Self::NfdumpCsvFast => Box::new(TableDecoder::<NfdumpCsvFast>::new(self, head)?),
            Self::ZeekTsv => Box::new(TableDecoder::<ZeekTsv>::new(self, head)?),
            Self::PacketbeatJson => Box::new(JsonDecoder::<PacketbeatJson>::new(self, head)?),
            Self::ZeekJson => Box::new(JsonDecoder::<ZeekJson>::new(self, head)?),
            Self::SuricataEve => Box::new(JsonDecoder::<SuricataEve>::new(self, head)?),
            Self::Goflow2Json => Box::new(JsonDecoder::<Goflow2Json>::new(self, head)?),
            Self::NfdumpJson => Box::new(JsonDecoder::<NfdumpJson>::new(self, head)?),
        })
    }

    /// How many of the format's columns the head shows, and which it should show but does not.
    fn columns(self, head: &[u8]) -> (usize, Vec<&'static str>) {
        match self {
            Self::PacketbeatCsv => Header::<PacketbeatCsv>::read(head).marks(),
            Self::PreprocessedCsv => Header::<PreprocessedCsv>::read(head).marks(),
            Self::NfV2Csv => Header::<NfV2Csv>::read(head).marks(),
            Self::NfV3Csv => Header::<NfV3Csv>::read(head).marks(),
            Self::CicFlowMeterCsv => Header::<CicFlowMeterCsv>::read(head).marks(),
            Self::Ctu13Binetflow => Header::<Ctu13Binetflow>::read(head).marks(),
            Self::NfdumpCsv => Header::<NfdumpCsv>::read(head).marks(),
            Self::NfdumpCsvFast => Header::<NfdumpCsvFast>::read(head).marks(),
            Self::ZeekTsv => Header::<ZeekTsv>::read(head).marks(),
            Self::PacketbeatJson => json::marks::<PacketbeatJson>(head),
            Self::ZeekJson => json::marks::<ZeekJson>(head),
            Self::SuricataEve => json::marks::<SuricataEve>(head),
            Self::Goflow2Json => json::marks::<Goflow2Json>(head),
            Self::NfdumpJson => json::marks::<NfdumpJson>(head),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no flow format is called {name:?}; known are {}", names())]
pub struct UnknownFormat {
    /// The name.
    pub name: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|known| known.name() == text).ok_or_else(|| UnknownFormat { name: text.to_owned() })
    }
}

/// A file that is in none of the formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SniffError {
    /// How the file starts, in words.
    pub starts: String,
    /// The format that shares most columns with the file and the columns that keep it from being that format.
    pub nearest: Option<(Format, Vec<&'static str>)>,
    /// Whether it is packed in a way that is not unpacked here.
    pub packed: bool,
}

impl std::error::Error for SniffError {}

impl fmt::Display for SniffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in no known flow format: it starts with {}", self.starts)?;
        if let Some((format, missing)) = &self.nearest {
            write!(f, "; nearest is {format}, which also has {}", quoted(missing))?;
        }
        write!(f, "; expected ")?;
        for (index, format) in Format::ALL.into_iter().enumerate() {
            let or = if index == 0 { "" } else { ", or " };
            write!(f, "{or}{format} ({})", format.describe())?;
        }
        write!(f, "; where such columns are missing on purpose, name the format with --format")
    }
}

/// What packed files start with that have to be unpacked by hand.
const PACKED: [(&[u8], &str); 3] =
    [(b"BZh", "bzip2-compressed data"), (b"\xfd7zXZ\0", "xz-compressed data"), (b"PK\x03\x04", "a zip archive")];

/// The format of a file that starts with `head`, which should hold the first line.
///
/// # Errors
/// [`SniffError`] says how the file starts and what was expected.
pub fn sniff(head: &[u8]) -> Result<Format, SniffError> {
    let surest = Format::ALL
        .into_iter()
        .filter_map(|format| Some((format.sniff(head)?, format)))
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    if let Some((_, format)) = surest {
        return Ok(format);
    }
    let nearest = Format::ALL
        .into_iter()
        .map(|format| (format, format.columns(head)))
        .filter(|(_, (found, _))| *found > 0)
        .reduce(|best, next| if next.1.0 > best.1.0 { next } else { best })
        .map(|(format, (_, missing))| (format, missing));
    let packed = PACKED.iter().any(|(magic, _)| head.starts_with(magic));
    Err(SniffError { starts: describe_start(head), nearest, packed })
}

/// How a file starts, for people: the kind of file where its first bytes tell, otherwise the first line.
pub(crate) fn describe_start(head: &[u8]) -> String {
    const MAGIC: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "gzip-compressed data"),
        (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
        (b"PAR1", "a Parquet file"),
        (b"\xff\xfe", "UTF-16 text"),
        (b"\xfe\xff", "UTF-16 text"),
        (b"\xd4\xc3\xb2\xa1", "a packet capture (pcap)"),
    ];
    if let Some((_, kind)) = PACKED.iter().chain(&MAGIC).find(|(magic, _)| head.starts_with(magic)) {
        return (*kind).to_owned();
    }
    let text = head.strip_prefix(BOM).unwrap_or(head);
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return "an empty line".to_owned();
    }
    let shown = excerpt(line, 160);
    let cut = if shown.chars().count() == 160 { "..." } else { "" };
    if shown.contains('\0') {
        return format!("binary data {:02x?}", &line[..line.len().min(16)]);
    }
    format!("the line {shown:?}{cut}")
}

fn names() -> String {
    Format::ALL.map(Format::name).join(", ")
}
