//! Words: ids, truth values, transports, labels.

use weir_contract::flow::{Label, Transport};

use crate::table::Expected;

/// Any text, null when empty.
#[inline]
pub(crate) fn text(text: &[u8]) -> Result<Option<&str>, Expected> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains(&0) {
        return Err("text without NUL bytes");
    }
    std::str::from_utf8(text).map(Some).map_err(|_| "UTF-8 text")
}

/// The name of an attack; `benign` is none.
#[inline]
pub(crate) fn attack(name: &[u8]) -> Result<Option<&str>, Expected> {
    Ok(text(name)?.filter(|name| !name.eq_ignore_ascii_case("benign")))
}

/// A truth value, null when empty.
#[inline]
pub(crate) fn boolean(text: &[u8]) -> Result<Option<bool>, Expected> {
    match text {
        b"True" | b"true" | b"1" => Ok(Some(true)),
        b"False" | b"false" | b"0" => Ok(Some(false)),
        b"" => Ok(None),
        _ => match trimmed_lowercase(text).as_slice() {
            b"true" | b"1" | b"1.0" => Ok(Some(true)),
            b"false" | b"0" | b"0.0" => Ok(Some(false)),
            _ => Err("True, False, 1, 0 or nothing"),
        },
    }
}

/// A label, null when empty.
#[inline]
pub(crate) fn label(text: &[u8]) -> Result<Option<Label>, Expected> {
    match text {
        b"benign" | b"0" => Ok(Some(Label::Benign)),
        b"malicious" | b"1" => Ok(Some(Label::Malicious)),
        b"" => Ok(None),
        _ => match trimmed_lowercase(text).as_slice() {
            b"benign" | b"0" | b"0.0" => Ok(Some(Label::Benign)),
            b"malicious" | b"1" | b"1.0" => Ok(Some(Label::Malicious)),
            _ => Err("benign, malicious, 0, 1 or nothing"),
        },
    }
}

/// A transport by IANA name or IP protocol number; empty is what Packetbeat writes for IP in IP.
#[inline]
pub(crate) fn transport(text: &[u8]) -> Result<Transport, Expected> {
    match text {
        b"tcp" => Ok(Transport::Tcp),
        b"udp" => Ok(Transport::Udp),
        b"icmp" => Ok(Transport::Icmp),
        b"ipv6-icmp" => Ok(Transport::Icmp6),
        b"" => Ok(Transport::Other),
        b"6" | b"TCP" => Ok(Transport::Tcp),
        b"17" | b"UDP" => Ok(Transport::Udp),
        b"1" | b"ICMP" => Ok(Transport::Icmp),
        _ => other_transport(&trimmed_lowercase(text)),
    }
}

/// A transport by number or by whatever name a tool gives it: what is neither TCP, UDP nor ICMP is `other`.
#[inline]
pub(crate) fn any_transport(text: &[u8]) -> Result<Transport, Expected> {
    let is_name = |text: &[u8]| text.len() <= 32 && text.iter().all(u8::is_ascii_graphic);
    match transport(text) {
        Err(_) if text.iter().any(u8::is_ascii_alphabetic) && is_name(text) => Ok(Transport::Other),
        read => read,
    }
}

#[cold]
fn other_transport(name: &[u8]) -> Result<Transport, Expected> {
    /// Names of the IANA registry "Assigned Internet Protocol Numbers" seen in flow exports, and usual variants.
    const OTHER: [&str; 32] = [
        "ah",
        "dccp",
        "egp",
        "eigrp",
        "esp",
        "etherip",
        "ggp",
        "gre",
        "hopopt",
        "igmp",
        "igp",
        "ip-in-ip",
        "ipcomp",
        "ipencap",
        "ipip",
        "ipv4",
        "ipv6",
        "ipv6-frag",
        "ipv6-nonxt",
        "ipv6-opts",
        "ipv6-route",
        "l2tp",
        "mpls-in-ip",
        "ospf",
        "ospfigp",
        "pim",
        "rdp",
        "rsvp",
        "sctp",
        "udplite",
        "vrrp",
        "other",
    ];
    match name {
        b"tcp" => return Ok(Transport::Tcp),
        b"udp" => return Ok(Transport::Udp),
        b"icmp" => return Ok(Transport::Icmp),
        b"ipv6-icmp" | b"icmp6" | b"icmpv6" => return Ok(Transport::Icmp6),
        b"" => return Ok(Transport::Other),
        _ => {}
    }
    let name = std::str::from_utf8(name).unwrap_or_default();
    if OTHER.contains(&name) {
        return Ok(Transport::Other);
    }
    name.strip_suffix(".0")
        .unwrap_or(name)
        .parse()
        .map(Transport::from_protocol)
        .map_err(|_| "tcp, udp, icmp, ipv6-icmp, another IP protocol's name or number, or nothing")
}

fn trimmed_lowercase(text: &[u8]) -> Vec<u8> {
    text.trim_ascii().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_by_name_and_number() {
        for (text, expected) in [
            ("tcp", Transport::Tcp),
            ("TCP", Transport::Tcp),
            (" udp", Transport::Udp),
            ("icmp", Transport::Icmp),
            ("ipv6-icmp", Transport::Icmp6),
            ("icmp6", Transport::Icmp6),
            ("", Transport::Other),
            ("gre", Transport::Other),
            ("6", Transport::Tcp),
            ("17.0", Transport::Udp),
            ("4", Transport::Other),
        ] {
            assert_eq!(transport(text.as_bytes()), Ok(expected), "{text}");
        }
        for text in ["tpc", "256", "-1", "6.5"] {
            assert!(transport(text.as_bytes()).is_err(), "{text}");
        }
        for (text, expected) in [("TCP", Transport::Tcp), ("ICMP6", Transport::Icmp6), ("BR-SM", Transport::Other)] {
            assert_eq!(any_transport(text.as_bytes()), Ok(expected), "{text}");
        }
        for text in ["256", "-1", "6.5", "two words", "a-name-of-more-than-thirty-two-bytes"] {
            assert!(any_transport(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn truth_values_and_labels_in_any_case() {
        for text in ["True", "true", "TRUE", "1", "1.0"] {
            assert_eq!(boolean(text.as_bytes()), Ok(Some(true)), "{text}");
        }
        for text in ["False", "false", "FALSE", "0", "0.0"] {
            assert_eq!(boolean(text.as_bytes()), Ok(Some(false)), "{text}");
        }
        for text in ["malicious", "Malicious", "1", "1.0"] {
            assert_eq!(label(text.as_bytes()), Ok(Some(Label::Malicious)), "{text}");
        }
        assert_eq!(label(b"Benign"), Ok(Some(Label::Benign)));
        assert_eq!(attack(b"Benign"), Ok(None));
        assert!(boolean(b"2").is_err());
        assert!(label(b"attack").is_err());
    }
}
