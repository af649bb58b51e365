//! Leaving out variables that will stay at their bound, and taking them back.

use crate::svc::kernel::Point;
use crate::svc::points::Points;
use crate::svc::solver::Solver;

/// The rows still looked at, ascending.
pub(super) struct Active {
    pub(super) rows: Vec<u32>,
    pub(super) points: Points,
    pub(super) diagonal: Vec<f64>,
}

/// Rows left out at one time, with F as it was then and all dual variables as they were then.
pub(super) struct Frozen {
    pub(super) rows: Vec<u32>,
    pub(super) values: Vec<f64>,
    pub(super) alpha: Vec<f64>,
}

impl Solver<'_> {
    /// Leaves out rows at a bound that, by the present gradient, will stay there (libsvm's rule), if it is worth it.
    pub(super) fn shrink(&mut self) {
        let (largest, smallest) = self.bounds();
        if !self.taken_back && largest - smallest <= self.limits.tol * 10.0 {
            self.taken_back = true;
            self.restore();
        }
        let count = self.active.as_ref().map_or(self.alpha.len(), |active| active.rows.len());
        let leaves = |position: usize| {
            let (up, low) = (self.up[position], self.low[position]);
            (up == f64::NEG_INFINITY && low > largest) || (low == f64::INFINITY && up < smallest)
        };
        let (out, kept): (Vec<u32>, Vec<u32>) = (0..count as u32).partition(|&position| leaves(position as usize));
        // Each time costs a copy of all variables; a tenth at least makes the times few.
        if out.len() * 10 < count || kept.len() < 2 {
            return;
        }
        self.frozen.push(Frozen {
            rows: out.iter().map(|&position| self.row_of(position as usize) as u32).collect(),
            values: out.iter().map(|&position| self.value(position as usize)).collect(),
            alpha: self.alpha.clone(),
        });
        let values: Vec<f64> = kept.iter().map(|&position| self.value(position as usize)).collect();
        let rows: Vec<u32> = kept.iter().map(|&position| self.row_of(position as usize) as u32).collect();
        let points = self.problem.points.pick(&rows);
        let bytes = self.workspace.bytes / 2;
        if self.active.is_some() {
            self.workspace.active.compact(&kept, points.padded(), bytes);
        } else {
            self.workspace.active.reset(rows.len(), points.padded(), bytes);
        }
        let mut diagonal: Vec<f64> = rows.iter().map(|&row| self.problem.diagonal[row as usize]).collect();
        diagonal.resize(points.padded(), 0.0);
        self.active = Some(Active { rows, points, diagonal });
        self.set_values(&values);
    }

    /// Takes all rows back. F of those left out follows from the variables that changed since.
    pub(super) fn restore(&mut self) {
        let Some(active) = self.active.take() else { return };
        let problem = self.problem;
        let mut values = vec![0.0; self.alpha.len()];
        for (position, &row) in active.rows.iter().enumerate() {
            values[row as usize] = self.value(position);
        }
        let mut frozen = std::mem::take(&mut self.frozen);
        let out: Vec<u32> = frozen.iter().flat_map(|frozen| &frozen.rows).copied().collect();
        let points = problem.points.pick(&out);
        let mut kernels = vec![0.0f32; points.padded()];
        for row in 0..self.alpha.len() {
            let change = |frozen: &Frozen| problem.signs[row] * (self.alpha[row] - frozen.alpha[row]);
            if frozen.iter().all(|frozen| change(frozen) == 0.0) {
                continue;
            }
            match self.workspace.whole.peek(row) {
                Some(whole) => gather(whole, &out, &mut kernels),
                None => {
                    problem.points.read(row, &mut self.features);
                    let point = Point { features: &self.features, square: problem.points.square(row) };
                    problem.level.row(problem.kernel, &points, point, &mut kernels);
                }
            }
            let mut rest = &kernels[..];
            for frozen in &mut frozen {
                let by = change(frozen);
                let (own, others) = rest.split_at(frozen.rows.len());
                rest = others;
                for (value, &kernel) in frozen.values.iter_mut().zip(own) {
                    *value -= f64::from(kernel) * by;
                }
            }
        }
        for frozen in &frozen {
            for (&row, &value) in frozen.rows.iter().zip(&frozen.values) {
                values[row as usize] = value;
            }
        }
        self.set_values(&values);
    }
}

/// Writes the values of a whole kernel row at `rows` to the front of `to`.
pub(super) fn gather(whole: &[f32], rows: &[u32], to: &mut [f32]) {
    for (to, &row) in to.iter_mut().zip(rows) {
        *to = whole[row as usize];
    }
}
