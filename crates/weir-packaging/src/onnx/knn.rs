//! k nearest neighbours: distances to all rows, of which TopK takes the nearest, by (distance, row number) as the model.
//!
//! The sum over features is written out, one feature after the other in the model's order: every distance is then the
//! model's to the last bit, and memory is that of a few `[N, rows]`. The form by products of rows, which euclidean
//! distances also have, rounds to some 1e-8 where a row is its own neighbour at distance 0; a difference `[N, rows, F]`
//! takes F times the memory.

use weir_models::Classifier;
use weir_models::knn::{Knn, Metric, Weights};

use super::Prediction;
use super::graph::{Graph, Value};

pub(super) fn predict(graph: &mut Graph, model: &Knn, x: &Value) -> Prediction {
    let params = model.params();
    let reduced = distances(graph, model, x);
    let k = graph.integers(&[params.n_neighbors as i64]);
    let [nearest, rows] = graph.ops("TopK", &[&reduced, &k], &[("axis", 1), ("largest", 0), ("sorted", 1)]);
    let classes: Vec<f64> = model.classes().iter().map(|&class| f64::from(class)).collect();
    let classes = graph.doubles(&[classes.len()], &classes);
    let malicious = graph.op("Gather", &[&classes, &rows], &[("axis", 0)]);
    let one = graph.double(1.0);
    let benign = graph.op("Sub", &[&one, &malicious], &[]);
    let weights = match params.weights {
        Weights::Uniform => None,
        Weights::Distance => Some(weights(graph, params.metric, &nearest)),
    };
    let axis = graph.integers(&[1]);
    let [benign, malicious] = [benign, malicious].map(|votes| {
        let votes = weights.as_ref().map_or(votes.clone(), |weights| graph.op("Mul", &[&votes, weights], &[]));
        graph.op("ReduceSum", &[&votes, &axis], &[("keepdims", 1)])
    });
    let all = graph.op("Add", &[&benign, &malicious], &[]);
    let probability = graph.op("Div", &[&malicious, &all], &[]);
    // Not by the probability: tract divides by a reciprocal, which rounds twice.
    let class = graph.is_less(&benign, &malicious);
    Prediction { class, probability: Some(probability), decision: None }
}

/// Distances `[N, rows]`, of the euclidean metric squared: they have the same order.
fn distances(graph: &mut Graph, model: &Knn, x: &Value) -> Value {
    let (rows, features) = (model.classes().len(), model.features());
    let mut distances = None;
    for feature in 0..features {
        let column = graph.integers(&[feature as i64]);
        let column = graph.op("Gather", &[x, &column], &[("axis", 1)]);
        let points: Vec<f64> = model.values().iter().skip(feature).step_by(features).copied().collect();
        let points = graph.doubles(&[1, rows], &points);
        let difference = graph.op("Sub", &[&column, &points], &[]);
        let term = match model.params().metric {
            Metric::Euclidean => graph.op("Mul", &[&difference, &difference], &[]),
            Metric::Manhattan => graph.op("Abs", &[&difference], &[]),
        };
        distances = Some(match distances {
            None => term,
            Some(sum) => graph.op("Add", &[&sum, &term], &[]),
        });
    }
    distances.expect("at least one feature")
}

/// Inverse distances `[N, k]`, of the nearest first. Where the first is not finite, neighbours whose inverse is not finite
/// count 1 and the others 0.
fn weights(graph: &mut Graph, metric: Metric, nearest: &Value) -> Value {
    let distances = match metric {
        Metric::Euclidean => graph.op("Sqrt", &[nearest], &[]),
        Metric::Manhattan => nearest.clone(),
    };
    let inverse = graph.op("Reciprocal", &[&distances], &[]);
    let largest = graph.double(f64::MAX);
    let finite = graph.op("LessOrEqual", &[&inverse, &largest], &[]);
    let first = graph.integers(&[0]);
    let first = graph.op("Gather", &[&inverse, &first], &[("axis", 1)]);
    let first_finite = graph.op("LessOrEqual", &[&first, &largest], &[]);
    let (zero, one) = (graph.double(0.0), graph.double(1.0));
    let counted = graph.op("Where", &[&finite, &zero, &one], &[]);
    graph.op("Where", &[&first_finite, &inverse, &counted], &[])
}
