//! gzip and zstd, recognised by their first bytes.

use std::io::{self, BufReader, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

/// The window that a zstd frame may ask for, as a power of two: 128 MiB, what `zstd` itself takes without `--long`.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How many bytes are unpacked at a time, so that damage costs little of what came before it.
const PORTION: usize = 32 << 10;

/// The bytes of a source, unpacked where they are gzip (any number of members) or zstd (any number of frames).
///
/// Memory: 64 KiB for gzip; for zstd the window of the frame, at most 128 MiB, beyond which the frame is refused.
pub struct Decompress<R: Read> {
    packing: Packing<R>,
}

enum Packing<R: Read> {
    None(Start<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Start<R>>>>),
    Zstd(ZstdDecoder<'static, BufReader<Start<R>>>),
}

impl<R: Read> Decompress<R> {
    /// Reads the first bytes of a source and decides by them.
    ///
    /// # Errors
    /// Those of the source.
    pub fn new(mut source: R) -> io::Result<Self> {
        let mut first = [0; 4];
        let mut length = 0;
        while length < first.len() {
            match source.read(&mut first[length..]) {
                Ok(0) => break,
                Ok(new) => length += new,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let start = Start { first, at: 0, length, source, taken: 0, failed: false };
        let packing = match first[..length] {
            [0x1f, 0x8b, ..] => Packing::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(start)))),
            // A frame, or a skippable frame, with which parallel packers start.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                let mut decoder = ZstdDecoder::with_buffer(BufReader::new(start))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Packing::Zstd(decoder)
            }
            _ => Packing::None(start),
        };
        Ok(Self { packing })
    }
}

impl<R: Read> Read for Decompress<R> {
    /// # Errors
    /// Those of the source; [`ErrorKind::InvalidData`] where packed bytes are damaged or end too soon.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let portion = buffer.len().min(PORTION);
        let (result, name, start) = match &mut self.packing {
            Packing::None(start) => return start.read(buffer),
            Packing::Gzip(decoder) => (decoder.read(&mut buffer[..portion]), "gzip", decoder.get_ref().get_ref()),
            Packing::Zstd(decoder) => (decoder.read(&mut buffer[..portion]), "zstd", decoder.get_ref().get_ref()),
        };
        result.map_err(|error| {
            if start.failed || error.kind() == ErrorKind::Interrupted {
                return error;
            }
            let what = if error.kind() == ErrorKind::UnexpectedEof { "ends too soon" } else { "cannot be unpacked" };
            let text = format!("the {name} data {what} within the first {} bytes of the file: {error}", start.taken);
            io::Error::new(ErrorKind::InvalidData, text)
        })
    }
}

/// A source whose first bytes have been read already.
struct Start<R> {
    first: [u8; 4],
    at: usize,
    length: usize,
    source: R,
    /// How many bytes have been handed out.
    taken: u64,
    /// Whether the last call failed.
    failed: bool,
}

impl<R: Read> Read for Start<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.failed = false;
        let read = if self.at < self.length {
            (&self.first[self.at..self.length]).read(buffer).inspect(|new| self.at += new)
        } else {
            self.source.read(buffer)
        };
        self.failed = read.is_err();
        self.taken += *read.as_ref().unwrap_or(&0) as u64;
        read
    }
}
