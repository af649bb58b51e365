//! A store in a bucket: the keys are those of the directory, below a prefix.
//!
//! TLS is rustls with ring and the certificate authorities of Mozilla, or those of a file: nothing of the system is
//! needed, so that it works from an empty image as well.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path as Key;
use object_store::{
    ClientOptions, Error, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
};
use tokio::runtime::{Builder, Runtime};
use weir_contract::digest::Digester;
use weir_http::HttpError;

use super::local::make_folder;
use super::{Entry, Extension, Guard, Object, Objects};
use crate::read::measure;
use crate::{Access, S3Access, StoreError, Time};

/// What is sent or fetched at once. S3 wants at least 5 MiB per part and at most 10,000 parts.
const PART: u64 = 8 << 20;
const PARTS: u64 = 9_000;
/// Small files that are fetched at the same time.
const AT_ONCE: usize = 16;
const CONNECT: Duration = Duration::from_secs(5);
/// Without a byte for that long a request is given up and tried again.
const SILENCE: Duration = Duration::from_secs(30);

/// The bucket.
pub(super) struct Bucket {
    /// `s3://bucket/prefix`, for errors.
    location: String,
    prefix: String,
    cache: PathBuf,
    store: AmazonS3,
    runtime: Runtime,
}

impl Bucket {
    pub(super) fn connect(bucket: &str, prefix: &str, access: &Access) -> Result<Self, StoreError> {
        let location = if prefix.is_empty() { format!("s3://{bucket}") } else { format!("s3://{bucket}/{prefix}") };
        let unusable = |reason: String| StoreError::Unusable { location: location.clone(), reason };
        let Some(s3) = &access.s3 else { return Err(unusable("no credentials were given".to_owned())) };
        let Some(cache) = &access.cache else { return Err(unusable("no cache directory was given".to_owned())) };
        let client = client(s3).map_err(&unusable)?;
        let retry = RetryConfig { max_retries: 6, retry_timeout: Duration::from_secs(90), ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(s3.region.as_deref().unwrap_or("us-east-1"))
            .with_access_key_id(&s3.access_key)
            .with_secret_access_key(&s3.secret_key)
            .with_virtual_hosted_style_request(s3.endpoint.is_none())
            .with_http_connector(Connector(client))
            .with_retry(retry);
        if let Some(endpoint) = &s3.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        if let Some(token) = &s3.session_token {
            builder = builder.with_token(token);
        }
        let store = builder.build().map_err(|error| unusable(error.to_string()))?;
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| unusable(error.to_string()))?;
        Ok(Self { prefix: prefix.to_owned(), cache: cache.clone(), store, runtime, location })
    }

    fn key(&self, key: &str) -> Result<Key, StoreError> {
        let full =
            [self.prefix.as_str(), key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Key::parse(full)
            .map_err(|error| StoreError::Unusable { location: self.location.clone(), reason: error.to_string() })
    }

    fn entry(&self, meta: &ObjectMeta) -> Entry {
        let full = meta.location.as_ref();
        let key = full.strip_prefix(self.prefix.as_str()).unwrap_or(full).trim_start_matches('/');
        Entry { key: key.to_owned(), size: meta.size, stored: Time(meta.last_modified.timestamp_millis()) }
    }

    /// For `map_err` on an operation over `key`.
    fn failed(&self, action: &'static str, key: &str) -> impl Fn(Error) -> StoreError {
        let (location, key) = (self.location.clone(), key.to_owned());
        move |error| {
            let fatal = matches!(
                error,
                Error::NotFound { .. }
                    | Error::PermissionDenied { .. }
                    | Error::Unauthenticated { .. }
                    | Error::InvalidPath { .. }
                    | Error::NotSupported { .. }
                    | Error::NotImplemented { .. }
                    | Error::UnknownConfigurationKey { .. }
            );
            StoreError::Remote { action, location: location.clone(), key: key.clone(), fatal, source: Box::new(error) }
        }
    }

    /// Sends a file in parts and checks on the way that it is still what it was.
    async fn send(&self, path: &Path, object: &Object, key: &Key) -> Result<(), StoreError> {
        let failed = self.failed("store", key.as_ref());
        let mut upload = self.store.put_multipart(key).await.map_err(&failed)?;
        match self.send_parts(path, object, &mut *upload).await {
            Ok(()) => upload.complete().await.map(drop).map_err(failed),
            Err(error) => {
                // What was sent is of no use; if this fails as well, the bucket's own rule for it has to clear it.
                let _ = upload.abort().await;
                Err(match error {
                    PartError::Local(error) => error,
                    PartError::Remote(error) => failed(error),
                })
            }
        }
    }

    async fn send_parts(
        &self,
        path: &Path,
        object: &Object,
        upload: &mut dyn MultipartUpload,
    ) -> Result<(), PartError> {
        let read = |error| PartError::Local(StoreError::io("read", path)(error));
        let mut file = File::open(path).map_err(read)?;
        let part = PART.max(object.size.div_ceil(PARTS));
        let mut digester = Digester::default();
        loop {
            let mut bytes = Vec::new();
            Read::by_ref(&mut file).take(part).read_to_end(&mut bytes).map_err(read)?;
            if bytes.is_empty() {
                break;
            }
            digester.update(&bytes);
            upload.put_part(PutPayload::from(bytes)).await.map_err(PartError::Remote)?;
        }
        if digester.finish() == object.sha256 {
            return Ok(());
        }
        let reason = "it changed while it was read".to_owned();
        Err(PartError::Local(StoreError::Source { path: path.to_owned(), reason }))
    }
}

enum PartError {
    Local(StoreError),
    Remote(Error),
}

impl Objects for Bucket {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let keys = [key.to_owned()];
        Ok(self.get_all(&keys)?.pop().flatten())
    }

    fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let get = |key: String| async move {
            let failed = self.failed("read", &key);
            let got = match self.store.get(&self.key(&key)?).await {
                Ok(got) => got.bytes().await,
                Err(error) => Err(error),
            };
            match got {
                Ok(bytes) => Ok(Some(bytes.to_vec())),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(failed(error)),
            }
        };
        self.runtime.block_on(stream::iter(keys.to_vec()).map(get).buffered(AT_ONCE).try_collect())
    }

    fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool, StoreError> {
        let path = self.key(key)?;
        let put = self.store.put_opts(&path, PutPayload::from(bytes.to_vec()), PutMode::Create.into());
        match self.runtime.block_on(put) {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.failed("create", key)(error)),
        }
    }

    fn put_file(&self, path: &Path, extension: Extension) -> Result<Object, StoreError> {
        if !fs::metadata(path).map_err(StoreError::io("read", path))?.is_file() {
            return Err(StoreError::Source { path: path.to_owned(), reason: "it is no plain file".to_owned() });
        }
        let (sha256, size) = measure(path)?;
        let object = Object { sha256, size, extension };
        if size > PART {
            self.runtime.block_on(self.send(path, &object, &self.key(&object.key())?))?;
            return Ok(object);
        }
        let bytes = fs::read(path).map_err(StoreError::io("read", path))?;
        let sent = self.put_bytes(&bytes, extension)?;
        if sent == object {
            return Ok(object);
        }
        Err(StoreError::Source { path: path.to_owned(), reason: "it changed while it was read".to_owned() })
    }

    fn put_bytes(&self, bytes: &[u8], extension: Extension) -> Result<Object, StoreError> {
        let object = Object::of(bytes, extension);
        let path = self.key(&object.key())?;
        let put = self.store.put(&path, PutPayload::from(bytes.to_vec()));
        self.runtime.block_on(put).map_err(self.failed("store", &object.key()))?;
        Ok(object)
    }

    fn local(&self, object: &Object, again: bool) -> Result<Option<PathBuf>, StoreError> {
        let (key, path) = (object.key(), self.cache.join(object.key()));
        if !again && path.try_exists().map_err(StoreError::io("inspect", &path))? {
            return Ok(Some(path));
        }
        let Some(entry) = self.stat(&key)? else { return Ok(None) };
        let folder = path.parent().unwrap_or(&self.cache);
        make_folder(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(StoreError::io("create a file in", folder))?;
        let remote = self.key(&key)?;
        // A piece that fails is asked for again, not the whole.
        for start in (0..entry.size).step_by(PART as usize) {
            let range = start..entry.size.min(start + PART);
            let got = self.runtime.block_on(self.store.get_range(&remote, range));
            let bytes = got.map_err(self.failed("read", &key))?;
            file.write_all(&bytes).map_err(StoreError::io("write", &path))?;
        }
        file.persist(&path).map_err(|error| StoreError::io("create", &path)(error.error))?;
        Ok(Some(path))
    }

    fn stat(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        match self.runtime.block_on(self.store.head(&self.key(key)?)) {
            Ok(meta) => Ok(Some(self.entry(&meta))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("inspect", key)(error)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let prefix = self.key(folder)?;
        let metas: Vec<ObjectMeta> =
            self.runtime.block_on(self.store.list(Some(&prefix)).try_collect()).map_err(self.failed("list", folder))?;
        Ok(metas.iter().map(|meta| self.entry(meta)).collect())
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let prefix = self.key(folder)?;
        let found = self.runtime.block_on(self.store.list_with_delimiter(Some(&prefix)));
        let found = found.map_err(self.failed("list", folder))?;
        let keys = found.common_prefixes.iter().chain(found.objects.iter().map(|meta| &meta.location));
        let mut names: Vec<String> = keys.filter_map(|key| key.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.runtime.block_on(self.store.delete(&self.key(key)?)) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", key)(error)),
        }
    }

    fn writing(&self) -> Result<Guard, StoreError> {
        Ok(Guard(None))
    }

    fn collecting(&self) -> Result<Guard, StoreError> {
        Ok(Guard(None))
    }

    /// None that a key could name: a rule of the bucket has to end uploads that were begun and never completed.
    fn leftovers(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }
}

/// Gives object_store the client that was made here: its own would bring another TLS library.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

fn client(s3: &S3Access) -> Result<reqwest::Client, String> {
    let bad = |path: &Path, reason: String| format!("{} holds no certificates: {reason}", path.display());
    let authorities = match &s3.certificates {
        None => None,
        Some(path) => Some(fs::read(path).map_err(|error| bad(path, error.to_string()))?),
    };
    let tls = weir_http::tls(authorities.as_deref()).map_err(|error| match (error, &s3.certificates) {
        (HttpError::Authorities { reason }, Some(path)) => bad(path, reason),
        (other, _) => other.to_string(),
    })?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .build()
        .map_err(|error| error.to_string())
}
