//! K-Means against scikit-learn's `KMeans(n_init=100, tol=1e-12)`, on groups that overlap a little.

use std::num::NonZeroUsize;

use ndarray::Array2;
use serde::Deserialize;
use weir_contract::Seed;
use weir_models::kmeans::{KMeansParams, distortions};

use crate::read;

#[derive(Deserialize)]
struct GoldenKMeans {
    points: Vec<[f64; 3]>,
    fits: Vec<Fit>,
}

#[derive(Deserialize)]
struct Fit {
    clusters: usize,
    inertia: f64,
    distortion: f64,
    labels: Vec<usize>,
}

#[test]
fn inertia_distortion_and_groups_are_those_of_scikit_learn() {
    let golden: GoldenKMeans = read("kmeans.json");
    let points = Array2::from(golden.points);
    assert_eq!(golden.fits.iter().map(|fit| fit.clusters).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let curve = distortions(points.view(), 4, Seed(42)).unwrap();
    for (fit, distortion) in golden.fits.iter().zip(curve) {
        let params = KMeansParams::new(NonZeroUsize::new(fit.clusters).unwrap(), Seed(42));
        let model = params.fit(points.view()).unwrap();
        assert!((model.inertia() / fit.inertia - 1.0).abs() < 1e-9, "{}: {}", fit.clusters, model.inertia());
        assert!((distortion / fit.distortion - 1.0).abs() < 1e-6, "{}: {distortion}", fit.clusters);
        let ours = model.predict(points.view());
        assert_eq!(ours.len(), fit.labels.len());
        // Numbers of groups mean nothing: their pairs have to be one to one.
        let mut pairs: Vec<(usize, usize)> = ours.into_iter().zip(fit.labels.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), fit.clusters, "{pairs:?}");
    }
}
