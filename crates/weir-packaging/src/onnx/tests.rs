use std::collections::BTreeSet;

use ndarray::{Array2, ArrayView2};
use prost::Message;
use weir_contract::feature::ScalerKind;
use weir_contract::{Calibration, Family, ParamMap, ParamValue};
use weir_models::autoencoder::AutoencoderParams;
use weir_models::{Context, Dataset, Detector, ModelParams, Scaler, fit};

use super::proto::Model;
use super::{OPSET, model};

/// A detector of every family, with and without an encoder.
pub(crate) fn detectors() -> Vec<Detector> {
    let x = Array2::from_shape_fn((24, 2), |(row, column)| ((row * 7 + column * 3) % 11) as f64);
    let families = weir_contract::Family::ALL.iter();
    families.flat_map(|&family| [false, true].map(|encoded| detector(x.view(), family, encoded))).collect()
}

fn detector(x: ArrayView2<'_, f64>, family: Family, encoded: bool) -> Detector {
    let context = Context::default();
    let classes: Vec<u8> = (0..x.nrows()).map(|row| u8::from(row * 7 % 11 > 5)).collect();
    let scaler = Scaler::fit(ScalerKind::MinMax, x);
    let scaled = scaler.transform(x);
    let encoder = encoded.then(|| {
        let epochs = ParamMap::from([("epochs".to_owned(), ParamValue::Int(2))]);
        let params = AutoencoderParams::from_map(&epochs).unwrap();
        params.fit(scaled.view(), &context, &mut |_, _| ()).unwrap().encoder
    });
    let seen = encoder.as_ref().map_or(scaled.clone(), |encoder| encoder.encode(scaled.view()));
    let params = ModelParams::from_map(family, &ParamMap::new()).unwrap();
    let model = fit(&params, Dataset::new(seen.view(), &classes), &context).unwrap().model;
    Detector::new(scaler, encoder, model)
}

fn read(bytes: &[u8]) -> Model {
    Model::decode(bytes).unwrap()
}

pub(crate) fn outputs(bytes: &[u8]) -> Vec<String> {
    read(bytes).graph.unwrap().output.into_iter().filter_map(|output| output.name).collect()
}

const CALIBRATION: Option<Calibration> = Some(Calibration { a: -1.0, b: 0.0 });

#[test]
fn the_same_detector_has_the_same_bytes() {
    for detector in detectors() {
        let write = || model("test", &detector, &["a", "b"], CALIBRATION);
        assert_eq!(write(), write());
        let read = read(&write());
        assert_eq!(read.encode_to_vec(), write(), "nothing is lost in reading");
        assert_eq!(read.opset_import[0].version, Some(OPSET));
    }
}

#[test]
fn an_svc_has_probabilities_only_with_a_calibration() {
    for detector in detectors() {
        let outputs = |calibration| outputs(&model("test", &detector, &["a", "b"], calibration));
        match detector.model().family() {
            Family::Svc => {
                assert_eq!(outputs(None), ["label", "decision"]);
                assert_eq!(outputs(CALIBRATION), ["label", "probabilities", "decision"]);
            }
            _ => assert_eq!(outputs(None), ["label", "probabilities"]),
        }
    }
}

/// Those of them that work in double in both onnxruntime and tract.
#[test]
fn only_plain_operators_are_used() {
    let known = BTreeSet::from([
        "Abs",
        "Add",
        "Cast",
        "Concat",
        "Div",
        "Exp",
        "Gather",
        "GatherElements",
        "Less",
        "LessOrEqual",
        "MatMul",
        "Mul",
        "Neg",
        "Pow",
        "Reciprocal",
        "ReduceSum",
        "Relu",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "TopK",
        "Where",
    ]);
    for detector in detectors() {
        for node in read(&model("test", &detector, &["a", "b"], CALIBRATION)).graph.unwrap().node {
            let operator = node.op_type.unwrap();
            assert!(known.contains(operator.as_str()), "{operator}");
        }
    }
}

#[test]
fn a_tree_takes_more_operators_with_its_depth_and_not_with_its_width() {
    let nodes = |max_depth| {
        let x = Array2::from_shape_fn((64, 1), |(row, _)| row as f64);
        let classes: Vec<u8> = (0..64).map(|row| row % 2).collect();
        let depth = ParamMap::from([("max_depth".to_owned(), ParamValue::Int(max_depth))]);
        let params = ModelParams::from_map(Family::DecisionTree, &depth).unwrap();
        let tree = fit(&params, Dataset::new(x.view(), &classes), &Context::default()).unwrap().model;
        let detector = Detector::new(Scaler::fit(ScalerKind::None, x.view()), None, tree);
        read(&model("test", &detector, &["a"], None)).graph.unwrap().node.len()
    };
    assert_eq!(nodes(3) - nodes(2), nodes(2) - nodes(1));
}
