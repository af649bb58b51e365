//! Sources that pause.

use std::io::{self, Read};

use weir_flows::{FlowReader, Format};

/// Gives one portion after the other and panics where it is read although the last one has not been used up.
struct Portions<'a> {
    portions: std::slice::Iter<'a, &'a str>,
    asked: &'a std::cell::Cell<usize>,
}

impl Read for Portions<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.asked.set(self.asked.get() + 1);
        let Some(portion) = self.portions.next() else { return Ok(0) };
        buffer[..portion.len()].copy_from_slice(portion.as_bytes());
        Ok(portion.len())
    }
}

#[test]
fn what_is_there_is_given_before_the_source_is_read_again() {
    const HEADER: &str = "source_ip,destination_ip,network_transport,network_bytes\n";
    let portions = [
        "sour",
        &HEADER[4..],
        "10.0.0.1,10.0.0.2,tcp,1\n10.0.0.1,10.0.0.2,tcp,2\n10.0",
        ".0.1,10.0.0.2,tcp,3\n",
        "\n",
        "x\n",
    ];
    let asked = std::cell::Cell::new(0);
    let source = Portions { portions: portions.iter(), asked: &asked };
    let mut reader = FlowReader::new(source, "pipe", Some(Format::PacketbeatCsv)).unwrap();
    assert_eq!(asked.get(), 2, "the header is enough to begin with");
    let mut seen = Vec::new();
    while let Some(batch) = reader.next_available(100).unwrap() {
        seen.push((asked.get(), batch.lines, batch.rejected.len(), batch.blank));
    }
    assert_eq!(seen, [(3, vec![2, 3], 0, 0), (4, vec![4], 0, 0), (5, vec![], 0, 1), (6, vec![], 1, 0)]);
}

#[test]
fn a_batch_still_has_no_more_rows_than_wanted() {
    let text = "source_ip,destination_ip,network_transport\n".to_owned() + &"10.0.0.1,10.0.0.2,tcp\n".repeat(7);
    let mut reader = FlowReader::new(text.as_bytes(), "pipe", Some(Format::PacketbeatCsv)).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = reader.next_available(3).unwrap() {
        rows.push(batch.lines.len());
    }
    assert_eq!(rows, [3, 3, 1]);
}
