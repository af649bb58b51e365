//! The artifacts of a run from left to right, each right of everything it was made from.

use minijinja::Value;

use super::svg::{Anchor, Svg, shorten};

const HEIGHT: f64 = 40.0;
const STEP: f64 = 50.0;
/// Between columns.
const GAP: f64 = 56.0;
const MARGIN: f64 = 2.0;
/// Longest name shown in full, and the width of its characters in a wide font.
const LONGEST: usize = 40;
const CHARACTER: f64 = 7.3;

/// One box.
pub(crate) struct Node {
    pub(crate) name: String,
    /// A second line, such as a short digest.
    pub(crate) detail: String,
    pub(crate) tip: String,
    /// Whether it came from outside of the run.
    pub(crate) external: bool,
    /// Indices of the nodes it was made from, each smaller than its own.
    pub(crate) inputs: Vec<usize>,
}

/// The graph of `nodes`, which are sorted so that inputs come first.
pub(crate) fn lineage(nodes: &[Node]) -> Value {
    let mut column = vec![0usize; nodes.len()];
    let mut heights: Vec<usize> = Vec::new();
    let mut row = vec![0usize; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        column[i] = node.inputs.iter().map(|&input| column[input] + 1).max().unwrap_or(0);
        heights.resize(heights.len().max(column[i] + 1), 0);
        row[i] = heights[column[i]];
        heights[column[i]] += 1;
    }
    // A column is as wide as its longest name.
    let mut widths = vec![118.0f64; heights.len()];
    for (node, &column) in nodes.iter().zip(&column) {
        let characters = node.name.chars().count().min(LONGEST) as f64;
        widths[column] = widths[column].max(characters * CHARACTER + 20.0);
    }
    let left = |column: usize| MARGIN + widths[..column].iter().map(|width| width + GAP).sum::<f64>();
    let tallest = heights.iter().copied().max().unwrap_or(0) as f64;
    let corner = |i: usize| {
        let empty = tallest - heights[column[i]] as f64;
        (left(column[i]), MARGIN + (row[i] as f64 + empty / 2.0) * STEP)
    };

    let width = (left(heights.len()) - GAP + MARGIN).max(MARGIN);
    let height = (2.0 * MARGIN + tallest * STEP - (STEP - HEIGHT)).max(MARGIN);
    let description = format!("{} artifacts and inputs in {} steps", nodes.len(), heights.len());
    let mut svg = Svg::new(width, height, "Lineage of the run", &description);
    for (i, node) in nodes.iter().enumerate() {
        let (x, y) = corner(i);
        for &input in &node.inputs {
            let from = corner(input);
            // Lines that would pass behind other boxes are paler.
            let class = if column[i] - column[input] == 1 { "link" } else { "link far" };
            svg.link(class, (from.0 + widths[column[input]], from.1 + HEIGHT / 2.0), (x, y + HEIGHT / 2.0));
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        let (x, y) = corner(i);
        svg.rect(
            if node.external { "node external" } else { "node" },
            [x, y, widths[column[i]], HEIGHT],
            1.0,
            &node.tip,
        );
        svg.label("strong", (x + 10.0, y + 17.0), Anchor::Start, &shorten(&node.name, LONGEST), &node.tip);
        svg.label("tick mono", (x + 10.0, y + 32.0), Anchor::Start, &shorten(&node.detail, 14), &node.tip);
    }
    svg.finish()
}
