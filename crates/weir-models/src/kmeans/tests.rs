use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

fn params(clusters: usize) -> KMeansParams {
    KMeansParams::new(NonZeroUsize::new(clusters).unwrap(), Seed(42))
}

#[test]
fn centres_are_means_and_the_inertia_is_what_remains() {
    let points = array![[0.0, 1.0], [0.0, 3.0], [10.0, 7.0], [13.0, 7.0], [10.0, 10.0]];
    let model = params(2).fit(points.view()).unwrap();
    let groups = model.predict(points.view());
    assert_eq!(groups, [groups[0], groups[0], groups[2], groups[2], groups[2]]);
    assert_ne!(groups[0], groups[2]);
    let near = |ours: f64, exact: f64| (ours - exact).abs() < 1e-9;
    let (low, high) = (model.centres().row(groups[0]).to_owned(), model.centres().row(groups[2]).to_owned());
    assert!(near(low[0], 0.0) && near(low[1], 2.0), "{low}");
    assert!(near(high[0], 11.0) && near(high[1], 8.0), "{high}");
    // (1 + 1) of the pair; of the others 1 + 4 + 1 across and 1 + 1 + 4 along.
    assert!(near(model.inertia(), 2.0 + 6.0 + 6.0), "{}", model.inertia());
}

#[test]
fn the_elbow_curve_is_the_mean_distance_and_ends_with_the_different_points() {
    let points = array![[0.0], [0.0], [6.0], [6.0], [6.0]];
    let curve = distortions(points.view(), 4, Seed(42)).unwrap();
    // One centre is at 18/5: two points are 3.6 away, three are 2.4 away.
    assert_eq!(curve.len(), 2);
    assert!((curve[0] - (2.0 * 3.6 + 3.0 * 2.4) / 5.0).abs() < 1e-9 && curve[1] < 1e-9, "{curve:?}");
}

#[test]
fn fewer_different_points_than_clusters_are_as_many_centres() {
    let model = params(4).fit(array![[2.0, 1.0], [2.0, 1.0], [2.0, 1.0]].view()).unwrap();
    assert_eq!((model.centres().nrows(), model.inertia()), (1, 0.0));
    assert_eq!(model.predict(array![[2.0, 1.0], [9.0, 9.0]].view()), [0, 0]);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let points = Array2::from_shape_fn((5_000, 3), |(row, column)| ((row * 7919 + column * 104_729) % 1009) as f64);
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| params(4).fit(points.view()).unwrap())
    };
    assert_eq!(fit(1), fit(3));
}

#[test]
fn what_cannot_be_clustered_is_refused_with_its_place() {
    assert_eq!(params(2).fit(Array2::zeros((0, 2)).view()), Err(KMeansError::Empty));
    assert_eq!(params(2).fit(Array2::zeros((2, 0)).view()), Err(KMeansError::NoColumns));
    let error = params(2).fit(array![[1.0, 2.0], [3.0, 1e101]].view()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("row 1, column 1: expected a number between -1e100 and 1e100, received {}", 1e101)
    );
    assert!(params(1).fit(array![[f64::NAN]].view()).is_err());
}

fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![-3.0..3.0f64, -1e100..1e100f64, Just(0.0), Just(1e100), Just(5e-324)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn finite_points_have_finite_centres(values in prop::collection::vec(coordinate(), 1..40), clusters in 1..6usize) {
        let points = Array2::from_shape_vec((values.len(), 1), values).unwrap();
        let model = params(clusters).fit(points.view()).unwrap();
        prop_assert!(model.inertia().is_finite() && model.centres().iter().all(|value| value.is_finite()));
        prop_assert!((1..=clusters).contains(&model.centres().nrows()));
        prop_assert!(model.predict(points.view()).iter().all(|&group| group < model.centres().nrows()));
    }
}
