//! Expectations about rows: each present row is expected or unexpected.

use std::ops::Range;

use regex::Regex;
use serde::{Deserialize, Serialize};
use weir_contract::FlowBatch;
use weir_contract::flow::Column;

use crate::field::{Cell, Field, Numbers, any_null};

/// Unexpected rows shown in a result, as Great Expectations does.
const SHOWN: usize = 20;

/// A condition on a row.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    NotNull(Field),
    Null(Field),
    /// Whole numbers from the first to the second.
    Between(Field, (i128, i128)),
    /// In the set, or with `false` not in it.
    InSet(Field, Vec<Cell>, bool),
    /// Matched somewhere, or with `false` nowhere.
    Match(Field, Regex, bool),
    /// Characters of the value as text.
    Lengths(Field, (i128, i128)),
    Greater {
        a: Field,
        b: Field,
        or_equal: bool,
        ignore: Ignore,
    },
    Equal {
        a: Field,
        b: Field,
        ignore: Ignore,
    },
    DistinctWithin(Vec<Field>, Ignore),
}

/// When a row of several columns counts as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignore {
    Never,
    AnyMissing,
    AllMissing,
}

impl Ignore {
    pub(crate) fn row(self, fields: &[Field], flows: &FlowBatch, row: usize) -> bool {
        match self {
            Self::Never => false,
            Self::AnyMissing => fields.iter().any(|field| field.is_null(flows, row)),
            Self::AllMissing => fields.iter().all(|field| field.is_null(flows, row)),
        }
    }
}

/// How often a row was what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) missing: u64,
    pub(crate) unexpected: u64,
    /// The cells of the first unexpected rows.
    pub(crate) shown: Vec<Vec<Cell>>,
}

impl Tally {
    pub(crate) fn merge(&mut self, later: Self) {
        self.missing += later.missing;
        self.unexpected += later.unexpected;
        self.shown.extend(later.shown);
        self.shown.truncate(SHOWN);
    }

    pub(crate) fn show(&mut self, fields: &[Field], flows: &FlowBatch, row: usize) {
        if self.shown.len() < SHOWN {
            self.shown.push(fields.iter().map(|field| field.cell(flows, row)).collect());
        }
    }
}

/// How a row stands to a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Expected,
    Unexpected,
    Missing,
}

fn judge(expected: bool) -> Standing {
    if expected { Standing::Expected } else { Standing::Unexpected }
}

impl Condition {
    /// The columns shown for an unexpected row.
    pub(crate) fn fields(&self) -> Vec<Field> {
        match self {
            Self::NotNull(field)
            | Self::Null(field)
            | Self::Between(field, _)
            | Self::InSet(field, ..)
            | Self::Match(field, ..)
            | Self::Lengths(field, _) => vec![*field],
            Self::Greater { a, b, .. } | Self::Equal { a, b, .. } => vec![*a, *b],
            Self::DistinctWithin(fields, _) => fields.clone(),
        }
    }

    /// Judges `rows` in their order and calls `unexpected` with each that is.
    pub(crate) fn observe(
        &self,
        flows: &FlowBatch,
        rows: Range<usize>,
        tally: &mut Tally,
        unexpected: &mut dyn FnMut(usize),
    ) {
        let fields = self.fields();
        let mut each = |row: usize, standing: Standing| match standing {
            Standing::Expected => {}
            Standing::Missing => tally.missing += 1,
            Standing::Unexpected => {
                tally.unexpected += 1;
                tally.show(&fields, flows, row);
                unexpected(row);
            }
        };
        match self {
            Self::NotNull(field) if !field.any_null(flows, rows.clone()) => {}
            Self::NotNull(field) => rows.for_each(|row| each(row, judge(!field.is_null(flows, row)))),
            Self::Null(field) => rows.for_each(|row| each(row, judge(field.is_null(flows, row)))),
            Self::Between(field, bounds) => match Numbers::of(*field, flows) {
                Some(Numbers::Time(column)) => between(column, rows, *bounds, (i64::MIN, i64::MAX), &mut each),
                Some(Numbers::Port(column)) => between(column, rows, *bounds, (u16::MIN, u16::MAX), &mut each),
                Some(Numbers::Count(column)) => between(column, rows, *bounds, (u64::MIN, u64::MAX), &mut each),
                None => {}
            },
            Self::InSet(field, cells, wanted) => in_set(*field, flows, rows, cells, *wanted, &mut each),
            Self::Match(field, regex, wanted) => {
                each_text(*field, flows, rows, |text| regex.is_match(text) == *wanted, &mut each);
            }
            Self::Lengths(field, (low, high)) => {
                let within = |text: &str| (*low..=*high).contains(&(text.chars().count() as i128));
                each_text(*field, flows, rows, within, &mut each);
            }
            Self::Greater { a, b, or_equal, ignore } => match (Numbers::of(*a, flows), Numbers::of(*b, flows)) {
                (Some(Numbers::Count(a)), Some(Numbers::Count(b))) => {
                    let cells = a.values()[rows.clone()].iter().zip(&b.values()[rows.clone()]);
                    let nulls = any_null(a, rows.clone()) || any_null(b, rows.clone());
                    if !nulls && cells.fold(true, |all, (a, b)| all & (a > b || *or_equal && a == b)) {
                        return;
                    }
                    greater(|row| a.get(row), |row| b.get(row), *or_equal, *ignore, rows, &mut each);
                }
                _ => {
                    greater(
                        |row| a.number(flows, row),
                        |row| b.number(flows, row),
                        *or_equal,
                        *ignore,
                        rows,
                        &mut each,
                    );
                }
            },
            Self::Equal { a, b, ignore } => rows.for_each(|row| {
                let standing = if ignore.row(&[*a, *b], flows, row) {
                    Standing::Missing
                } else {
                    let a = a.cell(flows, row);
                    judge(a != Cell::Null && a == b.cell(flows, row))
                };
                each(row, standing);
            }),
            Self::DistinctWithin(fields, ignore) => rows.for_each(|row| {
                let standing = if ignore.row(fields, flows, row) {
                    Standing::Missing
                } else {
                    let cells: Vec<Cell> = fields.iter().map(|field| field.cell(flows, row)).collect();
                    judge((1..cells.len()).all(|place| !cells[..place].contains(&cells[place])))
                };
                each(row, standing);
            }),
        }
    }
}

/// Compares in the column's own type, whose least and greatest values are `ends`.
fn between<T: Copy + Default + PartialOrd + TryFrom<i128> + Into<i128>>(
    column: &Column<T>,
    rows: Range<usize>,
    (low, high): (i128, i128),
    ends: (T, T),
    each: &mut impl FnMut(usize, Standing),
) {
    // Bounds that still do not fit leave no value between them.
    let within = (T::try_from(low.max(ends.0.into())), T::try_from(high.min(ends.1.into())));
    match within {
        (Ok(low), Ok(high)) => each_present(column, rows, |value| low <= value && value <= high, each),
        _ => each_present(column, rows, |_| false, each),
    }
}

fn each_present<T: Copy + Default>(
    column: &Column<T>,
    rows: Range<usize>,
    expected: impl Fn(T) -> bool,
    each: &mut impl FnMut(usize, Standing),
) {
    // Most cells are in order: seen so by loops without a branch, nothing remains to be told.
    let all = || column.values()[rows.clone()].iter().fold(true, |all, value| all & expected(*value));
    if !any_null(column, rows.clone()) && all() {
        return;
    }
    for row in rows {
        match column.get(row) {
            None => each(row, Standing::Missing),
            Some(value) if expected(value) => {}
            Some(_) => each(row, Standing::Unexpected),
        }
    }
}

fn in_set(
    field: Field,
    flows: &FlowBatch,
    rows: Range<usize>,
    cells: &[Cell],
    wanted: bool,
    each: &mut impl FnMut(usize, Standing),
) {
    let holds = |text: &str| cells.iter().any(|cell| matches!(cell, Cell::Text(known) if known == text));
    match field {
        Field::Transport => {
            let expected = weir_contract::Transport::ALL.map(|transport| holds(transport.name()) == wanted);
            let fits = |row: usize| expected[flows.transport[row] as usize];
            if !rows.clone().fold(true, |all, row| all & fits(row)) {
                rows.filter(|row| !fits(*row)).for_each(|row| each(row, Standing::Unexpected));
            }
        }
        Field::Label => {
            let expected = [0, 1].map(|class| holds(weir_contract::Label::from_class(class).name()) == wanted);
            each_present(&flows.label, rows, |class| expected[usize::from(class != 0)], each);
        }
        Field::Final => {
            let expected = [false, true].map(|flag| cells.contains(&Cell::Flag(flag)) == wanted);
            each_present(&flows.last, rows, |last| expected[usize::from(last)], each);
        }
        _ if field.is_numeric() => {
            let numbers: Vec<i128> = cells
                .iter()
                .filter_map(|cell| if let Cell::Integer(number) = cell { Some(*number) } else { None })
                .collect();
            let expected = |value: i128| numbers.binary_search(&value).is_ok() == wanted;
            match Numbers::of(field, flows) {
                Some(Numbers::Time(column)) => each_present(column, rows, |value| expected(value.into()), each),
                Some(Numbers::Port(column)) => each_present(column, rows, |value| expected(value.into()), each),
                Some(Numbers::Count(column)) => each_present(column, rows, |value| expected(value.into()), each),
                None => {}
            }
        }
        _ => {
            let texts: std::collections::HashSet<&str> = cells
                .iter()
                .filter_map(|cell| if let Cell::Text(text) = cell { Some(&**text) } else { None })
                .collect();
            each_text(field, flows, rows, |text| texts.contains(text) == wanted, each);
        }
    }
}

/// Judges the text of every present row.
fn each_text(
    field: Field,
    flows: &FlowBatch,
    rows: Range<usize>,
    expected: impl Fn(&str) -> bool,
    each: &mut impl FnMut(usize, Standing),
) {
    let mut text = String::new();
    for row in rows {
        if field.is_null(flows, row) {
            each(row, Standing::Missing);
            continue;
        }
        text.clear();
        field.write(flows, row, &mut text);
        each(row, judge(expected(&text)));
    }
}

fn greater<T: PartialOrd>(
    a: impl Fn(usize) -> Option<T>,
    b: impl Fn(usize) -> Option<T>,
    or_equal: bool,
    ignore: Ignore,
    rows: Range<usize>,
    each: &mut impl FnMut(usize, Standing),
) {
    for row in rows {
        let standing = match (a(row), b(row)) {
            (Some(a), Some(b)) => judge(a > b || or_equal && a == b),
            (None, None) if ignore != Ignore::Never => Standing::Missing,
            _ if ignore == Ignore::AnyMissing => Standing::Missing,
            _ => Standing::Unexpected,
        };
        each(row, standing);
    }
}
