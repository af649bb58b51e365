//! What a reader should know before using the result, each with what to do about it.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_contract::audit::{Measured, Scores};
use weir_contract::feature::Identifies;

use super::audit;
use super::results::{Entry, title};
use crate::RunReport;
use crate::text;

/// One thing to know.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    /// `warning` for what may make the numbers mean less than they seem, `note` for the rest.
    pub(crate) level: &'static str,
    pub(crate) text: String,
    pub(crate) action: String,
    /// Section with the details.
    pub(crate) anchor: &'static str,
}

/// Above this share of one class, accuracy says little.
const LOPSIDED: f64 = 0.9;

/// Above this share of test rows that train holds, a score is partly memory.
const REPEATED: f64 = 0.1;

/// Warnings first, each kind in the order of the page.
pub(crate) fn notices(report: &RunReport<'_>, entries: &[Entry<'_>], winner: &Entry<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    rows(report, &mut notices);
    selection(report, winner, &mut notices);
    audit(report, &mut notices);
    expectations(report, &mut notices);
    trials(entries, &mut notices);
    searches(report, &mut notices);
    encoder(report, &mut notices);
    collisions(report, &mut notices);
    notices.sort_by_key(|notice| notice.level != "warning");
    notices
}

fn warning(text: String, action: String, anchor: &'static str) -> Notice {
    Notice { level: "warning", text, action, anchor }
}

fn note(text: String, action: String, anchor: &'static str) -> Notice {
    Notice { level: "note", text, action, anchor }
}

fn rows(report: &RunReport<'_>, notices: &mut Vec<Notice>) {
    let account = &report.statistics.rows;
    if !account.balances() {
        notices.push(warning(
            "Rows do not add up: input differs from kept + quarantined + deduplicated + excluded.".to_owned(),
            "Do not use this run. Run the features stage again and report the defect if it stays.".to_owned(),
            "data",
        ));
    }
    if account.quarantined > 0 {
        let (rows, share) =
            (text::counted(account.quarantined, "row"), text::percent(account.quarantined, account.input));
        let were = if account.quarantined == 1 { "was" } else { "were" };
        notices.push(note(
            format!("{rows} ({share} of the input) {were} set aside."),
            "quarantine.parquet holds each with its file, line and reason.".to_owned(),
            "data",
        ));
    }
}

fn selection(report: &RunReport<'_>, winner: &Entry<'_>, notices: &mut Vec<Notice>) {
    let mut lopsided = lopsided(winner);
    for text in &report.selection.warnings {
        // Selection may have said the same in its own words: then only the numbers are added.
        let same = ["class", "benign", "malicious"].iter().any(|word| text.contains(word));
        let taken = if same { lopsided.take() } else { None };
        let action = taken.map_or_else(|| "Keep it in mind when reading the ranking.".to_owned(), |(_, action)| action);
        notices.push(warning(text::stopped(text), action, "results"));
    }
    if let Some((text, action)) = lopsided {
        notices.push(warning(text, action, "results"));
    }
}

/// What to say where nearly all test rows are of one class, and which numbers to read then.
fn lopsided(winner: &Entry<'_>) -> Option<(String, String)> {
    let matrix = &winner.confusion;
    let (benign, malicious) = (matrix.benign().support, matrix.malicious().support);
    let (name, larger) = if benign > malicious { ("benign", benign) } else { ("malicious", malicious) };
    let share = larger as f64 / matrix.rows() as f64;
    if share.is_nan() || share <= LOPSIDED {
        return None;
    }
    let text = format!("One class holds {} of the test rows.", text::percent(larger, matrix.rows()));
    let action = format!(
        "Always answering {name} would reach an accuracy of {}. Read balanced accuracy ({}), F1 ({}) and MCC ({}) \
         instead, or rank by one of them.",
        text::decimals(share, 3),
        text::decimals(matrix.balanced_accuracy(), 3),
        text::decimals(matrix.malicious().f1, 3),
        text::decimals(matrix.mcc(), 3)
    );
    Some((text, action))
}

fn audit(report: &RunReport<'_>, notices: &mut Vec<Notice>) {
    let named = |identifies| {
        let of = report.audit.warnings.iter().filter(|warning| warning.finding.identifies() == Some(identifies));
        of.map(|warning| warning.feature.clone()).collect::<Vec<_>>()
    };
    let remedies = [
        (
            Identifies::Record,
            "Such a feature separates the classes of this table and means nothing on a new flow. Use a feature set \
             without it before serving the model.",
        ),
        (
            Identifies::Moment,
            "On a random split a model can learn when the attack ran. Compare with a split by time, or use a feature \
             set without absolute time.",
        ),
        (
            Identifies::Host,
            "The model may know the attackers of this network rather than attacks. Compare with a feature set without \
             hosts to see how much is learned beyond who.",
        ),
    ];
    for (identifies, remedy) in remedies {
        let features = named(identifies);
        if !features.is_empty() {
            let verb = if features.len() == 1 { "identifies" } else { "identify" };
            let text = format!("{} {verb} a {}.", text::list(&features, 6), identifies.name());
            notices.push(warning(text, remedy.to_owned(), "audit"));
        }
    }
    for found in &report.audit.warnings {
        let text = || format!("{} {}.", found.feature, found.finding.in_words());
        let remedy = || text::stopped(&text::capitalised(&found.remedy));
        match (found.finding.identifies(), audit::level(report.audit, &found.finding)) {
            (Some(_), _) => {}
            (None, "warning") => notices.push(warning(text(), remedy(), "audit")),
            (None, _) => notices.push(note(text(), remedy(), "audit")),
        }
    }
    if let Some(measured) = &report.audit.measured {
        measurements(measured, notices);
    }
}

fn measurements(measured: &Measured, notices: &mut Vec<Notice>) {
    let Scores { split, time, .. } = measured.together;
    if let (Some(split), Some(time), Some(fall)) = (split, time, measured.together.fall())
        && fall > measured.method.fall
    {
        notices.push(warning(
            format!(
                "A small decision tree falls from a balanced accuracy of {} on the split to {} in time order.",
                text::decimals(split, 3),
                text::decimals(time, 3)
            ),
            "Expect the scores of this page to fall likewise on later flows. Compare with a split by time.".to_owned(),
            "audit",
        ));
    }
    let Some(test) = measured.duplicates.iter().find(|counts| counts.split == "test") else { return };
    if test.same_label as f64 > REPEATED * test.rows as f64 {
        let least = if measured.is_sample() { "At least " } else { "" };
        notices.push(note(
            format!("{least}{} of the test rows equal a row of train.", text::percent(test.same_label, test.rows)),
            "They are answered from memory, and the scores say that much less of new flows.".to_owned(),
            "audit",
        ));
    }
}

fn expectations(report: &RunReport<'_>, notices: &mut Vec<Notice>) {
    let statistics = &report.expectations.statistics;
    if !report.expectations.success {
        notices.push(warning(
            format!(
                "{} of {} did not hold.",
                text::count(statistics.unsuccessful_expectations),
                text::counted(statistics.evaluated_expectations, "expectation")
            ),
            "Decide for each whether the data or the expectation is wrong.".to_owned(),
            "expectations",
        ));
    }
}

/// Equal warnings of several trials are one notice.
fn trials(entries: &[Entry<'_>], notices: &mut Vec<Notice>) {
    let mut by_text: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in entries {
        for text in entry.trial.iter().flat_map(|trial| &trial.warnings) {
            by_text.entry(text).or_default().push(title(entry.id));
        }
    }
    for (text, trials) in by_text {
        notices.push(warning(
            format!("{}: {}", text::list(&trials, 4), text::stopped(text)),
            "Do not rely on its place in the ranking before the cause is removed.".to_owned(),
            "trials",
        ));
    }
}

fn searches(report: &RunReport<'_>, notices: &mut Vec<Notice>) {
    let mut stopped = Vec::new();
    let mut empty = Vec::new();
    for search in report.searches {
        let which = format!("{} on {}", search.family.title(), search.representation);
        let limited = search.candidates.iter().filter(|candidate| candidate.unconverged > 0).count() as u64;
        if limited > 0 {
            let all = text::count(search.candidates.len() as u64);
            stopped.push(format!("{} of {all} candidates of {which}", text::count(limited)));
        }
        if search.candidates.is_empty() {
            empty.push(which);
        }
    }
    if !stopped.is_empty() {
        notices.push(note(
            format!("{} stopped at the iteration limit.", text::list(&stopped, 8)),
            "Their scores may be too low. Raise the limit (max_iter) if one of them comes close to the best."
                .to_owned(),
            "search",
        ));
    }
    if !empty.is_empty() {
        notices.push(note(
            format!("No candidate was searched for {}.", text::list(&empty, 8)),
            "If that is not intended, give every parameter of the grid at least one value.".to_owned(),
            "search",
        ));
    }
}

fn encoder(report: &RunReport<'_>, notices: &mut Vec<Notice>) {
    let Some(encoder) = report.encoder else { return };
    let (dead, units) = (encoder.dead_units.len(), encoder.layers.get(encoder.latent).copied().unwrap_or(0));
    if dead > 0 {
        notices.push(warning(
            format!("{dead} of {units} latent units of the autoencoder {} 0 on every row of train.", if dead == 1 { "is" } else { "are" }),
            "Its latent space is smaller than it looks. Try another seed or more epochs before comparing representations."
                .to_owned(),
            "encoder",
        ));
    }
}

fn collisions(report: &RunReport<'_>, notices: &mut Vec<Notice>) {
    let collisions = report.statistics.address_collisions;
    if collisions > 0 {
        let text = match collisions {
            1 => "1 address has the same integer as another one.".to_owned(),
            n => format!("{} addresses have the same integer as another one.", text::count(n)),
        };
        notices.push(note(text, "A model cannot tell these addresses apart.".to_owned(), "data"));
    }
}
