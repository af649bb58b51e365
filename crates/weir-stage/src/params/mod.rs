//! Parameters: a TOML file, `--set` on top, and one checked type per section.
//!
//! A parameter file replaces the one built in; what it leaves out has the default of its type. A stage asks for
//! its own sections only, so one file serves the whole pipeline.

mod explain;
mod place;
mod ranges;
mod set;

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Value;
use toml::de::DeTable;
use validator::Validate;
use weir_contract::Seed;

use crate::Failure;
use place::Places;

/// What may stand at the top of a parameter file: the value `seed`, and one section per concern.
pub const SECTIONS: &[&str] =
    &["seed", "features", "training", "autoencoder", "selection", "packaging", "blocklist", "notice"];

/// The parameter file that ships with Weir, as (name, text).
pub const DEFAULT_PARAMS: (&str, &str) =
    ("pipeline/params/default.toml", include_str!("../../../../pipeline/params/default.toml"));

/// Parameters before they are checked by the types of their sections.
#[derive(Debug, Clone)]
pub struct Params {
    table: toml::Table,
    places: Places,
    seed: Seed,
}

impl Params {
    /// Reads the file at `path`, or the built-in `(name, text)` without one, and applies `sets`, each
    /// `section.key=value` with a value in TOML (anything else is taken as text) or `seed=N`.
    ///
    /// # Errors
    /// Failures of usage that name file and line, or the `--set`: a file that cannot be read or is no TOML, a
    /// section that is not among [`SECTIONS`], a number that is not finite, a seed that is no whole number.
    pub fn load(path: Option<&Path>, builtin: (&str, &str), sets: &[String]) -> Result<Self, Failure> {
        match path {
            Some(path) => Self::parse(&path.display().to_string(), &read(path)?, sets),
            None => Self::parse(&format!("built-in {}", builtin.0), builtin.1, sets),
        }
    }

    /// As [`Params::load`], from `text`; `name` stands for it in failures.
    ///
    /// # Errors
    /// Those of [`Params::load`].
    pub fn parse(name: &str, text: &str, sets: &[String]) -> Result<Self, Failure> {
        let (mut table, mut places) = parse(name, text)?;
        for set in sets {
            set::apply(set, &mut table, &mut places)?;
        }
        for (key, value) in &table {
            check_top(key, value, &places)?;
            refuse_not_finite(&mut vec![key.clone()], value, &places)?;
        }
        let seed = match table.get("seed") {
            None => Seed::default(),
            Some(value) => {
                let seed = value.as_integer().and_then(|seed| u64::try_from(seed).ok());
                Seed(seed.ok_or_else(|| places.failure(&["seed".to_owned()], "seed", expected_seed(value)))?)
            }
        };
        Ok(Self { table, places, seed })
    }

    /// The section `name` as its type, checked: `T` denies unknown fields and validates its ranges.
    ///
    /// A section that the file leaves out is read as an empty one.
    ///
    /// # Errors
    /// Failures of usage that name the parameter with file and line or `--set`: an unknown one (with the nearest
    /// known one as hint), a missing one, one of a wrong type, one out of its range (with the range).
    pub fn section<T: DeserializeOwned + Validate>(&self, name: &str) -> Result<T, Failure> {
        let section = match self.table.get(name) {
            Some(Value::Table(section)) => section.clone(),
            _ => toml::Table::new(),
        };
        // Written out and read again: only an error from text tells where in the table it is.
        let text = toml::to_string(&section)
            .map_err(|error| Failure::usage(format!("failed to write section {name} as TOML: {error}")))?;
        let value: T = toml::from_str(&text).map_err(|error| explain::failure(name, &text, &error, &self.places))?;
        value.validate().map_err(|errors| ranges::failure(name, &errors, &self.places))?;
        Ok(value)
    }

    /// All of them as one text in TOML, which [`Params::parse`] reads to the same parameters.
    ///
    /// # Errors
    /// [`Failure::usage`] when a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String, Failure> {
        toml::to_string(&self.table)
            .map_err(|error| Failure::usage(format!("failed to write the parameters as TOML: {error}")))
    }

    /// The seed, 42 where none is set.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("failed to read parameters from {}: {error}", path.display()))
            .hint("leave out --params for the built-in parameters")
    })
}

fn parse(name: &str, text: &str) -> Result<(toml::Table, Places), Failure> {
    let no_toml = |error: toml::de::Error| {
        let line = error.span().map_or(1, |span| place::line_of(text, span.start));
        Failure::usage(format!("{name}:{line}: {}", error.message().replace('\n', ", ")))
    };
    let places = Places::of(name, text, DeTable::parse(text).map_err(no_toml)?.get_ref());
    Ok((toml::from_str(text).map_err(no_toml)?, places))
}

fn check_top(key: &str, value: &Value, places: &Places) -> Result<(), Failure> {
    let path = [key.to_owned()];
    if !SECTIONS.contains(&key) {
        let failure = places.failure(&path, key, "no such section");
        return Err(failure.hint(explain::nearest(key, SECTIONS)));
    }
    if key != "seed" && !value.is_table() {
        return Err(places.failure(&path, key, format!("expected a section, received {}", value.type_str())));
    }
    Ok(())
}

fn refuse_not_finite(path: &mut Vec<String>, value: &Value, places: &Places) -> Result<(), Failure> {
    match value {
        Value::Float(number) if !number.is_finite() => {
            let name = path.join(".");
            Err(places.failure(path, &name, format!("expected a finite number, received {number}")))
        }
        Value::Array(items) => items.iter().try_for_each(|item| refuse_not_finite(path, item, places)),
        Value::Table(table) => table.iter().try_for_each(|(key, value)| {
            path.push(key.clone());
            refuse_not_finite(path, value, places)?;
            path.pop();
            Ok(())
        }),
        _ => Ok(()),
    }
}

fn expected_seed(value: &Value) -> String {
    format!("expected a whole number, 0 or more, received {value}")
}
