//! Dense layers, forward over a block of rows.

use serde::{Deserialize, Serialize};

use super::kernel::{Column, linear, relu, swish};
use super::random::Random;

/// What a layer does to its sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// z / (1 + e^-z), also called `SiLU`.
    Swish,
    /// max(z, 0).
    Relu,
    /// z.
    Linear,
}

/// A dense layer: `output = activation(input W + b)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) activation: Activation,
    pub(super) weights: Vec<f64>,
    pub(super) bias: Vec<f64>,
}

impl Dense {
    /// A layer with Glorot-normal weights and no bias.
    pub(super) fn new(inputs: usize, outputs: usize, activation: Activation, random: &mut Random) -> Self {
        Self { inputs, outputs, activation, weights: random.glorot_normal(inputs, outputs), bias: vec![0.0; outputs] }
    }

    /// Number of values in.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of values out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// What the layer does to its sums.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// W: `[inputs, outputs]`, row-major, as a Keras kernel.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// b: `[outputs]`.
    #[must_use]
    pub fn bias(&self) -> &[f64] {
        &self.bias
    }

    /// All parameters: weights, then bias.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &f64> {
        self.weights.iter().chain(&self.bias)
    }

    /// The same, to be changed.
    pub(super) fn parameters_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        self.weights.iter_mut().chain(&mut self.bias)
    }

    /// Number of parameters.
    pub(super) fn len(&self) -> usize {
        self.weights.len() + self.bias.len()
    }

    /// Fills `output`.
    #[inline(always)]
    fn forward(&self, input: &[Column], output: &mut [Column]) {
        linear(&self.weights, &self.bias, input, output);
        // A loop per activation, as a function pointer would not be compiled into the kernel.
        match self.activation {
            Activation::Swish => output.iter_mut().for_each(swish),
            Activation::Relu => output.iter_mut().for_each(relu),
            Activation::Linear => {}
        }
    }
}

/// Values of every layer for one block of rows.
pub(super) struct Block {
    /// Input, then the output of each layer.
    values: Vec<Vec<Column>>,
}

impl Block {
    /// Room for `layers`.
    pub(super) fn new(layers: &[Dense]) -> Self {
        let widths = layers[..1].iter().map(Dense::inputs).chain(layers.iter().map(Dense::outputs));
        Self { values: widths.map(|width| vec![Column::ZERO; width]).collect() }
    }

    /// Takes up to [`super::kernel::ROWS`] rows as input. Rows of the block beyond them keep older values, which no
    /// other row sees.
    #[inline(always)]
    pub(super) fn load<'a>(&mut self, rows: impl Iterator<Item = &'a [f64]>) {
        for (lane, row) in rows.enumerate() {
            for (column, &value) in self.values[0].iter_mut().zip(row) {
                column.0[lane] = value;
            }
        }
    }

    /// Runs the layers over the input.
    #[inline(always)]
    pub(super) fn forward(&mut self, layers: &[Dense]) {
        for (index, layer) in layers.iter().enumerate() {
            let (before, after) = self.values.split_at_mut(index + 1);
            layer.forward(&before[index], &mut after[0]);
        }
    }

    /// The output of the last layer.
    pub(super) fn output(&self) -> &[Column] {
        &self.values[self.values.len() - 1]
    }
}
