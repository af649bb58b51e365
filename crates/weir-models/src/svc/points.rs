//! Points laid out for kernel rows: tiles of [`LANES`] points, feature by feature.

/// Points per tile; two registers of 512 bits, four of 256.
pub(super) const LANES: usize = 16;

/// One number per point of a tile.
pub(super) type Lanes = [f64; LANES];

/// Points with their squared lengths. The last tile is filled up with points at the origin.
#[derive(Clone, Default)]
pub(super) struct Points {
    count: usize,
    features: usize,
    /// `[tiles][features]`.
    tiles: Vec<Lanes>,
    /// `[tiles]`.
    squares: Vec<Lanes>,
}

impl Points {
    /// Lays out `rows`, each `[features]`.
    pub(super) fn new<'a>(features: usize, rows: impl ExactSizeIterator<Item = &'a [f64]>) -> Self {
        let mut points = Self { features, ..Self::default() };
        points.resize(rows.len());
        for (position, row) in rows.enumerate() {
            for (feature, &value) in row.iter().enumerate() {
                points.tiles[position / LANES * features + feature][position % LANES] = value;
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
        let mut picked = Self { features: self.features, ..Self::default() };
        picked.resize(positions.len());
        for (to, &from) in positions.iter().enumerate() {
            let from = from as usize;
            let (from_tile, from_lane) = (from / LANES, from % LANES);
            let (to_tile, to_lane) = (to / LANES, to % LANES);
            for feature in 0..self.features {
                picked.tiles[to_tile * self.features + feature][to_lane] =
                    self.tiles[from_tile * self.features + feature][from_lane];
            }
            picked.squares[to_tile][to_lane] = self.squares[from_tile][from_lane];
        }
        picked
    }

    fn resize(&mut self, count: usize) {
        self.count = count;
        self.tiles = vec![[0.0; LANES]; count.div_ceil(LANES) * self.features];
        self.squares = vec![[0.0; LANES]; count.div_ceil(LANES)];
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

    /// Squared length of a point.
    pub(super) fn square(&self, position: usize) -> f64 {
        self.squares[position / LANES][position % LANES]
    }

    /// Writes the features of a point to `to`.
    pub(super) fn read(&self, position: usize, to: &mut Vec<f64>) {
        to.clear();
        let tile = position / LANES * self.features;
        to.extend(self.tiles[tile..tile + self.features].iter().map(|values| values[position % LANES]));
    }

    /// The values of a tile, `[features]`.
    #[inline(always)]
    pub(super) fn tile(&self, tile: usize) -> &[Lanes] {
        &self.tiles[tile * self.features..(tile + 1) * self.features]
    }

    /// The squared lengths of a tile.
    #[inline(always)]
    pub(super) fn squares(&self, tile: usize) -> &Lanes {
        &self.squares[tile]
    }
}

/// Dot product of every point of a tile with `z`. Features are added in their order.
#[inline(always)]
pub(super) fn dot(tile: &[Lanes], z: &[f64]) -> Lanes {
    let mut sums = [0.0; LANES];
    for (values, &z) in tile.iter().zip(z) {
        for lane in 0..LANES {
            sums[lane] += values[lane] * z;
        }
    }
    sums
}
