//! `weir block`: from an access log to blocked clients. The policies of a cluster come from weir-cluster, all else from
//! weir-blocklist.

use clap::{Parser, Subcommand};
use weir_blocklist::detect::{DetectArgs, detect_command};
use weir_blocklist::enforce::{EnforceArgs, ListArgs, RemoveArgs, enforce_command, list_command, remove_command};
use weir_blocklist::fetch::{FetchArgs, fetch_command};
use weir_blocklist::notice::{NotifyArgs, notify_command};
use weir_blocklist::serve::{ServeArgs, serve_command};
use weir_blocklist::{RunArgs, run_command};
use weir_cluster::{WithPolicy, policy_enforcers};
use weir_stage::{CommonArgs, Failure, Stage};

#[derive(Parser)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Bring access logs here
    Fetch(FetchArgs),
    /// Find the clients that flood a web server, by its access logs
    Detect(DetectArgs),
    /// Keep out whom a detection lists, for a while; without --apply only say what would change
    Enforce(WithPolicy<EnforceArgs>),
    /// Fetch, detect, enforce, and tell how it went; without --apply only say what would change
    Run(Box<WithPolicy<RunArgs>>),
    /// Show who is blocked, for how long and why
    List(WithPolicy<ListArgs>),
    /// Let in who is blocked
    Remove(WithPolicy<RemoveArgs>),
    /// Serve the blocklist to CrowdSec's bouncers
    Serve(ServeArgs),
    /// Tell how a run ended
    Notify(NotifyArgs),
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        match &self.what {
            What::Fetch(args) => args.as_ref(),
            What::Detect(args) => args.as_ref(),
            What::Enforce(args) => args.as_ref(),
            What::Run(args) => (**args).as_ref(),
            What::List(args) => args.as_ref(),
            What::Remove(args) => args.as_ref(),
            What::Serve(args) => args.as_ref(),
            What::Notify(args) => args.as_ref(),
        }
    }
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    match args.what {
        What::Fetch(args) => fetch_command(args, stage),
        What::Detect(args) => detect_command(args, stage),
        What::Enforce(args) => enforce_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
        What::Run(args) => run_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
        What::List(args) => list_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
        What::Remove(args) => remove_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
        What::Serve(args) => serve_command(args, stage),
        What::Notify(args) => notify_command(args, stage),
    }
}
