//! Addresses that are never kept out, whatever a log says: the host would cut off itself, or whoever operates it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::process::parent_id;
use std::path::Path;

use super::EnforceError;
use crate::allow::AllowList;

/// Whom enforcement leaves alone.
#[derive(Debug, Clone, Copy)]
pub struct Exempt<'a> {
    /// Whom the operator allows.
    pub allow: &'a AllowList,
    /// Whom nobody should block.
    pub protected: &'a Protected,
}

impl Exempt<'_> {
    /// Whether `address` is left alone.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.allow.contains(address) || self.protected.why(address).is_some()
    }
}

/// Loopback, the host's own addresses, and where the current session comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protected {
    own: BTreeSet<IpAddr>,
    peer: Option<IpAddr>,
}

impl Protected {
    /// Those addresses beside loopback.
    pub fn new(own: impl IntoIterator<Item = IpAddr>, peer: Option<IpAddr>) -> Self {
        Self { own: own.into_iter().collect(), peer }
    }

    /// The addresses of this host's interfaces, from `/proc/net`, and `peer`.
    ///
    /// # Errors
    /// [`EnforceError::OwnAddresses`] when they cannot be read. A host without IPv6 has none of it.
    pub fn of_host(peer: Option<IpAddr>) -> Result<Self, EnforceError> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|source| EnforceError::OwnAddresses { path: path.to_owned(), source })
        };
        let four = local_v4(&read("/proc/net/fib_trie")?);
        let six = match read("/proc/net/if_inet6") {
            Err(EnforceError::OwnAddresses { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => local_v6(&text?),
        };
        Ok(Self::new(four.into_iter().chain(six), peer))
    }

    /// Why `address` is never blocked, if so.
    #[must_use]
    pub fn why(&self, address: IpAddr) -> Option<&'static str> {
        let address = address.to_canonical();
        let is_broadcast = matches!(address, IpAddr::V4(four) if four.is_broadcast());
        if address.is_loopback() {
            Some("it is a loopback address")
        } else if address.is_unspecified() || address.is_multicast() || is_broadcast {
            Some("it is no address that anybody could come from")
        } else if self.own.contains(&address) {
            Some("it is an address of this host")
        } else if self.peer.is_some_and(|peer| peer.to_canonical() == address) {
            Some("this SSH session comes from it")
        } else {
            None
        }
    }
}

/// Where the SSH session comes from, if it is one: from `variable`, the command's own `SSH_CONNECTION`, or from that of
/// the processes that started it, since sudo takes it away.
#[must_use]
pub fn session_peer(variable: Option<&str>) -> Option<IpAddr> {
    variable.and_then(peer).or_else(|| peer_of_ancestors(Path::new("/proc"), parent_id()))
}

/// `client-address client-port server-address server-port`; sshd(8).
fn peer(connection: &str) -> Option<IpAddr> {
    let address = connection.split_whitespace().next()?;
    // A link-local address brings its interface.
    address.split('%').next()?.parse().ok()
}

fn peer_of_ancestors(proc: &Path, mut pid: u32) -> Option<IpAddr> {
    while pid > 1 {
        let dir = proc.join(pid.to_string());
        let environment = fs::read(dir.join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        if let Some(connection) = variables.find_map(|variable| variable.strip_prefix(b"SSH_CONNECTION=")) {
            return peer(str::from_utf8(connection).ok()?);
        }
        // proc(5): `pid (name) state ppid ...`, and a name may hold anything.
        let stat = fs::read_to_string(dir.join("stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        if parent == pid {
            return None;
        }
        pid = parent;
    }
    None
}

/// The local addresses of `/proc/net/fib_trie`: a line `|-- 192.0.2.1`, then `/32 host LOCAL`.
fn local_v4(trie: &str) -> Vec<IpAddr> {
    let mut last: Option<IpAddr> = None;
    let mut local = Vec::new();
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line == "/32 host LOCAL" {
            local.extend(last);
        }
    }
    local
}

/// The addresses of `/proc/net/if_inet6`: 32 hexadecimal digits at the start of each line.
fn local_v6(text: &str) -> Vec<IpAddr> {
    let digits = text.lines().filter_map(|line| line.split_whitespace().next());
    let bits = digits.filter_map(|digits| u128::from_str_radix(digits, 16).ok());
    bits.map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn own_addresses_are_those_that_the_kernel_calls_local() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.0.2.1\n        \
                    /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n";
        assert_eq!(local_v4(trie), [address("192.0.2.1")]);
        let inet6 =
            "20010db8000000000000000000000001 02 40 00 80 eth0\nfe80000000000000021122fffe334455 02 40 20 80 eth0\n";
        assert_eq!(local_v6(inet6), [address("2001:db8::1"), address("fe80::211:22ff:fe33:4455")]);
    }

    #[test]
    fn nobody_locks_out_the_host_or_oneself() {
        let protected = Protected::new([address("192.0.2.1")], Some(address("198.51.100.7")));
        for text in ["127.0.0.5", "::1", "192.0.2.1", "::ffff:192.0.2.1", "198.51.100.7", "0.0.0.0", "255.255.255.255"]
        {
            assert!(protected.why(address(text)).is_some(), "{text}");
        }
        for text in ["192.0.2.2", "2001:db8::1", "10.0.0.1"] {
            assert_eq!(protected.why(address(text)), None, "{text}");
        }
    }

    #[test]
    fn the_host_of_this_test_has_addresses_that_it_does_not_block() {
        let protected = Protected::of_host(None).unwrap();
        assert!(protected.own.contains(&address("127.0.0.1")), "{protected:?}");
    }

    #[test]
    fn a_session_is_recognised_through_sudo() {
        let proc = tempfile::tempdir().unwrap();
        let process = |pid: u32, parent: u32, environment: &str| {
            let dir = proc.path().join(pid.to_string());
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join("environ"), environment).unwrap();
            fs::write(dir.join("stat"), format!("{pid} (a ) b) S {parent} 1 1")).unwrap();
        };
        process(30, 20, "PATH=/bin\0SUDO_USER=me\0");
        process(20, 1, "SSH_CONNECTION=fe80::7%eth0 5022 fe80::1%eth0 22\0");
        process(40, 1, "PATH=/bin\0");
        assert_eq!(peer_of_ancestors(proc.path(), 30), Some(address("fe80::7")));
        assert_eq!(peer_of_ancestors(proc.path(), 40), None);
        assert_eq!(session_peer(Some("192.0.2.7 5022 192.0.2.1 22")), Some(address("192.0.2.7")));
    }
}
