//! The elbow curve, the tests with their thresholds, the centres of the two groups.

use std::collections::BTreeSet;

use minijinja::Value;
use serde::Serialize;
use weir_contract::blocklist::{Group, Grouping, Method};

use crate::chart;
use crate::text::{self, Figure};

/// As many clusters as there are groups.
const GROUPS: usize = 2;

#[derive(Debug, Serialize)]
pub(crate) struct Groups {
    two_groups: bool,
    is_tested: bool,
    elbow: Option<Value>,
    tests: Vec<Test>,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Test {
    name: String,
    value: Figure,
    threshold: Figure,
    passed: bool,
}

/// A group with its centre.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    clients: String,
    requests: String,
    centre: Vec<Figure>,
}

pub(crate) fn view(grouping: &Grouping, method: Method) -> Groups {
    let features: BTreeSet<&String> =
        [&grouping.high, &grouping.low].into_iter().flat_map(|group| group.centre.keys()).collect();
    let row = |name, group: &Group| Row {
        name,
        clients: text::count(group.clients),
        requests: text::count(group.requests),
        centre: features
            .iter()
            .map(|feature| text::figure(group.centre.get(*feature).copied().unwrap_or(f64::NAN)))
            .collect(),
    };
    let names = match grouping.two_groups || method == Method::Article {
        true => ["attacking group", "other group"],
        false => ["higher centre", "lower centre"],
    };
    let tests = grouping.tests.iter().map(|test| Test {
        name: super::plain(&test.name),
        value: text::figure(test.value),
        threshold: text::figure(test.threshold),
        passed: test.passed,
    });
    Groups {
        two_groups: grouping.two_groups,
        is_tested: method == Method::Robust,
        elbow: (!grouping.distortions.is_empty()).then(|| chart::elbow(&grouping.distortions, GROUPS)),
        tests: tests.collect(),
        rows: vec![row(names[0], &grouping.high), row(names[1], &grouping.low)],
        columns: features.into_iter().map(|feature| super::plain(feature)).collect(),
    }
}
