//! The features: what they are, how they are distributed, how they go together.

use minijinja::Value;
use serde::Serialize;
use weir_contract::feature::{Feature, FeatureSchema, ScalerKind};
use weir_contract::statistics::Statistics;

use crate::chart::{self, Counts};
use crate::text::{self, Figure};

#[derive(Debug, Serialize)]
pub(crate) struct Features {
    set: String,
    scaler: &'static str,
    transform: String,
    transform_short: String,
    rows: String,
    features: Vec<Row>,
    distributions: Vec<Distribution>,
    correlation: Option<Value>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    unit: String,
    description: String,
    expression: String,
    identifies: String,
    missing: String,
    minimum: Figure,
    mean: Figure,
    maximum: Figure,
    median: Figure,
    standard_deviation: Figure,
    distinct: String,
}

#[derive(Debug, Serialize)]
struct Distribution {
    feature: String,
    description: String,
    linear: Value,
    logarithmic: Value,
}

pub(crate) fn view(schema: &FeatureSchema, statistics: &Statistics) -> Features {
    let names = schema.names();
    let distributions = statistics.distributions.iter().map(|distribution| {
        let feature = schema.features.iter().find(|feature| feature.name == distribution.feature);
        let unit = feature.map_or("1", |feature| feature.unit.as_str());
        Distribution {
            feature: distribution.feature.clone(),
            description: feature.map(|feature| feature.description.clone()).unwrap_or_default(),
            linear: chart::histogram(distribution, unit, Counts::Linear),
            logarithmic: chart::histogram(distribution, unit, Counts::Logarithmic),
        }
    });
    let drawable = names.len() > 1 && !statistics.correlation.is_empty();
    Features {
        set: schema.feature_set.clone(),
        scaler: match schema.scaler {
            ScalerKind::MinMax => "scaled to 0 … 1 by minimum and maximum of train (trees see unscaled values)",
            ScalerKind::Standard => "scaled to mean 0 and variance 1 of train (trees see unscaled values)",
            ScalerKind::Robust => "scaled to median 0 and interquartile range 1 of train (trees see unscaled values)",
            ScalerKind::None => "not scaled",
        },
        transform: schema.transform.to_string(),
        transform_short: schema.transform.short(),
        rows: text::count(schema.rows),
        features: schema.features.iter().map(row).collect(),
        distributions: distributions.collect(),
        correlation: drawable.then(|| chart::correlation(&names, &statistics.correlation)),
    }
}

fn row(feature: &Feature) -> Row {
    let statistics = &feature.statistics;
    Row {
        name: feature.name.clone(),
        unit: if feature.unit == "1" { text::NOTHING.to_owned() } else { feature.unit.clone() },
        description: feature.description.clone(),
        expression: feature.expression.clone(),
        identifies: feature.identifies.map_or_else(String::new, |identifies| identifies.name().to_owned()),
        missing: feature.missing.map_or_else(|| text::NOTHING.to_owned(), text::short),
        minimum: text::compact(statistics.minimum),
        mean: text::compact(statistics.mean),
        maximum: text::compact(statistics.maximum),
        median: text::compact(statistics.quantiles[3]),
        standard_deviation: text::compact(statistics.standard_deviation),
        distinct: text::count(statistics.distinct),
    }
}
