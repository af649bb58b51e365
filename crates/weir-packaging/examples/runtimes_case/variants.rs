//! Small detectors of every kernel, metric, weighting, shape of tree and scaler, with and without an encoder.

use ndarray::{Array2, s};
use weir_contract::feature::ScalerKind;
use weir_contract::{Family, ParamMap, ParamValue};
use weir_models::autoencoder::AutoencoderParams;
use weir_models::{Context, Dataset, Detector, ModelParams, Scaler, fit};

use crate::Result;

/// Rows of three features: a time in milliseconds, a number of bytes, a share. Some rows repeat; others are nowhere nearly
/// equidistant, as they would be on a grid.
fn rows() -> Array2<f64> {
    Array2::from_shape_fn((300, 3), |(row, column)| {
        let row = row % 280;
        match column {
            0 => 1_645_795_940_002.0 + (row * 7919 % 1009) as f64,
            1 => (row * row * 31 % 9973) as f64,
            _ => (row as f64).sin().abs(),
        }
    })
}

/// A small detector and the rows it was fitted on.
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) x: Array2<f64>,
    pub(crate) detector: Detector,
}

/// All of them. A detector of one feature is a case of its own: runtimes take a constant of one value for a factor.
pub(crate) fn all() -> Result<Vec<Variant>> {
    let wide = rows();
    let narrow = wide.slice(s![.., 2..3]).to_owned();
    let classes: Vec<u8> = wide.rows().into_iter().map(|row| u8::from(row[1] * row[2] > 2500.0)).collect();
    let mut variants = Vec::new();
    for (width, x) in [("wide", wide), ("narrow", narrow)] {
        for scaler in [ScalerKind::MinMax, ScalerKind::Standard, ScalerKind::Robust, ScalerKind::None] {
            for (input, encoded) in [("baseline", false), ("encoded", true)] {
                for (family, model, parameters) in models() {
                    // Products of times overflow in an encoder, and say nothing in a kernel.
                    let product = encoded || matches!(family, Family::LogisticRegression | Family::Svc);
                    if scaler == ScalerKind::None && product {
                        continue;
                    }
                    let name = format!("{width}-{scaler:?}-{input}-{family}-{model}");
                    let detector = detector(scaler, encoded, family, &parameters, &x, &classes)?;
                    variants.push(Variant { name, x: x.clone(), detector });
                }
            }
        }
    }
    Ok(variants)
}

fn models() -> Vec<(Family, &'static str, ParamMap)> {
    let text = |value: &str| ParamValue::Text(value.to_owned());
    let kernel =
        |name, degree| [("kernel", text(name)), ("degree", ParamValue::Int(degree)), ("coef0", ParamValue::Float(0.5))];
    let knn = |k, weights, metric| {
        [("n_neighbors", ParamValue::Int(k)), ("weights", text(weights)), ("metric", text(metric))]
    };
    let depth = |depth| [("max_depth", ParamValue::Int(depth))];
    let leaf = [("min_samples_leaf", ParamValue::Int(200))];
    let map = |parameters: &[(&str, ParamValue)]| -> ParamMap {
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    vec![
        (Family::LogisticRegression, "default", map(&[])),
        (Family::Svc, "linear", map(&kernel("linear", 3))),
        (Family::Svc, "square", map(&kernel("poly", 2))),
        (Family::Svc, "cube", map(&kernel("poly", 3))),
        (Family::Svc, "rbf", map(&kernel("rbf", 3))),
        (Family::Svc, "sigmoid", map(&kernel("sigmoid", 3))),
        (Family::Knn, "nearest", map(&knn(1, "uniform", "euclidean"))),
        (Family::Knn, "all", map(&knn(300, "distance", "manhattan"))),
        (Family::Knn, "tie", map(&knn(4, "uniform", "manhattan"))),
        (Family::Knn, "weighted", map(&knn(5, "distance", "euclidean"))),
        (Family::DecisionTree, "leaf", map(&leaf)),
        (Family::DecisionTree, "stump", map(&depth(1))),
        (Family::DecisionTree, "full", map(&[])),
    ]
}

fn detector(
    scaler: ScalerKind,
    encoded: bool,
    family: Family,
    parameters: &ParamMap,
    x: &Array2<f64>,
    classes: &[u8],
) -> Result<Detector> {
    let context = Context::default();
    let scaler = Scaler::fit(scaler, x.view());
    let scaled = scaler.transform(x.view());
    let epochs = ParamMap::from([("epochs".to_owned(), ParamValue::Int(3))]);
    let encoder = if encoded {
        let params = AutoencoderParams::from_map(&epochs)?;
        Some(params.fit(scaled.view(), &context, &mut |_, _| ())?.encoder)
    } else {
        None
    };
    let seen = encoder.as_ref().map_or(scaled.clone(), |encoder| encoder.encode(scaled.view()));
    let params = ModelParams::from_map(family, parameters)?;
    let model = fit(&params, Dataset::new(seen.view(), classes), &context)?.model;
    Ok(Detector::new(scaler, encoder, model))
}
