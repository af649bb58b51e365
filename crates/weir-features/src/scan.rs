//! All flow files into the shuffle, on all threads.
//!
//! Threads take turns in reading a piece and decode their pieces side by side. What they made is put together in the
//! order of the pieces, so that line numbers, accounts and rows set aside do not depend on who was faster.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use weir_contract::{Digest, FlowBatch, Seed};
use weir_flows::{Batch, Block, Decode, Format, Rejected, decode_block};
use weir_stage::{Failure, Stage};

use crate::aside::{Unreadable, Unreadables};
use crate::input::{Content, Input, Piece};
use crate::shuffle::{Grouper, Origin, Records, Shuffle};

/// The rule that leaves out records of a format that are about something else.
const SKIPPED: &str = "record is not about a flow";

/// Labels that are given to flows as they are read.
pub type Relabel<'a> = &'a (dyn Fn(&mut FlowBatch) + Sync);

/// What is read, and what of it is kept.
pub(crate) struct Scan<'a> {
    pub(crate) files: &'a [PathBuf],
    pub(crate) format: Option<Format>,
    pub(crate) seed: Seed,
    /// Cells whose flows are kept.
    pub(crate) cells: Range<usize>,
    /// The rule that leaves a row out, if one does.
    pub(crate) excludes: &'a (dyn Fn(&FlowBatch, usize) -> Option<&'static str> + Sync),
    pub(crate) relabel: Option<Relabel<'a>>,
    /// Bytes of records held in memory.
    pub(crate) memory: usize,
    /// Where temporary files go.
    pub(crate) dir: &'a Path,
}

/// What was read.
pub(crate) struct Scanned {
    pub(crate) shuffle: Shuffle,
    pub(crate) unreadable: Unreadables,
    /// Rows left out, by rule.
    pub(crate) excluded: BTreeMap<String, u64>,
    pub(crate) digests: Vec<Digest>,
    /// For each piece its file and its first line.
    pieces: Vec<(u32, u64)>,
}

impl Scanned {
    /// The file and the line, from 1, of a record.
    pub(crate) fn file_and_line(&self, origin: Origin) -> (u32, u64) {
        let (file, first_line) = self.pieces[origin.piece as usize];
        (file, first_line + u64::from(origin.line))
    }
}

impl Scan<'_> {
    /// Reads everything.
    ///
    /// # Errors
    /// A file that cannot be read or is no flow file at all; a disk that is full; Ctrl-C.
    pub(crate) fn run(&self, stage: &Stage) -> Result<Scanned, Failure> {
        let total = self.files.iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
        let progress = stage.progress("reading flows (bytes)", total);
        let detail = |text: String| stage.detail(text);
        let input = Mutex::new(Input::new(self.files, self.format, &progress, &detail));
        let collector = Mutex::new(Collector {
            scanned: Scanned {
                shuffle: Shuffle::new(self.memory, self.dir),
                unreadable: Unreadables::new(self.dir),
                excluded: BTreeMap::new(),
                digests: Vec::new(),
                pieces: Vec::new(),
            },
            waiting: VecDeque::new(),
            worker: Worker::default(),
            left_over: None,
            failure: None,
        });
        rayon::broadcast(|_| {
            let mut worker = Worker::default();
            loop {
                let piece = {
                    let mut input = lock(&input);
                    if stage.is_cancelled() || lock(&collector).failure.is_some() {
                        return;
                    }
                    input.next()
                };
                let made = match piece {
                    Ok(None) => return,
                    Ok(Some(piece)) => self.make(piece, &mut worker),
                    Err(failure) => {
                        lock(&collector).failure.get_or_insert(failure);
                        return;
                    }
                };
                let mut collector = lock(&collector);
                match collector.put(made, self) {
                    Ok(done) => {
                        drop(collector);
                        let mut input = lock(&input);
                        done.into_iter().for_each(|bytes| input.recycle(bytes));
                    }
                    Err(failure) => {
                        collector.failure.get_or_insert(failure);
                        return;
                    }
                }
            }
        });
        stage.check()?;
        let collector = collector.into_inner().expect("no thread panicked");
        if let Some(failure) = collector.failure {
            return Err(failure);
        }
        let mut scanned = collector.scanned;
        scanned.digests = std::mem::take(&mut lock(&input).digests);
        Ok(scanned)
    }

    /// Decodes a piece.
    fn make(&self, piece: Piece, worker: &mut Worker) -> Made {
        let Piece { file, number, content } = piece;
        let Worker { batch, grouper } = worker;
        batch.clear();
        let (first_line, text) = match content {
            Content::Text { decoder, block } => {
                let taken = decode_block(&*decoder, &block, batch).bytes;
                (block.first_line, Some(Text { decoder, block, taken }))
            }
            Content::Rows { flows, first } => {
                batch.lines = (first + 1..).take(flows.len()).collect();
                batch.flows = *flows;
                (first + 1, None)
            }
        };
        if let Some(relabel) = self.relabel {
            relabel(&mut batch.flows);
        }
        let start = Origin { piece: number, line: 0 };
        let lines = batch.lines.iter().map(|line| line - first_line);
        let records = grouper.group(&batch.flows, lines, start, self.seed, &self.cells, self.excludes);
        let rejected = std::mem::take(&mut batch.rejected);
        Made { file, number, first_line, records, rejected, skipped: batch.skipped, text }
    }
}

/// What a thread keeps between pieces: its buffers.
#[derive(Default)]
struct Worker {
    batch: Batch,
    grouper: Grouper,
}

/// A decoded piece.
struct Made {
    file: u32,
    number: u32,
    first_line: u64,
    records: Records,
    rejected: Vec<Rejected>,
    /// Records that are not about flows.
    skipped: u64,
    /// What it was decoded from; `None` for rows of a table.
    text: Option<Text>,
}

struct Text {
    decoder: Arc<dyn Decode>,
    block: Block,
    /// Bytes that were decoded; the others are the start of a record that goes on in the next block.
    taken: usize,
}

/// Puts decoded pieces into their order.
struct Collector {
    scanned: Scanned,
    /// Pieces that came before their turn; the front is the next one.
    waiting: VecDeque<Option<Made>>,
    worker: Worker,
    /// The file, and what the last block left over.
    left_over: Option<(u32, Vec<u8>)>,
    failure: Option<Failure>,
}

impl Collector {
    /// Takes a piece, and all that were waiting for it; returns buffers that are free again.
    fn put(&mut self, made: Made, scan: &Scan<'_>) -> Result<Vec<Vec<u8>>, Failure> {
        let place = made.number as usize - self.scanned.pieces.len();
        if self.waiting.len() <= place {
            self.waiting.resize_with(place + 1, || None);
        }
        self.waiting[place] = Some(made);
        let mut free = Vec::new();
        while let Some(made) = self.waiting.front_mut().and_then(Option::take) {
            self.waiting.pop_front();
            free.extend(self.take(made, scan)?);
        }
        Ok(free)
    }

    fn take(&mut self, mut made: Made, scan: &Scan<'_>) -> Result<Option<Vec<u8>>, Failure> {
        if let Some((file, left_over)) = self.left_over.take()
            && file == made.file
            && let Some(Text { decoder, mut block, .. }) = made.text
        {
            block.join(&left_over);
            let piece = Piece { file, number: made.number, content: Content::Text { decoder, block } };
            made = scan.make(piece, &mut self.worker);
        }
        let Made { file, first_line, records, rejected, skipped, text, .. } = made;
        self.scanned.pieces.push((file, first_line));
        // What is no flow has no place on the ring; the part with the first cell counts it.
        if scan.cells.start == 0 {
            for Rejected { line, reason, text } in rejected {
                self.scanned.unreadable.push(&Unreadable { file, line, reason, text })?;
            }
            if skipped > 0 {
                *self.scanned.excluded.entry(SKIPPED.to_owned()).or_default() += skipped;
            }
        }
        for (&rule, &rows) in &records.excluded {
            *self.scanned.excluded.entry(rule.to_owned()).or_default() += rows;
        }
        self.scanned.shuffle.push(records)?;
        let Some(Text { block, taken, .. }) = text else { return Ok(None) };
        if taken < block.bytes.len() {
            self.left_over = Some((file, block.bytes[taken..].to_vec()));
        }
        Ok(Some(block.bytes))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panicked")
}
