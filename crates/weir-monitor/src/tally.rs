//! What became of the rows.

use weir_contract::validation::{Latency, RowCounts, Unanswered, WrongRow};
use weir_contract::{ConfusionMatrix, Label};

use crate::endpoint::Answered;
use crate::latency::Times;
use crate::wire::Answer;

/// Examples of wrong rows that are kept, and reasons that are told apart.
const EXAMPLES: usize = 20;
/// The reason under which all further ones are counted.
const OTHER: &str = "other reasons";

/// A row as it was before it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) flow_id: Option<String>,
    pub(crate) label: Label,
}

/// Counts over answers that are added in the order of rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) rows: RowCounts,
    pub(crate) confusion: ConfusionMatrix,
    pub(crate) wrong: Vec<WrongRow>,
    pub(crate) unanswered: Vec<Unanswered>,
    pub(crate) retries: u64,
    times: Times,
}

impl Tally {
    /// Adds what came of the next rows.
    pub(crate) fn add(&mut self, rows: &[Row], answered: Answered) {
        self.retries += answered.retries;
        self.times.extend(&answered.times);
        for (row, answer) in rows.iter().zip(answered.answers) {
            let number = self.rows.sent;
            self.rows.sent += 1;
            match answer {
                Answer::Label(prediction) => {
                    self.rows.answered += 1;
                    self.count(number, row, prediction);
                }
                Answer::Refused(reason) => {
                    self.rows.refused += 1;
                    self.without_answer(number, true, reason);
                }
                Answer::Failed(reason) => {
                    self.rows.failed += 1;
                    self.without_answer(number, false, reason);
                }
            }
        }
    }

    pub(crate) fn latency(&mut self) -> Option<Latency> {
        std::mem::take(&mut self.times).latency()
    }

    fn count(&mut self, number: u64, row: &Row, prediction: Label) {
        let counts = &mut self.confusion;
        *match (row.label, prediction) {
            (Label::Benign, Label::Benign) => &mut counts.true_negatives,
            (Label::Benign, Label::Malicious) => &mut counts.false_positives,
            (Label::Malicious, Label::Benign) => &mut counts.false_negatives,
            (Label::Malicious, Label::Malicious) => &mut counts.true_positives,
        } += 1;
        if row.label != prediction && self.wrong.len() < EXAMPLES {
            let Row { flow_id, label } = row.clone();
            self.wrong.push(WrongRow { row: number, flow_id, label, prediction });
        }
    }

    fn without_answer(&mut self, number: u64, refused: bool, reason: String) {
        let known = |tally: &Self, reason: &str| {
            tally.unanswered.iter().position(|known| known.refused == refused && known.reason == reason)
        };
        let (place, reason) = match known(self, &reason) {
            Some(place) => (Some(place), reason),
            None if self.unanswered.len() < EXAMPLES => (None, reason),
            None => (known(self, OTHER), OTHER.to_owned()),
        };
        match place {
            Some(place) => self.unanswered[place].rows += 1,
            None => self.unanswered.push(Unanswered { refused, reason, rows: 1, first_row: number }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;

    fn row(label: Label) -> Row {
        Row { flow_id: Some("a".to_owned()), label }
    }

    #[test]
    fn every_row_is_counted_once() {
        let mut tally = Tally::default();
        let rows = [Label::Benign, Label::Malicious, Label::Malicious, Label::Benign].map(row);
        let answers = vec![
            Answer::Label(Label::Benign),
            Answer::Label(Label::Benign),
            Answer::Refused("transport".to_owned()),
            Answer::Failed("closed".to_owned()),
        ];
        tally.add(&rows, Answered { answers, times: vec![Duration::from_millis(1)], retries: 2 });
        assert_eq!(tally.rows, RowCounts { sent: 4, answered: 2, refused: 1, failed: 1 });
        assert_eq!((tally.confusion.correct(), tally.confusion.false_negatives), (1, 1));
        assert_eq!((tally.wrong[0].row, tally.wrong[0].label), (1, Label::Malicious));
        assert_eq!((tally.unanswered[1].first_row, tally.retries), (3, 2));
    }

    #[test]
    fn reasons_and_examples_do_not_grow_without_end() {
        let mut tally = Tally::default();
        for number in 0..1_000 {
            let answers = vec![Answer::Refused(format!("reason {number}")), Answer::Label(Label::Malicious)];
            tally.add(&[row(Label::Benign), row(Label::Benign)], Answered { answers, ..Answered::default() });
        }
        assert_eq!((tally.unanswered.len(), tally.wrong.len()), (EXAMPLES + 1, EXAMPLES));
        assert_eq!(tally.unanswered.iter().map(|reason| reason.rows).sum::<u64>(), 1_000);
        assert_eq!(tally.unanswered[EXAMPLES].reason, OTHER);
    }
}
