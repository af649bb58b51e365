//! Two scores per row: a dot, a ring, and the way from one to the other.

use minijinja::Value;

use super::axis::Domain;
use super::svg::{Anchor, Svg, shorten};

const PLOT: f64 = 140.0;
const ROW: f64 = 20.0;
const TOP: f64 = 22.0;
const AXIS: f64 = 24.0;
/// Room for `0.998` and what lies before it.
const VALUE: f64 = 44.0;
/// Width of a character at the size of labels in a wide font.
const CHARACTER: f64 = 7.0;
/// Longest name shown in full.
const LONGEST: usize = 22;

/// One row.
pub(crate) struct Pair {
    pub(crate) name: String,
    /// Where the dot and the ring are, if anywhere.
    pub(crate) values: [Option<f64>; 2],
    pub(crate) tip: String,
}

/// Rows from top to bottom over a shared axis up to 1; `names` are those of dot and ring. A value of `chance` says
/// nothing and has a line of its own.
pub(crate) fn pairs(title: &str, description: &str, names: [&str; 2], chance: f64, rows: &[Pair]) -> Value {
    let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).min(LONGEST);
    let left = longest as f64 * CHARACTER + 12.0;
    let right = left + PLOT;
    let bottom = TOP + rows.len() as f64 * ROW;
    let domain = Domain::around(rows.iter().flat_map(|row| row.values).flatten().chain([chance, 1.0]));
    let x = |value: f64| left + domain.position(value) * PLOT;

    let mut svg = Svg::new(right + 2.0 * VALUE, bottom + AXIS, title, description);
    for (tick, label) in domain.ticks(3) {
        svg.line("grid", (x(tick), TOP), (x(tick), bottom));
        svg.text("tick", (x(tick), bottom + 15.0), Anchor::Middle, &label);
    }
    svg.line("chance", (x(chance), TOP - 4.0), (x(chance), bottom));
    svg.text("tick", (x(chance), TOP - 8.0), Anchor::Middle, "chance");
    svg.line("axis", (left, bottom), (right, bottom));
    let edge = |column: usize| right + (column as f64 + 1.0) * VALUE;
    for (column, name) in names.iter().enumerate() {
        svg.text("tick", (edge(column), TOP - 8.0), Anchor::End, name);
    }
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + (i as f64 + 0.5) * ROW;
        svg.label("label", (left - 12.0, y + 4.0), Anchor::End, &shorten(&row.name, LONGEST), &row.tip);
        if let [Some(dot), Some(ring)] = row.values {
            svg.line("whisker", (x(dot), y), (x(ring), y));
        }
        // At one place they are a dot in a ring.
        for (value, (class, radius)) in row.values.into_iter().zip([("dot", 3.5), ("dot later", 5.5)]).rev() {
            if let Some(value) = value {
                svg.circle(class, (x(value), y), radius, &row.tip);
            }
        }
        for (column, value) in row.values.into_iter().enumerate() {
            let text = crate::text::decimals(value.unwrap_or(f64::NAN), 3);
            svg.text("label", (edge(column), y + 4.0), Anchor::End, &text);
        }
    }
    svg.finish()
}
