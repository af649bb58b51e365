//! A mail server: spoken to for a bounded time, and again where what is wrong may pass.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use super::{NoticeError, host};

/// Tries in all. A mail whose receipt got lost comes twice, with the same Message-ID.
const ATTEMPTS: u32 = 3;
/// Longest wait for one answer of the server.
const ANSWER: Duration = Duration::from_secs(20);

/// Where mails are handed in.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    /// Longest time for one mail, tries and pauses included.
    pub(super) longest: Duration,
    /// Before the second try, and as much more before the next.
    pub(super) pause: Duration,
}

#[derive(Clone)]
pub(super) enum Security {
    Tls(TlsParameters),
    Starttls(TlsParameters),
    None,
}

impl Server {
    /// Hands `message` in.
    pub(super) fn send(&self, message: Message) -> Result<(), NoticeError> {
        let begin = Instant::now();
        let addresses = host::addresses(&self.host, self.longest)?;
        let (sender, receiver) = mpsc::channel();
        let server = self.clone();
        // The client limits the time for each read, not for all: a server that sends a byte now and then would keep us.
        let work = move || {
            // Nobody is there to hear it after the time is over.
            let _ = sender.send(server.deliver(&addresses, &message, begin));
        };
        let started = thread::Builder::new().name("mail".to_owned()).spawn(work);
        started.map_err(|error| NoticeError::System { reason: format!("failed to start a thread: {error}") })?;
        let sent = receiver.recv_timeout(self.longest.saturating_sub(begin.elapsed()));
        sent.unwrap_or_else(|_| Err(self.error(format!("it takes longer than {} s", self.longest.as_secs()), None)))
    }

    /// Tries each address in turn, all of them a few times. What is wrong is told of every address, since only one of
    /// them may be the one that counts.
    fn deliver(&self, addresses: &[IpAddr], message: &Message, begin: Instant) -> Result<(), NoticeError> {
        let mut last = self.error("it has no address".to_owned(), None);
        for attempt in 0..ATTEMPTS {
            thread::sleep(self.pause * attempt);
            let mut reasons = Vec::new();
            let mut hinted = None;
            for &address in addresses {
                if begin.elapsed() >= self.longest {
                    return Err(last);
                }
                let Err(error) = self.transport(address).send(message) else { return Ok(()) };
                let (kind, hint) = judge(&error);
                reasons.push(if addresses.len() > 1 { format!("{address}: {error}") } else { error.to_string() });
                hinted = hinted.or(hint);
                last = self.error(reasons.join("; "), Some(hinted.unwrap_or("check notice.mail.server")));
                if kind == Kind::Final {
                    return Err(last);
                }
            }
        }
        Err(last)
    }

    fn transport(&self, address: IpAddr) -> SmtpTransport {
        let tls = match &self.security {
            Security::Tls(parameters) => Tls::Wrapper(parameters.clone()),
            Security::Starttls(parameters) => Tls::Required(parameters.clone()),
            Security::None => Tls::None,
        };
        let builder = SmtpTransport::builder_dangerous(address.to_string())
            .port(self.port)
            .tls(tls)
            .timeout(Some(self.longest.min(ANSWER)));
        match &self.credentials {
            Some(credentials) => builder.credentials(credentials.clone()).build(),
            None => builder.build(),
        }
    }

    fn error(&self, reason: String, hint: Option<&'static str>) -> NoticeError {
        NoticeError::Mail { server: self.to_string(), reason, hint }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls(_) => "Tls",
            Self::Starttls(_) => "Starttls",
            Self::None => "None",
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passing,
    Final,
}

/// Whether trying again may help, and what else to do.
fn judge(error: &Error) -> (Kind, Option<&'static str>) {
    if error.is_tls() || is_handshake(error) {
        return (
            Kind::Final,
            Some("name the authority of its certificate with notice.mail.ca_file, and the server as that does"),
        );
    }
    // The client's own refusals; the server has no say in their text.
    if error.is_client() {
        let hint = "use smtps:// where it speaks TLS from the start; notice.mail.tls = \"none\" sends the mail readable for \
                    everybody on the way";
        return (Kind::Final, error.to_string().contains("STARTTLS").then_some(hint));
    }
    let hint = match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => Some("check notice.mail.user and its password"),
        Some(550..=553) => Some("check notice.mail.from and notice.mail.to"),
        _ => None,
    };
    (if error.is_permanent() { Kind::Final } else { Kind::Passing }, hint)
}

/// Whether TLS failed while data was sent, which is when it is set up.
fn is_handshake(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
