//! Who asks a registry: a name and a password, or what `docker login` left.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use weir_stage::Failure;

/// Who asks. Has no `Debug`: it holds secrets.
#[derive(Clone)]
pub(crate) enum Login {
    Anonymous,
    Password {
        username: String,
        password: String,
    },
    /// Name and password as HTTP sends them, in base64.
    Encoded(HeaderValue),
}

/// Docker's `config.json`, as far as it is understood here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    identitytoken: String,
}

impl Login {
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }

    pub(crate) fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Anonymous => request,
            Self::Password { username, password } => request.basic_auth(username, Some(password)),
            Self::Encoded(value) => request.header(AUTHORIZATION, value.clone()),
        }
    }

    /// What Docker's configuration at `path`, with these bytes, holds for `registry`.
    ///
    /// # Errors
    /// Failures of usage for a file that is not one, and for credentials that only another program could read.
    pub(crate) fn of_docker(bytes: &[u8], path: &Path, registry: &str) -> Result<Self, Failure> {
        let shown = path.display();
        let config: Config = serde_json::from_slice(bytes)
            // What serde says of the place is enough; it does not quote secrets, but the value of a wrong type.
            .map_err(|error| {
                let (line, column) = (error.line(), error.column());
                Failure::usage(format!("{shown} is not valid: line {line}, column {column}"))
            })?;
        let other = |what: String| {
            Failure::usage(format!("{shown} keeps the credentials of {registry} in {what}, which is not supported"))
                .hint("give them with --username and --password-file or --password-stdin")
        };
        let entry = config.auths.iter().find(|(key, _)| is_of(key, registry)).map(|(_, entry)| entry);
        if let Some(entry) = entry.filter(|entry| !entry.auth.is_empty() || !entry.identitytoken.is_empty()) {
            if !entry.identitytoken.is_empty() {
                return Err(other("an identity token".to_owned()));
            }
            let mut value = HeaderValue::try_from(format!("Basic {}", entry.auth))
                .map_err(|_| Failure::usage(format!("{shown} holds no base64 as auth of {registry}")))?;
            value.set_sensitive(true);
            return Ok(Self::Encoded(value));
        }
        let helper = config.cred_helpers.iter().find(|(key, _)| is_of(key, registry)).map(|(_, helper)| helper);
        // `docker login` leaves an empty entry for what it gave to the store.
        match helper.or(config.creds_store.as_ref().filter(|_| entry.is_some())) {
            Some(helper) => Err(other(format!("the credential helper {helper}"))),
            None => Ok(Self::Anonymous),
        }
    }
}

/// Whether a key of Docker's configuration is about this registry; older keys are URLs.
fn is_of(key: &str, registry: &str) -> bool {
    let key = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
    let host = key.split('/').next().unwrap_or(key);
    host == registry || (registry == "docker.io" && host == "index.docker.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(config: &str, registry: &str) -> Result<Option<String>, Failure> {
        Login::of_docker(config.as_bytes(), Path::new("config.json"), registry).map(|login| match login {
            Login::Encoded(value) => Some(value.to_str().unwrap().to_owned()),
            _ => None,
        })
    }

    #[test]
    fn what_docker_login_wrote_is_used_as_it_is() {
        let config = r#"{"auths": {"a.example": {"auth": "dTpw"}, "https://index.docker.io/v1/": {"auth": "aHVi"},
            "b.example:5000": {"auth": "Yg=="}}, "HttpHeaders": {"x": "y"}}"#;
        assert_eq!(login(config, "a.example").unwrap().as_deref(), Some("Basic dTpw"));
        assert_eq!(login(config, "docker.io").unwrap().as_deref(), Some("Basic aHVi"));
        assert_eq!(login(config, "b.example:5000").unwrap().as_deref(), Some("Basic Yg=="));
        assert_eq!(login(config, "b.example").unwrap(), None);
        assert_eq!(login("{}", "a.example").unwrap(), None);
    }

    #[test]
    fn credentials_of_other_programs_are_named() {
        let config =
            r#"{"auths": {"a.example": {}}, "credsStore": "desktop", "credHelpers": {"b.example": "ecr-login"}}"#;
        let expected = "config.json keeps the credentials of a.example in the credential helper desktop, which is not \
                        supported";
        assert_eq!(login(config, "a.example").unwrap_err().message, expected);
        assert!(login(config, "b.example").unwrap_err().message.contains("credential helper ecr-login"));
        assert_eq!(login(config, "c.example").unwrap(), None);
        let token = r#"{"auths": {"a.example": {"auth": "dTpw", "identitytoken": "x"}}}"#;
        assert!(login(token, "a.example").unwrap_err().message.contains("an identity token"));
    }

    #[test]
    fn a_wrong_configuration_is_refused_without_its_secrets() {
        for config in [r#"{"auths": "secret"}"#, r#"{"auths": {"a.example": {"auth": 17}}}"#, "secret"] {
            let error = login(config, "a.example").unwrap_err().message;
            assert!(error.starts_with("config.json is not valid: line 1, column ") && !error.contains("secret"));
        }
        let error = login("{\"auths\": {\"a.example\": {\"auth\": \"a\\nb\"}}}", "a.example").unwrap_err().message;
        assert_eq!(error, "config.json holds no base64 as auth of a.example");
    }
}
