//! The encoder: the half of a trained autoencoder that detectors need.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::kernel::ROWS;
use super::network::{Activation, Block, Dense};
use crate::context::Simd;
use crate::simd::{Kernel, dispatch};

/// Rows that one thread encodes at a time.
const PIECE: usize = 64 * ROWS;

/// Maps scaled features to the latent space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Dense>", into = "Vec<Dense>")]
pub struct Encoder {
    layers: Vec<Dense>,
}

/// Layers that are not an encoder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncoderError {
    /// There are no layers.
    #[error("an encoder needs at least one layer")]
    NoLayers,
    /// A layer takes another number of values than the one before gives.
    #[error("encoder layer {layer} takes {inputs} values, the layer before gives {given}")]
    Width {
        /// Number of the layer, from 0.
        layer: usize,
        /// Values it takes.
        inputs: usize,
        /// Values the layer before gives.
        given: usize,
    },
    /// A layer has no values, or too few or too many parameters.
    #[error("encoder layer {layer} of {inputs} x {outputs} holds {weights} weights and {biases} biases")]
    Size {
        /// Number of the layer, from 0.
        layer: usize,
        /// Values it takes.
        inputs: usize,
        /// Values it gives.
        outputs: usize,
        /// Weights found.
        weights: usize,
        /// Biases found.
        biases: usize,
    },
    /// A weight or bias is infinite or not a number.
    #[error("encoder layer {layer} holds a parameter that is not finite")]
    NotFinite {
        /// Number of the layer, from 0.
        layer: usize,
    },
}

impl Encoder {
    /// Number of features a row must have.
    #[must_use]
    pub fn features(&self) -> usize {
        self.layers[0].inputs
    }

    /// Number of latent features.
    #[must_use]
    pub fn latent(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// The layers from the input to the latent one.
    #[must_use]
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// Nominal arithmetic operations per row: a multiplication and an addition per weight, one per rectified unit,
    /// four per swish.
    #[must_use]
    pub fn operations(&self) -> u64 {
        let operations = |layer: &Dense| {
            let activation = match layer.activation {
                Activation::Swish => 4,
                Activation::Relu => 1,
                Activation::Linear => 0,
            };
            2 * layer.weights.len() + activation * layer.outputs
        };
        self.layers.iter().map(operations).sum::<usize>() as u64
    }

    /// Latent features `[n, latent]` of the rows of `x`: `[n, features]`, scaled as in training, finite. A row's
    /// result does not depend on the other rows, on the number of threads or on the processor's instruction set. An
    /// empty matrix gives an empty one.
    ///
    /// # Panics
    /// When the number of columns is not [`Encoder::features`].
    #[must_use]
    pub fn encode(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        self.encode_with(x, Simd::Auto)
    }

    pub(super) fn encode_with(&self, x: ArrayView2<'_, f64>, simd: Simd) -> Array2<f64> {
        assert_eq!(x.ncols(), self.features(), "an encoder of {} features", self.features());
        let x = x.as_standard_layout();
        let values = x.as_slice().expect("in standard layout");
        let (features, latent) = (self.features(), self.latent());
        let mut encoded = vec![0.0; x.nrows() * latent];
        let encode = |(x, encoded)| dispatch(simd, Encode { layers: &self.layers, x, encoded });
        if x.nrows() <= PIECE {
            // A prediction should not wait for the thread pool.
            encode((values, &mut encoded[..]));
        } else {
            let pieces = values.par_chunks(PIECE * features).zip(encoded.par_chunks_mut(PIECE * latent));
            pieces.for_each(encode);
        }
        Array2::from_shape_vec((x.nrows(), latent), encoded).expect("one latent row per row")
    }
}

impl TryFrom<Vec<Dense>> for Encoder {
    type Error = EncoderError;

    /// Checks that the layers fit together, so that no file can make [`Encoder::encode`] panic.
    fn try_from(layers: Vec<Dense>) -> Result<Self, EncoderError> {
        let mut given = layers.first().ok_or(EncoderError::NoLayers)?.inputs;
        for (layer, dense) in layers.iter().enumerate() {
            let &Dense { inputs, outputs, ref weights, ref bias, .. } = dense;
            if inputs != given {
                return Err(EncoderError::Width { layer, inputs, given });
            }
            let empty = inputs == 0 || outputs == 0;
            if empty || inputs.checked_mul(outputs) != Some(weights.len()) || bias.len() != outputs {
                return Err(EncoderError::Size { layer, inputs, outputs, weights: weights.len(), biases: bias.len() });
            }
            if !weights.iter().chain(bias).all(|parameter| parameter.is_finite()) {
                return Err(EncoderError::NotFinite { layer });
            }
            given = outputs;
        }
        Ok(Self { layers })
    }
}

impl From<Encoder> for Vec<Dense> {
    fn from(encoder: Encoder) -> Self {
        encoder.layers
    }
}

struct Encode<'a> {
    layers: &'a [Dense],
    x: &'a [f64],
    encoded: &'a mut [f64],
}

impl Kernel for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let features = self.layers[0].inputs;
        let latent = self.layers[self.layers.len() - 1].outputs;
        let mut block = Block::new(self.layers);
        for (x, encoded) in self.x.chunks(ROWS * features).zip(self.encoded.chunks_mut(ROWS * latent)) {
            block.load(x.chunks_exact(features));
            block.forward(self.layers);
            for (lane, row) in encoded.chunks_exact_mut(latent).enumerate() {
                for (value, column) in row.iter_mut().zip(block.output()) {
                    *value = column.0[lane];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Axis, s};
    use weir_contract::Seed;

    use super::super::random::{Purpose, Random};
    use super::*;

    fn encoder() -> Encoder {
        let mut random = Random::new(Seed(1), Purpose::Weights);
        let layers =
            vec![Dense::new(5, 7, Activation::Swish, &mut random), Dense::new(7, 3, Activation::Relu, &mut random)];
        Encoder::try_from(layers).unwrap()
    }

    fn table(rows: usize) -> Array2<f64> {
        Array2::from_shape_fn((rows, 5), |(i, j)| libm::sin((5 * i + j) as f64))
    }

    #[test]
    fn a_row_alone_is_encoded_as_among_others() {
        let (encoder, x) = (encoder(), table(2 * PIECE + 5));
        let together = encoder.encode(x.view());
        assert_eq!(together.dim(), (2 * PIECE + 5, 3));
        for row in [0, 1, ROWS, PIECE - 1, PIECE, 2 * PIECE + 4] {
            assert_eq!(encoder.encode(x.slice(s![row..=row, ..])), together.slice(s![row..=row, ..]));
        }
    }

    #[test]
    fn portable_and_wide_instructions_give_the_same_bits() {
        let (encoder, x) = (encoder(), table(100));
        assert_eq!(encoder.encode_with(x.view(), Simd::Scalar), encoder.encode_with(x.view(), Simd::Auto));
    }

    #[test]
    fn the_latent_features_are_those_of_the_formula() {
        let (encoder, x) = (encoder(), table(3));
        let (first, second) = (&encoder.layers[0], &encoder.layers[1]);
        let sums = |layer: &Dense, input: &[f64]| -> Vec<f64> {
            (0..layer.outputs)
                .map(|j| {
                    layer.bias[j]
                        + (0..layer.inputs).map(|i| input[i] * layer.weights[i * layer.outputs + j]).sum::<f64>()
                })
                .collect()
        };
        for (row, latent) in x.axis_iter(Axis(0)).zip(encoder.encode(x.view()).axis_iter(Axis(0))) {
            let hidden: Vec<f64> = sums(first, &row.to_vec()).into_iter().map(|z| z / (1.0 + libm::exp(-z))).collect();
            for (value, expected) in latent.iter().zip(sums(second, &hidden)) {
                assert!((value - expected.max(0.0)).abs() < 1e-14, "{value} for {expected}");
            }
        }
    }

    #[test]
    fn columns_of_a_transposed_table_are_rows_too() {
        let (encoder, x) = (encoder(), table(20));
        let by_column = x.t().as_standard_layout().to_owned();
        assert_eq!(encoder.encode(by_column.t()), encoder.encode(x.view()));
    }

    #[test]
    fn no_rows_give_no_rows() {
        assert_eq!(encoder().encode(table(0).view()).dim(), (0, 3));
    }

    #[test]
    fn bytes_round_trip_and_layers_that_do_not_fit_are_refused() {
        let encoder = encoder();
        assert_eq!(encoder.operations(), (2 * 35 + 4 * 7) + (2 * 21 + 3));
        let bytes = postcard::to_stdvec(&encoder).unwrap();
        assert_eq!(postcard::from_bytes::<Encoder>(&bytes), Ok(encoder.clone()));

        let mut layers = encoder.layers.clone();
        layers.swap(0, 1);
        assert_eq!(
            Encoder::try_from(layers).unwrap_err().to_string(),
            "encoder layer 1 takes 5 values, the layer before gives 3"
        );
        let mut layers = encoder.layers.clone();
        layers[1].weights.pop();
        assert!(matches!(Encoder::try_from(layers), Err(EncoderError::Size { layer: 1, weights: 20, .. })));
        let mut layers = encoder.layers;
        layers[0].bias[2] = f64::NAN;
        assert_eq!(Encoder::try_from(layers), Err(EncoderError::NotFinite { layer: 0 }));
        assert_eq!(Encoder::try_from(vec![]), Err(EncoderError::NoLayers));
    }
}
