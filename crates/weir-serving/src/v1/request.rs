//! Reading a v1 request in one pass, numbers straight into a matrix.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use weir_contract::FlowBatch;
use weir_flows::read_flow;

use crate::number::Number;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::rows::{Bounds, Rows};
use crate::v1::quick;

/// What else is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    /// The probabilities of both classes.
    pub(crate) probabilities: bool,
    /// The score of the model.
    pub(crate) scores: bool,
    /// Nothing for flows that cannot be predicted, and why, instead of a refusal of all.
    pub(crate) partial: bool,
}

impl Options {
    /// Those that the query of a URL sets, as in `?probabilities=true`.
    pub(crate) fn of_query(query: Option<&str>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for part in query.unwrap_or_default().split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, "true"));
            let option = match name {
                "probabilities" => &mut options.probabilities,
                "scores" => &mut options.scores,
                "partial" => &mut options.partial,
                _ => continue,
            };
            *option = value.parse().map_err(|_| {
                Refusal::Input(format!("parameter {name} of the query has to be true or false, received {value:?}"))
            })?;
        }
        Ok(options)
    }

    /// What either asks for.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            probabilities: self.probabilities || other.probabilities,
            scores: self.scores || other.scores,
            partial: self.partial || other.partial,
        }
    }
}

/// The rows of a request, and what its `parameters` ask for.
pub(crate) fn parse(body: &[u8], bounds: Bounds) -> Result<(Rows, Options), Refusal> {
    if let Some((rows, end)) = quick::instances(body, bounds) {
        // What follows is read as if there were no instances before it.
        let rest = [b"{\"instances\":[]", &body[end..]].concat();
        if let Ok((_, options)) = read(&rest, bounds) {
            return Ok((rows, options));
        }
    }
    read(body, bounds)
}

/// The same by the deserializer alone.
pub(super) fn read(body: &[u8], bounds: Bounds) -> Result<(Rows, Options), Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = Request(bounds).deserialize(&mut deserializer);
    let parsed = parsed.and_then(|parsed| deserializer.end().map(|()| parsed));
    parsed.map_err(|error| Refusal::Input(format!("expected {{\"instances\": [...]}}: {error}")))
}

struct Request(Bounds);

impl<'de> DeserializeSeed<'de> for Request {
    type Value = (Rows, Options);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Request {
    type Value = (Rows, Options);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut options) = (None, None);
        while let Some(key) = members.next_key::<Member>()? {
            match key {
                Member::Instances if rows.is_some() => return Err(A::Error::duplicate_field("instances")),
                Member::Instances => rows = Some(members.next_value_seed(Instances(self.0))?),
                Member::Parameters if options.is_some() => return Err(A::Error::duplicate_field("parameters")),
                Member::Parameters => {
                    let given: Option<Object<Options>> = members.next_value()?;
                    options = Some(given.map_or_else(Options::default, |Object(options)| options));
                }
                Member::Other => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        let rows = rows.ok_or_else(|| A::Error::missing_field("instances"))?;
        Ok((rows, options.unwrap_or_default()))
    }
}

/// `inputs` is what some clients of the protocol call the instances.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    #[serde(alias = "inputs")]
    Instances,
    Parameters,
    #[serde(other)]
    Other,
}

struct Instances(Bounds);

impl<'de> DeserializeSeed<'de> for Instances {
    type Value = Rows;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Rows, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Instances {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of instances")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Rows, A::Error> {
        let Bounds { width, rows: most } = self.0;
        let mut rows = Rows::Vectors { values: Vec::with_capacity(width), rows: 0 };
        loop {
            let number = rows.len();
            let next = items.next_element_seed(Instance { rows: &mut rows, width, full: number == most });
            let more = next.map_err(|error| A::Error::custom(format_args!("instance {number}: {error}")))?;
            if more.is_none() {
                return Ok(rows);
            }
        }
    }
}

/// One instance, appended to the rows: a vector or a flow.
struct Instance<'r> {
    rows: &'r mut Rows,
    width: usize,
    /// Whether there are as many rows as there may be.
    full: bool,
}

impl<'de> DeserializeSeed<'de> for Instance<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Instance<'_> {
    fn room<E: de::Error>(&self) -> Result<(), E> {
        let most = self.rows.len();
        if self.full { Err(E::custom(format_args!("a request may hold {most} of them; send several"))) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for Instance<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {} features in the order of features.json, or a flow as an object", self.width)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.room()?;
        let width = self.width;
        let Rows::Vectors { values, rows } = self.rows else {
            return Err(A::Error::custom("instances have to be either all vectors or all flows"));
        };
        let start = values.len();
        while let Some(Number(value)) = items.next_element()? {
            if values.len() - start == width {
                return Err(A::Error::invalid_length(width + 1, &self));
            }
            values.push(value);
        }
        if values.len() - start != width {
            return Err(A::Error::invalid_length(values.len() - start, &self));
        }
        *rows += 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.room()?;
        match self.rows {
            Rows::Flows(flows) => read_flow(MapAccessDeserializer::new(members), flows),
            Rows::Vectors { rows: 0, .. } => {
                let mut flows = Box::<FlowBatch>::default();
                read_flow(MapAccessDeserializer::new(members), &mut flows)?;
                *self.rows = Rows::Flows(flows);
                Ok(())
            }
            Rows::Vectors { .. } => Err(A::Error::custom("instances have to be either all vectors or all flows")),
        }
    }
}
