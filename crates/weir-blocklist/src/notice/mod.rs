//! Who is told how a run ended: by mail, with the list attached, and by a webhook beside it.
//!
//! A notice tells, it decides nothing: one that cannot be sent undoes no block, and is a failure only after everything
//! else is done. Whether it *could* be sent is looked at before anything is: [`Notifier::new`] refuses parameters that
//! do not hold, reads the password from where they say, and speaks to nobody.
//!
//! Text of requests is in no notice but in the report that is attached: what mail programs and chat services make of
//! text is not ours to know.

mod command;
mod error;
mod host;
mod mail;
mod memory;
mod message;
mod params;
mod smtp;
mod webhook;

pub use command::{NotifyArgs, notify_command};
pub use error::NoticeError;
pub use memory::Memory;
pub use message::{Attachment, Done, Failed, Notice, Outcome};
pub use params::{MailParams, MailTls, NoticeParams, Success, WebhookParams};

use weir_stage::{Failure, Stage};

use mail::Mail;
use webhook::Webhook;

/// Whoever is told, and of what.
#[derive(Debug)]
pub struct Notifier {
    success: Success,
    failure: bool,
    mail: Option<Mail>,
    webhook: Option<Webhook>,
}

impl Notifier {
    /// Checks `params` and reads what they refer to; `variable` gives variables of the environment.
    ///
    /// # Errors
    /// Failures of usage that name the parameter: addresses and servers that are none, a secret that is not where it
    /// should be, authorities that are no certificates.
    pub fn new(params: &NoticeParams, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let mail = if params.mail.server.is_empty() { None } else { Some(Mail::new(&params.mail, &variable)?) };
        let is_webhook = !(params.webhook.url.is_empty() && params.webhook.url_file.is_empty());
        let webhook = if is_webhook { Some(Webhook::new(&params.webhook)?) } else { None };
        Ok(Self { success: params.success, failure: params.failure, mail, webhook })
    }

    /// Tells everybody, if `notice` is of a kind that is wanted, and keeps in `memory` what anybody was told. Call it last.
    ///
    /// # Errors
    /// A failure to be retried that names who could not be told; the others were.
    pub fn tell(&self, notice: &Notice, memory: &mut Memory, stage: &Stage) -> Result<(), Failure> {
        if !self.wants(notice) {
            stage.detail("nobody is told: nothing is new");
            return Ok(());
        }
        if !self.knows_anybody() {
            stage.detail("nobody is told: neither notice.mail.server nor notice.webhook.url is set");
            return Ok(());
        }
        let mail = self.mail.as_ref().map(|mail| (mail.name(), mail.send(notice)));
        let webhook = self.webhook.as_ref().map(|webhook| (webhook.name(), webhook.send(notice)));
        let mut failed = Vec::new();
        let mut is_told = false;
        for (name, sent) in mail.into_iter().chain(webhook) {
            match sent {
                Ok(()) => {
                    is_told = true;
                    stage.note(format!("told {name}"));
                }
                Err(error) => failed.push((name, Failure::from(error))),
            }
        }
        // Not only once everybody is: one who cannot be told would have the others told the same at every run.
        if let (true, Some(told)) = (is_told, notice.told) {
            memory.keep(told, stage);
        }
        let Some((name, last)) = failed.pop() else { return Ok(()) };
        for (name, failure) in failed {
            stage.warn(format!("{name} was not told: {failure}"));
        }
        Err(Failure { message: format!("{name} was not told: {last}; everything else is done"), ..last })
    }

    /// Whether there is somebody to tell.
    #[must_use]
    pub fn knows_anybody(&self) -> bool {
        self.mail.is_some() || self.webhook.is_some()
    }

    fn wants(&self, notice: &Notice) -> bool {
        match (notice.succeeded, self.success) {
            (false, _) => self.failure,
            (true, Success::Always) => true,
            (true, Success::Change) => notice.is_news,
            (true, Success::Never) => false,
        }
    }
}
