//! An attack: shape, clients, rate, time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a flooding client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The front page with random queries, or random paths that do not exist; user agent and referer change with every
    /// request, as HULK and its kind do.
    RandomUrl,
    /// Random paths on a server that answers every path, as those of single-page applications do.
    RandomPath,
    /// One page again and again.
    SameUrl,
    /// Any page of the site, without what is on it.
    ValidPages,
    /// A search that is expensive, every few seconds: under every limit of a rate.
    Slow,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::RandomUrl, Self::RandomPath, Self::SameUrl, Self::ValidPages, Self::Slow];

    /// Its name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RandomUrl => "random-url",
            Self::RandomPath => "random-path",
            Self::SameUrl => "same-url",
            Self::ValidPages => "valid-pages",
            Self::Slow => "slow",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Clients that attack together. As text `SHAPE:CLIENTS:RATE:SECONDS[:START]`, such as `random-url:20:10:60`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttackPlan {
    /// What they ask for.
    pub shape: Shape,
    /// How many they are, at least 1.
    pub clients: u32,
    /// Requests per second of the median client, 0.001 to 100,000. The clients' rates are log-normal with deviation 0.4.
    pub rate: f64,
    /// How long they attack, seconds, above 0.
    pub seconds: f64,
    /// Seconds from the start of the log to that of the attack; a third of the log's expected length if not given.
    pub start: Option<f64>,
}

impl FromStr for AttackPlan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let (shape, clients, rate, seconds, start) = match parts[..] {
            [shape, clients, rate, seconds] => (shape, clients, rate, seconds, None),
            [shape, clients, rate, seconds, start] => (shape, clients, rate, seconds, Some(start)),
            _ => return Err("expected SHAPE:CLIENTS:RATE:SECONDS[:START], such as random-url:20:10:60".to_owned()),
        };
        let number = |name, text: &str| {
            text.parse::<f64>().map_err(|_| format!("{name}: expected a number, received \"{text}\""))
        };
        Ok(Self {
            shape: Shape::ALL.into_iter().find(|known| known.name() == shape).ok_or_else(|| {
                let known = Shape::ALL.map(Shape::name).join(", ");
                format!("shape: expected one of {known}, received \"{shape}\"")
            })?,
            clients: clients
                .parse()
                .map_err(|_| format!("clients: expected a whole number, received \"{clients}\""))?,
            rate: number("rate", rate)?,
            seconds: number("seconds", seconds)?,
            start: start.map(|start| number("start", start)).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_from_its_text() {
        let plan = AttackPlan { shape: Shape::Slow, clients: 3, rate: 0.2, seconds: 3600.0, start: None };
        assert_eq!("slow:3:0.2:3600".parse(), Ok(plan));
        assert_eq!("slow:3:0.2:3600:10".parse(), Ok(AttackPlan { start: Some(10.0), ..plan }));
    }

    #[test]
    fn a_refusal_names_the_part() {
        for (text, part) in [
            ("flood:1:1:1", "shape: expected one of random-url, random-path, same-url, valid-pages, slow"),
            ("slow:-1:1:1", "clients: expected a whole number"),
            ("slow:1:fast:1", "rate: expected a number"),
            ("slow:1:1:x", "seconds: expected a number"),
            ("slow:1:1:1:y", "start: expected a number"),
            ("slow:1:1", "expected SHAPE:CLIENTS:RATE:SECONDS[:START]"),
        ] {
            let error = text.parse::<AttackPlan>().unwrap_err();
            assert!(error.starts_with(part), "{error}");
        }
    }
}
