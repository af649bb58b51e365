//! How a run ended, and with which exit code whoever waited for it has to end.

use weir_contract::ExitCode;
use weir_stage::Failure;

use super::{Node, Workflow};

/// How a run stands.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    Running,
    Succeeded,
    /// With the id of the step that is to blame, if it is one.
    Failed(Failure, Option<String>),
}

/// Reads how `workflow` stands.
pub(crate) fn verdict(workflow: &Workflow) -> Verdict {
    match workflow.status.phase.as_str() {
        "Succeeded" => Verdict::Succeeded,
        "Failed" | "Error" => {
            let name = &workflow.metadata.name;
            if let Some(how) = &workflow.spec.shutdown {
                let word = if how == "Terminate" { "terminated" } else { "stopped" };
                return Verdict::Failed(Failure::retry(format!("run {name} was {word} by someone")), None);
            }
            match culprit(workflow) {
                Some(node) => Verdict::Failed(of_step(workflow, node), Some(node.id.clone())),
                None => Verdict::Failed(of_run(workflow), None),
            }
        }
        _ => Verdict::Running,
    }
}

/// The step whose failure failed the run: of those that no later attempt made good, the first to end, and any other
/// before the exit handler.
fn culprit(workflow: &Workflow) -> Option<&Node> {
    let nodes = workflow.status.nodes.values();
    let failed = nodes.filter(|node| node.is_step() && node.has_failed() && is_last_attempt(workflow, node));
    failed.min_by_key(|node| (node.name.contains(".onExit"), node.finished_at.clone(), node.name.clone()))
}

fn is_last_attempt(workflow: &Workflow, node: &Node) -> bool {
    let Some(retry) = workflow.retry_around(&node.id) else { return true };
    if !retry.has_failed() && !retry.phase.is_empty() && retry.phase != "Running" {
        return false;
    }
    // Hooks are children as well, after the attempts.
    let attempts = retry.children.iter().filter_map(|id| workflow.status.nodes.get(id)).filter(|node| node.is_step());
    let last = attempts.max_by_key(|attempt| workflow.step(attempt).attempt);
    last.is_none_or(|last| last.id == node.id)
}

fn of_step(workflow: &Workflow, node: &Node) -> Failure {
    let (run, step) = (&workflow.metadata.name, workflow.step(node).name);
    let code = node.exit_code();
    let said = if node.message.is_empty() { String::new() } else { format!(": {}", node.message) };
    let failure = Failure::retry(match code {
        Some(code) => format!("step {step} of run {run} failed with exit code {code}"),
        None => format!("step {step} of run {run} failed{said}"),
    });
    let code = match code {
        Some(2) => ExitCode::Usage,
        Some(3) => ExitCode::Input,
        Some(4) => ExitCode::Gate,
        _ => ExitCode::Retry,
    };
    let failure = Failure { code, ..failure };
    match cause(&node.message) {
        Some((what, hint)) => Failure { message: format!("{}: {what}", failure.message), ..failure }.hint(hint),
        None => failure,
    }
}

/// What Argo's words for a pod that did not end by itself mean.
fn cause(message: &str) -> Option<(String, String)> {
    let text = message.to_lowercase();
    let has = |word: &str| text.contains(word);
    let cause = |what: &str, hint: &str| Some((what.to_owned(), hint.to_owned()));
    if has("oomkilled") {
        return cause(
            "it ran out of memory (OOMKilled)",
            "give it less at once with --parts (features) or --shards (training), or raise the step's memory limit in \
             the template",
        );
    }
    if has("evict") || has("low on resource") {
        return cause(
            "its pod was evicted",
            "the node was short of memory or disk; free some, or raise the step's requests in the template, so that it \
             goes to a node that has them",
        );
    }
    if has("deadline") || has("max duration") {
        return cause("it took longer than it may", "raise the step's activeDeadlineSeconds in the template");
    }
    if has("imagepullbackoff") || has("errimagepull") || has("invalidimagename") {
        return cause("its image cannot be pulled", "--registry and --tag say which images the run uses");
    }
    None
}

fn of_run(workflow: &Workflow) -> Failure {
    let (name, message) = (&workflow.metadata.name, &workflow.status.message);
    let failure = Failure::retry(format!("run {name} failed: {message}"));
    let text = message.to_lowercase();
    if text.contains("invalid spec") || text.contains("not found") && text.contains("template") {
        let failure = Failure { code: ExitCode::Usage, ..failure };
        return failure.hint("the template in the cluster is not one of this weir: leave out --no-apply");
    }
    if text.contains("deadline") || text.contains("max duration") {
        return failure
            .hint("raise activeDeadlineSeconds of the template, or divide the work with --parts and --shards");
    }
    failure.hint(format!("`kubectl describe workflow {name}` shows what the controller thinks of it"))
}
