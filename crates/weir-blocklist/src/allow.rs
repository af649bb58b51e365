//! Who is never blocked: addresses and networks.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses and networks that no output ever names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    networks: Vec<IpNet>,
}

impl AllowList {
    /// Those networks. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is the same as the IPv4 address.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self { networks }
    }

    /// Whether `address` is allowed.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}
