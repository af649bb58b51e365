//! A notice as a mail.

use std::fs;
use std::time::Duration;

use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as Part, Body, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use reqwest::Url;
use weir_stage::Failure;

use super::smtp::{Security, Server};
use super::{MailParams, MailTls, Notice, NoticeError};

/// Before a second try.
const PAUSE: Duration = Duration::from_secs(1);

/// Who gets a mail, through a server.
#[derive(Debug)]
pub(super) struct Mail {
    server: Server,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mail {
    pub(super) fn new(params: &MailParams, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let (implicit, host, port) = server(&params.server)?;
        let security = match (implicit, params.tls) {
            (true, _) => Security::Tls(tls(&host, &params.ca_file)?),
            (false, MailTls::Starttls) => Security::Starttls(tls(&host, &params.ca_file)?),
            (false, MailTls::None) => Security::None,
        };
        let credentials = credentials(params, variable)?;
        if credentials.is_some() && matches!(security, Security::None) {
            return Err(Failure::usage("notice.mail: a password would be sent readable for everybody on the way")
                .hint("leave notice.mail.tls at starttls, or notice.mail.user empty"));
        }
        if params.to.is_empty() {
            return Err(Failure::usage("notice.mail.to: nobody is named").hint("name at least one address"));
        }
        let to = params.to.iter().map(|text| mailbox("notice.mail.to", text)).collect::<Result<_, _>>()?;
        let longest = Duration::from_secs(params.seconds);
        let server = Server { host, port, security, credentials, longest, pause: PAUSE };
        Ok(Self { server, from: mailbox("notice.mail.from", &params.from)?, to })
    }

    pub(super) fn name(&self) -> String {
        let to: Vec<&str> = self.to.iter().map(|mailbox| mailbox.email.as_ref()).collect();
        format!("{} through {}", to.join(", "), self.server)
    }

    pub(super) fn send(&self, notice: &Notice) -> Result<(), NoticeError> {
        self.server.send(self.message(notice)?)
    }

    /// The mail: the text, then the files, whose bytes arrive as they are.
    fn message(&self, notice: &Notice) -> Result<Message, NoticeError> {
        let wrong = |reason: String| NoticeError::Message { reason };
        let mut builder = Message::builder().from(self.from.clone());
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(notice.text.clone()));
        for attachment in &notice.attachments {
            let content_type = ContentType::parse(attachment.content_type).map_err(|error| wrong(error.to_string()))?;
            let body = Body::new_with_encoding(attachment.bytes.clone(), ContentTransferEncoding::Base64);
            let body = body.map_err(|_| wrong(format!("{} cannot be encoded", attachment.name)))?;
            parts = parts.singlepart(Part::new(attachment.name.to_owned()).body(body, content_type));
        }
        // RFC 3834: no machine answers it.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = builder
            .subject(notice.subject.clone())
            .message_id(None)
            .date_now()
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(parts);
        message.map_err(|error| wrong(error.to_string()))
    }
}

/// Whether TLS comes first, the host, the port.
fn server(text: &str) -> Result<(bool, String, u16), Failure> {
    let wrong = |reason: &str| {
        Failure::usage(format!("notice.mail.server: {reason}, received {text}"))
            .hint("as in smtps://mail.example.org or smtp://mail.example.org:587")
    };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let (implicit, default_port) = match url.scheme() {
        "smtps" => (true, 465),
        "smtp" => (false, 587),
        _ => return Err(wrong("expected smtp:// or smtps://")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        // The text holds a password: it is not shown.
        return Err(Failure::usage("notice.mail.server holds a user")
            .hint("name it with notice.mail.user, and the file of its password with notice.mail.password_file"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(wrong("expected nothing after the port"));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("expected a host"))?;
    let host = host.trim_matches(['[', ']']).to_owned();
    Ok((implicit, host, url.port().unwrap_or(default_port)))
}

fn mailbox(name: &str, text: &str) -> Result<Mailbox, Failure> {
    text.parse().map_err(|error| {
        Failure::usage(format!("{name}: {error}, received {text:?}")).hint("as in Weir <weir@example.org>")
    })
}

fn tls(host: &str, ca_file: &str) -> Result<TlsParameters, Failure> {
    let wrong = |reason: String| Failure::usage(format!("notice.mail.ca_file: {reason}"));
    let mut builder = TlsParameters::builder(host.to_owned());
    if !ca_file.is_empty() {
        let pem = read("notice.mail.ca_file", ca_file)?;
        // It takes a text without certificates for none at all.
        weir_http::tls(Some(&pem)).map_err(|error| wrong(format!("{ca_file}: {error}")))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| wrong(error.to_string()))
}

fn credentials(params: &MailParams, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Credentials>, Failure> {
    let MailParams { user, password_file, password_env, .. } = params;
    let password = match (password_file.is_empty(), password_env.is_empty()) {
        (true, true) => None,
        (false, false) => {
            return Err(Failure::usage("notice.mail.password_file and notice.mail.password_env are both set")
                .hint("the password is in one of them"));
        }
        (false, true) => {
            let bytes = read("notice.mail.password_file", password_file)?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Failure::usage(format!("notice.mail.password_file: {password_file} is not UTF-8")))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (true, false) => Some(variable(password_env).ok_or_else(|| {
            Failure::usage(format!("notice.mail.password_env: the variable {password_env} is not set"))
        })?),
    };
    match (user.is_empty(), password) {
        (true, None) => Ok(None),
        (false, Some(password)) => Ok(Some(Credentials::new(user.clone(), password))),
        (true, Some(_)) => Err(Failure::usage("notice.mail.user is empty, and there is a password for it")),
        (false, None) => Err(Failure::usage(format!("notice.mail.user: {user} has no password"))
            .hint("name the file that holds it with notice.mail.password_file, or a variable with password_env")),
    }
}

/// A file that a parameter names.
pub(super) fn read(parameter: &str, path: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::usage(format!("{parameter}: failed to read {path}: {error}")))
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use weir_contract::blocklist::{Block, Evidence, Frequent, Suspect};
    use weir_report::BlockReport;

    use super::super::message::tests::{detection, done, outcome};
    use super::super::{Done, Outcome};
    use super::*;

    pub(crate) fn params(server: &str) -> MailParams {
        MailParams {
            server: server.to_owned(),
            from: "Weir <weir@example.org>".to_owned(),
            to: vec!["ops@example.org".to_owned(), "Öps <second@example.org>".to_owned()],
            ..MailParams::default()
        }
    }

    fn refusal(params: &MailParams) -> String {
        Mail::new(params, |_| None).unwrap_err().message
    }

    #[test]
    fn a_server_is_a_scheme_a_host_and_a_port() {
        assert_eq!(server("smtp://mail.example.org").unwrap(), (false, "mail.example.org".to_owned(), 587));
        assert_eq!(server("smtps://mail.example.org/").unwrap(), (true, "mail.example.org".to_owned(), 465));
        assert_eq!(server("smtp://[::1]:25").unwrap(), (false, "::1".to_owned(), 25));
        for wrong in [
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtp://a:99999",
            "smtp://a/b",
            "smtp://a?tls=none",
        ] {
            assert!(server(wrong).unwrap_err().message.starts_with("notice.mail.server: "), "{wrong}");
        }
        let refused = server("smtp://me:secret@mail.example.org").unwrap_err();
        assert!(!refused.message.contains("secret"), "{refused}");
    }

    #[test]
    fn a_password_is_named_and_never_sent_in_the_clear() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "secret\n").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let plain = params("smtp://localhost");
        let with_user = MailParams { user: "weir".to_owned(), ..plain.clone() };
        assert_eq!(refusal(&with_user), "notice.mail.user: weir has no password");
        let with_file = MailParams { password_file: path, ..with_user.clone() };
        let mail = Mail::new(&with_file, |_| None).unwrap();
        assert!(mail.server.credentials.is_some() && !format!("{mail:?}").contains("secret"));
        let readable = MailParams { tls: MailTls::None, ..with_file.clone() };
        assert!(refusal(&readable).contains("readable for everybody"), "{}", refusal(&readable));

        let with_variable = MailParams { password_env: "MAIL_PASSWORD".to_owned(), ..with_user };
        let message = "notice.mail.password_env: the variable MAIL_PASSWORD is not set";
        assert_eq!(refusal(&with_variable), message);
        let mail = Mail::new(&with_variable, |name| (name == "MAIL_PASSWORD").then(|| "secret".to_owned())).unwrap();
        assert_eq!(mail.server.credentials, Some(Credentials::new("weir".to_owned(), "secret".to_owned())));
        let both = MailParams { password_env: "X".to_owned(), ..with_file };
        assert!(refusal(&both).contains("both"));
    }

    #[test]
    fn addresses_and_authorities_that_are_none_are_refused() {
        let good = params("smtp://localhost");
        assert!(refusal(&MailParams { to: Vec::new(), ..good.clone() }).starts_with("notice.mail.to: nobody"));
        assert!(
            refusal(&MailParams { to: vec!["a\r\nb@c".to_owned()], ..good.clone() }).starts_with("notice.mail.to: ")
        );
        assert!(refusal(&MailParams { from: String::new(), ..good.clone() }).starts_with("notice.mail.from: "));
        let file = tempfile::NamedTempFile::new().unwrap();
        let ca_file = file.path().to_str().unwrap().to_owned();
        assert!(refusal(&MailParams { ca_file, ..good.clone() }).contains("no certificates"));
        assert!(refusal(&MailParams { ca_file: "/nowhere".to_owned(), ..good }).contains("failed to read /nowhere"));
    }

    #[test]
    fn a_mail_has_the_text_and_the_files() {
        let mail = Mail::new(&params("smtp://localhost"), |_| None).unwrap();
        let notice = done(&outcome(&["192.0.2.66"], &[]));
        let message = String::from_utf8(mail.message(&notice).unwrap().formatted()).unwrap();
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: Weir <weir@example.org>",
            "Subject: weir on web-1: 1 client blocked",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ] {
            assert!(head.contains(line), "{line:?} is not in {head}");
        }
        assert!(
            head.contains("Message-ID: <") && head.contains("Date: ") && head.contains("multipart/mixed"),
            "{head}"
        );
        assert!(body.contains("192.0.2.66 until 2020-11-03"));
        // printf '192.0.2.66\n' | base64
        assert!(body.contains("filename=\"blocked_ips.txt\"") && body.contains("\r\nMTkyLjAuMi42Ngo="), "{body}");
        assert!(body.contains("filename=\"report.html\""));
    }

    /// The mail about 100,000 clients with long addresses from `first` on, whose paths and user agents are of `character`.
    fn of_a_botnet(first: IpAddr, character: char) -> (usize, Vec<&'static str>) {
        let mut detection = detection();
        let frequent = |n| Frequent { text: format!("{n}{}", character.to_string().repeat(199)), count: 7, error: 1 };
        let mut suspect = detection.listed[0].clone();
        suspect.evidence.top_paths = (0..9).map(frequent).collect();
        suspect.evidence.top_user_agents = (0..9).map(frequent).collect();
        detection.listed = vec![suspect; 1_000];
        suspect = Suspect { evidence: Evidence::default(), ..detection.listed[0].clone() };
        detection.listed.resize(100_000, suspect);
        for (i, suspect) in (0..).zip(&mut detection.listed) {
            suspect.client = match first {
                IpAddr::V4(first) => Ipv4Addr::from(u32::from(first) + i).into(),
                IpAddr::V6(first) => Ipv6Addr::from(u128::from(first) + u128::from(i)).into(),
            };
        }
        let page = BlockReport { title: "Blocklist", version: "0", detection: &detection, parameters: Vec::new() };
        let report = Some(weir_report::render_block(&page).unwrap().into_bytes());
        let clients = detection.listed.iter().map(|suspect| suspect.client);
        let list = clients.clone().map(|client| format!("{client}\n")).collect::<String>().into_bytes();
        let added = clients.map(|address| Block { address, until: 1_604_416_600 }).collect();
        let outcome = Outcome { added, ..outcome(&[], &[]) };
        let (host, detection, outcome) = ("web-1".to_owned(), &detection, &outcome);
        let notice = Notice::done(&Done { host, detection, outcome, list, report, told: None });
        let mail = Mail::new(&params("smtp://localhost"), |_| None).unwrap();
        let names = notice.attachments.iter().map(|attachment| attachment.name).collect();
        (mail.message(&notice).unwrap().formatted().len(), names)
    }

    #[test]
    fn a_mail_about_a_hundred_thousand_clients_is_one_that_servers_take() {
        // Postfix's message_size_limit, unless somebody sets another.
        let limit = 10_240_000;
        let (bytes, names) = of_a_botnet("198.151.100.100".parse().unwrap(), 'x');
        assert!(bytes < limit && names == ["blocked_ips.txt", "report.html"], "{bytes} {names:?}");
        let (bytes, names) = of_a_botnet("2001:db8:ffff:ffff:ffff:ffff:0:0".parse().unwrap(), 'x');
        assert!(bytes < limit && names.len() == 2, "{bytes} {names:?}");
        // Each character takes eight bytes of the report.
        let (bytes, names) = of_a_botnet("2001:db8:ffff:ffff:ffff:ffff:fff0:1000".parse().unwrap(), '\u{202e}');
        assert!(bytes < limit && names == ["blocked_ips.txt"], "{bytes} {names:?}");
    }

    #[test]
    fn no_text_becomes_a_header_of_a_mail() {
        let mail = Mail::new(&params("smtp://localhost"), |_| None).unwrap();
        let mut notice = done(&outcome(&[], &[]));
        notice.subject = "x\r\nBcc: all@example.org".to_owned();
        let message = String::from_utf8(mail.message(&notice).unwrap().formatted()).unwrap();
        assert!(!message.contains("\nBcc:"), "{message}");
    }
}
