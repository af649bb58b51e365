//! The autoencoder of a run, fitted once.

use std::sync::{Arc, Mutex, PoisonError};

use ndarray::ArrayView2;
use weir_contract::Digest;
use weir_models::autoencoder::{AutoencoderParams, TrainedAutoencoder};
use weir_models::{Context, FitError};
use weir_stage::Stage;

/// Encoders fitted by this process. The same features, parameters and seed give the same encoder wherever it is fitted;
/// a local run, whose trainings share a process, fits it once.
#[derive(Default)]
pub struct Encoders(Mutex<Vec<(Digest, AutoencoderParams, Arc<TrainedAutoencoder>)>>);

impl Encoders {
    /// The encoder for the scaled rows `x` of train of the features artifact `features`.
    pub(crate) fn get(
        &self,
        features: Digest,
        params: &AutoencoderParams,
        x: ArrayView2<'_, f64>,
        context: &Context<'_>,
        stage: &Stage,
    ) -> Result<Arc<TrainedAutoencoder>, FitError> {
        // Held while fitting, so that nobody fits the same encoder twice.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, encoder)) = known.iter().find(|(digest, fitted, _)| *digest == features && fitted == params)
        {
            return Ok(Arc::clone(encoder));
        }
        let progress = stage.progress("fitting the autoencoder (epochs)", params.epochs() as u64);
        let quiet = Context { progress: &(), ..*context };
        let trained = params.fit(x, &quiet, &mut |_, _| progress.advance(1))?;
        let trained = Arc::new(trained);
        known.push((features, params.clone(), Arc::clone(&trained)));
        Ok(trained)
    }
}
