//! Blocks decoded on several threads give what one reader gives.

use std::io::{self, Read};
use std::sync::Mutex;

use proptest::prelude::*;
use weir_flows::{Batch, Block, Blocks, FlowReader, Format, LINE_LIMIT, ReadError, decode_block};

use crate::json::{FIXTURES, fixture};
use crate::robustness::lines;
use crate::show::read_all;

/// Reads a source in blocks on some threads: the protocol of `Blocks` in full.
pub(crate) fn decode_all<R: Read + Send>(blocks: Blocks<R>, threads: usize) -> Result<Batch, ReadError> {
    let decoder = blocks.decoder();
    let blocks = Mutex::new(blocks);
    let decoded = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let work = || -> Result<(), ReadError> {
            loop {
                let Some(block) = blocks.lock().unwrap().next()? else { return Ok(()) };
                let mut batch = Batch::default();
                let progress = decode_block(&*decoder, &block, &mut batch);
                decoded.lock().unwrap().push((block, batch, progress));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap())
    })?;

    let mut decoded = decoded.into_inner().unwrap();
    decoded.sort_unstable_by_key(|(block, _, _)| block.index);
    let mut all = Batch::default();
    let mut left_over = Vec::new();
    for (mut block, mut batch, mut progress) in decoded {
        if !left_over.is_empty() {
            block.join(&left_over);
            batch = Batch::default();
            progress = decode_block(&*decoder, &block, &mut batch);
        }
        left_over = block.bytes.split_off(progress.bytes);
        all.append(&batch);
        blocks.lock().unwrap().recycle(block.bytes);
    }
    assert!(left_over.is_empty(), "the last block leaves nothing over");
    Ok(all)
}

#[track_caller]
fn agree(file: &[u8], format: Option<Format>, block_bytes: usize, threads: usize) {
    let whole = read_all(file, format, usize::MAX).unwrap();
    let blocks = Blocks::new(file, "flows", format, block_bytes).unwrap();
    assert_eq!(blocks.format(), FlowReader::new(file, "flows", format).unwrap().format());
    assert_eq!(decode_all(blocks, threads).unwrap(), whole, "blocks of {block_bytes} bytes on {threads} threads");
}

#[test]
fn every_fixture_in_blocks_of_every_size() {
    for (name, _, _) in FIXTURES {
        let file = fixture(name);
        for block_bytes in (1..40).chain([64, 100, 333, 1000, 4096, 1 << 21]) {
            agree(&file, None, block_bytes, 1 + block_bytes % 3);
        }
    }
}

#[test]
fn a_block_ends_where_a_record_ends() {
    for (name, _, _) in FIXTURES {
        let file = fixture(name);
        let mut blocks = Blocks::new(&*file, name, None, 300).unwrap();
        let (mut count, mut bytes) = (0, Vec::new());
        while let Some(block) = blocks.next().unwrap() {
            let progress = decode_block(&*blocks.decoder(), &block, &mut Batch::default());
            assert_eq!((block.index, progress.bytes), (count, block.bytes.len()), "{name}");
            assert!(block.bytes.len() < 300 + 1000);
            count += 1;
            bytes.extend_from_slice(&block.bytes);
            blocks.recycle(block.bytes);
        }
        assert!(count > 1);
        assert!(bytes == file, "{name}");
    }
}

#[test]
fn over_long_lines_take_a_bounded_block() {
    let file = fixture("zeek-json.json");
    let good = file.split(|byte| *byte == b'\n').next().unwrap();
    let long = "\"{".repeat(2 * LINE_LIMIT);
    for ends in ["", "\n"] {
        let lines = [good, long.as_bytes(), good, long.as_bytes()].join(&b'\n');
        let file = [&lines, ends.as_bytes()].concat();
        for block_bytes in [1000, 300_000, LINE_LIMIT, 3 * LINE_LIMIT, 1 << 24] {
            agree(&file, None, block_bytes, 2);
            let mut blocks = Blocks::new(&*file, "-", None, block_bytes).unwrap();
            while let Some(block) = blocks.next().unwrap() {
                assert!(block.bytes.len() <= LINE_LIMIT + 1 + 2 * block_bytes);
            }
        }
    }
}

#[test]
fn an_array_without_line_ends_is_cut_too() {
    let objects: Vec<_> =
        fixture("nfdump-json.lines.json").trim_ascii().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let array = [b"[".to_vec(), vec![objects.join(&b','); 5000].join(&b','), b"]".to_vec()].concat();
    assert!(array.len() > 2 * LINE_LIMIT);
    agree(&array, None, 100_000, 3);
    let mut blocks = Blocks::new(&*array, "-", None, 100_000).unwrap();
    while let Some(block) = blocks.next().unwrap() {
        assert!(block.bytes.len() < 102_000);
    }
    assert_eq!(read_all(&*array, None, 77).unwrap().flows.len(), 10_000);
}

#[test]
fn objects_that_never_close_take_bounded_blocks() {
    let good = fixture("nfdump-json.json");
    let open = [b"{\n".to_vec(), b"\t\"a\" : \"b\",\n".repeat(2 * LINE_LIMIT / 10)].concat();
    let file = [&good, &*open, &good].concat();
    let batch = read_all(&*file, None, 100).unwrap();
    assert_eq!((batch.flows.len(), batch.rejected.len()), (16, 3));
    for block_bytes in [10_000, LINE_LIMIT, 1 << 23] {
        agree(&file, None, block_bytes, 2);
    }
}

#[test]
fn what_was_read_before_a_failure_is_given_first() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::Error::other("disk on fire")) } else { self.0.read(buffer) }
        }
    }
    let file = fixture("zeek-json.json");
    let cut = &file[..file.len() - 10];
    for block_bytes in [10, 100, 1 << 20] {
        let mut blocks = Blocks::new(Failing(cut), "pipe", None, block_bytes).unwrap();
        let mut bytes = Vec::new();
        let error = loop {
            match blocks.next() {
                Ok(block) => {
                    let Block { bytes: more, end, .. } = block.expect("the failure comes before the end");
                    assert!(!end);
                    bytes.extend_from_slice(&more);
                }
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), "pipe: cannot be read at line 5: disk on fire");
        assert!(blocks.next().unwrap().is_none());
        assert!(bytes == file[..bytes.len()] && bytes.iter().filter(|byte| **byte == b'\n').count() == 4);
    }
}

#[test]
fn heads_are_refused_as_by_the_reader() {
    for file in [&b""[..], b"hello\n", b"\n\n", b"BZh91AY"] {
        let reader = FlowReader::new(file, "f", None).map(|_| ()).unwrap_err();
        let blocks = Blocks::new(file, "f", None, 10).map(|_| ()).unwrap_err();
        assert_eq!(reader.to_string(), blocks.to_string());
    }
}

proptest! {
    #[test]
    fn tables_with_quotes_and_damage(file in lines(), block_bytes in 1usize..200, threads in 1usize..4) {
        agree(&file, None, block_bytes, threads);
    }
}
