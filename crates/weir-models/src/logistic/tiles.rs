//! The rows as the passes of the solver read them: tiles of [`TILE`] rows, feature by feature, so that neighbouring
//! rows sit in neighbouring lanes.
//!
//! Parts (the held-out rows of the folds) begin new tiles. All folds then read one layout: the training rows of a fold
//! are the tiles of all parts but its own. The layout takes `8 (d + 1) n` bytes for n rows of d features.

use std::ops::Range;

use crate::data::Dataset;
use crate::folds::Folds;

/// Rows per tile.
pub(super) const TILE: usize = 32;
/// One column of a tile.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Column(pub(super) [f64; TILE]);

impl Column {
    pub(super) const ZERO: Self = Self([0.0; TILE]);
}

/// Tiles summed by one thread at a time, at least.
const TILES_PER_BLOCK: usize = 32;
/// Bytes that the sums of all blocks together may take, if a block has more than [`TILES_PER_BLOCK`] to sum.
const SUMS: usize = 16 << 20;
/// Of how many blocks a sample takes one.
const SAMPLE: usize = 8;

/// Rows in tiles.
pub(super) struct Tiles {
    features: usize,
    /// Per tile: the column of each feature, then the [`sign`] of each row's class. Rows that a tile lacks are 0.
    columns: Vec<Column>,
    parts: Vec<Part>,
}

/// Rows laid out one after the other.
struct Part {
    tiles: Range<usize>,
    rows: usize,
    malicious: usize,
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

/// Some of the rows, in blocks of tiles. Blocks are summed in order, so that no sum depends on threads.
pub(super) struct Rows<'a> {
    tiles: &'a Tiles,
    /// Each within a part.
    blocks: Vec<Range<usize>>,
    rows: usize,
    malicious: usize,
}

/// The loss of a row of this sign is `log(1 + exp(sign z))`: 1 for class 0, -1 for class 1.
fn sign(class: u8) -> f64 {
    if class == 0 { 1.0 } else { -1.0 }
}

impl Tiles {
    /// All rows as one part.
    pub(super) fn whole(data: Dataset<'_>) -> Self {
        let mut tiles = Self::empty(data, std::iter::once(data.rows()));
        tiles.push(data, 0..data.rows());
        tiles
    }

    /// The held-out rows of each fold as a part.
    pub(super) fn by_fold(data: Dataset<'_>, folds: &Folds) -> Self {
        let parts = || folds.folds().iter().map(|fold| &fold.test);
        let mut tiles = Self::empty(data, parts().map(Vec::len));
        for part in parts() {
            tiles.push(data, part.iter().map(|&row| row as usize));
        }
        tiles
    }

    fn empty(data: Dataset<'_>, parts: impl Iterator<Item = usize>) -> Self {
        let tiles: usize = parts.map(|rows| rows.div_ceil(TILE)).sum();
        let columns = Vec::with_capacity(tiles * (data.features() + 1));
        Self { features: data.features(), columns, parts: Vec::new() }
    }

    /// Lays out the next part.
    fn push(&mut self, data: Dataset<'_>, mut rows: impl ExactSizeIterator<Item = usize>) {
        let first = self.columns.len() / (self.features + 1);
        let (count, mut malicious) = (rows.len(), 0);
        for _ in 0..count.div_ceil(TILE) {
            let start = self.columns.len();
            self.columns.resize(start + self.features + 1, Column::ZERO);
            let tile = &mut self.columns[start..];
            for (lane, row) in rows.by_ref().take(TILE).enumerate() {
                for (column, &value) in tile.iter_mut().zip(data.row(row)) {
                    column.0[lane] = value;
                }
                let class = data.classes()[row];
                tile[self.features].0[lane] = sign(class);
                malicious += usize::from(class);
            }
        }
        let end = self.columns.len() / (self.features + 1);
        self.parts.push(Part { tiles: first..end, rows: count, malicious });
    }

    /// All rows but those of part `left_out`.
    pub(super) fn all_but(&self, left_out: Option<usize>) -> Rows<'_> {
        let parts = self.parts.iter().enumerate().filter(|(part, _)| Some(*part) != left_out).map(|(_, part)| part);
        self.rows_of(parts)
    }

    /// The rows of a part.
    pub(super) fn part(&self, part: usize) -> Rows<'_> {
        self.rows_of(std::iter::once(&self.parts[part]))
    }

    fn rows_of<'a>(&'a self, parts: impl Iterator<Item = &'a Part>) -> Rows<'a> {
        let mut rows = Rows { tiles: self, blocks: Vec::new(), rows: 0, malicious: 0 };
        let per_block = self.tiles_per_block();
        for part in parts {
            let starts = part.tiles.clone().step_by(per_block);
            rows.blocks.extend(starts.map(|start| start..part.tiles.end.min(start + per_block)));
            rows.rows += part.rows;
            rows.malicious += part.malicious;
        }
        rows
    }

    /// Depends on the shape of the data alone.
    fn tiles_per_block(&self) -> usize {
        let k = self.features + 1;
        let tiles = self.columns.len() / k;
        (tiles * super::objective::sums(k) * size_of::<f64>()).div_ceil(SUMS).max(TILES_PER_BLOCK)
    }

    fn tile(&self, index: usize) -> Tile<'_> {
        let stride = self.features + 1;
        let columns = &self.columns[index * stride..(index + 1) * stride];
        // Only the last tile of a part may lack rows, and a sign is never 0.
        let signs = &columns[self.features];
        let rows = signs.0.iter().rposition(|&sign| sign != 0.0).map_or(0, |last| last + 1);
        Tile { columns: &columns[..self.features], signs, rows }
    }
}

impl<'a> Rows<'a> {
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.tiles.features
    }

    /// Rows of class 0, and of class 1.
    pub(super) fn classes(&self) -> (usize, usize) {
        (self.rows - self.malicious, self.malicious)
    }

    pub(super) fn blocks(&self) -> &[Range<usize>] {
        &self.blocks
    }

    pub(super) fn tiles(&self, block: &Range<usize>) -> impl Iterator<Item = Tile<'a>> {
        let tiles = self.tiles;
        block.clone().map(move |tile| tiles.tile(tile))
    }

    /// One block of [`SAMPLE`], evenly over all rows.
    pub(super) fn sample(&self) -> Self {
        let blocks: Vec<Range<usize>> = self.blocks.iter().step_by(SAMPLE).cloned().collect();
        let tiles = || blocks.iter().flat_map(|block| self.tiles(block));
        let rows = tiles().map(|tile| tile.rows).sum();
        let malicious = tiles().flat_map(|tile| &tile.signs.0).filter(|&&s| s == sign(1)).count();
        Self { tiles: self.tiles, blocks, rows, malicious }
    }
}
