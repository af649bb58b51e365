use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::{Array2, array};
use weir_contract::{ParamMap, ParamValue, Seed};

use super::*;
use crate::context::Simd;

/// Rows on a curve in six dimensions, `[n, 6]` in [0, 1]: two numbers suffice to describe a row.
fn curve(rows: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, 6), |(i, j)| {
        let (a, b) = (libm::sin(i as f64 * 0.37), libm::cos(i as f64 * 0.11));
        0.5 + [0.5 * a, 0.5 * b, 0.25 * (a + b), 0.25 * (a - b), 0.5 * a * b, 0.5 * a * a][j]
    })
}

fn quick(epochs: i64) -> AutoencoderParams {
    let map = ParamMap::from([
        ("epochs".to_owned(), ParamValue::Int(epochs)),
        ("batch_size".to_owned(), ParamValue::Int(100)),
        ("learning_rate".to_owned(), ParamValue::Float(0.01)),
    ]);
    AutoencoderParams::from_map(&map).unwrap()
}

fn fit(params: &AutoencoderParams, x: &Array2<f64>) -> TrainedAutoencoder {
    params.fit(x.view(), &Context::default(), &mut |_, _| ()).unwrap()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn loss_falls_and_the_report_tells_how() {
    let (params, x) = (quick(60), curve(950));
    let mut told = Vec::new();
    let trained = params.fit(x.view(), &Context::default(), &mut |epoch, loss| told.push((epoch, loss))).unwrap();
    assert!(trained.loss[59] < trained.loss[4] / 5.0, "{:?}", trained.loss);
    assert!((trained.final_loss / trained.loss[59] - 1.0).abs() < 0.2, "{} {:?}", trained.final_loss, trained.loss);
    assert!(told.into_iter().eq((1..).zip(trained.loss.iter().copied())));

    let report = trained.report();
    assert_eq!(report.layers, [6, 10, 8, 6, 8, 10, 6]);
    assert_eq!(report.layers[report.latent], trained.encoder.latent());
    assert_eq!(report.parameters["epochs"], ParamValue::Int(60));
    assert_eq!((report.loss, report.final_loss), (trained.loss, trained.final_loss));
}

#[test]
fn same_bytes_for_any_number_of_threads_and_either_code_path() {
    let (params, x) = (quick(3), curve(950));
    let one = with_threads(1, || fit(&params, &x));
    let two = with_threads(2, || fit(&params, &x));
    assert_eq!(one, two);
    assert_eq!(postcard::to_stdvec(&one.encoder), postcard::to_stdvec(&two.encoder));

    let scalar = Context { simd: Simd::Scalar, ..Context::default() };
    assert_eq!(params.fit(x.view(), &scalar, &mut |_, _| ()), Ok(one));
}

/// 100 + 80 + 48 twice are the weights of the report's network, 36 its swishes.
#[test]
fn the_estimate_grows_with_rows_epochs_and_weights() {
    let report = AutoencoderParams::default().estimate(33_236, 10);
    assert!((report.seconds - 33_236.0 * 128.0 * (0.16 * 456.0 + 36.0) * 1e-9).abs() < 1e-9, "{}", report.seconds);
    assert_eq!(report.bytes, 33_236 * 11 * 4);
    assert!((quick(6).estimate(500, 6).seconds / quick(3).estimate(1000, 6).seconds - 1.0).abs() < 1e-12);
}

#[test]
fn another_seed_gives_another_encoder() {
    let x = curve(300);
    let (first, second) = (fit(&quick(2), &x), fit(&quick(2).with_seed(Seed(43)), &x));
    assert_ne!(first.encoder, second.encoder);
    assert_ne!(first.loss, second.loss);
}

/// A first epoch of one batch is measured before its step.
#[test]
fn loss_of_an_epoch_is_measured_while_it_trains() {
    let x = curve(100);
    let mut params = quick(2);
    params.learning_rate = 1e-300;
    let trained = fit(&params, &x);
    assert!((trained.loss[0] / trained.final_loss - 1.0).abs() < 1e-12);
    let mut params = quick(2);
    params.learning_rate = 0.1;
    let faster = fit(&params, &x);
    assert!((faster.loss[0] / trained.loss[0] - 1.0).abs() < 1e-12);
    assert_ne!(faster.loss[1], faster.loss[0]);
}

#[test]
fn units_that_are_zero_on_every_row_are_dead() {
    assert_eq!(dead_units(array![[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]].view()), [0]);
    let trained = fit(&quick(2), &curve(200));
    let latent = trained.encoder.encode(curve(200).view());
    for unit in 0..6 {
        assert_eq!(trained.dead_units.contains(&unit), latent.column(unit).iter().all(|&value| value == 0.0));
    }
}

#[test]
fn empty_and_infinite_tables_are_refused() {
    let refusal = |x: Array2<f64>| quick(1).fit(x.view(), &Context::default(), &mut |_, _| ()).unwrap_err().to_string();
    assert_eq!(
        refusal(Array2::zeros((0, 6))),
        "an autoencoder needs at least one row and one feature, received 0 rows of 6 features"
    );
    let mut x = curve(5);
    x[[3, 2]] = f64::INFINITY;
    assert_eq!(refusal(x), "row 3, column 2 is not finite but inf; check the features and the scaler");
}

#[test]
fn training_out_of_bounds_is_refused() {
    for scale in [1e145, 1e150, 1e200] {
        let error = quick(1).fit((curve(300) * scale).view(), &Context::default(), &mut |_, _| ()).unwrap_err();
        assert!(error.to_string().contains("no longer finite in epoch 1"), "{error}");
    }
}

#[test]
fn a_cancelled_fit_stops() {
    let cancelled = AtomicBool::new(false);
    let context = Context { cancelled: &cancelled, ..Context::default() };
    let mut epochs = 0;
    let result = quick(50).fit(curve(300).view(), &context, &mut |epoch, _| {
        epochs = epoch;
        cancelled.store(epoch == 2, Ordering::Relaxed);
    });
    assert_eq!((result, epochs), (Err(FitError::Cancelled), 2));
}

/// Columns of the published table that are features, min-max scaled, of a random 70 % of its rows.
fn published_train_split(directory: &str) -> Array2<f64> {
    let table = std::fs::read_to_string(format!("{directory}/assuremoss/preprocessed.csv")).unwrap();
    let mut rows: Vec<&str> = table.lines().skip(1).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    Random::new(Seed(0), Purpose::Order).shuffle(&mut order);
    rows = order[..rows.len() * 7 / 10].iter().map(|&row| rows[row]).collect();
    let values = rows.iter().flat_map(|row| row.split(',').take(10)).map(|value| value.parse().unwrap()).collect();
    let mut x = Array2::from_shape_vec((rows.len(), 10), values).unwrap();
    for mut column in x.columns_mut() {
        let (low, high) = column.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
        column.mapv_inplace(|value| (value - low) / (high - low));
    }
    x
}

/// The report's curve: .27 after epoch 1, .031 after 6, .0067 after 32, .0023 after 64, .0008 after 128.
#[test]
#[expect(clippy::print_stderr, reason = "a test that skips itself says so")]
fn loss_on_the_published_table_falls_as_in_the_report() {
    let Ok(directory) = std::env::var("WEIR_SHARED_DATA") else {
        eprintln!("SKIPPED: WEIR_SHARED_DATA does not name the directory of the published table");
        return;
    };
    let trained = fit(&AutoencoderParams::default(), &published_train_split(&directory));
    assert_eq!(trained.loss.len(), 128);
    assert!(trained.loss[5] / trained.loss[127] >= 5.0, "{:?}", trained.loss);
    assert!(trained.final_loss < 0.006, "{}", trained.final_loss);
}
