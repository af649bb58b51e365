//! What to simulate: given freely, checked once.

use weir_contract::{Classify, ExitCode, Seed, Share};

/// The most records one simulation writes; their times stay within a timestamp's four-digit year.
pub const MAX_ROWS: u64 = 10_000_000_000;

/// The latest start, 2100-01-01T00:00:00Z in milliseconds since 1970 UTC.
pub const MAX_START: i64 = 4_102_444_800_000;

/// What to simulate. [`Default`] is the sample that ships with the project.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulationParams {
    /// Records to write, 1 to [`MAX_ROWS`]. A flow has about two of them.
    pub rows: u64,
    /// Seed of everything random.
    pub seed: Seed,
    /// Time at which the simulation starts, milliseconds since 1970 UTC, 0 to [`MAX_START`].
    pub start: i64,
    /// How far the traffic has moved from what it was, 0 to 1: other shares of the services, clients from
    /// other subnets, larger payloads, attackers with other tools.
    pub drift: f64,
    /// Expected share of malicious flows among all flows, 0 to 1.
    pub attack_share: f64,
}

impl Default for SimulationParams {
    /// 18,000 records from 2026-03-02T08:00:00Z, seed 42, no drift, 40 % malicious flows.
    fn default() -> Self {
        Self { rows: 18_000, seed: Seed::default(), start: 1_772_438_400_000, drift: 0.0, attack_share: 0.4 }
    }
}

/// A parameter outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulateError {
    /// Too few or too many records.
    #[error("rows: expected 1 to {MAX_ROWS} records, received {0}")]
    Rows(u64),
    /// A start before 1970 or too late.
    #[error("start: expected 0 to {MAX_START} milliseconds since 1970 UTC, received {0}")]
    Start(i64),
    /// A number that is not a share.
    #[error("{name}: expected a share between 0 and 1, received {received}")]
    Share {
        /// The parameter.
        name: &'static str,
        /// Its value.
        received: f64,
    },
}

impl Classify for SimulateError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Rows(_) => "for more, write several simulations with different seeds and starts".to_owned(),
            Self::Start(_) => "give the start in milliseconds, not seconds or nanoseconds".to_owned(),
            Self::Share { name, .. } => format!("a tenth is {name} 0.1"),
        })
    }
}

/// Parameters that are within their ranges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValidSimulationParams {
    rows: u64,
    seed: Seed,
    start: i64,
    drift: Share,
    attack_share: Share,
}

impl SimulationParams {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`SimulateError`] naming the first parameter outside its range.
    pub fn check(self) -> Result<ValidSimulationParams, SimulateError> {
        if !(1..=MAX_ROWS).contains(&self.rows) {
            return Err(SimulateError::Rows(self.rows));
        }
        if !(0..=MAX_START).contains(&self.start) {
            return Err(SimulateError::Start(self.start));
        }
        let share = |name, received| Share::try_from(received).map_err(|_| SimulateError::Share { name, received });
        Ok(ValidSimulationParams {
            rows: self.rows,
            seed: self.seed,
            start: self.start,
            drift: share("drift", self.drift)?,
            attack_share: share("attack_share", self.attack_share)?,
        })
    }
}

impl ValidSimulationParams {
    /// Records to write.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
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

    /// How far the traffic has moved.
    #[must_use]
    pub fn drift(&self) -> Share {
        self.drift
    }

    /// Expected share of malicious flows.
    #[must_use]
    pub fn attack_share(&self) -> Share {
        self.attack_share
    }
}
