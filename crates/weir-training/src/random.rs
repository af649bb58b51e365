//! Random search: candidates drawn from ranges and lists.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use validator::Validate;
use weir_contract::{Family, ParamMap, ParamValue, Seed};
use weir_stage::Failure;

/// Section `[training.random]`. A family without a table here searches its grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct RandomParams {
    /// Different candidates per family; fewer where there are not as many.
    #[validate(range(min = 1, max = 10_000))]
    pub samples: usize,
    /// C-support vector classification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub svc: Option<Space>,
    /// Logistic regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logistic_regression: Option<Space>,
    /// k nearest neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knn: Option<Space>,
    /// Decision tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_tree: Option<Space>,
}

impl Default for RandomParams {
    fn default() -> Self {
        Self { samples: 30, svc: None, logistic_regression: None, knn: None, decision_tree: None }
    }
}

impl RandomParams {
    /// Where the candidates of a family are drawn from, if it has a table.
    #[must_use]
    pub fn of(&self, family: Family) -> Option<&Space> {
        match family {
            Family::Svc => self.svc.as_ref(),
            Family::LogisticRegression => self.logistic_regression.as_ref(),
            Family::Knn => self.knn.as_ref(),
            Family::DecisionTree => self.decision_tree.as_ref(),
        }
    }
}

/// For each parameter what is drawn, independently of the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Space(BTreeMap<String, Values>);

/// What a parameter is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a list of values, or { from = 0.01, to = 100.0, scale = \"log\" }")]
enum Values {
    /// Each value as likely as any other.
    List(Vec<ParamValue>),
    /// Numbers between two, both included.
    Range(Range),
}

/// Whole numbers where both ends are written as such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: ParamValue,
    to: ParamValue,
    #[serde(default)]
    scale: Scale,
}

/// On which scale all places of a range are as likely.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scale {
    #[default]
    Linear,
    Log,
}

/// Draws per candidate after which there seem to be no more different ones.
const PATIENCE: usize = 100;

impl Space {
    /// `samples` different candidates, in the order in which they were drawn; fewer where the lists do not have as many.
    /// The same seed gives the same candidates, and more samples only add to them.
    ///
    /// # Errors
    /// [`Failure`] of usage that names the parameter: a list without values, a range that holds nothing, or one on a
    /// logarithmic scale that touches 0.
    pub(crate) fn draw(&self, samples: usize, family: Family, seed: Seed) -> Result<Vec<ParamMap>, Failure> {
        for (name, values) in &self.0 {
            values.check().map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        }
        let mut uniform = Uniform::new(family, seed);
        let mut known = BTreeSet::new();
        let mut drawn = Vec::new();
        let mut repeated = 0;
        while drawn.len() < samples && repeated < PATIENCE {
            let draw = |(name, values): (&String, &Values)| (name.clone(), values.draw(&mut uniform));
            let candidate: ParamMap = self.0.iter().map(draw).collect();
            if known.insert(format!("{candidate:?}")) {
                drawn.push(candidate);
                repeated = 0;
            } else {
                repeated += 1;
            }
        }
        Ok(drawn)
    }
}

impl Values {
    fn check(&self) -> Result<(), String> {
        let Range { from, to, scale } = match self {
            Self::List(values) if values.is_empty() => return Err("there are no values".to_owned()),
            Self::List(_) => return Ok(()),
            Self::Range(range) => range,
        };
        let (Some(low), Some(high)) = (number(from), number(to)) else {
            return Err(format!("expected numbers, received from {from} to {to}"));
        };
        if low > high {
            return Err(format!("from {from} to {to} holds nothing"));
        }
        if *scale == Scale::Log && low <= 0.0 {
            return Err(format!("a logarithmic scale needs numbers above 0, received from {from}"));
        }
        Ok(())
    }

    fn draw(&self, uniform: &mut Uniform) -> ParamValue {
        match self {
            Self::List(values) => {
                values[((uniform.next() * values.len() as f64) as usize).min(values.len() - 1)].clone()
            }
            Self::Range(Range { from: ParamValue::Int(from), to: ParamValue::Int(to), scale }) => {
                // Each number has the stretch up to the next.
                let value = scale.between(*from as f64, *to as f64 + 1.0, uniform.next());
                ParamValue::Int((libm::floor(value) as i64).clamp(*from, *to))
            }
            Self::Range(Range { from, to, scale }) => {
                let (from, to) = number(from).zip(number(to)).expect("checked");
                let value = scale.between(from, to, uniform.next());
                ParamValue::Float(readable(value).clamp(from, to))
            }
        }
    }
}

impl Scale {
    /// The place `share` (0 to 1) of the way.
    fn between(self, from: f64, to: f64, share: f64) -> f64 {
        match self {
            Self::Linear => from + share * (to - from),
            Self::Log => libm::exp(libm::log(from) + share * (libm::log(to) - libm::log(from))),
        }
    }
}

fn number(value: &ParamValue) -> Option<f64> {
    match value {
        ParamValue::Int(value) => Some(*value as f64),
        ParamValue::Float(value) => Some(*value),
        _ => None,
    }
}

/// Four digits: nobody tells candidates apart by the fifth.
fn readable(value: f64) -> f64 {
    format!("{value:.3e}").parse().expect("a number that was written")
}

/// Numbers of a family's own stream.
struct Uniform(ChaCha8Rng);

impl Uniform {
    fn new(family: Family, seed: Seed) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.0.to_le_bytes());
        let name = family.name().as_bytes();
        key[8..8 + name.len()].copy_from_slice(name);
        Self(ChaCha8Rng::from_seed(key))
    }

    /// In `[0, 1)`, a multiple of 2^-53.
    fn next(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(text: &str) -> Space {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn draws_lie_in_their_ranges_and_repeat_with_the_seed() {
        let space = space(
            "C = { from = 0.01, to = 100.0, scale = \"log\" }\nk = { from = 1, to = 4 }\nkernel = [\"rbf\", \"poly\"]",
        );
        let draw = |samples, seed| space.draw(samples, Family::Svc, Seed(seed)).unwrap();
        let drawn = draw(200, 1);
        assert_eq!(drawn.len(), 200);
        assert_eq!(drawn[..50], draw(50, 1));
        assert_ne!(drawn[..50], draw(50, 2));
        let float = |candidate: &ParamMap| number(&candidate["C"]).unwrap();
        assert!(drawn.iter().all(|candidate| (0.01..=100.0).contains(&float(candidate))));
        // Half of a logarithmic scale from .01 to 100 is below 1.
        let below = drawn.iter().filter(|candidate| float(candidate) < 1.0).count();
        assert!((70..130).contains(&below), "{below} of 200");
        let counts = |name: &str, value: ParamValue| drawn.iter().filter(|draw| draw[name] == value).count();
        for value in 1..=4 {
            assert!((25..75).contains(&counts("k", ParamValue::Int(value))));
        }
        assert!((70..130).contains(&counts("kernel", ParamValue::Text("rbf".to_owned()))));
    }

    #[test]
    fn few_combinations_are_drawn_once_each() {
        let drawn = space("a = [1, 2]\nb = [true, false]").draw(30, Family::Knn, Seed(42)).unwrap();
        assert_eq!(drawn.len(), 4);
    }

    #[test]
    fn what_is_neither_list_nor_range_is_refused() {
        let refusal = toml::from_str::<Space>("C = 1.0").unwrap_err().to_string();
        assert!(refusal.contains("expected a list of values, or { from"), "{refusal}");
        let refusal = |text| space(text).draw(1, Family::Svc, Seed(1)).unwrap_err().message;
        assert_eq!(refusal("C = []"), "C: there are no values");
        assert_eq!(
            refusal("C = { from = 0, to = 1.0, scale = \"log\" }"),
            "C: a logarithmic scale needs numbers above 0, received from 0"
        );
    }
}
