//! The rows as the passes of the solver read them: tiles of [`TILE`] rows, feature by feature, so that neighbouring
//! rows sit in neighbouring lanes.
//!
//! The held-out rows of a fold begin new tiles. All folds then read one layout: the training rows of a fold are the
//! tiles of all parts but its own. The layout takes `8 (d + 1) n` bytes for n rows of d features, a block at a time
//! when a pass first reads it, on the thread that does.

use std::ops::Range;
use std::sync::OnceLock;

use crate::data::Dataset;
use crate::folds::Folds;

use super::objective::sums;

/// Rows per tile.
pub(super) const TILE: usize = 32;
/// Rows summed by one thread at a time, at least.
const ROWS_PER_BLOCK: usize = 32 * TILE;
/// Bytes that the sums of all blocks together may take; where they would take more, blocks are larger.
const SUMS: usize = 64 << 20;
/// Of how many blocks a sample takes one.
const SAMPLE: usize = 8;

/// One column of a tile.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Column(pub(super) [f64; TILE]);

impl Column {
    pub(super) const ZERO: Self = Self([0.0; TILE]);
}

/// Rows in tiles.
pub(super) struct Tiles<'a> {
    data: Dataset<'a>,
    /// Each part's blocks.
    parts: Vec<Vec<Block<'a>>>,
}

/// Rows that are summed by one thread.
struct Block<'a> {
    rows: Numbers<'a>,
    malicious: usize,
    /// Per tile: the column of each feature, then the [`sign`] of each row's class. Rows that a tile lacks are 0.
    columns: OnceLock<Vec<Column>>,
}

/// Numbers of rows.
enum Numbers<'a> {
    All(Range<usize>),
    Some(&'a [u32]),
}

/// A tile of at most [`TILE`] rows.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    /// `[features]`.
    pub(super) columns: &'a [Column],
    /// [`sign`] of each row's class.
    pub(super) signs: &'a Column,
    /// Rows it has.
    pub(super) rows: usize,
}

/// Some of the rows, in blocks. Blocks are summed in order, so that no sum depends on threads.
pub(super) struct Rows<'a> {
    data: Dataset<'a>,
    blocks: Vec<&'a Block<'a>>,
}

/// The loss of a row of this sign is `log(1 + exp(sign z))`: 1 for class 0, -1 for class 1.
fn sign(class: u8) -> f64 {
    if class == 0 { 1.0 } else { -1.0 }
}

impl<'a> Tiles<'a> {
    /// All rows as one part.
    pub(super) fn whole(data: Dataset<'a>) -> Self {
        let per_block = rows_per_block(data);
        let starts = (0..data.rows()).step_by(per_block);
        let rows = starts.map(|start| Numbers::All(start..data.rows().min(start + per_block)));
        Self { data, parts: vec![rows.map(|rows| Block::new(data, rows)).collect()] }
    }

    /// The held-out rows of each fold as a part.
    pub(super) fn by_fold(data: Dataset<'a>, folds: &'a Folds) -> Self {
        let blocks = |held_out: &'a [u32]| {
            let chunks = held_out.chunks(rows_per_block(data));
            chunks.map(|rows| Block::new(data, Numbers::Some(rows))).collect()
        };
        Self { data, parts: folds.folds().iter().map(|fold| blocks(&fold.test)).collect() }
    }

    /// Bytes of the layout, and of the sums of all blocks.
    pub(super) fn bytes(&self) -> usize {
        let k = self.data.features() + 1;
        let blocks = self.parts.iter().map(Vec::len).sum::<usize>();
        (k * self.data.rows() + blocks * sums(k)) * size_of::<f64>()
    }

    /// All rows but those of part `left_out`.
    pub(super) fn all_but(&'a self, left_out: Option<usize>) -> Rows<'a> {
        let parts = self.parts.iter().enumerate().filter(|(part, _)| Some(*part) != left_out);
        Rows { data: self.data, blocks: parts.flat_map(|(_, blocks)| blocks).collect() }
    }

    /// The rows of a part.
    pub(super) fn part(&'a self, part: usize) -> Rows<'a> {
        Rows { data: self.data, blocks: self.parts[part].iter().collect() }
    }
}

/// Depends on the shape of the data alone.
fn rows_per_block(data: Dataset<'_>) -> usize {
    let bytes_per_block = sums(data.features() + 1) * size_of::<f64>();
    let blocks = (SUMS / bytes_per_block).max(1);
    data.rows().div_ceil(blocks).next_multiple_of(TILE).max(ROWS_PER_BLOCK)
}

impl<'a> Rows<'a> {
    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.rows.len()).sum()
    }

    pub(super) fn features(&self) -> usize {
        self.data.features()
    }

    /// Rows of class 0, and of class 1.
    pub(super) fn classes(&self) -> (usize, usize) {
        let malicious = self.blocks.iter().map(|block| block.malicious).sum();
        (self.len() - malicious, malicious)
    }

    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The tiles of block number `block`.
    pub(super) fn tiles(&self, block: usize) -> impl Iterator<Item = Tile<'a>> {
        let block: &'a Block<'a> = self.blocks[block];
        let (data, stride) = (self.data, self.data.features() + 1);
        let columns = block.columns.get_or_init(|| block.rows.lay_out(data));
        let rows = block.rows.len();
        columns.chunks_exact(stride).enumerate().map(move |(tile, columns)| Tile {
            columns: &columns[..stride - 1],
            signs: &columns[stride - 1],
            rows: TILE.min(rows - tile * TILE),
        })
    }

    /// One block of [`SAMPLE`], evenly over all rows.
    pub(super) fn sample(&self) -> Self {
        Self { data: self.data, blocks: self.blocks.iter().step_by(SAMPLE).copied().collect() }
    }
}

impl<'a> Block<'a> {
    fn new(data: Dataset<'_>, rows: Numbers<'a>) -> Self {
        let malicious = rows.iter().filter(|&row| data.classes()[row] == 1).count();
        Self { rows, malicious, columns: OnceLock::new() }
    }
}

impl Numbers<'_> {
    fn len(&self) -> usize {
        match self {
            Self::All(rows) => rows.len(),
            Self::Some(rows) => rows.len(),
        }
    }

    fn get(&self, index: usize) -> usize {
        match self {
            Self::All(rows) => rows.start + index,
            Self::Some(rows) => rows[index] as usize,
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).map(|index| self.get(index))
    }

    fn lay_out(&self, data: Dataset<'_>) -> Vec<Column> {
        let features = data.features();
        let mut columns = vec![Column::ZERO; self.len().div_ceil(TILE) * (features + 1)];
        for (index, row) in self.iter().enumerate() {
            let first = index / TILE * (features + 1);
            let (tile, lane) = (&mut columns[first..=first + features], index % TILE);
            for (column, &value) in tile.iter_mut().zip(data.row(row)) {
                column.0[lane] = value;
            }
            tile[features].0[lane] = sign(data.classes()[row]);
        }
        columns
    }
}
