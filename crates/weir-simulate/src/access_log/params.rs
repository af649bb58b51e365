//! What to simulate: given freely, checked once.

use weir_contract::{Classify, ExitCode, Seed, Share};

use super::plan::AttackPlan;
use crate::params::MAX_START;

/// The most lines that are no attack.
pub const MAX_LINES: u64 = 10_000_000_000;
/// The longest log, and the longest attack: ten years.
pub const MAX_SECONDS: f64 = 10.0 * 365.0 * 86_400.0;
/// The most visitors.
pub const MAX_VISITORS: u32 = 8_000_000;
/// The most attackers.
pub const MAX_ATTACKERS: u32 = 100_000;

/// Lines per second where the length of the log is not given.
const DEFAULT_INTENSITY: f64 = 10.0;
/// Lines per visitor where their number is not given.
const DEFAULT_LINES_PER_VISITOR: u64 = 30;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessLogParams {
    /// Lines that are no attack; attacks come on top. 0 to [`MAX_LINES`]; 0 needs an attack.
    pub lines: u64,
    /// Seconds over which they are spread, about; a tenth of the lines if not given.
    pub seconds: Option<f64>,
    /// Addresses that visitors may have, 1 to [`MAX_VISITORS`]; a thirtieth of the lines if not given.
    pub visitors: Option<u32>,
    /// Seed of everything random.
    pub seed: Seed,
    /// Start of the log, milliseconds since 1970 UTC.
    pub start: i64,
    /// Who attacks.
    pub attacks: Vec<AttackPlan>,
    /// Requests per second that the server answers; beyond, everybody's requests fail with 503 or 499. Without bound if
    /// not given.
    pub capacity: Option<u32>,
    /// Share of the lines that are no attack whose request is garbage: TLS sent to a plain port, or nothing at all.
    pub garbage: f64,
}

impl Default for AccessLogParams {
    /// 20,000 lines from 2026-03-02T08:00:00Z, seed 42, no attack, one line of 500 garbage.
    fn default() -> Self {
        Self {
            lines: 20_000,
            seconds: None,
            visitors: None,
            seed: Seed::default(),
            start: 1_772_438_400_000,
            attacks: Vec::new(),
            capacity: None,
            garbage: 0.002,
        }
    }
}

/// A parameter outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AccessLogError {
    /// Too many lines.
    #[error("lines: expected at most {MAX_LINES}, received {0}")]
    Lines(u64),
    /// Neither lines nor an attack.
    #[error("lines: expected at least 1 where there is no attack")]
    Nothing,
    /// A start before 1970 or too late.
    #[error("start: expected 0 to {MAX_START} milliseconds since 1970 UTC, received {0}")]
    Start(i64),
    /// A number outside its range.
    #[error("{name}: expected {expected}, received {received}")]
    Number {
        /// The parameter.
        name: &'static str,
        /// Its range.
        expected: String,
        /// Its value.
        received: f64,
    },
}

impl Classify for AccessLogError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Lines(_) => "for more, write several logs with different seeds and starts".to_owned(),
            Self::Nothing => "give the number of lines, or an attack such as random-url:20:10:60".to_owned(),
            Self::Start(_) => "give the start in milliseconds, not seconds or nanoseconds".to_owned(),
            Self::Number { .. } => "an attack is SHAPE:CLIENTS:RATE:SECONDS[:START], such as random-url:20:10:60, \
                with requests per second of each client as its rate"
                .to_owned(),
        })
    }
}

/// Parameters that are within their ranges, and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidAccessLogParams {
    lines: u64,
    seconds: f64,
    visitors: u32,
    seed: Seed,
    start: i64,
    attacks: Vec<AttackPlan>,
    capacity: Option<u32>,
    garbage: Share,
}

impl AccessLogParams {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`AccessLogError`] naming the first parameter outside its range.
    pub fn check(self) -> Result<ValidAccessLogParams, AccessLogError> {
        if self.lines > MAX_LINES {
            return Err(AccessLogError::Lines(self.lines));
        }
        if self.lines == 0 && self.attacks.is_empty() {
            return Err(AccessLogError::Nothing);
        }
        if !(0..=MAX_START).contains(&self.start) {
            return Err(AccessLogError::Start(self.start));
        }
        let seconds = self.seconds.unwrap_or(self.lines.max(1) as f64 / DEFAULT_INTENSITY);
        within("seconds", seconds, 0.1, MAX_SECONDS)?;
        let visitors = self
            .visitors
            .unwrap_or_else(|| (self.lines / DEFAULT_LINES_PER_VISITOR).clamp(20, u64::from(MAX_VISITORS)) as u32);
        within("visitors", f64::from(visitors), 1.0, f64::from(MAX_VISITORS))?;
        if let Some(capacity) = self.capacity {
            within("capacity", f64::from(capacity), 1.0, f64::from(u32::MAX))?;
        }
        let mut attackers = 0.0;
        for attack in &self.attacks {
            attackers += f64::from(attack.clients);
            within("attack: clients", f64::from(attack.clients), 1.0, f64::from(MAX_ATTACKERS))?;
            within("attack: clients of all attacks", attackers, 1.0, f64::from(MAX_ATTACKERS))?;
            within("attack: rate", attack.rate, 0.001, 100_000.0)?;
            within("attack: seconds", attack.seconds, 0.1, MAX_SECONDS)?;
            within("attack: start", attack.start.unwrap_or(0.0), 0.0, MAX_SECONDS)?;
        }
        let garbage = Share::try_from(self.garbage).ok().filter(|share| share.get() <= 0.5);
        Ok(ValidAccessLogParams {
            lines: self.lines,
            seconds,
            visitors,
            seed: self.seed,
            start: self.start,
            attacks: self.attacks,
            capacity: self.capacity,
            garbage: garbage.ok_or(AccessLogError::Number {
                name: "garbage",
                expected: "a share between 0 and 0.5".to_owned(),
                received: self.garbage,
            })?,
        })
    }
}

/// Refuses a number outside `low..=high`, and what is no number.
fn within(name: &'static str, received: f64, low: f64, high: f64) -> Result<(), AccessLogError> {
    if (low..=high).contains(&received) {
        return Ok(());
    }
    Err(AccessLogError::Number { name, expected: format!("{low} to {high}"), received })
}

impl ValidAccessLogParams {
    /// Lines that are no attack.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Seconds over which they are spread, about.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Addresses that visitors may have.
    #[must_use]
    pub fn visitors(&self) -> u32 {
        self.visitors
    }

    /// Seed of everything random.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Start, milliseconds since 1970 UTC.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.start
    }

    /// Who attacks.
    #[must_use]
    pub fn attacks(&self) -> &[AttackPlan] {
        &self.attacks
    }

    /// Requests per second that the server answers.
    #[must_use]
    pub fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    /// Share of garbage.
    #[must_use]
    pub fn garbage(&self) -> Share {
        self.garbage
    }

    /// Lines per second that are no attack.
    pub(super) fn lines_per_second(&self) -> f64 {
        self.lines as f64 / self.seconds
    }
}
