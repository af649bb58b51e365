//! Validation against predictors that behave, and that do not.

mod command;
mod fixture;
mod stand_in;

use std::time::Duration;

use fixture::{ODD, ROWS, features, request, unlabelled};
use serde_json::json;
use stand_in::{Reply, StandIn, honest};
use weir_contract::validation::{Payload, Protocol, RowCounts, ValidationReport};
use weir_contract::{ConfusionMatrix, ExitCode, Label, Share};
use weir_monitor::{Request, Settings, validate};
use weir_stage::{Failure, Stage};

fn run(request: &Request) -> Result<ValidationReport, Failure> {
    validate(request, &Stage::silent())
}

/// What the fixture's labels say of a predictor that goes by the bytes.
fn expected() -> ConfusionMatrix {
    ConfusionMatrix { true_negatives: 123, false_positives: 1, false_negatives: 2, true_positives: 124 }
}

#[test]
fn every_flow_is_sent_once_and_counted() {
    let (_temp, features) = features();
    let predictor = StandIn::honest();
    let report = run(&request(&features, &predictor.url)).unwrap();
    assert_eq!(report.rows, RowCounts { sent: 250, answered: 250, refused: 0, failed: 0 });
    assert_eq!(report.confusion, expected());
    assert_eq!((report.accuracy.part, report.accuracy.whole, report.accuracy.share), (247, 250, 247.0 / 250.0));
    assert!(report.accuracy.low < report.accuracy.share && report.accuracy.share < report.accuracy.high);
    assert_eq!(report.wrong.iter().map(|wrong| wrong.row as usize).collect::<Vec<_>>(), ODD);
    let wrong = &report.wrong[0];
    assert_eq!((wrong.flow_id.as_deref(), wrong.label), (Some("flow-10"), Label::Malicious));
    assert_eq!((report.endpoint.model.as_str(), report.endpoint.model_version.as_deref()), ("detector", Some("7")));
    assert_eq!(report.latency.unwrap().requests, 250);

    let sent = predictor.predictions();
    assert_eq!(sent.len(), ROWS);
    for (row, heard) in sent.iter().enumerate() {
        let instance = &heard.body["instances"][0];
        assert_eq!(instance["flow_id"], format!("flow-{row}"));
        // Whoever is asked must not be told.
        assert!(instance.get("label").is_none() && instance.get("attack").is_none(), "{instance}");
    }
}

#[test]
fn counts_do_not_depend_on_protocol_payload_batch_or_connections() {
    let (_temp, features) = features();
    let predictor = StandIn::honest();
    for protocol in [Protocol::V1, Protocol::V2] {
        for payload in [Payload::Flows, Payload::Features] {
            for (batch, connections) in [(1, 8), (7, 3), (1_000, 1)] {
                let base = request(&features, &predictor.url);
                let endpoint = Settings { protocol, model: Some("detector".to_owned()), ..base.endpoint };
                let report = run(&Request { endpoint, payload, batch, connections, ..base }).unwrap();
                assert_eq!((report.confusion, report.rows.sent), (expected(), 250), "{protocol:?} {payload:?} {batch}");
                assert_eq!(report.wrong.iter().map(|wrong| wrong.row as usize).collect::<Vec<_>>(), ODD);
            }
        }
    }
}

#[test]
fn answers_that_overtake_each_other_count_for_their_own_rows() {
    let (_temp, features) = features();
    let predictor = StandIn::start(|heard, number| match honest(heard) {
        Reply::Json(200, value) if heard.is_prediction() && number % 5 == 0 => {
            Reply::Slow(Duration::from_millis(20), value)
        }
        other => other,
    });
    let report = run(&Request { connections: 8, ..request(&features, &predictor.url) }).unwrap();
    assert_eq!(report.confusion, expected());
}

#[test]
fn a_busy_predictor_is_asked_again_and_a_broken_connection_too() {
    let (_temp, features) = features();
    let predictor = StandIn::start(|heard, number| match number {
        3 if heard.is_prediction() => Reply::Busy(0),
        7 if heard.is_prediction() => Reply::Close,
        _ => honest(heard),
    });
    let report = run(&request(&features, &predictor.url)).unwrap();
    assert_eq!((report.confusion, report.rows.failed), (expected(), 0));
    assert!(report.sending.retries >= 1, "{}", report.sending.retries);
}

#[test]
fn a_refused_row_has_its_reason_and_costs_no_other_row_its_own() {
    let (_temp, features) = features();
    let predictor = StandIn::start(|heard, _| {
        let instances = heard.body["instances"].as_array();
        let odd = |flow: &serde_json::Value| flow["flow_id"] == "flow-4" || flow["flow_id"] == "flow-6";
        match instances.is_some_and(|flows| flows.iter().any(odd)) {
            true => Reply::Json(400, json!({"error": "instance 0: no such flow"})),
            false => honest(heard),
        }
    });
    let report = run(&Request { batch: 10, ..request(&features, &predictor.url) }).unwrap();
    assert_eq!(report.rows, RowCounts { sent: 250, answered: 248, refused: 2, failed: 0 });
    let reason = &report.unanswered[0];
    assert_eq!(
        (reason.reason.as_str(), reason.rows, reason.first_row),
        ("400 Bad Request: instance 0: no such flow", 2, 4)
    );
    // Both refused rows are benign and would have been right.
    assert_eq!((report.accuracy.part, report.accuracy.whole), (245, 250));
}

#[test]
fn nonsense_is_no_answer() {
    for reply in ["<html>welcome</html>", r#"{"predictions": [1, 0]}"#, r#"{"predictions": [0.5]}"#, ""] {
        let (_temp, features) = features();
        let predictor = StandIn::start(move |heard, number| match number {
            5 if heard.is_prediction() => Reply::Text(200, reply),
            _ => honest(heard),
        });
        let failure = run(&request(&features, &predictor.url)).unwrap_err();
        assert_eq!(failure.code, ExitCode::Retry);
        assert!(failure.message.contains("failed to answer 1 of 6 rows: "), "{failure}");
        let report = run(&Request { maximum_failures: 1, ..request(&features, &predictor.url) });
        // The number of requests went on, so that every row is answered this time.
        assert_eq!(report.unwrap().rows.failed, 0);
    }
}

#[test]
fn failures_up_to_the_maximum_are_reported_and_count_as_not_right() {
    let (_temp, features) = features();
    let predictor = StandIn::start(|heard, _| match heard.body["instances"][0]["flow_id"] == "flow-5" {
        true => Reply::Text(500, "panic"),
        false => honest(heard),
    });
    let minimum_accuracy = Some(Share::try_from(0.987).unwrap());
    let report = run(&Request { maximum_failures: 1, minimum_accuracy, ..request(&features, &predictor.url) }).unwrap();
    assert_eq!(report.rows, RowCounts { sent: 250, answered: 249, refused: 0, failed: 1 });
    // 246 / 249 of the answered rows would pass.
    assert_eq!((report.accuracy.share, report.minimum.unwrap().passed), (246.0 / 250.0, false));
    assert_eq!(report.unanswered[0].reason, "500 Internal Server Error: panic");
}

#[test]
fn an_endpoint_that_cannot_be_asked_is_told_before_anything_is_sent() {
    let (_temp, features) = features();
    let failure = |endpoint: Settings| run(&Request { endpoint, ..request(&features, "") }).unwrap_err();
    let settings = |url: &str| Settings { retries: 0, ..request(&features, url).endpoint };

    let nobody = failure(settings("http://127.0.0.1:1"));
    assert_eq!(nobody.code, ExitCode::Retry);
    assert!(nobody.message.contains("no answer from http://127.0.0.1:1/v1/models in 1 attempts"), "{nobody}");

    let predictor = StandIn::honest();
    let wrong = failure(Settings { model: Some("other".to_owned()), ..settings(&predictor.url) });
    assert_eq!(wrong.code, ExitCode::Input);
    assert!(wrong.message.ends_with("has no model \"other\"; there are detector"), "{wrong}");

    let two = StandIn::start(|_, _| Reply::Json(200, json!({"models": ["a", "b"]})));
    let several = failure(settings(&two.url));
    assert_eq!((several.code, several.hint.as_deref()), (ExitCode::Usage, Some("name one of them with --model")));

    let page = StandIn::start(|_, _| Reply::Text(404, "<html>"));
    assert_eq!(failure(settings(&page.url)).code, ExitCode::Usage);

    let loading = StandIn::start(|_, _| Reply::Json(200, json!({"models": ["m"], "name": "m", "ready": false})));
    assert_eq!(failure(settings(&loading.url)), {
        Failure::retry("model \"m\" is not ready")
            .hint("check that the predictor runs and start the same command again")
    });
    assert!(predictor.predictions().is_empty());
}

#[test]
fn a_predictor_that_is_slower_than_the_limit_has_not_answered() {
    let (_temp, features) = features();
    let predictor = StandIn::start(|heard, _| match honest(heard) {
        Reply::Json(200, value) if heard.is_prediction() => Reply::Slow(Duration::from_secs(2), value),
        other => other,
    });
    let base = request(&features, &predictor.url);
    let endpoint = Settings { timeout: Duration::from_millis(100), retries: 0, ..base.endpoint };
    let failure = run(&Request { endpoint, ..base }).unwrap_err();
    assert!(failure.message.ends_with("no answer within 0.1 s"), "{failure}");
}

#[test]
fn token_and_host_are_sent_with_every_request() {
    let (_temp, features) = features();
    let predictor = StandIn::start(|heard, _| match heard.header("authorization") {
        Some("Bearer secret") => honest(heard),
        _ => Reply::Text(401, "who are you"),
    });
    let base = request(&features, &predictor.url);
    let denied = run(&base).unwrap_err();
    assert_eq!(denied.code, ExitCode::Usage);
    assert!(denied.hint.unwrap().ends_with("--token-file"));
    let host = Some("detector.example".to_owned());
    let endpoint = Settings { token: Some("secret".to_owned()), host, ..base.endpoint };
    let report = run(&Request { endpoint, ..base }).unwrap();
    assert_eq!(report.rows.answered, 250);
    assert!(predictor.predictions().iter().all(|heard| heard.header("host") == Some("detector.example")));
}

#[test]
fn rows_without_labels_and_changed_tables_are_no_validation_rows() {
    let predictor = StandIn::honest();
    let (_temp, dir) = unlabelled();
    let failure = run(&request(&dir, &predictor.url)).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input);
    assert!(failure.message.ends_with("flows-validation.parquet: row 0 has no label"), "{failure}");

    let (_temp, dir) = features();
    let path = dir.join("flows-validation.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[50] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let failure = run(&request(&dir, &predictor.url)).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input);
    assert!(failure.message.contains("flows-validation.parquet"), "{failure}");
    assert!(predictor.predictions().is_empty());
}
