//! Support vector classification: f(x) = Σ coefficients\[s\] kernel(support\[s\], x) + intercept.

use weir_contract::Calibration;
use weir_models::svc::{Kernel, Svc};

use super::Prediction;
use super::graph::{Graph, Value};

/// The class follows the decision value, the probability is Platt's sigmoid of it.
pub(super) fn predict(graph: &mut Graph, model: &Svc, calibration: Option<Calibration>, x: &Value) -> Prediction {
    let kernels = kernels(graph, model, x);
    let coefficients = graph.doubles(&[model.vectors(), 1], model.coefficients());
    let intercept = graph.double(model.intercept());
    let sum = graph.op("MatMul", &[&kernels, &coefficients], &[]);
    let decision = graph.op("Add", &[&sum, &intercept], &[]);
    let zero = graph.double(0.0);
    let class = graph.is_less(&zero, &decision);
    let probability = calibration.map(|Calibration { a, b }| {
        let (slope, offset) = (graph.double(-a), graph.double(-b));
        let product = graph.op("Mul", &[&decision, &slope], &[]);
        let z = graph.op("Add", &[&product, &offset], &[]);
        graph.sigmoid(&z)
    });
    Prediction { class, probability, decision: Some(decision) }
}

/// Kernel values of the rows of `x`: `[N, F]` with the support vectors, `[N, vectors]`.
fn kernels(graph: &mut Graph, model: &Svc, x: &Value) -> Value {
    let features = model.support().len() / model.vectors().max(1);
    let vectors: Vec<&[f64]> = model.support().chunks_exact(features).collect();
    let transposed: Vec<f64> = (0..features).flat_map(|j| vectors.iter().map(move |vector| vector[j])).collect();
    let transposed = graph.doubles(&[features, vectors.len()], &transposed);
    let dots = graph.op("MatMul", &[x, &transposed], &[]);
    match model.kernel() {
        Kernel::Linear => dots,
        Kernel::Poly { gamma, coef0, degree } => {
            let base = affine(graph, &dots, gamma, coef0);
            let degree = graph.double(f64::from(degree));
            graph.op("Pow", &[&base, &degree], &[])
        }
        Kernel::Sigmoid { gamma, coef0 } => {
            let z = affine(graph, &dots, gamma, coef0);
            graph.op("Tanh", &[&z], &[])
        }
        Kernel::Rbf { gamma } => {
            // |x|² + |s|² - 2 x·s
            let axis = graph.integers(&[1]);
            let squares = graph.op("Mul", &[x, x], &[]);
            let square = graph.op("ReduceSum", &[&squares, &axis], &[("keepdims", 1)]);
            let lengths: Vec<f64> = vectors.iter().map(|vector| vector.iter().map(|v| v * v).sum()).collect();
            let lengths = graph.doubles(&[1, vectors.len()], &lengths);
            let lengths = graph.op("Add", &[&square, &lengths], &[]);
            let twice = graph.op("Add", &[&dots, &dots], &[]);
            let distance = graph.op("Sub", &[&lengths, &twice], &[]);
            let factor = graph.double(-gamma);
            let exponent = graph.op("Mul", &[&distance, &factor], &[]);
            graph.op("Exp", &[&exponent], &[])
        }
    }
}

/// gamma z + coef0
fn affine(graph: &mut Graph, z: &Value, gamma: f64, coef0: f64) -> Value {
    let (gamma, coef0) = (graph.double(gamma), graph.double(coef0));
    let product = graph.op("Mul", &[z, &gamma], &[]);
    graph.op("Add", &[&product, &coef0], &[])
}
