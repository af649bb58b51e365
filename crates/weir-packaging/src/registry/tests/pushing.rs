//! Images on their way in.

use std::sync::atomic::Ordering;

use weir_contract::ExitCode;
use weir_stage::Stage;

use super::stand_in::{Reply, StandIn, Store};
use super::{client, files, image};
use crate::registry::push;

#[test]
fn a_pushed_image_is_there_blob_by_blob_and_by_its_tag() {
    let (store, image, stage) = (Store::default(), image(&files()), Stage::silent());
    let kept = store.clone();
    let registry = StandIn::start(move |request, _| kept.answer(request));
    let reference = registry.reference(":v1");
    let pushed = push(&mut client(&reference, &stage), &image, &reference).unwrap();
    assert_eq!(pushed.uploaded, 2);
    assert_eq!(pushed.bytes, image.blobs.iter().map(|blob| blob.bytes.len() as u64).sum::<u64>());
    for blob in &image.blobs {
        let path = format!("/v2/team/detector/blobs/{}", blob.descriptor.digest);
        assert_eq!(store.get(&path).as_ref(), Some(&blob.bytes));
    }
    assert_eq!(store.get("/v2/team/detector/manifests/v1"), Some(image.manifest.bytes.clone()));

    let again = push(&mut client(&reference, &stage), &image, &reference).unwrap();
    assert_eq!((again.uploaded, again.bytes), (0, 0));
    assert_eq!(registry.count("POST", "/"), 2);
}

#[test]
fn a_token_is_asked_for_with_the_password_and_used_until_it_does_not_suffice() {
    let (image, stage) = (image(&files()), Stage::silent());
    let store = Store::default();
    let registry = StandIn::start(move |request, _| {
        let bearer = |scope: &str| {
            let challenge =
                format!("Bearer realm=\"/token\",service=\"here\",scope=\"repository:team/detector:{scope}\"");
            Reply::new(401, "").header("www-authenticate", challenge)
        };
        let authorization = request.authorization.as_deref();
        match request.path.as_str() {
            // me:secret
            path if path.starts_with("/token") && authorization == Some("Basic bWU6c2VjcmV0") => {
                let token = if path.contains("push") { "push" } else { "pull" };
                // Some registries send it under both names.
                let other = if token == "push" { ", \"access_token\": \"push\"" } else { "" };
                Reply::new(200, format!("{{\"token\": \"{token}\"{other}, \"expires_in\": 60}}"))
            }
            path if path.starts_with("/token") => Reply::new(401, ""),
            _ if request.method == "HEAD" && authorization.is_none() => bearer("pull"),
            _ if request.method != "HEAD" && authorization != Some("Bearer push") => bearer("pull,push"),
            _ => store.answer(request),
        }
    });
    let reference = registry.reference(":v1");
    push(&mut client(&reference, &stage), &image, &reference).unwrap();
    let tokens: Vec<_> = registry.seen().into_iter().filter(|request| request.is("GET", "/token")).collect();
    let scopes: Vec<_> = tokens.iter().map(|request| request.path.rsplit('=').next().unwrap()).collect();
    assert_eq!(scopes, ["repository%3Ateam%2Fdetector%3Apull", "repository%3Ateam%2Fdetector%3Apull%2Cpush"]);
    assert!(tokens[0].path.starts_with("/token?service=here&scope="));
}

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_told_with_the_registrys_words() {
    let (image, stage) = (image(&files()), Stage::silent());
    let store = Store::default();
    let registry = StandIn::start(move |request, before| match before.len() {
        0 => Reply::new(503, ""),
        2 => Reply::new(429, "").header("retry-after", "0"),
        4 => Reply::new(500, "no JSON"),
        _ => store.answer(request),
    });
    let reference = registry.reference(":v1");
    assert_eq!(push(&mut client(&reference, &stage), &image, &reference).unwrap().uploaded, 2);

    let denied = r#"{"errors": [{"code": "DENIED", "message": "requested access is denied\u001b[31m", "detail": 1}]}"#;
    let registry = StandIn::start(move |request, _| match request.method.as_str() {
        "HEAD" => Reply::new(404, ""),
        _ => Reply::new(403, denied),
    });
    let reference = registry.reference(":v1");
    let failure = push(&mut client(&reference, &stage), &image, &reference).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input);
    let digest = image.blobs[0].descriptor.digest;
    assert_eq!(
        failure.message,
        format!(
            "failed to push blob {digest} to {reference}: {} answers 403 Forbidden (DENIED: requested access is \
             denied[31m)",
            reference.registry
        )
    );
    assert_eq!(registry.count("POST", "/"), 1);

    let registry = StandIn::start(|_, _| Reply::new(502, ""));
    let reference = registry.reference(":v1");
    let failure = push(&mut client(&reference, &stage), &image, &reference).unwrap_err();
    assert_eq!(failure.code, ExitCode::Retry);
    assert!(failure.message.contains(" in 5 attempts: "), "{failure}");
    assert_eq!(registry.count("HEAD", "/"), 5);
}

#[test]
fn no_registry_at_all_may_be_there_later() {
    let (image, stage) = (image(&files()), Stage::silent());
    let registry = StandIn::start(|_, _| Reply::new(200, ""));
    let reference = registry.reference(":v1");
    drop(registry);
    let failure = push(&mut client(&reference, &stage), &image, &reference).unwrap_err();
    assert_eq!(failure.code, ExitCode::Retry);
    assert!(failure.hint.unwrap().contains("--plain-http"));
}

/// What a registry asks for must not be had by whoever it names.
#[test]
fn an_upload_elsewhere_goes_without_our_password() {
    let (image, stage) = (image(&files()), Stage::silent());
    let elsewhere = StandIn::start(|_, _| Reply::new(201, ""));
    let place = elsewhere.url("/put");
    let registry = StandIn::start(move |request, _| match (request.method.as_str(), &request.authorization) {
        (_, None) => Reply::new(401, "").header("www-authenticate", "Basic realm=\"x\""),
        ("HEAD", _) => Reply::new(404, ""),
        ("POST", _) => Reply::new(202, "").header("location", place.clone()),
        _ => Reply::new(201, ""),
    });
    let reference = registry.reference(":v1");
    push(&mut client(&reference, &stage), &image, &reference).unwrap();
    assert_eq!(elsewhere.seen().len(), 2);
    assert!(elsewhere.seen().iter().all(|request| request.authorization.is_none()));
    assert!(registry.seen()[1..].iter().all(|request| request.authorization.as_deref() == Some("Basic bWU6c2VjcmV0")));
}

#[test]
fn a_registry_that_keeps_something_else_and_a_reference_to_another_image_are_refused() {
    let (image, stage) = (image(&files()), Stage::silent());
    let other = format!("sha256:{}", "0".repeat(64));
    let said = other.clone();
    let registry = StandIn::start(move |request, _| match request.method.as_str() {
        "HEAD" => Reply::new(200, ""),
        _ => Reply::new(201, "").header("docker-content-digest", said.clone()),
    });
    let reference = registry.reference(":v1");
    let failure = push(&mut client(&reference, &stage), &image, &reference).unwrap_err();
    assert!(failure.message.contains(&format!("says that the manifest is {other}, not ")), "{failure}");

    let reference = registry.reference(&format!("@{other}"));
    let failure = push(&mut client(&reference, &stage), &image, &reference).unwrap_err();
    assert_eq!(failure.code, ExitCode::Usage);
}

#[test]
fn a_push_that_should_stop_stops() {
    let (image, stage) = (image(&files()), Stage::silent());
    let registry = StandIn::start(|_, _| Reply::new(503, "").header("retry-after", "60"));
    stage.cancelled().store(true, Ordering::SeqCst);
    let reference = registry.reference(":v1");
    let failure = push(&mut client(&reference, &stage), &image, &reference).unwrap_err();
    assert_eq!(failure.code, ExitCode::Interrupted);
}
