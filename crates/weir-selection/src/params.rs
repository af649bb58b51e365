//! The section `[selection]` of a parameter file.

use serde::{Deserialize, Serialize};
use validator::Validate;
use weir_contract::Metric;

/// What trials are ranked by, and when the winner replaces the champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct SelectionParams {
    /// `accuracy` (the default), `balanced-accuracy`, `f1` or `mcc`.
    pub metric: Metric,
    /// The winner is promoted when it is right on more rows than the champion with a p-value below this; .05.
    #[validate(range(exclusive_min = 0.0, max = 1.0))]
    pub significance: f64,
    /// Where set, decides instead of `significance`: the winner is promoted when its accuracy is at least the
    /// champion's plus this.
    #[validate(range(min = 0.0, max = 1.0))]
    pub margin: Option<f64>,
}

impl Default for SelectionParams {
    fn default() -> Self {
        Self { metric: Metric::Accuracy, significance: 0.05, margin: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_stage::{DEFAULT_PARAMS, Params};

    #[test]
    fn the_shipped_section_says_what_the_defaults_are() {
        let shipped = Params::load(None, DEFAULT_PARAMS, &[]).unwrap();
        assert_eq!(shipped.section::<SelectionParams>("selection").unwrap(), SelectionParams::default());
    }
}
