//! What all requests share: the model, the limits, the metrics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use weir_bundle::{Bundle, BundleError};

use crate::body::Bodies;
use crate::budget::Budget;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::refusal::Refusal;
use crate::rows::Bounds;
use crate::settings::Settings;

/// The state of a predictor. Without a model it is live and not ready.
#[derive(Debug)]
pub struct Predictor {
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) bodies: Bodies,
    /// Predictions at work or waiting.
    pub(crate) admitted: Budget,
    pub(crate) connections: Budget,
    model: RwLock<Option<Arc<Model>>>,
    /// Given or that of the first bundle; a name in URLs does not change.
    name: OnceLock<String>,
    /// One reload at a time.
    loading: Mutex<()>,
    draining: AtomicBool,
}

impl Predictor {
    /// A predictor without a model.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            metrics: Metrics::default(),
            bodies: Bodies::new(settings.max_body, settings.request_timeout),
            admitted: Budget::new(settings.max_concurrency),
            connections: Budget::new(settings.max_connections),
            model: RwLock::new(None),
            name: settings.model_name.clone().map_or_else(OnceLock::new, OnceLock::from),
            loading: Mutex::new(()),
            draining: AtomicBool::new(false),
            settings,
        }
    }

    /// Opens the bundle of the settings and serves it from now on. Requests that are under way finish with the bundle
    /// they began with, whose memory is freed after the last of them. Whether it is another bundle than before.
    ///
    /// # Errors
    /// Those of [`Bundle::open_from`]; the bundle before, if there was one, goes on being served.
    pub fn load(&self) -> Result<bool, BundleError> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let bundle = self.open()?;
        let before = self.current();
        if before.as_ref().is_some_and(|before| before.bundle.digest() == bundle.digest()) {
            return Ok(false);
        }
        let name = self.name.get_or_init(|| bundle.info().name.as_str().to_owned());
        let model = Arc::new(Model::new(name, bundle, self.metrics.meters(name)));
        self.metrics.serving(&model);
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Some(model);
        Ok(true)
    }

    /// As [`Predictor::load`], counted among the reloads.
    ///
    /// # Errors
    /// As [`Predictor::load`].
    pub fn reload(&self) -> Result<bool, BundleError> {
        let loaded = self.load();
        match &loaded {
            Ok(true) => drop(self.metrics.reloads.inc()),
            Ok(false) => {}
            Err(_) => drop(self.metrics.reload_failures.inc()),
        }
        loaded
    }

    /// Asks to stop: no longer ready, and connections close after their next answer.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether [`Predictor::drain`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether it has a model and was not asked to stop.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.current().is_some() && !self.is_draining()
    }

    /// What it was told.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Name and version of the model that is being served.
    #[must_use]
    pub fn serves(&self) -> Option<(String, String)> {
        self.current().map(|model| (model.name.clone(), model.version.clone()))
    }

    /// Digest of the bundle that is being served.
    #[must_use]
    pub fn digest(&self) -> Option<weir_contract::Digest> {
        self.current().map(|model| model.bundle.digest())
    }

    pub(crate) fn current(&self) -> Option<Arc<Model>> {
        self.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The model that is being served. Before the first is loaded nobody can say which models there are.
    pub(crate) fn loaded(&self) -> Result<Arc<Model>, Refusal> {
        self.current().ok_or(Refusal::NotReady("the model is not loaded yet"))
    }

    /// The model of this name.
    pub(crate) fn model(&self, name: &str) -> Result<Arc<Model>, Refusal> {
        let model = self.loaded()?;
        if model.name == name {
            return Ok(model);
        }
        Err(Refusal::NotFound(format!("there is no model {name:?}; this predictor serves {:?}", model.name)))
    }

    pub(crate) fn bounds(&self, model: &Model) -> Bounds {
        Bounds { width: model.width(), rows: self.settings.max_batch }
    }

    /// Follows links first, so that all files are of one bundle even if the link is moved meanwhile.
    fn open(&self) -> Result<Bundle, BundleError> {
        let Settings { bundle, trust, .. } = &self.settings;
        let dir = bundle.canonicalize();
        let dir = dir.as_deref().unwrap_or(bundle);
        Bundle::open_from(dir, trust)
    }
}
