//! placeholder
mod arguments;
mod bounds;
mod distinct;
mod divergence;
mod error;
mod evaluation;
mod exact;
mod field;
mod kind;
mod profile;
mod result;
mod rows;
mod sample;
mod suite;
mod types;
mod unique;

pub use distinct::MAX_DISTINCT;
pub use error::SuiteError;
pub use evaluation::{Duplicates, Evaluation};
pub use kind::KNOWN;
pub use profile::{Profile, suggest};
pub use sample::MAX_SAMPLE;
pub use suite::{Checked, describe};
pub use unique::MAX_KEYS;

/// The suites that ship with Weir, as (name, JSON).
pub const SHIPPED: [(&str, &str); 1] = [("flows", include_str!("../../../pipeline/expectations/flows.json"))];
