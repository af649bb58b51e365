//! Keys of rows that must differ: exact, in memory up to a stated number of rows.

use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use weir_contract::FlowBatch;
use xxhash_rust::xxh3::xxh3_128;

use crate::field::{Cell, Field};
use crate::rows::Ignore;

/// Rows whose keys one expectation of uniqueness keeps (16 bytes each, 256 MiB).
pub const MAX_KEYS: usize = 1 << 24;

/// Rows are the same where these columns are; a null is like another null.
#[derive(Debug, Clone)]
pub(crate) struct Unique {
    pub(crate) fields: Vec<Field>,
    pub(crate) ignore: Ignore,
}

impl Unique {
    /// Calls `each` with the key of every row (XXH3-128 of its cells), `None` where it is ignored.
    ///
    /// Two different rows of n have the same key with probability n² / 2^129: below 10^-24 for 2^24 rows.
    pub(crate) fn keys(&self, flows: &FlowBatch, rows: Range<usize>, mut each: impl FnMut(usize, Option<u128>)) {
        let (mut bytes, mut text) = (Vec::new(), String::new());
        for row in rows {
            if self.ignore.row(&self.fields, flows, row) {
                each(row, None);
                continue;
            }
            bytes.clear();
            for field in &self.fields {
                text.clear();
                field.write(flows, row, &mut text);
                // A length ends every cell, so that ("ab", "c") is not ("a", "bc"); a null has one no text can have.
                let length = if field.is_null(flows, row) { u64::MAX } else { text.len() as u64 };
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            each(row, Some(xxh3_128(&bytes)));
        }
    }
}

/// The keys seen, in any order; a fingerprint of 16 bytes per row.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Keys {
    #[serde(serialize_with = "ascending", deserialize_with = "from_halves")]
    keys: Vec<u128>,
    /// Rows with a key; the keys are dropped when there are more than [`MAX_KEYS`].
    pub(crate) rows: u64,
    pub(crate) missing: u64,
    /// The first rows shown by a second pass.
    pub(crate) shown: Vec<Vec<Cell>>,
}

impl Keys {
    pub(crate) fn observe(&mut self, unique: &Unique, flows: &FlowBatch, rows: Range<usize>) {
        unique.keys(flows, rows, |_, key| match key {
            Some(key) => {
                self.keys.push(key);
                self.rows += 1;
            }
            None => self.missing += 1,
        });
        self.bound();
    }

    pub(crate) fn merge(&mut self, later: Self) {
        self.keys.extend(later.keys);
        self.rows += later.rows;
        self.missing += later.missing;
        self.shown.extend(later.shown);
        self.bound();
    }

    fn bound(&mut self) {
        if self.overflowed() {
            self.keys = Vec::new();
        }
    }

    pub(crate) fn overflowed(&self) -> bool {
        self.rows > MAX_KEYS as u64
    }

    /// The keys that occur more than once, ascending, and the rows that have them.
    pub(crate) fn repeated(&self) -> (Vec<u128>, u64) {
        let (mut keys, mut rows) = (Vec::new(), 0);
        for group in sorted(&self.keys).chunk_by(|a, b| a == b).filter(|group| group.len() > 1) {
            keys.push(group[0]);
            rows += group.len() as u64;
        }
        (keys, rows)
    }
}

fn sorted(keys: &[u128]) -> Vec<u128> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys
}

/// However the data was cut, the same bytes.
fn ascending<S: Serializer>(keys: &[u128], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(sorted(keys).into_iter().map(|key| ((key >> 64) as u64, key as u64)))
}

fn from_halves<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u128>, D::Error> {
    let halves = Vec::<(u64, u64)>::deserialize(deserializer)?;
    Ok(halves.into_iter().map(|(high, low)| u128::from(high) << 64 | u128::from(low)).collect())
}
