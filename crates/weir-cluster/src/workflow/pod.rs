//! Why a pod does not run, in words that help.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// Why a pod does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
    /// Whether waiting alone will not help.
    pub(crate) lasting: bool,
}

/// What keeps `pod` from running, if something does.
pub(crate) fn trouble(pod: &Pod) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    if status.reason.as_deref() == Some("Evicted") {
        let message = status.message.as_deref().unwrap_or_default();
        return Some(Trouble {
            text: format!("the pod was evicted: {}", message.trim()),
            hint: Some("the node is short of memory or disk".to_owned()),
            lasting: false,
        });
    }
    unschedulable(pod).or_else(|| {
        let containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
        let mut troubles = containers.filter_map(|container| waiting(pod, container));
        troubles.next()
    })
}

fn unschedulable(pod: &Pod) -> Option<Trouble> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    })?;
    let message = condition.message.as_deref().unwrap_or_default().trim();
    let (hint, lasting) = match message {
        text if text.contains("persistentvolumeclaim") && text.contains("not found") => {
            ("k8s/overlays/local makes the volume; --artifacts s3 needs none", true)
        }
        text if text.contains("PersistentVolumeClaims") || text.contains("persistentvolumeclaim") => (
            "`kubectl get pvc` shows whether the volume is bound; the cluster needs a storage class that makes volumes",
            false,
        ),
        _ => ("it starts as soon as a node has room; --models and --parts make for fewer or smaller steps", false),
    };
    Some(Trouble { text: format!("no node takes the pod: {message}"), hint: Some(hint.to_owned()), lasting })
}

fn waiting(pod: &Pod, container: &ContainerStatus) -> Option<Trouble> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let said = waiting.message.as_deref().unwrap_or_default().trim();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let lasting = |text: String, hint: &str| Some(Trouble { text, hint: Some(hint.to_owned()), lasting: true });
    match waiting.reason.as_deref()? {
        reason @ ("ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull") => lasting(
            format!("image {} cannot be pulled ({reason}){said}", image(pod, container)),
            "`pipeline/images/build --push` builds and pushes the images; --registry and --tag say which ones a run uses, \
             as the cluster's nodes see the registry",
        ),
        reason @ ("CreateContainerConfigError" | "CreateContainerError") => lasting(
            format!("container {} cannot be made ({reason}){said}", container.name),
            "k8s/README.md says which secrets and volumes the overlay needs",
        ),
        "CrashLoopBackOff" => lasting(
            format!("container {} ends again and again{said}{}", container.name, last_end(container)),
            "its log says why",
        ),
        _ => None,
    }
}

fn image(pod: &Pod, container: &ContainerStatus) -> String {
    let spec = pod.spec.as_ref();
    let containers =
        spec.into_iter().flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    let mut named = containers.filter(|candidate| candidate.name == container.name);
    named.next().and_then(|found| found.image.clone()).unwrap_or_else(|| container.image.clone())
}

fn last_end(container: &ContainerStatus) -> String {
    let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    last.map_or_else(String::new, |last| {
        let reason = last.reason.as_deref().unwrap_or("Error");
        format!(" (last: {reason}, exit code {})", last.exit_code)
    })
}
