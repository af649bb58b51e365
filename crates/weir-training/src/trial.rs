//! A model fitted on train and scored on test.

use weir_contract::trial::{Bits, Trial};
use weir_contract::{ConfusionMatrix, Setting, TrialId};
use weir_models::scoring::{correct, roc_auc};
use weir_models::{Classifier as _, Context, Detector, FitError, Folds, ModelParams, ScoreKind, calibrate};

use crate::data::{Data, Front};
use crate::stage::Request;

/// Fits `params` on all of train and scores the result on test; what `folds` hold out calibrates it.
pub(crate) fn fit(
    request: &Request,
    setting: Setting,
    params: &ModelParams,
    data: &Data,
    front: &Front,
    folds: &Folds,
    context: &Context<'_>,
) -> Result<(Trial, Detector), FitError> {
    let train = front.train(data);
    let fitted = weir_models::fit(params, train, context)?;
    let calibration = calibrate(params, train, folds, context)?;
    let mut warnings = front.warnings.clone();
    if !fitted.converged {
        warnings.push("the solver stopped at its iteration limit before it reached its tolerance".to_owned());
    }
    if calibration.is_none() && fitted.model.score_kind() == ScoreKind::Decision {
        warnings.push("it has no probabilities: decision values overflow in a fold".to_owned());
    }
    let detector = Detector::new(front.scaler.clone(), front.encoder(), fitted.model);
    let predicted = detector.predict(data.test.x.view());
    let y = &data.test.y;
    let id = TrialId { representation: request.representation, family: request.family, setting };
    let trial = Trial {
        id,
        parameters: params.to_map(),
        confusion: ConfusionMatrix::count(y, &predicted.classes),
        correct: Bits::pack(&correct(y, &predicted.classes)),
        roc_auc: roc_auc(y, &predicted.scores),
        operations: detector.operations(),
        model: model_file(setting),
        calibration,
        warnings,
    };
    Ok((trial, detector))
}

/// The trial that `setting` with `params` is, where `trial` is the same computation.
pub(crate) fn again(trial: &Trial, setting: Setting, params: &ModelParams) -> Trial {
    let id = TrialId { setting, ..trial.id };
    Trial { id, parameters: params.to_map(), model: model_file(setting), ..trial.clone() }
}

fn model_file(setting: Setting) -> String {
    format!("{setting}.model")
}
