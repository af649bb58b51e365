//! The gradient of the reconstruction error over a batch, by back-propagation.
//!
//! In f32, as Keras computes it: twice the lanes of f64 and a shorter exponential. Parameters and their steps are f64
//! outside. A block of rows is laid out as columns, so that neighbouring rows sit in neighbouring lanes; every sum has
//! one order.

use std::hint::black_box;

use super::network::{Activation, Dense};
use crate::exponential::exp_f32;
use crate::simd::Kernel;

/// Rows computed together.
const ROWS: usize = 32;
/// Lanes in which the sum over a batch is kept for each parameter.
const LANES: usize = 16;

/// One unit's values for the rows of a block.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Column([f32; ROWS]);

impl Column {
    const ZERO: Self = Self([0.0; ROWS]);
}

/// A sum over rows, kept as the partial sums of the rows that fall in each lane.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct LaneSum([f32; LANES]);

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

/// `output[j] = sum over i of weight(i, j) * input[i]`, i ascending.
#[inline(always)]
fn linear(weight: impl Fn(usize, usize) -> f32, input: &[Column], output: &mut [Column]) {
    for (j, output) in output.iter_mut().enumerate() {
        let mut sums = [0.0; ROWS];
        for (i, Column(input)) in input.iter().enumerate() {
            let weight = weight(i, j);
            for (sum, input) in sums.iter_mut().zip(input) {
                *sum += weight * input;
            }
        }
        *output = Column(sums);
    }
}

/// Adds to `sums[j]` the products of `input` and `deltas[j]` over the rows.
#[inline(always)]
fn add_products(input: &Column, deltas: &[Column], sums: &mut [LaneSum]) {
    for (delta, LaneSum(sum)) in deltas.iter().zip(sums) {
        // Else the compiler puts neighbouring units into lanes, gathers, and takes twice as long.
        let delta = black_box(delta);
        let mut partial = *sum;
        for (input, delta) in input.0.chunks_exact(LANES).zip(delta.0.chunks_exact(LANES)) {
            for lane in 0..LANES {
                partial[lane] += input[lane] * delta[lane];
            }
        }
        *sum = partial;
    }
}

/// Multiplies each of `values` by its factor.
#[inline(always)]
fn multiply(values: &mut Column, factors: &Column) {
    // As in `add_products`.
    let factors = black_box(factors);
    let mut products = values.0;
    for (products, factors) in products.chunks_exact_mut(LANES).zip(factors.0.chunks_exact(LANES)) {
        for lane in 0..LANES {
            products[lane] *= factors[lane];
        }
    }
    values.0 = products;
}

/// Replaces each value z by swish(z) = z / (1 + e^-z) (Ramachandran, Zoph, Le 2017), and `slopes` by its derivatives.
#[inline(always)]
fn swish(values: &mut Column, slopes: &mut Column) {
    for (value, slope) in values.0.iter_mut().zip(&mut slopes.0) {
        let z = *value;
        let sigmoid = 1.0 / (1.0 + exp_f32(-z));
        *value = z * sigmoid;
        *slope = sigmoid + *value * (1.0 - sigmoid);
    }
}

/// Replaces each value z by max(z, 0), keeping what is not a number, and `slopes` by its derivatives, 0 at 0.
#[inline(always)]
fn relu(values: &mut Column, slopes: &mut Column) {
    for (value, slope) in values.0.iter_mut().zip(&mut slopes.0) {
        *slope = if *value > 0.0 { 1.0 } else { 0.0 };
        *value = if *value <= 0.0 { 0.0 } else { *value };
    }
}

/// The lanes of a sum, halves added up.
#[inline(always)]
fn total(sum: &LaneSum) -> f64 {
    let LaneSum(sum) = black_box(sum);
    let eight: [f32; 8] = std::array::from_fn(|lane| sum[lane] + sum[lane + 8]);
    let four: [f32; 4] = std::array::from_fn(|lane| eight[lane] + eight[lane + 4]);
    f64::from((four[0] + four[2]) + (four[1] + four[3]))
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

    #[test]
    fn activations_have_the_values_and_slopes_of_their_definitions() {
        let mut column = Column::ZERO;
        (column.0[0], column.0[1]) = (1.0, -1.0);
        let (mut swished, mut rectified, mut slopes) = (column, column, Column::ZERO);
        swish(&mut swished, &mut slopes);
        // swish(1) = sigmoid(1) = 0.731058578630004879, swish'(0) = 1/2.
        assert!((swished.0[0] - 0.731_058_6).abs() < 1e-7);
        assert!((swished.0[0] - swished.0[1] - 1.0).abs() < 1e-6, "swish(z) - swish(-z) = z");
        assert_eq!(slopes.0[2], 0.5);
        relu(&mut rectified, &mut slopes);
        assert_eq!(rectified.0[..3], [1.0, 0.0, 0.0]);
        assert_eq!(slopes.0[..3], [1.0, 0.0, 0.0]);
        let mut overflowed = Column([f32::NAN; ROWS]);
        relu(&mut overflowed, &mut slopes);
        assert!(overflowed.0[0].is_nan(), "what is not a number does not become 0");
    }
}
