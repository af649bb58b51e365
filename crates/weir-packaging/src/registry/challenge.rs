//! `WWW-Authenticate` (RFC 9110, section 11.6.1): what a registry wants to be asked with.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// A way to ask that the registry would accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// With name and password.
    Basic,
    /// With a token, which is had at `realm`.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The registry's challenge; a token where there is a choice. Nothing where it has none that is known.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let all = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| parse(value.to_str().ok()?));
        all.max_by_key(|challenge| matches!(challenge, Self::Bearer { .. }))
    }
}

fn parse(text: &str) -> Option<Challenge> {
    let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service, mut scope) = (None, None, None);
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        let Some((key, after)) = rest.split_once('=') else { break };
        let (value, after) = value(after)?;
        match key.trim().to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            "scope" => scope = Some(value),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge::Bearer { realm: realm?, service, scope })
}

/// A quoted or plain value, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return Some((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[place + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        };
        for (text, expected) in [
            (
                r#"Bearer realm="https://a.example/token",service="a.example",scope="repository:x/y:pull,push""#,
                Some(bearer("https://a.example/token", Some("a.example"), Some("repository:x/y:pull,push"))),
            ),
            (r#"bearer Realm=https://a.example/t, error="x""#, Some(bearer("https://a.example/t", None, None))),
            (r#"Bearer realm="a \"b\"""#, Some(bearer("a \"b\"", None, None))),
            (r#"Basic realm="x""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            (r#"Bearer realm="unfinished"#, None),
            (r#"Bearer service="x""#, None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let mut headers = HeaderMap::new();
        for value in ["Basic realm=\"x\"", "Bearer realm=\"y\"", "Basic realm=\"z\""] {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        assert!(matches!(Challenge::of(&headers), Some(Challenge::Bearer { .. })));
        assert_eq!(Challenge::of(&HeaderMap::new()), None);
    }
}
