//! One search on many machines: plan, a shard each, gather.
//!
//! A shard is a set of the search's pieces, about as long as any other. It fits scaler and encoder itself and scores its
//! pieces; gathering takes the scores as if the run had computed them, so that the artifact has the bytes of an undivided
//! run. What depends on earlier scores or on time cannot be divided: halving and budgets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::manifest::RungInfo;
use weir_contract::{Digest, Family, ParamMap, Representation, Seed, files, json as canonical};
use weir_models::search::{Order, Piece, Plan, Score};
use weir_models::{Context, Folds, autoencoder::AutoencoderParams};
use weir_stage::{Failure, Stage};

use crate::candidates::Candidates;
use crate::data::{Data, Front};
use crate::encoder::Encoders;
use crate::estimate;
use crate::limit::Limit;
use crate::params::{Strategy, TrainingParams};
use crate::pieces::{Identity, Pieces, Scored};
use crate::search::Search;
use crate::stage::{self, Bar, Outcome, Request, failure};

/// Version of `plan.json` and `pieces.json` written by this build.
const FORMAT: u32 = 1;

/// The plan, in its artifact.
pub(crate) const PLAN: &str = "plan.json";
/// What a shard scored, in its artifact.
const PIECES: &str = "pieces.json";

/// Seconds that a piece counts at least: without an estimate every piece is as long as any other.
const SHORTEST: f64 = 1e-3;

/// `plan.json`: a search that is divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardPlan {
    /// Version of this file.
    pub format: u32,
    /// Where the features artifact was.
    pub features: PathBuf,
    /// The model family.
    pub family: Family,
    /// What the models see.
    pub representation: Representation,
    params: TrainingParams,
    autoencoder: ParamMap,
    seed: Seed,
    /// Number of shards.
    pub shards: usize,
    /// Digest over what makes scores what they are.
    search: Digest,
    /// All pieces.
    pub pieces: Vec<PlannedPiece>,
}

/// A piece and who scores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedPiece {
    /// What it computes.
    pub name: String,
    /// Parameters of its candidates.
    pub candidates: Vec<ParamMap>,
    /// (Candidate, fold) pairs in it.
    pub cells: usize,
    /// Estimate, seconds on one core; 0 where there is none.
    pub seconds: f64,
    /// Estimate of the memory that it cannot do without.
    pub bytes: usize,
    /// Number of its shard, from 0.
    pub shard: usize,
}

/// `pieces.json`: what a shard scored.
#[derive(Serialize, Deserialize)]
struct ShardScores {
    format: u32,
    pieces: Vec<Scored>,
}

/// Plans the search that `request` asks for in `shards` shards, as an artifact in `out`.
///
/// # Errors
/// Usage for a search that cannot be divided, or into fewer shards; else as [`crate::run`].
pub fn plan(request: &Request, shards: usize, out: &Path, stage: &Stage) -> Result<Outcome, Failure> {
    if request.params.search == Strategy::Halving {
        return Err(Failure::usage(
            "a search by halving cannot be cut into shards: each rung depends on the one before",
        )
        .hint("use --set training.search=grid, or train without a plan"));
    }
    let clock = stage.clock();
    let bench = Bench::new(request, stage)?;
    let expectation = Expectation {
        stage: "training-plan".to_owned(),
        parameters: json!({"search": bench.expectation.parameters, "features": request.features, "shards": shards}),
        ..bench.expectation.clone()
    };
    if !stage.common().force
        && let Some(artifact) = Artifact::open_current(out, &expectation)?
    {
        return Ok(Outcome { artifact, skipped: true });
    }
    let (data, front) = bench.prepare(request, stage)?;
    let plan = bench.with_plan(request, &data, &front, |_, plan, identity, given| {
        let pieces = plan.pieces();
        if shards > pieces.len() {
            let (many, most) = (shards, pieces.len());
            return Err(Failure::usage(format!("the search has {most} pieces, so at most as many shards, not {many}")));
        }
        let of = balance(pieces, shards);
        let planned = pieces.iter().zip(of).map(|(piece, shard)| PlannedPiece {
            name: piece.name.clone(),
            candidates: candidates(piece, given),
            cells: piece.cells.len(),
            seconds: piece.estimate.seconds,
            bytes: piece.estimate.bytes,
            shard,
        });
        Ok(ShardPlan {
            format: FORMAT,
            features: request.features.clone(),
            family: request.family,
            representation: request.representation,
            params: request.params.clone(),
            autoencoder: request.autoencoder.to_map(),
            seed: request.seed,
            shards,
            search: identity.digest(),
            pieces: planned.collect(),
        })
    })?;
    let mut draft = Draft::begin(out)?;
    draft.write_json(PLAN, &plan)?;
    write_run_info(&mut draft, &clock, Vec::new())?;
    Ok(Outcome { artifact: draft.commit(expectation.seal(BTreeMap::new()))?, skipped: false })
}

/// A plan that was read, with its artifact.
pub struct OpenPlan {
    plan: ShardPlan,
    artifact: Artifact,
}

impl OpenPlan {
    /// Opens the plan in the artifact `dir`.
    ///
    /// # Errors
    /// Input for what is no plan, or one that another build made.
    pub fn open(dir: &Path) -> Result<Self, Failure> {
        let artifact = Artifact::open(dir)?;
        let manifest = artifact.manifest();
        if manifest.stage != "training-plan" {
            return Err(Failure::input(format!("{} was made by stage {}", dir.display(), manifest.stage))
                .hint("give what `weir train plan` made with --plan"));
        }
        if manifest.build != env!("WEIR_BUILD_ID") {
            return Err(Failure::input(format!("{} was made by another build of weir", dir.display()))
                .hint("plan, run the shards and gather them with one build"));
        }
        Ok(Self { plan: artifact.read_versioned(PLAN, FORMAT)?, artifact })
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &ShardPlan {
        &self.plan
    }

    fn request(&self, features: Option<&Path>, out: &Path, memory: usize) -> Result<Request, Failure> {
        let plan = &self.plan;
        let autoencoder = AutoencoderParams::from_map(&plan.autoencoder);
        let autoencoder = autoencoder
            .map_err(|error| Failure::input(format!("{}: {error}", self.artifact.dir().join(PLAN).display())))?;
        Ok(Request {
            features: features.unwrap_or(&plan.features).to_owned(),
            representation: plan.representation,
            family: plan.family,
            out: out.to_owned(),
            params: plan.params.clone(),
            limit: Limit::None,
            autoencoder: autoencoder.with_seed(plan.seed),
            seed: plan.seed,
            memory,
            encoders: Arc::new(Encoders::default()),
        })
    }

    /// Goes on if `features` are what was planned with.
    fn check(&self, features: &Artifact) -> Result<(), Failure> {
        if self.artifact.manifest().inputs.get("features") == Some(&features.digest()) {
            return Ok(());
        }
        Err(Failure::input(format!("{} is not what the plan was made with", features.dir().display()))
            .hint("give the same features with --features, or plan again"))
    }

    /// What makes a shard what it is.
    fn expectation(&self, shard: usize) -> Expectation {
        let mut inputs = self.artifact.manifest().inputs.clone();
        inputs.insert("plan".to_owned(), self.artifact.digest());
        Expectation {
            stage: "training-shard".to_owned(),
            build: env!("WEIR_BUILD_ID").to_owned(),
            inputs,
            parameters: json!({"shard": shard, "shards": self.plan.shards}),
            seed: Some(self.plan.seed),
        }
    }

    /// Scores the pieces of shard number `shard`, from 0, unless they are there already. `features` is where the features
    /// are, if not where they were for the plan; `memory` is what caches may hold, in bytes.
    ///
    /// # Errors
    /// Usage for a shard that the plan does not have, input for other features; else as [`crate::run`].
    pub fn run_shard(
        &self,
        shard: usize,
        features: Option<&Path>,
        out: &Path,
        memory: usize,
        stage: &Stage,
    ) -> Result<Outcome, Failure> {
        if shard >= self.plan.shards {
            let last = self.plan.shards - 1;
            return Err(Failure::usage(format!("the plan has shards 0 to {last}, received {shard}")));
        }
        let clock = stage.clock();
        let request = self.request(features, out, memory)?;
        let bench = Bench::new(&request, stage)?;
        self.check(&bench.features)?;
        let expectation = self.expectation(shard);
        if !stage.common().force
            && let Some(artifact) = Artifact::open_current(out, &expectation)?
        {
            Pieces::remove_leftovers(out);
            return Ok(Outcome { artifact, skipped: true });
        }
        let pieces = Pieces::open(out, stage::run_digest(&bench.expectation), stage.common().force)?;
        let (data, front) = bench.prepare(&request, stage)?;
        let (scored, info) = bench.with_plan(&request, &data, &front, |search, plan, identity, _| {
            if identity.digest() != self.plan.search {
                return Err(Failure::input(format!("{} is damaged", self.artifact.dir().join(PLAN).display()))
                    .hint("plan again"));
            }
            let chosen: Vec<usize> =
                (0..plan.pieces().len()).filter(|&piece| self.plan.pieces[piece].shard == shard).collect();
            score(search, plan, identity, &chosen, &pieces, &stage::context(&request, stage), stage)
        })?;
        let mut draft = Draft::begin_over(out)?;
        draft.write_json(PIECES, &ShardScores { format: FORMAT, pieces: scored })?;
        write_run_info(&mut draft, &clock, vec![info])?;
        stage.check()?;
        pieces.remove()?;
        Ok(Outcome { artifact: draft.commit(expectation.seal(BTreeMap::new()))?, skipped: false })
    }

    /// Makes the artifact of the undivided run from all `shards`, given in any order.
    ///
    /// # Errors
    /// Input when a shard is missing, damaged or of another plan, usage when one is given twice; else as [`crate::run`].
    pub fn gather(
        &self,
        shards: &[PathBuf],
        features: Option<&Path>,
        out: &Path,
        memory: usize,
        stage: &Stage,
    ) -> Result<Outcome, Failure> {
        let request = self.request(features, out, memory)?;
        self.check(&stage::open_features(&request)?)?;
        stage::run_with(&request, self.collect(shards)?, stage)
    }

    /// What the shards scored.
    fn collect(&self, dirs: &[PathBuf]) -> Result<Vec<Scored>, Failure> {
        let mut scored: BTreeMap<usize, Vec<Scored>> = BTreeMap::new();
        for dir in dirs {
            let artifact = Artifact::open(dir)?;
            let number = artifact.manifest().parameters.get("shard").and_then(serde_json::Value::as_u64);
            let number = number.and_then(|number| usize::try_from(number).ok());
            let number = number.filter(|&number| number < self.plan.shards);
            let of_plan = match number {
                Some(number) => Artifact::open_current(dir, &self.expectation(number))?.map(|_| number),
                None => None,
            };
            let Some(number) = of_plan else {
                return Err(Failure::input(format!("{} is no shard of this plan", dir.display()))
                    .hint("gather what `weir train run-shard` made of the same plan"));
            };
            let shard: ShardScores = artifact.read_versioned(PIECES, FORMAT)?;
            if scored.insert(number, shard.pieces).is_some() {
                return Err(Failure::usage(format!("shard {number} is given twice, again in {}", dir.display())));
            }
        }
        match (0..self.plan.shards).find(|number| !scored.contains_key(number)) {
            None => Ok(scored.into_values().flatten().collect()),
            Some(missing) => Err(Failure::input(format!("shard {missing} of {} is missing", self.plan.shards))
                .hint(format!("run it: weir train run-shard --plan PLAN --shard {missing} --out DIR"))),
        }
    }
}

/// What plan and shard make out of a request alike.
struct Bench {
    features: Artifact,
    candidates: Candidates,
    /// Of the undivided run.
    expectation: Expectation,
}

impl Bench {
    fn new(request: &Request, stage: &Stage) -> Result<Self, Failure> {
        stage.check()?;
        let candidates = Candidates::new(&request.params, request.family, request.seed)?;
        let features = stage::open_features(request)?;
        let expectation = stage::expectation(request, features.digest());
        Ok(Self { features, candidates, expectation })
    }

    fn prepare(&self, request: &Request, stage: &Stage) -> Result<(Data, Front), Failure> {
        self.features.verify()?;
        let mut data = Data::read(&self.features)?;
        let front = Front::fit(request, &self.features, &mut data, &stage::context(request, stage), stage)?;
        Ok((data, front))
    }

    /// Hands `work` the search over all rows, its plan, the plan's identity, and what was given for the candidates.
    fn with_plan<T>(
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
        let folds: Folds = search.folds(rows)?;
        let (params, given) = search.of(&self.candidates.computations());
        let plan = Plan::new(&params, search.train, &folds).map_err(|error| failure(&label, error))?;
        let identity = Identity::new(stage::run_digest(&self.expectation), rows, &plan, &given, &folds);
        work(&search, &plan, &identity, &given)
    }
}

/// Scores the pieces numbered `chosen` that `pieces` does not know.
fn score(
    search: &Search<'_>,
    plan: &Plan<'_>,
    identity: &Identity<'_>,
    chosen: &[usize],
    pieces: &Pieces,
    context: &Context<'_>,
    stage: &Stage,
) -> Result<(Vec<Scored>, RungInfo), Failure> {
    let begin = std::time::Instant::now();
    let rows = search.train.rows();
    let known: BTreeMap<usize, Vec<Score>> =
        chosen.iter().filter_map(|&piece| Some((piece, pieces.find(identity, piece)?))).collect();
    let missing: Vec<usize> = chosen.iter().copied().filter(|piece| !known.contains_key(piece)).collect();
    let seconds = estimate::seconds(plan.pieces(), &missing, stage.threads());
    estimate::announce(search, search.candidates.len(), rows, &missing, known.len(), seconds, stage);
    let cells = missing.iter().map(|&piece| plan.pieces()[piece].cells.len() as u64).sum();
    let bar = stage.progress(&format!("scoring a shard of {}", search.label), cells);
    let context = Context { progress: &Bar(&bar), ..*context };
    let keep = |piece: usize, scores: &[Score]| Ok(pieces.keep(identity, piece, scores)?);
    let new = plan
        .run(&missing, Order::LongestFirst, &context, keep)
        .map_err(|stop: crate::search::Stop| stop.failure(search.label))?;
    let resumed = known.len();
    let mut all = known;
    all.extend(missing.into_iter().zip(new.into_iter().map(|scores| scores.expect("there is no deadline"))));
    let until = begin.elapsed().as_secs_f64();
    let info = RungInfo { rows: rows as u64, pieces: chosen.len(), resumed, unfinished: 0, estimate: seconds, until };
    Ok((all.iter().map(|(&piece, scores)| identity.scored(piece, scores)).collect(), info))
}

/// The shard of every piece: the longest first, each to the shard that has least to do, the first of equals.
fn balance(pieces: &[Piece], shards: usize) -> Vec<usize> {
    let seconds = |piece: usize| pieces[piece].estimate.seconds.max(SHORTEST);
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by(|&a, &b| seconds(b).total_cmp(&seconds(a)));
    let mut load = vec![0.0; shards];
    let mut of = vec![0; pieces.len()];
    for piece in order {
        let least = (0..shards).fold(0, |least, shard| if load[shard] < load[least] { shard } else { least });
        of[piece] = least;
        load[least] += seconds(piece);
    }
    of
}

/// What was given for the candidates of a piece, each once.
fn candidates(piece: &Piece, given: &[ParamMap]) -> Vec<ParamMap> {
    let mut numbers: Vec<usize> = piece.cells.iter().map(|cell| cell.candidate).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().map(|number| given[number].clone()).collect()
}

fn write_run_info(draft: &mut Draft, clock: &weir_stage::RunClock, rungs: Vec<RungInfo>) -> Result<(), Failure> {
    let mut info = clock.run_info("");
    info.rungs = rungs;
    let info = canonical::to_canonical(&info).map_err(|error| Failure::retry(format!("no JSON form: {error}")))?;
    Ok(draft.write_unsealed(files::RUN_INFO, &info)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_models::search::Estimate;

    #[test]
    fn shards_are_about_as_long_as_each_other() {
        let piece =
            |seconds| Piece { name: String::new(), cells: Vec::new(), estimate: Estimate { seconds, bytes: 0 } };
        let pieces: Vec<Piece> = [1.0, 5.0, 3.0, 3.0].map(piece).into();
        // 5 to the first, 3 and 3 to the second, 1 to the first.
        assert_eq!(balance(&pieces, 2), [0, 0, 1, 1]);
        let unknown: Vec<Piece> = [0.0; 5].map(piece).into();
        assert_eq!(balance(&unknown, 2), [0, 1, 0, 1, 0]);
    }
}
