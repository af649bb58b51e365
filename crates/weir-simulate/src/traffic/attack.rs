//! What is done to the cluster, and from within it.

use std::fmt;

use super::{Flow, Volume, blend};
use crate::cluster::{
    self, BLOG_NODE_PORT, COMPROMISED, COMPROMISED_LAPTOP, GUESTBOOK_NODE_PORT, MYSQL, ORDERS, SHARED_NAT,
};
use crate::random::Random;

/// The attacks that are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attack {
    /// Many connections to the web applications' NodePorts, half-open or asking for a page.
    NodePortFlood,
    /// Passwords tried on the nodes.
    SshBruteForce,
    /// Nodes and pods asked which ports they serve.
    PortScan,
    /// A taken-over pod that calls the attacker and obeys.
    ReverseShell,
    /// Data carried out slowly among ordinary calls to the outside.
    SlowExfiltration,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NodePortFlood, Self::SshBruteForce, Self::PortScan, Self::ReverseShell, Self::SlowExfiltration];

    /// The name in the column `attack`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodePortFlood => "nodeport-flood",
            Self::SshBruteForce => "ssh-brute-force",
            Self::PortScan => "port-scan",
            Self::ReverseShell => "reverse-shell",
            Self::SlowExfiltration => "slow-exfiltration",
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Attackers take turns: within ten minutes each of four phases favours some of the attacks.
const PHASE_NS: u64 = 150_000_000_000;

/// Weights of the attacks in [`Attack::ALL`]'s order, per phase.
const PHASES: [[f64; 5]; 4] = [
    [20.0, 10.0, 50.0, 6.0, 14.0],
    [60.0, 20.0, 6.0, 6.0, 8.0],
    [20.0, 50.0, 8.0, 10.0, 12.0],
    [60.0, 8.0, 6.0, 12.0, 14.0],
];

/// Weights towards which drift moves every phase.
const DRIFTED: [f64; 5] = [15.0, 30.0, 15.0, 15.0, 25.0];

/// Malicious traffic.
pub(super) struct Attacks {
    weights: [[f64; 5]; 4],
    larger: f64,
}

impl Attacks {
    pub(super) fn new(drift: f64) -> Self {
        let towards_drifted = |phase: [f64; 5]| std::array::from_fn(|i| blend(phase[i], DRIFTED[i], drift));
        Self { weights: PHASES.map(towards_drifted), larger: blend(1.0, 2.0, drift) }
    }

    pub(super) fn flow(&self, random: &mut Random, drift: f64, time_ns: u64) -> Flow {
        let phase = (time_ns / PHASE_NS % PHASES.len() as u64) as usize;
        let attack = Attack::ALL[random.weighted(&self.weights[phase])];
        let new_tool = random.chance(drift);
        let flow = match attack {
            Attack::NodePortFlood => self.flood(random, new_tool),
            Attack::SshBruteForce => self.brute_force(random, new_tool),
            Attack::PortScan => scan(random, new_tool),
            Attack::ReverseShell => self.reverse_shell(random, new_tool),
            Attack::SlowExfiltration => self.exfiltration(random, new_tool),
        };
        flow.attack(attack)
    }

    /// Half-open connections and hurried page requests. The new tool asks the blog, politely spaced.
    fn flood(&self, random: &mut Random, new_tool: bool) -> Flow {
        let source = match random.below(100) {
            0..4 => cluster::client_v6(3, random.within(1, 20) as u16),
            4..60 => cluster::hosting(random.within(90, 250) as u8),
            60..88 => cluster::mobile(random.within(1, 6) as u8),
            _ => cluster::residential(random.within(224, 239) as u8),
        };
        let port = if new_tool || random.chance(0.2) { BLOG_NODE_PORT } else { GUESTBOOK_NODE_PORT };
        let target = if source.is_ipv6() { cluster::worker_v6(random) } else { cluster::worker(random) };
        let flow = Flow::tcp(source, cluster::translated_port(random), target, port);
        if !new_tool && random.chance(0.6) {
            return flow.unanswered(random);
        }
        let seconds = if new_tool { (0.6, 0.8) } else { (0.02, 0.4) };
        flow.carrying(random, Volume { seconds, bytes: (640.0, 0.08), packet: 120.0 }, self.larger)
    }

    /// A few passwords per connection. The new tool tries one and waits.
    fn brute_force(&self, random: &mut Random, new_tool: bool) -> Flow {
        let source = match random.below(100) {
            0..55 => cluster::hosting(random.within(40, 60) as u8),
            55..82 => SHARED_NAT,
            82..89 => COMPROMISED_LAPTOP,
            _ => COMPROMISED,
        };
        let destination = cluster::node(random.pick(&cluster::NODES));
        let flow = Flow::tcp(source, cluster::translated_port(random), destination, 22);
        let seconds = if new_tool { (14.0, 0.4) } else { (2.3, 0.2) };
        flow.carrying(random, Volume { seconds, bytes: (2_900.0, 0.12), packet: 140.0 }, self.larger)
    }

    /// Commands and their output. The new tool hides on the port of encrypted web traffic.
    fn reverse_shell(&self, random: &mut Random, new_tool: bool) -> Flow {
        let source = if random.chance(0.7) { COMPROMISED } else { random.pick(&cluster::TEST_RUNNERS) };
        let destination = if random.chance(0.6) { cluster::hosting(66) } else { cluster::mobile(207) };
        let port = if new_tool { 443 } else { random.pick(&[4444, 4444, 4444, 443, 443, 8443, 1337]) };
        let flow = Flow::tcp(source, cluster::linux_port(random), destination, port);
        let volume = Volume { seconds: (40.0, 1.3), bytes: (9_000.0, 1.1), packet: 130.0 };
        flow.carrying(random, volume, self.larger)
    }

    /// Uploads the size of ordinary calls, a little slower. The new tool sends more at a time.
    fn exfiltration(&self, random: &mut Random, new_tool: bool) -> Flow {
        let source = match random.below(100) {
            0..55 => COMPROMISED,
            55..80 => MYSQL,
            _ => random.pick(&ORDERS),
        };
        let destination = if random.chance(0.6) {
            cluster::mobile(random.within(204, 208) as u8)
        } else {
            cluster::hosting(random.within(64, 70) as u8)
        };
        let port = random.pick(&[443, 443, 443, 443, 8443, 22]);
        let flow = Flow::tcp(source, cluster::linux_port(random), destination, port);
        let bytes = if new_tool { (160_000.0, 0.2) } else { (52_000.0, 0.15) };
        flow.carrying(random, Volume { seconds: (13.0, 0.4), bytes, packet: 760.0 }, self.larger)
    }
}

/// One packet to one port, most of them closed. The new tool looks only where something may listen.
fn scan(random: &mut Random, new_tool: bool) -> Flow {
    const SERVED: [u16; 14] = [22, 80, 443, 3306, 5432, 5601, 6379, 6443, 8080, 8500, 9099, 9200, 10250, 27017];
    let source = match random.below(100) {
        0..40 => COMPROMISED,
        40..80 => cluster::hosting(random.within(66, 70) as u8),
        _ => COMPROMISED_LAPTOP,
    };
    let destination = if random.chance(0.5) { cluster::worker(random) } else { cluster::any_pod(random) };
    let port = if new_tool || random.chance(0.5) { random.pick(&SERVED) } else { random.within(1, 10_000) as u16 };
    Flow::tcp(source, cluster::linux_port(random), destination, port).unanswered(random)
}
