//! The two tables of results, one per representation, and the ranking behind the choice.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_contract::parameter::{Family, Representation, Setting};
use weir_contract::{ConfusionMatrix, ParamMap, TrialId};

use crate::RunReport;
use crate::text::{self, Figure};

/// A trial with what selection and training say about it.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) id: TrialId,
    pub(crate) confusion: ConfusionMatrix,
    pub(crate) parameters: &'a ParamMap,
    pub(crate) operations: u64,
    /// From 0; `None` for a trial that was not ranked.
    pub(crate) rank: Option<usize>,
    /// From `trials.json`; `None` where the training stage's file was not given.
    pub(crate) trial: Option<&'a weir_contract::trial::Trial>,
}

/// All trials: the ranked ones best first, then those that were not ranked.
pub(crate) fn entries<'a>(report: &RunReport<'a>) -> Vec<Entry<'a>> {
    let mut trained: BTreeMap<TrialId, _> =
        report.trials.iter().flat_map(|trials| &trials.trials).map(|trial| (trial.id, trial)).collect();
    let ranked = report.selection.ranking.iter().enumerate().map(|(rank, ranked)| Entry {
        id: ranked.id,
        confusion: ranked.confusion,
        parameters: &ranked.parameters,
        operations: ranked.operations,
        rank: Some(rank),
        trial: trained.remove(&ranked.id),
    });
    let mut entries: Vec<Entry<'a>> = ranked.collect();
    entries.extend(trained.into_values().map(|trial| Entry {
        id: trial.id,
        confusion: trial.confusion,
        parameters: &trial.parameters,
        operations: trial.operations,
        rank: None,
        trial: Some(trial),
    }));
    entries
}

/// `KNN on baseline, grid search`.
pub(crate) fn title(id: TrialId) -> String {
    format!("{} on {}, {}", id.family.title(), id.representation, lowercase(id.setting.title()))
}

fn lowercase(text: &str) -> String {
    text.to_lowercase()
}

#[derive(Debug, Serialize)]
pub(crate) struct Results {
    tables: Vec<Table>,
    metric: String,
    by_accuracy: bool,
    ranking: Vec<Rank>,
}

#[derive(Debug, Serialize)]
struct Table {
    title: &'static str,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    model: &'static str,
    default: Option<Cell>,
    best: Option<Cell>,
    parameters: String,
}

#[derive(Debug, Serialize)]
struct Cell {
    score: Figure,
    winner: bool,
    trial: String,
}

#[derive(Debug, Serialize)]
struct Rank {
    rank: usize,
    trial: String,
    title: String,
    winner: bool,
    value: Figure,
    accuracy: Figure,
    interval: String,
    false_negatives: String,
    false_positives: String,
    operations: String,
}

pub(crate) fn view(report: &RunReport<'_>, entries: &[Entry<'_>]) -> Results {
    let metric = report.selection.metric;
    let ranking = entries.iter().filter_map(|entry| Some((entry.rank?, entry))).map(|(rank, entry)| {
        let (low, high) = crate::wilson_interval(entry.confusion.correct(), entry.confusion.rows());
        Rank {
            rank: rank + 1,
            trial: entry.id.to_string(),
            title: title(entry.id),
            winner: entry.id == report.selection.winner,
            value: text::exact_score(report.selection.ranking[rank].value, 4),
            accuracy: accuracy(&entry.confusion, 4),
            interval: format!("{} – {}", text::decimals(low, 4), text::decimals(high, 4)),
            false_negatives: text::count(entry.confusion.false_negatives),
            false_positives: text::count(entry.confusion.false_positives),
            operations: text::count(entry.operations),
        }
    });
    Results {
        tables: Representation::ALL.iter().filter_map(|&which| table(report, entries, which)).collect(),
        metric: metric.name().replace('-', " "),
        by_accuracy: metric == weir_contract::Metric::Accuracy,
        ranking: ranking.collect(),
    }
}

/// The accuracy of a matrix with at least `digits` decimals, and the counts it comes from.
pub(crate) fn accuracy(confusion: &ConfusionMatrix, digits: usize) -> Figure {
    counted(text::exact_score(confusion.accuracy(), digits), confusion)
}

fn counted(Figure { text, title }: Figure, confusion: &ConfusionMatrix) -> Figure {
    let (correct, rows) = (text::count(confusion.correct()), text::count(confusion.rows()));
    Figure { text, title: format!("{title} ({correct} of {rows} rows)") }
}

fn table(report: &RunReport<'_>, entries: &[Entry<'_>], representation: Representation) -> Option<Table> {
    let row = |family: Family| {
        let entry = |setting| {
            let id = TrialId { representation, family, setting };
            entries.iter().find(|entry| entry.id == id)
        };
        let cell = |entry: &Entry<'_>| Cell {
            // Three decimals whatever the value, as in the table this one is compared with.
            score: counted(text::score(entry.confusion.accuracy()), &entry.confusion),
            winner: entry.id == report.selection.winner,
            trial: entry.id.to_string(),
        };
        let (default, best) = (entry(Setting::Default), entry(Setting::Best));
        if default.is_none() && best.is_none() {
            return None;
        }
        // The candidate holds only what the grid sets; a trial holds the defaults too.
        let searched = report.searches.iter().find(|s| s.family == family && s.representation == representation);
        let candidate = searched.and_then(|search| search.candidates.get(search.best)).map(|best| &best.parameters);
        let parameters = best.and_then(|best| candidate.or(Some(best.parameters)));
        Some(Row {
            model: family.title(),
            default: default.map(cell),
            best: best.map(cell),
            parameters: parameters.map_or_else(|| text::NOTHING.to_owned(), text::parameters),
        })
    };
    let rows: Vec<Row> = Family::ALL.iter().copied().filter_map(row).collect();
    if rows.is_empty() { None } else { Some(Table { title: representation.title(), rows }) }
}
