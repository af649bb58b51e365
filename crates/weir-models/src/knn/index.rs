//! An exact index over rows: a k-d tree whose nodes know the tight box around their rows, with leaves of a few blocks.
//!
//! The crate kdtree (under linfa-nn) orders neighbours by distance alone, not ties by row number. Here a split goes
//! through the widest feature at the value nearest to the median that leaves equal values together. So equal rows end
//! in one leaf, which stores their point once, however many they are (ports and addresses repeat by the thousand); all
//! other leaves are short, and the depth is at most about 2 d + log(n) / log(4/3).
//!
//! A tree over few rows or very many features has nothing to spare: there the whole table is one leaf, scanned for
//! many queries at a time. Both ways give the same neighbours to the last bit.

use super::distance::{Absolute, BoxPair, LANES, Lanes, Metric, Squared, Term, to_block, to_boxes};
use super::nearest::{Nearest, Neighbour};

/// Blocks of a leaf, below and from [`WIDE`] features on. Measured on 22,000 rows: at 10 features of flows 2 us a
/// query, for 130 of a scan; at 24 features 30 us where rows lie in clusters and, the worst case, 770 where they fill
/// the space, for 260 to 460 of a scan.
const LEAF_BLOCKS: [usize; 2] = [3, 8];
const WIDE: usize = 16;

/// Up to so many rows, and from so many features on, the table is scanned.
const SCAN_ROWS: usize = 64;
const SCAN_FEATURES: usize = 64;

/// Queries that scan a piece of the table together, and the blocks in such a piece (32 KiB at 16 features).
const SCAN_QUERIES: usize = 32;
const SCAN_BLOCKS: usize = 32;

/// Seconds that a query takes, about, on one core.
///
/// Measured at 10 features of flows and 11 neighbours, near queries one after the other: 2 us on 22,000 rows, and where
/// no row repeats another exactly 4.5 to 6 us on 22,000, 67,000, 200,000 and 667,000 rows alike. A scan takes 0.6 ns per
/// value; with more features a tree comes near it (see [`LEAF_BLOCKS`]).
pub(super) fn seconds_per_query(rows: usize, features: usize) -> f64 {
    let scan = 6e-10 * (rows * features) as f64;
    let tens = features as f64 / 10.0;
    if Index::is_scanned(rows, features) { scan } else { scan.min(1e-6 + 3e-6 * tens * tens) }
}

/// Rows `[n, d]`, `n` at least 1, arranged for search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Index {
    features: usize,
    root: Node,
    splits: Vec<[Child; 2]>,
    /// `[splits][d]`: the boxes of the children.
    boxes: Vec<BoxPair>,
    leaves: Vec<Leaf>,
    /// Row numbers leaf by leaf, ascending within a leaf.
    rows: Vec<u32>,
    /// `[blocks][d]`: the points leaf by leaf; the last block of a leaf may be padded.
    blocks: Vec<Lanes>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    Split(u32),
    Leaf(u32),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Child {
    node: Node,
    lowest_row: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Leaf {
    first_row: u32,
    end_row: u32,
    first_block: u32,
    /// All rows are the same point, stored once.
    same: bool,
}

impl Leaf {
    /// Pieces of the leaf that stay in the first-level cache while several queries scan them.
    fn parts(self) -> impl Iterator<Item = Self> {
        let step = if self.same { u32::MAX } else { (SCAN_BLOCKS * LANES) as u32 };
        (self.first_row..self.end_row).step_by(step as usize).map(move |first_row| Self {
            first_row,
            end_row: self.end_row.min(first_row.saturating_add(step)),
            first_block: self.first_block + (first_row - self.first_row) / LANES as u32,
            ..self
        })
    }
}

impl Index {
    /// Arranges `values`: `[n, d]`, finite, row by row.
    pub(super) fn new(values: &[f64], features: usize, rows: usize) -> Self {
        if Self::is_scanned(rows, features) {
            Self::scanned(values, features, rows)
        } else {
            Self::tree(values, features, rows)
        }
    }

    fn is_scanned(rows: usize, features: usize) -> bool {
        features >= SCAN_FEATURES || rows <= SCAN_ROWS
    }

    /// As one leaf.
    pub(super) fn scanned(values: &[f64], features: usize, rows: usize) -> Self {
        let mut builder = Builder::new(values, features, rows);
        builder.index.root = builder.leaf(0, rows, false);
        builder.finish()
    }

    /// As a tree.
    pub(super) fn tree(values: &[f64], features: usize, rows: usize) -> Self {
        let mut builder = Builder::new(values, features, rows);
        builder.index.root = builder.node(0, rows).node;
        builder.finish()
    }

    /// The rows, leaf by leaf.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Finds the `k` nearest rows of each of `queries`: `[m, d]`, and hands them to `each` with the query's number,
    /// in order, nearest first by (distance, row number).
    pub(super) fn search(
        &self,
        metric: Metric,
        queries: &[f64],
        count: usize,
        k: usize,
        each: impl FnMut(usize, &[Neighbour]),
    ) {
        match metric {
            Metric::Euclidean => self.search_by::<Squared>(queries, count, k, each),
            Metric::Manhattan => self.search_by::<Absolute>(queries, count, k, each),
        }
    }

    fn search_by<T: Term>(&self, queries: &[f64], count: usize, k: usize, mut each: impl FnMut(usize, &[Neighbour])) {
        let query = |number: usize| &queries[number * self.features..(number + 1) * self.features];
        if let Node::Leaf(leaf) = self.root {
            let mut lists: Vec<Nearest> = (0..SCAN_QUERIES.min(count)).map(|_| Nearest::new(k)).collect();
            for first in (0..count).step_by(SCAN_QUERIES) {
                let lists = &mut lists[..SCAN_QUERIES.min(count - first)];
                lists.iter_mut().for_each(Nearest::clear);
                for part in self.leaves[leaf as usize].parts() {
                    for (number, nearest) in lists.iter_mut().enumerate() {
                        self.scan::<T>(part, query(first + number), nearest);
                    }
                }
                for (number, nearest) in lists.iter().enumerate() {
                    each(first + number, nearest.found());
                }
            }
            return;
        }
        let mut nearest = Nearest::new(k);
        let mut open = Vec::new();
        for number in 0..count {
            nearest.clear();
            self.descend::<T>(query(number), &mut nearest, &mut open);
            each(number, nearest.found());
        }
    }

    /// Visits the nodes nearest first and leaves out those that cannot hold a neighbour. A node as far as the k-th
    /// neighbour can, if it holds a lower row number.
    fn descend<T: Term>(&self, query: &[f64], nearest: &mut Nearest, open: &mut Vec<(f64, Child)>) {
        open.push((0.0, Child { node: self.root, lowest_row: 0 }));
        while let Some((bound, child)) = open.pop() {
            if !nearest.admits(bound, child.lowest_row) {
                continue;
            }
            match child.node {
                Node::Leaf(leaf) => self.scan::<T>(self.leaves[leaf as usize], query, nearest),
                Node::Split(split) => {
                    let split = split as usize;
                    let [left, right] = self.splits[split];
                    let boxes = &self.boxes[split * self.features..(split + 1) * self.features];
                    let bounds = to_boxes::<T>(query, boxes);
                    let (near, far) = ((bounds[0], left), (bounds[1], right));
                    let (near, far) = if bounds[1] < bounds[0] { (far, near) } else { (near, far) };
                    open.extend([far, near]);
                }
            }
        }
    }

    #[inline]
    fn scan<T: Term>(&self, leaf: Leaf, query: &[f64], nearest: &mut Nearest) {
        let rows = &self.rows[leaf.first_row as usize..leaf.end_row as usize];
        let mut first = leaf.first_block as usize * self.features;
        if leaf.same {
            let reduced = to_block::<T>(query, &self.blocks[first..first + self.features])[0];
            for &row in rows {
                if !nearest.admits(reduced, row) {
                    break;
                }
                nearest.offer(reduced, row);
            }
            return;
        }
        for rows in rows.chunks(LANES) {
            let distances = to_block::<T>(query, &self.blocks[first..first + self.features]);
            first += self.features;
            for (&row, reduced) in rows.iter().zip(distances) {
                nearest.offer(reduced, row);
            }
        }
    }
}

struct Builder<'a> {
    values: &'a [f64],
    index: Index,
}

impl<'a> Builder<'a> {
    fn new(values: &'a [f64], features: usize, rows: usize) -> Self {
        assert_eq!(values.len(), rows * features, "rows of {features} features");
        let rows = (0..u32::try_from(rows).expect("fewer than 2^32 rows")).collect();
        let root = Node::Leaf(0);
        let index = Index { features, root, splits: vec![], boxes: vec![], leaves: vec![], rows, blocks: vec![] };
        Self { values, index }
    }

    fn finish(mut self) -> Index {
        self.index.splits.shrink_to_fit();
        self.index.boxes.shrink_to_fit();
        self.index.blocks.shrink_to_fit();
        self.index
    }

    fn value(&self, row: u32, feature: usize) -> f64 {
        self.values[row as usize * self.index.features + feature]
    }

    /// Arranges the rows from `first` to `end`.
    fn node(&mut self, first: usize, end: usize) -> Built {
        let ends = self.ends(first, end);
        let widest = (0..self.index.features).max_by(|&a, &b| {
            let width = |feature: usize| ends[feature].1 - ends[feature].0;
            // The first of the widest.
            width(a).total_cmp(&width(b)).then(b.cmp(&a))
        });
        let Some(feature) = widest.filter(|&feature| ends[feature].0 < ends[feature].1) else {
            return self.built(first, end, ends, true);
        };
        if end - first <= LANES * LEAF_BLOCKS[usize::from(self.index.features >= WIDE)] {
            return self.built(first, end, ends, false);
        }
        let middle = self.split(first, end, feature);
        let split = self.index.splits.len();
        let placeholder = Child { node: self.index.root, lowest_row: 0 };
        self.index.splits.push([placeholder; 2]);
        self.index.boxes.resize(self.index.boxes.len() + self.index.features, [0.0; 4]);
        for (side, (first, end)) in [(first, middle), (middle, end)].into_iter().enumerate() {
            let child = self.node(first, end);
            self.index.splits[split][side] = Child { node: child.node, lowest_row: child.lowest_row };
            let boxes = &mut self.index.boxes[split * self.index.features..];
            for (pair, (low, high)) in boxes.iter_mut().zip(child.ends) {
                (pair[side], pair[2 + side]) = (low, high);
            }
        }
        let [left, right] = self.index.splits[split];
        Built { node: Node::Split(split as u32), lowest_row: left.lowest_row.min(right.lowest_row), ends }
    }

    fn built(&mut self, first: usize, end: usize, ends: Vec<(f64, f64)>, same: bool) -> Built {
        let node = self.leaf(first, end, same);
        Built { node, lowest_row: self.index.rows[first], ends }
    }

    /// Smallest and largest value of each feature.
    fn ends(&self, first: usize, end: usize) -> Vec<(f64, f64)> {
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); self.index.features];
        for &row in &self.index.rows[first..end] {
            let start = row as usize * self.index.features;
            for ((low, high), &value) in ends.iter_mut().zip(&self.values[start..]) {
                *low = if value < *low { value } else { *low };
                *high = if value > *high { value } else { *high };
            }
        }
        ends
    }

    /// Parts the rows in two at a value of `feature` and returns where the second part begins. Both are not empty.
    fn split(&mut self, first: usize, end: usize, feature: usize) -> usize {
        let (values, features) = (self.values, self.index.features);
        let value = |row: u32| values[row as usize * features + feature];
        let rows = &mut self.index.rows[first..end];
        let half = rows.len() / 2;
        let (_, &mut median, _) = rows.select_nth_unstable_by(half, |&a, &b| value(a).total_cmp(&value(b)));
        let median = value(median);
        let below = rows.iter().filter(|&&row| value(row) < median).count();
        let up_to = rows.iter().filter(|&&row| value(row) <= median).count();
        // Equal values stay together: cut below or above those equal to the median, whichever is nearer to half.
        let above = up_to < rows.len() && (below == 0 || up_to - half < half - below);
        let mut lower = 0;
        for place in 0..rows.len() {
            let is_lower = if above { value(rows[place]) <= median } else { value(rows[place]) < median };
            rows.swap(lower, place);
            lower += usize::from(is_lower);
        }
        first + lower
    }

    fn leaf(&mut self, first: usize, end: usize, same: bool) -> Node {
        self.index.rows[first..end].sort_unstable();
        let first_block = (self.index.blocks.len() / self.index.features.max(1)) as u32;
        let points = if same { first + 1 } else { end };
        for block in (first..points).step_by(LANES) {
            let rows = block..points.min(block + LANES);
            for feature in 0..self.index.features {
                let mut lanes = [0.0; LANES];
                for (lane, place) in rows.clone().enumerate() {
                    lanes[lane] = self.value(self.index.rows[place], feature);
                }
                self.index.blocks.push(lanes);
            }
        }
        self.index.leaves.push(Leaf { first_row: first as u32, end_row: end as u32, first_block, same });
        Node::Leaf((self.index.leaves.len() - 1) as u32)
    }
}

/// A node with what its parent notes of it.
struct Built {
    node: Node,
    lowest_row: u32,
    /// Smallest and largest value of each feature.
    ends: Vec<(f64, f64)>,
}
