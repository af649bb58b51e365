//! The formats there are, and which of them a file is in.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::batch::excerpt;
use crate::decode::{Decode, HeadError, quoted};
use crate::packetbeat::PacketbeatCsv;
use crate::preprocessed::PreprocessedCsv;
use crate::table::{BOM, Header, TableDecoder};

/// A format flows are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Packetbeat flow records as CSV, as in the AssureMOSS data set.
    PacketbeatCsv,
    /// The AssureMOSS data set with all columns encoded as numbers.
    PreprocessedCsv,
}

/// How many marks of a format (columns of its header) a file shows. The highest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(pub usize);

impl Format {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::PacketbeatCsv, Self::PreprocessedCsv];

    /// The name by which `--format` knows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PacketbeatCsv => "packetbeat-csv",
            Self::PreprocessedCsv => "preprocessed-csv",
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
        }
    }

    /// Whether a file that starts with `head` is in this format, and how sure that is.
    ///
    /// `head` should hold the first line; without a line end all of it counts as the first line.
    #[must_use]
    pub fn sniff(self, head: &[u8]) -> Option<Confidence> {
        let (found, missing) = self.columns(head);
        missing.is_empty().then_some(Confidence(found))
    }

    /// A decoder for a file in this format that starts with `head`, which holds the whole first line.
    ///
    /// Only the columns without which there is no flow (addresses and transport) must be there.
    ///
    /// # Errors
    /// [`HeadError`] when one of them is missing or a column is there twice.
    pub fn decoder(self, head: &[u8]) -> Result<Box<dyn Decode>, HeadError> {
        Ok(match self {
            Self::PacketbeatCsv => Box::new(TableDecoder::<PacketbeatCsv>::new(self, head)?),
            Self::PreprocessedCsv => Box::new(TableDecoder::<PreprocessedCsv>::new(self, head)?),
        })
    }

    /// How many of the format's columns the head shows, and which it should show but does not.
    fn columns(self, head: &[u8]) -> (usize, Vec<&'static str>) {
        match self {
            Self::PacketbeatCsv => Header::<PacketbeatCsv>::read(head).marks(),
            Self::PreprocessedCsv => Header::<PreprocessedCsv>::read(head).marks(),
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
    Err(SniffError { starts: describe_start(head), nearest })
}

/// How a file starts, for people: the kind of file where its first bytes tell, otherwise the first line.
pub(crate) fn describe_start(head: &[u8]) -> String {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", "gzip-compressed data"),
        (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
        (b"BZh", "bzip2-compressed data"),
        (b"\xfd7zXZ\0", "xz-compressed data"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1", "a Parquet file"),
        (b"\xff\xfe", "UTF-16 text"),
        (b"\xfe\xff", "UTF-16 text"),
        (b"\xd4\xc3\xb2\xa1", "a packet capture (pcap)"),
    ];
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
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
