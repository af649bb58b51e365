//! Writing a v1 answer.

use serde_json::json;

use super::Options;
use crate::model::Model;
use crate::number::{write_list, write_number};
use crate::refusal::Refusal;
use crate::rows::Answers;

/// `{"predictions": [...]}` with what `options` ask for beside: one entry per instance in every list.
pub(crate) fn write(answers: &Answers, options: Options, model: &Model) -> Result<Vec<u8>, Refusal> {
    let info = model.bundle.info();
    if options.probabilities && !info.has_probability() {
        let reason = "this bundle gives no probabilities, only scores; ask with \"scores\"";
        return Err(Refusal::Input(reason.to_owned()));
    }
    if !options.partial {
        answers.all_or_nothing()?;
    }
    // The score of a row without a prediction is no number.
    let scored = || answers.classes.iter().zip(&answers.scores).map(|(&class, &score)| (class, score));
    let missing = |score: f64, out: &mut Vec<u8>| {
        let missing = score.is_nan();
        if missing {
            out.extend_from_slice(b"null");
        }
        missing
    };
    let mut out = Vec::with_capacity(32 + answers.classes.len() * if options == Options::default() { 2 } else { 64 });
    out.extend_from_slice(b"{\"predictions\":");
    write_list(&mut out, scored(), |out, (class, score)| {
        if !missing(score, out) {
            out.push(b'0' + class);
        }
    });
    if options.probabilities {
        out.extend_from_slice(b",\"probabilities\":");
        write_list(&mut out, scored(), |out, (_, score)| {
            if !missing(score, out) {
                let malicious = info.probability(score).unwrap_or(f64::NAN);
                write_list(out, [1.0 - malicious, malicious], write_number);
            }
        });
    }
    if options.scores {
        out.extend_from_slice(b",\"scores\":");
        write_list(&mut out, scored(), |out, (_, score)| write_number(out, score));
    }
    if options.partial {
        out.extend_from_slice(b",\"errors\":");
        write_list(&mut out, &answers.refused, |out, refused| {
            let entry = json!({"instance": refused.row, "feature": refused.feature, "reason": refused.reason});
            out.extend_from_slice(entry.to_string().as_bytes());
        });
    }
    out.push(b'}');
    Ok(out)
}
