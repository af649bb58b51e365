//! The scaler: a factor and an offset per column.

use weir_contract::feature::ScalerKind;
use weir_models::Scaler;

use super::graph::{Graph, Value};

/// `x`: `[N, F]`, scaled by the operations of [`Scaler::transform`].
pub(super) fn scaled(graph: &mut Graph, scaler: &Scaler, x: Value) -> Value {
    if scaler.kind() == ScalerKind::None {
        return x;
    }
    let width = [scaler.features()];
    let [offsets, scales]: [Vec<f64>; 2] = [
        scaler.columns().iter().map(|column| column.offset).collect(),
        scaler.columns().iter().map(|column| column.scale).collect(),
    ];
    let offsets = graph.doubles(&width, &offsets);
    let scales = graph.doubles(&width, &scales);
    match scaler.kind() {
        ScalerKind::None => x,
        ScalerKind::MinMax => {
            let scaled = graph.op("Mul", &[&x, &scales], &[]);
            graph.op("Add", &[&scaled, &offsets], &[])
        }
        ScalerKind::Standard | ScalerKind::Robust => {
            let centred = graph.op("Sub", &[&x, &offsets], &[]);
            graph.op("Div", &[&centred, &scales], &[])
        }
    }
}
