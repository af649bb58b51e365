//! A decision tree: all rows walk it side by side, one level after the other.
//!
//! Comparisons are in double, on the model's own thresholds. The alternative, all tests at once and a matrix of paths,
//! takes as many numbers as the tree has tests times leaves; a walk takes six operators per level, however wide the
//! tree is.

use weir_models::tree::Tree;

use super::Prediction;
use super::graph::{Graph, Value};

pub(super) fn predict(graph: &mut Graph, model: &Tree, x: &Value) -> Prediction {
    let mut node = below_the_root(graph, model, x);
    if model.depth() > 1 {
        let nodes = Nodes::of(graph, model);
        for _ in 1..model.depth() {
            node = nodes.step(graph, x, &node);
        }
    }
    let classes: Vec<i64> = model.nodes().iter().map(|node| i64::from(node.class())).collect();
    let probabilities: Vec<f64> = model.nodes().iter().map(weir_models::tree::Node::probability).collect();
    let classes = graph.integers(&classes);
    let probabilities = graph.doubles(&[probabilities.len()], &probabilities);
    let class = graph.op("Gather", &[&classes, &node], &[("axis", 0)]);
    let probability = graph.op("Gather", &[&probabilities, &node], &[("axis", 0)]);
    Prediction { class, probability: Some(probability), decision: None }
}

/// The nodes `int64[N, 1]` that the root sends the rows to.
fn below_the_root(graph: &mut Graph, model: &Tree, x: &Value) -> Value {
    let root = Test::of(model, 0);
    let feature = graph.integers(&[root.feature]);
    let value = graph.op("Gather", &[x, &feature], &[("axis", 1)]);
    let threshold = graph.double(root.threshold);
    let (left, right) = (graph.integers(&[root.left]), graph.integers(&[root.right]));
    let goes_left = graph.op("LessOrEqual", &[&value, &threshold], &[]);
    graph.op("Where", &[&goes_left, &left, &right], &[])
}

/// Tables `[nodes]` of what the nodes test and where they send rows. A leaf sends every row to itself.
struct Nodes {
    features: Value,
    thresholds: Value,
    left: Value,
    right: Value,
}

/// The test of a node.
struct Test {
    feature: i64,
    threshold: f64,
    left: i64,
    right: i64,
}

impl Test {
    fn of(model: &Tree, node: usize) -> Self {
        let own = node as i64;
        match &model.nodes()[node].split {
            None => Self { feature: 0, threshold: 0.0, left: own, right: own },
            Some(split) => Self {
                feature: i64::from(split.feature),
                threshold: split.threshold,
                left: own + 1,
                right: i64::from(split.right),
            },
        }
    }
}

impl Nodes {
    fn of(graph: &mut Graph, model: &Tree) -> Self {
        let tests: Vec<Test> = (0..model.nodes().len()).map(|node| Test::of(model, node)).collect();
        let thresholds: Vec<f64> = tests.iter().map(|test| test.threshold).collect();
        let mut integers = |of: fn(&Test) -> i64| graph.integers(&tests.iter().map(of).collect::<Vec<_>>());
        Self {
            features: integers(|test| test.feature),
            left: integers(|test| test.left),
            right: integers(|test| test.right),
            thresholds: graph.doubles(&[thresholds.len()], &thresholds),
        }
    }

    /// The nodes that `node`: `int64[N, 1]` send the rows to.
    fn step(&self, graph: &mut Graph, x: &Value, node: &Value) -> Value {
        let mut lookup = |table: &Value| graph.op("Gather", &[table, node], &[("axis", 0)]);
        let (feature, threshold) = (lookup(&self.features), lookup(&self.thresholds));
        let (left, right) = (lookup(&self.left), lookup(&self.right));
        let value = graph.op("GatherElements", &[x, &feature], &[("axis", 1)]);
        let goes_left = graph.op("LessOrEqual", &[&value, &threshold], &[]);
        graph.op("Where", &[&goes_left, &left, &right], &[])
    }
}
