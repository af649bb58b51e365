//! What an access log says of its clients.

use std::net::IpAddr;

use weir_contract::blocklist::{Evidence, LogSummary};

/// Everything that was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Lines, sources, the timeline.
    pub log: LogSummary,
    /// The clients in the order of their addresses (IPv4 first; IPv4 in IPv6 is IPv4).
    pub clients: Vec<Client>,
}

/// A client.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// What it did; `share` is of all requests counted.
    pub evidence: Evidence,
}
