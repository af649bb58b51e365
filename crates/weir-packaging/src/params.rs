//! The section `[packaging]` of a parameter file.

use serde::{Deserialize, Serialize};
use validator::Validate;
use weir_bundle::BundleName;

/// What the bundle is called and carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct PackagingParams {
    /// Name of the bundle and of the served model: lowercase letters, digits and `-`; `weir-detector`.
    pub name: BundleName,
    /// At most this many example flows, with addresses and labels, go into the bundle; 5. 0 keeps all flows out.
    #[validate(range(max = 100))]
    pub examples: usize,
    /// Revision of whatever the run is made for, such as a commit, for card and provenance; none.
    #[validate(length(max = 200))]
    pub revision: String,
}

impl Default for PackagingParams {
    fn default() -> Self {
        Self { name: BundleName::default(), examples: 5, revision: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_stage::{DEFAULT_PARAMS, Params};

    #[test]
    fn the_shipped_section_says_what_the_defaults_are() {
        let shipped = Params::load(None, DEFAULT_PARAMS, &[]).unwrap();
        assert_eq!(shipped.section::<PackagingParams>("packaging").unwrap(), PackagingParams::default());
    }
}
