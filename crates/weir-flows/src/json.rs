//! Flows as JSON objects: what all of these formats have in common.

mod decoder;
mod frame;
mod head;
mod object;
mod record;
mod value;

pub(crate) use decoder::{Framing, JsonDecoder};
pub(crate) use head::{first_record_is_whole, marks};
pub use object::read_flow;

/// One format among those whose records are JSON objects.
pub(crate) trait Json: Send + Sync + 'static {
    /// How records follow each other.
    const FRAMING: Framing;

    /// Paths of which one of each group is in every record, so that the first one tells the format.
    const MARKS: &'static [&'static [&'static str]];

    /// The paths of the addresses of source and destination, as messages call them.
    const ADDRESSES: [&'static str; 2];

    /// The path of the transport, without which there is no flow; nothing where it may be absent.
    const TRANSPORT: Option<&'static str>;

    /// What the member at a path is read into. The path of a member of the object `source` is `source.ip`.
    fn field(path: &str) -> Option<Field>;

    /// Whether members of the object at a path are read.
    fn descends(_path: &str) -> bool {
        false
    }

    /// Whether a record with this [`Field::Kind`] is a flow. Others are passed over.
    fn is_flow(_kind: &str) -> bool {
        true
    }
}

/// What a member of an object is read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// What kind of event the record is.
    Kind,
    /// Text or a whole number.
    FlowId,
    SourceIp,
    DestinationIp,
    SourcePort,
    DestinationPort,
    /// A name or an IP protocol number.
    Transport,
    /// Time of the first packet.
    Start(Clock),
    /// Time of the last packet.
    End(Clock),
    /// Time of the record.
    Time(Clock),
    /// Nanoseconds.
    Duration,
    /// Seconds with a fraction.
    DurationSeconds,
    Bytes(Way),
    Packets(Way),
    Last,
    Label,
    /// A word that may be a label; any other word is none.
    LooseLabel,
    Attack,
}

/// How a time is written. Each may also be text, as in [`Clock::Iso`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// ISO-8601; UTC without a zone.
    Iso,
    /// Seconds since 1970 UTC with a fraction.
    Seconds,
    /// Milliseconds since 1970 UTC.
    Milliseconds,
    /// Nanoseconds since 1970 UTC; 0 is null.
    Nanoseconds,
}

/// Which packets a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Both,
    Forward,
    Backward,
}
