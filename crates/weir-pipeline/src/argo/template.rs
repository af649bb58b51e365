//! Templates that run a program.

use serde_json::{Value, json};

use super::place::{self, Place};
use super::{Artifacts, FLOWS, Options, pod, reference};
use crate::definition::STEPS;
use crate::step::{Argument, Divided, Fan, Resources, Step};

/// Where programs leave small results. Not on the volume, where those of other pods would be.
const VALUES: &str = "/tmp/values";

/// Which of its programs' calls a template of a step makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The plan of a divided step.
    Plan,
    /// One piece.
    Piece,
    /// What joins the pieces.
    Gather,
}

impl Part {
    /// The parts of a divided step, in their order.
    pub(super) const DIVIDED: [Self; 3] = [Self::Plan, Self::Piece, Self::Gather];

    pub(super) fn arguments(self, step: &Step, divided: Option<Divided>) -> &'static [Argument] {
        match (self, divided) {
            (Self::Plan, Some(divided)) => divided.plan,
            (Self::Piece, Some(divided)) => divided.piece,
            (Self::Gather, Some(divided)) => divided.gather,
            (Self::Whole, _) | (_, None) => step.arguments,
        }
    }

    /// Whether it writes the step's artifact, and so its small results.
    fn concludes(self) -> bool {
        matches!(self, Self::Whole | Self::Gather)
    }
}

/// The template of `part` of `step`.
pub(super) fn of_step(step: &Step, part: Part, options: Options) -> Value {
    let calls = part.arguments(step, step.divided);
    let mut arguments: Vec<String> = calls.iter().map(|&call| text(step, call, options.artifacts)).collect();
    if part.concludes() {
        arguments.extend(["--values".to_owned(), VALUES.to_owned()]);
    }
    let mut template = program(step.image, step.name, arguments, step.resources);
    template["name"] = json!(name(step, part));
    template["activeDeadlineSeconds"] = json!(step.timeout);
    if step.deployment && step.output.is_none() {
        template["serviceAccountName"] = json!(pod::DEPLOY_ACCOUNT);
    }
    let reads_flows = part != Part::Gather && step.arguments.contains(&Argument::Parameter("flows"));
    let (taken, written) = artifacts(step, calls);
    if options.artifacts == Artifacts::S3 {
        template["inputs"]["artifacts"] = taken.iter().flat_map(Place::artifacts).collect();
        template["outputs"]["artifacts"] = written.iter().flat_map(Place::artifacts).collect();
    }
    if reads_flows {
        push(&mut template["inputs"]["artifacts"], json!({ "name": "flows", "path": FLOWS, "optional": true }));
    }
    if part.concludes() {
        template["outputs"]["parameters"] = step.values.iter().map(|value| value_of(step, value.name)).collect();
    }
    if reads_flows || !taken.is_empty() || !written.is_empty() {
        push(&mut template["container"]["volumeMounts"], json!({ "name": place::CLAIM, "mountPath": place::ROOT }));
        push(&mut template["volumes"], volume(step.resources, options.artifacts));
    }
    if options.memoize && part == Part::Whole && step.fan == Fan::Trials {
        template["memoize"] = memoize(&trial_memo(step));
    }
    declared(template)
}

/// Name of the template of `part` of `step`.
pub(super) fn name(step: &Step, part: Part) -> String {
    match part {
        Part::Whole => step.name.to_owned(),
        _ => format!("{}-{}", step.name, verb(step, part)),
    }
}

/// What a part of a divided step is called by its program: `plan`, `run-part`, `gather`.
pub(super) fn verb(step: &Step, part: Part) -> &'static str {
    match part.arguments(step, step.divided).first() {
        Some(Argument::Text(verb)) => verb,
        _ => step.name,
    }
}

/// The exit handler: tells a webhook, if there is one, how the run ended.
pub(super) fn notify() -> Value {
    let arguments = [
        ("--workflow", "{{workflow.name}}".to_owned()),
        ("--status", "{{workflow.status}}".to_owned()),
        ("--duration", "{{workflow.duration}}".to_owned()),
        ("--failures", "{{workflow.failures}}".to_owned()),
        ("--report", place::of_run("package/report.html")),
    ];
    let arguments = arguments.into_iter().flat_map(|(option, value)| [option.to_owned(), value]);
    let needs = Resources { cpu_millis: 10, memory_mib: 32, memory_limit_mib: 128, disk_mib: 0 };
    let arguments = std::iter::once("notify".to_owned()).chain(arguments).collect();
    let mut template = program("weir-cluster", super::NOTIFY, arguments, needs);
    template["name"] = json!(super::NOTIFY);
    template["activeDeadlineSeconds"] = json!(5 * 60);
    template["container"]["env"] = json!([{
        "name": "WEIR_NOTIFY_URL",
        "valueFrom": { "secretKeyRef": { "name": "weir-notify", "key": "url", "optional": true } },
    }]);
    declared(template)
}

/// What Argo remembers of a template under `key`. Without the `key` of the ConfigMap that the full CRDs of 3.x ask for:
/// it was never used, those of 4.x refuse it, and 3.x comes with minimal ones.
pub(super) fn memoize(key: &str) -> Value {
    json!({ "key": key, "maxAge": "720h", "cache": { "configMap": { "name": "weir-memo" } } })
}

/// Key under which the trial of a template is remembered. Argo wants letters, digits and hyphens.
pub(super) fn trial_memo(step: &Step) -> String {
    format!("{}-{}-{}", step.name, reference::input(place::TRIALS_KEY), place::trial())
}

/// `template` with the input parameters that it refers to, and without empty lists.
pub(super) fn declared(mut template: Value) -> Value {
    let names = reference::inputs(&template);
    template["inputs"]["parameters"] = names.into_iter().map(|name| json!({ "name": name })).collect();
    for group in ["inputs", "outputs"] {
        let Some(members) = template.get_mut(group).and_then(Value::as_object_mut) else { continue };
        members.retain(|_, value| value.as_array().is_some_and(|list| !list.is_empty()));
        if members.is_empty() {
            template.as_object_mut().and_then(|template| template.remove(group));
        }
    }
    template
}

fn program(image: &str, component: &str, arguments: Vec<String>, needs: Resources) -> Value {
    json!({
        "metadata": { "labels": pod::labels(Some(component)) },
        "container": {
            "image": format!("{}/{image}:{}", reference::parameter("registry"), reference::parameter("tag")),
            "imagePullPolicy": "IfNotPresent",
            "command": [format!("/{image}")],
            "args": arguments,
            "resources": pod::resources(needs),
            "securityContext": pod::container_security_context(),
            "volumeMounts": [{ "name": "tmp", "mountPath": "/tmp" }],
        },
        "retryStrategy": pod::retry_strategy(),
        "volumes": [{ "name": "tmp", "emptyDir": { "sizeLimit": "1Gi" } }],
    })
}

fn volume(needs: Resources, artifacts: Artifacts) -> Value {
    match artifacts {
        Artifacts::S3 => json!({ "name": place::CLAIM, "emptyDir": { "sizeLimit": pod::mebibytes(needs.disk_mib) } }),
        Artifacts::Volume => {
            json!({ "name": place::CLAIM, "persistentVolumeClaim": { "claimName": place::CLAIM } })
        }
    }
}

/// A small result of `step`, also of the whole run where the step runs once.
fn value_of(step: &Step, name: &str) -> Value {
    let mut parameter = json!({ "name": name, "valueFrom": { "path": format!("{VALUES}/{name}") } });
    if step.fan == Fan::Once {
        parameter["globalName"] = json!(format!("{}-{name}", step.name));
    }
    parameter
}

/// The argument `call` of `step`.
fn text(step: &Step, call: Argument, artifacts: Artifacts) -> String {
    let seen = |place: Option<Place>| place.map(|place| place.seen(artifacts)).unwrap_or_default();
    match call {
        Argument::Text(text) => text.to_owned(),
        Argument::Parameter(name) => reference::parameter(name),
        Argument::Representation => reference::input(place::REPRESENTATION),
        Argument::Model => reference::input(place::MODEL),
        Argument::Input(port) => seen(input(step, port)),
        Argument::Output => seen(Place::written_by(step)),
        Argument::OutputFile(file) => format!("{}/{file}", seen(Place::written_by(step))),
        Argument::Uri { input: port, inside } => {
            let key = input(step, port).map(|place| place.key).unwrap_or_default();
            format!("{}/{key}/{inside}", reference::parameter("storage-uri"))
        }
        Argument::Value { of, name } => reference::input(&format!("{of}-{name}")),
        Argument::Plan => Place::plan(step).seen(artifacts),
        Argument::Pieces => step.divided.map(|divided| reference::parameter(divided.parameter)).unwrap_or_default(),
        Argument::Piece => reference::input(place::PIECE),
        Argument::PieceOutput => Place::piece(step).seen(artifacts),
        Argument::PieceOutputs => Place::pieces(step).seen(artifacts),
    }
}

/// What a template with the arguments `calls` takes and what it writes. A URI is only passed on.
fn artifacts(step: &Step, calls: &[Argument]) -> (Vec<Place>, Vec<Place>) {
    let makes_plan = calls.contains(&Argument::Pieces);
    let (mut taken, mut written) = (Vec::new(), Vec::new());
    for call in calls {
        match *call {
            Argument::Input(port) => taken.extend(input(step, port)),
            Argument::Output | Argument::OutputFile(_) => written.extend(Place::written_by(step)),
            Argument::Plan if makes_plan => written.push(Place::plan(step)),
            Argument::Plan => taken.push(Place::plan(step)),
            Argument::PieceOutput => written.push(Place::piece(step)),
            Argument::PieceOutputs => taken.push(Place::pieces(step)),
            Argument::Text(_)
            | Argument::Parameter(_)
            | Argument::Representation
            | Argument::Model
            | Argument::Uri { .. }
            | Argument::Value { .. }
            | Argument::Pieces
            | Argument::Piece => {}
        }
    }
    (taken, written)
}

/// What `step` takes under the name `port`.
fn input(step: &Step, port: &str) -> Option<Place> {
    let from = step.inputs.iter().find(|input| input.name == port)?.from;
    Place::all_of(STEPS.iter().find(|step| step.name == from)?)
}

fn push(list: &mut Value, value: Value) {
    match list {
        Value::Array(values) => values.push(value),
        other => *other = json!([value]),
    }
}
