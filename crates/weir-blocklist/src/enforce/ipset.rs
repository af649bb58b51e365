//! ipset with iptables: two sets, and a rule for each that drops whoever is in it.

use std::net::IpAddr;

use weir_contract::blocklist::Block;

use super::program;
use super::{EnforceError, Enforcer};
use crate::out;

const IPSET: &str = "ipset";

/// Keeps addresses out by the sets `weir4` and `weir6` and a rule in the table `raw` of iptables and ip6tables. The rule
/// is there only while there is somebody of its family to keep out; other rules and sets are not touched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ipset;

/// Program and set of an address family.
#[derive(Clone, Copy)]
struct Family {
    tables: &'static str,
    set: &'static str,
    holds: fn(&IpAddr) -> bool,
}

const FAMILIES: [Family; 2] = [
    Family { tables: "iptables", set: "weir4", holds: IpAddr::is_ipv4 },
    Family { tables: "ip6tables", set: "weir6", holds: IpAddr::is_ipv6 },
];

impl Enforcer for Ipset {
    fn name(&self) -> &str {
        "ipset"
    }

    fn current(&mut self, now: i64) -> Result<Vec<Block>, EnforceError> {
        let mut blocks = Vec::new();
        for family in FAMILIES {
            let Some(members) = family.members()? else { continue };
            if family.has_rule()? {
                blocks.extend(read(&members, family.set, now)?);
            }
        }
        Ok(blocks)
    }

    fn replace(&mut self, blocks: &[Block], now: i64) -> Result<(), EnforceError> {
        if !blocks.is_empty() {
            program::run(IPSET, &["restore"], &out::ipset(blocks, now))?.success()?;
        }
        for family in FAMILIES {
            if blocks.iter().any(|block| (family.holds)(&block.address)) {
                family.add_rule()?;
            } else {
                family.remove()?;
            }
        }
        Ok(())
    }
}

impl Family {
    /// What `ipset save` says of the set; `None` without one.
    fn members(self) -> Result<Option<String>, EnforceError> {
        let output = program::run(IPSET, &["save", self.set], "")?;
        if !output.succeeded() && output.stderr.contains("does not exist") {
            return Ok(None);
        }
        output.success().map(Some)
    }

    fn has_rule(self) -> Result<bool, EnforceError> {
        let output = self.rule("-C")?;
        // iptables(8): 1 is a rule that is not there, with legacy tables as with nf_tables.
        if output.succeeded() {
            return Ok(true);
        }
        let absent = ["Bad rule", "No chain/target/match", "does not exist"];
        if absent.iter().any(|text| output.stderr.contains(text)) { Ok(false) } else { Err(output.error()) }
    }

    fn add_rule(self) -> Result<(), EnforceError> {
        if self.has_rule()? { Ok(()) } else { self.rule("-I")?.success().map(drop) }
    }

    /// Takes rule and set away.
    fn remove(self) -> Result<(), EnforceError> {
        if self.members()?.is_none() {
            return Ok(());
        }
        while self.has_rule()? {
            self.rule("-D")?.success()?;
        }
        program::run(IPSET, &["destroy", self.set], "")?.success().map(drop)
    }

    fn rule(self, action: &str) -> Result<program::Output, EnforceError> {
        let Self { tables, set, .. } = self;
        // -w waits for others that change the tables.
        let rule =
            ["-w", "10", "-t", "raw", action, "PREROUTING", "-m", "set", "--match-set", set, "src", "-j", "DROP"];
        program::run(tables, &rule, "")
    }
}

/// The lines `add weir4 192.0.2.1 timeout 59` of `ipset save`; 0, or no time at all, never ends.
fn read(saved: &str, set: &str, now: i64) -> Result<Vec<Block>, EnforceError> {
    let elements = saved.lines().filter_map(|line| line.strip_prefix("add ")?.strip_prefix(set)?.strip_prefix(' '));
    elements
        .map(|element| {
            let mut words = element.split_whitespace();
            let address = words.next().and_then(|word| word.parse().ok());
            let seconds = words.skip_while(|word| *word != "timeout").nth(1).map_or(Some(0), |word| word.parse().ok());
            let (Some(address), Some(seconds)) = (address, seconds) else {
                return Err(EnforceError::Answer { program: IPSET, reason: format!("{element:?} is no address") });
            };
            Ok(Block { address, until: if seconds == 0 { i64::MAX } else { now.saturating_add(seconds) } })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_set_is_read_with_its_times() {
        let saved = "create weir4 hash:ip family inet hashsize 1024 maxelem 1048576 timeout 0\n\
                     add weir4 192.0.2.1 timeout 59\nadd weir4 192.0.2.2 timeout 0\n";
        let blocks = read(saved, "weir4", 1_000).unwrap();
        let expected = [("192.0.2.1", 1_059), ("192.0.2.2", i64::MAX)];
        let expected = expected.map(|(address, until)| Block { address: address.parse().unwrap(), until });
        assert_eq!(blocks, expected);
        assert!(read("add weir4 nobody timeout 5\n", "weir4", 0).is_err());
    }
}
