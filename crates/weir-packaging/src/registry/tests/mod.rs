//! Pushing and pulling against registries that misbehave; `tests/registry/run.sh` asks a real one.

mod pulling;
mod pushing;
mod stand_in;

use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_bundle::Bundle;
use weir_stage::Stage;

use super::{Client, Login, Reference, Settings};
use crate::oci::{About, Image};

/// A bundle that is small, signed and recorded.
fn bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../weir-bundle/tests/bundle/format-2/bundle")
}

fn files() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(bundle()).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

/// The image of [`bundle`], with these files in it.
fn image(files: &[(String, Vec<u8>)]) -> Image {
    let bundle = Bundle::open(bundle()).unwrap();
    let info = bundle.info();
    Image::of(files, &About { name: &info.name, digest: bundle.digest(), trial: info.trial, revision: None }).unwrap()
}

/// Settings that do not wait long.
fn settings() -> Settings {
    let login = Login::Password { username: "me".to_owned(), password: "secret".to_owned() };
    Settings { login, plain_http: true, pause: Duration::from_millis(1), ..Settings::default() }
}

fn client<'a>(reference: &Reference, stage: &'a Stage) -> Client<'a> {
    Client::new(reference, settings(), stage).unwrap()
}
