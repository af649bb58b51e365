//! A model behind a URL, of any maker that speaks the Open Inference Protocol.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Url};
use weir_contract::validation::{EndpointInfo, Protocol};

use crate::EndpointError;
use crate::exchange::{Ask, Exchange, NoReply, Reply};
use crate::wire::{Answer, Rows, answers, body, complaint, model_names, model_state};

/// How an endpoint is asked.
#[derive(Clone)]
pub struct Settings {
    /// Its address without the path of the protocol, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// Version of the protocol.
    pub protocol: Protocol,
    /// The model; the only one by default.
    pub model: Option<String>,
    /// What proves who asks, sent as `Authorization: Bearer`.
    pub token: Option<String>,
    /// Certificates of the authorities to trust, in PEM; those of Mozilla by default.
    pub authorities: Option<Vec<u8>>,
    /// The header `Host`, where an ingress tells services apart by it.
    pub host: Option<String>,
    /// Longest time to an answer, for each attempt.
    pub timeout: Duration,
    /// Attempts after the first, where there is no answer or one of 408, 429, 502, 503 and 504. The wait between two is
    /// what `Retry-After` says, else 0.1 s and twice as long each time, 30 s at most.
    pub retries: u32,
}

/// A model that answers for itself.
#[derive(Debug, Clone)]
pub struct Endpoint {
    exchange: Exchange,
    info: EndpointInfo,
    predict: Url,
}

/// What came of some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// One per row.
    pub answers: Vec<Answer>,
    /// The times of the requests that were answered with predictions.
    pub times: Vec<Duration>,
    /// Attempts beyond the first of each request.
    pub retries: u64,
}

/// Why a request as a whole has no predictions.
enum Trouble {
    /// The predictor says that it cannot predict what it was sent.
    Refused(String),
    Failed(String),
}

impl Endpoint {
    /// Asks an endpoint which model it has, and for its version.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub async fn connect(settings: &Settings) -> Result<Self, EndpointError> {
        let base = base(&settings.url)?;
        let exchange = exchange(settings)?;
        let finder = Finder { exchange: &exchange, base: &base };
        let model = match &settings.model {
            Some(model) => model.clone(),
            None => finder.only_model(settings.protocol).await?,
        };
        let model_version = finder.check(settings.protocol, &model).await?;
        let predict = match settings.protocol {
            Protocol::V1 => join(&base, &["v1", "models", &format!("{model}:predict")]),
            Protocol::V2 => join(&base, &["v2", "models", &model, "infer"]),
        };
        let info = EndpointInfo { url: shown(&base), protocol: settings.protocol, model, model_version };
        Ok(Self { exchange, info, predict })
    }

    /// What the endpoint is.
    #[must_use]
    pub fn info(&self) -> &EndpointInfo {
        &self.info
    }

    /// The predictions of `rows`, in their order. Rows are sent in one request; where the predictor refuses it, each row
    /// is sent alone, so that a row without a prediction costs no other one its own.
    pub async fn predict(&self, rows: Rows<'_>) -> Answered {
        let mut answered = Answered::default();
        match self.request(rows, &mut answered).await {
            Ok(answers) => answered.answers = answers,
            Err(Trouble::Refused(_)) if rows.len() > 1 => {
                for row in rows.batches(1) {
                    let answer = match self.request(row, &mut answered).await {
                        Ok(answers) => answers,
                        Err(trouble) => vec![trouble.answer()],
                    };
                    answered.answers.extend(answer);
                }
            }
            Err(trouble) => answered.answers = vec![trouble.answer(); rows.len()],
        }
        answered
    }

    async fn request(&self, rows: Rows<'_>, answered: &mut Answered) -> Result<Vec<Answer>, Trouble> {
        let body = body(self.info.protocol, rows).map_err(|error| Trouble::Failed(error.to_string()))?;
        let reply = match self.exchange.ask(&self.predict, Ask::Post(&body)).await {
            Ok(reply) => reply,
            Err(NoReply { attempts, reason }) => {
                answered.retries += u64::from(attempts - 1);
                return Err(Trouble::Failed(reason));
            }
        };
        answered.retries += u64::from(reply.retries);
        let status = reply.status;
        if status.is_success() {
            let answers = answers(self.info.protocol, &reply.body, rows.len()).map_err(Trouble::Failed)?;
            answered.times.push(reply.time);
            return Ok(answers);
        }
        let reason = format!("{status}: {}", complaint(&reply.body));
        // What these say is not about the rows: who asks, and where.
        let elsewhere = matches!(status.as_u16(), 401 | 403..=405);
        Err(if status.is_client_error() && !elsewhere { Trouble::Refused(reason) } else { Trouble::Failed(reason) })
    }
}

impl Trouble {
    fn answer(self) -> Answer {
        match self {
            Self::Refused(reason) => Answer::Refused(reason),
            Self::Failed(reason) => Answer::Failed(reason),
        }
    }
}

/// Finds out which models there are.
struct Finder<'a> {
    exchange: &'a Exchange,
    base: &'a Url,
}

impl Finder<'_> {
    async fn only_model(&self, protocol: Protocol) -> Result<String, EndpointError> {
        let url = shown(self.base);
        match self.list(protocol).await? {
            None => Err(EndpointError::NoList { url }),
            Some(names) => match <[String; 1]>::try_from(names) {
                Ok([name]) => Ok(name),
                Err(names) => Err(EndpointError::Ambiguous { url, names }),
            },
        }
    }

    /// The names of all models, where the endpoint tells. There is a list in v1, and in v2 with the extension for model
    /// repositories; predictors that speak both may have only one of them.
    async fn list(&self, protocol: Protocol) -> Result<Option<Vec<String>>, EndpointError> {
        let v1 = (join(self.base, &["v1", "models"]), Ask::Get);
        let v2 = (join(self.base, &["v2", "repository", "index"]), Ask::Post(b"{}"));
        let places = match protocol {
            Protocol::V1 => [v1, v2],
            Protocol::V2 => [v2, v1],
        };
        for (url, ask) in places {
            let reply = self.ask(&url, ask).await?;
            if let Some(names) = model_names(&reply.body).filter(|_| reply.status.is_success()) {
                return Ok(Some(names));
            }
        }
        Ok(None)
    }

    /// That the model is there and ready; its version, where the endpoint tells one.
    async fn check(&self, protocol: Protocol, model: &str) -> Result<Option<String>, EndpointError> {
        let [v1, v2] = ["v1", "v2"].map(|version| join(self.base, &[version, "models", model]));
        let url = if protocol == Protocol::V1 { &v1 } else { &v2 };
        let reply = self.ask(url, Ask::Get).await?;
        if reply.status == StatusCode::NOT_FOUND {
            let names = self.list(protocol).await?.unwrap_or_default();
            return Err(EndpointError::UnknownModel { url: shown(self.base), model: model.to_owned(), names });
        }
        if !reply.status.is_success() {
            let reason = complaint(&reply.body);
            return Err(EndpointError::Unexpected { url: url.to_string(), status: reply.status.to_string(), reason });
        }
        let (ready, version) = model_state(&reply.body);
        if !ready {
            return Err(EndpointError::NotReady { model: model.to_owned() });
        }
        if version.is_some() || protocol == Protocol::V2 {
            return Ok(version);
        }
        // v1 knows no versions; a predictor that speaks both protocols tells it in v2.
        let reply = self.ask(&v2, Ask::Get).await?;
        Ok(if reply.status.is_success() { model_state(&reply.body).1 } else { None })
    }

    async fn ask(&self, url: &Url, ask: Ask<'_>) -> Result<Reply, EndpointError> {
        let reply = self.exchange.ask(url, ask).await;
        let reply = reply.map_err(|NoReply { attempts, reason }| EndpointError::Unreachable {
            url: url.to_string(),
            attempts,
            reason,
        })?;
        if matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(EndpointError::Denied { url: url.to_string(), status: reply.status.to_string() });
        }
        Ok(reply)
    }
}

fn base(text: &str) -> Result<Url, EndpointError> {
    let wrong = |reason: &str| EndpointError::Url { url: text.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let url = format!("{}://...", url.scheme());
        let reason = "names and passwords do not belong into a URL, since reports show it".to_owned();
        return Err(EndpointError::Url { url, reason });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("a query or fragment has no place here"));
    }
    if url.path_segments().is_some_and(|mut parts| parts.any(|part| matches!(part, "v1" | "v2"))) {
        return Err(wrong("leave out the path from /v1 or /v2 on; the model is named apart"));
    }
    Ok(url)
}

fn shown(base: &Url) -> String {
    base.as_str().trim_end_matches('/').to_owned()
}

/// `base` with further parts of the path.
fn join(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    // Only a URL without a host has no path, and the base was checked.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

fn exchange(settings: &Settings) -> Result<Exchange, EndpointError> {
    let refused = |reason: String| EndpointError::Client { reason };
    let mut headers = HeaderMap::new();
    if let Some(token) = &settings.token {
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut value = value.map_err(|_| refused("the token holds characters that no token has".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if let Some(host) = &settings.host {
        let value = HeaderValue::from_str(host).map_err(|_| refused(format!("{host:?} is no name of a host")))?;
        headers.insert(HOST, value);
    }
    let client = weir_http::Settings { authorities: settings.authorities.clone(), ..weir_http::Settings::default() };
    let client = weir_http::builder(&client).map_err(|error| refused(error.to_string()))?;
    let http = client.default_headers(headers).build().map_err(|error| refused(weir_http::chain(&error)))?;
    Ok(Exchange { http, timeout: settings.timeout, retries: settings.retries })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_a_server_or_of_a_place_behind_it() {
        let url = base("https://gateway.example/weir/").unwrap();
        assert_eq!(
            join(&url, &["v1", "models", "a b:predict"]).as_str(),
            "https://gateway.example/weir/v1/models/a%20b:predict"
        );
        assert_eq!(join(&base("http://h:1").unwrap(), &["v2"]).as_str(), "http://h:1/v2");
        for (text, reason) in [
            ("127.0.0.1:8080", "relative URL"),
            ("ftp://h", "neither http nor https"),
            ("http://h/v1/models/m:predict", "leave out the path"),
            ("http://h/?a", "a query"),
        ] {
            let message = base(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
        assert!(!base("http://user:secret@h").unwrap_err().to_string().contains("secret"));
    }
}
