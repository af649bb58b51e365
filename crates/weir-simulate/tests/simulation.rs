//! What the simulated flows promise to those who learn from them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use weir_contract::Seed;
use weir_simulate::{Attack, MAX_ROWS, MAX_START, SimulateError, SimulationParams, SimulationSummary, simulate};

#[test]
fn the_shipped_sample_is_what_the_defaults_make() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/sample/flows.csv");
    let shipped = std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    let (made, _) = run(SimulationParams::default());
    assert!(shipped == made.as_bytes(), "regenerate it: weir simulate flows --out data/sample/flows.csv");
    assert!(shipped.len() < 3_000_000);
}

#[test]
fn exactly_the_rows_asked_for_are_written() {
    for rows in [1, 2, 999, 5_000] {
        let (text, summary) = run(SimulationParams { rows, ..Default::default() });
        assert_eq!((text.lines().count() as u64, summary.records), (rows + 1, rows));
        assert!(text.ends_with('\n'));
    }
}

#[test]
fn times_ascend() {
    let (text, _) = run(SimulationParams::default());
    let times: Vec<&str> = records(&text).iter().map(|record| record.time).collect();
    assert!(times.is_sorted());
    assert!(times[0] >= "2026-03-02T08:00:00.000Z");
    assert_eq!(&times[times.len() - 1][..11], "2026-03-02T");
}

#[test]
fn a_flow_keeps_its_ends_and_label_grows_and_closes_once() {
    let (text, summary) = run(SimulationParams::default());
    let mut flows: BTreeMap<&str, Vec<Record>> = BTreeMap::new();
    for record in records(&text) {
        flows.entry(record.id).or_default().push(record);
    }
    assert_eq!(flows.len() as u64, summary.flows);
    assert!(flows.values().any(|flow| flow.len() > 50), "no long flow");
    for (id, flow) in &flows {
        for pair in flow.windows(2) {
            let [earlier, later] = pair else { unreachable!() };
            assert_eq!((&earlier.ends, &earlier.label), (&later.ends, &later.label), "{id}");
            assert!(earlier.time < later.time && !earlier.last, "{id}");
            assert!(earlier.bytes <= later.bytes, "{id}");
            assert!(earlier.packets <= later.packets, "{id}");
            assert!(earlier.duration_ns <= later.duration_ns, "{id}");
        }
        assert!(flow.iter().all(|record| record.packets >= 1 && record.bytes >= 54), "{id}");
    }
    let grown = flows.values().filter(|flow| flow[0].bytes < flow[flow.len() - 1].bytes).count();
    assert!(grown > 1_000, "{grown}");
}

#[test]
fn every_transport_and_both_ip_versions_occur_in_the_export_s_spelling() {
    let (text, _) = run(SimulationParams::default());
    let records = records(&text);
    let transports: BTreeSet<&str> = records.iter().map(|record| record.ends[2]).collect();
    assert_eq!(transports, BTreeSet::from(["", "icmp", "ipv6-icmp", "tcp", "udp"]));
    for record in &records {
        let [source, destination, transport, destination_port, source_port] = record.ends;
        assert_eq!(source.contains(':'), destination.contains(':'));
        let has_ports = ["tcp", "udp"].contains(&transport);
        for port in [destination_port, source_port] {
            assert_eq!(port.ends_with(".0"), has_ports, "{port}");
            assert_eq!(port.is_empty(), !has_ports, "{port}");
        }
    }
}

#[test]
fn the_attack_share_is_the_one_asked_for() {
    for attack_share in [0.0, 0.1, 0.4, 1.0] {
        let (_, summary) = run(SimulationParams { rows: 40_000, attack_share, ..Default::default() });
        let share = summary.malicious.flows as f64 / summary.flows as f64;
        // Three standard deviations of a share of 15,000 flows are at most 0.0123.
        assert!((share - attack_share).abs() < 0.0125, "{share} instead of {attack_share}");
        assert_eq!(summary.benign.records + summary.malicious.records, 40_000);
    }
}

#[test]
fn every_attack_occurs_and_is_named_exactly_on_malicious_rows() {
    let (text, summary) = run(SimulationParams::default());
    assert_eq!(summary.attacks.keys().copied().collect::<Vec<_>>(), Attack::ALL);
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for record in records(&text) {
        let [label, attack] = record.label;
        assert_eq!(label, if attack.is_empty() { "benign" } else { "malicious" });
        if label == "malicious" {
            *counted.entry(attack).or_default() += 1;
        }
    }
    let named = summary.attacks.iter().map(|(attack, counts)| (attack.name(), counts.records)).collect();
    assert_eq!(counted, named);
}

#[test]
fn attackers_share_addresses_and_ports_with_legitimate_users() {
    let (text, _) = run(SimulationParams::default());
    let (mut benign, mut malicious) = (BTreeSet::new(), BTreeSet::new());
    let mut both = 0;
    let records = records(&text);
    for record in &records {
        let [source, _, _, port, _] = record.ends;
        if record.label[0] == "benign" { &mut benign } else { &mut malicious }.insert((source, port));
    }
    for record in &records {
        let [source, _, _, port, _] = record.ends;
        both += usize::from(benign.contains(&(source, port)) && malicious.contains(&(source, port)));
    }
    assert!(both > records.len() / 10, "{both}");
}

#[test]
fn drift_brings_new_clients_larger_payloads_and_another_mix() {
    let before = flows_of(SimulationParams { rows: 40_000, ..Default::default() });
    let after = flows_of(SimulationParams { rows: 40_000, drift: 1.0, ..Default::default() });
    let newcomers = |flow: &Flow| flow.source.starts_with("198.18.");
    assert_eq!(share(&before, newcomers), 0.0);
    assert!(share(&after, newcomers) > 0.05);

    let to_blog = |flow: &Flow| flow.destination_port == "30080.0";
    assert!(share(&after, to_blog) > 1.5 * share(&before, to_blog));
    let large = |flow: &Flow| flow.bytes > 20_000;
    assert!(share(&after, large) > 1.5 * share(&before, large));
    let flood = |flow: &Flow| flow.attack == "nodeport-flood";
    assert!(share(&after, flood) < 0.6 * share(&before, flood));
}

#[test]
fn half_the_drift_moves_the_mix_half_way() {
    let newcomers = |drift| {
        let flows = flows_of(SimulationParams { rows: 40_000, drift, ..Default::default() });
        share(&flows, |flow| flow.source.starts_with("198.18."))
    };
    let (half, full) = (newcomers(0.5), newcomers(1.0));
    assert!(0.35 * full < half && half < 0.65 * full, "{half} of {full}");
}

#[test]
fn the_seed_decides_everything() {
    let params = SimulationParams { rows: 3_000, ..Default::default() };
    assert_eq!(run(params), run(params));
    let (first, _) = run(params);
    let (second, _) = run(SimulationParams { seed: Seed(43), ..params });
    let same = first.lines().zip(second.lines()).skip(1).filter(|(a, b)| a == b).count();
    assert_eq!(same, 0);
}

#[test]
fn the_start_shifts_times_and_nothing_else() {
    let params = SimulationParams { rows: 3_000, ..Default::default() };
    let (first, _) = run(params);
    let (second, _) = run(SimulationParams { start: params.start + 86_400_000, ..params });
    assert_eq!(first.replace("2026-03-02T", "2026-03-03T"), second);
}

#[test]
fn open_flows_and_writes_stay_small_however_many_rows_are_written() {
    let mut sizes = Sizes::default();
    let params = SimulationParams { rows: 1_000_000, ..Default::default() }.check().unwrap();
    let summary = simulate(&params, &mut sizes).unwrap();
    assert!(summary.most_open_flows < 400, "{}", summary.most_open_flows);
    assert!(sizes.largest < 100_000, "{}", sizes.largest);
    assert!(sizes.total > 100_000_000, "{}", sizes.total);
}

#[test]
fn an_error_of_the_output_is_returned() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = simulate(&SimulationParams::default().check().unwrap(), &mut Full).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let valid = SimulationParams::default();
    let refusal = |params: SimulationParams| params.check().unwrap_err().to_string();
    assert_eq!(refusal(SimulationParams { rows: 0, ..valid }), "rows: expected 1 to 10000000000 records, received 0");
    assert!(refusal(SimulationParams { rows: MAX_ROWS + 1, ..valid }).starts_with("rows: "));
    assert!(refusal(SimulationParams { start: -1, ..valid }).starts_with("start: "));
    assert!(refusal(SimulationParams { start: MAX_START + 1, ..valid }).starts_with("start: "));
    assert_eq!(
        refusal(SimulationParams { drift: 1.5, ..valid }),
        "drift: expected a share between 0 and 1, received 1.5"
    );
    let error = SimulationParams { attack_share: f64::NAN, ..valid }.check().unwrap_err();
    assert!(matches!(error, SimulateError::Share { name: "attack_share", .. }));
}

fn run(params: SimulationParams) -> (String, SimulationSummary) {
    let mut out = Vec::new();
    let summary = simulate(&params.check().unwrap(), &mut out).unwrap();
    (String::from_utf8(out).unwrap(), summary)
}

struct Record<'a> {
    id: &'a str,
    time: &'a str,
    last: bool,
    /// Source and destination address, transport, destination and source port.
    ends: [&'a str; 5],
    bytes: u64,
    packets: u64,
    duration_ns: u64,
    /// Label and attack.
    label: [&'a str; 2],
}

fn records(text: &str) -> Vec<Record<'_>> {
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "_source_flow_id,_source_flow_final,_source_source_ip,_source_destination_ip,_source_network_bytes,\
         _source_network_transport,_source_@timestamp,_source_event_duration,_source_destination_port,\
         _source_source_port,_source_network_packets,label,attack"
    );
    let record = |line| {
        let fields: Vec<&str> = str::split(line, ',').collect();
        let [id, last, source, destination, bytes, transport, time, duration, to, from, packets, label, attack] =
            fields[..]
        else {
            panic!("not 13 columns: {line}")
        };
        Record {
            id,
            time,
            last: match last {
                "True" => true,
                "False" => false,
                other => panic!("{other}"),
            },
            ends: [source, destination, transport, to, from],
            bytes: bytes.parse().unwrap(),
            packets: packets.parse().unwrap(),
            duration_ns: duration.parse().unwrap(),
            label: [label, attack],
        }
    };
    lines.map(record).collect()
}

/// A flow as its last record shows it.
struct Flow {
    source: String,
    destination_port: String,
    bytes: u64,
    attack: String,
}

fn flows_of(params: SimulationParams) -> Vec<Flow> {
    let (text, _) = run(params);
    let last: BTreeMap<&str, Record> = records(&text).into_iter().map(|record| (record.id, record)).collect();
    let flow = |record: Record| Flow {
        source: record.ends[0].to_owned(),
        destination_port: record.ends[3].to_owned(),
        bytes: record.bytes,
        attack: record.label[1].to_owned(),
    };
    last.into_values().map(flow).collect()
}

fn share(flows: &[Flow], of: impl Fn(&Flow) -> bool) -> f64 {
    flows.iter().filter(|flow| of(flow)).count() as f64 / flows.len() as f64
}

/// Counts what is written instead of keeping it.
#[derive(Default)]
struct Sizes {
    largest: usize,
    total: usize,
}

impl Write for Sizes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.largest = self.largest.max(bytes.len());
        self.total += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
