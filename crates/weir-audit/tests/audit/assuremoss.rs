//! The audit of real flows against scikit-learn.

use std::fs;

use weir_contract::audit::Finding;
use weir_contract::feature::Identifies::{self, Host, Moment, Record};

use crate::table::Table;
use crate::{findings, of};

/// Balanced accuracy of each column alone on the split of [`read`] and in time order, recorded with scikit-learn 1.9.1.
/// `X` are the ten columns, `y` is `label == "malicious"`, `t = X.source_timestamp`. The trees see the dense rank of each
/// value: scikit-learn rounds values to f32, which holds ranks but takes 256 neighbouring addresses, or two minutes, for
/// one (the destination address alone then has .858).
///
/// ```python
/// X = X.rank(method="dense")
/// i = np.arange(len(X), dtype=np.uint64)
/// part = (i * np.uint64(2654435761) % np.uint64(2**32)) // np.uint64(65536) % np.uint64(10)
/// train, test = part < 7, (part >= 7) & (part < 9)
/// border = np.sort(t)[int(.7 * len(t))]; earlier, later = t < border, t >= border
/// tree = DecisionTreeClassifier(max_depth=5, random_state=0).fit(X[columns][train], y[train])
/// balanced_accuracy_score(y[test], tree.predict(X[columns][test]))
/// ```
const ALONE: [(&str, Option<Identifies>, f64, f64); 10] = [
    ("source_flow_id_encoded", Some(Record), 0.9817, 0.9823),
    ("source_flow_final", None, 0.6715, 0.7513),
    ("source_source_ip", Some(Host), 0.8927, 0.8976),
    ("source_destination_ip", Some(Host), 0.9868, 0.9861),
    ("source_network_bytes", None, 0.9671, 0.8367),
    ("source_network_transport", None, 0.5975, 0.5888),
    ("source_timestamp", Some(Moment), 0.9535, 0.5000),
    ("source_event_duration", None, 0.8263, 0.8171),
    ("source_destination_port", None, 0.9968, 0.9962),
    ("source_source_port", None, 0.5634, 0.4750),
];

/// Of all ten columns, and of the six that identify nothing.
const TOGETHER: [(f64, f64); 2] = [(0.9992, 0.9448), (0.9884, 0.9835)];

/// A threshold halfway between ranks is not one halfway between values, and scikit-learn draws among equal splits.
const TOLERANCE: f64 = 0.002;

/// Every feature undeclared; `None` without the data. The split is by the number of the row.
fn read() -> Option<Table> {
    let path = weir_testkit::shared_data()?.join("assuremoss/preprocessed.csv");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut table = Table::new(&ALONE.map(|(name, ..)| name));
    for (row, line) in text.lines().skip(1).enumerate() {
        let (values, label) = line.rsplit_once(',').unwrap();
        let values: Vec<f64> = values.split(',').map(|value| value.parse().unwrap()).collect();
        let part = (row as u32).wrapping_mul(2_654_435_761) >> 16;
        let split = [0, 0, 0, 0, 0, 0, 0, 1, 1, 2][part as usize % 10];
        table.push(&values, label == "malicious", split, Some(values[6] as i64));
    }
    Some(table)
}

fn near(actual: Option<f64>, expected: f64, what: &str) {
    assert!(actual.is_some_and(|actual| (actual - expected).abs() < TOLERANCE), "{what}: {actual:?}, not {expected}");
}

#[test]
fn balanced_accuracies_are_those_of_scikit_learn() {
    let Some(mut table) = read() else { return };
    table.identifies = ALONE.iter().map(|(_, identifies, ..)| *identifies).collect();
    let measured = of(&table).measured.unwrap();
    assert_eq!((measured.split.train.rows(), measured.split.test.rows()), (33_158, 9_471));
    assert_eq!((measured.time.train.rows(), measured.time.test.rows()), (32_847, 14_520));
    for (feature, (name, _, split, time)) in measured.features.iter().zip(ALONE) {
        near(feature.split, split, name);
        near(feature.time, time, name);
    }
    let together = [measured.together, measured.without_identity.unwrap()];
    for (scores, (split, time)) in together.iter().zip(TOGETHER) {
        near(scores.split, split, "together");
        near(scores.time, time, "together in time order");
    }
}

#[test]
fn the_known_leaks_are_found_without_being_declared() {
    let Some(table) = read() else { return };
    let audit = of(&table);
    let flow_id = findings(&audit, "source_flow_id_encoded");
    assert!(matches!(flow_id[..], [Finding::RecordLike { distinct: 47_367, rows: 47_367, .. }]), "{flow_id:?}");
    let timestamp = findings(&audit, "source_timestamp");
    assert!(matches!(timestamp[..], [Finding::FollowsTime { .. }]), "{timestamp:?}");
    let bytes = findings(&audit, "source_network_bytes");
    assert!(matches!(bytes[..], [Finding::FallsInTime { .. }]), "{bytes:?}");
    assert_eq!(audit.warnings.len(), 3, "nothing else is found: {:?}", audit.warnings);
}
