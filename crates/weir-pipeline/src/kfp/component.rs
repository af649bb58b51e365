//! Components: what tasks take and write, and the containers that do it.

use serde_json::{Map, Value, json};

use crate::kfp::Options;
use crate::kfp::unit::{FLOWS, IMPORTED, REPORT, Unit, name};
use crate::step::{Argument, Resources};

const MIB: f64 = 1024.0 * 1024.0;

/// What `unit` takes and writes.
pub(super) fn interface(unit: &Unit) -> Value {
    let text = || json!({"parameterType": "STRING"});
    let parameters = unit.parameters().into_iter().map(|parameter| (parameter.name, text())).collect();
    let artifacts = unit.inputs.iter().map(|link| (link.name.clone(), artifact(link.schema))).collect();
    let values = unit
        .step
        .values
        .iter()
        .map(|value| (name(value.name), json!({"parameterType": "STRING", "description": value.about})));
    let written = unit.outputs().into_iter().map(|(name, schema)| (name.to_owned(), artifact(schema)));
    json!({
        "executorLabel": unit.executor(),
        "inputDefinitions": definitions(parameters, artifacts),
        "outputDefinitions": definitions(values.collect(), written.collect()),
    })
}

/// The container of `unit`.
pub(super) fn container(unit: &Unit, options: &Options) -> Value {
    let Options { registry, tag, .. } = options;
    let image = unit.step.image;
    json!({"container": {
        "image": format!("{registry}/{image}:{tag}"),
        "command": [format!("/{image}")],
        "args": arguments(unit),
        "resources": resources(unit.step.resources),
    }})
}

/// What the importer of flows takes and writes.
pub(super) fn importer_interface() -> Value {
    json!({
        "executorLabel": format!("exec-{FLOWS}"),
        "inputDefinitions": {"parameters": {"uri": {"parameterType": "STRING"}}},
        "outputDefinitions": {"artifacts": {IMPORTED: artifact("system.Dataset")}},
    })
}

/// The importer of flows.
pub(super) fn importer() -> Value {
    json!({"importer": {
        "artifactUri": {"runtimeParameter": "uri"},
        "typeSchema": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"},
    }})
}

/// Parameters and artifacts of one side, without what is empty.
pub(super) fn definitions(parameters: Map<String, Value>, artifacts: Map<String, Value>) -> Value {
    let sides = [("parameters", parameters), ("artifacts", artifacts)];
    sides.into_iter().filter(|(_, of)| !of.is_empty()).map(|(side, of)| (side.to_owned(), Value::Object(of))).collect()
}

pub(super) fn artifact(schema: &str) -> Value {
    json!({"artifactType": {"schemaTitle": schema, "schemaVersion": "0.0.1"}})
}

fn arguments(unit: &Unit) -> Vec<String> {
    let mut arguments = Vec::new();
    for &argument in unit.step.arguments {
        match argument {
            Argument::Text(text) => arguments.push(text.to_owned()),
            Argument::Parameter(of) if unit.is_imported(argument) => arguments.push(input(&name(of), "path")),
            Argument::Parameter(of) => arguments.push(parameter(&name(of))),
            Argument::Value { of, name: value } => arguments.push(parameter(&name(&format!("{of}_{value}")))),
            Argument::Representation => {
                arguments.extend(unit.trial.map(|(representation, _)| representation.to_string()))
            }
            Argument::Model => arguments.extend(unit.trial.map(|(_, family)| family.to_string())),
            Argument::Input(port) => arguments.extend(of_port(unit, port).map(|taken| input(taken, "path"))),
            Argument::Uri { input: port, inside } => {
                arguments.extend(of_port(unit, port).map(|taken| format!("{}/{inside}", input(taken, "uri"))));
            }
            Argument::Output => arguments.extend(own(unit)),
            Argument::OutputFile(file) => arguments.extend(own(unit).map(|path| format!("{path}/{file}"))),
            // Of divided steps.
            Argument::Plan | Argument::Pieces | Argument::Piece | Argument::PieceOutput | Argument::PieceOutputs => {}
        }
    }
    if unit.outputs().iter().any(|&(name, _)| name == REPORT) {
        arguments.extend(["--report-file".to_owned(), output(REPORT)]);
    }
    // All that the program needs to tell Kubeflow of artifacts and results.
    arguments.extend(["--executor-input".to_owned(), "{{$}}".to_owned()]);
    arguments
}

fn of_port<'a>(unit: &'a Unit, port: &str) -> impl Iterator<Item = &'a str> {
    unit.inputs.iter().filter(move |link| link.port == port).map(|link| link.name.as_str())
}

fn own(unit: &Unit) -> Option<String> {
    unit.step.output.map(|artifact| output(artifact.name))
}

fn parameter(name: &str) -> String {
    format!("{{{{$.inputs.parameters['{name}']}}}}")
}

fn input(name: &str, what: &str) -> String {
    format!("{{{{$.inputs.artifacts['{name}'].{what}}}}}")
}

fn output(name: &str) -> String {
    format!("{{{{$.outputs.artifacts['{name}'].path}}}}")
}

/// Both forms that the IR has: clusters before 2.5 read numbers (processors, and memory in 10^9 bytes), later ones
/// quantities. Disk has no form.
fn resources(needs: Resources) -> Value {
    let gigabytes = |mib: u32| f64::from(mib) * MIB / 1e9;
    json!({
        "cpuRequest": f64::from(needs.cpu_millis) / 1000.0,
        "memoryRequest": gigabytes(needs.memory_mib),
        "memoryLimit": gigabytes(needs.memory_limit_mib),
        "resourceCpuRequest": format!("{}m", needs.cpu_millis),
        "resourceMemoryRequest": format!("{}Mi", needs.memory_mib),
        "resourceMemoryLimit": format!("{}Mi", needs.memory_limit_mib),
    })
}
