//! YAML text of rendered workflows.

use serde_json::Value;

/// Lines are not folded: a folded text hides how many spaces it has, and nobody edits what is rendered.
const LONGEST_LINE: usize = 1 << 20;

/// What has no form in YAML; no [`Value`] is known that has none.
#[derive(Debug, thiserror::Error)]
#[error("cannot write YAML: {0}")]
pub struct YamlError(#[from] serde_saphyr::ser::Error);

/// `value` in block style, two spaces per level, a line feed at the end. Texts that a reader of YAML 1.1 or 1.2 would
/// take for something else (`true`, `1`, `no`) are quoted, texts of several lines are literal blocks.
///
/// # Errors
/// [`YamlError`] from the emitter.
pub fn to_yaml(value: &Value) -> Result<String, YamlError> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: LONGEST_LINE };
    Ok(serde_saphyr::to_string_with_options(value, options)?)
}
