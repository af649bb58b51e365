//! Simulated logs, of which it is known who attacks.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::net::IpAddr;

use weir_accesslog::{Settings, Source, count};
use weir_blocklist::BlocklistParams;
use weir_blocklist::allow::AllowList;
use weir_blocklist::detect::detect;
use weir_contract::Seed;
use weir_contract::blocklist::{Detection, Method};
use weir_simulate::access_log::{AccessLogParams, simulate};

/// Whom the detection lists, and who attacks, in a log of so many ordinary lines.
struct Judged {
    detection: Detection,
    listed: BTreeSet<IpAddr>,
    attackers: BTreeSet<IpAddr>,
}

impl Judged {
    fn of(lines: u64, attacks: &[&str], capacity: Option<u32>, seed: u64, params: &BlocklistParams) -> Self {
        let attacks = attacks.iter().map(|text| text.parse().unwrap()).collect();
        let log = AccessLogParams { lines, attacks, capacity, seed: Seed(seed), ..AccessLogParams::default() };
        let mut text = Vec::new();
        let summary = simulate(&log.check().unwrap(), &mut text).unwrap();
        let counts =
            count(vec![Source::stream("simulated", Cursor::new(text))], &Settings::default(), |_| true).unwrap();
        let detection = detect(&counts, params, Seed(42), &AllowList::default());
        let listed = detection.listed.iter().map(|suspect| suspect.client).collect();
        Self { detection, listed, attackers: summary.attackers.iter().map(|attacker| attacker.client).collect() }
    }
}

const SEEDS: [u64; 3] = [1, 2, 3];

#[test]
fn among_visitors_crawlers_and_pollers_nobody_is_listed_unless_by_the_original_recipe() {
    let article = BlocklistParams { method: Method::Article, ..BlocklistParams::default() };
    for seed in SEEDS {
        let Judged { listed, detection, .. } = Judged::of(20_000, &[], None, seed, &BlocklistParams::default());
        assert!(listed.is_empty() && detection.spared.is_empty(), "seed {seed}: {}", detection.reason);
        let recipe = Judged::of(20_000, &[], None, seed, &article).detection;
        assert!(recipe.listed.len() + recipe.spared.len() > 0, "seed {seed}: {}", recipe.reason);
    }
}

#[test]
fn a_single_flooder_is_listed_and_nobody_else() {
    for (attack, capacity) in
        [("random-url:1:50:60", None), ("same-url:1:300:30", None), ("same-url:1:300:30", Some(50))]
    {
        for seed in SEEDS {
            let judged = Judged::of(20_000, &[attack], capacity, seed, &BlocklistParams::default());
            assert_eq!(judged.attackers.len(), 1);
            assert_eq!(judged.listed, judged.attackers, "{attack}, seed {seed}: {}", judged.detection.reason);
        }
    }
}

#[test]
fn many_flooders_are_one_group_whether_what_they_ask_for_exists_or_not() {
    for seed in SEEDS {
        let judged = Judged::of(20_000, &["random-url:20:20:60"], None, seed, &BlocklistParams::default());
        assert_eq!(judged.attackers.len(), 20);
        assert!(judged.listed.is_superset(&judged.attackers), "seed {seed}: {}", judged.detection.reason);
    }
}
