//! The feature store's catalogue: feature groups, immutable commits, snapshots, training datasets, lineage, labels.
//!
//! ```text
//! <store>/                                     a directory, or a bucket and prefix: the same keys
//! ├── store.json                               format of the store                                  immutable
//! ├── objects/<aa>/<sha256>.<extension>        data and quarantine (.parquet), statistics, schemas and
//! │                                            expectation results (.json), label files (.csv, .toml)  immutable
//! ├── groups/<name>/<version>.json             feature set, suite, seed, policy                      immutable
//! ├── commits/<name>/<version>/00000001.json   what was added to the group: one file each, no gaps   immutable
//! ├── datasets/<name>/<version>.json           training dataset: group, commit, split, artifact     immutable
//! └── tmp/                                     directory only: what writers have not finished, and their lock
//! ```
//!
//! Nothing is ever changed in place. A writer first stores its objects under the digests of their bytes, then
//! creates the next number of `commits/` if nobody else has: locally by a rename that replaces nothing, on S3 by a conditional PUT. Who
//! comes second looks at what the other has committed and takes the next number. So readers see whole commits only,
//! and a writer that is killed leaves at most objects that no commit names, which [`Store::gc`] removes.
//!
//! Every JSON file here carries the digest of its own content (`seal`), every object is named after its own: both are
//! checked whenever they are read. The seals find damage and mix-ups; they are no signature.
//!
//! A commit's id is the SHA-256 of its canonical JSON without its time, so that the same inserts give the same ids
//! wherever and whenever they run. Times within a group never decrease: `as of` a moment is the last commit not later.
//!
//! Entry points: [`Store::init`], [`Store::open`]; [`Store::define_group`]; [`Store::known_sources`] and
//! [`Store::insert`]; [`Store::add_labels`]; [`Store::snapshot`], [`Store::fetch`] and [`Labels::apply`];
//! [`Store::create_dataset`]; [`Store::lineage`]; [`Store::diff`]; [`Store::gc`]; [`Store::verify`]; [`show`].
//!
//! This crate moves files and reads JSON: it does not know Parquet, features, models or command lines, and reads no
//! environment variable. It reads and writes the tree above, and on S3 a cache directory of the caller.

mod commit;
mod dataset;
mod diff;
mod error;
mod files;
mod gc;
mod group;
mod insert;
mod label;
pub mod labels;
mod lineage;
mod location;
mod name;
mod objects;
mod read;
mod sealed;
pub mod show;
mod snapshot;
mod store;
mod time;
mod verify;

pub use commit::{Change, Classes, Commit, DataFile, Insert, LabelFile, LabelKind, Relabel, Source};
pub use dataset::{Dataset, NewDataset};
pub use diff::{Diff, DiffSide, FeatureChange, FeatureDiff};
pub use error::StoreError;
pub use files::Files;
pub use gc::{GcReport, Grace};
pub use group::{Document, FeatureNote, Group, GroupDefinition, GroupKey};
pub use insert::{Inserted, KnownSource, NewData, NewInsert, Note};
pub use label::{Labelled, NewLabels};
pub use labels::{Applied, Labels};
pub use lineage::{Lineage, LineageCommit};
pub use location::{Access, BadLocation, Location, S3Access};
pub use name::{BadName, Name};
pub use objects::{Extension, Object};
pub use snapshot::{AsOf, Snapshot, SnapshotFile};
pub use store::{Defined, Store};
pub use time::{Time, TimeError};
pub use verify::Problem;

/// Version of the files written by this build, see [`Store::init`].
pub const FORMAT: u32 = 1;
