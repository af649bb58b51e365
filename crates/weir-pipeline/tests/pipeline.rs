//! The graph of the pipeline, and how it is run.

use std::cell::RefCell;

use serde_json::json;
use weir_contract::{Digest, Family, Representation};
use weir_pipeline::{
    Dag, DagError, Edge, Event, Input, Node, NodeId, Outcome, PipelineSpec, StageRunner, Work, execute,
};

fn node(id: &str, output: &str, inputs: &[&str]) -> Node {
    let edge = |from: &&str| Edge { artifact: (*from).to_owned(), from: NodeId::new(*from) };
    Node {
        id: NodeId::new(id),
        work: Work::Features,
        output: output.to_owned(),
        inputs: inputs.iter().map(edge).collect(),
    }
}

fn order(dag: &Dag) -> Vec<&str> {
    dag.nodes().iter().map(|node| node.id.as_str()).collect()
}

#[test]
fn a_full_run_trains_every_family_on_every_representation() {
    let dag = PipelineSpec::default().dag().unwrap();
    assert_eq!(
        order(&dag),
        [
            "features",
            "training/baseline-svc",
            "training/baseline-logistic-regression",
            "training/baseline-knn",
            "training/baseline-decision-tree",
            "training/autoencoder-svc",
            "training/autoencoder-logistic-regression",
            "training/autoencoder-knn",
            "training/autoencoder-decision-tree",
            "selection",
            "packaging",
        ]
    );
}

#[test]
fn nodes_name_their_directories_and_where_their_inputs_come_from() {
    let spec = PipelineSpec { models: vec![Family::Knn], representations: vec![Representation::Baseline] };
    assert_eq!(
        serde_json::to_value(spec.dag().unwrap()).unwrap(),
        json!([
            {"id": "features", "stage": "features", "output": "features", "inputs": []},
            {"id": "training/baseline-knn", "stage": "training", "representation": "baseline", "family": "knn",
             "output": "trials/baseline-knn", "inputs": [{"artifact": "features", "from": "features"}]},
            {"id": "selection", "stage": "selection", "output": "selection",
             "inputs": [{"artifact": "trials/baseline-knn", "from": "training/baseline-knn"}]},
            {"id": "packaging", "stage": "packaging", "output": "package",
             "inputs": [{"artifact": "features", "from": "features"},
                        {"artifact": "selection", "from": "selection"},
                        {"artifact": "trials/baseline-knn", "from": "training/baseline-knn"}]},
        ])
    );
}

#[test]
fn nothing_to_train_and_a_family_named_twice_are_refused() {
    let spec = PipelineSpec { models: Vec::new(), ..PipelineSpec::default() };
    assert_eq!(spec.dag(), Err(DagError::Nothing("model")));
    let spec = PipelineSpec { representations: Vec::new(), ..PipelineSpec::default() };
    assert_eq!(spec.dag(), Err(DagError::Nothing("representation")));
    let spec = PipelineSpec { models: vec![Family::Knn, Family::Knn], ..PipelineSpec::default() };
    assert_eq!(spec.dag(), Err(DagError::SameId(NodeId::new("training/baseline-knn"))));
}

#[test]
fn nodes_come_after_their_inputs_and_otherwise_in_the_order_given() {
    let dag = Dag::new(vec![
        node("d", "d", &["b", "c"]),
        node("c", "c", &["a"]),
        node("b", "b", &["a"]),
        node("a", "a", &[]),
    ]);
    assert_eq!(order(&dag.unwrap()), ["a", "c", "b", "d"]);
}

#[test]
fn a_graph_that_cannot_be_run_is_refused() {
    let refused = |nodes: Vec<Node>| Dag::new(nodes).unwrap_err().to_string();
    let cycle = refused(vec![node("a", "a", &[]), node("b", "b", &["c"]), node("c", "c", &["b"])]);
    assert_eq!(cycle, "nodes of the pipeline wait for each other: b, c");
    let missing = refused(vec![node("a", "a", &["x"])]);
    assert_eq!(missing, "node a of the pipeline takes x from x, which does not exist");
    let twice = refused(vec![node("a", "a", &[]), node("b", "b", &["a", "a"])]);
    assert_eq!(twice, "node b of the pipeline takes two artifacts as a");
    for (one, other) in [("out", "out"), ("out", "out/x"), ("out/x", "out")] {
        let nested = refused(vec![node("a", one, &[]), node("b", other, &[])]);
        assert_eq!(nested, "nodes a and b of the pipeline would write into each other's directory");
    }
    for output in ["", "/etc", "../x", "a/../../x"] {
        assert!(matches!(Dag::new(vec![node("a", output, &[])]), Err(DagError::Outside { .. })), "{output:?}");
    }
    assert!(Dag::new(vec![node("a", "out", &[]), node("b", "output", &[])]).is_ok());
}

/// Answers with a digest over the node's name and its inputs, skips `skip`, fails at `fail`.
#[derive(Default)]
struct Recorder {
    skip: &'static str,
    fail: &'static str,
    ran: RefCell<Vec<String>>,
}

impl StageRunner for Recorder {
    type Error = String;

    fn run(&self, node: &Node, inputs: &[Input<'_>]) -> Result<Outcome, String> {
        let from: Vec<&str> = inputs.iter().map(|input| input.node.output.as_str()).collect();
        self.ran.borrow_mut().push(format!("{} <- {}", node.id, from.join(" ")));
        if node.id.as_str() == self.fail {
            return Err("disk full".to_owned());
        }
        let mut text = node.id.to_string();
        inputs.iter().for_each(|input| text += &format!(" {}={}", input.edge.artifact, input.digest));
        let skipped = node.id.as_str() == self.skip;
        Ok(Outcome { digest: Digest::of(text.as_bytes()), skipped, seconds: 0.5 })
    }
}

fn small() -> Dag {
    let models = vec![Family::Knn, Family::Svc];
    PipelineSpec { models, representations: vec![Representation::Baseline] }.dag().unwrap()
}

#[test]
fn every_node_gets_the_artifacts_of_its_edges_in_their_order() {
    let runner = Recorder::default();
    let outcomes = execute(&small(), &runner, |_| {}).unwrap();
    assert_eq!(
        *runner.ran.borrow(),
        [
            "features <- ",
            "training/baseline-knn <- features",
            "training/baseline-svc <- features",
            "selection <- trials/baseline-knn trials/baseline-svc",
            "packaging <- features selection trials/baseline-knn trials/baseline-svc",
        ]
    );
    let features = Digest::of(b"features");
    assert_eq!(outcomes[0].1.digest, features);
    assert_eq!(outcomes[1].1.digest, Digest::of(format!("training/baseline-knn features={features}").as_bytes()));
}

#[test]
fn the_first_failure_ends_the_run_and_keeps_what_was_done() {
    let runner = Recorder { fail: "training/baseline-svc", ..Recorder::default() };
    let stopped = execute(&small(), &runner, |_| {}).unwrap_err();
    assert_eq!((stopped.node.as_str(), stopped.error.as_str()), ("training/baseline-svc", "disk full"));
    let finished: Vec<&str> = stopped.finished.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(finished, ["features", "training/baseline-knn"]);
    assert_eq!(runner.ran.borrow().len(), 3);
}

#[test]
fn an_observer_hears_of_every_start_and_end_and_of_what_was_skipped() {
    let mut heard = Vec::new();
    let runner = Recorder { skip: "features", fail: "training/baseline-svc", ..Recorder::default() };
    let ended = execute(&small(), &runner, |event| {
        heard.push(match event {
            Event::Started { node, index, total } => format!("{index}/{total} {}", node.id),
            Event::Finished { node, outcome, .. } => format!("{} skipped: {}", node.id, outcome.skipped),
        });
    });
    assert!(ended.is_err());
    assert_eq!(
        heard,
        [
            "1/5 features",
            "features skipped: true",
            "2/5 training/baseline-knn",
            "training/baseline-knn skipped: false",
            "3/5 training/baseline-svc",
        ]
    );
}
