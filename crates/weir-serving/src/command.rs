//! The command: what `weir-serving` and `weir serve` are given.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use validator::Validate;
use weir_bundle::VerifyingKey;
use weir_stage::{CommonArgs, Failure, Stage};

use crate::access::AccessLog;
use crate::app::App;
use crate::predictor::Predictor;
use crate::reload::Watch;
use crate::server::Server;
use crate::settings::Settings;

/// How long a signal may go unheard.
const PAUSE: Duration = Duration::from_millis(20);

/// Serve a bundle: Open Inference Protocol v1 and v2, metrics, health
#[derive(Debug, Clone, PartialEq, Parser)]
pub struct Args {
    /// Directory of the bundle, or a link to it
    #[arg(long, value_name = "DIR", default_value = "weir-run/package/bundle")]
    pub bundle: PathBuf,

    /// Start only with a bundle that one of these keys has signed; may be given several times
    #[arg(long, value_name = "KEYFILE")]
    pub trust: Vec<PathBuf>,

    /// Address to listen on; 0.0.0.0 for all
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// Write the port to this file once it is known
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,

    /// Name of the model in URLs [default: that of the bundle]
    #[arg(long, value_name = "NAME")]
    pub model_name: Option<String>,

    /// Threads that serve connections [default: all cores]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,

    /// Longest body of a request, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    pub max_body: usize,

    /// Most rows of a request
    #[arg(long, value_name = "ROWS", default_value_t = 10_000)]
    pub max_batch: usize,

    /// Predictions at work or waiting at once; more are told to come back later
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub max_concurrency: usize,

    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 4096)]
    pub max_connections: usize,

    /// Longest time for a request to arrive, and to be answered
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub request_timeout: Duration,

    /// Longest time for requests in flight when asked to stop
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub drain: Duration,

    /// How often to look for another bundle in the directory; 0 never
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub reload: Duration,

    /// Log every request on stderr, as lines of JSON
    #[arg(long)]
    pub access_log: bool,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number of seconds from 0 to 86400".to_owned();
    let seconds: f64 = text.parse().map_err(|_| expected())?;
    if (0.0..=86_400.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(expected()) }
}

/// Serves until the process is asked to stop, which is how a predictor ends well.
///
/// # Errors
/// [`Failure`] of usage for settings out of range, of input for a bundle that does not open, to be retried where the
/// system gives no socket.
pub fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let start = Instant::now();
    let (port_file, settings) = (args.port_file.clone(), settings(args)?);
    let predictor = Arc::new(Predictor::new(settings.clone()));
    let (log, writer) = match settings.access_log {
        true => AccessLog::start(io::stderr()).map(|(log, writer)| (Some(log), Some(writer))),
        false => Ok((None, None)),
    }
    .map_err(|error| Failure::retry(format!("failed to start the access log: {error}")))?;
    let place = format!("{}:{}", settings.host, settings.port);
    let server = Server::start(App::new(Arc::clone(&predictor), log.clone())).map_err(|error| {
        Failure::retry(format!("failed to listen on {place}: {error}")).hint("choose another --port or --host")
    })?;
    let served = serve(&predictor, &server, port_file.as_deref(), start, stage);
    let cut = server.stop();
    if let (Some(log), Some(writer)) = (log, writer) {
        log.close(writer);
    }
    if cut > 0 && served.is_ok() {
        stage.warn(format!("{cut} connections were cut off after {} s", settings.drain.as_secs_f64()));
    }
    served
}

fn settings(args: Args) -> Result<Settings, Failure> {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let settings = Settings {
        bundle: args.bundle,
        trust: args.trust.iter().map(|path| VerifyingKey::read(path)).collect::<Result<_, _>>()?,
        host: args.host,
        port: args.port,
        model_name: args.model_name,
        workers: args.workers.unwrap_or_else(cores),
        max_body: args.max_body,
        max_batch: args.max_batch,
        max_concurrency: args.max_concurrency,
        max_connections: args.max_connections,
        request_timeout: args.request_timeout,
        drain: args.drain,
        last_call: Settings::default().last_call,
        reload: Some(args.reload).filter(|reload| !reload.is_zero()),
        access_log: args.access_log,
    };
    settings.validate().map_err(|errors| Failure::usage(crate::settings::explain(&errors)))?;
    Ok(settings)
}

/// Loads the bundle and then looks after it until the process is asked to stop.
fn serve(
    predictor: &Predictor,
    server: &Server,
    port_file: Option<&std::path::Path>,
    start: Instant,
    stage: &Stage,
) -> Result<(), Failure> {
    let address = server.address();
    if let Some(file) = port_file {
        fs::write(file, format!("{}\n", address.port()))
            .map_err(|error| Failure::retry(format!("failed to write {}: {error}", file.display())))?;
    }
    predictor.load()?;
    let (name, version) = predictor.serves().unwrap_or_default();
    let ready = start.elapsed().as_secs_f64() * 1e3;
    stage.note(format!("serving {name} {version} at http://{address}, ready after {ready:.1} ms"));
    let mut watch = Watch::new(predictor.settings().reload);
    while !stage.is_cancelled() {
        thread::sleep(PAUSE);
        match watch.look(predictor) {
            None => {}
            Some(Ok(digest)) => stage.note(format!("serving bundle {} from now on", digest.short())),
            Some(Err(error)) => stage.warn(format!("{error}; the bundle before goes on being served")),
        }
    }
    Ok(())
}
