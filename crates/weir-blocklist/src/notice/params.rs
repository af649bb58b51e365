//! The section `[notice]` of a parameter file. Secrets are never in it: it says where they are.

use serde::{Deserialize, Serialize};
use validator::Validate;

/// Who is told how a run ended, and of what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeParams {
    /// Which runs that went well are told of; `change`.
    pub success: Success,
    /// Whether runs that failed are; true.
    pub failure: bool,
    /// By mail.
    #[validate(nested)]
    pub mail: MailParams,
    /// By a webhook.
    pub webhook: WebhookParams,
}

/// Which runs that went well are told of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Success {
    /// All of them.
    Always,
    /// Those that changed who is blocked, and those that found others to be spared, or to be blocked without --apply, than
    /// was told last.
    #[default]
    Change,
    /// None.
    Never,
}

/// Who gets a mail, and through which server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct MailParams {
    /// `smtp://host:port` or `smtps://host:port`, by default ports 587 and 465; empty for no mail.
    pub server: String,
    /// What makes `smtp://` safe.
    pub tls: MailTls,
    /// Certificates of the authorities that vouch for the server, a file in PEM; empty for those of Mozilla.
    pub ca_file: String,
    /// Who sends it, as `weir@example.org` or `Weir <weir@example.org>`.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// Name to log in with; empty for no login.
    pub user: String,
    /// File with the password.
    pub password_file: String,
    /// Variable of the environment with the password, in place of a file.
    pub password_env: String,
    /// Longest time for one mail, seconds; 60.
    #[validate(range(min = 1, max = 3600))]
    pub seconds: u64,
}

/// What makes `smtp://` safe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// STARTTLS; a server that does not offer it gets nothing.
    #[default]
    Starttls,
    /// Nothing: whoever is on the way reads the mail. Not for a login.
    None,
}

impl Default for NoticeParams {
    fn default() -> Self {
        let (mail, webhook) = (MailParams::default(), WebhookParams::default());
        Self { success: Success::Change, failure: true, mail, webhook }
    }
}

impl Default for MailParams {
    fn default() -> Self {
        Self {
            server: String::new(),
            tls: MailTls::Starttls,
            ca_file: String::new(),
            from: String::new(),
            to: Vec::new(),
            user: String::new(),
            password_file: String::new(),
            password_env: String::new(),
            seconds: 60,
        }
    }
}

/// Where a program is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookParams {
    /// Where to; empty for nowhere.
    pub url: String,
    /// File with the URL, where that is a secret.
    pub url_file: String,
    /// File with a token for `Authorization: Bearer`; empty for none.
    pub token_file: String,
    /// Certificates of the authorities that vouch for it, a file in PEM; empty for those of Mozilla.
    pub ca_file: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::DEFAULT_PARAMS;
    use weir_stage::Params;

    #[test]
    fn the_shipped_section_says_what_the_defaults_are() {
        let shipped = Params::load(None, DEFAULT_PARAMS, &[]).unwrap();
        assert_eq!(shipped.section::<NoticeParams>("notice").unwrap(), NoticeParams::default());
    }

    #[test]
    fn single_values_are_set_and_unknown_ones_refused() {
        let load = |set: &str| {
            let params = Params::load(None, DEFAULT_PARAMS, &[set.to_owned()]).unwrap();
            params.section::<NoticeParams>("notice")
        };
        assert_eq!(load("notice.mail.to=[\"ops@example.org\"]").unwrap().mail.to, ["ops@example.org"]);
        assert_eq!(load("notice.success=always").unwrap().success, Success::Always);
        let refused = load("notice.mail.password=secret").unwrap_err();
        assert!(refused.message.contains("password"), "{refused}");
        let refused = load("notice.mail.seconds=0").unwrap_err();
        assert_eq!(
            refused.message,
            "--set notice.mail.seconds=0: notice.mail.seconds: expected at least 1 and at most 3600, received 0"
        );
    }
}
