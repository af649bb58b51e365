//! A file for `ipset restore`.

use std::fmt::Write;

use weir_contract::blocklist::Block;

/// The longest time that ipset gives an element, seconds: nearly 25 days.
pub const LONGEST: i64 = 2_147_483;

/// A set and its family.
pub(crate) type Set = (&'static str, &'static str);

/// The set of IPv4 addresses.
pub(crate) const FOUR: Set = ("weir4", "inet");
/// The set of IPv6 addresses.
pub(crate) const SIX: Set = ("weir6", "inet6");

/// What `ipset restore` reads to have exactly `blocks` in the sets `weir4` and `weir6`. They are filled beside those
/// that a rule looks at and put in their place at the end, so that nothing is open meanwhile, and an error on the way
/// changes neither.
///
/// Every element ends by itself after `until - now` seconds, one at least and [`LONGEST`] at most.
#[must_use]
pub fn ipset(blocks: &[Block], now: i64) -> String {
    ipset_sets(&[FOUR, SIX], blocks, now)
}

/// The same for some of the sets, which are those of all `blocks`.
pub(crate) fn ipset_sets(sets: &[Set], blocks: &[Block], now: i64) -> String {
    let mut text = String::new();
    for (set, family) in sets {
        for name in [(*set).to_owned(), format!("{set}-new")] {
            let _ = writeln!(text, "create {name} hash:ip family {family} maxelem 1048576 timeout 0 -exist");
        }
        let _ = writeln!(text, "flush {set}-new");
    }
    for Block { address, until } in blocks {
        let (set, _) = if address.is_ipv4() { FOUR } else { SIX };
        let _ = writeln!(text, "add {set}-new {address} timeout {}", (until - now).clamp(1, LONGEST));
    }
    for (set, _) in sets {
        let _ = writeln!(text, "swap {set}-new {set}\ndestroy {set}-new");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_filled_beside_those_in_use() {
        let blocks = [
            Block { address: "192.0.2.1".parse().unwrap(), until: 1_060 },
            Block { address: "2001:db8::1".parse().unwrap(), until: i64::MAX },
        ];
        let expected = "\
create weir4 hash:ip family inet maxelem 1048576 timeout 0 -exist
create weir4-new hash:ip family inet maxelem 1048576 timeout 0 -exist
flush weir4-new
create weir6 hash:ip family inet6 maxelem 1048576 timeout 0 -exist
create weir6-new hash:ip family inet6 maxelem 1048576 timeout 0 -exist
flush weir6-new
add weir4-new 192.0.2.1 timeout 60
add weir6-new 2001:db8::1 timeout 2147483
swap weir4-new weir4
destroy weir4-new
swap weir6-new weir6
destroy weir6-new
";
        assert_eq!(ipset(&blocks, 1_000), expected);
    }
}
