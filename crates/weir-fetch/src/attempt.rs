//! One request and what comes back.

use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_RANGE,
    LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::{Response, StatusCode};

use weir_http::chain;

use crate::client::{Client, Waited};
use crate::part::{Origin, Part};
use crate::{Download, Event, FetchError, Watcher};

/// Why an attempt did not bring the file.
pub(crate) enum Setback {
    /// Another one may; `wait` is what the server asks for.
    Again {
        reason: String,
        wait: Option<Duration>,
    },
    Final(FetchError),
}

impl From<FetchError> for Setback {
    fn from(error: FetchError) -> Self {
        Self::Final(error)
    }
}

fn again(reason: impl Into<String>) -> Setback {
    Setback::Again { reason: reason.into(), wait: None }
}

/// Asks for what `part` lacks and appends it. Without an error the part is as long as the server says.
pub(crate) fn attempt(
    client: &Client,
    request: &Download<'_>,
    part: &mut Part,
    watcher: &mut Watcher<'_>,
) -> Result<(), Setback> {
    let mut get = client.http.get(request.url).header(ACCEPT_ENCODING, "identity");
    if let Some(authorization) = &request.settings.authorization {
        get = get.header(AUTHORIZATION, authorization);
    }
    let resume = request.can_resume(part);
    if resume {
        get = get.header(RANGE, format!("bytes={}-", part.length()));
        if let Some(validator) = part.origin().validator() {
            get = get.header(IF_RANGE, validator);
        }
    }
    let response = match client.wait(get.send(), watcher) {
        Err(Waited::Interrupted) => return Err(FetchError::Interrupted.into()),
        Err(Waited::Stalled) => return Err(again("the server does not answer")),
        Ok(Err(error)) => return Err(unsent(request.url, error)),
        Ok(Ok(response)) => response,
    };
    match response.status() {
        StatusCode::OK => restart(request, part, &response)?,
        StatusCode::PARTIAL_CONTENT if resume => check_range(part, response.headers())?,
        StatusCode::RANGE_NOT_SATISFIABLE if resume => {
            part.clear()?;
            return Err(again("the server's file is shorter than what is here: begins again"));
        }
        status => return Err(refused(&response, status)),
    }
    receive(client, response, part, watcher)
}

fn unsent(url: &str, error: reqwest::Error) -> Setback {
    let (usage, redirect) = (error.is_builder(), error.is_redirect());
    // Our own messages name the URL.
    let error = error.without_url();
    let reason = chain(&error);
    if usage {
        return FetchError::Url { url: url.to_owned(), reason }.into();
    }
    if redirect {
        // The outermost text only repeats that there was a redirect.
        let reason = std::error::Error::source(&error).map_or(reason, chain);
        return FetchError::Redirect { url: url.to_owned(), reason }.into();
    }
    again(reason)
}

fn refused(response: &Response, status: StatusCode) -> Setback {
    let passing = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
    if !passing {
        return FetchError::Refused { url: response.url().to_string(), status: status.to_string() }.into();
    }
    // A date, the other form of Retry-After, counts as no answer.
    let seconds = text(response.headers(), &RETRY_AFTER).and_then(|value| value.trim().parse().ok());
    Setback::Again { reason: format!("the server answers {status}"), wait: seconds.map(Duration::from_secs) }
}

/// The server sends the whole file, asked or not.
fn restart(request: &Download<'_>, part: &mut Part, response: &Response) -> Result<(), Setback> {
    let headers = response.headers();
    if let Some(encoding) = text(headers, &CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        return Err(again(format!("the server encodes the file as {encoding} without being asked")));
    }
    let total = response.content_length();
    if let (Some(expected), Some(received)) = (request.expected.bytes, total)
        && expected != received
    {
        return Err(FetchError::Length { url: request.url.to_owned(), expected, received }.into());
    }
    let owned = |name| text(headers, name).map(str::to_owned);
    part.restart(Origin {
        url: request.url.to_owned(),
        etag: owned(&ETAG),
        last_modified: owned(&LAST_MODIFIED),
        total: total.or(request.expected.bytes),
    })?;
    Ok(())
}

/// The server sends the rest; it has to be the rest of the same file.
fn check_range(part: &mut Part, headers: &HeaderMap) -> Result<(), Setback> {
    let range = text(headers, &CONTENT_RANGE);
    let known = part.origin().clone();
    let changed = matches!((&known.etag, text(headers, &ETAG)), (Some(before), Some(now)) if before != now);
    let reason = match range.and_then(content_range) {
        _ if changed => "the file has changed: begins again".to_owned(),
        Some((first, last, total))
            if first == part.length() && last + 1 == total && known.total.is_none_or(|known| known == total) =>
        {
            return Ok(());
        }
        _ => format!(
            "asked for bytes {}- of {}, the server sends {:?}: begins again",
            part.length(),
            known.total.map_or("*".to_owned(), |total| total.to_string()),
            range.unwrap_or_default()
        ),
    };
    part.clear()?;
    Err(again(reason))
}

/// First and last byte and the bytes in all, from `bytes 5-9/10`.
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, total) = (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (first <= last && last < total).then_some((first, last, total))
}

fn receive(client: &Client, mut response: Response, part: &mut Part, watcher: &mut Watcher<'_>) -> Result<(), Setback> {
    let total = part.origin().total;
    loop {
        watcher.tell(Event::Downloaded { done: part.length(), total });
        watcher.check()?;
        let chunk = match client.wait(response.chunk(), watcher) {
            Err(Waited::Interrupted) => return Err(FetchError::Interrupted.into()),
            Err(Waited::Stalled) => return Err(again(format!("the server stalls after {}", part.progress()))),
            Ok(Err(error)) => {
                return Err(again(format!("the connection breaks after {}: {}", part.progress(), chain(&error))));
            }
            Ok(Ok(chunk)) => chunk,
        };
        let Some(chunk) = chunk else { break };
        if total.is_some_and(|total| part.length() + chunk.len() as u64 > total) {
            let reason = format!("the server sends more than {} bytes: begins again", total.unwrap_or_default());
            part.clear()?;
            return Err(again(reason));
        }
        part.append(&chunk)?;
    }
    match total {
        Some(total) if part.length() < total => Err(again(format!("the server ends after {}", part.progress()))),
        _ => Ok(()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_first_last_and_total() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 9, 10)));
        for wrong in ["bytes 5-9/*", "bytes 9-5/10", "bytes 5-10/10", "bytes */10", "items 5-9/10", "bytes 5-/10", ""] {
            assert_eq!(content_range(wrong), None, "{wrong:?}");
        }
    }
}
