//! The description of a run, gathered cell by cell.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use weir_contract::feature;
use weir_contract::feature::{Feature, FeatureSchema, FeatureStatistics};
use weir_contract::statistics::{self as contract, Distribution, RowAccount, Statistics};
use weir_transform::Transform;

use super::classes::Classes;
use super::collisions::Collisions;
use super::distinct::Distinct;
use super::moments::Moments;
use super::sample::{Rows, Sample};
use crate::cell::Cell;
use crate::statistics;

/// What is known about the rows of the cells seen so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Description {
    features: Vec<OneFeature>,
    pub(crate) classes: Classes,
    pub(crate) sample: Sample,
    collisions: Collisions,
}

/// One feature over train.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct OneFeature {
    /// Of every cell, because they are merged one by one in their order.
    moments: Vec<Moments>,
    distinct: Distinct,
}

impl Description {
    /// Looks at the next cells; `splits[cell][row]` is the part of each row.
    pub(crate) fn observe(&mut self, cells: &[Cell], splits: &[Vec<u8>], uses_addresses: bool) {
        if self.features.is_empty()
            && let Some(cell) = cells.first()
        {
            self.features = vec![OneFeature::default(); cell.features.len()];
        }
        self.features.par_iter_mut().enumerate().for_each(|(number, feature)| {
            let mut some = Vec::new();
            for (cell, split) in cells.iter().zip(splits) {
                let column = &cell.features[number];
                let train = if split.iter().all(|&part| part == 0) {
                    column.as_slice()
                } else {
                    some.clear();
                    some.extend(column.iter().zip(split).filter(|(_, part)| **part == 0).map(|(&value, _)| value));
                    some.as_slice()
                };
                if !train.is_empty() {
                    feature.moments.push(Moments::of(train));
                    train.iter().for_each(|&value| feature.distinct.add(value));
                }
            }
        });
        for (cell, split) in cells.iter().zip(splits) {
            self.classes.observe(&cell.flows, split);
            self.sample.observe(&Rows {
                places: &cell.places,
                features: &cell.features,
                label: cell.flows.label.values(),
                split,
                event_time: &cell.flows.event_time,
            });
            if uses_addresses {
                self.collisions.observe(&cell.flows);
            }
        }
    }

    /// Adds the description of the cells that follow.
    pub(crate) fn merge(&mut self, next: Self) {
        if self.features.is_empty() {
            self.features = vec![OneFeature::default(); next.features.len()];
        }
        for (feature, next) in self.features.iter_mut().zip(next.features) {
            feature.moments.extend(next.moments);
            feature.distinct.merge(&next.distinct);
        }
        self.classes.merge(next.classes);
        self.sample.merge(next.sample);
        self.collisions.merge(next.collisions);
    }
}

/// What is written about the rows.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) schema: FeatureSchema,
    pub(crate) statistics: Statistics,
    /// The rows that quantiles, histograms and the audit are computed from.
    pub(crate) sample: Sample,
}

impl Summary {
    pub(crate) fn new(description: Description, transform: &Transform, rows: RowAccount) -> Self {
        let Description { features, classes, sample, collisions } = description;
        let sample = sample.finish();
        let (columns, label) = sample.train();
        let specs = transform.set().features();
        let measured: Vec<FeatureStatistics> = (0..specs.len())
            .into_par_iter()
            .map(|number| features.get(number).cloned().unwrap_or_default().statistics(&columns[number]))
            .collect();
        let named = specs.iter().zip(&measured).map(|(spec, statistics)| Feature {
            name: spec.name.clone(),
            expression: spec.expression.clone(),
            unit: spec.unit.clone(),
            description: spec.description.clone(),
            identifies: spec.identifies,
            missing: spec.missing,
            statistics: statistics.clone(),
        });
        let schema = FeatureSchema {
            format: feature::FORMAT,
            feature_set: transform.set().name().to_owned(),
            scaler: transform.set().scaler(),
            features: named.collect(),
            transform: transform.digest(),
            rows: classes.rows(0),
        };
        let distributions: Vec<Distribution> = specs
            .iter()
            .zip(&columns)
            .zip(&measured)
            .map(|((spec, column), measured)| statistics::distribution(&spec.name, column, &label, measured))
            .collect();
        let statistics = Statistics {
            format: contract::FORMAT,
            rows,
            splits: classes.splits(),
            sampled: label.len() as u64,
            distributions,
            correlation: statistics::correlation(&columns),
            event_time: classes.event_time,
            address_collisions: collisions.count(),
        };
        Self { schema, statistics, sample }
    }
}

impl OneFeature {
    /// The statistics, with the quantiles of the sampled `values`. Where the sample holds all of train, the number of
    /// distinct values is counted in it, otherwise estimated.
    fn statistics(self, values: &[f64]) -> FeatureStatistics {
        let mut moments = Moments::default();
        self.moments.iter().for_each(|next| moments.merge(next));
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let exact = values.len() as u64 == moments.count;
        FeatureStatistics {
            minimum: if moments.count == 0 { 0.0 } else { moments.minimum },
            maximum: if moments.count == 0 { 0.0 } else { moments.maximum },
            mean: moments.mean,
            standard_deviation: moments.standard_deviation(),
            quantiles: statistics::quantiles(&sorted),
            distinct: if exact { sorted.chunk_by(|a, b| a == b).count() as u64 } else { self.distinct.estimate() },
        }
    }
}
