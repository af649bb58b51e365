//! Flows with a simple truth, and a detector of every kind fitted on them.

use ndarray::Array2;
use weir_bundle::{BundleName, BundleParts, Provenance};
use weir_contract::feature::{
    self, Example, Examples, Feature, FeatureSchema, FeatureStatistics, Identifies, ScalerKind,
};
use weir_contract::{
    Digest, Family, Flow, FlowBatch, Label, ParamMap, ParamValue, Representation, Setting, Transport, TrialId,
};
use weir_models::autoencoder::AutoencoderParams;
use weir_models::{Context, Dataset, Detector, ModelParams, Scaler, fit};
use weir_transform::{FeatureSet, Transform};

const SET: &str = r#"
    name = "small"
    description = "three features"
    scaler = "min-max"
    [rows]
    transport = ["tcp", "udp"]
    [[feature]]
    name = "bytes"
    expression = "log1p(bytes)"
    unit = "1"
    description = "volume"
    [[feature]]
    name = "rate"
    expression = "bytes / duration_ns"
    unit = "bytes/ns"
    description = "speed"
    [[feature]]
    name = "port"
    expression = "destination_port"
    unit = "1"
    description = "where to"
    identifies = "host"
    missing = 0
"#;

/// Flow number `i`: the malicious ones are small and fast.
pub(crate) fn flow(i: u64) -> Flow {
    let malicious = i.is_multiple_of(3);
    Flow {
        flow_id: Some(format!("flow-{i}")),
        event_time: Some(1_645_791_570_013 + i as i64),
        source_ip: "198.18.0.1".parse().unwrap(),
        destination_ip: "10.0.0.7".parse().unwrap(),
        source_port: Some(40_000 + i as u16),
        destination_port: (!i.is_multiple_of(5)).then_some(443 + (i % 4) as u16),
        transport: if i.is_multiple_of(2) { Transport::Tcp } else { Transport::Udp },
        bytes: Some(if malicious { 60 + i * 7 % 31 } else { 4_000 + i * 137 % 911 }),
        packets: None,
        duration_ns: Some(if malicious { 900 + i * 11 % 53 } else { 1_000_000 + i * 7_919 % 10_007 }),
        last: Some(true),
        label: Some(if malicious { Label::Malicious } else { Label::Benign }),
        attack: None,
    }
}

pub(crate) fn flows(numbers: std::ops::Range<u64>) -> FlowBatch {
    numbers.map(flow).collect()
}

/// The features of `batch`, `[n, 3]`, by way of the transform alone.
pub(crate) fn features(transform: &Transform, batch: &FlowBatch) -> Array2<f64> {
    let columns = transform.apply(batch).columns;
    Array2::from_shape_fn((batch.len(), columns.len()), |(row, column)| columns[column][row])
}

/// What a bundle borrows from.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) name: BundleName,
    pub(crate) trial: TrialId,
    pub(crate) parameters: ParamMap,
    pub(crate) transform: Transform,
    pub(crate) schema: FeatureSchema,
    pub(crate) detector: Detector,
    pub(crate) examples: Examples,
    pub(crate) provenance: Provenance,
}

impl Fixture {
    /// A detector of `family` on `representation` with its default parameters, fitted on 60 flows.
    pub(crate) fn of(representation: Representation, family: Family) -> Self {
        Self::with(representation, family, &ParamMap::new())
    }

    /// The same with these parameters.
    pub(crate) fn with(representation: Representation, family: Family, params: &ParamMap) -> Self {
        let transform = Transform::fit(FeatureSet::parse(SET, "small.toml").unwrap(), std::iter::empty()).unwrap();
        let train = flows(0..60);
        let x = features(&transform, &train);
        let y: Vec<u8> = train.label.iter().map(|label| label.unwrap()).collect();

        let scaler = Scaler::fit(ScalerKind::MinMax, x.view());
        let scaled = scaler.transform(x.view());
        let context = Context::default();
        let encoder = (representation == Representation::Autoencoder).then(|| {
            let small = ParamMap::from([("epochs".to_owned(), ParamValue::Int(3))]);
            let params = AutoencoderParams::from_map(&small).unwrap();
            params.fit(scaled.view(), &context, &mut |_, _| {}).unwrap().encoder
        });
        let seen = encoder.as_ref().map_or(scaled.clone(), |encoder| encoder.encode(scaled.view()));
        let params = ModelParams::from_map(family, params).unwrap();
        let model = fit(&params, Dataset::new(seen.view(), &y), &context).unwrap().model;

        let numbers = [1, 3, 5];
        let examples = numbers.map(|i| {
            let flow = flow(i);
            let features = features(&transform, &[flow.clone()].into_iter().collect()).row(0).to_vec();
            Example { flow, features }
        });
        let schema = schema(&transform, &x);
        Self {
            name: "small-detector".parse().unwrap(),
            trial: TrialId { representation, family, setting: Setting::Default },
            parameters: params.to_map(),
            examples: Examples {
                format: feature::FORMAT,
                names: schema.names().into_iter().map(str::to_owned).collect(),
                examples: examples.into(),
            },
            schema,
            transform,
            detector: Detector::new(scaler, encoder, model),
            provenance: Provenance {
                features: Digest::of(b"features"),
                training: Digest::of(b"training"),
                selection: Digest::of(b"selection"),
                build: "0123456789abcdef".to_owned(),
                revision: None,
            },
        }
    }

    pub(crate) fn parts(&self) -> BundleParts<'_> {
        BundleParts {
            name: &self.name,
            trial: self.trial,
            parameters: &self.parameters,
            transform: &self.transform,
            schema: &self.schema,
            detector: &self.detector,
            calibration: None,
            examples: &self.examples,
            card: "# small-detector\n",
            provenance: &self.provenance,
            others: &[],
        }
    }
}

fn schema(transform: &Transform, x: &Array2<f64>) -> FeatureSchema {
    let features = transform.set().features().iter().zip(x.columns()).map(|(spec, column)| {
        let mut sorted = column.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mean = column.sum() / column.len() as f64;
        let variance = column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / column.len() as f64;
        Feature {
            name: spec.name.clone(),
            expression: spec.expression.clone(),
            unit: spec.unit.clone(),
            description: spec.description.clone(),
            identifies: (spec.name == "port").then_some(Identifies::Host),
            missing: spec.missing,
            statistics: FeatureStatistics {
                minimum: sorted[0],
                maximum: sorted[sorted.len() - 1],
                mean,
                standard_deviation: variance.sqrt(),
                quantiles: [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99].map(|q| sorted[(q * 59.0) as usize]),
                distinct: sorted.len() as u64,
            },
        }
    });
    FeatureSchema {
        format: feature::FORMAT,
        feature_set: transform.set().name().to_owned(),
        scaler: transform.set().scaler(),
        features: features.collect(),
        transform: transform.digest(),
        rows: x.nrows() as u64,
    }
}
