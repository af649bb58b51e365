//! Confusion matrix, scores per class and ROC AUC of every trial.

use serde::Serialize;
use weir_contract::metrics::ClassScores;
use weir_contract::{ConfusionMatrix, Metric};

use super::results::{Entry, accuracy, title};
use crate::RunReport;
use crate::text::{self, Figure};

#[derive(Debug, Serialize)]
pub(crate) struct Card {
    pub(crate) id: String,
    title: String,
    rank: String,
    winner: bool,
    accuracy: Figure,
    pub(crate) roc_auc: Figure,
    pub(crate) balanced_accuracy: Figure,
    pub(crate) f1: Figure,
    pub(crate) mcc: Figure,
    operations: String,
    matrix: [Line; 2],
    classes: [Class; 2],
    parameters: Vec<(String, String)>,
    warnings: Vec<String>,
}

/// The rows of one actual class: first those predicted benign, then those predicted malicious.
#[derive(Debug, Serialize)]
struct Line {
    actual: &'static str,
    cells: [Cell; 2],
}

#[derive(Debug, Serialize)]
struct Cell {
    rows: String,
    percent: String,
    right: bool,
    /// Share of the actual class, 0 to 100, for the tint.
    tint: u64,
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Class {
    name: &'static str,
    precision: Figure,
    recall: Figure,
    f1: Figure,
    support: String,
}

/// One card per trial, in the order of the ranking.
pub(crate) fn view(report: &RunReport<'_>, entries: &[Entry<'_>]) -> Vec<Card> {
    entries.iter().map(|entry| card(entry, entry.id == report.selection.winner)).collect()
}

pub(crate) fn card(entry: &Entry<'_>, winner: bool) -> Card {
    let matrix = &entry.confusion;
    let metric = |metric: Metric| text::exact_score(metric.of(matrix), 4);
    Card {
        id: entry.id.to_string(),
        title: title(entry.id),
        rank: entry.rank.map_or_else(|| "not ranked".to_owned(), |rank| format!("rank {}", rank + 1)),
        winner,
        accuracy: accuracy(matrix, 4),
        roc_auc: entry.trial.and_then(|trial| trial.roc_auc).map_or_else(
            || Figure {
                text: text::NOTHING.to_owned(),
                title: "test holds one class, or it was not computed".to_owned(),
            },
            |area| text::exact_score(area, 4),
        ),
        balanced_accuracy: metric(Metric::BalancedAccuracy),
        f1: metric(Metric::F1),
        mcc: metric(Metric::Mcc),
        operations: text::count(entry.operations),
        matrix: lines(matrix),
        classes: [class("benign", matrix.benign()), class("malicious", matrix.malicious())],
        parameters: entry.parameters.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        warnings: entry.trial.map(|trial| trial.warnings.clone()).unwrap_or_default(),
    }
}

fn lines(matrix: &ConfusionMatrix) -> [Line; 2] {
    let cell = |name, rows: u64, whole: u64, right| Cell {
        rows: text::count(rows),
        percent: text::percent(rows, whole),
        right,
        // Errors are rare and matter: they keep a visible tint as soon as there is one.
        tint: match (rows * 100).checked_div(whole) {
            Some(tint) if rows > 0 => tint.max(if right { 4 } else { 10 }),
            _ => 0,
        },
        name,
    };
    let (benign, malicious) = (matrix.benign().support, matrix.malicious().support);
    [
        Line {
            actual: "benign",
            cells: [
                cell("true negatives", matrix.true_negatives, benign, true),
                cell("false positives", matrix.false_positives, benign, false),
            ],
        },
        Line {
            actual: "malicious",
            cells: [
                cell("false negatives", matrix.false_negatives, malicious, false),
                cell("true positives", matrix.true_positives, malicious, true),
            ],
        },
    ]
}

fn class(name: &'static str, scores: ClassScores) -> Class {
    Class {
        name,
        precision: text::exact_score(scores.precision, 4),
        recall: text::exact_score(scores.recall, 4),
        f1: text::exact_score(scores.f1, 4),
        support: text::count(scores.support),
    }
}
