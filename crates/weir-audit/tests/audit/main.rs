//! What the audit finds in tables whose truth is known.

mod assuremoss;
mod table;

use weir_audit::{AuditError, Sample, audit, declared, text};
use weir_contract::audit::{Audit, Classes, Finding, Method};
use weir_contract::feature::Identifies;
use weir_contract::{Classify, ExitCode};

use table::Table;

fn of(table: &Table) -> Audit {
    audit(&table.sample(), &Method::default(), &|| false).expect("audited")
}

fn findings<'a>(audit: &'a Audit, feature: &str) -> Vec<&'a Finding> {
    audit.warnings.iter().filter(|warning| warning.feature == feature).map(|warning| &warning.finding).collect()
}

/// Rows alternate between the classes. `port` decides the class until the attacker moves to another port for the last
/// 30 % of the time; `clock` is the time, `number` the row, `noise` nothing.
fn moving_attacker() -> Table {
    let mut table = Table::new(&["port", "clock", "number", "fixed", "noise"]);
    for row in 0..1_000_u32 {
        let malicious = row % 2 == 1;
        let port = match (malicious, row < 700) {
            (false, _) => 443.0,
            (true, true) => 22.0,
            (true, false) => 8_080.0,
        };
        let scattered = row.wrapping_mul(2_654_435_761) >> 8;
        let split = [0, 0, 0, 0, 0, 0, 0, 1, 1, 2][(scattered % 10) as usize];
        let values = [port, f64::from(row), f64::from(scattered), 7.0, f64::from(scattered % 5)];
        table.push(&values, malicious, split, Some(i64::from(row) * 1_000));
    }
    table
}

#[test]
fn a_feature_that_holds_for_its_own_time_only_is_found() {
    let audit = of(&moving_attacker());
    let measured = audit.measured.as_ref().unwrap();
    // Below the first threshold lie 22, above it 443 and 8080, which a second one parts on the split; the earlier rows
    // know no second one, so all later rows are called benign: recalls 1 and 0.
    assert_eq!((measured.features[0].split, measured.features[0].time), (Some(1.0), Some(0.5)));
    assert_eq!(findings(&audit, "port"), [&Finding::FallsInTime { split: 1.0, time: 0.5 }]);
    assert_eq!(measured.time.train, Classes { benign: 350, malicious: 350 });
    assert_eq!(measured.time.test, Classes { benign: 150, malicious: 150 });
}

#[test]
fn clocks_numbers_and_constants_are_found_and_noise_is_not() {
    let audit = of(&moving_attacker());
    assert_eq!(findings(&audit, "clock"), [&Finding::FollowsTime { rank_correlation: 1.0 }]);
    let number = findings(&audit, "number");
    assert!(matches!(number[..], [Finding::RecordLike { distinct: 1_000, rows: 1_000, .. }]), "{number:?}");
    assert_eq!(findings(&audit, "fixed"), [&Finding::Constant { value: 7.0 }]);
    assert!(findings(&audit, "noise").is_empty());
    assert!(audit.warnings.iter().all(|warning| !warning.consequence.is_empty() && !warning.remedy.is_empty()));
}

#[test]
fn what_is_declared_is_named_once_and_left_out_of_the_comparison() {
    let mut table = moving_attacker();
    table.identifies[1] = Some(Identifies::Moment);
    table.identifies[2] = Some(Identifies::Record);
    let audit = of(&table);
    assert_eq!(findings(&audit, "clock"), [&Finding::Declared { identifies: Identifies::Moment }]);
    assert_eq!(findings(&audit, "number"), [&Finding::Declared { identifies: Identifies::Record }]);
    let measured = audit.measured.unwrap();
    assert_eq!(measured.together.features, 5);
    assert_eq!(measured.without_identity.unwrap().features, 3);
    // Number and clock are never the same again; port, fixed and noise are.
    assert!(measured.duplicates.iter().all(|counts| counts.same_label == 0 && counts.rows > 0));
    assert!(measured.duplicates_without_identity.iter().all(|counts| counts.same_label == counts.rows));
}

#[test]
fn without_measurements_the_declarations_remain() {
    let names = ["source", "bytes"].map(str::to_owned);
    let audit = declared(&names, &[Some(Identifies::Host), None]);
    assert_eq!(findings(&audit, "source"), [&Finding::Declared { identifies: Identifies::Host }]);
    assert_eq!((audit.warnings.len(), audit.measured.as_ref()), (1, None));
    assert!(text(&audit).contains("Nothing was measured"));
}

#[test]
fn rows_of_test_and_validation_that_train_holds_are_counted_by_label() {
    let mut table = Table::new(&["a", "b"]);
    let mut push = |a, b, malicious, split| table.push(&[a, b], malicious, split, None);
    push(1.0, 2.0, false, Sample::TRAIN);
    push(3.0, 0.0, true, Sample::TRAIN);
    push(5.0, 5.0, false, Sample::TRAIN);
    push(5.0, 5.0, true, Sample::TRAIN);
    push(1.0, 2.0, false, Sample::TEST); // the same
    push(1.0, 2.0, true, Sample::TEST); // the same but for the label
    push(5.0, 5.0, true, Sample::TEST); // both
    push(2.0, 1.0, true, Sample::TEST); // new
    push(3.0, -0.0, true, Sample::VALIDATION); // the same: zero has one value
    push(2.0, 1.0, true, Sample::VALIDATION); // test is not train
    let measured = of(&table).measured.unwrap();
    let counts = |i: usize| {
        let counts = &measured.duplicates[i];
        (counts.split.as_str(), counts.rows, counts.same_label, counts.other_label)
    };
    assert_eq!([counts(0), counts(1)], [("test", 4, 2, 2), ("validation", 2, 1, 0)]);
}

#[test]
fn where_a_class_is_absent_there_is_no_score_and_a_reason() {
    let mut table = moving_attacker();
    // All attacks are early.
    for row in 0..1_000 {
        table.label[row] = u8::from(row < 500);
    }
    let audit = of(&table);
    let measured = audit.measured.as_ref().unwrap();
    assert!(measured.features.iter().all(|feature| feature.split.is_some() && feature.time.is_none()));
    assert_eq!(measured.together.time, None);
    assert_eq!(measured.split.undefined, None);
    assert_eq!(measured.time.undefined.as_deref(), Some("the later rows with no malicious row"));
    assert!(text(&audit).contains("no scores: the later rows with no malicious row"));
}

#[test]
fn rows_without_a_time_are_left_out_of_the_time_order_and_counted() {
    let mut table = Table::new(&["bytes"]);
    for row in 0..40_u32 {
        let time = (row % 4 != 0).then(|| i64::from(row));
        table.push(&[f64::from(row)], row % 2 == 1, (row % 3) as u8, time);
    }
    let measured = of(&table).measured.unwrap();
    assert_eq!(measured.rows_without_time, 10);
    assert_eq!(measured.time.train.rows() + measured.time.test.rows(), 30);
    assert_eq!(measured.time.train.rows(), 21);
}

#[test]
fn rows_of_one_moment_are_never_on_both_sides() {
    let mut table = Table::new(&["bytes"]);
    for row in 0..100_u32 {
        table.push(&[f64::from(row)], row % 2 == 1, 0, Some(i64::from(row / 50)));
    }
    let measured = of(&table).measured.unwrap();
    // Row 70 belongs to the second moment, so all of that moment is later.
    assert_eq!((measured.time.train.rows(), measured.time.test.rows()), (50, 50));
}

#[test]
fn an_empty_sample_has_no_scores() {
    let measured = of(&Table::new(&["bytes"])).measured.unwrap();
    assert_eq!(measured.split.undefined.as_deref(), Some("train with no rows, test with no rows"));
    assert_eq!((measured.together.split, measured.together.time), (None, None));
    assert_eq!(measured.features[0].distinct, 0);
}

#[test]
fn the_order_of_rows_and_the_number_of_threads_change_nothing() {
    let table = moving_attacker();
    let mut turned = table.clone();
    turned.reorder(|row| (row * 7 + 3) % 1_000);
    assert_ne!(table.columns, turned.columns);
    let threads = |count| rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
    let one = threads(1).install(|| of(&table));
    assert_eq!(threads(3).install(|| of(&table)), one);
    assert_eq!(threads(3).install(|| of(&turned)), one);
}

#[test]
fn a_cancelled_audit_stops() {
    let error = audit(&moving_attacker().sample(), &Method::default(), &|| true).unwrap_err();
    assert!(matches!(error, AuditError::Cancelled));
    assert_eq!(error.exit_code(), ExitCode::Interrupted);
}

#[test]
fn a_value_that_is_no_number_is_refused_with_its_place() {
    let mut table = moving_attacker();
    table.columns[3][17] = f64::NAN;
    let error = audit(&table.sample(), &Method::default(), &|| false).unwrap_err();
    assert_eq!(error.to_string(), "feature \"fixed\" is NaN in row 17 of the audited sample");
    assert_eq!(error.exit_code(), ExitCode::Input);
}

#[test]
fn the_text_is_a_table_with_the_best_feature_first() {
    let mut table = moving_attacker();
    table.rows_total = 5_000;
    table.identifies[1] = Some(Identifies::Moment);
    let text = text(&of(&table));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Balanced accuracy of a decision tree of depth 5, over 1000 of 5000 rows");
    let header = lines.iter().position(|line| line.starts_with("feature")).unwrap();
    let cells: Vec<&str> = lines[header + 1].split_whitespace().collect();
    assert_eq!(cells, ["port", "1.000", "0.500", "0.500", "3"]);
    assert!(text.contains("all 5 together") && text.contains("4 that identify nothing"), "{text}");
    assert!(text.contains("(on a sample: at least)"), "{text}");
    assert!(text.contains("  clock identifies a moment\n"), "{text}");
    assert!(text.contains("  test       0 of "), "{text}");
}
