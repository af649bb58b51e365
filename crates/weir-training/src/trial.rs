//! A fitted detector scored on test.

use ndarray::ArrayView2;
use weir_contract::trial::{Bits, Trial};
use weir_contract::{ConfusionMatrix, ParamMap, TrialId};
use weir_models::scoring::{correct, roc_auc};
use weir_models::{Classifier as _, Detector};

/// Scores `detector` on `x`: `[n, features]` unscaled, with the classes `y`.
pub(crate) fn score(
    id: TrialId,
    parameters: ParamMap,
    detector: &Detector,
    x: ArrayView2<'_, f64>,
    y: &[u8],
    warnings: Vec<String>,
) -> Trial {
    let predicted = detector.predict(x);
    Trial {
        id,
        parameters,
        confusion: ConfusionMatrix::count(y, &predicted.classes),
        correct: Bits::pack(&correct(y, &predicted.classes)),
        roc_auc: roc_auc(y, &predicted.scores),
        operations: detector.operations(),
        model: format!("{}.model", id.setting),
        warnings,
    }
}
