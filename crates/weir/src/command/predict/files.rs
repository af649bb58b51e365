//! Files in pieces, on all threads.
//!
//! Pieces are read, decoded, predicted and written in rounds of a few; while one round is predicted, the next is read.
//! Memory is that of two rounds, and the lines come in the order of the records for any number of threads.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use weir_features::is_parquet;
use weir_flows::{Batch, Block, Blocks, Decode, FlowIds, Format, decode_block};
use weir_stage::Failure;
use weir_tables::FlowTableReader;

use super::Job;
use super::rows::{Lines, Rows};

/// Bytes of a piece of text.
const BLOCK: usize = 512 << 10;
/// Rows of a piece of a table, and how many are read at once.
const ROWS: usize = 4_096;
const TABLE_ROWS: usize = 16 * ROWS;
/// Pieces of a round for each thread.
const PIECES: usize = 2;

/// Writes a line for every record of a file.
///
/// # Errors
/// A file that cannot be read or holds no flows, after the lines of all records before; interrupted.
pub(super) fn predict(path: &Path, job: &mut Job<'_>) -> Result<(), Failure> {
    let Job { format, rows, ids, sink, stage } = job;
    let name = path.display().to_string();
    let mut source = Source::open(path, &name, *format)?;
    sink.begin()?;
    let pieces = PIECES * rayon::current_num_threads();
    let mut worker = Worker { name: &name, rows, ids, left_over: Vec::new() };
    let mut round = source.round(pieces);
    loop {
        stage.check()?;
        let Round { pieces: current, failure } = round;
        let (next, made) = match failure {
            None if current.is_empty() => return Ok(()),
            None => rayon::join(|| source.round(pieces), || worker.work(current)),
            Some(_) => (Round::default(), worker.work(current)),
        };
        for lines in made? {
            sink.lines(&lines)?;
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if sink.is_closed() {
            return Ok(());
        }
        round = next;
    }
}

/// A file being read.
enum Source {
    Text(Box<Blocks<File>>),
    /// The reader, and the rows read so far.
    Table(Box<FlowTableReader>, u64),
}

/// Some pieces, and what keeps the file from being read any further.
#[derive(Default)]
struct Round {
    pieces: Vec<Piece>,
    failure: Option<Failure>,
}

enum Piece {
    Text(Arc<dyn Decode>, Block),
    Rows(Box<Batch>),
}

impl Source {
    fn open(path: &Path, name: &str, format: Option<Format>) -> Result<Self, Failure> {
        let failed = |error| Failure::input(format!("failed to open {name}: {error}")).hint("give existing flow files");
        if format.is_none() && is_parquet(path).map_err(failed)? {
            return Ok(Self::Table(Box::new(FlowTableReader::open(path)?), 0));
        }
        let file = File::open(path).map_err(failed)?;
        Ok(Self::Text(Box::new(Blocks::new(file, name, format, BLOCK)?)))
    }

    /// The next pieces; none at the end.
    fn round(&mut self, pieces: usize) -> Round {
        let mut round = Round::default();
        while round.pieces.len() < pieces && round.failure.is_none() {
            match self.read(&mut round.pieces) {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => round.failure = Some(failure),
            }
        }
        round
    }

    /// Whether there was something more.
    fn read(&mut self, pieces: &mut Vec<Piece>) -> Result<bool, Failure> {
        match self {
            Self::Text(blocks) => {
                let Some(block) = blocks.next()? else { return Ok(false) };
                pieces.push(Piece::Text(blocks.decoder(), block));
            }
            Self::Table(reader, done) => {
                let Some(flows) = reader.next(TABLE_ROWS)? else { return Ok(false) };
                let numbers: Vec<usize> = (0..flows.len()).collect();
                for numbers in numbers.chunks(ROWS) {
                    let lines = numbers.iter().map(|&number| *done + number as u64 + 1).collect();
                    let batch = Batch { flows: flows.take(numbers), lines, ..Batch::default() };
                    pieces.push(Piece::Rows(Box::new(batch)));
                }
                *done += flows.len() as u64;
            }
        }
        Ok(true)
    }
}

/// Pieces to lines.
struct Worker<'a> {
    name: &'a str,
    rows: &'a Rows<'a>,
    ids: &'a mut FlowIds,
    /// The start of a record that goes on in the next block.
    left_over: Vec<u8>,
}

impl Worker<'_> {
    fn work(&mut self, pieces: Vec<Piece>) -> Result<Vec<Lines>, Failure> {
        let decoded: Vec<Decoded> = pieces.into_par_iter().map(Decoded::of).collect();
        // Records that go on in the next piece, and numbers of identical ones, go from piece to piece.
        let mut batches = Vec::with_capacity(decoded.len());
        for decoded in decoded {
            let mut batch = self.join(decoded);
            self.ids.derive(&mut batch.flows);
            batches.push(batch);
        }
        batches.into_par_iter().map(|batch| self.rows.lines(self.name, &batch)).collect()
    }

    /// The batch of a piece, decoded again where the piece before left something over.
    fn join(&mut self, decoded: Decoded) -> Batch {
        let Decoded { mut batch, text } = decoded;
        let Some((decoder, mut block, mut taken)) = text else { return batch };
        if !self.left_over.is_empty() {
            block.join(&self.left_over);
            batch.clear();
            taken = decode_block(&*decoder, &block, &mut batch).bytes;
        }
        self.left_over.clear();
        self.left_over.extend_from_slice(&block.bytes[taken..]);
        batch
    }
}

struct Decoded {
    batch: Batch,
    /// What the batch was decoded from, and how many of its bytes were.
    text: Option<(Arc<dyn Decode>, Block, usize)>,
}

impl Decoded {
    fn of(piece: Piece) -> Self {
        match piece {
            Piece::Rows(batch) => Self { batch: *batch, text: None },
            Piece::Text(decoder, block) => {
                let mut batch = Batch::default();
                let taken = decode_block(&*decoder, &block, &mut batch).bytes;
                Self { batch, text: Some((decoder, block, taken)) }
            }
        }
    }
}
