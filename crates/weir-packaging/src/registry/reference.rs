//! Where an image is.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use crate::oci::Sha256;

/// An image in a registry, as in `registry.example/team/detector:v1` or `...@sha256:...`; the tag is `latest` where
/// neither is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Host, with the port if there is one.
    pub(crate) registry: String,
    pub(crate) repository: String,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<Sha256>,
}

impl Reference {
    /// What the image is asked for by: the digest, else the tag.
    pub(crate) fn name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The same image by its digest.
    pub(crate) fn at(&self, digest: Sha256) -> String {
        format!("{}/{}@{digest}", self.registry, self.repository)
    }

    /// The root of the registry's API.
    pub(crate) fn base(&self, plain_http: bool) -> Result<Url, String> {
        let scheme = if plain_http { "http" } else { "https" };
        // Docker Hub answers elsewhere than it is called.
        let host = if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry };
        let url = Url::parse(&format!("{scheme}://{host}/v2/{}/", self.repository));
        url.map_err(|error| format!("{:?} cannot be a registry: {error}", self.registry))
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((scheme, rest)) = text.split_once("://") {
            return Err(format!("leave {scheme}:// out, as in {rest}"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let Some((registry, rest)) = rest.split_once('/').filter(|(host, _)| is_host(host)) else {
            return Err("expected the registry's host first, as in registry.example/team/detector:v1".to_owned());
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        if !repository.split('/').all(is_component) || repository.len() > 255 {
            return Err(format!(
                "{repository:?} cannot be a repository: use lowercase letters, digits and single . _ - / between them"
            ));
        }
        if let Some(tag) = tag.as_deref().filter(|tag| !is_tag(tag)) {
            return Err(format!("{tag:?} cannot be a tag: use up to 128 letters, digits, _ . -"));
        }
        let reference = Self { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest };
        reference.base(true)?;
        Ok(reference)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// As Docker tells hosts from the first part of a repository: by a dot, a port, or the name `localhost`.
fn is_host(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    plain && (text.contains(['.', ':']) || text == "localhost")
}

fn is_component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|&byte| alphanumeric(byte) || b"._-".contains(&byte))
        && bytes.first().is_some_and(|&byte| alphanumeric(byte))
        && bytes.last().is_some_and(|&byte| alphanumeric(byte))
        && !text.contains("..")
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(|&byte| word(byte))
        && bytes.iter().all(|&byte| word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_docker_reads_them() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (text, registry, repository, name) in [
            ("a.example/b", "a.example", "b", "latest"),
            ("a.example/b/c-d_e.f:v1.0", "a.example", "b/c-d_e.f", "v1.0"),
            ("localhost:5000/b:1", "localhost:5000", "b", "1"),
            ("localhost/b", "localhost", "b", "latest"),
            ("[::1]:5000/b", "[::1]:5000", "b", "latest"),
            (&format!("a.example/b@{digest}"), "a.example", "b", digest.as_str()),
            (&format!("a.example/b:v1@{digest}"), "a.example", "b", digest.as_str()),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.registry.as_str(), reference.repository.as_str()), (registry, repository));
            assert_eq!(reference.name(), name);
            assert_eq!(reference.to_string(), text);
        }
        let reference: Reference = "docker.io/me/b".parse().unwrap();
        assert_eq!(reference.base(false).unwrap().as_str(), "https://registry-1.docker.io/v2/me/b/");
    }

    #[test]
    fn what_is_no_reference_is_refused_with_what_is_wrong() {
        for (text, expected) in [
            ("oci://a.example/b", "leave oci:// out, as in a.example/b"),
            ("detector:v1", "expected the registry's host first"),
            ("team/detector", "expected the registry's host first"),
            ("user:pass@a.example/b", "expected sha256: and 64 hex digits"),
            ("a.example/B", "\"B\" cannot be a repository"),
            ("a.example/b//c", "\"b//c\" cannot be a repository"),
            ("a.example/../b", "\"../b\" cannot be a repository"),
            ("a.example/b:", "\"\" cannot be a tag"),
            ("a.example/b:x/y", "\"x/y\" cannot be a tag"),
            ("a.example/b?x", "\"b?x\" cannot be a repository"),
            ("a.example:x/b", "\"a.example:x\" cannot be a registry"),
            ("a.example/b@sha512:00", "expected sha256: and 64 hex digits"),
            ("", "expected the registry's host first"),
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
