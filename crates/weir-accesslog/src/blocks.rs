//! A source in blocks of whole lines.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr, memrchr};

use crate::parse::LINE_LIMIT;

/// Length of a block, bytes. A fixed number: what is counted may depend on it where there are too many clients.
const BLOCK: usize = 256 << 10;

/// Cuts a source at line ends. Memory is that of the blocks: a line beyond [`LINE_LIMIT`] is cut.
pub(crate) struct Blocks<R> {
    source: R,
    /// What has been read behind the last cut.
    rest: Vec<u8>,
    /// Whether what comes up to the next line end belongs to a line that is too long.
    skips: bool,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, rest: Vec::new(), skips: false, ended: false }
    }

    /// Up to so many blocks, fewer where the source ends; none behind its end.
    pub(crate) fn next(&mut self, count: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut blocks = Vec::new();
        while blocks.len() < count
            && let Some(block) = self.block()?
        {
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// The next block; its last line has a line end unless the source ends without.
    fn block(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut block = Vec::with_capacity(BLOCK + LINE_LIMIT + 2);
        block.append(&mut self.rest);
        while !self.ended {
            self.fill(&mut block)?;
            match memrchr(b'\n', &block) {
                Some(end) => {
                    self.rest.extend_from_slice(&block[end + 1..]);
                    block.truncate(end + 1);
                    self.shorten_rest();
                    return Ok(Some(block));
                }
                None => {
                    std::mem::swap(&mut self.rest, &mut block);
                    self.shorten_rest();
                    std::mem::swap(&mut self.rest, &mut block);
                }
            }
        }
        Ok((!block.is_empty()).then_some(block))
    }

    /// Of a line that is too long, keeps just enough that this shows.
    fn shorten_rest(&mut self) {
        if self.rest.len() > LINE_LIMIT {
            self.rest.truncate(LINE_LIMIT + 1);
            self.skips = true;
        }
    }

    /// Reads until the block is full, or the source ends.
    fn fill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let mut length = block.len();
        block.resize(length + BLOCK, 0);
        let full = block.len();
        while length < full && !self.ended {
            match self.source.read(&mut block[length..]) {
                Ok(0) => self.ended = true,
                Ok(new) => length += self.skip(block, length, new),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        block.truncate(length);
        Ok(())
    }

    /// Leaves out the end of a line that is too long; how many of the new bytes stay.
    fn skip(&mut self, block: &mut [u8], length: usize, new: usize) -> usize {
        if !self.skips {
            return new;
        }
        match memchr(b'\n', &block[length..length + new]) {
            Some(end) => {
                block.copy_within(length + end..length + new, length);
                self.skips = false;
                new - end
            }
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        let blocks = Blocks::new(text).next(usize::MAX).unwrap();
        blocks.concat().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn blocks_joined_are_the_source() {
        let text: Vec<u8> = (0..200_000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        let blocks = Blocks::new(&text[..]).next(usize::MAX).unwrap();
        assert!(blocks.len() > 5);
        assert!(blocks.iter().all(|block| block.ends_with(b"\n") && block.len() <= BLOCK + LINE_LIMIT));
        assert!(blocks.concat() == text);
    }

    #[test]
    fn a_line_of_any_length_takes_no_more_than_shows_it_and_leaves_its_neighbours_alone() {
        for length in [LINE_LIMIT, LINE_LIMIT + 1, BLOCK, 3 * BLOCK + 7, 20 * BLOCK] {
            let mut text = b"before\n".to_vec();
            text.resize(7 + length, b'x');
            text.extend_from_slice(b"\nbehind");
            let lines = lines(&text);
            assert_eq!(lines.len(), 3, "{length}");
            assert_eq!((&lines[0][..], &lines[2][..]), (&b"before"[..], &b"behind"[..]));
            assert!(lines[1].len() >= length.min(LINE_LIMIT + 1) && lines[1].len() <= length, "{length}");
        }
    }

    #[test]
    fn a_source_without_bytes_has_no_blocks() {
        assert_eq!(Blocks::new(&b""[..]).next(5).unwrap(), Vec::<Vec<u8>>::new());
    }
}
