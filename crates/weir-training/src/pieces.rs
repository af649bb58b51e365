//! What is scored already, piece by piece, in files that a person can read: a search that was interrupted goes on.
//!
//! ```text
//! <artifact>/.weir-work/
//! ├── lock                                          held while a run works here
//! └── pieces-<digest of the run>/
//!     └── <digest of the rung's plan>-<number>.json
//! ```
//!
//! A file counts when its seal holds and it is of the same features, parameters, seed, build and piece; anything else is
//! computed again. The directory goes before the artifact is committed.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_artifact::{Draft, WORK};
use weir_contract::{Digest, ParamMap, json as canonical};
use weir_models::Folds;
use weir_models::search::{Piece, Plan, Score};
use weir_stage::Failure;

/// The file whose lock a run holds.
const LOCK: &str = "lock";

/// A scored piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scored {
    /// Digest over features, parameters, seed, build, rows, candidates and pieces.
    plan: Digest,
    /// Name of the piece.
    piece: String,
    cells: Vec<ScoredCell>,
}

/// A candidate on a fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ScoredCell {
    parameters: ParamMap,
    /// From 1.
    fold: usize,
    /// Held-out rows predicted as they are.
    right: u64,
    /// Held-out rows.
    of: u64,
    converged: bool,
}

/// A scored piece as it is kept, with the digest of its canonical JSON.
#[derive(Serialize, Deserialize)]
struct Sealed {
    scored: Scored,
    sha256: Digest,
}

/// The plan of a rung, for telling whether a scored piece is of it.
pub(crate) struct Identity<'a> {
    digest: Digest,
    pieces: &'a [Piece],
    candidates: &'a [ParamMap],
    held_out: Vec<u64>,
}

impl<'a> Identity<'a> {
    /// Of the plan over `folds` of the first `rows` rows for `candidates`, in the run that `run` tells.
    pub(crate) fn new(run: Digest, rows: usize, plan: &'a Plan<'_>, candidates: &'a [ParamMap], folds: &Folds) -> Self {
        let cells = |piece: &Piece| piece.cells.iter().map(|cell| (cell.candidate, cell.fold)).collect::<Vec<_>>();
        let pieces: Vec<_> = plan.pieces().iter().map(|piece| (&piece.name, cells(piece))).collect();
        let all = json!({"run": run, "rows": rows, "folds": folds.len(), "candidates": candidates, "pieces": pieces});
        let digest = Digest::of(&canonical::to_canonical(&all).expect("texts and numbers have a JSON form"));
        let held_out = folds.folds().iter().map(|fold| fold.test.len() as u64).collect();
        Self { digest, pieces: plan.pieces(), candidates, held_out }
    }

    /// Digest of all of it.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// What is kept of `scores` of piece number `piece`.
    pub(crate) fn scored(&self, piece: usize, scores: &[Score]) -> Scored {
        let Piece { name, cells, .. } = &self.pieces[piece];
        let cell = |(cell, score): (&weir_models::search::Cell, &Score)| ScoredCell {
            parameters: self.candidates[cell.candidate].clone(),
            fold: cell.fold + 1,
            right: score.right,
            of: self.held_out[cell.fold],
            converged: score.converged,
        };
        Scored { plan: self.digest, piece: name.clone(), cells: cells.iter().zip(scores).map(cell).collect() }
    }

    /// The scores of piece number `piece`, if `scored` is that piece.
    fn scores(&self, piece: usize, scored: &Scored) -> Option<Vec<Score>> {
        let scores: Vec<Score> =
            scored.cells.iter().map(|cell| Score { right: cell.right, converged: cell.converged }).collect();
        let possible = scored.cells.iter().all(|cell| cell.right <= cell.of);
        let cells = self.pieces[piece].cells.len() == scores.len();
        (possible && cells && self.scored(piece, &scores) == *scored).then_some(scores)
    }
}

/// The scored pieces of a run.
pub(crate) struct Pieces {
    out: PathBuf,
    work: PathBuf,
    dir: PathBuf,
    run: Digest,
    /// Held for its lock alone.
    _lock: File,
    /// Scored elsewhere, by plan and name.
    known: BTreeMap<(Digest, String), Scored>,
}

impl Pieces {
    /// Opens the pieces that a run left in the directory of the artifact `out`; those of any other run are removed, and
    /// all of them if `afresh`. An artifact that is there stays as it is.
    ///
    /// # Errors
    /// [`Failure`]: usage for a directory that is no artifact's, retry when another run works there or the disk refuses.
    pub(crate) fn open(out: &Path, run: Digest, afresh: bool) -> Result<Self, Failure> {
        Draft::check(out)?;
        let work = out.join(WORK);
        let lock = lock(&work)?;
        let name = format!("pieces-{}", run.short());
        for entry in fs::read_dir(&work).map_err(|error| failed("list", &work, &error))? {
            let entry = entry.map_err(|error| failed("list", &work, &error))?;
            let is_kept = entry.file_name() == LOCK || !afresh && entry.file_name() == *name;
            if !is_kept {
                remove(&entry.path())?;
            }
        }
        let dir = work.join(name);
        fs::create_dir_all(&dir).map_err(|error| failed("create", &dir, &error))?;
        Ok(Self { out: out.to_owned(), work, dir, run, _lock: lock, known: BTreeMap::new() })
    }

    /// Takes in pieces that were scored elsewhere.
    pub(crate) fn take_in(&mut self, scored: Vec<Scored>) {
        self.known.extend(scored.into_iter().map(|scored| ((scored.plan, scored.piece.clone()), scored)));
    }

    /// Digest of what makes the run what it is.
    pub(crate) fn run(&self) -> Digest {
        self.run
    }

    /// The scores of piece number `piece`, if it is scored.
    pub(crate) fn find(&self, identity: &Identity<'_>, piece: usize) -> Option<Vec<Score>> {
        if let Some(scored) = self.known.get(&(identity.digest, identity.pieces[piece].name.clone())) {
            return identity.scores(piece, scored);
        }
        let bytes = fs::read(self.path(identity, piece)).ok()?;
        let Sealed { scored, sha256 } = serde_json::from_slice(&bytes).ok()?;
        (seal(&scored) == sha256).then(|| identity.scores(piece, &scored))?
    }

    /// Keeps the scores of piece number `piece`. A file is there whole or not at all.
    ///
    /// # Errors
    /// [`Failure`] to be tried again when the disk refuses.
    pub(crate) fn keep(&self, identity: &Identity<'_>, piece: usize, scores: &[Score]) -> Result<(), Failure> {
        let scored = identity.scored(piece, scores);
        let sha256 = seal(&scored);
        let bytes = canonical::to_canonical(&Sealed { scored, sha256 }).expect("texts and numbers have a JSON form");
        let path = self.path(identity, piece);
        let partial = path.with_extension("partial");
        fs::write(&partial, bytes).map_err(|error| failed("write", &partial, &error))?;
        fs::rename(&partial, &path).map_err(|error| failed("rename", &partial, &error))
    }

    fn path(&self, identity: &Identity<'_>, piece: usize) -> PathBuf {
        self.dir.join(format!("{}-{piece:04}.json", identity.digest.short()))
    }

    /// Removes all of it, before the artifact is committed.
    ///
    /// # Errors
    /// [`Failure`] to be tried again when the disk refuses.
    pub(crate) fn remove(self) -> Result<(), Failure> {
        remove(&self.work)
    }

    /// Removes what a killed run left beside the finished artifact `out`, unless a run is at work there.
    pub(crate) fn remove_leftovers(out: &Path) {
        let work = out.join(WORK);
        if work.exists() && lock(&work).is_ok() {
            // What cannot be removed harms nobody.
            let _ = fs::remove_dir_all(&work);
        }
    }
}

impl Drop for Pieces {
    /// A run that scored nothing leaves nothing; directories that hold something are not removed.
    fn drop(&mut self) {
        if fs::remove_dir(&self.dir).is_ok() {
            let _ = fs::remove_file(self.work.join(LOCK));
            let _ = fs::remove_dir(&self.work);
            let _ = fs::remove_dir(&self.out);
        }
    }
}

fn seal(scored: &Scored) -> Digest {
    Digest::of(&canonical::to_canonical(scored).expect("texts and numbers have a JSON form"))
}

/// Creates `dir` and locks it; the system lets go of the lock when the process ends.
fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join(LOCK);
    loop {
        fs::create_dir_all(dir).map_err(|error| failed("create", dir, &error))?;
        let file = match File::options().write(true).create(true).truncate(false).open(&path) {
            // The run before us has removed the directory in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(|error| failed("create", &path, &error))?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::retry(format!("another run is at work in {}", dir.display()))
                    .hint("wait for it to end, or write to another directory"));
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path, &error)),
        }
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (held, named) = (file.metadata().map(identity), fs::metadata(&path).map(identity));
        if matches!((held, named), (Ok(held), Ok(named)) if held == named) {
            return Ok(file);
        }
    }
}

fn remove(path: &Path) -> Result<(), Failure> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|error| failed("remove", path, &error))
}

fn failed(action: &str, path: &Path, error: &io::Error) -> Failure {
    let failure = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Failure::usage,
        _ => Failure::retry,
    };
    failure(format!("failed to {action} {}: {error}", path.display())).hint("name a directory on a disk with room")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use weir_contract::{Family, ParamValue};
    use weir_models::{Dataset, ModelParams};

    /// Hands a test the identity of a small plan.
    fn with_identity(run: &[u8], test: impl FnOnce(&Identity<'_>)) {
        let x = Array2::from_shape_fn((12, 2), |(row, column)| (row * (column + 1) % 5) as f64);
        let y: Vec<u8> = (0..12).map(|row| u8::from(row % 2 == 0)).collect();
        let folds = Folds::stratified(&y, 2).unwrap();
        let given = [3, 5].map(|k| ParamMap::from([("n_neighbors".to_owned(), ParamValue::Int(k))]));
        let params: Vec<ModelParams> =
            given.iter().map(|map| ModelParams::from_map(Family::Knn, map).unwrap()).collect();
        let plan = Plan::new(&params, Dataset::new(x.view(), &y), &folds).unwrap();
        test(&Identity::new(Digest::of(run), 12, &plan, &given, &folds));
    }

    fn scores(right: [u64; 2]) -> Vec<Score> {
        right.iter().map(|&right| Score { right, converged: true }).collect()
    }

    #[test]
    fn a_piece_is_found_again_by_the_same_run_only() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("trials");
        let open = |run: &[u8], afresh| Pieces::open(&out, Digest::of(run), afresh).unwrap();
        with_identity(b"one", |identity| {
            let pieces = open(b"one", false);
            assert_eq!(pieces.find(identity, 0), None);
            pieces.keep(identity, 0, &scores([4, 5])).unwrap();
            assert!(Pieces::open(&out, Digest::of(b"one"), false).err().unwrap().message.contains("another run"));
            drop(pieces);
            let pieces = open(b"one", false);
            assert_eq!(pieces.find(identity, 0), Some(scores([4, 5])));
            assert_eq!(pieces.find(identity, 1), None);
            // Another run of the same directory does not know it, nor does one whose rung has another plan.
            with_identity(b"two", |other| assert_eq!(pieces.find(other, 0), None));
            drop(pieces);
            drop(open(b"one", true));
            assert!(!out.exists(), "a run that scored nothing leaves nothing");
            open(b"one", false).keep(identity, 0, &scores([4, 5])).unwrap();
            drop(open(b"two", false));
            assert_eq!(open(b"one", false).find(identity, 0), None);
        });
    }

    #[test]
    fn a_damaged_file_is_not_believed() {
        let place = tempfile::tempdir().unwrap();
        let pieces = Pieces::open(place.path(), Digest::of(b"one"), false).unwrap();
        with_identity(b"one", |identity| {
            pieces.keep(identity, 0, &scores([4, 5])).unwrap();
            let path = pieces.path(identity, 0);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains("\"piece\": \"") && text.contains("\"n_neighbors\": 3"), "{text}");
            for damaged in [text.replace("\"right\": 4", "\"right\": 6"), text[..text.len() / 2].to_owned()] {
                fs::write(&path, &damaged).unwrap();
                assert_eq!(pieces.find(identity, 0), None, "{damaged}");
            }
            fs::write(&path, text).unwrap();
            assert_eq!(pieces.find(identity, 0), Some(scores([4, 5])));
        });
    }
}
