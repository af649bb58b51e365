//! Points laid out for kernel values: tiles of [`LANES`] points, feature by feature.

use crate::svc::real::Real;

/// Points per tile; of f32 one register of 512 bits.
pub(super) const LANES: usize = 16;

/// One number per point of a tile.
pub(super) type Lanes<R> = [R; LANES];

/// Points with their squared lengths. The last tile is filled up with points at the origin.
#[derive(Debug)]
pub(super) struct Points<R> {
    count: usize,
    features: usize,
    /// `[tiles][features]`.
    tiles: Vec<Lanes<R>>,
    /// `[tiles]`.
    squares: Vec<Lanes<R>>,
}

impl<R: Real> Points<R> {
    /// Lays out `rows`, each `[features]`, relative to `origin`: `[features]`.
    pub(super) fn new<'a>(origin: &[f64], rows: impl ExactSizeIterator<Item = &'a [f64]>) -> Self {
        let features = origin.len();
        let count = rows.len();
        let mut points = Self {
            count,
            features,
            tiles: vec![[R::default(); LANES]; count.div_ceil(LANES) * features],
            squares: vec![[R::default(); LANES]; count.div_ceil(LANES)],
        };
        for (position, row) in rows.enumerate() {
            for (feature, (value, origin)) in row.iter().zip(origin).enumerate() {
                points.tiles[position / LANES * features + feature][position % LANES] = R::of(value - origin);
            }
        }
        for (tile, squares) in points.squares.iter_mut().enumerate() {
            for values in &points.tiles[tile * features..(tile + 1) * features] {
                for lane in 0..LANES {
                    squares[lane] += values[lane] * values[lane];
                }
            }
        }
        points
    }

    /// The points at `positions`.
    pub(super) fn pick(&self, positions: &[u32]) -> Self {
        let (count, features) = (positions.len(), self.features);
        let mut picked = Self {
            count,
            features,
            tiles: vec![[R::default(); LANES]; count.div_ceil(LANES) * features],
            squares: vec![[R::default(); LANES]; count.div_ceil(LANES)],
        };
        for (to, &from) in positions.iter().enumerate() {
            for (feature, value) in self.features_of(from as usize).enumerate() {
                picked.tiles[to / LANES * features + feature][to % LANES] = value;
            }
            picked.squares[to / LANES][to % LANES] = self.square(from as usize);
        }
        picked
    }

    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Number of features.
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Number of points, filled up to whole tiles.
    pub(super) fn padded(&self) -> usize {
        self.squares.len() * LANES
    }

    /// Number of tiles.
    pub(super) fn tiles(&self) -> usize {
        self.squares.len()
    }

    /// Largest squared length, 0 without points.
    pub(super) fn longest(&self) -> f64 {
        (0..self.count).map(|position| self.square(position).wide()).fold(0.0, f64::max)
    }

    /// Squared length of a point.
    pub(super) fn square(&self, position: usize) -> R {
        self.squares[position / LANES][position % LANES]
    }

    /// The features of a point.
    pub(super) fn features_of(&self, position: usize) -> impl Iterator<Item = R> {
        let tile = position / LANES * self.features;
        self.tiles[tile..tile + self.features].iter().map(move |values| values[position % LANES])
    }

    /// The values of a tile, `[features]`.
    #[inline(always)]
    pub(super) fn tile(&self, tile: usize) -> &[Lanes<R>] {
        &self.tiles[tile * self.features..(tile + 1) * self.features]
    }

    /// The squared lengths of a tile.
    #[inline(always)]
    pub(super) fn squares(&self, tile: usize) -> &Lanes<R> {
        &self.squares[tile]
    }
}
