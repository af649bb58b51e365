//! The cells of the ring, worked on side by side and given on in their order.

use std::ops::Range;

use rayon::prelude::*;
use weir_stage::{Failure, Stage};

use crate::cell::{Cell, Rules};
use crate::shuffle::{CELLS, Shuffle};

/// Bytes of records that are worked on together.
const SWEEP: u64 = 3 << 20;

/// Works on all cells in `cells`; `each` takes them in their order, some at a time, while the next are worked on.
///
/// # Errors
/// A temporary file that cannot be read, Ctrl-C, and what `each` returns.
pub(crate) fn sweep(
    shuffle: &Shuffle,
    cells: Range<usize>,
    rules: &Rules<'_>,
    stage: &Stage,
    mut each: impl FnMut(Vec<Cell>) -> Result<(), Failure> + Send,
) -> Result<(), Failure> {
    let width = usize::try_from(SWEEP * CELLS as u64 / shuffle.bytes().max(1)).unwrap_or(CELLS).clamp(1, CELLS);
    let work = |first: usize| -> Result<Vec<Cell>, Failure> {
        stage.check()?;
        if first >= cells.end {
            return Ok(Vec::new());
        }
        let loaded = shuffle.load(first..(first + width).min(cells.end))?;
        Ok(loaded.cells.clone().into_par_iter().map(|cell| rules.cell(&loaded, cell)).collect())
    };
    let mut next = cells.start;
    let mut ready = work(next)?;
    while next < cells.end {
        next += width;
        let (given, made) = rayon::join(|| each(ready), || work(next));
        given?;
        ready = made?;
    }
    Ok(())
}
