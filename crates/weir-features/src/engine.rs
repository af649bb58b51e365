//! The passes over the cells of a run.
//!
//! One pass is enough for most runs: every cell is deduplicated, checked, split, transformed, written and described as
//! it comes. What has to be known of all rows before the first can be written costs a pass of its own that writes
//! nothing: whether the suite holds under the policy `strict`, the borders of a split by time, the flow ids of train for
//! a set that numbers them. A pass that finds an expectation broken that was allowed some unexpected rows (`mostly`) is
//! made again under the policy `quarantine`, and then sets those rows aside.

use std::ops::Range;
use std::path::PathBuf;

use weir_artifact::Draft;
use weir_contract::expectation::Policy;
use weir_contract::feature::Example;
use weir_contract::files;
use weir_contract::statistics::RowAccount;
use weir_expectations::{Duplicates, Evaluation};
use weir_stage::{Failure, Stage};
use weir_tables::{QuarantineWriter, Quarantined};
use weir_transform::{FlowIds, Transform};

use crate::cell::{Cell, Rules};
use crate::definitions::Definitions;
use crate::describe::Description;
use crate::input::role;
use crate::params::FeaturesParams;
use crate::scan::Scanned;
use crate::shuffle::Origin;
use crate::split::{Split, SplitKind, Times};
use crate::sweep::sweep;
use crate::tables::Open;

/// A run whose flows are read.
pub(crate) struct Engine<'a> {
    pub(crate) files: &'a [PathBuf],
    pub(crate) scanned: Scanned,
    pub(crate) definitions: &'a Definitions,
    pub(crate) params: &'a FeaturesParams,
    /// Whether the rows stay together, without a split and with flow ids as they are.
    pub(crate) whole: bool,
    /// Whether these are not all rows, so that nobody knows yet which expectations hold.
    pub(crate) sharded: bool,
    /// Cells that are worked on.
    pub(crate) cells: Range<usize>,
    pub(crate) stage: &'a Stage,
}

/// What came of the rows.
pub(crate) struct Emitted {
    pub(crate) evaluation: Evaluation,
    pub(crate) description: Description,
    pub(crate) account: RowAccount,
    pub(crate) examples: Vec<Example>,
    pub(crate) transform: Transform,
    /// The first row set aside, for messages.
    pub(crate) first_aside: Option<Quarantined>,
}

/// What earlier passes found of the suite.
struct Known {
    /// The expectations that do not hold.
    failed: Vec<bool>,
    duplicates: Option<Duplicates>,
}

/// Rows set aside.
struct Aside {
    out: QuarantineWriter,
    first: Option<Quarantined>,
}

impl Aside {
    fn push(&mut self, (file, line): (u32, u64), reason: String, row: String) -> Result<(), Failure> {
        let row = Quarantined { file: role(file as usize), line, reason, row };
        self.first.get_or_insert_with(|| row.clone());
        Ok(self.out.push(row)?)
    }
}

/// Takes cells in their order, with the part of each of their rows.
type Each<'a> = dyn FnMut(&[Cell], &[Vec<u8>]) -> Result<(), Failure> + Send + 'a;

/// What a pass counts.
struct Pass {
    evaluation: Evaluation,
    deduplicated: u64,
    breaking: u64,
    broken: Option<(Origin, usize)>,
}

impl Engine<'_> {
    /// Gives the kept rows to what `open` opens for a transform, and writes the rows set aside to `draft`. `open` is called
    /// again when a pass has to be made again.
    ///
    /// # Errors
    /// A gate under the policy `strict`; too many flow ids for a set that numbers them; a full disk; Ctrl-C.
    pub(crate) fn emit(&mut self, draft: &Draft, open: &Open<'_>) -> Result<Emitted, Failure> {
        let set = &self.definitions.set;
        let mut known = Known { failed: vec![false; self.definitions.suite.len()], duplicates: None };
        // Of the transform only the numbers of flow ids are learned: an unfitted one refuses the same rows.
        let unfitted = Transform::fit(set.clone(), std::iter::empty())?;
        let split = self.settle(&mut known, &unfitted)?;
        loop {
            let transform = match set.uses_flow_id() && !self.whole {
                true => self.number_ids(&known, &unfitted, split)?,
                false => unfitted.clone(),
            };
            let mut output = open(&transform)?;
            let mut aside = Aside { out: QuarantineWriter::create(&draft.path(files::QUARANTINE)?)?, first: None };
            self.scanned.unreadable.for_each(|row| aside.push((row.file, row.line), row.reason, row.text))?;
            let mut description = Description::default();
            let pass = self.pass(&known, &transform, split, &mut |cells, splits| {
                for (cell, split) in cells.iter().zip(splits) {
                    output.append(cell, split)?;
                    for (origin, reason, flow) in &cell.aside {
                        aside.push(self.scanned.file_and_line(*origin), reason.clone(), flow.clone())?;
                    }
                }
                description.observe(cells, splits, set.uses_address());
                Ok(())
            })?;
            if self.again(&pass, &mut known)? {
                continue;
            }
            if self.params.policy == Policy::Always && pass.breaking > 0 {
                self.stage.warn(self.broken(&pass));
            }
            let examples = output.finish()?;
            let account = self.account(&pass, &description, aside.out.rows());
            let first_aside = aside.first;
            aside.out.finish()?;
            return Ok(Emitted { evaluation: pass.evaluation, description, account, examples, transform, first_aside });
        }
    }

    /// Finds out what has to be known of all rows before the first can be written, but for flow ids: the split, and
    /// whether the policy `strict` lets the flows pass.
    fn settle(&self, known: &mut Known, unfitted: &Transform) -> Result<Split, Failure> {
        let FeaturesParams { train, test, policy, .. } = *self.params;
        let by_hash = if self.whole { Split::Whole } else { Split::by_hash(train, test) };
        let strict = policy == Policy::Strict && !self.sharded;
        if !strict && !self.by_time() {
            return Ok(by_hash);
        }
        loop {
            let mut times = Times::default();
            let pass = self.pass(known, unfitted, by_hash, &mut |cells, _| {
                cells.iter().flat_map(|cell| cell.flows.event_time.iter()).flatten().for_each(|time| times.add(time));
                Ok(())
            })?;
            self.gate(&pass)?;
            if !self.again(&pass, known)? {
                return Ok(if self.by_time() { times.split(train, test) } else { by_hash });
            }
        }
    }

    fn by_time(&self) -> bool {
        self.params.split == SplitKind::Time && !self.whole
    }

    /// Where every record went.
    fn account(&self, pass: &Pass, description: &Description, quarantined: u64) -> RowAccount {
        let Scanned { shuffle, unreadable, excluded, .. } = &self.scanned;
        let account = RowAccount {
            input: shuffle.rows() + excluded.values().sum::<u64>() + unreadable.count(),
            kept: (0..3).map(|part| description.classes.rows(part)).sum(),
            quarantined,
            deduplicated: pass.deduplicated,
            excluded: excluded.clone(),
        };
        assert!(account.balances(), "every row is in one place: {account:?}");
        account
    }

    /// Fits the transform on the flow ids of the rows of train that are kept.
    fn number_ids(&self, known: &Known, unfitted: &Transform, split: Split) -> Result<Transform, Failure> {
        let mut ids = Vec::new();
        self.pass(known, unfitted, split, &mut |cells, splits| {
            for (cell, split) in cells.iter().zip(splits) {
                let train = split.iter().enumerate().filter(|(_, part)| **part == 0);
                let train = train.filter_map(|(row, _)| cell.flows.flow_id.get(row));
                ids.extend(train.filter(|id| FlowIds::ranks(id)).map(str::to_owned));
            }
            if ids.len() > FlowIds::LIMIT {
                Transform::fit(self.definitions.set.clone(), ids.iter().map(String::as_str))?;
            }
            Ok(())
        })?;
        Ok(Transform::fit(self.definitions.set.clone(), ids.iter().map(String::as_str))?)
    }

    /// One pass over all cells, in their order.
    fn pass(&self, known: &Known, transform: &Transform, split: Split, each: &mut Each<'_>) -> Result<Pass, Failure> {
        let suite = &self.definitions.suite;
        let rules = Rules {
            suite,
            policy: self.params.policy,
            failed: &known.failed,
            duplicates: known.duplicates.as_ref(),
            transform,
            needs_time: self.by_time(),
        };
        let mut pass = Pass { evaluation: suite.start(), deduplicated: 0, breaking: 0, broken: None };
        sweep(&self.scanned.shuffle, self.cells.clone(), &rules, self.stage, |mut cells| {
            let splits: Vec<Vec<u8>> = cells.iter().map(|cell| parts(cell, split)).collect();
            for cell in &mut cells {
                pass.deduplicated += cell.deduplicated;
                pass.breaking += cell.breaking;
                pass.broken = pass.broken.into_iter().chain(cell.broken).min();
                pass.evaluation.merge(suite, std::mem::replace(&mut cell.evaluation, suite.start()));
            }
            each(&cells, &splits)
        })?;
        Ok(pass)
    }

    /// Whether rows have to be set aside for expectations that turned out not to hold.
    fn again(&self, pass: &Pass, known: &mut Known) -> Result<bool, Failure> {
        if self.sharded {
            return Ok(false);
        }
        let suite = &self.definitions.suite;
        let failed = pass.evaluation.failed(suite)?;
        let late = (0..failed.len()).any(|i| failed[i] && !known.failed[i] && suite.is_late(i));
        let again = late && self.params.policy == Policy::Quarantine;
        if again {
            *known = Known { failed, duplicates: pass.evaluation.duplicates(suite)? };
        }
        Ok(again)
    }

    /// Refuses flows that break the suite under the policy `strict`.
    fn gate(&self, pass: &Pass) -> Result<(), Failure> {
        let suite = &self.definitions.suite;
        let broken = pass.evaluation.failed(suite)?.iter().position(|&failed| failed);
        match broken {
            Some(first) if self.params.policy == Policy::Strict => {
                let text = if pass.breaking > 0 {
                    self.broken(pass)
                } else {
                    format!("the flows break the expectation {}", suite.describe(first))
                };
                Err(Failure::gate(text).hint("mend the flows, or set features.policy = \"quarantine\""))
            }
            _ => Ok(()),
        }
    }

    fn broken(&self, pass: &Pass) -> String {
        let Some((origin, expectation)) = pass.broken else { return String::new() };
        let (file, line) = self.scanned.file_and_line(origin);
        let (rows, place) = (pass.breaking, self.files[file as usize].display());
        let expectation = self.definitions.suite.describe(expectation);
        format!("{rows} rows break the expectations, first {place}:{line}: {expectation}")
    }
}

/// The part of the split that each row of a cell is in.
fn parts(cell: &Cell, split: Split) -> Vec<u8> {
    cell.places.iter().enumerate().map(|(row, &place)| split.part(place, cell.flows.event_time.get(row))).collect()
}

/// The features' names, in column order.
pub(crate) fn names(transform: &Transform) -> Vec<String> {
    transform.set().features().iter().map(|feature| feature.name.clone()).collect()
}
