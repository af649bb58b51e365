//! `weir-cluster notify`: what a run does at its end.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use weir_http::Settings;
use weir_stage::{CommonArgs, Failure, Stage};

/// The variable with the address, from a secret of the cluster.
const VARIABLE: &str = "WEIR_NOTIFY_URL";
const ATTEMPTS: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Tell a webhook how a run ended
///
/// Posts JSON to the URL of the variable WEIR_NOTIFY_URL, or of a file. Without a URL nothing is done, and a webhook that
/// does not take it is warned of and no failure: the run would be one that failed otherwise.
#[derive(Debug, Clone, Parser)]
pub struct NotifyArgs {
    /// Name of the run
    #[arg(long, value_name = "NAME")]
    pub workflow: String,

    /// How it ended: Succeeded, Failed or Error
    #[arg(long, value_name = "PHASE")]
    pub status: String,

    /// What failed, as Argo's JSON list
    #[arg(long, value_name = "JSON", default_value = "")]
    pub failures: String,

    /// Seconds it took
    #[arg(long, value_name = "SECONDS", default_value = "")]
    pub duration: String,

    /// Where the report is
    #[arg(long, value_name = "LOCATION", default_value = "")]
    pub report: String,

    /// Namespace of the run
    #[arg(long, value_name = "NAME", default_value = "")]
    pub namespace: String,

    /// File with the URL [default: the variable WEIR_NOTIFY_URL]
    #[arg(long, value_name = "FILE")]
    pub url_file: Option<PathBuf>,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for NotifyArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Posts how a run ended.
///
/// # Errors
/// A failure of usage (exit 2) for a file that cannot be read; to be retried (exit 1) when no client can be set up.
pub fn notify_command(args: NotifyArgs, stage: &Stage) -> Result<(), Failure> {
    let url = match &args.url_file {
        Some(path) => {
            let read = fs::read_to_string(path);
            Some(read.map_err(|error| Failure::usage(format!("failed to read {}: {error}", path.display())))?)
        }
        None => stage.variable(VARIABLE),
    };
    let Some(url) = url.map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()) else {
        stage.note(format!("nobody is told: {VARIABLE} is not set (secret weir-notify, key url)"));
        return Ok(());
    };
    let body = message(&args);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::retry(format!("failed to start a runtime: {error}")))?;
    let client = weir_http::client(&Settings { connect: TIMEOUT, ..Settings::default() });
    let client = client.map_err(|error| Failure::retry(error.to_string()))?;
    // The URL is a secret: neither errors nor notes show more of it than its host.
    match runtime.block_on(post(&client, &url, &body)) {
        Ok(()) => stage.note(format!("told {} that run {} ended as {}", host(&url), args.workflow, args.status)),
        Err(reason) => stage.warn(format!("{} was not told: {reason}", host(&url))),
    }
    Ok(())
}

/// The body: `text` is what chat services show, the rest is for programs.
fn message(args: &NotifyArgs) -> Value {
    // Argo quotes the list once more in some versions.
    let parsed: Value = serde_json::from_str(&args.failures).unwrap_or_else(|_| json!(args.failures));
    let failures = match &parsed {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| parsed.clone()),
        other => other.clone(),
    };
    let seconds: Option<f64> = args.duration.parse().ok();
    let took = seconds.map_or_else(String::new, |seconds| format!(" after {seconds:.0} s"));
    let first = failures.as_array().and_then(|failures| failures.first());
    let reason = first.map_or_else(String::new, |failure| {
        let text = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
        format!(": {} {}", text("displayName"), text("message")).trim_end().to_owned()
    });
    json!({
        "text": format!("weir run {} {}{took}{reason}", args.workflow, args.status),
        "workflow": args.workflow,
        "namespace": args.namespace,
        "status": args.status,
        "failures": failures,
        "duration_seconds": seconds,
        "report": args.report,
    })
}

async fn post(client: &reqwest::Client, url: &str, body: &Value) -> Result<(), String> {
    let mut reason = String::new();
    for attempt in 0..ATTEMPTS {
        tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
        let request = client.post(url).header("content-type", "application/json").body(body.to_string());
        match request.timeout(TIMEOUT).send().await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) if response.status().is_client_error() => {
                return Err(format!("it answers {}", response.status()));
            }
            Ok(response) => reason = format!("it answers {}", response.status()),
            Err(error) => reason = weir_http::chain(&error.without_url()),
        }
    }
    Err(reason)
}

fn host(url: &str) -> String {
    let parsed = reqwest::Url::parse(url).ok();
    parsed.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "the webhook".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_failed_whether_argo_quotes_the_list_or_not() {
        let failures = r#"[{"displayName":"training","message":"Error (exit code 3)","phase":"Failed"}]"#;
        for given in [failures.to_owned(), json!(failures).to_string()] {
            let args = NotifyArgs::parse_from([
                "notify",
                "--workflow=weir-x",
                "--status=Failed",
                "--duration=61.5",
                &format!("--failures={given}"),
            ]);
            let body = message(&args);
            assert_eq!(body["text"], "weir run weir-x Failed after 62 s: training Error (exit code 3)");
            assert_eq!(body["failures"][0]["displayName"], "training");
        }
    }
}
