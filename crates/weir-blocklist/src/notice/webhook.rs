//! A notice as JSON to a URL.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Url};
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::time::sleep;
use weir_http::Settings;
use weir_stage::Failure;

use super::mail::read;
use super::{Notice, NoticeError, WebhookParams};

/// Tries in all.
const ATTEMPTS: u32 = 3;
/// Longest time for one of them.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where a program is told. The URL may be a secret and is shown nowhere.
pub(super) struct Webhook {
    url: Url,
    client: Client,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Webhook {
    pub(super) fn new(params: &WebhookParams) -> Result<Self, Failure> {
        let url = match (params.url.is_empty(), params.url_file.is_empty()) {
            (false, false) => {
                return Err(Failure::usage("notice.webhook.url and notice.webhook.url_file are both set")
                    .hint("the URL is in one of them"));
            }
            (false, true) => params.url.clone(),
            _ => text("notice.webhook.url_file", &params.url_file)?,
        };
        let url = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url
            .ok_or_else(|| Failure::usage("notice.webhook.url: expected a URL that begins with https:// or http://"))?;
        let authorities = match params.ca_file.as_str() {
            "" => None,
            path => Some(read("notice.webhook.ca_file", path)?),
        };
        let mut headers = HeaderMap::new();
        if !params.token_file.is_empty() {
            let token = text("notice.webhook.token_file", &params.token_file)?;
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| Failure::usage("notice.webhook.token_file: the token is more than one line of ASCII"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let settings = Settings { connect: TIMEOUT, authorities, ..Settings::default() };
        let client = weir_http::builder(&settings).and_then(|builder| {
            let built = builder.default_headers(headers).build();
            built.map_err(|error| weir_http::HttpError::Client { reason: weir_http::chain(&error) })
        });
        let client = client.map_err(|error| Failure::usage(format!("notice.webhook: {error}")))?;
        Ok(Self { url, client })
    }

    pub(super) fn name(&self) -> String {
        format!("the webhook at {}", self.url.host_str().unwrap_or_default())
    }

    pub(super) fn send(&self, notice: &Notice) -> Result<(), NoticeError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| NoticeError::System { reason: format!("failed to start a runtime: {error}") })?;
        let body = body(notice).to_string();
        runtime.block_on(self.post(&body)).map_err(|reason| NoticeError::Webhook { reason })
    }

    async fn post(&self, body: &str) -> Result<(), String> {
        let mut reason = String::new();
        for attempt in 0..ATTEMPTS {
            sleep(Duration::from_secs(u64::from(attempt))).await;
            let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
            match request.body(body.to_owned()).timeout(TIMEOUT).send().await {
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
}

/// `text` is what chat services show, `detail` what the mail says, the rest is for programs.
fn body(notice: &Notice) -> Value {
    let mut body = notice.data.clone();
    body["text"] = notice.subject.clone().into();
    body["detail"] = notice.text.clone().into();
    body
}

/// The first line of a file that a parameter names.
fn text(parameter: &str, path: &str) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(&read(parameter, path)?).trim().to_owned();
    if text.is_empty() { Err(Failure::usage(format!("{parameter}: {path} is empty"))) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{done, outcome};
    use super::*;

    #[test]
    fn what_is_posted_is_for_people_and_programs() {
        let body = body(&done(&outcome(&["192.0.2.66"], &["192.0.2.7"])));
        assert_eq!(body["text"], "weir on web-1: 1 client blocked, 1 client unblocked");
        assert!(body["detail"].as_str().unwrap().contains("192.0.2.66 until 2020-11-03 15:16:40 UTC"));
        assert_eq!(body["blocked"][0]["address"], "192.0.2.66");
        assert_eq!(body["blocked"][0]["until"], 1_604_416_600);
        assert_eq!(body["unblocked"][0]["address"], "192.0.2.7");
        assert_eq!((&body["status"], &body["applied"]), (&"succeeded".into(), &true.into()));
        assert_eq!(body["blocked_ips"], "192.0.2.66\n");
        assert!(!body.to_string().contains("<script>"), "what requests said stays out: {body}");
    }

    #[test]
    fn a_url_that_may_be_a_secret_is_shown_nowhere() {
        let params =
            WebhookParams { url: "https://hooks.example.org/T0/secret".to_owned(), ..WebhookParams::default() };
        let webhook = Webhook::new(&params).unwrap();
        assert_eq!(webhook.name(), "the webhook at hooks.example.org");
        assert!(!format!("{webhook:?}").contains("secret"));
        let wrong = WebhookParams { url: "hooks.example.org/secret".to_owned(), ..WebhookParams::default() };
        let refused = Webhook::new(&wrong).unwrap_err();
        assert!(!refused.message.contains("secret"), "{refused}");
    }
}
