//! A step once per task: what the task takes and from where, and what it writes.

use crate::dag::DagError;
use crate::definition::STEPS;
use crate::kfp::Flows;
use crate::local::step_of;
use crate::node::Work;
use crate::spec::{PipelineSpec, Trial};
use crate::step::{Argument, Fan, Kind, Step};

/// The task and the artifact of imported flows, and the parameter in whose place they come.
pub(super) const FLOWS: &str = "flows";
/// What an importer calls its artifact.
pub(super) const IMPORTED: &str = "artifact";

/// A step, for one trial where it fans out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) step: &'static Step,
    pub(super) trial: Option<Trial>,
    pub(super) inputs: Vec<Link>,
    pub(super) flows: Flows,
}

/// An artifact that a unit takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The port of the step.
    pub(super) port: &'static str,
    /// Its name among the inputs of the unit: the port, with the trial where there is one for each.
    pub(super) name: String,
    /// The task that writes it.
    pub(super) from: String,
    /// What that task calls it.
    pub(super) key: &'static str,
    /// Its type.
    pub(super) schema: &'static str,
}

/// A parameter that a unit takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) name: String,
    pub(super) source: Source,
}

/// Where a parameter comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The parameter of the run of this name.
    Run(&'static str),
    /// A small result of a task.
    Result { task: String, value: &'static str },
}

/// All units, each after those it takes something from.
pub(super) fn all(spec: &PipelineSpec, flows: Flows) -> Result<Vec<Unit>, DagError> {
    let mut units: Vec<Unit> = Vec::new();
    for node in spec.dag()?.nodes() {
        let trial = match node.work {
            Work::Training { representation, family } => Some((representation, family)),
            Work::Features | Work::Selection | Work::Packaging => None,
        };
        units.push(unit(step_of(node), trial, flows, &units));
    }
    for step in STEPS.iter().filter(|step| step.deployment) {
        units.push(unit(step, None, flows, &units));
    }
    Ok(units)
}

fn unit(step: &'static Step, trial: Option<Trial>, flows: Flows, before: &[Unit]) -> Unit {
    let mut inputs = Vec::new();
    for port in step.inputs {
        for writer in before.iter().filter(|unit| unit.step.name == port.from) {
            let Some(output) = writer.step.output else { continue };
            inputs.push(Link {
                port: port.name,
                name: name(&of_trial(port.name, writer.trial)),
                from: writer.name.clone(),
                key: output.name,
                schema: schema(output.kind),
            });
        }
    }
    if flows == Flows::Imported && step.arguments.contains(&Argument::Parameter(FLOWS)) {
        let from = FLOWS.to_owned();
        inputs.push(Link { port: FLOWS, name: FLOWS.to_owned(), from, key: IMPORTED, schema: "system.Dataset" });
    }
    Unit { name: of_trial(step.name, trial), step, trial, inputs, flows }
}

impl Unit {
    pub(super) fn component(&self) -> String {
        format!("comp-{}", self.name)
    }

    pub(super) fn executor(&self) -> String {
        format!("exec-{}", self.name)
    }

    /// Whether Kubeflow may take the results of an earlier run. Its key holds the names of input artifacts and not
    /// what is in them, so that only a step may be cached which is told their digests.
    pub(super) fn cached(&self) -> bool {
        self.step.fan == Fan::Trials
    }

    /// Whether `argument` is the artifact of imported flows.
    pub(super) fn is_imported(&self, argument: Argument) -> bool {
        self.flows == Flows::Imported && argument == Argument::Parameter(FLOWS)
    }

    /// The parameters that it is called with, and the digests of what it takes if it is cached.
    pub(super) fn parameters(&self) -> Vec<Taken> {
        let called = self.step.arguments.iter().filter(|&&argument| !self.is_imported(argument));
        let called = called.filter_map(|&argument| match argument {
            Argument::Parameter(of) => Some(Taken { name: name(of), source: Source::Run(of) }),
            Argument::Value { of, name: value } => Some(result(of, value)),
            _ => None,
        });
        let digests = self.inputs.iter().filter(|_| self.cached()).map(|link| result(&link.from, "digest"));
        called.chain(digests).collect()
    }

    /// The artifacts that it writes: name and type. The first is the step's; the others are what the user interface
    /// draws.
    pub(super) fn outputs(&self) -> Vec<(&'static str, &'static str)> {
        let Some(output) = self.step.output else { return Vec::new() };
        let drawn: &[_] = match output.kind {
            Kind::Features => &[],
            Kind::Trial => &[METRICS, ("confusion_matrix", "system.ClassificationMetrics")],
            Kind::Selection | Kind::Validation => &[METRICS],
            Kind::Package => &[(REPORT, "system.HTML")],
        };
        [(output.name, schema(output.kind))].into_iter().chain(drawn.iter().copied()).collect()
    }
}

const METRICS: (&str, &str) = ("metrics", "system.Metrics");
/// The report as an artifact of its own: the user interface shows one that is an HTML file, not a directory with one.
pub(super) const REPORT: &str = "report";

const fn schema(kind: Kind) -> &'static str {
    match kind {
        Kind::Features => "system.Dataset",
        Kind::Trial | Kind::Package => "system.Model",
        Kind::Selection | Kind::Validation => "system.Artifact",
    }
}

fn result(task: &str, value: &'static str) -> Taken {
    Taken { name: name(&format!("{task}_{value}")), source: Source::Result { task: task.to_owned(), value } }
}

fn of_trial(of: &str, trial: Option<Trial>) -> String {
    trial.map_or_else(|| of.to_owned(), |(representation, family)| format!("{of}-{representation}-{family}"))
}

/// A name as the IR has it: what is written with a hyphen elsewhere is an identifier of Python there.
pub(super) fn name(of: &str) -> String {
    of.replace('-', "_")
}
