//! What is learned from, and how the models see it.

use std::sync::Arc;

use ndarray::Array2;
use weir_artifact::Artifact;
use weir_contract::feature::{self, FeatureSchema, ScalerKind};
use weir_contract::{Family, Representation, files};
use weir_models::autoencoder::{Encoder, TrainedAutoencoder};
use weir_models::{Context, Dataset, Scaler};
use weir_stage::{Failure, Stage};
use weir_tables::FeatureTable;

use crate::stage::{Request, failure};

/// Dead latent units above which a reader is warned.
const DEAD_UNITS: usize = 3;

/// Train and test, unscaled.
pub(crate) struct Data {
    pub(crate) train: Labelled,
    pub(crate) test: Labelled,
    scaler: ScalerKind,
}

/// Rows with their classes.
pub(crate) struct Labelled {
    /// `[rows, features]`.
    pub(crate) x: Array2<f64>,
    /// 1 is malicious.
    pub(crate) y: Vec<u8>,
}

impl Data {
    pub(crate) fn read(features: &Artifact) -> Result<Self, Failure> {
        let schema: FeatureSchema = features.read_versioned(files::FEATURES, feature::FORMAT)?;
        let read = |name: &str| -> Result<Labelled, Failure> {
            let table = FeatureTable::read(&features.path(name)?, &schema.names())?;
            Ok(Labelled { x: table.matrix(), y: table.label })
        };
        Ok(Self { train: read(files::TRAIN)?, test: read(files::TEST)?, scaler: schema.scaler })
    }
}

/// What stands in front of the model, fitted on train, and train as the model sees it.
pub(crate) struct Front {
    pub(crate) scaler: Scaler,
    pub(crate) trained: Option<Arc<TrainedAutoencoder>>,
    train: Array2<f64>,
    pub(crate) warnings: Vec<String>,
}

impl Front {
    /// Takes the values of train out of `data`: from here on they are only needed as the model sees them.
    pub(crate) fn fit(
        request: &Request,
        features: &Artifact,
        data: &mut Data,
        context: &Context<'_>,
        stage: &Stage,
    ) -> Result<Self, Failure> {
        // Trees split on order alone; scaling would only cost them digits.
        let kind = match (request.representation, request.family) {
            (Representation::Baseline, Family::DecisionTree) => ScalerKind::None,
            _ => data.scaler,
        };
        let unscaled = std::mem::take(&mut data.train.x);
        let scaler = Scaler::fit(kind, unscaled.view());
        let scaled = scaler.transform(unscaled.view());
        drop(unscaled);
        if request.representation == Representation::Baseline {
            return Ok(Self { scaler, trained: None, train: scaled, warnings: Vec::new() });
        }
        let trained = request
            .encoders
            .get(features.digest(), &request.autoencoder, scaled.view(), context, stage)
            .map_err(|error| failure("autoencoder", error))?;
        let dead = trained.dead_units.len();
        let warnings = (dead > DEAD_UNITS).then(|| format!("{dead} latent units are 0 on every row of train"));
        let train = trained.encoder.encode(scaled.view());
        Ok(Self { scaler, trained: Some(trained), train, warnings: warnings.into_iter().collect() })
    }

    /// Train as the model sees it.
    pub(crate) fn train<'a>(&'a self, data: &'a Data) -> Dataset<'a> {
        Dataset::new(self.train.view(), &data.train.y)
    }

    pub(crate) fn encoder(&self) -> Option<Encoder> {
        self.trained.as_ref().map(|trained| trained.encoder.clone())
    }
}
