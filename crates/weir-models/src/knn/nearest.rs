//! The k nearest rows found so far.

/// A row and its reduced distance from the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbour {
    pub(super) reduced: f64,
    pub(super) row: u32,
}

/// The k nearest rows by (distance, row number), nearest first.
pub(super) struct Nearest {
    k: usize,
    found: Vec<Neighbour>,
    /// The k-th; before k are found, further than any row.
    last: Neighbour,
}

const BEYOND: Neighbour = Neighbour { reduced: f64::INFINITY, row: u32::MAX };

impl Nearest {
    /// Room for `k`, at least 1.
    pub(super) fn new(k: usize) -> Self {
        Self { k, found: Vec::with_capacity(k), last: BEYOND }
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.last = BEYOND;
    }

    /// Whether a row at this distance would be among the k. With a lower bound on distance and row number: whether
    /// any such row could be.
    #[inline(always)]
    pub(super) fn admits(&self, reduced: f64, row: u32) -> bool {
        reduced < self.last.reduced || (reduced == self.last.reduced && row < self.last.row)
    }

    /// Takes a row in if it is among the k nearest.
    #[inline]
    pub(super) fn offer(&mut self, reduced: f64, row: u32) {
        if !self.admits(reduced, row) {
            return;
        }
        if self.found.len() == self.k {
            self.found.pop();
        }
        let mut place = self.found.len();
        while place > 0 {
            let before = self.found[place - 1];
            if before.reduced < reduced || (before.reduced == reduced && before.row < row) {
                break;
            }
            place -= 1;
        }
        self.found.insert(place, Neighbour { reduced, row });
        if self.found.len() == self.k {
            self.last = self.found[self.k - 1];
        }
    }

    /// The rows, nearest first.
    pub(super) fn found(&self) -> &[Neighbour] {
        &self.found
    }
}
