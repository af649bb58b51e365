//! Flow ids as numbers: decimal ids by value, others by rank.
//!
//! The number of a flow id identifies a record and means nothing on a new flow. It exists for the `report` feature
//! set, which reproduces a published table; its list of ids travels in the bundle of that set only.

/// More ids than a bundle should carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "train has at least {ids} flow ids that are not decimal numbers, more than the {} a rank list may hold",
    FlowIds::LIMIT
)]
pub struct TooManyIds {
    /// Number of ids found until collecting was given up.
    pub ids: usize,
}

/// The sorted, distinct, non-decimal flow ids of train.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowIds(Vec<String>);

impl FlowIds {
    /// Most ids that a list may hold.
    pub const LIMIT: usize = 1_000_000;

    /// Whether an id is numbered by its rank, so that it has to be in the list.
    #[must_use]
    pub fn ranks(id: &str) -> bool {
        decimal(id).is_none()
    }

    /// Collects the ids of train that are not decimal.
    ///
    /// # Errors
    /// [`TooManyIds`] above [`FlowIds::LIMIT`].
    pub fn collect<'a>(ids: impl Iterator<Item = &'a str>) -> Result<Self, TooManyIds> {
        let mut sorted: Vec<String> = ids.filter(|id| Self::ranks(id)).map(str::to_owned).collect();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() > Self::LIMIT { Err(TooManyIds { ids: sorted.len() }) } else { Ok(Self(sorted)) }
    }

    /// The ids, sorted.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.0
    }

    /// A list read from a file, or `None` when it is not sorted and distinct.
    #[must_use]
    pub fn from_sorted(ids: Vec<String>) -> Option<Self> {
        ids.is_sorted_by(|a, b| a < b).then_some(Self(ids))
    }

    /// The number of an id: its value if decimal, else how many ids of the list sort before it.
    #[must_use]
    pub fn number(&self, id: &str) -> f64 {
        decimal(id).unwrap_or_else(|| self.0.partition_point(|known| known.as_str() < id) as f64)
    }
}

/// The value of an id of at most 15 decimal digits, which an f64 holds exactly.
fn decimal(id: &str) -> Option<f64> {
    let is_decimal = !id.is_empty() && id.len() <= 15 && id.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal.then(|| id.bytes().fold(0.0, |value, byte| value * 10.0 + f64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_ids_count_by_value_and_others_by_rank() {
        let ids = FlowIds::collect(["b", "13506", "d", "b"].into_iter()).unwrap();
        assert_eq!(ids.ids(), ["b", "d"]);
        assert_eq!(["13506", "b", "d"].map(|id| ids.number(id)), [13506.0, 0.0, 1.0]);
        assert_eq!(["a", "c", "e"].map(|id| ids.number(id)), [0.0, 1.0, 2.0]);
        assert_eq!(ids.number("1234567890123456"), 0.0, "16 digits do not fit an f64 and are ranked as text");
    }
}
