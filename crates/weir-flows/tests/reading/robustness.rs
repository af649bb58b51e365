//! Any bytes, portioned in any way.

use std::io::{self, Read};

use proptest::prelude::*;
use weir_flows::{Batch, Chunk, FlowReader, Format, LINE_LIMIT};

use crate::show::read_all;

const HEADER: &str = "flow_id,flow_final,source_ip,destination_ip,network_bytes,network_transport,timestamp,event_duration,destination_port,source_port";

/// Hands out at most `portion` bytes at a time and is interrupted now and then.
pub(crate) struct Portions<'a> {
    bytes: &'a [u8],
    portion: usize,
    calls: usize,
}

impl<'a> Portions<'a> {
    pub(crate) fn new(bytes: &'a [u8], portion: usize) -> Self {
        Self { bytes, portion, calls: 0 }
    }
}

impl Read for Portions<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls % 7 == 3 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = self.portion.min(buffer.len());
        self.bytes.read(&mut buffer[..length])
    }
}

/// Lines that are good, damaged, quoted, blank or open a quote.
pub(crate) fn lines() -> impl Strategy<Value = Vec<u8>> {
    let good = "x,1,10.0.0.1,10.0.0.2,9,tcp,1970-01-01T00:00:00.001Z,7,2,1";
    let piece = prop_oneof![
        Just(good.as_bytes().to_vec()),
        Just(good.replacen('x', "\"a\n,\"\"b\"", 1).into_bytes()),
        Just(good.replacen('x', "\"open", 1).into_bytes()),
        Just(good.replacen('9', "-9", 1).into_bytes()),
        proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..40),
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    proptest::collection::vec((piece, end), 0..20).prop_map(|lines| {
        let mut file = format!("{HEADER}\n").into_bytes();
        lines.iter().for_each(|(line, end)| file.extend([line, end.as_bytes()].concat()));
        file
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, rows in 1usize..9) {
        let _ = read_all(&*bytes, None, rows);
        for format in Format::ALL {
            let _ = read_all(&*bytes, Some(format), rows);
        }
    }

    #[test]
    fn neither_portions_nor_batches_change_the_reading(file in lines(), portion in 1usize..50, rows in 1usize..9) {
        let whole = read_all(&*file, None, usize::MAX).unwrap();
        let parts = read_all(Portions::new(&file, portion), None, rows).unwrap();
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn no_line_without_quotes_is_lost(file in lines()) {
        let file: Vec<u8> = file.into_iter().filter(|byte| *byte != b'"').collect();
        let batch = read_all(&*file, None, usize::MAX).unwrap();
        let data = &file[HEADER.len() + 1..];
        let ended = data.iter().filter(|byte| **byte == b'\n').count();
        let last = usize::from(!data.is_empty() && !data.ends_with(b"\n"));
        prop_assert_eq!(batch.records() + batch.blank as usize, ended + last);
    }

    #[test]
    fn a_file_cut_at_lines_decodes_to_the_same_flows(file in lines(), cut in 0usize..20) {
        let file: Vec<u8> = file.into_iter().filter(|byte| *byte != b'"').collect();
        let whole = read_all(&*file, None, usize::MAX).unwrap();
        let decoder = Format::PacketbeatCsv.decoder(&file).unwrap();
        let data = &file[decoder.head().bytes..];
        let middle = data.split_inclusive(|byte| *byte == b'\n').take(cut).map(<[u8]>::len).sum();
        let (first, second) = data.split_at(middle);
        let mut batch = Batch::default();
        let head = decoder.head().lines + 1;
        let done = decoder.decode(Chunk { bytes: first, first_line: head, end: second.is_empty() }, usize::MAX, &mut batch);
        prop_assert_eq!(done.bytes, first.len());
        decoder.decode(Chunk { bytes: second, first_line: head + done.lines, end: true }, usize::MAX, &mut batch);
        prop_assert_eq!(whole, batch);
    }
}

#[test]
fn long_lines_in_small_portions() {
    let good = "x,1,10.0.0.1,10.0.0.2,9,tcp,1970-01-01T00:00:00.001Z,7,2,1";
    let long = "\",".repeat(LINE_LIMIT);
    let file = format!("{HEADER}\n{good}\n{long}\n{good}\n{long}");
    let whole = read_all(file.as_bytes(), None, usize::MAX).unwrap();
    assert_eq!((whole.lines.as_slice(), whole.rejected.len()), (&[2, 4][..], 2));
    for portion in [1000, 65_537] {
        assert_eq!(read_all(Portions::new(file.as_bytes(), portion), None, 1).unwrap(), whole);
    }
}

#[test]
fn a_source_that_fails_gives_what_came_before_and_then_the_error() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::Error::other("disk on fire")) } else { self.0.read(buffer) }
        }
    }
    let file = format!("{HEADER}\nx,1,10.0.0.1,10.0.0.2,9,tcp,1970-01-01T00:00:00.001Z,7,2,1\nx,1,10");
    let mut reader = FlowReader::new(Failing(file.as_bytes()), "pipe", None).unwrap();
    assert_eq!(reader.next_batch(100).unwrap().map(|batch| batch.lines), Some(vec![2]));
    assert_eq!(reader.next_batch(100).unwrap_err().to_string(), "pipe: cannot be read at line 3: disk on fire");
    assert!(reader.next_batch(100).unwrap().is_none());
}
