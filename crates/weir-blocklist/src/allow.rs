//! Who is never blocked: addresses and networks.

use std::borrow::Cow;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use clap::Args;
use ipnet::{IpNet, Ipv4Net};
use weir_contract::Digest;
use weir_contract::digest::Digester;
use weir_stage::Failure;

use crate::BlocklistParams;

/// Addresses and networks that no output ever names. Asking takes a binary search, however many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    /// First and last address of each range, sorted, apart from each other; IPv4 as IPv4 in IPv6.
    ranges: Vec<(u128, u128)>,
}

/// More that is never blocked, beside what the parameters say; flatten it into the arguments of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct AllowArgs {
    /// Never block these addresses and networks, as in 192.0.2.7 2001:db8::/32
    #[arg(long, num_args = 1.., value_name = "ADDRESS")]
    pub allow: Vec<String>,

    /// Never block what these files list: an address or network per line, # begins a comment
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub allow_file: Vec<PathBuf>,
}

impl AllowArgs {
    /// What is never blocked: of `params` those to allow, one's own and the proxies, and what the arguments add.
    ///
    /// # Errors
    /// Failures of usage that name the parameter, the argument, or file and line, for what is neither address nor
    /// network, and for a file that cannot be read.
    pub fn load(&self, params: &BlocklistParams) -> Result<AllowList, Failure> {
        let texts = [
            ("blocklist.allow", &params.allow),
            ("blocklist.own", &params.own),
            ("blocklist.trusted_proxies", &params.trusted_proxies),
            ("--allow", &self.allow),
        ];
        let mut networks = Vec::new();
        for (place, texts) in texts {
            networks.extend(parse(place, texts)?);
        }
        for path in &self.allow_file {
            read(path, &mut networks)?;
        }
        Ok(AllowList::new(networks))
    }
}

impl AllowList {
    /// Those networks. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is the same as the IPv4 address.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        let mut ranges: Vec<(u128, u128)> =
            networks.iter().map(|network| (bits(network.network()), bits(network.broadcast()))).collect();
        ranges.sort_unstable();
        ranges.dedup_by(|later, earlier| {
            let touching = later.0 <= earlier.1.saturating_add(1);
            if touching {
                earlier.1 = earlier.1.max(later.1);
            }
            touching
        });
        Self { ranges }
    }

    /// Whether `address` is allowed.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = bits(address);
        let after = self.ranges.partition_point(|range| range.0 <= address);
        after.checked_sub(1).is_some_and(|at| address <= self.ranges[at].1)
    }

    /// SHA-256 over the ranges: it stands for the list where its addresses must not be named.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut digester = Digester::default();
        for (first, last) in &self.ranges {
            digester.update(&first.to_be_bytes());
            digester.update(&last.to_be_bytes());
        }
        digester.finish()
    }

    /// `text`, which a client or a stranger wrote, with `[allowed]` in place of every address that is.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let six = self.redact_words(text, |c| c.is_ascii_hexdigit() || c == ':' || c == '.');
        match six {
            // What is left of `10.0.0.1:8080` or `abc.10.0.0.1` after the first pass.
            Cow::Borrowed(text) => self.redact_words(text, |c| c.is_ascii_digit() || c == '.'),
            Cow::Owned(text) => Cow::Owned(self.redact_words(&text, |c| c.is_ascii_digit() || c == '.').into_owned()),
        }
    }

    /// As [`AllowList::redact`], for the addresses among the longest runs of characters that `belongs` takes.
    fn redact_words<'a>(&self, text: &'a str, belongs: impl Fn(char) -> bool) -> Cow<'a, str> {
        let mut redacted = String::new();
        let mut copied = 0;
        let mut rest = 0;
        while let Some(start) = text[rest..].find(&belongs).map(|at| rest + at) {
            let end = text[start..].find(|c| !belongs(c)).map_or(text.len(), |at| start + at);
            let word = text[start..end].trim_matches('.');
            // Punctuation, where it is not the `::` of the address.
            let word = word.strip_suffix(':').filter(|word| !word.ends_with(':')).unwrap_or(word);
            let word = word.strip_prefix(':').filter(|word| !word.starts_with(':')).unwrap_or(word);
            if word.parse().is_ok_and(|address| self.contains(address)) {
                redacted += &text[copied..start];
                redacted += "[allowed]";
                copied = end;
            }
            rest = end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        Cow::Owned(redacted + &text[copied..])
    }
}

/// An address as a number: IPv4 as IPv4 in IPv6.
fn bits(address: IpAddr) -> u128 {
    let six: Ipv6Addr = match address {
        IpAddr::V4(four) => Ipv4Addr::to_ipv6_mapped(&four),
        IpAddr::V6(six) => six,
    };
    six.to_bits()
}

/// The addresses and networks that `texts` of the parameter or argument `place` are.
///
/// # Errors
/// Failures of usage that name `place` and the text, for what is neither.
pub fn parse(place: &str, texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    texts.iter().map(|text| network(text).map_err(|failure| failure.context(place))).collect()
}

/// Adds the addresses and networks that the file at `path` lists.
fn read(path: &Path, networks: &mut Vec<IpNet>) -> Result<(), Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("failed to read addresses to allow from {}: {error}", path.display()))
    })?;
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let listed = line.split('#').next().unwrap_or_default().trim();
        if !listed.is_empty() {
            networks.push(network(listed).map_err(|failure| failure.context(format!("{}:{number}", path.display())))?);
        }
    }
    Ok(())
}

/// `192.0.2.7`, `192.0.2.0/24`, `2001:db8::1`, `2001:db8::/32`; what is beyond the prefix does not count.
fn network(text: &str) -> Result<IpNet, Failure> {
    let text = text.trim();
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address).map(unmapped).ok_or_else(|| {
        Failure::usage(format!("expected an address or a network such as 192.0.2.0/24, received {text}"))
    })
}

/// A network of IPv4 addresses inside IPv6 as the network of IPv4 that it is.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return network };
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    four.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(networks: &[&str]) -> AllowList {
        AllowList::new(networks.iter().map(|text| network(text).unwrap()).collect())
    }

    fn contains(list: &AllowList, address: &str) -> bool {
        list.contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_allows_its_first_and_last_address_and_no_other() {
        let list = list(&["192.0.2.128/25", "198.51.100.7", "2001:db8::/64", "::ffff:203.0.113.0/120"]);
        for allowed in ["192.0.2.128", "192.0.2.255", "198.51.100.7", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"] {
            assert!(contains(&list, allowed), "{allowed}");
        }
        for other in ["192.0.2.127", "192.0.3.0", "198.51.100.6", "198.51.100.8", "2001:db8:0:1::", "0.0.0.0"] {
            assert!(!contains(&list, other), "{other}");
        }
        assert!(contains(&list, "203.0.113.9") && contains(&list, "::ffff:192.0.2.200"), "IPv4 in IPv6 is IPv4");
        assert!(!contains(&AllowList::default(), "192.0.2.1"));
    }

    #[test]
    fn a_prefix_of_none_allows_everybody_of_its_family() {
        assert!(contains(&list(&["0.0.0.0/0"]), "255.255.255.255") && !contains(&list(&["0.0.0.0/0"]), "2001:db8::1"));
        assert!(contains(&list(&["::/0"]), "ffff::") && contains(&list(&["::/0"]), "192.0.2.1"));
    }

    #[test]
    fn a_file_lists_networks_and_a_wrong_line_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let args = |allow: &str| AllowArgs { allow: vec![allow.to_owned()], allow_file: vec![file.path().to_owned()] };
        let params = BlocklistParams { own: vec!["10.0.0.0/8".to_owned()], ..BlocklistParams::default() };
        fs::write(file.path(), "\u{feff}# our monitoring\r\n192.0.2.7\t# until May\r\n\r\n2001:db8::/32\r\n").unwrap();
        let all = list(&["198.51.100.1", "192.0.2.7", "2001:db8::/32", "10.0.0.0/8"]);
        assert_eq!(args("198.51.100.1").load(&params).unwrap(), all);

        fs::write(file.path(), "192.0.2.7\n192.0.2.7/33\n").unwrap();
        let failure = args("198.51.100.1").load(&params).unwrap_err();
        let expected = "expected an address or a network such as 192.0.2.0/24, received";
        assert_eq!(failure.message, format!("{}:2: {expected} 192.0.2.7/33", file.path().display()));
        assert_eq!(args("me").load(&params).unwrap_err().message, format!("--allow: {expected} me"));
        let params = BlocklistParams { trusted_proxies: vec!["proxy".to_owned()], ..params };
        let failure = args("::1").load(&params).unwrap_err();
        assert_eq!(failure.message, format!("blocklist.trusted_proxies: {expected} proxy"));
    }

    #[test]
    fn texts_of_strangers_do_not_show_an_allowed_address() {
        let list = list(&["10.0.0.1", "2001:db8::1"]);
        for (text, shown) in [
            ("/?from=10.0.0.1&to=10.0.0.12", "/?from=[allowed]&to=10.0.0.12"),
            ("http://10.0.0.1:8080/ and abc.10.0.0.1.", "http://[allowed]:8080/ and abc[allowed]"),
            ("[2001:DB8:0::1] ::ffff:10.0.0.1", "[[allowed]] [allowed]"),
            ("ip:2001:db8::1 :10.0.0.1", "ip[allowed] [allowed]"),
            ("2001:db8::1: no é10.0.0.1é", "[allowed] no é[allowed]é"),
            ("110.0.0.1 10.0.0.1.2", "110.0.0.1 10.0.0.1.2"),
        ] {
            assert_eq!(list.redact(text), shown);
        }
    }

    proptest! {
        #[test]
        fn merged_ranges_contain_what_any_of_the_networks_does(
            networks in prop::collection::vec((any::<u32>(), 0..=32u8, any::<bool>()), 0..12),
            address in any::<u32>(),
            near in any::<bool>(),
        ) {
            let nets: Vec<IpNet> = networks
                .iter()
                .map(|&(bits, prefix, six)| match six {
                    false => IpNet::new(Ipv4Addr::from_bits(bits).into(), prefix).unwrap(),
                    true => IpNet::new(Ipv6Addr::from_bits(u128::from(bits) << 96).into(), prefix + 32).unwrap(),
                })
                .collect();
            let list = AllowList::new(nets.clone());
            let bits = match networks.first() {
                Some(&(first, ..)) if near => first ^ (address & 3),
                _ => address,
            };
            for address in [IpAddr::from(Ipv4Addr::from_bits(bits)), Ipv6Addr::from_bits(u128::from(bits) << 96).into()] {
                prop_assert_eq!(list.contains(address), nets.iter().any(|network| network.contains(&address)), "{}", address);
            }
        }
    }
}
