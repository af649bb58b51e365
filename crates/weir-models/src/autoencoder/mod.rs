//! The report's autoencoder: input → 10 swish → 8 swish → latent 6 relu → 8 swish → 10 swish → input linear.
//!
//! Trained as Keras trains it (Glorot-normal weights, Adam, mean squared error over rows and features, rows shuffled
//! each epoch, the last batch smaller; gradients in f32, parameters in f64), on one thread: a batch of 512 rows takes
//! less time than handing its parts to other threads would save, and a fit that waits for nobody runs beside the
//! searches. A tensor library was rejected: the network has 508 parameters, so that a row and epoch are some 3,900
//! additions and multiplications, which pass at half the speed of registers that never wait.
//!
//! Same rows, parameters and seed give the same bytes for any number of threads and either code path, because every
//! sum has one order. Units of the latent layer that die stay dead: they are reported, not drawn again.

mod adam;
mod encoder;
mod gradient;
mod kernel;
mod lanes;
mod network;
mod params;
mod random;

use ndarray::ArrayView2;
use weir_contract::trial::{EncoderReport, FORMAT};

use self::adam::Adam;
use self::gradient::{BatchGradient, Gradient, SquaredError};
use self::random::{Purpose, Random};
use crate::context::{Context, FitError};
use crate::search::Estimate;
use crate::simd::dispatch;

pub use self::encoder::{Encoder, EncoderError};
pub use self::network::{Activation, Dense};
pub use self::params::AutoencoderParams;

/// Layers from the input to the latent one.
const ENCODER_LAYERS: usize = 3;

/// An encoder and how its training went.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedAutoencoder {
    /// The half that detectors need.
    pub encoder: Encoder,
    /// Mean squared reconstruction error over rows and features per epoch, while its batches trained (as Keras
    /// reports it).
    pub loss: Vec<f64>,
    /// The same over all rows after the last epoch.
    pub final_loss: f64,
    /// Latent units that are 0 on every row, ascending.
    pub dead_units: Vec<usize>,
    /// Units per layer from input over latent to output.
    pub layers: Vec<usize>,
    /// What it was trained with.
    pub params: AutoencoderParams,
}

impl AutoencoderParams {
    /// Trains on the rows of `x`: `[n, d]`, scaled, finite, n and d at least 1. Calls `on_epoch` with the number of
    /// the epoch, from 1, and its loss; `context.progress` advances by one per epoch.
    ///
    /// # Errors
    /// [`FitError::Data`] for an empty `x` or a value in it that is not finite; [`FitError::Parameter`] for numbers that
    /// grow out of bounds; [`FitError::Cancelled`], looked at before every batch.
    pub fn fit(
        &self,
        x: ArrayView2<'_, f64>,
        context: &Context<'_>,
        on_epoch: &mut dyn FnMut(usize, f64),
    ) -> Result<TrainedAutoencoder, FitError> {
        refuse_unusable(x)?;
        let (rows, features) = x.dim();
        let values: Vec<f32> = x.iter().map(|&value| value as f32).collect();

        let widths = self.widths(features);
        let mut layers = self.initial_layers(&widths);
        let mut parameters: Vec<f64> = layers.iter().flat_map(Dense::parameters).copied().collect();
        let mut gradient = vec![0.0; parameters.len()];
        let mut room = Gradient::new(&layers);
        let mut adam = Adam::new(self.learning_rate, parameters.len());
        let mut random = Random::new(self.seed, Purpose::Order);
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut loss = Vec::with_capacity(self.epochs);
        for epoch in 1..=self.epochs {
            random.shuffle(&mut order);
            let mut squared_error = 0.0;
            for batch in order.chunks(self.batch_size) {
                context.check()?;
                let (room, gradient) = (&mut room, &mut gradient[..]);
                let step = BatchGradient { room, parameters: &parameters, x: &values, batch, gradient };
                squared_error += dispatch(context.simd, step);
                adam.step(&mut parameters, gradient, context.simd);
            }
            let epoch_loss = squared_error / values.len() as f64;
            if !epoch_loss.is_finite() {
                return Err(self.diverged(epoch));
            }
            loss.push(epoch_loss);
            on_epoch(epoch, epoch_loss);
            context.progress.advance(1);
        }

        let error = SquaredError { room: &mut room, parameters: &parameters, x: &values, batch: &order };
        let final_loss = dispatch(context.simd, error) / values.len() as f64;
        if !final_loss.is_finite() {
            return Err(self.diverged(self.epochs));
        }
        layers.iter_mut().flat_map(Dense::parameters_mut).zip(parameters).for_each(|(ours, trained)| *ours = trained);
        layers.truncate(ENCODER_LAYERS);
        // The last step of Adam is in no loss of an epoch, and an overflow need not reach the output.
        let encoder = Encoder::try_from(layers).map_err(|_| self.diverged(self.epochs))?;
        let dead_units = dead_units(encoder.encode_with(x, context.simd).view());
        Ok(TrainedAutoencoder { encoder, loss, final_loss, dead_units, layers: widths, params: self.clone() })
    }

    /// What a fit on `rows` of `features` takes.
    ///
    /// Measured in November 2026 on one core of a Sapphire Rapids with AVX-512, 33,236 rows of 10 features, 116 to
    /// 14,000 weights: `0.16 ns` per row, epoch and weight, and `1 ns` per swish; a third more with AVX2 alone, four
    /// fifths more without. The bytes are those of the rows as f32, and of their order.
    #[must_use]
    pub fn estimate(&self, rows: usize, features: usize) -> Estimate {
        let widths = self.widths(features);
        let weights: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let swishes = 2 * (self.hidden[0] + self.hidden[1]);
        let nanoseconds = 0.16 * weights as f64 + swishes as f64;
        let steps = rows as f64 * self.epochs as f64;
        Estimate { seconds: steps * nanoseconds * 1e-9, bytes: rows * (features + 1) * size_of::<f32>() }
    }

    fn widths(&self, features: usize) -> Vec<usize> {
        let [first, second] = self.hidden;
        vec![features, first, second, self.latent, second, first, features]
    }

    fn initial_layers(&self, widths: &[usize]) -> Vec<Dense> {
        use Activation::{Linear, Relu, Swish};
        let mut random = Random::new(self.seed, Purpose::Weights);
        let activations = [Swish, Swish, Relu, Swish, Swish, Linear];
        let layer = |(pair, activation): (&[usize], Activation)| Dense::new(pair[0], pair[1], activation, &mut random);
        widths.windows(2).zip(activations).map(layer).collect()
    }

    fn diverged(&self, epoch: usize) -> FitError {
        FitError::Parameter {
            parameter: "learning_rate",
            received: self.learning_rate.to_string(),
            reason: format!("numbers are no longer finite in epoch {epoch}; scale the features or lower the rate"),
        }
    }
}

impl TrainedAutoencoder {
    /// What `encoder.json` says.
    #[must_use]
    pub fn report(&self) -> EncoderReport {
        EncoderReport {
            format: FORMAT,
            layers: self.layers.clone(),
            latent: ENCODER_LAYERS,
            parameters: self.params.to_map(),
            loss: self.loss.clone(),
            final_loss: self.final_loss,
            dead_units: self.dead_units.clone(),
        }
    }
}

fn refuse_unusable(x: ArrayView2<'_, f64>) -> Result<(), FitError> {
    if x.is_empty() {
        let received = format!("{} rows of {} features", x.nrows(), x.ncols());
        return Err(FitError::Data(format!(
            "an autoencoder needs at least one row and one feature, received {received}"
        )));
    }
    match x.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, column), value)) => Err(FitError::Data(format!(
            "row {row}, column {column} is not finite but {value}; check the features and the scaler"
        ))),
    }
}

/// Columns that are 0 in every row.
fn dead_units(latent: ArrayView2<'_, f64>) -> Vec<usize> {
    (0..latent.ncols()).filter(|&unit| latent.column(unit).iter().all(|&value| value == 0.0)).collect()
}

#[cfg(test)]
mod tests;
