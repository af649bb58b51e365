//! Whose bundle it is.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use weir_bundle::{Bundle, BundleError, SigningKey, VerifyingKey, files, sign};
use weir_contract::{Classify, ExitCode, Family, Representation};

use crate::fixture::Fixture;

/// The example of RFC 8410, section 10.3.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
/// The public half of [`KEY`]: section 10.1 there.
pub(crate) const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";
const X25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIDjiNOFn1ksp82ygAlWFo7UZbzT/wfOrS4hOWNVwxnFm
-----END PRIVATE KEY-----
";

pub(crate) fn key() -> SigningKey {
    SigningKey::from_pem(KEY).unwrap()
}

fn public() -> VerifyingKey {
    VerifyingKey::from_pem(PUBLIC).unwrap()
}

/// The key of somebody else.
fn other() -> VerifyingKey {
    // The last of the 32 bytes is another one; which point it is does not matter to those who hold no signature of it.
    VerifyingKey::from_pem(&PUBLIC.replace("ZuE=", "ZuI=")).unwrap()
}

/// A bundle signed with [`KEY`].
fn signed() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("bundle");
    Bundle::write(&inner, &Fixture::of(Representation::Baseline, Family::LogisticRegression).parts()).unwrap();
    sign(&inner, &key()).unwrap();
    dir
}

fn refusal(dir: &Path, keys: &[VerifyingKey]) -> (String, String) {
    let error = Bundle::open_trusted(dir, keys).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Input, "{error}");
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn a_signed_bundle_opens_with_the_key_and_without() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    let digest = Bundle::open(&bundle).unwrap().digest();
    assert_eq!(Bundle::open_trusted(&bundle, &[public()]).unwrap().digest(), digest);
    assert_eq!(Bundle::open_trusted(&bundle, &[other(), public()]).unwrap().digest(), digest);
}

#[test]
fn signing_leaves_one_file_and_the_same_every_time() {
    let dir = signed();
    let path = dir.path().join("bundle").join(files::SUMS_SIGNATURE);
    let first = fs::read(&path).unwrap();
    sign(&dir.path().join("bundle"), &key()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), first);
    assert_eq!(first, key().sign(&fs::read(dir.path().join("bundle").join(files::SUMS)).unwrap()));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(dir.path().join("bundle")).unwrap().count(), files::REQUIRED.len() + 2);
}

#[test]
fn an_unsigned_bundle_does_not_open_where_a_key_is_given() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    fs::remove_file(bundle.join(files::SUMS_SIGNATURE)).unwrap();
    let (message, hint) = refusal(&bundle, &[public()]);
    assert_eq!(message, format!("{} is not signed: there is no SHA256SUMS.sig in it", bundle.display()));
    assert_eq!(hint, "sign it with `weir sign` if you are its maker, or name no key if you trust it anyway");
    Bundle::open(&bundle).unwrap();
}

#[test]
fn a_bundle_of_somebody_else_does_not_open() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    let path = bundle.join(files::SUMS_SIGNATURE);
    let (message, hint) = refusal(&bundle, &[other()]);
    let key = other().digest().short();
    assert_eq!(message, format!("{} is not a signature of SHA256SUMS by key {key}", path.display()));
    assert!(hint.starts_with("trust no part of the bundle before you know who made it"), "{hint}");
    assert!(refusal(&bundle, &[]).0.ends_with("by any key, since none was given"));
    assert!(refusal(&bundle, &[other(), other()]).0.ends_with(&format!("by any of the keys {key}, {key}")));
}

#[test]
fn a_flipped_bit_in_signature_or_checksums_is_found() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    for name in [files::SUMS_SIGNATURE, files::SUMS] {
        let whole = fs::read(bundle.join(name)).unwrap();
        for place in (0..whole.len()).step_by(7) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            fs::write(bundle.join(name), flipped).unwrap();
            let error = Bundle::open_trusted(&bundle, &[public()]).unwrap_err();
            assert!(matches!(error, BundleError::Untrusted { .. }), "byte {place} of {name}: {error}");
        }
        fs::write(bundle.join(name), whole).unwrap();
    }
    Bundle::open_trusted(&bundle, &[public()]).unwrap();
}

/// With checksums that hold, but are not those that were signed.
#[test]
fn a_changed_file_with_new_checksums_is_not_trusted() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    let old = weir_contract::Digest::of(&fs::read(bundle.join(files::CARD)).unwrap()).to_string();
    fs::write(bundle.join(files::CARD), "# another\n").unwrap();
    let new = weir_contract::Digest::of(b"# another\n").to_string();
    let sums = fs::read_to_string(bundle.join(files::SUMS)).unwrap();
    fs::write(bundle.join(files::SUMS), sums.replace(&old, &new)).unwrap();
    Bundle::open(&bundle).unwrap();
    assert!(refusal(&bundle, &[public()]).0.contains("is not a signature of SHA256SUMS"));
}

/// The signature holds for what was signed; the file was changed later.
#[test]
fn a_changed_file_with_the_signed_checksums_is_damage() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    fs::write(bundle.join(files::CARD), "# another\n").unwrap();
    assert!(refusal(&bundle, &[public()]).0.contains("MODEL_CARD.md was changed: its SHA-256 is "));
}

#[test]
fn a_signature_of_another_length_is_refused_with_and_without_key() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    let whole = fs::read(bundle.join(files::SUMS_SIGNATURE)).unwrap();
    for wrong in [&whole[..63], &[], &[whole.as_slice(), &[0]].concat()] {
        fs::write(bundle.join(files::SUMS_SIGNATURE), wrong).unwrap();
        assert!(refusal(&bundle, &[public()]).0.contains("is not a signature of SHA256SUMS"));
        let error = Bundle::open(&bundle).unwrap_err().to_string();
        assert!(error.ends_with(&format!("it has {} bytes, a signature has 64; sign again without it", wrong.len())));
    }
}

#[test]
fn a_bundle_that_does_not_open_is_not_signed() {
    let dir = signed();
    let bundle = dir.path().join("bundle");
    fs::remove_file(bundle.join(files::SUMS_SIGNATURE)).unwrap();
    fs::write(bundle.join(files::CARD), "# another\n").unwrap();
    assert!(matches!(sign(&bundle, &key()), Err(BundleError::Checksum { .. })));
    assert!(!bundle.join(files::SUMS_SIGNATURE).exists());
}

#[test]
fn a_text_that_is_no_key_of_the_wanted_kind_says_what_it_is() {
    let private = |text: &str| SigningKey::from_pem(text).unwrap_err().to_string();
    let public = |text: &str| VerifyingKey::from_pem(text).unwrap_err().to_string();
    assert_eq!(private(PUBLIC), "it holds no PRIVATE KEY but: PUBLIC KEY");
    assert_eq!(public(KEY), "it holds no PUBLIC KEY but: PRIVATE KEY");
    assert_eq!(
        private(&KEY.replace("PRIVATE", "ENCRYPTED PRIVATE")),
        "it holds no PRIVATE KEY but: ENCRYPTED PRIVATE KEY"
    );
    assert!(private(X25519).starts_with("it is not an Ed25519 key"), "{}", private(X25519));
    assert_eq!(public(&PUBLIC.replace("VwAy", "VuAy")), "it is not an Ed25519 key");
    assert_eq!(public("ssh-ed25519 AAAA"), "there is no -----BEGIN PUBLIC KEY----- in it");
    assert_eq!(public(&PUBLIC[..60]), "it ends before -----END PUBLIC KEY-----");
    for text in [KEY, X25519] {
        let short = text.replacen("MC4C", "", 1);
        assert!(private(&short).starts_with("it is not an Ed25519 key"), "{}", private(&short));
    }
}

#[test]
fn a_key_file_that_is_missing_is_wrong_usage() {
    let error = VerifyingKey::read(Path::new("no-such.pem")).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Usage);
    assert!(error.to_string().starts_with("no-such.pem is not a key that can be used: "), "{error}");
    assert!(error.hint().unwrap().starts_with("make a key with `openssl genpkey"));
}

/// Keys and signatures go both ways between openssl and this crate.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
fn openssl_agrees() {
    let found = Command::new("openssl").args(["list", "-public-key-algorithms"]).output();
    if !found.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).to_ascii_uppercase().contains("ED25519")) {
        eprintln!("SKIPPED openssl_agrees: there is no openssl with Ed25519 here");
        return;
    }
    let dir = signed();
    let bundle = dir.path().join("bundle");
    let openssl = |args: &str| {
        let done = Command::new("openssl").args(args.split(' ')).current_dir(&bundle).output().unwrap();
        assert!(done.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&done.stderr));
    };
    fs::write(dir.path().join("public.pem"), PUBLIC).unwrap();
    openssl("pkeyutl -verify -pubin -inkey ../public.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig");

    openssl("genpkey -algorithm ed25519 -out ../key.pem");
    openssl("pkey -in ../key.pem -pubout -out ../public.pem");
    openssl("pkeyutl -sign -inkey ../key.pem -rawin -in SHA256SUMS -out SHA256SUMS.sig");
    let public = VerifyingKey::read(&dir.path().join("public.pem")).unwrap();
    Bundle::open_trusted(&bundle, &[public]).unwrap();
    let key = SigningKey::read(&dir.path().join("key.pem")).unwrap();
    assert_eq!(key.verifying_key(), public);
    let sums = fs::read(bundle.join(files::SUMS)).unwrap();
    assert_eq!(fs::read(bundle.join(files::SUMS_SIGNATURE)).unwrap(), key.sign(&sums));
}
