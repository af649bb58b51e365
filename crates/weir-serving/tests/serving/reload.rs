//! Another bundle takes over without a request being lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use weir_bundle::{BundleError, SigningKey, VerifyingKey, sign};
use weir_contract::{Family, Representation};
use weir_serving::{App, Predictor, Settings};

use crate::fixture::{INFER, MODEL, matrix, new_flows, request, run, send, served, vectors, write};

const LOAD: &str = "/v2/repository/models/small-detector/load";

/// Lets the link point to the bundle, at once.
fn point(link: &Path, bundle: &Path) {
    let next = link.with_extension("next");
    symlink(bundle, &next).unwrap();
    fs::rename(next, link).unwrap();
}

#[test]
fn requests_are_answered_by_one_bundle_or_the_other_while_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let dirs = ["tree", "logistic"].map(|name| folder.path().join(name));
    let families = [Family::DecisionTree, Family::LogisticRegression];
    let bundles = [0, 1].map(|i| write(&dirs[i], Representation::Baseline, families[i]));
    let link = folder.path().join("served");
    point(&link, &dirs[0]);
    let predictor = Arc::new(Predictor::new(Settings { bundle: link.clone(), ..Settings::default() }));
    predictor.load().unwrap();
    let app = App::new(Arc::clone(&predictor), None);

    let flows = new_flows();
    let mut body = matrix(&vectors(&bundles[0], &flows));
    body["outputs"] = json!([{"name": "score"}]);
    let body = body.to_string();
    let expected = bundles.map(|bundle| {
        let scores = bundle.predict(&flows.iter().cloned().collect()).scores;
        (bundle.digest().short(), json!(scores))
    });
    assert_ne!(expected[0].1, expected[1].1);

    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut seen = [0, 0];
            run(async {
                while !done.load(Ordering::Relaxed) {
                    let answer = send(&app, request(Method::POST, INFER, &[], body.as_bytes())).await;
                    assert_eq!(answer.status, StatusCode::OK);
                    let answer = answer.json();
                    let which = expected.iter().position(|(version, _)| answer["model_version"] == json!(version));
                    let which = which.expect("one of the two");
                    assert_eq!(answer["outputs"][0]["data"], expected[which].1);
                    seen[which] += 1;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
            seen
        });
        for turn in 1..=60 {
            point(&link, &dirs[turn % 2]);
            assert!(predictor.reload().unwrap());
            // The second answer from now on was asked for after the change.
            let before = answered.load(Ordering::Relaxed);
            while answered.load(Ordering::Relaxed) < before + 2 && !asking.is_finished() {
                thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
        let seen = asking.join().unwrap();
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    });
}

#[test]
fn the_memory_of_the_bundle_before_is_freed() {
    let served = served();
    let predictor = Arc::downgrade(served.app.predictor());
    let digest = served.app.predictor().digest();
    fs::remove_dir_all(served.dir()).unwrap();
    write(&served.dir(), Representation::Baseline, Family::LogisticRegression);
    assert_eq!(served.call(Method::POST, LOAD, &[], b"").json(), json!({"name": MODEL, "load": true}));
    assert_ne!(served.app.predictor().digest(), digest);
    drop(served);
    assert_eq!(predictor.strong_count(), 0);
}

#[test]
fn a_bundle_that_does_not_open_leaves_the_one_before_serving() {
    let served = served();
    let card = served.dir().join("MODEL_CARD.md");
    let whole = fs::read(&card).unwrap();
    fs::write(&card, "# changed\n").unwrap();
    let answer = served.call(Method::POST, LOAD, &[], b"");
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.error().contains("MODEL_CARD.md was changed"), "{}", answer.error());
    assert_eq!(served.get("/v2/health/ready").status, StatusCode::OK);
    assert_eq!(served.post(INFER, &matrix(&[vec![1.0, 2.0, 3.0]])).status, StatusCode::OK);
    let text = String::from_utf8(served.get("/metrics").body).unwrap();
    assert!(text.contains("weir_bundle_reload_failures_total 1\n"), "{text}");

    fs::write(&card, whole).unwrap();
    assert_eq!(served.call(Method::POST, LOAD, &[], b"").status, StatusCode::OK);
    let text = String::from_utf8(served.get("/metrics").body).unwrap();
    assert!(text.contains("weir_bundle_reloads_total 0\n"), "the same bundle is no other one: {text}");
}

#[test]
fn with_keys_a_bundle_is_served_only_if_one_of_them_has_signed_it() {
    // The keys of RFC 8410, section 10.3 and 10.1.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bundle");
    write(&dir, Representation::Baseline, Family::DecisionTree);
    let trust = vec![VerifyingKey::from_pem(PUBLIC).unwrap()];
    let predictor = Predictor::new(Settings { bundle: dir.clone(), trust, ..Settings::default() });
    assert!(matches!(predictor.load(), Err(BundleError::Unsigned { .. })) && !predictor.is_ready());
    sign(&dir, &SigningKey::from_pem(PRIVATE).unwrap()).unwrap();
    assert!(predictor.load().unwrap() && predictor.is_ready());

    fs::remove_dir_all(&dir).unwrap();
    write(&dir, Representation::Baseline, Family::LogisticRegression);
    fs::write(dir.join("SHA256SUMS.sig"), [7; 64]).unwrap();
    assert!(matches!(predictor.reload(), Err(BundleError::Untrusted { .. })) && predictor.is_ready());
}

#[test]
fn the_name_in_urls_stays_when_a_bundle_of_another_name_comes() {
    let served = served();
    let before: Value = served.get("/v2/models/small-detector").json();
    fs::remove_dir_all(served.dir()).unwrap();
    let fixture = crate::bundle::Fixture::of(Representation::Autoencoder, Family::Knn);
    let fixture = crate::bundle::Fixture { name: "another".parse().unwrap(), ..fixture };
    weir_bundle::Bundle::write(served.dir(), &fixture.parts()).unwrap();
    assert_eq!(served.call(Method::POST, LOAD, &[], b"").status, StatusCode::OK);
    let after = served.get("/v2/models/small-detector").json();
    assert_eq!(after["name"], MODEL);
    assert_ne!(after["versions"], before["versions"]);
}
