//! ipset with iptables: two sets, and a rule for each that drops whoever is in it.

use std::net::IpAddr;

use weir_contract::blocklist::Block;

use super::program::{self, Output};
use super::{EnforceError, Enforcer};
use crate::out::{FOUR, SIX, Set, ipset_sets};

const IPSET: &str = "ipset";

/// Keeps addresses out by the sets `weir4` and `weir6` and a rule in the table `raw` of iptables and ip6tables. The rule
/// is there only while there is somebody of its family to keep out; other rules and sets are not touched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ipset;

/// Program and set of an address family.
#[derive(Clone, Copy)]
struct Family {
    tables: &'static str,
    set: Set,
    holds: fn(&IpAddr) -> bool,
}

const FAMILIES: [Family; 2] = [
    Family { tables: "iptables", set: FOUR, holds: IpAddr::is_ipv4 },
    Family { tables: "ip6tables", set: SIX, holds: IpAddr::is_ipv6 },
];

impl Enforcer for Ipset {
    fn name(&self) -> &str {
        "ipset"
    }

    fn current(&mut self, now: i64) -> Result<Vec<Block>, EnforceError> {
        let mut blocks = Vec::new();
        for family in FAMILIES {
            let Some(saved) = family.saved()? else { continue };
            let members = read(&saved, family.set.0, now)?;
            if !members.is_empty() && family.has_rule()? {
                blocks.extend(members);
            }
        }
        Ok(blocks)
    }

    fn replace(&mut self, blocks: &[Block], now: i64) -> Result<(), EnforceError> {
        // A family without anybody is left alone: a host may not have it, or not the program for it.
        let (needed, empty): (Vec<Family>, Vec<Family>) =
            FAMILIES.into_iter().partition(|family| blocks.iter().any(|block| (family.holds)(&block.address)));
        if !needed.is_empty() {
            let sets: Vec<Set> = needed.iter().map(|family| family.set).collect();
            program::run(IPSET, &["restore"], &ipset_sets(&sets, blocks, now))?.success()?;
        }
        needed.into_iter().try_for_each(Family::add_rule)?;
        empty.into_iter().try_for_each(Family::remove)
    }
}

impl Family {
    /// What `ipset save` says of the set; `None` without one.
    fn saved(self) -> Result<Option<String>, EnforceError> {
        let (set, family) = self.set;
        let output = program::run(IPSET, &["save", set], "")?;
        if !output.succeeded() && output.stderr.contains("does not exist") {
            return Ok(None);
        }
        let saved = output.success()?;
        match stranger(&saved, set, family) {
            None => Ok(Some(saved)),
            Some(reason) => Err(EnforceError::Foreign { what: format!("the set {set}"), reason }),
        }
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

    /// Takes rule and set away, where the set is there.
    fn remove(self) -> Result<(), EnforceError> {
        // Where no rule refers to the set this is all, and asks nothing of a program that the host may not have.
        if self.saved()?.is_none() || self.destroy()?.succeeded() {
            return Ok(());
        }
        while self.has_rule()? {
            self.rule("-D")?.success()?;
        }
        self.destroy()?.success().map(drop)
    }

    fn destroy(self) -> Result<Output, EnforceError> {
        program::run(IPSET, &["destroy", self.set.0], "")
    }

    fn rule(self, action: &str) -> Result<Output, EnforceError> {
        // -w waits for others that change the tables.
        let rule = [
            "-w",
            "10",
            "-t",
            "raw",
            action,
            "PREROUTING",
            "-m",
            "set",
            "--match-set",
            self.set.0,
            "src",
            "-j",
            "DROP",
        ];
        program::run(self.tables, &rule, "")
    }
}

/// What makes a set of our name somebody else's, by what `ipset save` says: `create weir4 hash:ip family inet hashsize
/// 1024 maxelem 1048576 timeout 0`, and then its members.
fn stranger(saved: &str, set: &str, family: &str) -> Option<String> {
    let created = saved.lines().find_map(|line| line.strip_prefix("create ")?.strip_prefix(set)?.strip_prefix(' '));
    let created = created.unwrap_or_default();
    let words: Vec<&str> = created.split_whitespace().collect();
    let is_alike = words.starts_with(&["hash:ip", "family", family])
        && words.windows(2).any(|pair| pair == ["timeout", "0"])
        && !["netmask", "bitmask", "counters", "comment", "skbinfo"].iter().any(|option| words.contains(option));
    (!is_alike).then(|| format!("it is a set of {created}, not of hash:ip family {family} timeout 0"))
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

    #[test]
    fn a_set_of_another_kind_is_somebody_elses() {
        let ours =
            "create weir4 hash:ip family inet hashsize 1024 maxelem 1048576 timeout 0 bucketsize 12 initval 0x7\n";
        assert_eq!(stranger(ours, "weir4", "inet"), None);
        let net = "create weir4 hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x7\n";
        assert!(stranger(net, "weir4", "inet").unwrap().starts_with("it is a set of hash:net family inet"));
        for (one, other) in
            [(" timeout 0", ""), ("timeout 0", "timeout 60"), ("inet", "inet6"), ("maxelem", "netmask 24 maxelem")]
        {
            assert!(stranger(&ours.replace(one, other), "weir4", "inet").is_some(), "{other}");
        }
    }
}
