//! `plan.json`: the pieces of a search, and which shard scores each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::{Digest, Family, ParamMap, Representation, Seed};
use weir_models::search::Piece;
use weir_stage::{Failure, Stage};

use super::FORMAT;
use super::bench::Bench;
use crate::params::{Strategy, TrainingParams};
use crate::stage::{self, Outcome, Request};

/// The plan, in its artifact.
pub(crate) const PLAN: &str = "plan.json";

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
    pub(super) params: TrainingParams,
    pub(super) autoencoder: ParamMap,
    pub(super) seed: Seed,
    /// Number of shards.
    pub shards: usize,
    /// Digest over what makes scores what they are.
    pub(super) search: Digest,
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
    stage::write_run_info(&mut draft, &clock, "", Vec::new())?;
    Ok(Outcome { artifact: draft.commit(expectation.seal(BTreeMap::new()))?, skipped: false })
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
