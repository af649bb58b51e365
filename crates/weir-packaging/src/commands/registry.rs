//! Arguments about registries, and what they come to.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use weir_stage::{Failure, Stage};

use crate::registry::{Client, Login, Reference, Settings};

/// How to reach a registry, and as whom. Without a name, what `docker login` left in `$DOCKER_CONFIG/config.json` or
/// `~/.docker/config.json` is used.
#[derive(Debug, Clone, Default, Args)]
pub struct RegistryArgs {
    /// Name to log in with [default: what `docker login` left]
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,

    /// File with the password or token
    #[arg(long, value_name = "FILE", requires = "username", conflicts_with = "password_stdin")]
    pub password_file: Option<PathBuf>,

    /// Read the password or token from stdin
    #[arg(long, requires = "username")]
    pub password_stdin: bool,

    /// Talk to the registry without TLS
    #[arg(long)]
    pub plain_http: bool,

    /// Certificates of the authorities to trust, in PEM [default: those of Mozilla]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Proxy to go through, as in http://proxy.example:3128
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
}

impl RegistryArgs {
    pub(crate) fn client<'a>(&self, reference: &Reference, stage: &'a Stage) -> Result<Client<'a>, Failure> {
        let settings = Settings {
            login: self.login(reference, stage)?,
            plain_http: self.plain_http,
            authorities: self.ca_file.as_deref().map(read).transpose()?,
            proxy: self.proxy.clone(),
            ..Settings::default()
        };
        Client::new(reference, settings, stage)
    }

    fn login(&self, reference: &Reference, stage: &Stage) -> Result<Login, Failure> {
        let Some(username) = self.username.clone() else { return docker(reference, stage) };
        let password = match &self.password_file {
            Some(file) => text(file, read(file)?)?,
            None if self.password_stdin => {
                let mut bytes = Vec::new();
                let read = io::stdin().lock().read_to_end(&mut bytes);
                read.map_err(|error| Failure::usage(format!("failed to read the password from stdin: {error}")))?;
                text(Path::new("stdin"), bytes)?
            }
            None => {
                return Err(Failure::usage("there is a --username without password")
                    .hint("give the password with --password-file or --password-stdin"));
            }
        };
        Ok(Login::Password { username, password })
    }
}

/// What Docker's configuration holds, if there is one.
fn docker(reference: &Reference, stage: &Stage) -> Result<Login, Failure> {
    let set = stage.variable("DOCKER_CONFIG").map(PathBuf::from);
    let Some(dir) = set.or_else(|| stage.variable("HOME").map(|home| Path::new(&home).join(".docker"))) else {
        return Ok(Login::Anonymous);
    };
    let path = dir.join("config.json");
    match fs::read(&path) {
        Ok(bytes) => Login::of_docker(&bytes, &path, &reference.registry),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Login::Anonymous)
        }
        Err(error) => Err(unread(&path, &error)),
    }
}

/// Without the newline that editors and `echo` leave.
fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{} is not UTF-8", path.display())))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Failure::usage(format!("{} holds no password", path.display())));
    }
    Ok(text.to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("failed to read {}: {error}", path.display()))
}
