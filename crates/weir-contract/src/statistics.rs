//! `statistics.json`: what is in the splits, for people and for drift detection later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Version of `statistics.json` written by this build.
pub const FORMAT: u32 = 2;

/// Statistics of one run of the features stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Version of this file.
    pub format: u32,
    /// Where every input row went.
    pub rows: RowAccount,
    /// Classes per split, in the order train, test, validation.
    pub splits: Vec<SplitStatistics>,
    /// Rows of train that distributions, correlation and the quantiles of the features were computed from: all of them
    /// while no more than 100,000 rows are kept, else those of a uniform sample of 100,000 rows chosen by hash.
    pub sampled: u64,
    /// Distribution of every feature over train by class, in column order.
    pub distributions: Vec<Distribution>,
    /// Pearson correlation of the features over train, `[features][features]`; 0 where one is constant.
    pub correlation: Vec<Vec<f64>>,
    /// Earliest and latest event time of the kept rows, milliseconds since 1970 UTC.
    pub event_time: Option<(i64, i64)>,
    /// Addresses whose integer equals another address's, see the address encoding of the feature sets. Counted among at
    /// most about a million different IPv6 addresses.
    pub address_collisions: u64,
}

/// Every input row is in exactly one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowAccount {
    /// Records found in the input files, readable or not.
    pub input: u64,
    /// Rows in train, test and validation together.
    pub kept: u64,
    /// Rows set aside with a reason.
    pub quarantined: u64,
    /// Earlier records of a flow of which a later one was kept.
    pub deduplicated: u64,
    /// Rows left out by a rule of the feature set, by rule.
    pub excluded: BTreeMap<String, u64>,
}

impl RowAccount {
    /// Whether every input row is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.input == self.kept + self.quarantined + self.deduplicated + self.excluded.values().sum::<u64>()
    }
}

/// The classes of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitStatistics {
    /// `train`, `test` or `validation`.
    pub split: String,
    /// Rows of class 0.
    pub benign: u64,
    /// Rows of class 1.
    pub malicious: u64,
    /// Rows of which nobody said what they are; there are none in a feature table.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlabelled: u64,
    /// Malicious rows by name of the attack (`unnamed` where the data has none).
    pub attacks: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(rows: &u64) -> bool {
    *rows == 0
}

/// A histogram of one feature by class over train, in equal bins from minimum to maximum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Name of the feature.
    pub feature: String,
    /// Lower edge of the first bin and upper edge of the last.
    pub range: (f64, f64),
    /// Benign rows per bin.
    pub benign: Vec<u64>,
    /// Malicious rows per bin.
    pub malicious: Vec<u64>,
}
