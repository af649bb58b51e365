//! How long the run took, and from what each artifact was made.

use std::collections::BTreeMap;

use minijinja::Value;
use serde::Serialize;
use weir_contract::Digest;

use crate::chart::{self, Node};
use crate::text::{self, Figure};
use crate::{LineageStep, RunReport};

/// Inputs from outside that are drawn one by one for an artifact; more become one box.
const DRAWN_INPUTS: usize = 4;

#[derive(Debug, Serialize)]
pub(crate) struct Provenance {
    timings: Vec<Timing>,
    total: String,
    lineage: Vec<Step>,
    chart: Option<Value>,
}

#[derive(Debug, Serialize)]
struct Timing {
    name: String,
    seconds: Figure,
    width: f64,
    started: String,
    peak_memory: String,
    threads: usize,
    host: String,
    code_path: String,
    version: String,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    name: String,
    seconds: Figure,
    width: f64,
}

#[derive(Debug, Serialize)]
struct Step {
    name: String,
    stage: String,
    digest: Short,
    inputs: Vec<Input>,
    build: Short,
    seed: String,
}

#[derive(Debug, Serialize)]
struct Input {
    role: String,
    digest: Short,
    /// The artifact of this run that it is, empty for one from outside.
    from: String,
}

/// A long id: its beginning, and all of it.
#[derive(Debug, Serialize)]
struct Short {
    text: String,
    full: String,
}

pub(crate) fn view(report: &RunReport<'_>) -> Provenance {
    let total: f64 = report.timings.iter().map(|timing| timing.info.seconds).filter(|s| s.is_finite()).sum();
    let longest = report.timings.iter().map(|timing| timing.info.seconds).fold(0.0, f64::max);
    let timings = report.timings.iter().map(|timing| Timing {
        name: timing.name.clone(),
        seconds: duration(timing.info.seconds),
        width: width(timing.info.seconds, longest),
        started: timing.info.started.clone(),
        peak_memory: text::bytes(timing.info.peak_memory),
        threads: timing.info.threads,
        host: timing.info.host.clone(),
        code_path: timing.info.code_path.clone(),
        version: timing.info.version.clone(),
        parts: parts(&timing.info.parts, timing.info.seconds),
    });
    let made: BTreeMap<Digest, &str> = report.lineage.iter().map(|step| (step.digest, step.name.as_str())).collect();
    Provenance {
        timings: timings.collect(),
        total: text::seconds(total),
        lineage: report.lineage.iter().map(|step| self::step(step, &made)).collect(),
        chart: (!report.lineage.is_empty()).then(|| chart::lineage(&nodes(&report.lineage))),
    }
}

fn duration(seconds: f64) -> Figure {
    Figure { text: text::seconds(seconds), title: format!("{} s", text::full(seconds)) }
}

fn width(part: f64, whole: f64) -> f64 {
    if whole > 0.0 && part.is_finite() { (part / whole * 1e4).round().clamp(0.0, 1e4) / 100.0 } else { 0.0 }
}

/// Parts, the longest first.
fn parts(parts: &BTreeMap<String, f64>, whole: f64) -> Vec<Part> {
    let mut sorted: Vec<(&String, f64)> = parts.iter().map(|(name, &seconds)| (name, seconds)).collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let longest = sorted.first().map_or(whole, |first| first.1.max(whole));
    let part = |(name, seconds): (&String, f64)| Part {
        name: name.clone(),
        seconds: duration(seconds),
        width: width(seconds, longest),
    };
    sorted.into_iter().map(part).collect()
}

fn step(step: &LineageStep, made: &BTreeMap<Digest, &str>) -> Step {
    let input = |(role, digest): &(String, Digest)| Input {
        role: role.clone(),
        digest: short(*digest),
        from: made.get(digest).map(|&name| name.to_owned()).unwrap_or_default(),
    };
    Step {
        name: step.name.clone(),
        stage: step.stage.clone(),
        digest: short(step.digest),
        inputs: step.inputs.iter().map(input).collect(),
        build: Short { text: step.build.chars().take(12).collect(), full: step.build.clone() },
        seed: step.seed.map_or_else(|| text::NOTHING.to_owned(), |seed| seed.to_string()),
    }
}

fn short(digest: Digest) -> Short {
    Short { text: digest.short(), full: digest.to_string() }
}

/// The steps and what they took from outside, inputs before what is made from them.
///
/// An input that is a later step of the list (a list out of order, or a cycle) counts as from outside.
fn nodes(steps: &[LineageStep]) -> Vec<Node> {
    let made: BTreeMap<Digest, usize> = steps.iter().enumerate().map(|(i, step)| (step.digest, i)).collect();
    let mut nodes: Vec<Node> = Vec::new();
    let mut outside: BTreeMap<Digest, usize> = BTreeMap::new();
    let mut positions: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, step) in steps.iter().enumerate() {
        let (own, foreign): (Vec<_>, Vec<_>) = step
            .inputs
            .iter()
            .partition(|(_, digest)| made.get(digest).is_some_and(|input| positions.contains_key(input)));
        let mut inputs: Vec<usize> = own.iter().map(|(_, digest)| positions[&made[digest]]).collect();
        if foreign.len() > DRAWN_INPUTS {
            let tip = foreign.iter().map(|(role, digest)| format!("{role} {digest}")).collect::<Vec<_>>().join("\n");
            nodes.push(external(format!("{} inputs", foreign.len()), "listed below".to_owned(), tip));
            inputs.push(nodes.len() - 1);
        } else {
            for (role, digest) in foreign {
                let position = *outside.entry(*digest).or_insert_with(|| {
                    nodes.push(external(role.clone(), digest.short(), format!("{role} {digest}")));
                    nodes.len() - 1
                });
                inputs.push(position);
            }
        }
        inputs.sort_unstable();
        inputs.dedup();
        let seed = step.seed.map_or_else(String::new, |seed| format!("\nseed {seed}"));
        nodes.push(Node {
            name: step.name.clone(),
            detail: step.digest.short(),
            tip: format!("{}\nstage {}\ndigest {}\nbuild {}{seed}", step.name, step.stage, step.digest, step.build),
            external: false,
            inputs,
        });
        positions.insert(i, nodes.len() - 1);
    }
    nodes
}

fn external(name: String, detail: String, tip: String) -> Node {
    Node { name, detail, tip, external: true, inputs: Vec::new() }
}
