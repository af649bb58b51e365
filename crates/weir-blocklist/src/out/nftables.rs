//! A file for `nft -f`.

use std::fmt::Write;
use std::net::IpAddr;

use weir_contract::blocklist::Block;

/// What `nft -f` reads to keep out `blocks`, and nobody else: the table `inet weir` as a whole, in one transaction, in
/// the place of an earlier one. It drops before connections are tracked, and touches no other table.
///
/// Every element ends by itself after `until - now` seconds, one at least.
#[must_use]
pub fn nftables(blocks: &[Block], now: i64) -> String {
    let (four, six): (Vec<&Block>, Vec<&Block>) = blocks.iter().partition(|block| block.address.is_ipv4());
    let mut text = String::from("# Deleting what is not there would fail, so the table is added first.\n");
    text += "add table inet weir\ndelete table inet weir\n\ntable inet weir {\n";
    text += &set("blocked4", "ipv4_addr", &four, now);
    text += &set("blocked6", "ipv6_addr", &six, now);
    text += "\tchain drop_blocked {\n\t\ttype filter hook prerouting priority raw; policy accept;\n";
    text += "\t\tip saddr @blocked4 drop\n\t\tip6 saddr @blocked6 drop\n\t}\n}\n";
    text
}

fn set(name: &str, kind: &str, blocks: &[&Block], now: i64) -> String {
    let mut text = format!("\tset {name} {{\n\t\ttype {kind}\n\t\tflags timeout\n");
    for (i, Block { address, until }) in blocks.iter().enumerate() {
        let (start, end) =
            (if i == 0 { "\t\telements = {\n" } else { "" }, if i + 1 == blocks.len() { "" } else { "," });
        let _ = writeln!(text, "{start}\t\t\t{} timeout {}s{end}", plain(*address), (until - now).max(1));
    }
    if !blocks.is_empty() {
        text += "\t\t}\n";
    }
    text + "\t}\n\n"
}

/// `::ffff:192.0.2.1` as `::ffff:c000:201`, which every version of nft reads.
fn plain(address: IpAddr) -> String {
    match address {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_some() => {
            let [.., a, b] = six.segments();
            format!("::ffff:{a:x}:{b:x}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_replaced_as_a_whole() {
        let blocks = [
            Block { address: "192.0.2.1".parse().unwrap(), until: 1_060 },
            Block { address: "198.51.100.7".parse().unwrap(), until: 990 },
            Block { address: "2001:db8::1".parse().unwrap(), until: 4_600 },
        ];
        let expected = "\
# Deleting what is not there would fail, so the table is added first.
add table inet weir
delete table inet weir

table inet weir {
\tset blocked4 {
\t\ttype ipv4_addr
\t\tflags timeout
\t\telements = {
\t\t\t192.0.2.1 timeout 60s,
\t\t\t198.51.100.7 timeout 1s
\t\t}
\t}

\tset blocked6 {
\t\ttype ipv6_addr
\t\tflags timeout
\t\telements = {
\t\t\t2001:db8::1 timeout 3600s
\t\t}
\t}

\tchain drop_blocked {
\t\ttype filter hook prerouting priority raw; policy accept;
\t\tip saddr @blocked4 drop
\t\tip6 saddr @blocked6 drop
\t}
}
";
        assert_eq!(nftables(&blocks, 1_000), expected);
    }

    #[test]
    fn a_set_of_nobody_has_no_elements() {
        assert!(!nftables(&[], 0).contains("elements"));
    }
}
