//! The known name that an unknown one was probably meant to be.

/// The name of `known` that is most like `unknown`, by the normalised Damerau-Levenshtein distance without regard to
/// case; `None` when not even half of it agrees.
///
/// ```
/// assert_eq!(weir_contract::nearest("acuracy", ["f1", "accuracy"]), Some("accuracy"));
/// assert_eq!(weir_contract::nearest("colour", ["f1", "accuracy"]), None);
/// ```
pub fn nearest<'k>(unknown: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let unknown = unknown.to_lowercase();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&unknown, &name.to_lowercase());
    let scored = known.into_iter().map(|name| (likeness(name), name));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness >= 0.5).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_the_name_and_a_strange_word_finds_none() {
        let known = ["metric", "alpha", "tie_margin"];
        assert_eq!(nearest("Metirc", known), Some("metric"));
        assert_eq!(nearest("tie-margin", known), Some("tie_margin"));
        assert_eq!(nearest("xyzzy", known), None);
        assert_eq!(nearest("metric", []), None);
    }
}
