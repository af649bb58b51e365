//! Images on their way out.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::Parser;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use weir_contract::{Digest, ExitCode, json};
use weir_stage::{Failure, Stage};

use super::stand_in::{Reply, StandIn, Store};
use super::{bundle, client, files, image};
use crate::oci::{Blob, Image, MANIFEST_TYPES, Manifest};
use crate::registry::{Reference, pull};
use crate::{PullArgs, pull_command};

/// That of the recorded bundle.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

fn serve(image: &Image) -> StandIn {
    let store = Store::of(image);
    StandIn::start(move |request, _| store.answer(request))
}

/// Runs the command as from a shell in `dir`.
fn command(reference: &Reference, dir: &Path, more: &[&str]) -> Result<(), Failure> {
    let (reference, out) = (reference.to_string(), dir.join("out").display().to_string());
    let mut line = vec!["pull", reference.as_str(), "--out", out.as_str(), "--plain-http"];
    line.extend(more);
    pull_command(PullArgs::parse_from(line), &Stage::silent())
}

/// What pulling `image` says, and that it leaves nothing.
fn refusal(image: &Image) -> String {
    let dir = tempfile::tempdir().unwrap();
    let registry = serve(image);
    let failure = command(&registry.reference(":v1"), dir.path(), &[]).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input, "{failure}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{failure}");
    failure.message
}

fn sorted(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}

/// `image` with another manifest.
fn with(image: &Image, change: impl FnOnce(&mut Manifest)) -> Image {
    let mut manifest: Manifest = serde_json::from_slice(&image.manifest.bytes).unwrap();
    change(&mut manifest);
    let manifest = Blob::new(MANIFEST_TYPES[0], json::to_canonical(&manifest).unwrap());
    Image { manifest, blobs: image.blobs.clone() }
}

/// The image with this layer.
fn with_layer(media_type: &str, bytes: Vec<u8>) -> Image {
    let (image, layer) = (image(&files()), Blob::new(media_type, bytes));
    let mut changed = with(&image, |manifest| manifest.layers = vec![layer.descriptor.clone()]);
    changed.blobs.push(layer);
    changed
}

#[test]
fn a_pulled_bundle_is_the_one_that_was_pushed() {
    let dir = tempfile::tempdir().unwrap();
    let image = image(&files());
    let registry = serve(&image);
    let key = dir.path().join("public.pem");
    fs::write(&key, PUBLIC).unwrap();
    let trust = ["--trust", key.to_str().unwrap()];
    let by_digest = registry.reference(&format!("@{}", image.manifest.descriptor.digest));
    command(&by_digest, dir.path(), &trust).unwrap();
    assert_eq!(sorted(&dir.path().join("out")), sorted(&bundle()));
    // Once more: it is there.
    command(&registry.reference(":v1"), dir.path(), &trust).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_directory_in_use_is_left_alone_and_nothing_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    fs::write(dir.path().join("out/notes.txt"), "mine").unwrap();
    let registry = serve(&image(&files()));
    let failure = command(&registry.reference(":v1"), dir.path(), &[]).unwrap_err();
    assert_eq!(failure.code, ExitCode::Usage);
    assert!(failure.message.ends_with("out holds something else"), "{failure}");
    assert!(registry.seen().is_empty());
    fs::remove_file(dir.path().join("out/notes.txt")).unwrap();
    command(&registry.reference(":v1"), dir.path(), &[]).unwrap();
}

#[test]
fn a_bundle_that_nobody_trusted_signed_is_not_unpacked() {
    let unsigned: Vec<_> = files().into_iter().filter(|(name, _)| name != "SHA256SUMS.sig").collect();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("public.pem"), PUBLIC).unwrap();
    let registry = serve(&image(&unsigned));
    let reference = registry.reference(":v1");
    let key = dir.path().join("public.pem");
    let failure = command(&reference, dir.path(), &["--trust", key.to_str().unwrap()]).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input);
    assert_eq!(failure.message, format!("{reference} is not signed: there is no SHA256SUMS.sig in it"));
    assert!(!dir.path().join("out").exists());
}

#[test]
fn a_layer_packed_by_gzip_and_a_list_of_one_image_are_read() {
    let image = image(&files());
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&image.blobs[1].bytes).unwrap();
    let image = with_layer("application/vnd.oci.image.layer.v1.tar+gzip", gzip.finish().unwrap());
    let manifest = &image.manifest.descriptor;
    let statement = serde_json::json!({"mediaType": MANIFEST_TYPES[0], "size": 1, "digest": format!("sha256:{}",
        Digest::of(b"")), "annotations": {"vnd.docker.reference.type": "attestation-manifest"}});
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [manifest, statement]});
    let store = Store::of(&image);
    store.put("/v2/team/detector/manifests/v1", index.to_string().as_bytes());
    let registry = StandIn::start(move |request, _| store.answer(request));
    let dir = tempfile::tempdir().unwrap();
    command(&registry.reference(":v1"), dir.path(), &[]).unwrap();
    assert_eq!(sorted(&dir.path().join("out")), sorted(&bundle()));
}

#[test]
fn an_image_that_is_not_what_its_digests_say_is_refused() {
    let image = image(&files());
    let mut changed = image.blobs[1].clone();
    let place = changed.bytes.len() / 2;
    changed.bytes[place] ^= 1;
    let layer = changed.descriptor.digest;
    let swapped = Image { manifest: image.manifest.clone(), blobs: vec![image.blobs[0].clone(), changed] };
    let message = refusal(&swapped);
    assert!(message.contains(&format!("failed to pull layer {layer} of ")), "{message}");
    assert!(message.contains(": it has digest sha256:"), "{message}");

    let store = Store::of(&image);
    let digest = image.manifest.descriptor.digest;
    store.put(&format!("/v2/team/detector/manifests/{digest}"), b"{}");
    let registry = StandIn::start(move |request, _| store.answer(request));
    let dir = tempfile::tempdir().unwrap();
    let failure = command(&registry.reference(&format!("@{digest}")), dir.path(), &[]).unwrap_err();
    assert!(failure.message.ends_with(&format!(" instead of {digest}")), "{failure}");
}

#[test]
fn a_layer_that_holds_more_than_plain_files_is_refused() {
    let layer = |path: &str, kind| {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        let mut tar = tar::Builder::new(Vec::new());
        tar.append(&header, [].as_slice()).unwrap();
        with_layer("application/vnd.oci.image.layer.v1.tar", tar.into_inner().unwrap())
    };
    let message = refusal(&layer("models/../../escaped", tar::EntryType::Regular));
    assert!(message.ends_with(": models/../../escaped leads out of the image"), "{message}");
    let message = refusal(&layer("models/model.onnx", tar::EntryType::Symlink));
    assert!(message.ends_with(": models/model.onnx is no plain file, and a bundle holds nothing else"), "{message}");
    let message = refusal(&layer("etc/passwd", tar::EntryType::Regular));
    assert!(message.ends_with(": there are no files in its folder models"), "{message}");
}

#[test]
fn sizes_are_bounded_before_anything_is_downloaded() {
    let image = image(&files());
    let message = refusal(&with(&image, |manifest| manifest.layers[0].size = 1 << 31));
    assert!(message.ends_with(": its layers have 2147483648 bytes, more than 1073741824"), "{message}");
    let message = refusal(&with(&image, |manifest| manifest.layers = vec![manifest.layers[0].clone(); 200]));
    assert!(message.ends_with(": it has 200 layers, more than 128"), "{message}");
    let message = refusal(&with(&image, |manifest| manifest.layers[0].size -= 1));
    assert!(message.contains(" sends more than "), "{message}");
    let message = refusal(&with_layer("application/vnd.oci.image.layer.v1.tar+zstd", Vec::new()));
    assert!(message.contains(" is neither a tar nor one packed by gzip, but application/vnd.oci."), "{message}");
}

#[test]
fn an_image_of_something_else_is_no_bundle() {
    let mut without = files();
    without.retain(|(name, _)| name != "bundle.json");
    let message = refusal(&image(&without));
    assert!(message.contains(":v1/bundle.json is missing, so the bundle is not whole"), "{message}");
}

#[test]
fn an_image_that_is_not_there_is_not_asked_for_again() {
    let registry = StandIn::start(|_, _| Reply::new(404, r#"{"errors": [{"code": "MANIFEST_UNKNOWN"}]}"#));
    let reference = registry.reference(":v1");
    let stage = Stage::silent();
    let dir = tempfile::tempdir().unwrap();
    let failure = pull(&mut client(&reference, &stage), &reference, dir.path()).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input);
    let expected =
        format!("failed to pull {reference}: {} answers 404 Not Found (MANIFEST_UNKNOWN: )", reference.registry);
    assert_eq!(failure.message, expected);
    assert_eq!(registry.seen().len(), 1);
}

/// Registries keep blobs in stores of their own and send clients there.
#[test]
fn a_redirect_to_another_host_goes_without_our_password_and_a_cut_blob_is_fetched_again() {
    let image = image(&files());
    let layer = image.blobs[1].clone();
    let elsewhere = StandIn::start(move |_, before| match before.len() {
        0 => Reply::new(200, &layer.bytes[..layer.bytes.len() - 1]),
        _ => Reply::new(200, layer.bytes.clone()),
    });
    let (place, store) = (elsewhere.url("/blob"), Store::of(&image));
    let registry = StandIn::start(move |request, _| match &request.authorization {
        None => Reply::new(401, "").header("www-authenticate", "Basic realm=\"x\""),
        Some(_) if request.path.contains("/blobs/") => Reply::new(307, "").header("location", place.clone()),
        Some(_) => store.answer(request),
    });
    let (dir, stage): (TempDir, _) = (tempfile::tempdir().unwrap(), Stage::silent());
    let reference = registry.reference(":v1");
    pull(&mut client(&reference, &stage), &reference, dir.path()).unwrap();
    assert_eq!(sorted(dir.path()), sorted(&bundle()));
    assert_eq!(elsewhere.seen().len(), 2);
    assert!(elsewhere.seen().iter().all(|request| request.authorization.is_none()));
}
