//! What of the decisions a bouncer asks for.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

use crate::out::{BAN, ORIGIN, SCENARIO, SCOPE};

/// A query string, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// Whether the bouncer starts.
    pub(super) startup: bool,
    /// Whether our decisions are of the scope, type, origin and scenario asked for; all of them are of the same.
    ours: bool,
    wanted: Wanted,
}

/// Whose decisions are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Everybody,
    Nobody,
    One(IpAddr),
    /// Addresses inside of a network.
    Within(IpNet),
    /// Decisions about all of a network; ours are about one address.
    All(IpNet),
}

impl Filter {
    /// Reads `query`, without its question mark. What is not known is passed over.
    ///
    /// # Errors
    /// What is wrong with an address or a network.
    pub(super) fn parse(query: &str) -> Result<Self, String> {
        // Only a whole URL can be taken apart.
        let url = Url::parse(&format!("http://localhost/?{query}")).map_err(|error| error.to_string())?;
        let mut filter = Self { startup: false, ours: true, wanted: Wanted::Everybody };
        let mut contains = true;
        let mut range = None;
        for (name, value) in url.query_pairs() {
            let any = |matches: &dyn Fn(&str) -> bool| value.split(',').any(|word| matches(word.trim()));
            let is = |known: &'static str| move |word: &str| word.eq_ignore_ascii_case(known);
            let scenario = |word: &str| !word.is_empty() && SCENARIO.contains(word);
            match name.as_ref() {
                "startup" => filter.startup = value == "true",
                "contains" => contains = value != "false",
                "ip" | "value" => filter.wanted = one(&value)?,
                "range" => range = Some(network(&value)?),
                "scope" | "scopes" => filter.ours &= any(&is(SCOPE)),
                "type" => filter.ours &= any(&is(BAN)),
                "origins" => filter.ours &= any(&is(ORIGIN)),
                "scenarios_containing" => filter.ours &= any(&scenario),
                "scenarios_not_containing" => filter.ours &= !any(&scenario),
                _ => {}
            }
        }
        if let Some(network) = range {
            filter.wanted = if contains { Wanted::All(network) } else { Wanted::Within(network) };
        }
        Ok(filter)
    }

    /// Whether the decision about `address` is asked for.
    pub(super) fn takes(&self, address: IpAddr) -> bool {
        self.ours
            && match self.wanted {
                Wanted::Everybody => true,
                Wanted::Nobody => false,
                Wanted::One(wanted) => wanted == address,
                Wanted::Within(network) => network.contains(&address),
                Wanted::All(network) => IpNet::from(address) == network,
            }
    }
}

/// An address; the name of something else, such as of a country, is nobody's.
fn one(text: &str) -> Result<Wanted, String> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(Wanted::One(address.to_canonical())),
        Err(_) if text.contains('/') => network(text).map(Wanted::All),
        Err(_) if text.contains(['.', ':']) => Err(format!("{text} is no address")),
        Err(_) => Ok(Wanted::Nobody),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(address).ok_or_else(|| format!("{text} is no network"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(query: &str, address: &str) -> bool {
        Filter::parse(query).unwrap().takes(address.parse().unwrap())
    }

    #[test]
    fn a_filter_takes_what_is_asked_for() {
        for (query, taken) in [
            ("", true),
            ("startup=true&unknown=1", true),
            ("ip=192.0.2.66", true),
            ("ip=::ffff:192.0.2.66", true),
            ("ip=192.0.2.6", false),
            ("scope=ip&value=192.0.2.66", true),
            ("scope=Country&value=DE", false),
            ("value=DE", false),
            ("scopes=ip,range", true),
            ("scopes=range", false),
            ("type=ban", true),
            ("type=captcha", false),
            ("origins=cscli,weir", true),
            ("origins=CAPI", false),
            ("scenarios_containing=ssh,flood", true),
            ("scenarios_containing=ssh", false),
            ("scenarios_not_containing=flood", false),
            ("scenarios_not_containing=ssh", true),
            ("range=192.0.2.66/32", true),
            ("range=192.0.2.0/24", false),
            ("range=192.0.2.0%2F24&contains=false", true),
            ("range=198.51.100.0/24&contains=false", false),
        ] {
            assert_eq!(takes(query, "192.0.2.66"), taken, "{query}");
        }
        assert!(takes("ip=2001:db8::0:1", "2001:db8::1"));
        assert!(Filter::parse("startup=true").unwrap().startup && !Filter::parse("startup=false").unwrap().startup);
    }

    #[test]
    fn what_is_no_address_is_said() {
        assert_eq!(Filter::parse("ip=192.0.2").unwrap_err(), "192.0.2 is no address");
        assert_eq!(Filter::parse("range=x").unwrap_err(), "x is no network");
    }
}
