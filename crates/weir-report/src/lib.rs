//! Reports for people: self-contained HTML pages with SVG charts, made from contract types.
//!
//! [`render`] turns a [`RunReport`] into text, [`render_block`] a [`BlockReport`]; writing `report.html` is the caller's
//! part. The page needs
//! no script and loads nothing: styles, templates and charts are inside it. Whatever text comes from data
//! (attack names, hosts, descriptions, warnings, paths, user agents) is escaped, by minijinja in templates and by the builder in charts.
//!
//! This crate does not know polars, models, files or the command line. Same input, same bytes.
//!
//! ```text
//! view/      contract types -> what a section shows, every number already text
//! chart/     numbers -> SVG
//! templates/ the words and the HTML around both, one file per section
//! ```

mod chart;
mod page;
mod text;
mod view;
mod wilson;

use weir_contract::audit::Audit;
use weir_contract::blocklist::Detection;
use weir_contract::expectation::SuiteResult;
use weir_contract::feature::FeatureSchema;
use weir_contract::manifest::RunInfo;
use weir_contract::search::SearchResults;
use weir_contract::selection::Selection;
use weir_contract::statistics::Statistics;
use weir_contract::trial::{EncoderReport, Trials};
use weir_contract::{Classify, Digest, ExitCode, Seed, TrialId};

pub use page::{render, render_block};
pub use text::moment;
pub use wilson::wilson_interval;

/// Everything a run report is made of.
///
/// Searches and trials may be of any subset of families and representations; what is absent is left out of the page.
#[derive(Debug, Clone)]
pub struct RunReport<'a> {
    /// Heading of the page.
    pub title: &'a str,
    /// Version of the program that writes the report.
    pub version: &'a str,
    /// The feature schema, from `features.json`.
    pub features: &'a FeatureSchema,
    /// Splits, distributions and correlation, from `statistics.json`.
    pub statistics: &'a Statistics,
    /// Results of the expectation suite, from `expectations.json`.
    pub expectations: &'a SuiteResult,
    /// What the features give away, declared and measured, from `audit.json`.
    pub audit: &'a Audit,
    /// One table per training stage, from `search.json`, in any order.
    pub searches: &'a [SearchResults],
    /// One per training stage, from `trials.json`, in any order.
    pub trials: &'a [Trials],
    /// The autoencoder's training, from `encoder.json`, if the run had one.
    pub encoder: Option<&'a EncoderReport>,
    /// Ranking, winner and verdict, from `selection.json`.
    pub selection: &'a Selection,
    /// The artifacts of the run in the order they were made, from their manifests.
    pub lineage: Vec<LineageStep>,
    /// What was measured, from the `run-info.json` of each artifact, in the order to be shown.
    pub timings: Vec<Timing<'a>>,
}

/// Everything a block report is made of.
#[derive(Debug, Clone)]
pub struct BlockReport<'a> {
    /// Heading of the page.
    pub title: &'a str,
    /// Version of the program that writes the report.
    pub version: &'a str,
    /// Who is listed and why, from `detection.json`.
    pub detection: &'a Detection,
    /// Parameters to be shown, by name, as text. Whoever is never to be named, such as an allow list, is left out by the
    /// caller.
    pub parameters: Vec<(String, String)>,
}

/// One artifact and what it was made from.
#[derive(Debug, Clone)]
pub struct LineageStep {
    /// Name for people, such as `trials/baseline-knn`.
    pub name: String,
    /// The stage that made it.
    pub stage: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Digests of its inputs by role (`features`, `flows/0`, ...).
    pub inputs: Vec<(String, Digest)>,
    /// Build id of the stage.
    pub build: String,
    /// The seed, where the stage used one.
    pub seed: Option<Seed>,
}

/// What was measured while one step of the run ran.
#[derive(Debug, Clone)]
pub struct Timing<'a> {
    /// Name for people, such as `trials/baseline-knn`.
    pub name: String,
    /// The measurements.
    pub info: &'a RunInfo,
}

/// A report that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The selection names a winner that its ranking does not hold.
    #[error("selection.json names {winner} as the winner, but its ranking of {ranked} trials does not hold it")]
    WinnerNotRanked {
        /// The winner named.
        winner: TrialId,
        /// Length of the ranking.
        ranked: usize,
    },
    /// A template and the values it is given disagree; a defect of this crate.
    #[error("failed to render a template of the report")]
    Template(#[from] minijinja::Error),
}

impl Classify for RenderError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::WinnerNotRanked { .. } => ExitCode::Input,
            Self::Template(_) => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::WinnerNotRanked { .. } => Some("Run the selection stage again with --force".to_owned()),
            Self::Template(_) => None,
        }
    }
}
