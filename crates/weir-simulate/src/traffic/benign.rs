//! What the cluster is there for.

use std::net::IpAddr;

use weir_contract::Transport;

use super::{Flow, Volume, blend};
use crate::cluster::{self, BLOG, BLOG_NODE_PORT, DNS, GUESTBOOK, GUESTBOOK_NODE_PORT, MYSQL, ORDERS, POSTGRES, REDIS};
use crate::random::Random;

#[derive(Debug, Clone, Copy)]
enum Service {
    Guestbook,
    GuestbookBackend,
    Blog,
    BlogDatabase,
    Database,
    Dns,
    Ssh,
    Metrics,
    Health,
    Egress,
    ControlPlane,
    TestGrid,
    Icmp,
    IpInIp,
}

/// Every service with its weight among benign flows, before and after drift.
const SERVICES: [(Service, f64, f64); 14] = [
    (Service::Guestbook, 170.0, 90.0),
    (Service::GuestbookBackend, 100.0, 60.0),
    (Service::Blog, 110.0, 210.0),
    (Service::BlogDatabase, 80.0, 150.0),
    (Service::Database, 60.0, 120.0),
    (Service::Dns, 150.0, 90.0),
    (Service::Ssh, 75.0, 40.0),
    (Service::Metrics, 70.0, 110.0),
    (Service::Health, 85.0, 60.0),
    (Service::Egress, 70.0, 120.0),
    (Service::ControlPlane, 25.0, 25.0),
    (Service::TestGrid, 15.0, 30.0),
    (Service::Icmp, 8.0, 8.0),
    (Service::IpInIp, 2.0, 2.0),
];

/// Connections that find nobody listening, in every service over TCP.
const UNANSWERED: f64 = 0.015;

/// Benign traffic.
pub(super) struct Benign {
    weights: [f64; SERVICES.len()],
    larger: f64,
}

impl Benign {
    pub(super) fn new(drift: f64) -> Self {
        Self { weights: SERVICES.map(|(_, before, after)| blend(before, after, drift)), larger: blend(1.0, 2.5, drift) }
    }

    pub(super) fn flow(&self, random: &mut Random, drift: f64) -> Flow {
        let (service, ..) = SERVICES[random.weighted(&self.weights)];
        let (flow, volume) = service.connection(random, drift);
        if flow.transport == Transport::Tcp && random.chance(UNANSWERED) {
            return flow.unanswered(random);
        }
        flow.carrying(random, volume, self.larger)
    }
}

impl Service {
    /// Who talks to whom, and what such a conversation is like.
    fn connection(self, random: &mut Random, drift: f64) -> (Flow, Volume) {
        match self {
            Self::Guestbook => (web(random, drift, GUESTBOOK_NODE_PORT, &GUESTBOOK), page(random)),
            Self::Blog => (web(random, drift, BLOG_NODE_PORT, &BLOG), page(random)),
            Self::GuestbookBackend => {
                let flow = inside(random, &GUESTBOOK, &REDIS, 6379);
                (flow, volume((0.004, 1.4), (620.0, 0.7), 95.0))
            }
            Self::BlogDatabase => (inside(random, &BLOG, &[MYSQL], 3306), volume((0.05, 1.3), (7_000.0, 1.0), 310.0)),
            Self::Database => (inside(random, &ORDERS, &[POSTGRES], 5432), volume((0.4, 2.0), (4_500.0, 1.3), 260.0)),
            Self::Dns => dns(random),
            Self::Ssh => ssh(random, drift),
            Self::Metrics => metrics(random),
            Self::Health => health(random),
            Self::Egress => egress(random, drift),
            Self::ControlPlane => {
                let source = cluster::worker(random);
                let flow = Flow::tcp(source, cluster::linux_port(random), cluster::node(10), 6443);
                (flow, volume((20.0, 1.6), (24_000.0, 1.4), 420.0))
            }
            Self::TestGrid => {
                let source = random.pick(&cluster::TEST_RUNNERS);
                let port = random.pick(&[4444, 4444, 4444, 1337]);
                let flow = Flow::tcp(source, cluster::linux_port(random), cluster::TEST_GRID, port);
                (flow, volume((18.0, 1.4), (11_000.0, 1.2), 240.0))
            }
            Self::Icmp => icmp(random),
            Self::IpInIp => {
                let (source, destination) = (cluster::worker(random), cluster::worker(random));
                let flow = Flow::tcp(source, 0, destination, 0).without_ports(Transport::Other);
                (flow, volume((240.0, 0.8), (180_000.0, 1.2), 240.0))
            }
        }
    }
}

const fn volume(seconds: (f64, f64), bytes: (f64, f64), packet: f64) -> Volume {
    Volume { seconds, bytes, packet }
}

/// A page with its pictures, or the short answer that it has not changed, or a connection kept open.
fn page(random: &mut Random) -> Volume {
    match random.below(100) {
        0..74 => volume((0.12, 1.2), (6_000.0, 1.1), 560.0),
        74..94 => volume((0.035, 0.9), (850.0, 0.45), 150.0),
        _ => volume((25.0, 0.9), (30_000.0, 1.0), 480.0),
    }
}

/// From outside through a NodePort, or from the ingress inside straight to a pod.
fn web(random: &mut Random, drift: f64, node_port: u16, pods: &[IpAddr]) -> Flow {
    let client = cluster::web_client(random, drift);
    let port = cluster::translated_port(random);
    if client.is_ipv6() {
        return Flow::tcp(client, port, cluster::worker_v6(random), node_port);
    }
    if random.chance(0.3) {
        return Flow::tcp(cluster::worker(random), cluster::linux_port(random), random.pick(pods), 80);
    }
    Flow::tcp(client, port, cluster::worker(random), node_port)
}

fn inside(random: &mut Random, from: &[IpAddr], to: &[IpAddr], port: u16) -> Flow {
    Flow::tcp(random.pick(from), cluster::linux_port(random), random.pick(to), port)
}

fn dns(random: &mut Random) -> (Flow, Volume) {
    let source = cluster::any_pod(random);
    let flow = Flow::tcp(source, cluster::linux_port(random), random.pick(&DNS), 53).udp();
    (flow, volume((0.0006, 1.5), (230.0, 0.3), 92.0))
}

/// Somebody at a terminal, a script, or a password mistyped.
fn ssh(random: &mut Random, drift: f64) -> (Flow, Volume) {
    let source = cluster::administrator(random, drift);
    let destination = cluster::node(random.pick(&cluster::NODES));
    let flow = Flow::tcp(source, cluster::translated_port(random), destination, 22);
    let volume = match random.below(100) {
        0..38 => volume((150.0, 1.1), (40_000.0, 1.3), 130.0),
        38..92 => volume((1.6, 0.8), (4_400.0, 0.55), 160.0),
        _ => volume((2.4, 0.4), (2_800.0, 0.2), 140.0),
    };
    (flow, volume)
}

/// The collector asks every node and pod over IPv6.
fn metrics(random: &mut Random) -> (Flow, Volume) {
    let port = random.pick(&[9100, 9100, 9100, 10250, 8080, 9153, 9099]);
    let target = cluster::pod_v6(random.within(1, 5) as u16, random.pick(&[0x1, 0x10, 0x21, 0x31]));
    let flow = Flow::tcp(cluster::pod_v6(5, 0x71), cluster::linux_port(random), target, port);
    (flow, volume((0.09, 0.7), (42_000.0, 0.7), 900.0))
}

/// Nodes ask their pods whether they live: tiny and quick, like a scan.
fn health(random: &mut Random) -> (Flow, Volume) {
    let (source, target) = (cluster::worker(random), cluster::any_pod(random));
    let port = random.pick(&[8500, 8500, 9099, 9099, 8080, 80, 6379, 3306, 5432]);
    let flow = Flow::tcp(source, cluster::linux_port(random), target, port);
    let volume = if random.chance(0.4) {
        volume((0.0003, 0.8), (360.0, 0.25), 68.0)
    } else {
        volume((0.0012, 1.0), (780.0, 0.4), 110.0)
    };
    (flow, volume)
}

/// Pods call services outside: programming interfaces, package mirrors, backups, chat connections.
fn egress(random: &mut Random, drift: f64) -> (Flow, Volume) {
    let source = cluster::any_pod(random);
    let destination = match random.below(100) {
        _ if random.chance(0.4 * drift) => cluster::newcomer(20, random.within(1, 30) as u8),
        0..70 => cluster::mobile(random.within(206, 235) as u8),
        _ => cluster::hosting(random.within(60, 110) as u8),
    };
    let port = random.pick(&[443, 443, 443, 443, 443, 443, 8443, 80]);
    let flow = Flow::tcp(source, cluster::linux_port(random), destination, port);
    let volume = match random.below(100) {
        0..74 => volume((0.6, 1.1), (12_000.0, 1.0), 620.0),
        74..91 => volume((70.0, 1.2), (9_500.0, 1.0), 150.0),
        _ => volume((7.0, 1.0), (300_000.0, 1.0), 1_150.0),
    };
    (flow, volume)
}

fn icmp(random: &mut Random) -> (Flow, Volume) {
    let volume = volume((2.0, 0.9), (392.0, 0.5), 98.0);
    if random.chance(0.5) {
        let (source, target) = (cluster::pod_v6(random.within(1, 5) as u16, 1), cluster::pod_v6(5, 0x71));
        return (Flow::tcp(source, 0, target, 0).without_ports(Transport::Icmp6), volume);
    }
    let (source, target) = (cluster::office(random.within(5, 12) as u8), cluster::worker(random));
    (Flow::tcp(source, 0, target, 0).without_ports(Transport::Icmp), volume)
}
