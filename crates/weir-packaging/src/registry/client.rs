//! Requests to one repository: authorization, attempts, errors.

use std::future::Future;
use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use weir_contract::ExitCode;
use weir_http::{HttpError, chain};
use weir_stage::{Failure, Stage};

use crate::registry::challenge::Challenge;
use crate::registry::{Login, Reference};

/// How long a wait goes on before it looks whether it should stop.
const TICK: Duration = Duration::from_millis(100);
/// Longest answer that is read for a token or a message.
const ANSWER: u64 = 1 << 20;
/// A body that is sent may take as long as it does at this many bytes per second.
const SLOWEST: u64 = 100_000;
/// Longest pause of our own, and longest that a registry may ask for.
const PAUSES: [Duration; 2] = [Duration::from_secs(8), Duration::from_secs(60)];

/// How a registry is treated.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) login: Login,
    /// Without TLS.
    pub(crate) plain_http: bool,
    /// Whom to trust, in PEM; Mozilla's authorities if none.
    pub(crate) authorities: Option<Vec<u8>>,
    pub(crate) proxy: Option<String>,
    /// Attempts in all.
    pub(crate) attempts: u32,
    /// Pause after the first one; it doubles.
    pub(crate) pause: Duration,
    /// Longest time without a byte.
    pub(crate) stall: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            login: Login::Anonymous,
            plain_http: false,
            authorities: None,
            proxy: None,
            attempts: 5,
            pause: Duration::from_millis(500),
            stall: Duration::from_secs(60),
        }
    }
}

/// Why an attempt came to nothing.
pub(crate) enum Setback {
    /// Another one may do better; `wait` is what the registry asks for.
    Again {
        reason: String,
        wait: Option<Duration>,
    },
    Final(Failure),
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

pub(crate) fn again(reason: impl Into<String>) -> Setback {
    Setback::Again { reason: reason.into(), wait: None }
}

/// Asks one repository of one registry.
pub(crate) struct Client<'a> {
    http: reqwest::Client,
    runtime: Runtime,
    settings: Settings,
    base: Url,
    registry: String,
    authorization: Option<HeaderValue>,
    stage: &'a Stage,
}

impl<'a> Client<'a> {
    /// A client for the repository of `reference`.
    ///
    /// # Errors
    /// Failures of usage for settings that cannot be used.
    pub(crate) fn new(reference: &Reference, settings: Settings, stage: &'a Stage) -> Result<Self, Failure> {
        let base = reference.base(settings.plain_http).map_err(Failure::usage)?;
        let (proxy, authorities) = (settings.proxy.clone(), settings.authorities.clone());
        let http = weir_http::Settings { proxy, authorities, ..weir_http::Settings::default() };
        let http = weir_http::client(&http).map_err(|error| match error {
            HttpError::Client { .. } => Failure::retry(error.to_string()),
            other => Failure::usage(other.to_string()),
        })?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::retry(format!("failed to start the HTTP client: {error}")))?;
        let registry = reference.registry.clone();
        Ok(Self { http, runtime, settings, base, registry, authorization: None, stage })
    }

    /// A place below the repository, as in `blobs/uploads/`.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path).map_err(|error| Failure::usage(format!("{path:?} cannot be asked for: {error}")))
    }

    /// Where the registry says to go on, seen from `from`.
    pub(crate) fn next(&self, from: &Url, location: &str) -> Result<Url, Failure> {
        let odd = |why: &str| Failure::input(format!("{} sends us to {location:?}, {why}", self.registry));
        let url = from.join(location).map_err(|_| odd("which is no URL"))?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.settings.plain_http => Ok(url),
            _ => {
                Err(odd("away from https")
                    .hint("let the registry know its own address, as behind a proxy that ends TLS"))
            }
        }
    }

    /// Makes attempts at `work`, which does `what`, until it succeeds or cannot.
    pub(crate) fn attempt<T>(
        &mut self,
        what: &str,
        mut work: impl FnMut(&mut Self) -> Result<T, Setback>,
    ) -> Result<T, Failure> {
        let mut attempts = 0;
        loop {
            self.stage.check()?;
            attempts += 1;
            let (reason, wait) = match work(self) {
                Ok(done) => return Ok(done),
                Err(Setback::Final(failure)) if failure.code == ExitCode::Interrupted => return Err(failure),
                Err(Setback::Final(failure)) => return Err(failure.context(format!("failed to {what}"))),
                Err(Setback::Again { reason, wait }) => (reason, wait),
            };
            if attempts >= self.settings.attempts {
                return Err(Failure::retry(format!("failed to {what} in {attempts} attempts: {reason}")).hint(
                    "check name and connection; a registry without TLS needs --plain-http, one with an authority of \
                     its own --ca-file",
                ));
            }
            let own = self.settings.pause.saturating_mul(2_u32.saturating_pow(attempts - 1)).min(PAUSES[0]);
            let wait = own.max(wait.unwrap_or_default().min(PAUSES[1]));
            self.stage.warn(format!("failed to {what}: {reason}; trying again in {} s", wait.as_secs_f64()));
            self.sleep(wait)?;
        }
    }

    /// Sends one request to `url`, with a body of `bytes`; once more if the registry asks who we are.
    pub(crate) fn send(
        &mut self,
        url: &Url,
        bytes: u64,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response, Setback> {
        let response = self.send_as_we_are(url, bytes, &request)?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.is_registry(url) {
            return Ok(response);
        }
        match self.authorize(&response)? {
            true => self.send_as_we_are(url, bytes, &request),
            false => Ok(response),
        }
    }

    /// The response, if its status is among `expected`.
    pub(crate) fn expect(&self, response: Response, expected: &[StatusCode]) -> Result<Response, Setback> {
        if expected.contains(&response.status()) { Ok(response) } else { Err(self.refused(response)) }
    }

    /// Reads a body of at most `limit` bytes, piece by piece.
    pub(crate) fn receive(
        &self,
        mut response: Response,
        limit: u64,
        mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Setback> {
        let mut left = limit;
        while let Some(chunk) = self
            .wait(self.settings.stall, response.chunk())?
            .map_err(|error| again(format!("the connection breaks: {}", chain(&error))))?
        {
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| Failure::input(format!("{} sends more than {limit} bytes", self.registry)))?;
            write(&chunk)?;
        }
        Ok(())
    }

    /// A body of at most `limit` bytes.
    pub(crate) fn body(&self, response: Response, limit: u64) -> Result<Vec<u8>, Setback> {
        let mut body = Vec::new();
        self.receive(response, limit, |chunk| {
            body.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(body)
    }

    /// A token or a password belongs to the registry alone, not to where it stores its blobs.
    fn is_registry(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    fn send_as_we_are(
        &self,
        url: &Url,
        bytes: u64,
        request: &impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response, Setback> {
        let mut request = request(&self.http);
        if let Some(value) = self.authorization.as_ref().filter(|_| self.is_registry(url)) {
            request = request.header(AUTHORIZATION, value.clone());
        }
        let limit = self.settings.stall + Duration::from_secs(bytes / SLOWEST);
        self.wait(limit, request.send())?.map_err(unsent)
    }

    /// Gets what the registry wants to be asked with; false if there is nothing to be had.
    fn authorize(&mut self, response: &Response) -> Result<bool, Setback> {
        let header = match Challenge::of(response.headers()) {
            None => return Ok(false),
            Some(Challenge::Basic) if self.settings.login.is_anonymous() => return Ok(false),
            Some(Challenge::Basic) => {
                let request = self.settings.login.apply(self.http.get(self.base.clone())).build().map_err(unsent)?;
                request.headers().get(AUTHORIZATION).cloned()
            }
            Some(Challenge::Bearer { realm, service, scope }) => {
                Some(self.token(response.url(), &realm, [("service", service), ("scope", scope)])?)
            }
        };
        self.authorization = header;
        Ok(self.authorization.is_some())
    }

    fn token(
        &self,
        from: &Url,
        realm: &str,
        query: [(&'static str, Option<String>); 2],
    ) -> Result<HeaderValue, Setback> {
        /// Registries send the one, the other (as OAuth 2.0 has it), or both with the same value.
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let mut url = self.next(from, realm)?;
        for (key, value) in query.iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
            url.query_pairs_mut().append_pair(key, value);
        }
        let request = self.settings.login.apply(self.http.get(url.clone()));
        let response = self.wait(self.settings.stall, request.send())?.map_err(unsent)?;
        let response = self.expect(response, &[StatusCode::OK])?;
        let body = self.body(response, ANSWER)?;
        let odd = || Failure::input(format!("{} sends no token", url.origin().ascii_serialization()));
        let Answer { token, access_token } = serde_json::from_slice(&body).map_err(|_| odd())?;
        let token = token.or(access_token).ok_or_else(odd)?;
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| odd())?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn refused(&self, response: Response) -> Setback {
        let status = response.status();
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = match self.body(response, ANSWER) {
            Ok(body) => body,
            Err(Setback::Final(failure)) if failure.code == ExitCode::Interrupted => return failure.into(),
            // The status says enough.
            Err(_) => Vec::new(),
        };
        let reason = format!("{} answers {status}{}", self.registry, message(&body));
        let passing = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
        if passing {
            return Setback::Again { reason, wait: seconds.map(Duration::from_secs) };
        }
        let failure = Failure::input(reason);
        match status {
            StatusCode::UNAUTHORIZED if self.settings.login.is_anonymous() => failure.hint(format!(
                "say who you are with --username and --password-file, or run `docker login {}`",
                self.registry
            )),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                failure.hint("check name and password, and what they are allowed in this repository")
            }
            StatusCode::NOT_FOUND => failure.hint("check the names of repository and tag"),
            _ => failure,
        }
        .into()
    }

    fn wait<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, Setback> {
        self.runtime.block_on(async {
            let mut work = pin!(work);
            let deadline = Instant::now() + limit;
            loop {
                if let Ok(result) = tokio::time::timeout(TICK, work.as_mut()).await {
                    return Ok(result);
                }
                self.stage.check()?;
                if Instant::now() >= deadline {
                    return Err(again(format!("{} does not answer", self.registry)));
                }
            }
        })
    }

    fn sleep(&self, pause: Duration) -> Result<(), Failure> {
        let end = Instant::now() + pause;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.stage.check()?;
            thread::sleep(left.min(TICK));
        }
        Ok(())
    }
}

fn unsent(error: reqwest::Error) -> Setback {
    let (usage, redirect) = (error.is_builder(), error.is_redirect());
    // URLs of uploads and stores may hold secrets.
    let reason = chain(&error.without_url());
    match () {
        () if usage => Failure::usage(reason).into(),
        () if redirect => Failure::input(reason).into(),
        // Of rustls, for whatever is wrong with it.
        () if reason.contains("invalid peer certificate") => {
            Failure::input(reason).hint("name the authority that vouches for the registry with --ca-file").into()
        }
        () => again(reason),
    }
}

/// What the registry says is wrong, as ` (CODE: message; ...)`; nothing if it does not say.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<Error>,
    }
    #[derive(Deserialize)]
    struct Error {
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(Body { errors }) = serde_json::from_slice(body) else { return String::new() };
    let errors: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.code, error.message)).collect();
    // It comes from outside and ends on a terminal.
    let text: String = errors.join("; ").chars().filter(|character| !character.is_control()).take(300).collect();
    if text.is_empty() { text } else { format!(" ({text})") }
}
