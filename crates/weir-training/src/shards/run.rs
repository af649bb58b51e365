//! A shard is scored; all of them are gathered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::manifest::RungInfo;
use weir_models::Context;
use weir_models::autoencoder::AutoencoderParams;
use weir_models::search::{Order, Plan, Score};
use weir_stage::{Failure, Stage};

use super::FORMAT;
use super::bench::Bench;
use super::plan::{PLAN, ShardPlan};
use crate::encoder::Encoders;
use crate::estimate;
use crate::limit::Limit;
use crate::pieces::{Identity, Pieces, Scored};
use crate::search::{Search, Stop};
use crate::stage::{self, Bar, Outcome, Request};

/// What a shard scored, in its artifact.
const PIECES: &str = "pieces.json";

/// `pieces.json`: what a shard scored.
#[derive(Serialize, Deserialize)]
struct ShardScores {
    format: u32,
    pieces: Vec<Scored>,
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
        stage::write_run_info(&mut draft, &clock, stage::context(&request, stage).simd.code_path(), vec![info])?;
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
    let begin = Instant::now();
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
    let new =
        plan.run(&missing, Order::LongestFirst, &context, keep).map_err(|stop: Stop| stop.failure(search.label))?;
    let resumed = known.len();
    let mut all = known;
    all.extend(missing.into_iter().zip(new.into_iter().map(|scores| scores.expect("there is no deadline"))));
    let until = begin.elapsed().as_secs_f64();
    let info = RungInfo { rows: rows as u64, pieces: chosen.len(), resumed, unfinished: 0, estimate: seconds, until };
    Ok((all.iter().map(|(&piece, scores)| identity.scored(piece, scores)).collect(), info))
}
