//! Values for quantiles: all of them up to a number, a sample beyond.

use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use weir_contract::FlowBatch;
use xxhash_rust::xxh3::xxh3_64;

use crate::field::{Field, each_number};

/// Values up to which quantiles are exact. Beyond, they come from as many values, those with the least hashes of flow id,
/// event time and value: a sample without replacement that does not depend on the order of the rows. By the inequality of
/// Dvoretzky, Kiefer and Wolfowitz its quantiles are quantiles of all values for a share that differs by at most 0.0052
/// (with probability 0.99).
pub const MAX_SAMPLE: usize = 100_000;

/// The values of a column, or a sample of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Present values.
    pub(crate) seen: u64,
    pub(crate) missing: u64,
    /// Hash and value; up to twice [`MAX_SAMPLE`] before the greatest hashes are dropped.
    #[serde(serialize_with = "least", deserialize_with = "drop_none")]
    kept: Vec<(u64, i128)>,
}

impl Sample {
    pub(crate) fn observe(&mut self, field: Field, flows: &FlowBatch, rows: Range<usize>) {
        let mut bytes = Vec::new();
        self.missing += each_number(field, flows, rows, |row, value| {
            bytes.clear();
            bytes.extend_from_slice(&value.to_le_bytes());
            bytes.extend_from_slice(&flows.event_time.get(row).unwrap_or_default().to_le_bytes());
            bytes.extend_from_slice(flows.flow_id.get(row).unwrap_or_default().as_bytes());
            self.kept.push((xxh3_64(&bytes), value));
            self.seen += 1;
            if self.kept.len() >= 2 * MAX_SAMPLE {
                shrink(&mut self.kept);
            }
        });
    }

    pub(crate) fn merge(&mut self, later: Self) {
        self.seen += later.seen;
        self.missing += later.missing;
        self.kept.extend(later.kept);
        if self.kept.len() >= 2 * MAX_SAMPLE {
            shrink(&mut self.kept);
        }
    }

    /// The values kept, ascending.
    pub(crate) fn values(&self) -> Vec<i128> {
        let mut kept = self.kept.clone();
        shrink(&mut kept);
        let mut values: Vec<i128> = kept.into_iter().map(|(_, value)| value).collect();
        values.sort_unstable();
        values
    }
}

fn shrink(kept: &mut Vec<(u64, i128)>) {
    if kept.len() > MAX_SAMPLE {
        kept.select_nth_unstable(MAX_SAMPLE);
        kept.truncate(MAX_SAMPLE);
    }
}

fn least<S: Serializer>(kept: &[(u64, i128)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut kept = kept.to_vec();
    shrink(&mut kept);
    kept.sort_unstable();
    serializer.collect_seq(kept)
}

fn drop_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(u64, i128)>, D::Error> {
    Vec::deserialize(deserializer)
}

/// How a quantile between two values is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interpolation {
    Nearest,
    Linear,
    Lower,
    Higher,
    Midpoint,
}

/// The quantile of ascending values as numpy defines it, `None` without values.
///
/// The place is (n - 1) q (pandas asks numpy for the percentile 100 q, so the rounding of q * 100 / 100 is repeated).
pub(crate) fn quantile(values: &[i128], share: f64, interpolation: Interpolation) -> Option<Quantile> {
    let place = values.len().checked_sub(1)? as f64 * (share * 100.0 / 100.0);
    let at = |place: f64| values[(place as usize).min(values.len() - 1)];
    let (below, above) = (at(place.floor()), at(place.ceil()));
    Some(match interpolation {
        Interpolation::Nearest => Quantile::Whole(at(place.round_ties_even())),
        Interpolation::Lower => Quantile::Whole(below),
        Interpolation::Higher => Quantile::Whole(above),
        Interpolation::Midpoint if below == above => Quantile::Real(below as f64),
        Interpolation::Midpoint => Quantile::Real(below as f64 + (above as f64 - below as f64) * 0.5),
        Interpolation::Linear => Quantile::Real(below as f64 + (above as f64 - below as f64) * place.fract()),
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Quantile {
    Whole(i128),
    Real(f64),
}

impl Quantile {
    pub(crate) fn real(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Real(value) => value,
        }
    }
}
