//! Reads the arguments of an expectation; what nobody asked for is unknown.

use serde_json::{Map, Value};
use weir_contract::flow::COLUMNS;

use crate::bounds::{Bounds, Number, milliseconds};
use crate::error::{Wrong, known_names, wrong};
use crate::field::{Cell, Field, Holds};

/// What Great Expectations writes beside the arguments proper. `result_format` is accepted and not followed: results
/// have one form.
const STANDARD: [&str; 11] = [
    "batch_id",
    "catch_exceptions",
    "description",
    "id",
    "include_config",
    "meta",
    "notes",
    "rendered_content",
    "result_format",
    "severity",
    "table",
];

/// Accepted while null, as Great Expectations writes them.
const UNSUPPORTED: [&str; 3] = ["condition_parser", "row_condition", "windows"];

pub(crate) struct Arguments<'a> {
    map: &'a Map<String, Value>,
    read: Vec<&'static str>,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(map: &'a Map<String, Value>) -> Self {
        Self { map, read: Vec::new() }
    }

    /// An argument that is there and not null.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.read.push(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<&'a str>, Wrong> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(wrong(format!("{name} must be a text, received {value}"))),
        }
    }

    pub(crate) fn column(&mut self, name: &'static str) -> Result<Field, Wrong> {
        let given = self.get(name).and_then(Value::as_str).ok_or(wrong(format!("{name} must name a column")))?;
        field(given)
    }

    /// A column of numbers.
    pub(crate) fn numeric(&mut self, name: &'static str) -> Result<Field, Wrong> {
        let field = self.column(name)?;
        if field.is_numeric() { Ok(field) } else { Err(wrong(format!("column {} holds no numbers", field.name()))) }
    }

    /// At least two different columns.
    pub(crate) fn columns(&mut self, name: &'static str) -> Result<Vec<Field>, Wrong> {
        let list =
            self.get(name).and_then(Value::as_array).ok_or(wrong(format!("{name} must be a list of columns")))?;
        let named = list.iter().map(|name| name.as_str().ok_or(wrong("a column is named by a text")).and_then(field));
        let fields = named.collect::<Result<Vec<_>, _>>()?;
        let distinct: std::collections::BTreeSet<_> = fields.iter().collect();
        if fields.len() < 2 || distinct.len() < fields.len() {
            return Err(wrong(format!("{name} must name at least two different columns")));
        }
        Ok(fields)
    }

    /// Columns that need not exist.
    pub(crate) fn names(&mut self, name: &'static str) -> Result<Vec<String>, Wrong> {
        let list =
            self.get(name).and_then(Value::as_array).ok_or(wrong(format!("{name} must be a list of columns")))?;
        let text = |name: &Value| name.as_str().map(str::to_owned).ok_or(wrong("a column is named by a text"));
        list.iter().map(text).collect()
    }

    pub(crate) fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, Wrong> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or(wrong(format!("{name} must be true or false"))),
        }
    }

    /// One of `choices`, the first without the argument.
    pub(crate) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Result<T, Wrong> {
        let Some(given) = self.get(name) else { return Ok(choices[0].1) };
        let chosen = choices.iter().find(|(known, _)| given.as_str() == Some(*known));
        let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
        chosen.map(|(_, choice)| *choice).ok_or(wrong(format!("{name} must be one of {}", known.join(", "))))
    }

    /// A whole number that is not negative.
    pub(crate) fn count(&mut self, name: &'static str) -> Result<Option<u64>, Wrong> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let count = Number::read(value).and_then(|number| match number {
            Number::Whole(number) => u64::try_from(number).ok(),
            Number::Real(_) => None,
        });
        count.map(Some).ok_or(wrong(format!("{name} must be a whole number from 0, received {value}")))
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self, name: &'static str, default: f64) -> Result<f64, Wrong> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => match value.as_f64() {
                Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
                _ => Err(wrong(format!("{name} must be a number from 0 to 1, received {value}"))),
            },
        }
    }

    /// `min_value`, `max_value`, `strict_min`, `strict_max`, and whether the bounds were given as times (of `field`).
    pub(crate) fn bounds(&mut self, field: Option<Field>) -> Result<(Bounds, bool), Wrong> {
        let (minimum, early) = self.end("min_value", field)?;
        let (maximum, late) = self.end("max_value", field)?;
        let strict_minimum = self.flag("strict_min", false)?;
        let strict_maximum = self.flag("strict_max", false)?;
        if let (Some(low), Some(high)) = (minimum, maximum)
            && low.real() > high.real()
        {
            let (low, high) = (&self.map["min_value"], &self.map["max_value"]);
            return Err(wrong(format!("min_value {low} is greater than max_value {high}")));
        }
        Ok((Bounds { minimum, maximum, strict_minimum, strict_maximum }, early || late))
    }

    /// Bounds of which there must be at least one.
    pub(crate) fn needed_bounds(&mut self, field: Option<Field>) -> Result<(Bounds, bool), Wrong> {
        let (bounds, times) = self.bounds(field)?;
        if bounds.minimum.is_none() && bounds.maximum.is_none() {
            return Err(wrong("min_value and max_value cannot both be missing"));
        }
        Ok((bounds, times))
    }

    fn end(&mut self, name: &'static str, field: Option<Field>) -> Result<(Option<Number>, bool), Wrong> {
        let Some(value) = self.get(name) else { return Ok((None, false)) };
        if let (Some(text), Some(Field::EventTime)) = (value.as_str(), field) {
            let time = milliseconds(text).ok_or(wrong(format!("{name} {text:?} is no ISO 8601 date and time")))?;
            return Ok((Some(Number::Whole(time.into())), true));
        }
        let number = Number::read(value).ok_or(wrong(format!("{name} must be a number, received {value}")))?;
        Ok((Some(number), false))
    }

    /// The values a column is compared with, ascending and without repetition.
    pub(crate) fn cells(&mut self, name: &'static str, field: Field) -> Result<Vec<Cell>, Wrong> {
        let values = self.get(name).and_then(Value::as_array).ok_or(wrong(format!("{name} must be a list")))?;
        let mut cells = values.iter().map(|value| cell(name, value, field)).collect::<Result<Vec<_>, _>>()?;
        cells.sort();
        cells.dedup();
        Ok(cells)
    }

    pub(crate) fn finish(self) -> Result<(), Wrong> {
        for (name, value) in self.map {
            let name = name.as_str();
            if UNSUPPORTED.contains(&name) && !value.is_null() {
                let hint = "leave it out and select the rows before they are checked";
                return Err((format!("{name} is not supported"), Some(hint.to_owned())));
            }
            if ![&self.read[..], &STANDARD, &UNSUPPORTED].concat().contains(&name) {
                return Err((
                    format!("unknown argument {name:?}"),
                    Some(format!("known are {}", self.read.join(", "))),
                ));
            }
        }
        Ok(())
    }
}

fn field(name: &str) -> Result<Field, Wrong> {
    Field::named(name).ok_or_else(|| (format!("unknown column {name:?}"), Some(known_names(name, &COLUMNS))))
}

/// A value of the suite in the form in which the column holds it.
pub(crate) fn cell(name: &str, value: &Value, field: Field) -> Result<Cell, Wrong> {
    let must = |what: &str| wrong(format!("{name} must hold {what} for column {}, received {value}", field.name()));
    match field.holds() {
        // Compared as numbers: 80.0 is 80.
        Holds::Time | Holds::Port | Holds::Count => match Number::read(value) {
            Some(Number::Whole(number)) => Ok(Cell::Integer(number)),
            Some(Number::Real(_)) => Err(must("whole numbers")),
            None => {
                let time = value.as_str().filter(|_| field == Field::EventTime).and_then(milliseconds);
                time.map(|time| Cell::Integer(time.into())).ok_or(must("numbers"))
            }
        },
        Holds::Flag => value.as_bool().map(Cell::Flag).ok_or(must("true or false")),
        Holds::Address => {
            let address = value.as_str().and_then(|text| text.parse::<std::net::IpAddr>().ok());
            // In the spelling of the table: 2001:0db8::1 is 2001:db8::1.
            address.map(|address| Cell::Text(address.to_string())).ok_or(must("IP addresses"))
        }
        Holds::Name | Holds::Text => value.as_str().map(|text| Cell::Text(text.to_owned())).ok_or(must("texts")),
    }
}
