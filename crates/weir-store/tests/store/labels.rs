//! Labels that come later.

use std::fs;

use weir_contract::{Flow, FlowBatch, Label, Transport};
use weir_store::{Applied, AsOf, LabelKind, Labelled, Labels, NewLabels};

use crate::fixture::{Fixture, note, time};

/// `id source -> destination:port` at a minute, without a label.
fn flow(id: &str, source: &str, destination: &str, port: u16, minute: i64) -> Flow {
    Flow {
        flow_id: Some(id.to_owned()),
        event_time: Some(time(minute).0),
        source_ip: source.parse().unwrap(),
        destination_ip: destination.parse().unwrap(),
        source_port: Some(40_000),
        destination_port: Some(port),
        transport: Transport::Tcp,
        bytes: None,
        packets: None,
        duration_ns: None,
        last: None,
        label: None,
        attack: None,
    }
}

fn flows() -> FlowBatch {
    [
        flow("1", "192.0.2.7", "198.51.100.1", 22, 0),
        flow("2", "198.51.100.1", "192.0.2.7", 443, 10),
        flow("3", "2001:db8::7", "2001:db8:1::1", 8080, 20),
        flow("4", "203.0.113.9", "203.0.113.10", 53, 30),
    ]
    .into_iter()
    .collect()
}

fn parse(text: &str) -> Labels {
    Labels::parse([("rules.toml", text.as_bytes())]).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    Labels::parse([("rules.toml", text.as_bytes())]).unwrap_err().to_string()
}

/// `m:attack`, `m`, `b` or `-` per flow.
fn said(flows: &FlowBatch) -> Vec<String> {
    (0..flows.len())
        .map(|row| match (flows.label.get(row).map(Label::from_class), flows.attack.get(row)) {
            (Some(Label::Malicious), Some(attack)) => format!("m:{attack}"),
            (Some(Label::Malicious), None) => "m".to_owned(),
            (Some(Label::Benign), None) => "b".to_owned(),
            (None, None) => "-".to_owned(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn label(labels: &Labels) -> (Vec<String>, Applied) {
    let mut flows = flows();
    let applied = labels.apply(&mut flows);
    (said(&flows), applied)
}

/// Which of the four flows a rule with this condition matches.
fn matched(condition: &str) -> Vec<usize> {
    let (said, _) = label(&parse(&format!("[[rule]]\n{condition}\nlabel = \"malicious\"\n")));
    (1..).zip(said).filter(|(_, said)| said == "m").map(|(number, _)| number).collect()
}

#[test]
fn every_condition_matches_what_it_says() {
    for (condition, flows) in [
        (r#"source = "192.0.2.0/24""#, vec![1]),
        (r#"source = ["192.0.2.7", "2001:db8::/64"]"#, vec![1, 3]),
        (r#"destination = "192.0.2.7""#, vec![2]),
        (r#"either = "192.0.2.7""#, vec![1, 2]),
        (r#"either = ["0.0.0.0/0", "::/0"]"#, vec![1, 2, 3, 4]),
        ("destination_port = 22", vec![1]),
        (r#"destination_port = [53, "400-9000"]"#, vec![2, 3, 4]),
        (r#"source_port = "40000-40000""#, vec![1, 2, 3, 4]),
        ("source_port = 22", vec![]),
        (r#"transport = ["udp", "tcp"]"#, vec![1, 2, 3, 4]),
        (r#"transport = "udp""#, vec![]),
        ("from = 2026-11-21T00:10:00Z", vec![2, 3, 4]),
        ("to = 2026-11-21T00:10:00Z", vec![1]),
        ("from = 2026-11-21T00:10:00Z\nto = \"2026-11-21T01:30:00+01:00\"", vec![2, 3]),
        ("from = 2026-11-22", vec![]),
        ("either = \"192.0.2.7\"\ndestination_port = 443", vec![2]),
    ] {
        assert_eq!(matched(condition), flows, "{condition}");
    }
}

#[test]
fn a_flow_without_a_value_matches_no_condition_on_it() {
    let rules = |condition: &str| parse(&format!("[[rule]]\n{condition}\nlabel = \"malicious\"\n"));
    let bare = Flow { flow_id: None, event_time: None, source_port: None, ..flow("1", "192.0.2.7", "192.0.2.8", 1, 0) };
    for condition in ["from = 1970-01-01", "to = 2100-01-01", "source_port = \"0-65535\""] {
        let mut flows: FlowBatch = [bare.clone()].into_iter().collect();
        assert_eq!(rules(condition).apply(&mut flows).kept, 1, "{condition}");
    }
    let mut flows: FlowBatch = [bare].into_iter().collect();
    assert_eq!(rules("source = \"192.0.2.7\"").apply(&mut flows).kept, 0);
}

#[test]
fn the_first_rule_that_matches_decides_and_the_rest_gets_the_default() {
    let labels = parse(
        r#"
        default = "benign"
        [[rule]]
        destination_port = 22
        label = "malicious"
        attack = "brute-force"
        [[rule]]
        either = "192.0.2.7"
        label = "malicious"
        attack = "exfiltration"
        "#,
    );
    let (said, applied) = label(&labels);
    assert_eq!(said, ["m:brute-force", "m:exfiltration", "b", "b"]);
    let layer = &applied.layers[0];
    let counts = [("rules.toml, rule 1".to_owned(), 1), ("rules.toml, rule 2".to_owned(), 1)];
    assert_eq!((layer.rules.as_slice(), layer.ids, layer.default, applied.kept), (&counts[..], 0, 2, 0));
    assert_eq!(applied.flows(), 4);
}

#[test]
fn a_flow_id_wins_over_rules_whatever_the_order_of_the_files() {
    let rules = "[[rule]]\neither = [\"0.0.0.0/0\", \"::/0\"]\nlabel = \"malicious\"\nattack = \"all\"\n";
    let ids = "flow_id\tlabel\tattack\n2\tbenign\t\n3\tmalicious\tscan\n";
    for files in [[("r", rules), ("i", ids)], [("i", ids), ("r", rules)]] {
        let labels = Labels::parse(files.map(|(name, text)| (name, text.as_bytes()))).unwrap();
        assert_eq!(label(&labels).0, ["m:all", "b", "m:scan", "m:all"]);
    }
}

#[test]
fn what_nothing_matches_keeps_what_it_has() {
    let mut flows = flows();
    flows.label = [Some(1), Some(1), Some(0), None].into_iter().collect();
    flows.attack = [Some("old"), Some("old"), None, None].into_iter().collect();
    // Malicious without a name leaves the name; benign takes it; a default is for those without a label.
    let labels = Labels::parse([("ids.csv", "flow_id,label\n1,malicious\n2,benign\n".as_bytes())]).unwrap();
    labels.apply(&mut flows);
    assert_eq!(said(&flows), ["m:old", "b", "b", "-"]);
    parse("default = \"malicious\"").apply(&mut flows);
    assert_eq!(said(&flows), ["m:old", "b", "b", "m"]);
    assert_eq!(flows.flow(0).destination_port, Some(22), "other columns stay");
}

#[test]
fn a_later_commit_wins_over_an_earlier_one_and_is_not_seen_before_it() {
    let fixture = Fixture::new();
    let commit = |minute: i64, files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| {
            let path = fixture.temp.path().join(name);
            fs::write(&path, text).unwrap();
            path
        });
        fixture.store.add_labels(&fixture.group, &NewLabels { files: files.collect() }, &note(minute)).unwrap()
    };
    let rules = "default = \"benign\"\n[[rule]]\ndestination_port = 22\nlabel = \"malicious\"\nattack = \"rule\"\n";
    commit(1, &[("ids.csv", "flow_id,label,attack\n1,malicious,id\n2,malicious,id\n")]);
    let Labelled::Committed(second) = commit(2, &[("rules.toml", rules)]) else { panic!("it is new") };
    let weir_store::Change::Label(change) = &second.change else { panic!("it is a label commit") };
    assert_eq!((change.files[0].form, change.files[0].entries), (LabelKind::Rules, 1));
    assert_eq!(commit(3, &[("rules.toml", rules)]), Labelled::Unchanged(2));

    let said = |as_of| label(&fixture.store.snapshot(&fixture.group, as_of).unwrap().labels).0;
    assert_eq!(said(AsOf::Commit(1)), ["m:id", "m:id", "-", "-"]);
    // The default of the second commit is not for flow 2, which the first one labelled.
    assert_eq!(said(AsOf::Commit(2)), ["m:rule", "m:id", "b", "b"]);
    // An earlier file counts again when it comes again.
    assert!(matches!(
        commit(4, &[("ids.csv", "flow_id,label,attack\n1,malicious,id\n2,malicious,id\n")]),
        Labelled::Committed(_)
    ));
    assert_eq!(said(AsOf::Head), ["m:id", "m:id", "b", "b"]);
}

#[test]
fn counts_add_up_over_batches() {
    let labels = parse("[[rule]]\ndestination_port = 22\nlabel = \"malicious\"\n");
    let mut total = Applied::default();
    for _ in 0..3 {
        total.add(&labels.apply(&mut flows()));
    }
    assert_eq!((total.layers[0].rules[0].1, total.kept, total.flows()), (3, 9, 12));
}

#[test]
fn a_wrong_rule_is_refused_with_its_line_and_number() {
    let rule =
        |lines: &str| refused(&format!("[[rule]]\ntransport = \"tcp\"\nlabel = \"benign\"\n\n[[rule]]\n{lines}\n"));
    for (lines, words) in [
        ("label = \"evil\"\ntransport = \"tcp\"", "rule 2: expected the label benign or malicious, received \"evil\""),
        ("label = \"malicious\"", "rule 2: it has no condition"),
        ("label = \"malicious\"\nsource = \"10.0.0.1/8\"", "rule 2: source: \"10.0.0.1/8\" has bits beyond its prefix"),
        ("label = \"malicious\"\nsource = \"host\"", "rule 2: source: expected an address"),
        ("label = \"malicious\"\nsource = []", "rule 2: source is an empty list"),
        ("label = \"malicious\"\nsource_port = 70000", "rule 2: source_port: expected a port of 0 to 65535"),
        ("label = \"malicious\"\nsource_port = \"9-1\"", "rule 2: source_port: expected a port"),
        ("label = \"malicious\"\ntransport = \"sctp\"", "rule 2: transport: expected one of tcp, udp"),
        ("label = \"malicious\"\nfrom = 2026-11-21T00:00:00", "rule 2: from: expected a time"),
        ("label = \"malicious\"\nfrom = 2026-11-22\nto = 2026-11-21", "rule 2: from is not before to"),
        ("label = \"benign\"\nsource = \"::1\"\nattack = \"x\"", "rule 2: a benign flow has no attack"),
    ] {
        let error = rule(lines);
        assert!(error.starts_with("rules.toml, line 5: ") && error.contains(words), "{error}");
    }
    assert!(rule("label = \"malicious\"\nsuorce = \"::1\"").contains("line 7: unknown field `suorce`"));
    assert!(refused("default = \"bad\"").contains("line 1: default: expected the label"));
    assert!(refused("").contains("neither a [[rule]] nor a default"));
    assert!(refused("[[rule]\n").starts_with("rules.toml, line 1: "));
}

#[test]
fn a_wrong_table_is_refused_with_its_line() {
    let refused = |text: &[u8]| Labels::parse([("ids.csv", text)]).unwrap_err().to_string();
    for (text, words) in [
        ("flow_id,class\n1,benign\n", "line 1: expected the header flow_id,label[,attack], found flow_id,class"),
        ("flow_id,label\n1,benign\n2,evil\n", "line 3: expected the label benign or malicious, found \"evil\""),
        ("flow_id,label\n1,benign\n2\n", "line 3: expected 2 fields, found 1"),
        ("flow_id,label\n,benign\n", "line 2: the flow id is empty"),
        ("flow_id,label\n1,benign\n1,malicious\n", "line 3: flow \"1\" has another label already"),
        ("flow_id,label,attack\n1,benign,scan\n", "line 2: a benign flow has no attack"),
    ] {
        assert_eq!(refused(text.as_bytes()), format!("ids.csv, {words}"));
    }
    assert!(refused(b"flow_id,label\n\xff,benign\n").contains("line 2: the text is not UTF-8"));
    // The same again is no contradiction.
    assert!(
        Labels::parse([("ids.csv", "\u{feff}flow_id,label\r\n\"a,b\",benign\r\n\"a,b\",benign\r\n".as_bytes())])
            .is_ok()
    );
}

#[test]
fn labels_that_cannot_be_used_are_not_committed() {
    let fixture = Fixture::new();
    let path = fixture.temp.path().join("ids.csv");
    fs::write(&path, "flow_id,label\n1,evil\n").unwrap();
    let error = fixture.store.add_labels(&fixture.group, &NewLabels { files: vec![path] }, &note(1)).unwrap_err();
    assert!(error.to_string().contains("ids.csv, line 2"), "{error}");
    assert!(fixture.store.add_labels(&fixture.group, &NewLabels { files: vec![] }, &note(1)).is_err());
    assert!(fixture.store.commits(&fixture.group).unwrap().is_empty());
}
