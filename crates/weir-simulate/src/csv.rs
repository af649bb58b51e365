//! A record as a line of Packetbeat's CSV export.

use std::io::{self, Write};
use std::net::IpAddr;

use weir_contract::{Label, Transport};

use crate::line_text::{civil, push_number};
use crate::open_flows::Record;

/// The columns, in order.
const HEADER: &str = "_source_flow_id,_source_flow_final,_source_source_ip,_source_destination_ip,\
_source_network_bytes,_source_network_transport,_source_@timestamp,_source_event_duration,\
_source_destination_port,_source_source_port,_source_network_packets,label,attack\n";

/// Lines are handed on in pieces of about this many bytes.
const PIECE: usize = 1 << 16;

/// Writes records; [`CsvWriter::finish`] hands on what is left.
pub(crate) struct CsvWriter<'a, W: Write> {
    out: &'a mut W,
    buffer: Vec<u8>,
    /// Milliseconds since 1970 of time 0 of the records.
    start: i64,
    /// The last time written and its text: all records of one report share it.
    time: (u64, [u8; 24]),
}

impl<'a, W: Write> CsvWriter<'a, W> {
    /// Writes the header.
    pub(crate) fn new(out: &'a mut W, start: i64) -> io::Result<Self> {
        out.write_all(HEADER.as_bytes())?;
        Ok(Self { out, buffer: Vec::with_capacity(PIECE + 512), start, time: (0, timestamp(start)) })
    }

    pub(crate) fn write(&mut self, record: &Record) -> io::Result<()> {
        let time_ms = record.time_ns / 1_000_000;
        if self.time.0 != time_ms {
            self.time = (time_ms, timestamp(self.start + time_ms as i64));
        }
        let flow = &record.flow;
        let line = &mut self.buffer;
        push_flow_id(line, record);
        line.extend_from_slice(if record.last { b",True," } else { b",False," });
        push_address(line, flow.source)?;
        line.push(b',');
        push_address(line, flow.destination)?;
        line.push(b',');
        push_number(line, record.bytes);
        line.push(b',');
        line.extend_from_slice(match flow.transport {
            Transport::Icmp6 => b"ipv6-icmp",
            Transport::Other => b"",
            known => known.name().as_bytes(),
        });
        line.push(b',');
        line.extend_from_slice(&self.time.1);
        line.push(b',');
        push_number(line, record.duration_ns);
        line.push(b',');
        push_port(line, flow.destination_port);
        line.push(b',');
        push_port(line, flow.source_port);
        line.push(b',');
        push_number(line, record.packets);
        line.push(b',');
        let label = if flow.attack.is_some() { Label::Malicious } else { Label::Benign };
        line.extend_from_slice(label.name().as_bytes());
        line.push(b',');
        line.extend_from_slice(flow.attack.map_or("", |attack| attack.name()).as_bytes());
        line.push(b'\n');
        if line.len() >= PIECE {
            self.out.write_all(line)?;
            line.clear();
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.out.flush()
    }
}

/// Packetbeat's ids are base64 over the flow's addresses and ports; ours add the flow's number (48 bits),
/// so that a pair of ports used again is another flow.
fn push_flow_id(line: &mut Vec<u8>, record: &Record) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let flow = &record.flow;
    let mut id = [0; 21];
    id[..3].copy_from_slice(&[0x10, if flow.source.is_ipv4() { 0x04 } else { 0x20 }, 0xff]);
    id[3..7].copy_from_slice(&low_bytes(flow.source));
    id[7..11].copy_from_slice(&low_bytes(flow.destination));
    id[11..13].copy_from_slice(&flow.destination_port.unwrap_or(0).to_le_bytes());
    id[13..15].copy_from_slice(&flow.source_port.unwrap_or(0).to_le_bytes());
    id[15..].copy_from_slice(&record.number.to_be_bytes()[2..]);
    for three in id.chunks_exact(3) {
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        line.extend([18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift & 63) as usize]));
    }
}

fn low_bytes(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(v4) => v4.octets(),
        IpAddr::V6(v6) => {
            let octets = v6.octets();
            [octets[7], octets[13], octets[14], octets[15]]
        }
    }
}

fn push_address(line: &mut Vec<u8>, address: IpAddr) -> io::Result<()> {
    match address {
        IpAddr::V4(v4) => {
            let [first, rest @ ..] = v4.octets();
            push_number(line, u64::from(first));
            for octet in rest {
                line.push(b'.');
                push_number(line, u64::from(octet));
            }
            Ok(())
        }
        IpAddr::V6(v6) => write!(line, "{v6}"),
    }
}

/// Ports are floats in the export, and empty where a transport has none.
fn push_port(line: &mut Vec<u8>, port: Option<u16>) {
    if let Some(port) = port {
        push_number(line, u64::from(port));
        line.extend_from_slice(b".0");
    }
}

/// `2026-03-02T08:00:00.000Z` for milliseconds since 1970 UTC, not negative, before the year 10000.
fn timestamp(ms: i64) -> [u8; 24] {
    let (days, ms_of_day) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut put = |at: usize, digits: usize, mut value: i64| {
        for place in (at..at + digits).rev() {
            text[place] = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, ms_of_day / 3_600_000);
    put(14, 2, ms_of_day / 60_000 % 60);
    put(17, 2, ms_of_day / 1_000 % 60);
    put(20, 3, ms_of_day % 1_000);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_iso_8601_in_milliseconds() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_827_696_789, "2000-02-29T12:34:56.789Z"),
            (1_772_438_400_000, "2026-03-02T08:00:00.000Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(std::str::from_utf8(&timestamp(ms)), Ok(text));
        }
    }
}
