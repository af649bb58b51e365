//! The report of a made-up run: what it shows, what it leaves out, and that it is one well-formed page.

mod block;
mod html;
mod sample;

use weir_contract::audit::{Audit, Finding};
use weir_contract::search::{Cut, CutReason};
use weir_contract::selection::{ChampionComparison, PromotionRule, Verdict};
use weir_contract::{ConfusionMatrix, Digest, Family, Metric, ParamMap, ParamValue, Representation, Setting, TrialId};
use weir_report::{LineageStep, RenderError, render, wilson_interval};

use sample::Sample;

const HOSTILE: &str = "<script>alert(\"x\")</script>&'";

fn page(sample: &Sample) -> String {
    render(&sample.report()).expect("the sample renders")
}

#[test]
fn a_full_run_is_one_well_formed_page_below_a_megabyte() {
    let sample = sample::full();
    let page = page(&sample);
    html::check(&page).expect("well-formed");
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    for anchor in ["glance", "results", "trials", "search", "encoder", "data", "features", "audit", "provenance"] {
        assert!(page.contains(&format!("<section id=\"{anchor}\">")), "{anchor}");
    }
    for trial in sample.trials.iter().flat_map(|trials| &trials.trials) {
        assert!(page.contains(&format!("id=\"{}\"", trial.id)), "{}", trial.id);
    }
}

#[test]
fn the_same_run_has_the_same_bytes() {
    assert_eq!(page(&sample::full()), page(&sample::full()));
}

#[test]
fn the_page_loads_nothing() {
    let page = page(&sample::full());
    for reference in ["http:", "https:", "src=", "url(", "@import", "<link", "<script", "<iframe", "<object", "<base"] {
        assert!(!page.contains(reference), "{reference}");
    }
    let links = page.match_indices("href=\"").map(|(at, text)| &page[at + text.len()..]);
    assert!(links.into_iter().all(|target| target.starts_with('#')), "a link leaves the page");
}

#[test]
fn every_link_has_its_target() {
    let page = page(&sample::full());
    for (at, text) in page.match_indices("href=\"#") {
        let target = page[at + text.len()..].split('"').next().unwrap_or_default();
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
}

#[test]
fn numbers_of_the_winner_are_those_of_the_inputs() {
    let mut sample = sample::full();
    // 9517 of 9520 right: 6510 + 3007.
    let matrix =
        ConfusionMatrix { true_negatives: 6_510, false_positives: 2, false_negatives: 1, true_positives: 3_007 };
    assert_eq!(sample.selection.ranking[0].confusion, matrix);
    let id = sample.selection.winner;
    sample.trials.iter_mut().flat_map(|t| &mut t.trials).filter(|t| t.id == id).for_each(|t| t.roc_auc = Some(0.98765));

    let page = page(&sample);
    let glance = html::text(html::section(&page, "glance"));
    let (low, high) = wilson_interval(9_517, 9_520);
    assert!(glance.contains("Decision tree on baseline, default"), "{glance}");
    assert!(glance.contains("0.9997 accuracy on test"), "{glance}");
    let interval = format!("95 % interval (Wilson) {low:.4} to {high:.4}: 9\u{202f}517 of 9\u{202f}520 flows right");
    assert!(glance.contains(&interval), "{glance}");
    assert!(glance.contains("False negatives 1 attacks missed, of 3\u{202f}008 malicious flows"), "{glance}");
    assert!(glance.contains("False positives 2 false alarms, of 6\u{202f}512 benign flows"), "{glance}");
    assert!(glance.contains("ROC AUC 0.9877"), "{glance}");
    assert!(glance.contains(&format!("MCC {:.4}", matrix.mcc())), "{glance}");
    assert!(glance.contains("✓ promote"), "{glance}");

    let trials = html::text(html::section(&page, "trials"));
    assert!(
        trials.contains("benign 6\u{202f}510 99.97 % 2 0.03 % malicious 1 0.03 % 3\u{202f}007 99.97 %"),
        "{trials}"
    );
    let malicious = matrix.malicious();
    let scores =
        format!("malicious {:.4} {:.4} {:.4} 3\u{202f}008", malicious.precision, malicious.recall, malicious.f1);
    assert!(trials.contains(&scores), "{trials}");
    assert!(page.contains(&format!("title=\"{} (9\u{202f}517 of 9\u{202f}520 rows)\"", 9_517.0 / 9_520.0)));
}

#[test]
fn the_runner_up_is_compared_row_by_row() {
    let sample = sample::full();
    let bits = |rank: usize| {
        let id = sample.selection.ranking[rank].id;
        let trial = sample.trials.iter().flat_map(|t| &t.trials).find(|trial| trial.id == id).expect("trained");
        trial.correct.unpack().expect("bits")
    };
    let (winner, other) = (bits(0), bits(1));
    let only = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|&(&a, &b)| a && !b).count();
    let (won, lost) = (only(&winner, &other), only(&other, &winner));
    let expected = format!(
        "The two differ on {} test rows: only the winner is right on {won}, only the runner-up on {lost}.",
        won + lost
    );
    assert!(html::text(html::section(&page(&sample), "glance")).contains(&expected), "{expected}");
}

#[test]
fn result_tables_have_three_decimals_and_the_best_parameters() {
    let sample = sample::full();
    let results = html::text(html::section(&page(&sample), "results"));
    // SVC on baseline: 248 and 209 of 9520 wrong.
    let search = &sample.searches[0];
    let best = &search.candidates[search.best].parameters;
    let best: Vec<String> = best.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let row = format!("SVC {:.3} {:.3} {}", 1.0 - 248.0 / 9_520.0, 1.0 - 209.0 / 9_520.0, best.join(", "));
    assert!(results.contains(&row), "{row}\n{results}");
    assert!(results.contains("Decision tree 1.000 ★ 1.000 criterion"), "{results}");
    assert!(results.contains("Autoencoder Model Default accuracy Grid search accuracy Best parameters"), "{results}");
}

#[test]
fn a_run_of_one_family_without_encoder_leaves_the_rest_out() {
    let page = page(&sample::one_family());
    html::check(&page).expect("well-formed");
    let results = html::text(html::section(&page, "results"));
    assert!(
        results.contains("Decision tree") && !results.contains("SVC") && !results.contains("Autoencoder"),
        "{results}"
    );
    assert!(!page.contains("id=\"encoder\"") && !page.contains("href=\"#encoder\""));
}

#[test]
fn an_empty_search_says_so() {
    let mut sample = sample::full();
    sample.searches[0].candidates.clear();
    let page = page(&sample);
    html::check(&page).expect("well-formed");
    assert!(page.contains("This search had no candidate"));
    assert!(page.contains("No candidate was searched for SVC on baseline."));
}

#[test]
fn a_run_without_searches_trials_timings_or_lineage_renders_from_the_selection() {
    let mut sample = sample::full();
    sample.searches.clear();
    sample.trials.clear();
    sample.timings.clear();
    sample.lineage.clear();
    sample.statistics.distributions.clear();
    sample.statistics.correlation.clear();
    let page = page(&sample);
    html::check(&page).expect("well-formed");
    assert!(html::text(html::section(&page, "glance")).contains("ROC AUC –"));
}

#[test]
fn hostile_text_is_escaped_wherever_it_comes_from() {
    let mut sample = sample::full();
    let hostile = || HOSTILE.to_owned();
    let split = &mut sample.statistics.splits[0];
    split.attacks.insert(hostile(), 3);
    sample.statistics.rows.excluded.insert(hostile(), 0);
    sample.statistics.distributions[0].feature = hostile();
    let feature = &mut sample.features.features[0];
    (feature.name, feature.unit, feature.description, feature.expression) =
        (hostile(), hostile(), hostile(), hostile());
    sample.features.feature_set = hostile();
    sample.audit.warnings[0].feature = hostile();
    sample.audit.warnings[0].consequence = hostile();
    sample.audit.warnings[0].remedy = hostile();
    let measured = sample.audit.measured.as_mut().expect("the sample has it");
    measured.features[0].feature = hostile();
    measured.duplicates[0].split = hostile();
    measured.time.undefined = Some(hostile());
    sample.selection.reason = hostile();
    sample.selection.warnings = vec![hostile()];
    sample.trials[0].trials[0].warnings = vec![hostile()];
    for candidate in &mut sample.searches[0].candidates {
        candidate.parameters.insert(hostile(), ParamValue::Text(hostile()));
        candidate.parameters.insert("kernel".into(), ParamValue::Text(format!("{HOSTILE}{}", candidate.rank % 3)));
    }
    sample.expectations.suite_name = hostile();
    sample.expectations.results[0].expectation_config.kind = hostile();
    sample.expectations.results[0].expectation_config.kwargs.insert("column".into(), HOSTILE.into());
    sample.expectations.results[0].result.insert("observed_value".into(), HOSTILE.into());
    (sample.lineage[0].name, sample.lineage[0].build) = (hostile(), hostile());
    sample.lineage[0].inputs[0].0 = hostile();
    sample.timings[0].0 = hostile();
    (sample.timings[0].1.host, sample.timings[0].1.started) = (hostile(), hostile());
    sample.timings[0].1.parts.insert(hostile(), 1.0);

    let mut report = sample.report();
    report.title = HOSTILE;
    report.version = HOSTILE;
    let page = render(&report).expect("renders");
    html::check(&page).expect("well-formed");
    assert!(!page.contains("<script"));
    assert!(!page.contains("alert(\""), "a quote could leave an attribute");
    assert!(page.matches("&lt;script&gt;").count() > 30, "the text is shown, escaped");
}

#[test]
fn numbers_that_are_none_are_a_dash_and_break_no_chart() {
    let mut sample = sample::full();
    let nan = f64::NAN;
    sample.searches[0].candidates[0].mean = nan;
    sample.searches[0].candidates[0].scores = vec![nan, f64::INFINITY, 0.5];
    sample.searches[1]
        .candidates
        .iter_mut()
        .for_each(|candidate| (candidate.mean, candidate.scores) = (nan, Vec::new()));
    sample.statistics.correlation[1][0] = nan;
    sample.features.features[2].statistics.mean = nan;
    sample.statistics.distributions[0].range = (nan, nan);
    sample.timings[0].1.seconds = nan;
    let encoder = sample.encoder.as_mut().expect("the sample has one");
    encoder.loss[3] = nan;
    encoder.latent = 99;
    let page = page(&sample);
    html::check(&page).expect("well-formed");
    assert!(!page.contains("NaN") && !page.contains("=\"inf"), "a number that is none got through");
}

#[test]
fn every_chart_has_a_name_and_a_description() {
    let page = page(&sample::full());
    let charts: Vec<&str> =
        page.split("<svg").skip(1).filter(|svg| !svg.contains("aria-hidden=\"true\"><rect")).collect();
    // 8 searches in 2 to 3 facets, 2 encoder charts, 10 features twice, correlation, audit, lineage.
    assert_eq!(charts.len(), 2 * (3 + 3 + 2 + 2) + 2 + 20 + 1 + 1 + 1);
    for chart in charts {
        let head = chart.split_once('>').map(|(head, rest)| (head, rest.starts_with("<title>")));
        assert!(head.is_some_and(|(head, named)| head.contains("role=\"img\"") && named), "{}", &chart[..80]);
    }
}

#[test]
fn candidates_computed_once_are_noted_with_their_original() {
    let page = page(&sample::full());
    let search = html::text(html::section(&page, "search"));
    assert!(search.contains("3 of them computed once and reported twice."), "{search}");
    assert!(search.contains("same computation as candidate 1"), "{search}");
}

#[test]
fn candidates_that_were_cut_are_pale_and_say_when_and_why() {
    let mut sample = sample::full();
    let candidates = &mut sample.searches[0].candidates;
    candidates[0].cut = Some(Cut { rung: 0, rows: 3_692, reason: CutReason::Rank });
    candidates[1].cut = Some(Cut { rung: 1, rows: 11_078, reason: CutReason::Budget });
    let page = page(&sample);
    let search = html::text(html::section(&page, "search"));
    assert!(search.contains("2 were cut before they were scored on all rows of train"), "{search}");
    assert!(search.contains("cut, scored on 3\u{202f}692 rows: others were better"), "{search}");
    assert!(search.contains("cut, scored on 11\u{202f}078 rows: the time was up"), "{search}");
    assert_eq!(page.matches("class=\"dot cut\"").count(), 2);
}

#[test]
fn a_large_search_shows_its_best_and_counts_the_rest() {
    let mut sample = sample::full();
    let search = &mut sample.searches[0];
    let best = search.candidates[search.best].clone();
    let worse = |i: usize| {
        let mut candidate = best.clone();
        candidate.rank = 10 + i;
        candidate.parameters = ParamMap::from([("C".to_owned(), ParamValue::Int(i as i64))]);
        candidate
    };
    search.candidates = (0..1_000).map(worse).collect();
    search.candidates[700].rank = 1;
    search.best = 700;
    let page = page(&sample);
    assert!(page.contains("The 850 lowest ranked candidates are left out"));
    assert!(html::text(html::section(&page, "search")).contains("Best: C = 700 with"));
}

#[test]
fn a_lopsided_test_split_is_a_warning_with_the_better_numbers() {
    let mut sample = sample::one_family();
    for ranked in &mut sample.selection.ranking {
        ranked.confusion =
            ConfusionMatrix { true_negatives: 950, false_positives: 0, false_negatives: 25, true_positives: 25 };
    }
    let glance = |sample: &Sample| html::text(html::section(&page(sample), "glance"));
    let text = glance(&sample);
    assert!(text.contains("One class holds 95.0 % of the test rows."), "{text}");
    assert!(text.contains("Always answering benign would reach an accuracy of 0.950"), "{text}");
    // Recalls 950/950 and 25/50.
    assert!(text.contains("balanced accuracy (0.750)"), "{text}");

    sample.selection.warnings = vec!["benign holds 95 % of the test rows".to_owned()];
    let text = glance(&sample);
    assert!(text.contains("benign holds 95 % of the test rows. Always answering benign"), "{text}");
    assert!(!text.contains("One class holds"), "the same warning twice: {text}");
}

#[test]
fn rows_that_do_not_add_up_are_the_first_warning() {
    let mut sample = sample::full();
    sample.statistics.rows.kept += 1;
    let text = html::text(html::section(&page(&sample), "glance"));
    let warning = text.find("Rows do not add up").expect("warned");
    assert!(warning < text.find("identifies a record").expect("audited"));
    assert!(text.contains("does not add up"));
}

#[test]
fn a_clean_run_says_that_nothing_is_wrong() {
    let mut sample = sample::one_family();
    sample.audit = Audit { warnings: Vec::new(), measured: None, ..sample.audit };
    sample.expectations.success = true;
    sample.statistics.rows.input -= sample.statistics.rows.quarantined;
    sample.statistics.rows.quarantined = 0;
    sample.searches[0].candidates.iter_mut().for_each(|candidate| candidate.unconverged = 0);
    let page = page(&sample);
    assert!(page.contains("No warning: rows add up"));
    assert!(page.contains("No feature is declared to identify"));
}

#[test]
fn the_audit_shows_each_feature_alone_and_all_together() {
    let page = page(&sample::full());
    let audit = html::text(html::section(&page, "audit"));
    // Best on the split first, each with both scores.
    let order = ["destination_port: 0.997", "destination_ip, identifies a host: 0.987", "flow_id, identifies a record"];
    let places = order.map(|text| page.find(text).unwrap_or_else(|| panic!("{text} is not shown")));
    assert!(places.is_sorted(), "{places:?}");
    // A fall of .9992 - .9448 and one of .9884 - .9835.
    assert!(audit.contains("all 10 0.999 0.945 0.054 6 that identify nothing 0.988 0.984 0.005"), "{audit}");
    assert!(audit.contains("test 9\u{202f}471 rows those that identify nothing 1\u{202f}208 12.8 % 3"), "{audit}");
    assert!(audit.contains("Measured on 47\u{202f}367 of 473\u{202f}670 rows"), "{audit}");
    assert!(
        audit.contains("source_ip, destination_ip and source_port identify a host. A model may learn who"),
        "{audit}"
    );
    assert!(audit.contains("12 rows without an event time left out"), "{audit}");
}

#[test]
fn what_the_audit_measured_is_known_at_a_glance() {
    let mut sample = sample::full();
    let glance = |sample: &Sample| html::text(html::section(&page(sample), "glance"));
    let text = glance(&sample);
    let fall = "bytes alone has a balanced accuracy of 0.967 on the split and 0.837 in time order.";
    assert!(text.contains(&format!("warning {fall} Leave it out of the feature set")), "{text}");
    assert!(text.contains("note duration has 47005 different values in 47367 rows"), "{text}");
    assert!(!text.contains("A small decision tree falls") && !text.contains("equal a row of train"), "{text}");

    sample.audit.warnings.last_mut().expect("the sample has some").finding =
        Finding::RecordLike { distinct: 47_367, rows: 47_367, split: Some(0.982) };
    let measured = sample.audit.measured.as_mut().expect("the sample has it");
    measured.together.time = Some(0.8);
    measured.duplicates[0].same_label = 1_900;
    let text = glance(&sample);
    let fall = "A small decision tree falls from a balanced accuracy of 0.999 on the split to 0.800 in time order.";
    assert!(text.contains(fall), "{text}");
    assert!(text.contains("warning duration has 47367 different values in 47367 rows"), "{text}");
    assert!(text.contains("At least 20.1 % of the test rows equal a row of train."), "{text}");
}

#[test]
fn pictures_of_a_sample_say_so() {
    let mut sample = sample::full();
    let sentence = "show a sample of 6\u{202f}000 rows of train";
    assert!(page(&sample).contains(sentence));
    let train = &sample.statistics.splits[0];
    sample.statistics.sampled = train.benign + train.malicious;
    assert!(!page(&sample).contains("show a sample of"));
}

#[test]
fn an_audit_without_scores_says_why() {
    let mut sample = sample::full();
    let measured = sample.audit.measured.as_mut().expect("the sample has it");
    measured.time.undefined = Some("the later rows with no malicious row".to_owned());
    measured.features.iter_mut().for_each(|feature| feature.time = None);
    (measured.together.time, measured.without_identity) = (None, None);
    measured.duplicates_without_identity.clear();
    measured.rows_total = measured.rows;
    let page = page(&sample);
    html::check(&page).expect("well-formed");
    let audit = html::text(html::section(&page, "audit"));
    assert!(audit.contains("no scores: the later rows with no malicious row"), "{audit}");
    assert!(audit.contains("all 10 0.999 – –") && audit.contains("Measured on all 47\u{202f}367 rows"), "{audit}");
}

#[test]
fn an_audit_of_declarations_only_shows_no_measurement() {
    let mut sample = sample::full();
    sample.audit.measured = None;
    let page = page(&sample);
    html::check(&page).expect("well-formed");
    let audit = html::text(html::section(&page, "audit"));
    assert!(!audit.contains("balanced accuracy: once") && audit.contains("flow_id identifies a record."), "{audit}");
}

#[test]
fn the_champion_is_compared_in_the_words_of_the_selection() {
    let mut sample = sample::full();
    sample.selection.champion = Some(ChampionComparison {
        id: sample.selection.ranking[5].id,
        artifact: Digest::of(b"champion"),
        confusion: sample.selection.ranking[5].confusion,
        only_winner: 26,
        only_champion: 1,
        p_value: 4.172325134277344e-7,
        rule: PromotionRule::Significance(0.05),
        reason: "27 rows differ and 26 speak for the winner".to_owned(),
    });
    let text = html::text(html::section(&page(&sample), "glance"));
    let reason = "Against the champion: 27 rows differ and 26 speak for the winner.";
    let counts = "KNN on baseline, default: accuracy 0.997, 16 false negatives, 12 false positives. Only the winner is \
                  right on 26 rows, only the champion on 1; McNemar p = 4.172e-7 (exact, two-sided). Rule: promote when \
                  it is right on more rows and p is below 0.05.";
    assert!(text.contains(reason) && text.contains(counts), "{text}");
}

#[test]
fn another_metric_and_the_verdict_keep_are_named() {
    let mut sample = sample::full();
    sample.selection.metric = Metric::BalancedAccuracy;
    sample.selection.verdict = Verdict::Keep;
    let text = html::text(html::section(&page(&sample), "glance"));
    assert!(text.contains("Ranked by balanced accuracy: 0.9997."), "{text}");
    assert!(text.contains("keep Keep what is deployed."), "{text}");
}

#[test]
fn a_run_without_champion_and_the_work_that_is_counted_are_named() {
    let mut sample = sample::full();
    let glance = |sample: &Sample| html::text(html::section(&page(sample), "glance"));
    let alone = "There is no champion to compare with.";
    assert_eq!(glance(&sample).contains(alone), sample.selection.champion.is_none());
    sample.selection.champion = None;
    let text = glance(&sample);
    assert!(text.contains(alone) && text.contains(" of work without packaging."), "{text}");
}

#[test]
fn lineage_survives_any_order_and_cycles() {
    let mut sample = sample::full();
    sample.lineage.reverse();
    let digest = Digest::of(b"itself");
    let inputs = vec![("itself".to_owned(), digest)];
    let own = LineageStep { name: "cycle".into(), stage: "x".into(), digest, inputs, build: String::new(), seed: None };
    sample.lineage.push(own);
    html::check(&page(&sample)).expect("well-formed");
}

#[test]
fn a_winner_outside_of_the_ranking_is_refused() {
    let mut sample = sample::one_family();
    sample.selection.winner =
        TrialId { representation: Representation::Autoencoder, family: Family::Svc, setting: Setting::Best };
    let error = render(&sample.report()).expect_err("refused");
    assert!(matches!(error, RenderError::WinnerNotRanked { ranked: 2, .. }));
    assert!(error.to_string().contains("autoencoder-svc-best"), "{error}");
}
