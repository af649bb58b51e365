//! What planning a search and scoring a shard of it begin with.

use weir_artifact::{Artifact, Expectation};
use weir_contract::ParamMap;
use weir_models::search::Plan;
use weir_stage::{Failure, Stage};

use crate::candidates::Candidates;
use crate::data::{Data, Front};
use crate::limit::Limit;
use crate::pieces::Identity;
use crate::search::Search;
use crate::stage::{self, Request, failure};

/// What plan and shard make out of a request alike.
pub(super) struct Bench {
    pub(super) features: Artifact,
    candidates: Candidates,
    /// Of the undivided run.
    pub(super) expectation: Expectation,
}

impl Bench {
    pub(super) fn new(request: &Request, stage: &Stage) -> Result<Self, Failure> {
        stage.check()?;
        let candidates = Candidates::new(&request.params, request.family, request.seed)?;
        let features = stage::open_features(request)?;
        let expectation = stage::expectation(request, features.digest());
        Ok(Self { features, candidates, expectation })
    }

    pub(super) fn prepare(&self, request: &Request, stage: &Stage) -> Result<(Data, Front), Failure> {
        self.features.verify()?;
        let mut data = Data::read(&self.features)?;
        let front = Front::fit(request, &self.features, &mut data, &stage::context(request, stage), stage)?;
        Ok((data, front))
    }

    /// Hands `work` the search over all rows, its plan, the plan's identity, and what was given for the candidates.
    pub(super) fn with_plan<T>(
        &self,
        request: &Request,
        data: &Data,
        front: &Front,
        work: impl FnOnce(&Search<'_>, &Plan<'_>, &Identity<'_>, &[ParamMap]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let label = stage::label(request);
        let search = Search {
            label: &label,
            family: request.family,
            representation: request.representation,
            candidates: &self.candidates,
            train: front.train(data),
            params: &request.params,
            limit: &Limit::None,
        };
        let rows = search.train.rows();
        let folds = search.folds(rows)?;
        let (params, given) = search.of(&self.candidates.computations());
        let plan = Plan::new(&params, search.train, &folds).map_err(|error| failure(&label, error))?;
        let identity = Identity::new(stage::run_digest(&self.expectation), rows, &plan, &given, &folds);
        work(&search, &plan, &identity, &given)
    }
}
