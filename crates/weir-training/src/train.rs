//! The computation: the default fit beside the search, then the fit of the best candidate.

use std::time::Instant;

use weir_contract::manifest::RungInfo;
use weir_contract::search::SearchResults;
use weir_contract::trial::Trial;
use weir_contract::{ParamMap, Setting};
use weir_models::{Context, Detector, ModelParams};
use weir_stage::{Failure, RunClock, Stage};

use crate::candidates::Candidates;
use crate::data::{Data, Front};
use crate::pieces::Pieces;
use crate::search::Search;
use crate::stage::{Bar, Request, failure, label};
use crate::trial;

/// What is computed, from what.
pub(crate) struct Training<'a> {
    pub(crate) request: &'a Request,
    pub(crate) candidates: &'a Candidates,
    pub(crate) data: &'a Data,
    pub(crate) front: &'a Front,
    pub(crate) pieces: &'a Pieces,
    pub(crate) context: Context<'a>,
    pub(crate) stage: &'a Stage,
}

/// Search and fits.
pub(crate) struct Trained {
    pub(crate) search: SearchResults,
    pub(crate) rungs: Vec<RungInfo>,
    /// Default, then best.
    pub(crate) fits: [(Trial, Detector); 2],
}

impl Training<'_> {
    /// Searches and fits, and adds the parts `default`, `search` and `best` to `clock`. A best candidate that is the
    /// computation of the default fit is not fitted again.
    pub(crate) fn run(&self, clock: &mut RunClock) -> Result<Trained, Failure> {
        let label = label(self.request);
        let search = Search {
            label: &label,
            family: self.request.family,
            representation: self.request.representation,
            candidates: self.candidates,
            train: self.front.train(self.data),
            params: &self.request.params,
            limit: &self.request.limit,
        };
        let sizes = search.sizes();
        let work = search.cells(&sizes) + Setting::ALL.len() as u64;
        let bar = self.stage.progress(&format!("training {label}"), work);
        let context = Context { progress: &Bar(&bar), ..self.context };
        let folds = search.folds(search.train.rows())?;
        let fit = |setting: Setting, params: &ModelParams, context: &Context<'_>| {
            let begin = Instant::now();
            let fitted = trial::fit(self.request, setting, params, self.data, self.front, &folds, context);
            let fitted = fitted.map_err(|error| failure(&label, error))?;
            bar.advance(1);
            Ok::<_, Failure>((fitted, begin.elapsed().as_secs_f64()))
        };

        let default = ModelParams::from_map(self.request.family, &ParamMap::new()).expect("defaults hold");
        // Both hold caches at the same time.
        let (few, most) = (context.memory / 4, context.memory - context.memory / 4);
        let (default_fit, searched) = rayon::join(
            || fit(Setting::Default, &default, &Context { memory: few, ..context }),
            || {
                let begin = Instant::now();
                let found = search.run(&sizes, self.pieces, &Context { memory: most, ..context }, self.stage)?;
                Ok::<_, Failure>((found, begin.elapsed().as_secs_f64()))
            },
        );
        let (default_fit, seconds) = default_fit?;
        clock.add("default", seconds);
        let ((table, rungs), seconds) = searched?;
        clock.add("search", seconds);

        let best = &self.candidates.params[table.best];
        let mut best_fit = if best.computation() == default.computation() {
            let (trial, detector) = &default_fit;
            (trial::again(trial, Setting::Best, best), detector.clone())
        } else {
            let (fitted, seconds) = fit(Setting::Best, best, &context)?;
            clock.add("best", seconds);
            fitted
        };
        if let Some(cut) = table.candidates[table.best].cut {
            let rows = self.data.train.y.len();
            best_fit.0.warnings.push(format!("chosen on {} of {rows} rows of train: the time was up", cut.rows));
        }
        Ok(Trained { search: table, rungs, fits: [default_fit, best_fit] })
    }
}
