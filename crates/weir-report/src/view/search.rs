//! Every search as a picture that works for any grid, and as a table.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;
use serde::Serialize;
use weir_contract::ParamValue;
use weir_contract::search::{Candidate, CutReason, SearchResults};

use crate::RunReport;
use crate::chart::{self, Domain, Dot};
use crate::text::{self, Figure};

/// Candidates drawn and listed per search; of larger searches the best by rank.
const SHOWN: usize = 150;

#[derive(Debug, Serialize)]
pub(crate) struct Search {
    id: String,
    title: String,
    candidates: String,
    folds: usize,
    scoring: String,
    best: Option<Best>,
    fixed: String,
    facets: Vec<Facet>,
    repeated: usize,
    unconverged: usize,
    cut: usize,
    omitted: usize,
    columns: Vec<String>,
    fold_numbers: Vec<usize>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Best {
    parameters: String,
    mean: Figure,
    standard_deviation: Figure,
}

#[derive(Debug, Serialize)]
struct Facet {
    heading: String,
    chart: Value,
}

#[derive(Debug, Serialize)]
struct Row {
    number: usize,
    values: Vec<String>,
    scores: Vec<Figure>,
    mean: Figure,
    standard_deviation: Figure,
    rank: usize,
    best: bool,
    note: String,
}

/// Searches by representation and family, in the order of the report.
pub(crate) fn view(report: &RunReport<'_>) -> Vec<Search> {
    let mut searches: Vec<&SearchResults> = report.searches.iter().collect();
    searches.sort_by_key(|search| (search.representation, search.family));
    searches.into_iter().map(one).collect()
}

fn one(search: &SearchResults) -> Search {
    let title = format!("{} on {}", search.family.title(), search.representation);
    let best = search.candidates.get(search.best);
    let shown = shown(&search.candidates);
    let values = values_by_name(&search.candidates);
    let columns: Vec<String> = values.keys().cloned().collect();
    let fixed: Vec<String> = values
        .iter()
        .filter(|(_, values)| values.len() == 1)
        .map(|(name, values)| format!("{name} = {}", values.first().map_or("", String::as_str)))
        .collect();
    let folds = search.candidates.iter().map(|candidate| candidate.scores.len()).max().unwrap_or(search.folds);
    Search {
        id: format!("search-{}-{}", search.representation, search.family),
        candidates: text::counted(search.candidates.len() as u64, "candidate"),
        folds: search.folds,
        scoring: search.scoring.clone(),
        best: best.map(|best| Best {
            parameters: text::parameters(&best.parameters),
            mean: Figure { text: text::decimals(best.mean, 4), title: text::full(best.mean) },
            standard_deviation: text::figure(best.standard_deviation),
        }),
        fixed: fixed.join(", "),
        facets: facets(search, &title, &shown, &values),
        repeated: search.candidates.iter().filter(|candidate| candidate.same_as.is_some()).count(),
        unconverged: search.candidates.iter().filter(|candidate| candidate.unconverged > 0).count(),
        cut: search.candidates.iter().filter(|candidate| candidate.cut.is_some()).count(),
        omitted: search.candidates.len() - shown.len(),
        rows: shown.iter().map(|&i| row(search, i, &columns, folds)).collect(),
        columns,
        fold_numbers: (1..=folds).collect(),
        title,
    }
}

/// Indices of the candidates to show, in grid order.
fn shown(candidates: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    if order.len() > SHOWN {
        order.sort_by_key(|&i| (candidates[i].rank, i));
        order.truncate(SHOWN);
        order.sort_unstable();
    }
    order
}

/// The different values of every parameter, as text, in order of appearance within a name.
fn values_by_name(candidates: &[Candidate]) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (name, value) in candidates.iter().flat_map(|candidate| &candidate.parameters) {
        let value = value.to_string();
        if seen.insert((name, value.clone())) {
            values.entry(name.clone()).or_default().push(value);
        }
    }
    values
}

/// The parameter that splits the picture: the one of text values with most of them, the first by name among equals.
fn facet_parameter<'a>(candidates: &[Candidate], values: &'a BTreeMap<String, Vec<String>>) -> Option<&'a String> {
    let is_text = |name: &String| {
        candidates.iter().all(|candidate| matches!(candidate.parameters.get(name), Some(ParamValue::Text(_))))
    };
    let names = values.iter().filter(|(name, values)| (2..=6).contains(&values.len()) && is_text(name));
    names.rev().max_by_key(|(_, values)| values.len()).map(|(name, _)| name)
}

fn facets(search: &SearchResults, title: &str, shown: &[usize], values: &BTreeMap<String, Vec<String>>) -> Vec<Facet> {
    let candidates = &search.candidates;
    if candidates.is_empty() {
        return Vec::new();
    }
    let scores = shown.iter().flat_map(|&i| candidates[i].scores.iter().copied().chain([candidates[i].mean]));
    let domain = Domain::around(scores);
    let digits = digits(shown.iter().map(|&i| candidates[i].mean));
    let split = facet_parameter(candidates, values);
    let labels: Vec<&String> =
        values.iter().filter(|(name, values)| values.len() > 1 && Some(*name) != split).map(|(name, _)| name).collect();

    let draw = |heading: String, indices: Vec<usize>| {
        let columns: Vec<&str> = labels.iter().map(|name| brief(name)).collect();
        let rows: Vec<Dot> = indices.iter().map(|&i| dot(search, i, &labels, digits)).collect();
        let name = if heading.is_empty() { title.to_owned() } else { format!("{title}, {heading}") };
        let description = format!(
            "Mean {} over {} folds of {} candidates, with the worst and the best fold; the table below has every number",
            search.scoring,
            search.folds,
            rows.len()
        );
        Facet { chart: chart::dots(&format!("Search of {name}"), &description, domain, &columns, &rows), heading }
    };
    let Some(split) = split else { return vec![draw(String::new(), shown.to_vec())] };
    values[split]
        .iter()
        .map(|value| {
            let within = |&i: &usize| candidates[i].parameters.get(split).is_some_and(|own| own.to_string() == *value);
            draw(format!("{split} = {value}"), shown.iter().copied().filter(within).collect())
        })
        .collect()
}

fn dot(search: &SearchResults, index: usize, labels: &[&String], digits: usize) -> Dot {
    let candidate = &search.candidates[index];
    let finite = |value: &f64| value.is_finite();
    let low = candidate.scores.iter().copied().filter(finite).fold(candidate.mean, f64::min);
    let high = candidate.scores.iter().copied().filter(finite).fold(candidate.mean, f64::max);
    let cell =
        |name: &String| candidate.parameters.get(name).map_or_else(|| text::NOTHING.to_owned(), ToString::to_string);
    Dot {
        cells: labels.iter().map(|&name| cell(name)).collect(),
        mean: candidate.mean,
        whisker: (low, high),
        value: text::decimals(candidate.mean, digits),
        tip: format!(
            "{}: mean {}, folds {} to {}{}",
            text::parameters(&candidate.parameters),
            text::decimals(candidate.mean, 6),
            text::decimals(low, 6),
            text::decimals(high, 6),
            note(candidate).map_or_else(String::new, |note| format!("; {note}"))
        ),
        best: index == search.best,
        cut: candidate.cut.is_some(),
        repeated: candidate.same_as.is_some(),
        unconverged: candidate.unconverged > 0,
    }
}

/// Long parameter names as people say them; any other stays as it is.
fn brief(name: &str) -> &str {
    match name {
        "n_neighbors" => "k",
        "max_depth" => "depth",
        "min_samples_leaf" => "leaf",
        "min_samples_split" => "split",
        other => other,
    }
}

/// Decimals that tell the means apart where 3 do not, 5 at most.
fn digits(means: impl Iterator<Item = f64> + Clone) -> usize {
    let different = |digits| means.clone().map(|mean| text::decimals(mean, digits)).collect::<BTreeSet<_>>().len();
    let most = different(5);
    (3..5).find(|&digits| different(digits) * 4 >= most * 3).unwrap_or(5)
}

fn row(search: &SearchResults, index: usize, columns: &[String], folds: usize) -> Row {
    let candidate = &search.candidates[index];
    let long = |value: f64| Figure { text: text::decimals(value, 4), title: text::full(value) };
    let value = |name| candidate.parameters.get(name).map_or_else(|| text::NOTHING.to_owned(), ToString::to_string);
    Row {
        number: index + 1,
        values: columns.iter().map(value).collect(),
        scores: (0..folds).map(|fold| long(candidate.scores.get(fold).copied().unwrap_or(f64::NAN))).collect(),
        mean: long(candidate.mean),
        standard_deviation: text::figure(candidate.standard_deviation),
        rank: candidate.rank,
        best: index == search.best,
        note: note(candidate).unwrap_or_default(),
    }
}

fn note(candidate: &Candidate) -> Option<String> {
    let same = candidate.same_as.map(|same| format!("same computation as candidate {}", same + 1));
    let limit = (candidate.unconverged > 0)
        .then(|| format!("stopped at the iteration limit on {}", text::counted(candidate.unconverged as u64, "fold")));
    let cut = candidate.cut.map(|cut| {
        let why = match cut.reason {
            CutReason::Rank => "others were better",
            CutReason::Budget => "the time was up",
        };
        format!("cut, scored on {}: {why}", text::counted(cut.rows, "row"))
    });
    let notes: Vec<String> = [same, limit, cut].into_iter().flatten().collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}
