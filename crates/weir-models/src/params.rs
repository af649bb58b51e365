//! From a [`ParamMap`] (TOML, JSON, a grid) to checked parameters, with refusals that name parameter, allowed range
//! and value received.

use weir_contract::{ParamMap, ParamValue};

/// A parameter that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParamError {
    /// No such parameter.
    #[error("{model} has no parameter {name:?}{}; it has {known}", nearest_in_words(.nearest))]
    Unknown {
        /// The family.
        model: &'static str,
        /// What was given.
        name: String,
        /// The known parameter that was probably meant.
        nearest: Option<&'static str>,
        /// The known parameters, separated by commas.
        known: String,
    },
    /// A value outside the allowed ones.
    #[error("{model}: {name} must be {allowed}, received {received}")]
    Value {
        /// The family.
        model: &'static str,
        /// Name of the parameter.
        name: &'static str,
        /// The allowed values in words.
        allowed: String,
        /// What was given.
        received: String,
    },
}

/// Reads the parameters of one model out of a map; every read names a known parameter, [`ParamReader::finish`]
/// refuses the rest.
pub struct ParamReader<'a> {
    model: &'static str,
    map: &'a ParamMap,
    known: Vec<&'static str>,
}

impl<'a> ParamReader<'a> {
    /// Starts reading the parameters of `model` (its title, for messages).
    #[must_use]
    pub fn new(model: &'static str, map: &'a ParamMap) -> Self {
        Self { model, map, known: Vec::new() }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a ParamValue> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.map.get(name)
    }

    /// A refusal of the value given for `name`.
    #[must_use]
    pub fn refuse(&self, name: &'static str, allowed: impl Into<String>) -> ParamError {
        let received = self.map.get(name).map_or_else(|| "nothing".to_owned(), ToString::to_string);
        ParamError::Value { model: self.model, name, allowed: allowed.into(), received }
    }

    /// A real number with `check`, else `default`. `allowed` says in words what `check` wants.
    ///
    /// # Errors
    /// [`ParamError::Value`].
    pub fn float(
        &mut self,
        name: &'static str,
        default: f64,
        allowed: &str,
        check: impl Fn(f64) -> bool,
    ) -> Result<f64, ParamError> {
        let number = match self.value(name) {
            None => return Ok(default),
            Some(ParamValue::Int(number)) => *number as f64,
            Some(ParamValue::Float(number)) => *number,
            Some(_) => return Err(self.refuse(name, allowed)),
        };
        if number.is_finite() && check(number) { Ok(number) } else { Err(self.refuse(name, allowed)) }
    }

    /// A whole number within `range`, else `default`.
    ///
    /// # Errors
    /// [`ParamError::Value`].
    pub fn int(
        &mut self,
        name: &'static str,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, ParamError> {
        let allowed = format!("a whole number from {} to {}", range.start(), range.end());
        match self.value(name) {
            None => Ok(default),
            Some(&ParamValue::Int(number)) => usize::try_from(number)
                .ok()
                .filter(|number| range.contains(number))
                .ok_or_else(|| self.refuse(name, allowed)),
            Some(_) => Err(self.refuse(name, allowed)),
        }
    }

    /// Like [`ParamReader::int`], with `none` for no limit.
    ///
    /// # Errors
    /// [`ParamError::Value`].
    pub fn int_or_none(
        &mut self,
        name: &'static str,
        default: Option<usize>,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<Option<usize>, ParamError> {
        let allowed = format!("a whole number from {} to {} or none", range.start(), range.end());
        match self.value(name) {
            None => Ok(default),
            Some(ParamValue::None) => Ok(None),
            Some(ParamValue::Text(text)) if text == "none" => Ok(None),
            Some(_) => self.int(name, 0, range).map(Some).map_err(|_| self.refuse(name, allowed)),
        }
    }

    /// One of the named choices, else `default`.
    ///
    /// # Errors
    /// [`ParamError::Value`].
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        default: T,
        choices: &[(&'static str, T)],
    ) -> Result<T, ParamError> {
        let allowed = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" or ");
        match self.value(name) {
            None => Ok(default),
            Some(ParamValue::Text(text)) => choices
                .iter()
                .find(|(name, _)| name == text)
                .map(|(_, choice)| *choice)
                .ok_or_else(|| self.refuse(name, allowed())),
            Some(_) => Err(self.refuse(name, allowed())),
        }
    }

    /// The text or number given for a parameter that takes both, such as gamma.
    pub fn raw(&mut self, name: &'static str) -> Option<&'a ParamValue> {
        self.value(name)
    }

    /// Refuses parameters that nobody read.
    ///
    /// # Errors
    /// [`ParamError::Unknown`].
    pub fn finish(self) -> Result<(), ParamError> {
        match self.map.keys().find(|name| !self.known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(ParamError::Unknown {
                model: self.model,
                name: name.clone(),
                nearest: weir_contract::nearest(name, self.known.iter().copied()),
                known: self.known.join(", "),
            }),
        }
    }
}

fn nearest_in_words(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(", the nearest is {nearest}"))
}
