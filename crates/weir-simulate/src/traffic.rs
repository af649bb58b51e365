//! The next flow of the cluster: benign or an attack.

mod attack;
mod benign;

use std::net::IpAddr;

use weir_contract::Transport;

pub use attack::Attack;

use crate::params::ValidSimulationParams;
use crate::random::Random;

/// No flow lasts longer than this, which bounds the flows that are open at a time.
pub(crate) const MAX_LIFETIME_NS: u64 = 1_200_000_000_000;

/// What a flow is in the end; its records show it growing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) source_port: Option<u16>,
    pub(crate) destination_port: Option<u16>,
    pub(crate) transport: Transport,
    pub(crate) duration_ns: u64,
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
    pub(crate) attack: Option<Attack>,
}

/// How long flows of a kind last and what they carry: medians and deviations of the logarithm.
#[derive(Debug, Clone, Copy)]
struct Volume {
    seconds: (f64, f64),
    bytes: (f64, f64),
    /// Mean bytes of a packet.
    packet: f64,
}

/// The mix of traffic.
pub(crate) struct Traffic {
    drift: f64,
    attack_share: f64,
    benign: benign::Benign,
    attacks: attack::Attacks,
}

impl Traffic {
    pub(crate) fn new(params: &ValidSimulationParams) -> Self {
        let drift = params.drift().get();
        Self {
            drift,
            attack_share: params.attack_share().get(),
            benign: benign::Benign::new(drift),
            attacks: attack::Attacks::new(drift),
        }
    }

    /// The flow that starts at `time_ns`.
    pub(crate) fn next_flow(&self, random: &mut Random, time_ns: u64) -> Flow {
        if random.chance(self.attack_share) {
            self.attacks.flow(random, self.drift, time_ns)
        } else {
            self.benign.flow(random, self.drift)
        }
    }
}

impl Flow {
    /// A TCP flow without volume.
    fn tcp(source: IpAddr, source_port: u16, destination: IpAddr, destination_port: u16) -> Self {
        Self {
            source,
            destination,
            source_port: Some(source_port),
            destination_port: Some(destination_port),
            transport: Transport::Tcp,
            duration_ns: 0,
            bytes: 0,
            packets: 1,
            attack: None,
        }
    }

    fn udp(self) -> Self {
        Self { transport: Transport::Udp, ..self }
    }

    fn without_ports(self, transport: Transport) -> Self {
        Self { transport, source_port: None, destination_port: None, ..self }
    }

    fn attack(self, attack: Attack) -> Self {
        Self { attack: Some(attack), ..self }
    }

    /// Draws the volume; `larger` multiplies the bytes. A TCP connection has at least a handshake, a question
    /// and an answer; no packet is larger than an Ethernet frame.
    fn carrying(self, random: &mut Random, volume: Volume, larger: f64) -> Self {
        let nanoseconds = random.log_normal(volume.seconds.0 * 1e9, volume.seconds.1) as u64;
        let bytes = random.log_normal(volume.bytes.0 * larger, volume.bytes.1);
        let packet = volume.packet * (0.8 + 0.4 * random.unit());
        let fewest = if self.transport == Transport::Tcp { 5 } else { 1 };
        let packets = ((bytes / packet) as u64).max(fewest).max((bytes / 1_500.0) as u64 + 1);
        Self {
            duration_ns: if packets == 1 { 0 } else { nanoseconds.min(MAX_LIFETIME_NS) },
            bytes: (bytes as u64).max(54 * packets),
            packets,
            ..self
        }
    }

    /// A connection that was asked for and refused or never answered: a packet or a few, hardly any time.
    fn unanswered(self, random: &mut Random) -> Self {
        let size = random.pick(&[54, 60, 66, 68, 74, 74]);
        let packets = random.pick(&[1, 1, 1, 2, 2, 3]);
        let nanoseconds = if packets == 1 { 0 } else { random.log_normal(180_000.0, 0.9) as u64 };
        Self { duration_ns: nanoseconds, bytes: size * packets, packets, ..self }
    }

    /// Bytes of a mean packet, which is what a flow's first record has at least.
    pub(crate) fn bytes_per_packet(&self) -> u64 {
        self.bytes / self.packets.max(1)
    }
}

/// `from` moved towards `to` by a share of the way.
fn blend(from: f64, to: f64, share: f64) -> f64 {
    from + (to - from) * share
}
