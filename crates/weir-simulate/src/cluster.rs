//! Who lives where: nodes, pods, clients and attackers.
//!
//! Clients use the documentation ranges (RFC 5737, RFC 3849) and 198.18.0.0/15 (RFC 2544), which belong to
//! nobody; nodes and pods use private ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::random::Random;

/// Nodes of the cluster, the first is the control plane.
pub(crate) const NODES: [u8; 6] = [10, 11, 12, 13, 14, 15];
/// NodePort of the guestbook.
pub(crate) const GUESTBOOK_NODE_PORT: u16 = 31_301;
/// NodePort of the blog.
pub(crate) const BLOG_NODE_PORT: u16 = 30_080;

pub(crate) const GUESTBOOK: [IpAddr; 3] = [pod(1, 11), pod(2, 12), pod(3, 13)];
pub(crate) const REDIS: [IpAddr; 3] = [pod(2, 21), pod(3, 22), pod(4, 23)];
pub(crate) const BLOG: [IpAddr; 2] = [pod(1, 31), pod(4, 32)];
pub(crate) const MYSQL: IpAddr = pod(5, 41);
pub(crate) const POSTGRES: IpAddr = pod(3, 51);
pub(crate) const ORDERS: [IpAddr; 3] = [pod(2, 61), pod(3, 62), pod(5, 63)];
pub(crate) const DNS: [IpAddr; 2] = [pod(1, 2), pod(2, 2)];
pub(crate) const TEST_RUNNERS: [IpAddr; 2] = [pod(4, 81), pod(5, 82)];
pub(crate) const TEST_GRID: IpAddr = pod(4, 80);

/// The blog pod that the attackers have taken over. It goes on serving the blog.
pub(crate) const COMPROMISED: IpAddr = BLOG[1];
/// The office laptop that the attackers have taken over. Its owner goes on working.
pub(crate) const COMPROMISED_LAPTOP: IpAddr = office(9);
/// The address behind which an administrator and one of the attackers share a mobile network.
pub(crate) const SHARED_NAT: IpAddr = mobile(7);

/// A pod of a node.
pub(crate) const fn pod(node: u8, host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 244, node, host))
}

/// A node by its last octet.
pub(crate) const fn node(host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 168, 84, host))
}

/// A desk in the administrators' office.
pub(crate) const fn office(host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 168, 10, host))
}

/// A household.
pub(crate) const fn residential(host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, host))
}

/// An address translator of a mobile network; the first 40 serve users, those from 200 are a data centre.
pub(crate) const fn mobile(host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, host))
}

/// Rented machines: crawlers, monitoring services, and most of the attackers.
pub(crate) const fn hosting(host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, host))
}

/// Clients that come with drift.
pub(crate) const fn newcomer(network: u8, host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(198, 18, network, host))
}

/// A pod or node in the IPv6 network of the cluster.
pub(crate) const fn pod_v6(node: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x10, 0x244, node, 0, 0, 0, host))
}

/// A client with IPv6.
pub(crate) const fn client_v6(network: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x1, network, 0, 0, 0, host))
}

/// Any node that runs pods.
pub(crate) fn worker(random: &mut Random) -> IpAddr {
    node(random.pick(&NODES[1..]))
}

/// The same over IPv6.
pub(crate) fn worker_v6(random: &mut Random) -> IpAddr {
    pod_v6(random.within(1, 5) as u16, 0x10)
}

/// Any pod that serves something.
pub(crate) fn any_pod(random: &mut Random) -> IpAddr {
    const PODS: [IpAddr; 14] = [
        GUESTBOOK[0],
        GUESTBOOK[1],
        GUESTBOOK[2],
        REDIS[0],
        REDIS[1],
        REDIS[2],
        BLOG[0],
        BLOG[1],
        MYSQL,
        POSTGRES,
        ORDERS[0],
        ORDERS[1],
        ORDERS[2],
        TEST_GRID,
    ];
    random.pick(&PODS)
}

/// A user of the web applications. With `drift` up to half of them come from new subnets.
pub(crate) fn web_client(random: &mut Random, drift: f64) -> IpAddr {
    if random.chance(0.5 * drift) {
        return newcomer(random.below(4) as u8, random.within(1, 254) as u8);
    }
    match random.below(100) {
        0..56 => residential(random.within(2, 250) as u8),
        56..88 => mobile(random.within(1, 40) as u8),
        88..93 => hosting(random.within(1, 120) as u8),
        _ => client_v6(random.within(1, 6) as u16, random.within(1, 90) as u16),
    }
}

/// An administrator, at a desk or on the road.
pub(crate) fn administrator(random: &mut Random, drift: f64) -> IpAddr {
    if random.chance(0.3 * drift) {
        return newcomer(9, random.within(1, 20) as u8);
    }
    match random.below(100) {
        0..75 => office(random.within(5, 12) as u8),
        75..90 => SHARED_NAT,
        _ => residential(random.within(20, 24) as u8),
    }
}

/// Source port of a Linux machine (the kernel's default range).
pub(crate) fn linux_port(random: &mut Random) -> u16 {
    random.within(32_768, 60_999) as u16
}

/// Source port behind an address translator, which uses them all.
pub(crate) fn translated_port(random: &mut Random) -> u16 {
    random.within(1_024, 65_535) as u16
}
