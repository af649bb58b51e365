//! What was seen of the rows so far.

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use weir_contract::FlowBatch;
use weir_contract::expectation::{Policy, SuiteResult};

use crate::distinct::{Counts, MAX_DISTINCT};
use crate::divergence::{Divergence, Histogram, Partition};
use crate::error::SuiteError;
use crate::exact::Moments;
use crate::field::{Field, each_number};
use crate::kind::Kind;
use crate::result;
use crate::rows::Tally;
use crate::sample::Sample;
use crate::suite::Checked;
use crate::unique::{Keys, MAX_KEYS};

/// What was seen of the rows so far, in memory that does not grow with them but for uniqueness (see [`MAX_KEYS`]).
///
/// However the rows are cut into pieces: when these are merged in their order, the result is the same to the byte.
/// It can be carried over machines as JSON or postcard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluation {
    suite: u64,
    pub(crate) rows: u64,
    pub(crate) states: Vec<State>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum State {
    /// The number of rows is enough.
    Rows,
    Tally(Tally),
    Keys(Keys),
    Extremes(Option<(i128, i128)>),
    Moments(Moments),
    Sample(Sample),
    Counts(Counts),
    Histogram(Histogram),
}

impl State {
    fn new(kind: &Kind) -> Self {
        match kind {
            Kind::Rows(..) => Self::Tally(Tally::default()),
            Kind::Unique(..) => Self::Keys(Keys::default()),
            Kind::Extreme { .. } => Self::Extremes(None),
            Kind::Moment { .. } => Self::Moments(Moments::default()),
            Kind::Median { .. } | Kind::Quantiles { .. } => Self::Sample(Sample::default()),
            Kind::Distinct { .. } | Kind::DistinctSet { .. } | Kind::MostCommon { .. } => {
                Self::Counts(Counts::default())
            }
            Kind::Divergence(Divergence { partition: Partition::Values(_), .. }) => Self::Counts(Counts::default()),
            Kind::Divergence(Divergence { partition: Partition::Bins { edges, .. }, .. }) => {
                Self::Histogram(Histogram::new(edges))
            }
            Kind::Type { .. }
            | Kind::RowCount(_)
            | Kind::ColumnCount(_)
            | Kind::ColumnSet { .. }
            | Kind::ColumnExists { .. } => Self::Rows,
        }
    }
}

impl Evaluation {
    pub(crate) fn new(checked: &Checked) -> Self {
        Self { suite: checked.fingerprint, rows: 0, states: checked.kinds.iter().map(State::new).collect() }
    }

    /// Whether this is an evaluation of that suite (as it should be when it was read from another machine).
    #[must_use]
    pub fn is_of(&self, checked: &Checked) -> bool {
        let fits = |(state, kind)| discriminant(state) == discriminant(&State::new(kind));
        self.suite == checked.fingerprint
            && self.states.len() == checked.len()
            && self.states.iter().zip(&checked.kinds).all(fits)
    }

    /// The rows seen.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes `rows` of `flows`, which come after all rows taken so far. Calls `sink(row, expectation)` for every row that
    /// is unexpected by an expectation about rows, in the order of the rows for each expectation; whether the expectation
    /// holds nevertheless (`mostly`) is known at the end ([`Evaluation::failed`]). Repeated rows of a uniqueness
    /// are not known yet and come from [`Evaluation::duplicates`].
    ///
    /// # Panics
    /// When `rows` reaches beyond `flows`, or `checked` is another suite than the one this was started from.
    pub fn observe(
        &mut self,
        checked: &Checked,
        flows: &FlowBatch,
        rows: Range<usize>,
        sink: &mut dyn FnMut(usize, usize),
    ) {
        assert!(self.is_of(checked), "an evaluation belongs to the suite it was started from");
        self.rows += rows.len() as u64;
        for (index, (kind, state)) in checked.kinds.iter().zip(&mut self.states).enumerate() {
            let rows = rows.clone();
            match (kind, state) {
                (Kind::Rows(condition, _), State::Tally(tally)) => {
                    condition.observe(flows, rows, tally, &mut |row| sink(row, index));
                }
                (Kind::Unique(unique, _), State::Keys(keys)) => keys.observe(unique, flows, rows),
                (Kind::Extreme { field, .. }, State::Extremes(extremes)) => {
                    each_number(*field, flows, rows, |_, value| *extremes = Some(widen(*extremes, (value, value))));
                }
                (Kind::Moment { field, .. }, State::Moments(moments)) => {
                    moments.observe(rows.filter_map(|row| field.number(flows, row)));
                }
                (Kind::Median { field, .. } | Kind::Quantiles { field, .. }, State::Sample(sample)) => {
                    sample.observe(*field, flows, rows);
                }
                (kind, State::Counts(counts)) => {
                    if let Some(field) = kind.counted() {
                        counts.observe(field, flows, rows, MAX_DISTINCT);
                    }
                }
                (Kind::Divergence(divergence), State::Histogram(histogram)) => {
                    if let Partition::Bins { edges, .. } = &divergence.partition {
                        histogram.observe(edges, divergence.field, flows, rows);
                    }
                }
                _ => {}
            }
        }
    }

    /// Joins an evaluation of rows that come after those of this one.
    ///
    /// # Panics
    /// When one of the two is of another suite than `checked`.
    pub fn merge(&mut self, checked: &Checked, later: Self) {
        assert!(self.is_of(checked) && later.is_of(checked), "only evaluations of the same suite can be merged");
        self.rows += later.rows;
        for (state, later) in self.states.iter_mut().zip(later.states) {
            match (state, later) {
                (State::Tally(own), State::Tally(later)) => own.merge(later),
                (State::Keys(own), State::Keys(later)) => own.merge(later),
                (State::Extremes(own), State::Extremes(Some(later))) => *own = Some(widen(*own, later)),
                (State::Moments(own), State::Moments(later)) => own.merge(&later),
                (State::Sample(own), State::Sample(later)) => own.merge(later),
                (State::Counts(own), State::Counts(later)) => own.merge(later, MAX_DISTINCT),
                (State::Histogram(own), State::Histogram(later)) => own.merge(&later),
                _ => {}
            }
        }
    }

    /// The results in the form of Great Expectations. The policy is only recorded; acting on it is the caller's.
    ///
    /// # Errors
    /// [`SuiteError`] where an expectation of uniqueness saw more than [`MAX_KEYS`] rows, or one about distinct values
    /// more than [`MAX_DISTINCT`] of them.
    ///
    /// # Panics
    /// When `checked` is another suite than the one this was started from.
    pub fn finish(&self, checked: &Checked, policy: Policy) -> Result<SuiteResult, SuiteError> {
        self.within_limits(checked)?;
        Ok(result::suite(checked, self, policy))
    }

    /// For each expectation, whether it did not hold.
    ///
    /// # Errors
    /// As [`Evaluation::finish`].
    pub fn failed(&self, checked: &Checked) -> Result<Vec<bool>, SuiteError> {
        self.within_limits(checked)?;
        Ok((0..checked.len()).map(|expectation| !result::one(checked, self, expectation).0).collect())
    }

    /// The keys that occur more than once, for a second pass over the rows; `None` when every expectation of uniqueness
    /// saw each key once. Hand its findings back to [`Evaluation::show`] so that the result shows the first of them.
    ///
    /// # Errors
    /// As [`Evaluation::finish`].
    pub fn duplicates(&self, checked: &Checked) -> Result<Option<Duplicates>, SuiteError> {
        self.within_limits(checked)?;
        let repeated = |(index, state): (usize, &State)| match state {
            State::Keys(keys) => Some((index, keys.repeated().0)).filter(|(_, keys)| !keys.is_empty()),
            _ => None,
        };
        let keys: Vec<_> = self.states.iter().enumerate().filter_map(repeated).collect();
        Ok((!keys.is_empty()).then_some(Duplicates { keys }))
    }

    /// Shows a row that [`Duplicates::observe`] found in the result; only the first 20 of an expectation are kept, so
    /// call it in the order of the rows.
    ///
    /// # Panics
    /// When `row` is not in `flows` or `expectation` not in `checked`.
    pub fn show(&mut self, checked: &Checked, flows: &FlowBatch, row: usize, expectation: usize) {
        if let (Kind::Unique(unique, _), State::Keys(keys)) =
            (&checked.kinds[expectation], &mut self.states[expectation])
        {
            let mut tally = Tally { shown: std::mem::take(&mut keys.shown), ..Tally::default() };
            tally.show(&unique.fields, flows, row);
            keys.shown = tally.shown;
        }
    }

    fn within_limits(&self, checked: &Checked) -> Result<(), SuiteError> {
        assert!(self.is_of(checked), "an evaluation belongs to the suite it was started from");
        for (index, state) in self.states.iter().enumerate() {
            match state {
                State::Keys(keys) if keys.overflowed() => {
                    let message = format!("uniqueness is checked for at most {MAX_KEYS} rows, received {}", keys.rows);
                    let hint = "check the uniqueness per input file, or leave it out: deduplication already keeps one \
                                record of a flow id";
                    return Err(checked.error(index, &message, hint));
                }
                State::Counts(counts) if counts.overflowed => {
                    let message = format!("the column has more than {MAX_DISTINCT} distinct values");
                    let hint = "such an expectation is for columns of few values; use one about quantiles or bounds";
                    return Err(checked.error(index, &message, hint));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Kind {
    /// The column whose values are counted.
    fn counted(&self) -> Option<Field> {
        match self {
            Self::Distinct { field, .. } | Self::DistinctSet { field, .. } | Self::MostCommon { field, .. } => {
                Some(*field)
            }
            Self::Divergence(divergence) => Some(divergence.field),
            _ => None,
        }
    }
}

/// The keys that occurred more than once, of each expectation of uniqueness.
#[derive(Debug, Clone)]
pub struct Duplicates {
    keys: Vec<(usize, Vec<u128>)>,
}

impl Duplicates {
    /// Calls `sink(row, expectation)` for every row whose key occurred more than once (its first occurrence included, as
    /// Great Expectations counts), in the order of the rows for each expectation. It changes nothing, so that threads
    /// can share it.
    ///
    /// # Panics
    /// When `rows` reaches beyond `flows`, or `checked` is another suite.
    pub fn observe(
        &self,
        checked: &Checked,
        flows: &FlowBatch,
        rows: Range<usize>,
        sink: &mut dyn FnMut(usize, usize),
    ) {
        for (index, keys) in &self.keys {
            if let Kind::Unique(unique, _) = &checked.kinds[*index] {
                unique.keys(flows, rows.clone(), |row, key| {
                    if key.is_some_and(|key| keys.binary_search(&key).is_ok()) {
                        sink(row, *index);
                    }
                });
            }
        }
    }

    /// The expectations that have repeated rows.
    #[must_use]
    pub fn expectations(&self) -> BTreeSet<usize> {
        self.keys.iter().map(|(index, _)| *index).collect()
    }
}

pub(crate) fn widen(range: Option<(i128, i128)>, (least, greatest): (i128, i128)) -> (i128, i128) {
    range.map_or((least, greatest), |(low, high)| (low.min(least), high.max(greatest)))
}
