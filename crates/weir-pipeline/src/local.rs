//! The pipeline as calls of programs on one machine: as processes, or each in its container.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::dag::Dag;
use crate::definition::{PARAMETERS, STEPS};
use crate::node::{Node, Work};
use crate::spec::{PipelineSpec, Trial};
use crate::step::{Argument, Default, Step};

/// Values of the parameters by name; what a list has several of follows its option one after the other.
pub type Values = BTreeMap<&'static str, Vec<String>>;

/// The call of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The node.
    pub id: String,
    /// The image that holds the program, without registry and tag.
    pub image: &'static str,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Directories of the artifacts that it takes, relative to the run directory.
    pub inputs: Vec<String>,
    /// Directory of the artifact that it writes, relative to the run directory.
    pub output: String,
}

/// The values that parameters have where none are given; `version` is that of the build.
#[must_use]
pub fn defaults(spec: &PipelineSpec, version: &str) -> Values {
    let value = |default| match default {
        Default::Text(text) => text.to_owned(),
        Default::Trials => trials(spec),
        Default::Version => version.to_owned(),
    };
    PARAMETERS.iter().map(|parameter| (parameter.name, vec![value(parameter.default)])).collect()
}

/// Those of `values` that a local run heeds: what its steps are called with.
#[must_use]
pub fn parameters(values: &Values) -> Values {
    let steps = || STEPS.iter().filter(|step| !step.deployment);
    let taken = |name| steps().any(|step| step.arguments.contains(&Argument::Parameter(name)));
    values.iter().filter(|&(&name, _)| taken(name)).map(|(&name, value)| (name, value.clone())).collect()
}

/// The trials of `spec` as a workflow has them in its parameter `trials`: a JSON list.
#[must_use]
pub fn trials(spec: &PipelineSpec) -> String {
    let object =
        |(representation, family): Trial| format!(r#"{{"representation":"{representation}","model":"{family}"}}"#);
    format!("[{}]", spec.trials().into_iter().map(object).collect::<Vec<_>>().join(","))
}

/// The calls of all nodes of `dag`, in an order that respects every edge; `place` says where an artifact of the run
/// directory is for the programs.
#[must_use]
pub fn calls(dag: &Dag, values: &Values, place: impl Fn(&str) -> String) -> Vec<Call> {
    dag.nodes().iter().map(|node| call(dag, node, values, &place)).collect()
}

fn call(dag: &Dag, node: &Node, values: &Values, place: &impl Fn(&str) -> String) -> Call {
    let step = step_of(node);
    let mut command = vec![format!("/{}", step.image)];
    for &argument in step.arguments {
        command.extend(match argument {
            Argument::Text(text) => vec![text.to_owned()],
            Argument::Parameter(name) => values.get(name).cloned().unwrap_or_default(),
            Argument::Representation => {
                trial(node).map(|(representation, _)| representation.to_string()).into_iter().collect()
            }
            Argument::Model => trial(node).map(|(_, family)| family.to_string()).into_iter().collect(),
            Argument::Input(name) => inputs(dag, node, step, name).iter().map(|output| place(output)).collect(),
            Argument::Output => vec![place(&node.output)],
            Argument::OutputFile(file) => vec![format!("{}/{file}", place(&node.output))],
            // Of divided steps and of a cluster: none is among the arguments of a node.
            Argument::Uri { .. }
            | Argument::Value { .. }
            | Argument::Plan
            | Argument::Pieces
            | Argument::Piece
            | Argument::PieceOutput
            | Argument::PieceOutputs => Vec::new(),
        });
    }
    let taken = step.inputs.iter().flat_map(|port| inputs(dag, node, step, port.name)).collect();
    Call { id: node.id.to_string(), image: step.image, command, inputs: taken, output: node.output.clone() }
}

/// The step that `node` is made from.
///
/// # Panics
/// Never for a node of [`PipelineSpec::dag`], whose nodes are made from steps.
#[must_use]
pub fn step_of(node: &Node) -> &'static Step {
    STEPS.iter().find(|step| step.name == node.work.stage()).expect("every stage is a step")
}

fn trial(node: &Node) -> Option<Trial> {
    match node.work {
        Work::Training { representation, family } => Some((representation, family)),
        Work::Features | Work::Selection | Work::Packaging => None,
    }
}

/// Directories of what `node` takes under the port `name`.
fn inputs(dag: &Dag, node: &Node, step: &Step, name: &str) -> Vec<String> {
    let Some(port) = step.inputs.iter().find(|port| port.name == name) else { return Vec::new() };
    let writers = node.inputs.iter().filter_map(|edge| dag.nodes().iter().find(|writer| writer.id == edge.from));
    writers.filter(|writer| writer.work.stage() == port.from).map(|writer| writer.output.clone()).collect()
}
