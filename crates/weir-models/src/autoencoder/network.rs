//! Dense layers: forward over a block of rows, and back.

use serde::{Deserialize, Serialize};

use super::kernel::{Column, LANES, LaneSum, ROWS, add_products, linear, relu, swish};
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
    pub(super) fn parameters_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        self.weights.iter_mut().chain(&mut self.bias)
    }

    /// Number of parameters.
    pub(super) fn len(&self) -> usize {
        self.weights.len() + self.bias.len()
    }

    /// Fills `output` and, if given, the slopes of the activation at each value.
    #[inline(always)]
    fn forward(&self, input: &[Column], output: &mut [Column], slopes: Option<&mut [Column]>) {
        let (weights, bias, outputs) = (&self.weights[..], &self.bias[..], self.outputs);
        linear(|i, j| weights[i * outputs + j], |j| bias[j], input, output);
        // A call per activation, as a function pointer would not be compiled into the kernel.
        match self.activation {
            Activation::Swish => apply(swish, output, slopes),
            Activation::Relu => apply(relu, output, slopes),
            Activation::Linear => {}
        }
    }
}

/// Runs an activation over `output`, keeping its slopes where there is room for them.
#[inline(always)]
fn apply(activate: impl Fn(&mut Column) -> Column, output: &mut [Column], slopes: Option<&mut [Column]>) {
    match slopes {
        Some(slopes) => output.iter_mut().zip(slopes).for_each(|(value, slope)| *slope = activate(value)),
        None => output.iter_mut().for_each(|value| {
            activate(value);
        }),
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

    /// Takes up to [`ROWS`] rows as input. Rows of the block beyond them keep older values, which no other row sees.
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
            layer.forward(&before[index], &mut after[0], None);
        }
    }

    /// The input.
    pub(super) fn input(&self) -> &[Column] {
        &self.values[0]
    }

    /// The output of the last layer.
    pub(super) fn output(&self) -> &[Column] {
        &self.values[self.values.len() - 1]
    }

    /// Squared difference between output and input over the first `rows` rows.
    #[inline(always)]
    pub(super) fn squared_error(&self, rows: usize) -> f64 {
        let mut squares = [0.0; ROWS];
        for (output, input) in self.output().iter().zip(self.input()) {
            for ((square, output), input) in squares.iter_mut().zip(&output.0).zip(&input.0) {
                *square += (output - input) * (output - input);
            }
        }
        squares[..rows].iter().sum()
    }
}

/// Gradient of the mean squared reconstruction error over a batch, and room to compute it.
pub(super) struct Gradient {
    block: Block,
    /// Slopes of each layer's activation.
    slopes: Vec<Vec<Column>>,
    /// Derivative of the error by each layer's sums.
    deltas: Vec<Vec<Column>>,
    /// Per layer `[outputs, inputs + 1]`: weights of a unit, then its bias.
    sums: Vec<Vec<LaneSum>>,
}

impl Gradient {
    /// Room for `layers`.
    pub(super) fn new(layers: &[Dense]) -> Self {
        let columns = || layers.iter().map(|layer| vec![Column::ZERO; layer.outputs]).collect();
        let sums = layers.iter().map(|layer| vec![[0.0; LANES]; layer.outputs * (layer.inputs + 1)]).collect();
        Self { block: Block::new(layers), slopes: columns(), deltas: columns(), sums }
    }

    /// Computes the gradient over the rows `batch` of `x`: `[n, d]`, row-major, and returns the batch's summed
    /// squared error. Blocks of rows are added in the order of the batch.
    #[inline(always)]
    pub(super) fn compute(&mut self, layers: &[Dense], x: &[f64], batch: &[usize]) -> f64 {
        let features = layers[0].inputs;
        let scale = 2.0 / (batch.len() * features) as f64;
        self.sums.iter_mut().for_each(|sums| sums.fill([0.0; LANES]));
        let mut squared_error = 0.0;
        for rows in batch.chunks(ROWS) {
            self.block.load(rows.iter().map(|row| &x[row * features..(row + 1) * features]));
            self.forward(layers);
            squared_error += self.block.squared_error(rows.len());
            self.backward(layers, rows.len(), scale);
        }
        squared_error
    }

    /// One entry per parameter in the order of [`Dense::parameters_mut`], layer by layer.
    pub(super) fn values(&self, layers: &[Dense]) -> impl Iterator<Item = f64> {
        layers.iter().zip(&self.sums).flat_map(|(layer, sums)| {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            (0..=inputs).flat_map(move |i| (0..outputs).map(move |j| total(&sums[j * (inputs + 1) + i])))
        })
    }

    #[inline(always)]
    fn forward(&mut self, layers: &[Dense]) {
        for (index, layer) in layers.iter().enumerate() {
            let (before, after) = self.block.values.split_at_mut(index + 1);
            layer.forward(&before[index], &mut after[0], Some(&mut self.slopes[index]));
        }
    }

    #[inline(always)]
    fn backward(&mut self, layers: &[Dense], rows: usize, scale: f64) {
        let last = layers.len() - 1;
        let errors = self.block.output().iter().zip(self.block.input());
        for (delta, (output, input)) in self.deltas[last].iter_mut().zip(errors) {
            for lane in 0..ROWS {
                // Rows beyond the batch must not pull.
                let error = if lane < rows { output.0[lane] - input.0[lane] } else { 0.0 };
                delta.0[lane] = scale * error;
            }
        }
        for (index, layer) in layers.iter().enumerate().rev() {
            let (earlier, deltas) = self.deltas.split_at_mut(index);
            let deltas = &deltas[0][..];
            let inputs = &self.block.values[index][..];
            for (delta, sums) in deltas.iter().zip(self.sums[index].chunks_exact_mut(layer.inputs + 1)) {
                add_products(inputs, delta, sums);
            }
            let Some(earlier) = earlier.last_mut() else { break };
            let (weights, outputs) = (&layer.weights[..], layer.outputs);
            linear(|j, i| weights[i * outputs + j], |_| 0.0, deltas, earlier);
            for (delta, slope) in earlier.iter_mut().zip(&self.slopes[index - 1]) {
                for (delta, slope) in delta.0.iter_mut().zip(&slope.0) {
                    *delta *= slope;
                }
            }
        }
    }
}

/// The lanes of a sum, added in pairs.
fn total(sum: &LaneSum) -> f64 {
    ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))
}

#[cfg(test)]
mod tests {
    use weir_contract::Seed;

    use super::super::random::Purpose;
    use super::*;

    fn small_network() -> Vec<Dense> {
        let mut random = Random::new(Seed(3), Purpose::Weights);
        let widths = [3, 4, 2, 4, 3];
        let activations = [Activation::Swish, Activation::Relu, Activation::Swish, Activation::Linear];
        widths
            .windows(2)
            .zip(activations)
            .map(|(w, activation)| Dense::new(w[0], w[1], activation, &mut random))
            .collect()
    }

    fn table(rows: usize) -> Vec<f64> {
        (0..3 * rows).map(|i| libm::sin(i as f64 * 1.7) * 0.5 + 0.5).collect()
    }

    fn mean_squared_error(layers: &[Dense], x: &[f64], batch: &[usize]) -> f64 {
        Gradient::new(layers).compute(layers, x, batch) / (3 * batch.len()) as f64
    }

    /// 37 rows are two whole blocks and a part of one.
    #[test]
    fn gradient_is_that_of_finite_differences() {
        let (mut layers, x) = (small_network(), table(40));
        layers.iter_mut().flat_map(|layer| &mut layer.bias).for_each(|bias| *bias = 0.1);
        let batch: Vec<usize> = (0..37).rev().collect();
        let mut gradient = Gradient::new(&layers);
        gradient.compute(&layers, &x, &batch);
        let values: Vec<f64> = gradient.values(&layers).collect();
        assert_eq!(values.len(), layers.iter().map(Dense::len).sum::<usize>());
        assert!(values.iter().filter(|value| value.abs() > 1e-3).count() > values.len() / 2, "{values:?}");
        for (position, value) in values.iter().enumerate() {
            let mut moved = |by: f64| {
                *layers.iter_mut().flat_map(Dense::parameters_mut).nth(position).unwrap() += by;
                mean_squared_error(&layers, &x, &batch)
            };
            let step = 1e-5;
            let (up, down) = (moved(step), moved(-2.0 * step));
            moved(step);
            let expected = (up - down) / (2.0 * step);
            assert!((value - expected).abs() < 1e-9 + 1e-6 * expected.abs(), "{position}: {value} for {expected}");
        }
    }

    #[test]
    fn a_last_block_that_is_not_full_leaves_no_trace_of_older_rows() {
        let (layers, x) = (small_network(), table(40));
        let mut used = Gradient::new(&layers);
        used.compute(&layers, &x, &(0..40).collect::<Vec<_>>());
        let mut fresh = Gradient::new(&layers);
        let batch = [5, 7];
        assert_eq!(used.compute(&layers, &x, &batch), fresh.compute(&layers, &x, &batch));
        assert!(used.values(&layers).eq(fresh.values(&layers)));
    }
}
