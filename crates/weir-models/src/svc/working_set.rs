//! Which variables to optimise next: those that violate the optimality conditions most.

/// Variables whose largest key is found together.
const RUN: usize = 64;

/// Chooses working sets, keeping its memory.
#[derive(Default)]
pub(super) struct Chooser {
    keys: Vec<f64>,
    largest: Vec<f64>,
    sorted: Vec<f64>,
    found: Vec<(f64, u32)>,
    taken: Vec<bool>,
}

/// Which end of F.
#[derive(Clone, Copy)]
enum Side {
    /// Large F that may rise.
    Up,
    /// Small F that may fall.
    Low,
}

impl Chooser {
    /// About `size` variables: `kept`, and in equal parts those with the largest `values` that may rise and the smallest
    /// that may fall (`up` and `low` as in [`crate::svc::block::Block`]), ties to the first.
    pub(super) fn choose(&mut self, size: usize, kept: &[u32], values: &[f64], up: &[f64], low: &[f64]) -> Vec<u32> {
        self.taken.resize(values.len(), false);
        let mut chosen = kept.to_vec();
        chosen.iter().for_each(|&position| self.taken[position as usize] = true);
        let half = (size.saturating_sub(kept.len()) / 2).max(1);
        for side in [Side::Up, Side::Low] {
            self.keys.clear();
            match side {
                Side::Up => self.keys.extend(values.iter().zip(up).map(|(value, up)| value + up)),
                Side::Low => self.keys.extend(values.iter().zip(low).map(|(value, low)| -(value + low))),
            }
            self.strongest(half, &mut chosen);
        }
        chosen.iter().for_each(|&position| self.taken[position as usize] = false);
        chosen
    }

    /// Adds the `count` variables with the largest finite keys that are not taken.
    fn strongest(&mut self, count: usize, chosen: &mut Vec<u32>) {
        let largest = |keys: &[f64]| {
            let mut lanes = [f64::NEG_INFINITY; 8];
            for keys in keys.as_chunks::<8>().0 {
                for lane in 0..8 {
                    lanes[lane] = if keys[lane] > lanes[lane] { keys[lane] } else { lanes[lane] };
                }
            }
            lanes.into_iter().fold(f64::NEG_INFINITY, f64::max)
        };
        self.largest.clear();
        self.largest.extend(self.keys.chunks(RUN).map(largest));
        // As many runs reach this key as are wanted, and of what is taken there is at most the rest.
        let wanted = count + chosen.len();
        let threshold = if self.largest.len() > wanted {
            self.sorted.clone_from(&self.largest);
            *self.sorted.select_nth_unstable_by(wanted - 1, |a, b| b.total_cmp(a)).1
        } else {
            f64::NEG_INFINITY
        };
        self.found.clear();
        for (run, (keys, &largest)) in self.keys.chunks(RUN).zip(&self.largest).enumerate() {
            if largest < threshold || largest == f64::NEG_INFINITY {
                continue;
            }
            for (within, &key) in keys.iter().enumerate() {
                let position = run * RUN + within;
                if key >= threshold && key > f64::NEG_INFINITY && !self.taken[position] {
                    self.found.push((key, position as u32));
                }
            }
        }
        let order = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if self.found.len() > count {
            self.found.select_nth_unstable_by(count, order);
            self.found.truncate(count);
        }
        self.found.sort_unstable_by(order);
        for &(_, position) in &self.found {
            self.taken[position as usize] = true;
            chosen.push(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_of_both_sides_are_chosen_ties_to_the_first() {
        let may = [0.0; 16];
        let mut values = [1.0; 16];
        (values[9], values[4], values[11]) = (5.0, -2.0, 3.0);
        let chosen = Chooser::default().choose(6, &[], &values, &may, &may);
        assert_eq!(chosen, [9, 11, 0, 4, 1, 2]);
        let mut never = [f64::NEG_INFINITY; 16];
        never[3] = 0.0;
        let chosen = Chooser::default().choose(6, &[4, 1], &values, &never, &may);
        assert_eq!(chosen, [4, 1, 3, 0, 2], "what is kept counts, and what may not move is left out");
    }

    #[test]
    fn of_many_variables_those_above_a_sorted_cut_are_chosen() {
        let values: Vec<f64> = (0..10_000u32).map(|i| f64::from(i.wrapping_mul(2_654_435_761) >> 12)).collect();
        let may = vec![0.0; values.len()];
        let mut chooser = Chooser::default();
        for kept in [&[][..], &[77, 5, 4000]] {
            let mut order: Vec<u32> = (0..10_000).filter(|position| !kept.contains(position)).collect();
            order.sort_by(|&a, &b| values[b as usize].total_cmp(&values[a as usize]));
            let chosen = chooser.choose(40 + kept.len(), kept, &values, &may, &may);
            assert_eq!(chosen[kept.len()..kept.len() + 20], order[..20]);
            order.reverse();
            assert_eq!(chosen[kept.len() + 20..], order[..20]);
        }
    }
}
