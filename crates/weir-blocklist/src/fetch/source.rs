//! What a log is fetched from.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use reqwest::Url;
use weir_stage::Failure;

/// Longest name of a source in the name of a file, characters.
const NAME: usize = 100;

/// A source for people: a URL without user, query and fragment, which may be secrets.
pub(crate) fn shown(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else { return "a source that is no URL".to_owned() };
    // Refused where there is no place for a user: then there is none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// Where a log comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    Url(Url),
    Stdin,
}

impl Source {
    /// `-`, a URL, or the path of a file.
    fn parse(text: &str) -> Result<Self, Failure> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        let is_url = ["http://", "https://"]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if !is_url && text.contains("://") && Url::parse(text).is_ok() {
            return Err(Failure::usage(format!("{} cannot be fetched", shown(text)))
                .hint("give the path of a file, or a URL that begins with http:// or https://"));
        }
        if !is_url {
            return Ok(Self::File(PathBuf::from(text)));
        }
        // The text may hold a password: it is not shown.
        let url = Url::parse(text).map_err(|error| Failure::usage(format!("a source is no URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::usage("a source is a URL with a user in it")
                .hint("put what Authorization has to say into a file, and name it with --authorization-file"));
        }
        Ok(Self::Url(url))
    }

    /// Its name for people and manifests; what follows the question mark of a URL may be a secret.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => shown(url.as_str()),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// Name of its file in the artifact, which is the `number`th, counted from 1.
    pub(super) fn file_name(&self, number: usize) -> String {
        let name = match self {
            Self::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Url(url) => url.path().rsplit('/').next().unwrap_or_default().to_owned(),
            Self::Stdin => "stdin".to_owned(),
        };
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).take(NAME).collect();
        format!("{number:04}-{}", if plain.is_empty() { "log" } else { &plain })
    }
}

/// The sources that `texts` name. None may come twice: what a client did would count twice.
pub(super) fn sources(texts: &[String]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    let mut seen = BTreeSet::new();
    for text in texts {
        let source = Source::parse(text)?;
        if !seen.insert(identity(&source)?) {
            return Err(Failure::usage(format!("{} is named twice", source.shown())).hint("name every log once"));
        }
        sources.push(source);
    }
    Ok(sources)
}

/// The same for two names of a file.
fn identity(source: &Source) -> Result<String, Failure> {
    match source {
        Source::File(path) => {
            let metadata = fs::metadata(path).map_err(|error| missing(path, &error))?;
            if metadata.is_dir() {
                return Err(Failure::usage(format!("{} is a directory", path.display()))
                    .hint("name the logs in it, as in /var/log/nginx/access.log*"));
            }
            Ok(format!("{}:{}", metadata.dev(), metadata.ino()))
        }
        Source::Url(url) => Ok(url.to_string()),
        Source::Stdin => Ok("-".to_owned()),
    }
}

fn missing(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::input(format!("failed to read {}: {error}", path.display()));
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            failure.hint("name the access log of the web server, as in /var/log/nginx/access.log")
        }
        std::io::ErrorKind::PermissionDenied => {
            failure.hint("run it as a user who may read logs, on Debian one of the group adm")
        }
        _ => failure,
    }
}

/// As [`missing`], of a file that cannot be opened.
pub(super) fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| missing(path, &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(texts: &[&str]) -> String {
        sources(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap_err().message
    }

    #[test]
    fn files_are_named_after_their_sources_in_order() {
        let name = |text: &str| Source::parse(text).unwrap().file_name(7);
        assert_eq!(name("/var/log/nginx/access.log.1.gz"), "0007-access.log.1.gz");
        assert_eq!(name("https://logs.example.org/web 1/access.log?token=secret"), "0007-access.log");
        assert_eq!(name("https://logs.example.org"), "0007-log");
        assert_eq!(name("-"), "0007-stdin");
        assert_eq!(name("a b\n\u{202e}.log"), "0007-a_b__.log");
    }

    #[test]
    fn a_secret_in_a_url_is_not_shown() {
        let shown = Source::parse("https://logs.example.org/a.log?token=secret#x").unwrap().shown();
        assert_eq!(shown, "https://logs.example.org/a.log");
        assert_eq!(refusal(&["https://me:secret@logs.example.org/a.log"]), "a source is a URL with a user in it");
        let other = "ftp://me:secret@logs.example.org/a.log?token=secret";
        assert_eq!(refusal(&[other]), "ftp://logs.example.org/a.log cannot be fetched");
        assert_eq!(super::shown("https://me:secret/@logs.example.org"), "a source that is no URL");
        assert_eq!(super::shown("/var/log/a?b"), "/var/log/a?b");
    }

    #[test]
    fn a_log_that_is_named_twice_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("access.log");
        fs::write(&log, "").unwrap();
        let (log, other) = (log.display().to_string(), format!("{}/./access.log", dir.path().display()));
        assert_eq!(refusal(&[&log, &other]), format!("{other} is named twice"));
        assert_eq!(refusal(&["-", "-"]), "standard input is named twice");
        let dir = dir.path().display().to_string();
        assert_eq!(refusal(&[&dir]), format!("{dir} is a directory"));
        assert!(refusal(&["/nowhere/access.log"]).starts_with("failed to read /nowhere/access.log: "));
    }
}
