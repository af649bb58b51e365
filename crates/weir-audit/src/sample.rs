//! What is audited.

use weir_contract::feature::Identifies;
use weir_contract::flow::Column;

use crate::AuditError;

/// Rows of a feature table, chosen without regard to their values, over all splits. Every slice but the first two has
/// one entry per row.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Names of the features: `[features]`.
    pub names: &'a [String],
    /// What each is declared to identify: `[features]`.
    pub identifies: &'a [Option<Identifies>],
    /// Unscaled features: `[features][rows]`, finite.
    pub columns: &'a [Vec<f64>],
    /// 1 for malicious, 0 for benign.
    pub label: &'a [u8],
    /// [`Sample::TRAIN`], [`Sample::TEST`] or [`Sample::VALIDATION`].
    pub split: &'a [u8],
    /// Event time in milliseconds since 1970.
    pub event_time: &'a Column<i64>,
    /// Digest of what the flow is, equal for rows that are equal in all features.
    pub content: &'a [u128],
    /// Rows of the table that the sample was drawn from.
    pub rows_total: u64,
}

impl Sample<'_> {
    /// A row of train.
    pub const TRAIN: u8 = 0;
    /// A row of test.
    pub const TEST: u8 = 1;
    /// A row of validation.
    pub const VALIDATION: u8 = 2;

    /// The features that are declared to identify nothing; `None` where that is all of them or none.
    pub(crate) fn without_identity(&self) -> Option<Vec<usize>> {
        let features: Vec<usize> = (0..self.names.len()).filter(|&f| self.identifies[f].is_none()).collect();
        (!features.is_empty() && features.len() < self.names.len()).then_some(features)
    }

    pub(crate) fn check(&self) -> Result<(), AuditError> {
        let rows = self.label.len();
        assert_eq!(self.columns.len(), self.names.len(), "one column per feature");
        assert_eq!(self.identifies.len(), self.names.len(), "one declaration per feature");
        assert!(self.columns.iter().all(|column| column.len() == rows), "one value per row and feature");
        assert_eq!([self.split.len(), self.event_time.len(), self.content.len()], [rows; 3], "one of each per row");
        assert!(self.label.iter().all(|&label| label <= 1), "labels are 0 and 1");
        assert!(self.split.iter().all(|&split| split <= Self::VALIDATION), "splits are 0, 1 and 2");
        for (name, column) in self.names.iter().zip(self.columns) {
            if let Some(row) = column.iter().position(|value| !value.is_finite()) {
                return Err(AuditError::NotFinite { feature: name.clone(), row, value: column[row] });
            }
        }
        Ok(())
    }
}
