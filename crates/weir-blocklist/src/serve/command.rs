//! `weir block serve`: its arguments.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use tokio::runtime::Builder;
use weir_stage::{CommonArgs, Failure, ParamsArgs, Stage};

use super::api::Api;
use super::keys::Keys;
use super::server::{Limits, listen, serve};
use super::source::Source;
use crate::BlocklistParams;
use crate::allow::AllowArgs;

/// Serve the blocklist to CrowdSec bouncers
#[derive(Debug, Clone, Parser)]
pub struct ServeArgs {
    /// Directory with the blocklist
    #[arg(long, value_name = "DIR", default_value = "weir-block")]
    pub state: PathBuf,

    /// Keys of the bouncers: name:key on a line
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,

    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8088")]
    pub listen: SocketAddr,

    /// Write the port to this file once it is known
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,

    /// Who is never blocked.
    #[command(flatten)]
    pub allow: AllowArgs,

    /// Parameters.
    #[command(flatten)]
    pub params: ParamsArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for ServeArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Serves until the process is asked to stop.
///
/// # Errors
/// Failures of usage for parameters and keys that do not hold, of input for a blocklist that cannot be read, to be
/// retried where the system gives no socket.
pub fn serve_command(args: ServeArgs, stage: &Stage) -> Result<(), Failure> {
    let params: BlocklistParams = crate::params::load(&args.params)?.section("blocklist")?;
    let allow = args.allow.load(&params)?;
    let keys = Keys::read(&args.keys)?;
    let api = Arc::new(Api::new(keys, Source::open(args.state.clone(), allow)?));
    let failed = |error: std::io::Error| {
        Failure::retry(format!("failed to listen on {}: {error}", args.listen)).hint("choose another --listen")
    };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let listener = listen(args.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    if let Some(file) = &args.port_file {
        fs::write(file, format!("{}\n", address.port()))
            .map_err(|error| Failure::retry(format!("failed to write {}: {error}", file.display())))?;
    }
    stage.note(format!("serving {} at http://{address}/", args.state.display()));
    if !address.ip().is_loopback() {
        stage
            .warn("keys of bouncers travel readable for everybody on the way: put TLS in front, or listen on loopback");
    }
    runtime.block_on(serve(listener, api, Limits::default(), stage)).map_err(failed)
}
