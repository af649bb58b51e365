//! What the cluster's answers mean to the person who asked, and what to do about them.

use kube::Error;
use kube::client::AuthError;
use kube::core::Status;
use weir_stage::Failure;

/// What was asked of the cluster, for errors: `failed to {verb} {what}`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doing<'a> {
    /// As in RBAC: get, list, watch, create, patch, delete.
    pub(crate) verb: &'a str,
    /// As in RBAC: `workflows.argoproj.io`, `pods/log`.
    pub(crate) resource: &'a str,
    /// Its name, empty for none.
    pub(crate) name: &'a str,
}

impl<'a> Doing<'a> {
    pub(crate) const fn new(verb: &'a str, resource: &'a str, name: &'a str) -> Self {
        Self { verb, resource, name }
    }

    fn text(&self) -> String {
        let Self { verb, resource, name } = self;
        if name.is_empty() {
            format!("failed to {verb} {resource}")
        } else {
            format!("failed to {verb} {resource} {name}")
        }
    }
}

/// The failure that an error of the client is.
pub(crate) fn explain(error: &Error, doing: &Doing<'_>, server: &str, namespace: &str) -> Failure {
    match error {
        Error::Api(status) => answer(status, doing, namespace),
        Error::Service(error) if is_about_credentials(error.as_ref()) => no_credentials(error.as_ref(), server),
        Error::Auth(error) => no_credentials(error, server),
        other => unreachable(other, doing, server),
    }
}

/// The client's layers hand their errors on as what goes wrong with a request.
fn is_about_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<AuthError>() || matches!(error.downcast_ref(), Some(Error::Auth(_)))
}

fn no_credentials(error: &dyn std::error::Error, server: &str) -> Failure {
    Failure::usage(format!("failed to get credentials for {server}: {}", weir_http::chain(error)))
        .hint("log in again; `kubectl get pods` shows whether the credentials work there")
}

/// Whether the cluster does not know the kind at all.
pub(crate) fn is_unknown_kind(status: &Status) -> bool {
    let named = status.details.as_ref().is_some_and(|details| !details.name.is_empty());
    status.code == 404 && (!named || status.message.contains("could not find the requested resource"))
}

fn answer(status: &Status, doing: &Doing<'_>, namespace: &str) -> Failure {
    let said = said(status);
    let what = doing.text();
    match status.code {
        401 => Failure::usage(format!("{what}: the cluster does not know who asks: {said}"))
            .hint("the credentials have expired or are wrong; log in again"),
        403 => forbidden(doing, namespace, &said),
        404 if is_unknown_kind(status) => not_installed(doing, &said),
        404 if status.details.as_ref().is_some_and(|details| details.kind == "namespaces") => Failure::usage(format!(
            "there is no namespace {namespace} in the cluster"
        ))
        .hint(
            "`kubectl apply -k k8s/overlays/local` (or s3) makes it and all that Weir needs; --namespace names another",
        ),
        404 => Failure::input(format!("there is no {} {} in namespace {namespace}", doing.resource, doing.name))
            .hint("`weir runs` lists the runs; --namespace names another namespace"),
        400 | 422 => Failure::usage(format!("{what}: the cluster refuses it: {said}")),
        409 => Failure::retry(format!("{what}: {said}")),
        _ => Failure::retry(format!("{what}: the cluster answers {} {said}", status.code)),
    }
}

fn said(status: &Status) -> String {
    let text = if status.message.is_empty() { status.reason.as_str() } else { status.message.as_str() };
    text.trim().replace('\n', ", ")
}

fn forbidden(doing: &Doing<'_>, namespace: &str, said: &str) -> Failure {
    let Doing { verb, resource, .. } = doing;
    // A quota or an admission policy also answers 403, and has other words for it than `User "ada" cannot`.
    if !said.contains("\" cannot ") {
        return Failure::usage(format!("{}: the cluster forbids it: {said}", doing.text()));
    }
    Failure::usage(format!("you may not {verb} {resource} in namespace {namespace}: {said}")).hint(format!(
        "the role weir-submit of k8s/ allows what weir needs: \
         kubectl -n {namespace} create rolebinding weir-me --role=weir-submit --user=NAME"
    ))
}

fn not_installed(doing: &Doing<'_>, said: &str) -> Failure {
    let (what, hint) = match doing.resource.split_once('.') {
        Some((_, "argoproj.io")) => (
            "Argo Workflows is not installed in the cluster",
            "install it: https://argo-workflows.readthedocs.io/en/stable/installation (3.6 or later); \
             k8s/try-it does it on a cluster of its own",
        ),
        Some((_, "serving.kserve.io")) => (
            "KServe is not installed in the cluster",
            "install it in Standard mode: https://kserve.github.io/website (0.15 or later); \
             `weir serve` serves a bundle without a cluster",
        ),
        _ => return Failure::usage(format!("{}: {said}", doing.text())),
    };
    Failure::usage(format!("{what}: it does not know {}", doing.resource)).hint(hint)
}

fn unreachable(error: &Error, doing: &Doing<'_>, server: &str) -> Failure {
    let cause = match error {
        Error::Service(error) => weir_http::chain(error.as_ref()),
        other => weir_http::chain(other),
    };
    let failure = Failure::retry(format!("{}: no answer from {server}: {cause}", doing.text()));
    if cause.contains("certificate") {
        return failure.hint("the cluster's certificate is not from the authority that the kubeconfig names");
    }
    failure.hint("is the cluster running and the kubeconfig's address right? `kubectl cluster-info` asks the same")
}
