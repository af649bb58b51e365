//! The command: what `weir-monitor validate` and `weir validate` are given.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use weir_contract::files::ACCURACY;
use weir_contract::validation::{Payload, Protocol, ValidationReport};
use weir_contract::{Share, json};
use weir_stage::{CommonArgs, Failure, Results, ResultsArgs, Stage};

use crate::{Request, Settings, validate};

/// Send every validation flow to a predictor and report what it answers
#[derive(Debug, Clone, Parser)]
pub struct ValidateArgs {
    /// Address of the predictor, as in http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    pub endpoint: String,

    /// Directory of the features artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
    pub features: PathBuf,

    /// Version of the Open Inference Protocol
    #[arg(long, value_name = "VERSION", value_enum, default_value_t)]
    pub protocol: ProtocolArg,

    /// Name of the model [default: the only one there]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// What is sent of a row: the raw flow, or the features, for predictors that know vectors only
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub send: SendArg,

    /// Rows per request; 1 measures the time per flow, more is faster
    #[arg(long, value_name = "ROWS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: u32,

    /// Requests under way at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub connections: u16,

    /// Seconds until a request counts as lost
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,

    /// Further attempts where the connection breaks or the predictor is busy; Retry-After is honoured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub retries: u32,

    /// File with the token that proves who asks (Authorization: Bearer)
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Certificates of the authorities to trust, in PEM [default: those of Mozilla]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// The header Host, for services behind an ingress
    #[arg(long, value_name = "HOST")]
    pub host_header: Option<String>,

    /// Rows that may stay without an answer because the predictor fails
    #[arg(long, value_name = "ROWS", default_value_t = 0)]
    pub maximum_failures: u64,

    /// End with exit code 4 when the accuracy is lower; a row without an answer counts as not right
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub minimum_accuracy: Option<Share>,

    /// The report; the accuracy alone is written beside it
    #[arg(long, value_name = "FILE", default_value = "weir-run/validation/validation-report.json")]
    pub out: PathBuf,

    /// Small results for workflow engines.
    #[command(flatten)]
    pub results: ResultsArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for ValidateArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Version of the Open Inference Protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ProtocolArg {
    /// POST /v1/models/NAME:predict
    #[default]
    V1,
    /// POST /v2/models/NAME/infer
    V2,
}

/// What is sent of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SendArg {
    /// The raw flow as an object
    #[default]
    Flows,
    /// The vector of unscaled features
    Features,
}

fn share(text: &str) -> Result<Share, String> {
    let number: f64 = text.parse().map_err(|_| "expected a share between 0 and 1".to_owned())?;
    Share::try_from(number).map_err(|error| error.to_string())
}

/// Validates a predictor, writes the report and prints it.
///
/// # Errors
/// Those of [`validate`]; of a gate (exit 4) for an accuracy below the minimum, of input (exit 3) when the predictor
/// refused every single row, both after the report is written and printed.
pub fn validate_command(args: ValidateArgs, stage: &Stage) -> Result<(), Failure> {
    let request = request(&args)?;
    make_folder(&args.out)?;
    let report = validate(&request, stage)?;
    let bytes = json::to_canonical(&report).map_err(|error| Failure::retry(error.to_string()))?;
    write(&args.out.with_file_name(ACCURACY), report.accuracy.share.to_string().as_bytes())?;
    write(&args.out, &bytes)?;
    for reason in &report.unanswered {
        stage.warn(format!(
            "{} rows without a prediction, first row {}: {}",
            reason.rows, reason.first_row, reason.reason
        ));
    }
    stage.result(&report, || text(&report, &args.out))?;
    args.results.publish(&Results {
        values: vec![("accuracy", report.accuracy.share.to_string())],
        metrics: vec![("accuracy", report.accuracy.share)],
        confusion: Some(report.confusion),
    })?;
    match report.minimum {
        Some(minimum) if !minimum.passed => Err(Failure::gate(format!(
            "accuracy {:.6} is below the minimum of {}",
            report.accuracy.share, minimum.accuracy
        ))),
        _ if report.rows.answered == 0 => Err(Failure::input("the predictor answered not a single row")
            .hint("check that it serves a model of these features; one that knows vectors only takes --send features")),
        _ => Ok(()),
    }
}

fn request(args: &ValidateArgs) -> Result<Request, Failure> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| Failure::usage(format!("failed to read {}: {error}", path.display())))
    };
    let token = args.token_file.as_deref().map(read).transpose()?;
    let token = token.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let authorities = args.ca_file.as_deref().map(read).transpose()?;
    Ok(Request {
        features: args.features.clone(),
        endpoint: Settings {
            url: args.endpoint.clone(),
            protocol: match args.protocol {
                ProtocolArg::V1 => Protocol::V1,
                ProtocolArg::V2 => Protocol::V2,
            },
            model: args.model.clone(),
            token,
            authorities,
            host: args.host_header.clone(),
            timeout: Duration::from_secs(args.timeout),
            retries: args.retries,
        },
        payload: match args.send {
            SendArg::Flows => Payload::Flows,
            SendArg::Features => Payload::Features,
        },
        batch: args.batch as usize,
        connections: usize::from(args.connections),
        maximum_failures: args.maximum_failures,
        minimum_accuracy: args.minimum_accuracy,
    })
}

/// Before thousands of requests, not after them.
fn make_folder(file: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder(file)).map_err(|error| cannot_write(file, &error))
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file that appears whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || -> io::Result<()> {
        // The umask takes from these permissions what it takes from any new file's.
        let permissions = Permissions::from_mode(0o666);
        let file = tempfile::Builder::new().prefix(".weir-").permissions(permissions).tempfile_in(folder(path))?;
        let mut out: &File = file.as_file();
        out.write_all(bytes)?;
        out.sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let message = format!("failed to write {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            Failure::usage(message).hint("name a place that you may write to with --out")
        }
        _ => Failure::retry(message),
    }
}

fn text(report: &ValidationReport, out: &Path) -> String {
    let ValidationReport { endpoint, rows, confusion, accuracy, .. } = report;
    let version = endpoint.model_version.as_deref().map_or(String::new(), |version| format!(" {version}"));
    let mut lines = vec![
        format!("model     {}{version} at {}", endpoint.model, endpoint.url),
        format!(
            "rows      {} sent, {} answered, {} refused, {} failed",
            rows.sent, rows.answered, rows.refused, rows.failed
        ),
        format!(
            "accuracy  {:.6}  ({} of {}, 95 % interval {:.6} to {:.6})",
            accuracy.share, accuracy.part, accuracy.whole, accuracy.low, accuracy.high
        ),
        format!("{:<10}{:>18}{:>18}", "", "said benign", "said malicious"),
        format!("{:<10}{:>18}{:>18}", "benign", confusion.true_negatives, confusion.false_positives),
        format!("{:<10}{:>18}{:>18}", "malicious", confusion.false_negatives, confusion.true_positives),
    ];
    if let Some(latency) = &report.latency {
        lines.push(format!(
            "latency   mean {:.3} ms, median {:.3} ms, 90 % {:.3} ms, 99 % {:.3} ms, longest {:.3} ms",
            latency.mean_ms, latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.max_ms
        ));
    }
    lines.push(format!("speed     {:.0} rows/s", report.sending.rows_per_second));
    lines.push(out.display().to_string());
    lines.join("\n")
}
