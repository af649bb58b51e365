//! Dot plot: one row per candidate with its parameters in columns, a dot at the mean, a whisker from the worst to the best fold.

use minijinja::Value;

use super::axis::Domain;
use super::svg::{Anchor, Svg, shorten};

const WIDTH: f64 = 352.0;
const PLOT: f64 = 120.0;
const ROW: f64 = 18.0;
const TOP: f64 = 22.0;
const AXIS: f64 = 24.0;
/// Room for `0.99851 !` behind the plot.
const VALUE: f64 = 68.0;
/// Width of a character at the size of labels in a wide font.
const CHARACTER: f64 = 7.4;
/// Between columns.
const GAP: f64 = 12.0;
/// Longest value shown in full.
const LONGEST: usize = 14;

/// One row.
pub(crate) struct Dot {
    /// One per column.
    pub(crate) cells: Vec<String>,
    pub(crate) mean: f64,
    /// Worst and best fold.
    pub(crate) whisker: (f64, f64),
    /// The mean as text.
    pub(crate) value: String,
    pub(crate) tip: String,
    pub(crate) best: bool,
    /// The scores are from part of the data only.
    pub(crate) cut: bool,
    /// The scores are those of another row.
    pub(crate) repeated: bool,
    /// The solver stopped at its limit on some fold.
    pub(crate) unconverged: bool,
}

/// Rows from top to bottom over a shared axis; `columns` names the cells of each row.
pub(crate) fn dots(title: &str, description: &str, domain: Domain, columns: &[&str], rows: &[Dot]) -> Value {
    let mut edges = Vec::new();
    let mut left = 0.0;
    for (i, name) in columns.iter().enumerate() {
        let cells = rows.iter().filter_map(|row| row.cells.get(i)).map(|cell| cell.chars().count());
        let longest = cells.chain([name.chars().count()]).max().unwrap_or(0).min(LONGEST);
        left += longest as f64 * CHARACTER + GAP;
        edges.push(left - GAP);
    }
    left += 2.0;
    let width = WIDTH.max(left + PLOT + VALUE);
    let right = width - VALUE;
    let bottom = TOP + rows.len() as f64 * ROW;
    let x = |value: f64| left + domain.position(value) * (right - left);

    let mut svg = Svg::new(width, bottom + AXIS, title, description);
    for (tick, label) in domain.ticks(4) {
        svg.line("grid", (x(tick), TOP), (x(tick), bottom));
        svg.text("tick", (x(tick), bottom + 15.0), Anchor::Middle, &label);
    }
    svg.line("axis", (left, bottom), (right, bottom));
    for (name, &edge) in columns.iter().zip(&edges) {
        svg.text("tick", (edge, TOP - 8.0), Anchor::End, &shorten(name, LONGEST));
    }
    svg.text("tick", (right + 8.0, TOP - 8.0), Anchor::Start, "mean");
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + (i as f64 + 0.5) * ROW;
        let class = if row.best { "strong" } else { "label" };
        if row.best {
            svg.rect("band", [0.0, y - ROW / 2.0, width, ROW], 1.0, "");
        }
        for (cell, &edge) in row.cells.iter().zip(&edges) {
            svg.text(class, (edge, y + 4.0), Anchor::End, &shorten(cell, LONGEST));
        }
        svg.line("whisker", (x(row.whisker.0), y), (x(row.whisker.1), y));
        let dot = match row {
            Dot { best: true, .. } => "dot best",
            Dot { cut: true, repeated: true, .. } => "dot repeated cut",
            Dot { cut: true, .. } => "dot cut",
            Dot { repeated: true, .. } => "dot repeated",
            _ => "dot",
        };
        svg.circle(dot, (x(row.mean), y), if row.best { 5.0 } else { 3.5 }, &row.tip);
        let value = if row.unconverged { format!("{} !", row.value) } else { row.value.clone() };
        svg.text(class, (right + 8.0, y + 4.0), Anchor::Start, &value);
    }
    svg.finish()
}
