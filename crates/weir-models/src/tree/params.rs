//! Parameters of the decision tree.

use weir_contract::{ParamMap, ParamValue};

use crate::params::{ParamError, ParamReader};

/// Parameters of a decision tree, by scikit-learn's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeParams {
    /// What a split is measured by.
    pub criterion: Criterion,
    /// Most splits on the way from the root to a leaf (at least 1); `None` for no limit.
    pub max_depth: Option<usize>,
    /// Fewest rows a node needs to be split (at least 2).
    pub min_samples_split: usize,
    /// Fewest rows of each child of a split (at least 1).
    pub min_samples_leaf: usize,
    /// Most bins that the values of a feature are cut into (2 to 65,535); `None` for exact cuts between any two values.
    /// Not one of scikit-learn's tree; its `HistGradientBoostingClassifier` has it.
    pub max_bins: Option<usize>,
}

/// Impurity of a node with class shares p and 1 - p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// `2 p (1 - p)`.
    Gini,
    /// `-p log p - (1 - p) log (1 - p)`.
    Entropy,
}

const CRITERIA: [(&str, Criterion); 2] = [("gini", Criterion::Gini), ("entropy", Criterion::Entropy)];

impl Default for TreeParams {
    /// scikit-learn's: gini, no depth limit, `min_samples_split` 2, `min_samples_leaf` 1; exact cuts.
    fn default() -> Self {
        Self { criterion: Criterion::Gini, max_depth: None, min_samples_split: 2, min_samples_leaf: 1, max_bins: None }
    }
}

impl TreeParams {
    /// Checks the parameters given in `map`; the others take their defaults. scikit-learn's shares of rows (a
    /// `min_samples_leaf` between 0 and 1) are not taken.
    ///
    /// # Errors
    /// [`ParamError`] for an unknown parameter or a value outside its range.
    pub fn from_map(map: &ParamMap) -> Result<Self, ParamError> {
        let default = Self::default();
        let most = u32::MAX as usize;
        let mut reader = ParamReader::new("decision tree", map);
        let params = Self {
            criterion: reader.choice("criterion", default.criterion, &CRITERIA)?,
            max_depth: reader.int_or_none("max_depth", default.max_depth, 1..=most)?,
            min_samples_split: reader.int("min_samples_split", default.min_samples_split, 2..=most)?,
            min_samples_leaf: reader.int("min_samples_leaf", default.min_samples_leaf, 1..=most)?,
            max_bins: reader.int_or_none("max_bins", default.max_bins, 2..=usize::from(u16::MAX))?,
        };
        reader.finish()?;
        Ok(params)
    }

    /// All parameters, defaults included.
    #[must_use]
    pub fn to_map(&self) -> ParamMap {
        let whole = |number: usize| ParamValue::Int(i64::try_from(number).unwrap_or(i64::MAX));
        ParamMap::from([
            ("criterion".to_owned(), ParamValue::Text(self.criterion.name().to_owned())),
            ("max_bins".to_owned(), self.max_bins.map_or(ParamValue::None, whole)),
            ("max_depth".to_owned(), self.max_depth.map_or(ParamValue::None, whole)),
            ("min_samples_split".to_owned(), whole(self.min_samples_split)),
            ("min_samples_leaf".to_owned(), whole(self.min_samples_leaf)),
        ])
    }
}

impl Criterion {
    /// The name scikit-learn gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gini => "gini",
            Self::Entropy => "entropy",
        }
    }
}
