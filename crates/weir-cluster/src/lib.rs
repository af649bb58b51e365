//! Weir on Kubernetes: submits runs, watches them, fetches what they made, deploys the predictor.
//!
//! | command | what it does |
//! |---|---|
//! | [`submit_command`] | applies the workflow template, starts a run, watches it, fetches report and bundle |
//! | [`runs_command`], [`logs_command`], [`stop_command`] | lists runs, shows what their steps wrote, stops one |
//! | [`deploy_command`] | makes or changes the InferenceService and waits until the new bundle is what is served |
//! | [`policy_enforcers`] | keeps clients out by a policy on the pods that they reach |
//! | [`notify_command`], [`export_command`] | steps of a run and of fetching, inside the cluster |
//!
//! Everything asynchronous is inside: commands block, and Ctrl-C ends them within a moment. The client is kube's over a
//! connector of our own, because a static binary cannot look names up through the C library.
//!
//! The workflow's manifest comes from outside; this crate knows of it what Argo reports: steps, phases, messages. It does
//! not know models, nor how a stage works. It writes what it fetches, and reads kubeconfigs.

mod block;
mod cluster;
mod deploy;
mod fetch;
mod logs;
mod manifest;
mod notify;
mod runs;
mod stop;
mod submit;
mod workflow;

pub use block::{PolicyArgs, WithPolicy, policy_enforcers};
pub use cluster::ClusterArgs;
pub use deploy::{DeployArgs, deploy_command};
pub use fetch::{ExportArgs, export_command};
pub use logs::{LogsArgs, logs_command};
pub use notify::{NotifyArgs, notify_command};
pub use runs::{RunsArgs, runs_command};
pub use stop::{StopArgs, stop_command};
pub use submit::{ArtifactsArg, Data, SubmitArgs, submit_command};
