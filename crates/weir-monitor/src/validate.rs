//! Every validation flow to the endpoint, once, and the report of it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use weir_contract::Share;
use weir_contract::validation::{self, Minimum, Payload, Proportion, Sending, ValidationReport};
use weir_report::wilson_interval;
use weir_stage::{Failure, ProgressHandle, Stage};

use crate::endpoint::{Endpoint, Settings};
use crate::source::{Chunk, Source};
use crate::tally::Tally;

/// How long a wait goes on before it looks whether it should stop.
const TICK: Duration = Duration::from_millis(50);

/// What is validated, and how.
#[derive(Clone)]
pub struct Request {
    /// Directory of the features artifact.
    pub features: PathBuf,
    /// The endpoint.
    pub endpoint: Settings,
    /// What is sent of a row.
    pub payload: Payload,
    /// Rows per request, at least 1.
    pub batch: usize,
    /// Requests under way at a time, at least 1.
    pub connections: usize,
    /// Rows that may stay without an answer because the endpoint failed.
    pub maximum_failures: u64,
    /// The smallest accuracy that passes.
    pub minimum_accuracy: Option<Share>,
}

/// Sends every validation row once and counts the answers. The counts do not depend on how many requests are under way,
/// nor on the order of their answers.
///
/// Memory: some thousand rows, the answers to the requests under way, and 4 bytes per request for exact quantiles.
///
/// # Errors
/// [`Failure`] of input (exit 3) for an artifact without labelled validation rows; as
/// [`EndpointError`](crate::EndpointError) says for an endpoint that cannot be asked; to retry (exit 1) once more than
/// `maximum_failures` rows have failed; interrupted.
pub fn validate(request: &Request, stage: &Stage) -> Result<ValidationReport, Failure> {
    let mut source = Source::open(&request.features, request.payload)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::retry(format!("failed to set up the HTTP client: {error}")))?;
    let endpoint = wait(&runtime, stage, Endpoint::connect(&request.endpoint))??;
    let info = endpoint.info();
    let version = info.model_version.as_deref().unwrap_or("of no version");
    stage.detail(format!("{}: model {} {version}", info.url, info.model));

    let clock = stage.clock();
    let begin = Instant::now();
    let progress = stage.progress("validation (flows)", source.total);
    let mut tally = Tally::default();
    // No table is read while requests are under way: it would count for their times.
    while let Some(chunk) = source.next()? {
        wait(&runtime, stage, send(&endpoint, &chunk, request, &mut tally, &progress))??;
    }
    drop(progress);
    let seconds = begin.elapsed().as_secs_f64();
    let sending = Sending {
        payload: request.payload,
        batch: request.batch as u64,
        connections: request.connections as u64,
        retries: tally.retries,
        started: clock.run_info("").started,
        finished: stage.clock().run_info("").started,
        seconds,
        rows_per_second: tally.rows.sent as f64 / seconds,
    };
    Ok(report(tally, &endpoint, &source, request.minimum_accuracy, sending, stage.version()))
}

/// Sends a chunk in batches, several at a time, and takes the answers in the order of rows.
async fn send(
    endpoint: &Endpoint,
    chunk: &Chunk,
    request: &Request,
    tally: &mut Tally,
    progress: &ProgressHandle,
) -> Result<(), Failure> {
    let batch = request.batch.max(1);
    let requests = chunk.to_send().batches(batch).map(|rows| endpoint.predict(rows));
    let mut answers = pin!(stream::iter(requests).buffered(request.connections.max(1)));
    let mut rows = chunk.rows.chunks(batch);
    while let Some((answered, rows)) = answers.next().await.zip(rows.next()) {
        tally.add(rows, answered);
        progress.advance(rows.len() as u64);
        if tally.rows.failed > request.maximum_failures {
            let reason = tally.unanswered.iter().find(|reason| !reason.refused);
            let reason = reason.map_or("", |reason| &reason.reason);
            let failed = tally.rows.failed;
            let url = &endpoint.info().url;
            return Err(Failure::retry(format!(
                "{url} failed to answer {failed} of {} rows: {reason}",
                tally.rows.sent
            ))
            .hint(match request.payload {
                Payload::Flows => {
                    "check the predictor and start again, with --send features if it knows vectors only; \
                         --maximum-failures allows more"
                }
                Payload::Features => "check the predictor and start again; --maximum-failures allows more",
            }));
        }
    }
    Ok(())
}

fn report(
    mut tally: Tally,
    endpoint: &Endpoint,
    source: &Source,
    minimum: Option<Share>,
    sending: Sending,
    version: &str,
) -> ValidationReport {
    let (part, whole) = (tally.confusion.correct(), tally.rows.sent);
    let (low, high) = wilson_interval(part, whole);
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    ValidationReport {
        format: validation::FORMAT,
        version: version.to_owned(),
        endpoint: endpoint.info().clone(),
        features: source.digest,
        rows: tally.rows,
        confusion: tally.confusion,
        benign: tally.confusion.benign(),
        malicious: tally.confusion.malicious(),
        accuracy: Proportion { part, whole, share, low, high },
        minimum: minimum.map(|minimum| Minimum { accuracy: minimum.get(), passed: share >= minimum.get() }),
        latency: tally.latency(),
        sending,
        wrong: tally.wrong,
        unanswered: tally.unanswered,
    }
}

/// Waits for `work` as long as nobody wants it to stop.
fn wait<T>(runtime: &Runtime, stage: &Stage, work: impl Future<Output = T>) -> Result<T, Failure> {
    runtime.block_on(async {
        let mut work = pin!(work);
        loop {
            if let Ok(result) = timeout(TICK, work.as_mut()).await {
                return Ok(result);
            }
            stage.check()?;
        }
    })
}
