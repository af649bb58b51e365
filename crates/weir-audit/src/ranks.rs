//! Different values, and how a feature goes with time.

use weir_contract::flow::Column;

/// The rows that have an event time, with its rank.
pub(crate) struct TimeRanks {
    /// Per row of the sample: twice its rank among the rows with a time, from 2 on, ties in the middle; 0 without one.
    twice: Vec<u64>,
    rows: usize,
}

impl TimeRanks {
    pub(crate) fn new(times: &Column<i64>) -> Self {
        let mut order: Vec<usize> = (0..times.len()).filter(|&row| !times.is_null(row)).collect();
        order.sort_unstable_by_key(|&row| times.values()[row]);
        let tied = order.chunk_by(|&a, &b| times.values()[a] == times.values()[b]);
        let mut twice = vec![0; times.len()];
        assign(tied, &mut twice);
        Self { twice, rows: order.len() }
    }

    /// Rows without an event time.
    pub(crate) fn rows_without(&self) -> u64 {
        (self.twice.len() - self.rows) as u64
    }

    /// The number of different values of `column`: `[rows]`, finite, and Spearman's rank correlation with the time over
    /// the rows that have one (ties have their middle rank, as in SciPy's `spearmanr`); `None` where values or times are
    /// all equal. Sums are whole numbers, so the order of the rows does not matter.
    pub(crate) fn compare(&self, column: &[f64]) -> (u64, Option<f64>) {
        let mut order: Vec<usize> = (0..column.len()).collect();
        order.sort_unstable_by(|&a, &b| column[a].total_cmp(&column[b]));
        let equal = |a: &usize, b: &usize| column[*a] == column[*b];
        let distinct = order.chunk_by(equal).count() as u64;

        order.retain(|&row| self.twice[row] > 0);
        let mut twice = vec![0; column.len()];
        assign(order.chunk_by(equal), &mut twice);
        let pairs = || order.iter().map(|&row| (i128::from(twice[row]), i128::from(self.twice[row])));
        let n = order.len() as i128;
        // Ranks with ties in the middle always have the mean (n + 1) / 2, here doubled.
        let sum = n * (n + 1);
        let covariance = n * pairs().map(|(x, y)| x * y).sum::<i128>() - sum * sum;
        let variances = [pairs().map(|(x, _)| x * x).sum::<i128>(), pairs().map(|(_, y)| y * y).sum::<i128>()];
        let [x, y] = variances.map(|squares| (n * squares - sum * sum) as f64);
        let correlation = (x > 0.0 && y > 0.0).then(|| (covariance as f64 / (x * y).sqrt()).clamp(-1.0, 1.0));
        (distinct, correlation)
    }
}

/// Writes twice the rank of each row, given the rows in order in groups of ties.
fn assign<'a>(tied: impl Iterator<Item = &'a [usize]>, twice: &mut [u64]) {
    let mut before = 0;
    for rows in tied {
        let (first, last) = (before + 1, before + rows.len() as u64);
        rows.iter().for_each(|&row| twice[row] = first + last);
        before = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(times: &[Option<i64>], column: &[f64]) -> (u64, Option<f64>) {
        TimeRanks::new(&times.iter().copied().collect()).compare(column)
    }

    #[test]
    fn ties_have_their_middle_rank() {
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5 (times n - 1).
        let (distinct, correlation) = compare(&[1, 2, 3, 4].map(Some), &[0.0, 5.0, 5.0, 9.0]);
        assert_eq!(distinct, 3);
        assert!((correlation.unwrap() - 4.5 / (4.5f64 * 5.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn rows_without_a_time_count_as_values_but_not_in_the_correlation() {
        let times = [Some(10), None, Some(20), Some(30)];
        assert_eq!(TimeRanks::new(&times.into_iter().collect()).rows_without(), 1);
        assert_eq!(compare(&times, &[3.0, 99.0, 2.0, 1.0]), (4, Some(-1.0)));
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        assert_eq!(compare(&[Some(1), Some(2)], &[0.0, -0.0]), (1, None));
        assert_eq!(compare(&[Some(1), Some(1)], &[0.0, 1.0]), (2, None));
        assert_eq!(compare(&[], &[]), (0, None));
    }
}
