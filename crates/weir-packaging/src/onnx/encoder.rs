//! The encoder: dense layers.

use weir_models::autoencoder::{Activation, Encoder};

use super::graph::{Graph, Value};

/// The latent features `[N, latent]` of `x`: `[N, F]`, scaled.
pub(super) fn encoded(graph: &mut Graph, encoder: &Encoder, x: Value) -> Value {
    encoder.layers().iter().fold(x, |x, layer| {
        let bias = graph.doubles(&[layer.outputs()], layer.bias());
        let products = graph.product(&x, [layer.inputs(), layer.outputs()], layer.weights());
        let z = graph.op("Add", &[&products, &bias], &[]);
        match layer.activation() {
            Activation::Linear => z,
            Activation::Relu => graph.op("Relu", &[&z], &[]),
            Activation::Swish => {
                let sigmoid = graph.sigmoid(&z);
                graph.op("Mul", &[&z, &sigmoid], &[])
            }
        }
    })
}
