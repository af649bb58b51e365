//! Decision tree against scikit-learn's `DecisionTreeClassifier(random_state=42)`.
//!
//! Where several splits of a node are equally good, scikit-learn takes one at random and ours the lowest feature and
//! threshold. So what must agree is exact: every row whose path through our tree meets no such node. The nodes are
//! found by trying every split of every node with the textbook formula, which also shows that each split is a best one.

use ndarray::{Array2, Axis};
use weir_models::tree::{Criterion, Tree, TreeParams};
use weir_models::{CandidateScores, Classifier, Context, Dataset, search};

use crate::{Data, Golden, read};

#[test]
fn fold_accuracies_differ_from_scikit_learn_only_by_rows_on_tied_paths() {
    let (data, golden): (Data, Golden) = (Data::read(), read("decision-tree.json"));
    let mut untied = 0;
    for (candidate, scores) in golden.candidates.iter().zip(search_all(&data, &golden)) {
        let params = TreeParams::from_map(&candidate.parameters).unwrap();
        for (fold, (ours, theirs)) in data.folds().folds().iter().zip(scores.accuracy.iter().zip(&candidate.scores)) {
            let tree = Reference::fit(&params, &data, &fold.train);
            let tied = fold.test.iter().filter(|&&row| tree.path_is_tied(&data, row)).count();
            let rows_apart = ((ours - theirs) * fold.test.len() as f64).abs().round() as usize;
            assert!(rows_apart <= tied.min(6), "{params:?}: {rows_apart} rows apart, {tied} on tied paths");
            untied += fold.test.len() - tied;
        }
    }
    // Of 24 candidates x 600 held-out rows; ties are at home in the deep trees.
    assert!(untied > 12_000, "{untied}");
}

#[test]
fn predictions_and_probabilities_are_those_of_scikit_learn() {
    let (data, golden): (Data, Golden) = (Data::read(), read("decision-tree.json"));
    let all: Vec<u32> = (0..data.train as u32).collect();
    let mut compared = 0;
    for fit in &golden.fits {
        let params = TreeParams::from_map(&fit.parameters).unwrap();
        let reference = Reference::fit(&params, &data, &all);
        let ours = reference.tree.predict(data.test());
        for (position, row) in (data.train as u32..data.y.len() as u32).enumerate() {
            if !reference.path_is_tied(&data, row) {
                assert_eq!(ours.classes[position], fit.predicted[position], "{:?} row {row}", fit.parameters);
                assert!((ours.scores[position] - fit.scores[position]).abs() < 1e-15, "{:?} row {row}", fit.parameters);
                compared += 1;
            }
        }
    }
    assert!(compared > 570, "{compared} of 600");
}

#[test]
fn a_search_gives_what_single_fits_give() {
    let (data, golden): (Data, Golden) = (Data::read(), read("decision-tree.json"));
    for (candidate, scores) in golden.candidates.iter().zip(search_all(&data, &golden)) {
        let params = TreeParams::from_map(&candidate.parameters).unwrap();
        for (fold, accuracy) in data.folds().folds().iter().zip(scores.accuracy) {
            let (x, y) = rows(&data, &fold.train);
            let tree = params.fit(Dataset::new(x.view(), &y), &Context::default()).unwrap().model;
            let (x, y) = rows(&data, &fold.test);
            let right = tree.predict(x.view()).classes.iter().zip(&y).filter(|(ours, truth)| ours == truth).count();
            assert_eq!(accuracy, right as f64 / y.len() as f64, "{params:?}");
        }
    }
}

#[test]
fn the_best_candidate_is_that_of_scikit_learn() {
    let (data, golden): (Data, Golden) = (Data::read(), read("decision-tree.json"));
    let means: Vec<f64> = search_all(&data, &golden).iter().map(|scores| scores.accuracy.iter().sum()).collect();
    let best = (0..means.len()).rev().max_by(|&a, &b| means[a].total_cmp(&means[b])).unwrap();
    assert_eq!(golden.candidates[best].parameters, golden.best);
}

fn search_all(data: &Data, golden: &Golden) -> Vec<CandidateScores> {
    let candidates: Vec<TreeParams> =
        golden.candidates.iter().map(|candidate| TreeParams::from_map(&candidate.parameters).unwrap()).collect();
    assert_eq!(candidates.len(), 24);
    search(&candidates, data.train(), &data.folds(), &Context::default()).unwrap()
}

fn rows(data: &Data, rows: &[u32]) -> (Array2<f64>, Vec<u8>) {
    let rows: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
    (data.x.select(Axis(0), &rows), rows.iter().map(|&row| data.y[row]).collect())
}

/// A fitted tree and, per node, whether another split would have been as good.
struct Reference {
    tree: Tree,
    tied: Vec<bool>,
}

impl Reference {
    fn fit(params: &TreeParams, data: &Data, train: &[u32]) -> Self {
        let (x, y) = rows(data, train);
        let tree = params.fit(Dataset::new(x.view(), &y), &Context::default()).unwrap().model;
        let mut reference = Self { tied: vec![false; tree.nodes().len()], tree };
        let mut at_node = vec![Vec::new(); reference.tied.len()];
        for &row in train {
            for node in reference.path(data, row) {
                at_node[node].push(row as usize);
            }
        }
        for (index, node) in reference.tree.nodes().iter().enumerate() {
            let count = |class| at_node[index].iter().filter(|&&row| data.y[row] == class).count() as u32;
            assert_eq!(node.counts, [count(0), count(1)], "node {index}");
            if let Some(split) = &node.split {
                let splits = all_splits(params, data, &at_node[index]);
                let best = splits.iter().map(|split| split.impurity).fold(f64::INFINITY, f64::min);
                let as_good: Vec<_> = splits.iter().filter(|split| split.impurity <= best + 1e-9).collect();
                // The first, in order of feature and threshold, is the one to take.
                assert_eq!((split.feature as usize, split.threshold), (as_good[0].feature, as_good[0].threshold));
                reference.tied[index] = as_good.len() > 1;
            }
        }
        reference
    }

    fn path(&self, data: &Data, row: u32) -> Vec<usize> {
        let mut path = vec![0];
        while let Some(split) = &self.tree.nodes()[path[path.len() - 1]].split {
            let left = data.x[[row as usize, split.feature as usize]] <= split.threshold;
            path.push(if left { path[path.len() - 1] + 1 } else { split.right as usize });
        }
        path
    }

    fn path_is_tied(&self, data: &Data, row: u32) -> bool {
        self.path(data, row).iter().any(|&node| self.tied[node])
    }
}

struct Candidate {
    feature: usize,
    threshold: f64,
    /// Impurity of the children, each times its rows.
    impurity: f64,
}

fn all_splits(params: &TreeParams, data: &Data, rows: &[usize]) -> Vec<Candidate> {
    let mut splits = Vec::new();
    let total = rows.iter().fold([0; 2], |counts, &row| counted(counts, data.y[row]));
    for feature in 0..data.x.ncols() {
        let mut rows = rows.to_vec();
        rows.sort_by(|&a, &b| data.x[[a, feature]].total_cmp(&data.x[[b, feature]]));
        let mut left = [0; 2];
        for pair in rows.windows(2) {
            left = counted(left, data.y[pair[0]]);
            let right = [total[0] - left[0], total[1] - left[1]];
            let (lower, upper) = (data.x[[pair[0], feature]], data.x[[pair[1], feature]]);
            let smaller = (left[0] + left[1]).min(right[0] + right[1]);
            if lower < upper && smaller >= params.min_samples_leaf {
                let impurity = impurity(params.criterion, left) + impurity(params.criterion, right);
                splits.push(Candidate { feature, threshold: (lower + upper) / 2.0, impurity });
            }
        }
    }
    splits
}

fn counted(mut counts: [usize; 2], class: u8) -> [usize; 2] {
    counts[usize::from(class)] += 1;
    counts
}

/// Impurity times rows.
fn impurity(criterion: Criterion, counts: [usize; 2]) -> f64 {
    let rows = (counts[0] + counts[1]) as f64;
    let share = counts[1] as f64 / rows;
    let plogp = |share: f64| if share == 0.0 { 0.0 } else { -share * share.ln() };
    let impurity = match criterion {
        Criterion::Gini => 2.0 * share * (1.0 - share),
        Criterion::Entropy => plogp(share) + plogp(1.0 - share),
    };
    impurity * rows
}
