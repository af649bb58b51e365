//! From the bytes of a request to those of its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tokio::task;
use tokio::time::timeout;

use crate::body::Read;
use crate::model::Model;
use crate::predictor::Predictor;
use crate::refusal::Refusal;
use crate::rows::Rows;
use crate::{v1, v2};

/// Longer bodies are read, predicted and answered on a thread of their own, so that a worker goes on serving others.
const INLINE_BYTES: usize = 64 << 10;
/// So are batches that will take longer.
const INLINE_TIME: Duration = Duration::from_micros(500);

/// Length of the JSON in front of binary data.
pub(crate) const HEADER_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// How a request is read and answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    /// With the options of the query.
    V1(v1::Options),
    /// With the length of the JSON where binary data follow.
    V2(Option<usize>),
}

/// Rows of an answer, for the access log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowCount(pub(crate) usize);

/// Answers a request, or says that there are too many at once. Until a request is at work it waits for all others that
/// have arrived to be counted: so the number of those that wait is known and has a limit.
pub(crate) async fn answer(
    predictor: &Arc<Predictor>,
    model: Arc<Model>,
    protocol: Protocol,
    read: Read,
) -> Result<Response, Refusal> {
    let Some(share) = predictor.admitted.take(1) else {
        predictor.metrics.shed.inc();
        return Err(Refusal::Busy);
    };
    task::yield_now().await;
    let mut work = Work { predictor: Arc::clone(predictor), model, protocol, read };
    let mut parsed = None;
    if work.read.bytes.len() <= INLINE_BYTES {
        let asked = work.guarded(Work::parse)?;
        if work.model.expected(asked.rows.len()) <= INLINE_TIME {
            return work.guarded(|work| work.finish(&asked));
        }
        parsed = Some(asked);
    }
    let aside = task::spawn_blocking(move || {
        // Held until the work is done, even if nobody waits for it any more.
        let _share = share;
        let asked = parsed.map_or_else(|| work.guarded(Work::parse), Ok)?;
        work.guarded(|work| work.finish(&asked))
    });
    match timeout(predictor.settings.request_timeout, aside).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(Refusal::Internal),
        Err(_) => Err(Refusal::NotReady("the prediction took too long; send fewer rows at once")),
    }
}

struct Work {
    predictor: Arc<Predictor>,
    model: Arc<Model>,
    protocol: Protocol,
    read: Read,
}

/// A request that was read.
struct Asked {
    rows: Rows,
    how: How,
}

/// What to answer with.
enum How {
    V1(v1::Options),
    V2(v2::Asked),
}

impl Work {
    /// A panic is a bug; it costs the request its answer and nothing else.
    fn guarded<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        catch_unwind(AssertUnwindSafe(|| part(self))).unwrap_or_else(|_| {
            self.predictor.metrics.panics.inc();
            Err(Refusal::Internal)
        })
    }

    fn parse(&mut self) -> Result<Asked, Refusal> {
        let start = Instant::now();
        let bounds = self.predictor.bounds(&self.model);
        let asked = match self.protocol {
            Protocol::V1(query) => {
                let (rows, options) = v1::parse(&self.read.bytes, bounds)?;
                Asked { rows, how: How::V1(options.or(query)) }
            }
            Protocol::V2(header) => {
                let (rows, asked) = v2::parse(&self.read.bytes, header, &self.model, bounds)?;
                Asked { rows, how: How::V2(asked) }
            }
        };
        self.model.meters.preprocess.observe(start.elapsed().as_secs_f64());
        Ok(asked)
    }

    fn finish(&mut self, asked: &Asked) -> Result<Response, Refusal> {
        let meters = &self.model.meters;
        let start = Instant::now();
        let answers = asked.rows.predict(&self.model)?;
        let predicted = Instant::now();
        meters.predict.observe((predicted - start).as_secs_f64());
        self.model.took(asked.rows.len(), predicted - start);
        meters.refused(&answers);
        let written = match &asked.how {
            How::V1(options) => v2::Written { body: v1::write(&answers, *options, &self.model)?, header: None },
            How::V2(how) => v2::write(&answers, how, &self.model)?,
        };
        meters.predicted(&answers);
        meters.postprocess.observe(predicted.elapsed().as_secs_f64());
        let mut response = Response::new(Body::from(written.body));
        let kind = match written.header {
            None => "application/json",
            Some(length) => {
                response.headers_mut().insert(HEADER_LENGTH, HeaderValue::from(length));
                "application/octet-stream"
            }
        };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.extensions_mut().insert(RowCount(asked.rows.len()));
        Ok(response)
    }
}
