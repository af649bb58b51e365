//! Support vector classification: f(x) = Σ coefficients\[s\] kernel(support\[s\], x) + intercept.

use weir_contract::Calibration;
use weir_models::Classifier;
use weir_models::svc::{Kernel, Svc};

use super::Prediction;
use super::graph::{Graph, Value};

/// The class follows the decision value, the probability is Platt's sigmoid of it.
pub(super) fn predict(graph: &mut Graph, model: &Svc, calibration: Option<Calibration>, x: &Value) -> Prediction {
    let kernels = kernels(graph, model, x);
    let intercept = graph.double(model.intercept());
    let sum = graph.product(&kernels, [model.vectors(), 1], model.coefficients());
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
    match model.kernel() {
        Kernel::Linear => dots(graph, model, 1.0, x),
        Kernel::Poly { gamma, coef0, degree } => {
            let dots = dots(graph, model, gamma, x);
            let (coef0, degree) = (graph.double(coef0), graph.double(f64::from(degree)));
            let base = graph.op("Add", &[&dots, &coef0], &[]);
            graph.op("Pow", &[&base, &degree], &[])
        }
        Kernel::Sigmoid { gamma, coef0 } => {
            let dots = dots(graph, model, gamma, x);
            let coef0 = graph.double(coef0);
            let z = graph.op("Add", &[&dots, &coef0], &[]);
            graph.op("Tanh", &[&z], &[])
        }
        Kernel::Rbf { gamma } => {
            // |x|² + |s|² - 2 x·s
            let axis = graph.integers(&[1]);
            let squares = graph.op("Mul", &[x, x], &[]);
            let square = graph.op("ReduceSum", &[&squares, &axis], &[("keepdims", 1)]);
            let lengths: Vec<f64> = vectors(model).map(|vector| vector.iter().map(|v| v * v).sum()).collect();
            let lengths = graph.doubles(&[1, lengths.len()], &lengths);
            let lengths = graph.op("Add", &[&square, &lengths], &[]);
            let twice = dots(graph, model, 2.0, x);
            let distance = graph.op("Sub", &[&lengths, &twice], &[]);
            let factor = graph.double(-gamma);
            let exponent = graph.op("Mul", &[&distance, &factor], &[]);
            graph.op("Exp", &[&exponent], &[])
        }
    }
}

/// factor x·s, `[N, vectors]`. The factor is in the constants: onnxruntime would take a multiplication after MatMul into
/// it as a float.
fn dots(graph: &mut Graph, model: &Svc, factor: f64, x: &Value) -> Value {
    let features = model.features();
    let transposed = (0..features).flat_map(|feature| vectors(model).map(move |vector| factor * vector[feature]));
    let transposed: Vec<f64> = transposed.collect();
    graph.product(x, [features, model.vectors()], &transposed)
}

fn vectors(model: &Svc) -> impl Iterator<Item = &[f64]> {
    model.support().chunks_exact(model.features())
}
