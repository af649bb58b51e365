//! `SHA256SUMS.sig`: an Ed25519 signature (RFC 8032) of the bytes of `SHA256SUMS`, 64 raw bytes.
//!
//! Keys are what openssl makes and reads, so that nobody needs this program to sign or to check:
//!
//! ```text
//! openssl genpkey -algorithm ed25519 -out key.pem
//! openssl pkey -in key.pem -pubout -out public.pem
//! openssl pkeyutl -sign -inkey key.pem -rawin -in SHA256SUMS -out SHA256SUMS.sig
//! openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
//! ```

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use weir_contract::Digest;

use crate::bundle::{self, Bundle};
use crate::error::BundleError;
use crate::files::SUMS_SIGNATURE;
use crate::pem;

/// Bytes of a signature.
pub(crate) const LENGTH: usize = 64;

/// What every SubjectPublicKeyInfo of an Ed25519 key begins with (RFC 8410); the 32 bytes of the key follow.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A text that is no Ed25519 key of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadKey(String);

/// A public key, against which signatures are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Reads a `PUBLIC KEY` in PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// [`BadKey`] for a text without one, and for a key that is not Ed25519.
    pub fn from_pem(text: &str) -> Result<Self, BadKey> {
        let der = pem::decode(text, "PUBLIC KEY").map_err(BadKey)?;
        let key = der.strip_prefix(&SPKI).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or_else(|| BadKey("it is not an Ed25519 key".to_owned()))
    }

    /// Reads the file of a key.
    ///
    /// # Errors
    /// [`BundleError::Key`] for a file that cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        read(path, Self::from_pem)
    }

    /// SHA-256 of the key in DER (SubjectPublicKeyInfo), to tell keys apart.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&[SPKI.as_slice(), &self.0].concat())
    }

    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

/// A private key, with which bundles are signed.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Reads a `PRIVATE KEY` in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`BadKey`] for a text without one, for an encrypted one, and for a key that is not Ed25519.
    pub fn from_pem(text: &str) -> Result<Self, BadKey> {
        let der = pem::decode(text, "PRIVATE KEY").map_err(BadKey)?;
        // openssl leaves the public key out (PKCS#8 version 1); where it is there, it is compared.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der);
        pair.map(Self).map_err(|error| BadKey(format!("it is not an Ed25519 key: {error}")))
    }

    /// Reads the file of a key.
    ///
    /// # Errors
    /// [`BundleError::Key`] for a file that cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        read(path, Self::from_pem)
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        VerifyingKey(key)
    }

    /// The bytes of `SHA256SUMS.sig` for those of `SHA256SUMS`; the same for the same bytes and key.
    #[must_use]
    pub fn sign(&self, sums: &[u8]) -> Vec<u8> {
        self.0.sign(sums).as_ref().to_vec()
    }
}

/// Signs the bundle in `dir`: opens it, and writes `SHA256SUMS.sig` whole or not at all. An earlier signature is
/// replaced; images and copies that were made of the bundle before stay as they are.
///
/// # Errors
/// Those of [`Bundle::open`]; [`BundleError::Io`] when writing fails.
pub fn sign(dir: &Path, key: &SigningKey) -> Result<Bundle, BundleError> {
    let sums = bundle::read_sums(dir)?;
    let bundle = Bundle::read(dir, &sums)?;
    let dir = dir.canonicalize().map_err(BundleError::io("find", dir))?;
    // Not in the bundle, where a killed process would leave something that does not belong to it.
    let mut part = dir.clone().into_os_string();
    part.push(format!(".{}.part", std::process::id()));
    let (part, path) = (PathBuf::from(part), dir.join(SUMS_SIGNATURE));
    fs::write(&part, key.sign(&sums)).map_err(BundleError::io("write", &part))?;
    fs::rename(&part, &path).map_err(|error| {
        fs::remove_file(&part).ok();
        BundleError::io("write", &path)(error)
    })?;
    Ok(bundle)
}

/// Refuses the bundle in `dir` unless one of `keys` has signed `sums`, the bytes of its `SHA256SUMS`.
pub(crate) fn check(dir: &Path, sums: &[u8], keys: &[VerifyingKey]) -> Result<(), BundleError> {
    let path = dir.join(SUMS_SIGNATURE);
    let file = File::open(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => BundleError::Unsigned { dir: dir.to_owned() },
        _ => BundleError::io("read", &path)(source),
    })?;
    let mut signature = Vec::new();
    file.take(LENGTH as u64 + 1).read_to_end(&mut signature).map_err(BundleError::io("read", &path))?;
    if !keys.iter().any(|key| key.holds(sums, &signature)) {
        return Err(BundleError::Untrusted { path, keys: keys.iter().map(VerifyingKey::digest).collect() });
    }
    Ok(())
}

fn read<K>(path: &Path, parse: impl FnOnce(&str) -> Result<K, BadKey>) -> Result<K, BundleError> {
    let bad = |reason: String| BundleError::Key { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    parse(&text).map_err(|error| bad(error.to_string()))
}
