//! Against a server that plays a script.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lettre::Message;

use super::super::mail::tests::params;
use super::super::{MailParams, MailTls};
use super::*;

/// Greets, then answers the lines of `connections` connections by `script`, which ends one with `None`; returns its port
/// and, in the end, what it was told.
fn play(
    connections: usize,
    mut script: impl FnMut(&str) -> Option<&'static str> + Send + 'static,
) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut heard = Vec::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            // A client that goes away is what some of the tests want.
            let _ = converse(&mut stream, &mut script, &mut heard);
        }
        heard
    });
    (port, server)
}

fn converse(
    stream: &mut TcpStream,
    script: &mut impl FnMut(&str) -> Option<&'static str>,
    heard: &mut Vec<String>,
) -> std::io::Result<()> {
    stream.write_all(b"220 mail.example.org\r\n")?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut in_data = false;
    while let Some(line) = lines.next().transpose()? {
        heard.push(line.clone());
        if in_data && line != "." {
            continue;
        }
        in_data = line == "DATA";
        let Some(answer) = script(&line) else { return Ok(()) };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn plain(line: &str) -> Option<&'static str> {
    Some(match line.split(' ').next().unwrap_or_default() {
        "EHLO" => "250-mail.example.org\r\n250 8BITMIME\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 ok\r\n",
    })
}

fn server(port: u16, tls: MailTls) -> Server {
    let security = match tls {
        MailTls::None => Security::None,
        MailTls::Starttls => Security::Starttls(TlsParameters::new_rustls("localhost".to_owned()).unwrap()),
    };
    let (longest, pause) = (Duration::from_secs(20), Duration::from_millis(1));
    Server { host: "127.0.0.1".to_owned(), port, security, credentials: None, longest, pause }
}

fn message() -> Message {
    let builder = Message::builder().from("weir@example.org".parse().unwrap()).to("ops@example.org".parse().unwrap());
    builder.subject("a subject").body("hello\n.\nend".to_owned()).unwrap()
}

#[test]
fn a_mail_is_handed_in() {
    let (port, played) = play(1, plain);
    server(port, MailTls::None).send(message()).unwrap();
    let heard = played.join().unwrap();
    assert!(
        heard.contains(&"MAIL FROM:<weir@example.org>".to_owned())
            || heard.iter().any(|line| line.starts_with("MAIL FROM:<weir@example.org>"))
    );
    assert!(heard.contains(&"RCPT TO:<ops@example.org>".to_owned()), "{heard:?}");
    assert!(heard.contains(&"Subject: a subject".to_owned()) && heard.contains(&"..".to_owned()), "{heard:?}");
}

#[test]
fn a_server_without_starttls_gets_nothing() {
    let (port, played) = play(1, plain);
    let error = server(port, MailTls::Starttls).send(message()).unwrap_err();
    assert!(error.to_string().contains("STARTTLS is not supported"), "{error}");
    assert!(weir_contract::Classify::hint(&error).unwrap().contains("smtps://"));
    let heard = played.join().unwrap();
    assert!(!heard.iter().any(|line| line.starts_with("MAIL")), "{heard:?}");
}

#[test]
fn what_a_server_refuses_for_good_is_not_tried_again() {
    let (port, played) = play(1, |line| match line {
        line if line.starts_with("RCPT") => Some("550 no such user\r\n"),
        line => plain(line),
    });
    let error = server(port, MailTls::None).send(message()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("127.0.0.1:{port} does not take the mail: permanent error (550): no such user")
    );
    // The listener is gone after one connection: another try would have said so.
    played.join().unwrap();
}

#[test]
fn what_may_pass_is_tried_again() {
    let mut mails = 0;
    let (port, played) = play(2, move |line| {
        mails += u32::from(line.starts_with("MAIL"));
        match line {
            line if line.starts_with("MAIL") && mails == 1 => Some("451 come back\r\n"),
            "RSET" | "QUIT" => None,
            line => plain(line),
        }
    });
    server(port, MailTls::None).send(message()).unwrap();
    assert_eq!(played.join().unwrap().iter().filter(|line| line.starts_with("MAIL")).count(), 2);
}

#[test]
fn a_server_that_does_not_answer_is_left_after_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let slow = Server { longest: Duration::from_secs(1), ..server(port, MailTls::None) };
    let error = slow.send(message()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("127.0.0.1:{port} does not take the mail: ")), "{text}");
}

#[test]
fn nobody_listening_is_said() {
    let error = server(1, MailTls::None).send(message()).unwrap_err();
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert_eq!(weir_contract::Classify::hint(&error).unwrap(), "check notice.mail.server");
}

#[test]
fn the_parameters_say_what_makes_it_safe() {
    let mail = |params: &MailParams| super::super::mail::Mail::new(params, |_| None).unwrap();
    assert!(format!("{:?}", mail(&params("smtps://localhost"))).contains("security: Tls"));
    assert!(format!("{:?}", mail(&params("smtp://localhost"))).contains("security: Starttls"));
    let none = MailParams { tls: MailTls::None, ..params("smtp://localhost") };
    assert!(format!("{:?}", mail(&none)).contains("security: None"));
}
