//! Templates and views become the page.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::view::{audit, block, data, encoder, expectations, features, glance, provenance, results, search, trials};
use crate::{BlockReport, RenderError, RunReport};

/// The templates by name. The ending `.html` switches escaping on.
const TEMPLATES: [(&str, &str); 13] = [
    ("head.html", include_str!("../templates/head.html")),
    ("page.html", include_str!("../templates/page.html")),
    ("macros.html", include_str!("../templates/macros.html")),
    ("glance.html", include_str!("../templates/glance.html")),
    ("results.html", include_str!("../templates/results.html")),
    ("trials.html", include_str!("../templates/trials.html")),
    ("search.html", include_str!("../templates/search.html")),
    ("encoder.html", include_str!("../templates/encoder.html")),
    ("data.html", include_str!("../templates/data.html")),
    ("expectations.html", include_str!("../templates/expectations.html")),
    ("audit.html", include_str!("../templates/audit.html")),
    ("provenance.html", include_str!("../templates/provenance.html")),
    ("block.html", include_str!("../templates/block.html")),
];

const STYLE: &str = include_str!("../templates/style.css");

/// What the templates see.
#[derive(Serialize)]
struct Page<'a> {
    style: Value,
    title: &'a str,
    version: &'a str,
    glance: glance::Glance,
    results: results::Results,
    trials: Vec<trials::Card>,
    searches: Vec<search::Search>,
    encoder: Option<encoder::Encoder>,
    data: data::Data,
    features: features::Features,
    expectations: expectations::Suite,
    audit: audit::Audit,
    provenance: provenance::Provenance,
}

/// What the template of the block report sees.
#[derive(Serialize)]
struct BlockPage<'a> {
    style: Value,
    title: &'a str,
    version: &'a str,
    block: block::Block,
}

/// The report of a run as HTML.
///
/// # Errors
/// [`RenderError::WinnerNotRanked`] when the selection's ranking does not hold its winner.
pub fn render(report: &RunReport<'_>) -> Result<String, RenderError> {
    let entries = results::entries(report);
    let winner = entries.iter().find(|entry| entry.id == report.selection.winner && entry.rank.is_some()).ok_or(
        RenderError::WinnerNotRanked { winner: report.selection.winner, ranked: report.selection.ranking.len() },
    )?;

    let page = Page {
        style: Value::from_safe_string(STYLE.to_owned()),
        title: report.title,
        version: report.version,
        glance: glance::view(report, &entries, winner),
        results: results::view(report, &entries),
        trials: trials::view(report, &entries),
        searches: search::view(report),
        encoder: report.encoder.map(encoder::view),
        data: data::view(report.statistics),
        features: features::view(report.features, report.statistics),
        expectations: expectations::view(report.expectations),
        audit: audit::view(report.audit),
        provenance: provenance::view(report),
    };
    Ok(environment()?.get_template("page.html")?.render(Serde(page))?)
}

/// The block report as HTML: why clients of an access log are listed, or why nobody is.
///
/// # Errors
/// [`RenderError::Template`], which is a defect of this crate.
pub fn render_block(report: &BlockReport<'_>) -> Result<String, RenderError> {
    let page = BlockPage {
        style: Value::from_safe_string(STYLE.to_owned()),
        title: report.title,
        version: report.version,
        block: block::view(report),
    };
    Ok(environment()?.get_template("block.html")?.render(Serde(page))?)
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}
