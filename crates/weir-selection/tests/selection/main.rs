//! The selection as a function over trials, and as a stage over artifacts.

mod champion;
mod ranking;
mod stage;

use weir_contract::trial::{self, Bits, Trial, Trials};
use weir_contract::{ConfusionMatrix, Digest, ParamMap, TrialId};

/// A trial by its name and its counts: benign rows first, then malicious ones.
fn trial(name: &str, [tn, fp, fneg, tp]: [usize; 4]) -> Trial {
    let right = [vec![true; tn], vec![false; fp], vec![false; fneg], vec![true; tp]].concat();
    with_bits(name, tn + fp, &right)
}

/// A trial by its right answers; the first `benign` rows are benign.
fn with_bits(name: &str, benign: usize, right: &[bool]) -> Trial {
    let actual: Vec<u8> = (0..right.len()).map(|row| u8::from(row >= benign)).collect();
    let predicted: Vec<u8> = actual.iter().zip(right).map(|(&class, &right)| class ^ u8::from(!right)).collect();
    let id: TrialId = name.parse().unwrap();
    Trial {
        id,
        parameters: ParamMap::new(),
        confusion: ConfusionMatrix::count(&actual, &predicted),
        correct: Bits::pack(right),
        roc_auc: None,
        operations: 100,
        model: format!("{}.model", id.setting),
        calibration: None,
        warnings: Vec::new(),
    }
}

/// The file of some trials of one family on one representation.
fn file(trials: Vec<Trial>) -> Trials {
    let TrialId { family, representation, .. } = trials[0].id;
    Trials { format: trial::FORMAT, family, representation, trials }
}

/// One file per trial, with a digest made from its name.
fn files(trials: impl IntoIterator<Item = Trial>) -> Vec<(Digest, Trials)> {
    trials.into_iter().map(|trial| (digest(&trial), file(vec![trial]))).collect()
}

fn digest(trial: &Trial) -> Digest {
    Digest::of(trial.id.to_string().as_bytes())
}
