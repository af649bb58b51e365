//! Opening a bundle.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use weir_contract::feature::{self, Examples, FeatureSchema};
use weir_contract::{Classify, Digest};
use weir_models::Detector;
use weir_models::detector::{self, DetectorError};
use weir_transform::transform::{self, Transform, TransformError};

use crate::error::BundleError;
use crate::files::{CARD, DETECTOR, EXAMPLES, FEATURES, INFO, REQUIRED, SIGNATURE, SUMS, SUMS_SIGNATURE, TRANSFORM};
use crate::info::{self, BundleInfo, Signature};
use crate::signing::{self, VerifyingKey};
use crate::sums::{self, Sums};

/// An opened bundle: every checksum held, and the parts agree with each other.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub(crate) info: BundleInfo,
    pub(crate) transform: Transform,
    pub(crate) schema: FeatureSchema,
    pub(crate) detector: Detector,
    pub(crate) signature: Signature,
    pub(crate) examples: Examples,
    pub(crate) card: String,
    pub(crate) digest: Digest,
}

impl Bundle {
    /// Opens the bundle in `dir`. Reads every file once; what is used are the bytes whose checksum was compared. Who
    /// signed it is not looked at.
    ///
    /// # Errors
    /// [`BundleError::Missing`] without `SHA256SUMS`; [`BundleError::MissingFile`], [`BundleError::Unlisted`] and
    /// [`BundleError::Checksum`] for files that are not exactly those listed; [`BundleError::Newer`] for a later
    /// format; [`BundleError::Corrupt`] for a file that cannot be read as what it is; [`BundleError::Disagree`] for
    /// parts that do not belong together, or when this build computes other features for the examples.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, BundleError> {
        let dir = dir.as_ref();
        Self::read(dir, &read_sums(dir)?)
    }

    /// As [`Bundle::open`], for a bundle that one of `keys` has signed; nothing else of it is read before that is
    /// certain. Without keys no bundle opens.
    ///
    /// # Errors
    /// Those of [`Bundle::open`]; [`BundleError::Unsigned`] without `SHA256SUMS.sig`; [`BundleError::Untrusted`] for a
    /// signature that is not one of `SHA256SUMS` by one of `keys`.
    pub fn open_trusted(dir: impl AsRef<Path>, keys: &[VerifyingKey]) -> Result<Self, BundleError> {
        let dir = dir.as_ref();
        let sums = read_sums(dir)?;
        signing::check(dir, &sums, keys)?;
        Self::read(dir, &sums)
    }

    /// As [`Bundle::open_trusted`] where `keys` are given, and as [`Bundle::open`] where none is: what commands do with
    /// the keys they are told to trust.
    ///
    /// # Errors
    /// Those of the one or the other.
    pub fn open_from(dir: impl AsRef<Path>, keys: &[VerifyingKey]) -> Result<Self, BundleError> {
        if keys.is_empty() { Self::open(dir) } else { Self::open_trusted(dir, keys) }
    }

    /// Reads what `sums`, the bytes of `SHA256SUMS`, lists.
    pub(crate) fn read(dir: &Path, sums: &[u8]) -> Result<Self, BundleError> {
        let reader = Reader::open(dir, sums)?;
        // The version decides how everything else is read.
        let info: BundleInfo = reader.json(INFO, info::FORMAT)?;
        let bundle = Self {
            info,
            transform: reader.transform()?,
            schema: reader.json(FEATURES, feature::FORMAT)?,
            detector: reader.detector()?,
            signature: reader.json(SIGNATURE, info::FORMAT)?,
            examples: reader.json(EXAMPLES, feature::FORMAT)?,
            card: reader.text(CARD)?,
            digest: Digest::of(sums),
        };
        let found = |name: &str| reader.sums[name];
        bundle.check(dir, found(TRANSFORM), found(DETECTOR))?;
        Ok(bundle)
    }

    /// What the bundle is and where it comes from.
    #[must_use]
    pub fn info(&self) -> &BundleInfo {
        &self.info
    }

    /// The ordered features with the statistics of train.
    #[must_use]
    pub fn schema(&self) -> &FeatureSchema {
        &self.schema
    }

    /// Inputs and outputs by name and type.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The model card, in Markdown.
    #[must_use]
    pub fn card(&self) -> &str {
        &self.card
    }

    /// A few flows with their features.
    #[must_use]
    pub fn examples(&self) -> &Examples {
        &self.examples
    }

    /// The transform from flows to features.
    #[must_use]
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    /// Scaler, encoder and model.
    #[must_use]
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// SHA-256 of `SHA256SUMS`, and so of the whole bundle.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The bytes of `SHA256SUMS`.
pub(crate) fn read_sums(dir: &Path) -> Result<Vec<u8>, BundleError> {
    let path = dir.join(SUMS);
    fs::read(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => missing(dir),
        _ => BundleError::io("read", &path)(source),
    })
}

fn missing(dir: &Path) -> BundleError {
    let inner = dir.join(weir_contract::files::BUNDLE);
    let inner = inner.join(SUMS).is_file().then_some(inner);
    BundleError::Missing { dir: dir.to_owned(), inner }
}

fn missing_or_io(path: &Path, source: io::Error) -> BundleError {
    match source.kind() {
        io::ErrorKind::NotFound => BundleError::MissingFile { path: path.to_owned() },
        _ => BundleError::io("read", path)(source),
    }
}

/// Streams a file that this build does not use, such as a model in another format.
fn digest(path: &Path) -> Result<Digest, BundleError> {
    let mut digester = weir_contract::digest::Digester::default();
    let mut file = fs::File::open(path).map_err(|source| missing_or_io(path, source))?;
    io::copy(&mut file, &mut digester).map_err(BundleError::io("read", path))?;
    Ok(digester.finish())
}

/// Refuses what is in `dir` and not listed, links and folders: a bundle is a flat directory of plain files.
fn refuse_unlisted(dir: &Path, sums: &Sums) -> Result<(), BundleError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(BundleError::io("list", dir))? {
        let entry = entry.map_err(BundleError::io("list", dir))?;
        let plain = entry.file_type().map_err(BundleError::io("inspect", &entry.path()))?.is_file();
        entries.push((entry.path(), entry.file_name(), plain));
    }
    // In the order of names, so that the same directory has the same refusal everywhere.
    entries.sort();
    for (path, name, plain) in entries {
        let own = |name: &str| name == SUMS || name == SUMS_SIGNATURE;
        let listed = name.to_str().is_some_and(|name| own(name) || sums.contains_key(name));
        if !listed {
            return Err(BundleError::Unlisted { path });
        }
        if !plain {
            return Err(BundleError::corrupt(&path, "a bundle holds plain files only, no links and no folders"));
        }
        if name == SUMS_SIGNATURE {
            let bytes = fs::metadata(&path).map_err(BundleError::io("inspect", &path))?.len();
            if bytes != signing::LENGTH as u64 {
                let reason =
                    format!("it has {bytes} bytes, a signature has {}; sign again without it", signing::LENGTH);
                return Err(BundleError::corrupt(&path, reason));
            }
        }
    }
    Ok(())
}

/// Reads verified bytes as what their names say.
struct Reader<'a> {
    dir: &'a Path,
    sums: Sums,
    files: BTreeMap<&'static str, Vec<u8>>,
}

impl<'a> Reader<'a> {
    /// Reads the files that every bundle holds, after `sums` was found to list exactly what is in `dir`, and compares
    /// every checksum.
    fn open(dir: &'a Path, sums: &[u8]) -> Result<Self, BundleError> {
        let path = dir.join(SUMS);
        let sums = sums::parse(sums).map_err(|reason| BundleError::corrupt(&path, reason))?;
        refuse_unlisted(dir, &sums)?;
        if let Some(name) = REQUIRED.iter().find(|&&name| !sums.contains_key(name)) {
            return Err(BundleError::corrupt(&path, format!("it does not list {name}, which every bundle holds")));
        }
        let mut files = BTreeMap::new();
        for (name, &expected) in &sums {
            let path = dir.join(name);
            let found = match REQUIRED.iter().find(|&&known| known == name) {
                Some(&known) => {
                    let bytes = fs::read(&path).map_err(|source| missing_or_io(&path, source))?;
                    let found = Digest::of(&bytes);
                    files.insert(known, bytes);
                    found
                }
                None => digest(&path)?,
            };
            if found != expected {
                return Err(BundleError::Checksum { path, expected, found });
            }
        }
        Ok(Self { dir, sums, files })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// All required files were read, or opening ended before.
    fn bytes(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }

    /// A file with a format version, which is looked at first.
    fn json<T: DeserializeOwned>(&self, name: &str, known: u32) -> Result<T, BundleError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let corrupt = |error: serde_json::Error| BundleError::corrupt(&self.path(name), error);
        let Version { format } = serde_json::from_slice(self.bytes(name)).map_err(corrupt)?;
        if format > known {
            return Err(self.newer(name, format, known));
        }
        if format == 0 {
            return Err(BundleError::corrupt(&self.path(name), "there is no format 0"));
        }
        serde_json::from_slice(self.bytes(name)).map_err(corrupt)
    }

    fn transform(&self) -> Result<Transform, BundleError> {
        Transform::from_json(self.bytes(TRANSFORM)).map_err(|error| match error {
            TransformError::Version { found } if found > transform::FORMAT => {
                self.newer(TRANSFORM, found, transform::FORMAT)
            }
            other => self.corrupt(TRANSFORM, &other),
        })
    }

    fn detector(&self) -> Result<Detector, BundleError> {
        Detector::from_bytes(self.bytes(DETECTOR)).map_err(|error| match error {
            DetectorError::Version { found } if found > detector::FORMAT => {
                self.newer(DETECTOR, found, detector::FORMAT)
            }
            other => self.corrupt(DETECTOR, &other),
        })
    }

    fn text(&self, name: &str) -> Result<String, BundleError> {
        String::from_utf8(self.bytes(name).to_vec()).map_err(|error| BundleError::corrupt(&self.path(name), error))
    }

    fn newer(&self, name: &str, found: u32, known: u32) -> BundleError {
        BundleError::Newer { path: self.path(name), found, known }
    }

    fn corrupt(&self, name: &str, error: &impl Classify) -> BundleError {
        BundleError::corrupt(&self.path(name), error)
    }
}
