//! `blocked_ips.txt`: an address per line, each once.

use std::collections::HashSet;
use std::net::IpAddr;

/// The file with those of `addresses` that it has not yet at its end, and without those to `forget`. Lines that are no
/// address stay as they are; a last line without its end gets one. Addresses are compared whole: `192.0.2.1` is not in
/// `192.0.2.10`.
pub(super) fn update(
    before: &[u8],
    addresses: impl Iterator<Item = IpAddr>,
    forget: impl Fn(IpAddr) -> bool,
) -> Vec<u8> {
    let address = |line: &[u8]| str::from_utf8(line).ok()?.trim().parse::<IpAddr>().ok();
    let mut present = HashSet::new();
    let mut after = Vec::with_capacity(before.len());
    for line in before.split_inclusive(|byte| *byte == b'\n') {
        match address(line) {
            Some(address) if forget(address) || !present.insert(address) => {}
            _ => after.extend_from_slice(line),
        }
    }
    if after.last().is_some_and(|last| *last != b'\n') {
        after.push(b'\n');
    }
    for address in addresses.filter(|address| !forget(*address)) {
        if present.insert(address) {
            after.extend_from_slice(format!("{address}\n").as_bytes());
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updated(before: &str, addresses: &[&str], forget: &str) -> String {
        let forget = forget.parse::<IpAddr>().ok();
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        String::from_utf8(update(before.as_bytes(), addresses, |address| Some(address) == forget)).unwrap()
    }

    #[test]
    fn an_address_is_compared_as_a_whole() {
        assert_eq!(updated("192.0.2.10\n", &["192.0.2.1", "192.0.2.10"], ""), "192.0.2.10\n192.0.2.1\n");
    }

    #[test]
    fn a_line_that_was_torn_gets_its_end() {
        assert_eq!(updated("192.0.2.1\n198.51", &["192.0.2.2"], ""), "192.0.2.1\n198.51\n192.0.2.2\n");
        assert_eq!(updated("192.0.2.1", &["192.0.2.1"], ""), "192.0.2.1\n");
    }

    #[test]
    fn whoever_is_forgotten_is_neither_kept_nor_added() {
        assert_eq!(updated("192.0.2.1\n# kept\n192.0.2.2\n", &["192.0.2.1"], "192.0.2.1"), "# kept\n192.0.2.2\n");
    }

    #[test]
    fn nothing_new_leaves_the_bytes() {
        let file = "192.0.2.1\r\n\n2001:db8::1\n";
        assert_eq!(updated(file, &["2001:db8::1", "192.0.2.1"], ""), file);
        assert_eq!(updated("", &[], ""), "");
    }
}
