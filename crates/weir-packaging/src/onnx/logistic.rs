//! Logistic regression.

use weir_models::logistic::Logistic;

use super::Prediction;
use super::graph::{Graph, Value};

pub(super) fn predict(graph: &mut Graph, model: &Logistic, x: &Value) -> Prediction {
    let intercept = graph.double(model.intercept());
    let products = graph.product(x, [model.weights().len(), 1], model.weights());
    let z = graph.op("Add", &[&products, &intercept], &[]);
    let zero = graph.double(0.0);
    let class = graph.is_less(&zero, &z);
    let probability = graph.sigmoid(&z);
    Prediction { class, probability: Some(probability), decision: None }
}
