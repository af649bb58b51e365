//! `weir sign`.

use std::path::PathBuf;

use clap::Parser;
use weir_bundle::SigningKey;
use weir_bundle::files::SUMS_SIGNATURE;
use weir_stage::{CommonArgs, Failure, Stage};

/// Sign a bundle, so that those who have the public key can tell that it is yours
///
/// Writes SHA256SUMS.sig into the bundle. An image that was made of the bundle before stays without the signature: push
/// the signed one with `weir push --bundle`, or let `weir package --signing-key` sign before it makes the image.
#[derive(Debug, Clone, Parser)]
pub struct SignArgs {
    /// Directory of the bundle
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,

    /// Private key, as `openssl genpkey -algorithm ed25519` writes it
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for SignArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Signs a bundle and prints where the signature is.
///
/// # Errors
/// Those of [`SigningKey::read`] and [`weir_bundle::sign`].
pub fn sign_command(args: SignArgs, stage: &Stage) -> Result<(), Failure> {
    let key = SigningKey::read(&args.key)?;
    let bundle = weir_bundle::sign(&args.bundle, &key)?;
    let path = args.bundle.join(SUMS_SIGNATURE);
    let result = serde_json::json!({
        "bundle": args.bundle,
        "bundle_digest": bundle.digest(),
        "signature": path,
        "key": key.verifying_key().digest(),
    });
    stage.result(&result, || path.display().to_string())
}
