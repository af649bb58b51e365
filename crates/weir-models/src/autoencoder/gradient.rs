//! The gradient of the reconstruction error over a batch, by back-propagation.
//!
//! In f32, as Keras computes it: twice the lanes of f64 and a shorter exponential. Parameters and their steps are f64
//! outside.

use super::lanes::{Column, LANES, LaneSum, ROWS, add_products, linear, multiply, relu, swish, total};
use super::network::{Activation, Dense};
use crate::simd::Kernel;

/// Room to compute the gradient of a network.
pub(super) struct Gradient {
    layers: Vec<Layer>,
    /// Per layer `[inputs + 1, outputs]`, the last row being the bias.
    parameters: Vec<f32>,
    /// `[features + 1]`, the last being 1.
    input: Vec<Column>,
}

/// One layer at one block of rows.
struct Layer {
    activation: Activation,
    /// `[outputs + 1]`, the last being 1: the next layer's bias is the weight of that.
    output: Vec<Column>,
    /// Slopes of the activation.
    slopes: Vec<Column>,
    /// Derivatives of the error by the layer's sums.
    deltas: Vec<Column>,
    /// Derivatives of the error by the layer's parameters, in their order.
    sums: Vec<LaneSum>,
}

/// Computes the gradient over the rows `batch` of `x` and gives their summed squared error.
pub(super) struct BatchGradient<'a> {
    pub(super) room: &'a mut Gradient,
    /// Per layer weights `[inputs, outputs]`, then bias `[outputs]`.
    pub(super) parameters: &'a [f64],
    /// `[n, d]`, row-major.
    pub(super) x: &'a [f32],
    pub(super) batch: &'a [u32],
    /// Of the error's mean over rows and features; as long as the parameters.
    pub(super) gradient: &'a mut [f64],
}

/// Gives the summed squared error of the rows `batch` of `x`.
pub(super) struct SquaredError<'a> {
    pub(super) room: &'a mut Gradient,
    pub(super) parameters: &'a [f64],
    pub(super) x: &'a [f32],
    pub(super) batch: &'a [u32],
}

impl Gradient {
    /// Room for `layers`.
    pub(super) fn new(layers: &[Dense]) -> Self {
        let layer = |dense: &Dense| Layer {
            activation: dense.activation,
            output: columns_and_one(dense.outputs),
            slopes: vec![Column::ZERO; dense.outputs],
            deltas: vec![Column::ZERO; dense.outputs],
            sums: vec![LaneSum([0.0; LANES]); dense.len()],
        };
        Self {
            layers: layers.iter().map(layer).collect(),
            parameters: vec![0.0; layers.iter().map(Dense::len).sum()],
            input: columns_and_one(layers[0].inputs),
        }
    }

    #[inline(always)]
    fn take(&mut self, parameters: &[f64]) {
        self.parameters.iter_mut().zip(parameters).for_each(|(ours, &parameter)| *ours = parameter as f32);
    }

    /// What the block has beyond `rows` are copies of a row.
    #[inline(always)]
    fn load(&mut self, x: &[f32], rows: &[u32]) {
        let features = self.input.len() - 1;
        let mut starts = [0; ROWS];
        starts.iter_mut().zip(rows).for_each(|(start, &row)| *start = row as usize * features);
        for (feature, column) in self.input[..features].iter_mut().enumerate() {
            let x = &x[feature..];
            for (value, &start) in column.0.iter_mut().zip(&starts) {
                *value = x[start];
            }
        }
    }

    #[inline(always)]
    fn forward(&mut self) {
        let mut input = &self.input[..];
        let mut parameters = &self.parameters[..];
        for layer in &mut self.layers {
            let outputs = layer.deltas.len();
            let (weights, rest) = parameters.split_at(input.len() * outputs);
            parameters = rest;
            linear(|i, j| weights[i * outputs + j], input, &mut layer.output[..outputs]);
            let units = layer.output.iter_mut().zip(&mut layer.slopes);
            // A loop per activation, as a function pointer would not be compiled into the kernel.
            match layer.activation {
                Activation::Swish => units.for_each(|(output, slope)| swish(output, slope)),
                Activation::Relu => units.for_each(|(output, slope)| relu(output, slope)),
                Activation::Linear => {}
            }
            input = &layer.output;
        }
    }

    /// Adds the squared error of the first `rows` rows to `squares` and turns it into the deltas of the last layer.
    #[inline(always)]
    fn compare(&mut self, rows: usize, scale: f32, squares: &mut [f64; ROWS]) {
        let last = self.layers.len() - 1;
        let layer = &mut self.layers[last];
        let mut square = [0.0_f32; ROWS];
        for ((delta, output), input) in layer.deltas.iter_mut().zip(&layer.output).zip(&self.input) {
            // Rows beyond the batch must not pull.
            let error = |lane: usize| if lane < rows { output.0[lane] - input.0[lane] } else { 0.0 };
            let errors: [f32; ROWS] = std::array::from_fn(error);
            square.iter_mut().zip(&errors).for_each(|(square, error)| *square += error * error);
            delta.0 = errors.map(|error| scale * error);
        }
        squares.iter_mut().zip(square).for_each(|(squares, square)| *squares += f64::from(square));
    }

    #[inline(always)]
    fn backward(&mut self) {
        let mut end = self.parameters.len();
        for index in (0..self.layers.len()).rev() {
            let (earlier, layer) = self.layers.split_at_mut(index);
            let layer = &mut layer[0];
            let outputs = layer.deltas.len();
            let input = earlier.last().map_or(&self.input, |earlier| &earlier.output);
            for (input, sums) in input.iter().zip(layer.sums.chunks_exact_mut(outputs)) {
                add_products(input, &layer.deltas, sums);
            }
            let Some(earlier) = earlier.last_mut() else { break };
            end -= layer.sums.len();
            let weights = &self.parameters[end..];
            linear(|j, i| weights[i * outputs + j], &layer.deltas, &mut earlier.deltas);
            if earlier.activation != Activation::Linear {
                for (delta, slope) in earlier.deltas.iter_mut().zip(&earlier.slopes) {
                    multiply(delta, slope);
                }
            }
        }
    }

    #[inline(always)]
    fn give(&self, gradient: &mut [f64]) {
        let sums = self.layers.iter().flat_map(|layer| &layer.sums);
        gradient.iter_mut().zip(sums).for_each(|(value, sum)| *value = total(sum));
    }
}

impl Kernel for BatchGradient<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Self { room, parameters, x, batch, gradient } = self;
        let scale = 2.0 / (batch.len() * (room.input.len() - 1)) as f64;
        room.take(parameters);
        room.layers.iter_mut().for_each(|layer| layer.sums.fill(LaneSum([0.0; LANES])));
        let mut squares = [0.0; ROWS];
        for rows in batch.chunks(ROWS) {
            room.load(x, rows);
            room.forward();
            room.compare(rows.len(), scale as f32, &mut squares);
            room.backward();
        }
        room.give(gradient);
        squares.iter().sum()
    }
}

impl Kernel for SquaredError<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Self { room, parameters, x, batch } = self;
        room.take(parameters);
        let mut squares = [0.0; ROWS];
        for rows in batch.chunks(ROWS) {
            room.load(x, rows);
            room.forward();
            room.compare(rows.len(), 0.0, &mut squares);
        }
        squares.iter().sum()
    }
}

fn columns_and_one(columns: usize) -> Vec<Column> {
    let mut all = vec![Column::ZERO; columns];
    all.push(Column([1.0; ROWS]));
    all
}

#[cfg(test)]
mod tests {
    use weir_contract::Seed;

    use super::super::random::{Purpose, Random};
    use super::*;
    use crate::context::Simd;
    use crate::simd::dispatch;

    fn small_network() -> Vec<Dense> {
        let mut random = Random::new(Seed(3), Purpose::Weights);
        let widths = [3, 4, 2, 4, 3];
        let activations = [Activation::Swish, Activation::Relu, Activation::Swish, Activation::Linear];
        let mut layers: Vec<Dense> = widths
            .windows(2)
            .zip(activations)
            .map(|(w, activation)| Dense::new(w[0], w[1], activation, &mut random))
            .collect();
        layers.iter_mut().flat_map(|layer| &mut layer.bias).for_each(|bias| *bias = 0.1);
        layers
    }

    fn parameters(layers: &[Dense]) -> Vec<f64> {
        layers.iter().flat_map(Dense::parameters).copied().collect()
    }

    fn table(rows: usize) -> Vec<f32> {
        (0..3 * rows).map(|i| libm::sin(i as f64 * 1.7) as f32 * 0.5 + 0.5).collect()
    }

    /// Squared error and gradient of the batch.
    fn gradient(room: &mut Gradient, layers: &[Dense], x: &[f32], batch: &[u32], simd: Simd) -> (f64, Vec<f64>) {
        let parameters = parameters(layers);
        let mut gradient = vec![f64::NAN; parameters.len()];
        let kernel = BatchGradient { room, parameters: &parameters, x, batch, gradient: &mut gradient };
        (dispatch(simd, kernel), gradient)
    }

    /// Mean squared error over rows and features, in f64 by the formula of a layer.
    fn mean_squared_error(layers: &[Dense], x: &[f32], batch: &[u32]) -> f64 {
        let square = |&row: &u32| -> f64 {
            let input: Vec<f64> = x[3 * row as usize..3 * row as usize + 3].iter().map(|&v| f64::from(v)).collect();
            let output = layers.iter().fold(input.clone(), |input, layer| {
                let sum = |j: usize| -> f64 {
                    layer.bias[j]
                        + (0..layer.inputs).map(|i| input[i] * layer.weights[i * layer.outputs + j]).sum::<f64>()
                };
                let activate = |z: f64| match layer.activation {
                    Activation::Swish => z / (1.0 + libm::exp(-z)),
                    Activation::Relu => z.max(0.0),
                    Activation::Linear => z,
                };
                (0..layer.outputs).map(|j| activate(sum(j))).collect()
            });
            output.iter().zip(&input).map(|(output, input)| (output - input) * (output - input)).sum()
        };
        batch.iter().map(square).sum::<f64>() / (3 * batch.len()) as f64
    }

    /// 75 rows are two whole blocks and a part of one.
    #[test]
    fn gradient_is_that_of_finite_differences() {
        let (mut layers, x) = (small_network(), table(80));
        let batch: Vec<u32> = (0..75).rev().collect();
        let (squared_error, values) = gradient(&mut Gradient::new(&layers), &layers, &x, &batch, Simd::Auto);
        let exact = mean_squared_error(&layers, &x, &batch);
        assert!((squared_error / (3.0 * 75.0) / exact - 1.0).abs() < 1e-6);
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
            assert!((value - expected).abs() < 1e-7 + 1e-5 * expected.abs(), "{position}: {value} for {expected}");
        }
    }

    #[test]
    fn portable_and_wide_instructions_give_the_same_bits() {
        let (layers, x) = (small_network(), table(80));
        let batch: Vec<u32> = (0..75).collect();
        let with = |simd| gradient(&mut Gradient::new(&layers), &layers, &x, &batch, simd);
        assert_eq!(with(Simd::Auto), with(Simd::Scalar));
    }

    #[test]
    fn a_last_block_that_is_not_full_leaves_no_trace_of_older_rows() {
        let (layers, x) = (small_network(), table(80));
        let mut used = Gradient::new(&layers);
        gradient(&mut used, &layers, &x, &(0..80).collect::<Vec<_>>(), Simd::Auto);
        let (mut fresh, batch) = (Gradient::new(&layers), [5, 7]);
        assert_eq!(
            gradient(&mut used, &layers, &x, &batch, Simd::Auto),
            gradient(&mut fresh, &layers, &x, &batch, Simd::Auto)
        );
    }
}
