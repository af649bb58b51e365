//! What decides between two trials.

use std::cmp::Ordering;

use weir_contract::Metric;
use weir_contract::selection::Ranked;

/// A reason to prefer a trial, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The larger value of the metric.
    Metric,
    /// Fewer attacks missed.
    FalseNegatives,
    /// Fewer false alarms.
    FalsePositives,
    /// Fewer nominal operations per prediction.
    Operations,
    /// The name, so that there always is one order.
    Name,
}

impl Rule {
    const ORDER: [Self; 5] = [Self::Metric, Self::FalseNegatives, Self::FalsePositives, Self::Operations, Self::Name];

    /// `Less` when `a` is the better trial by this rule alone. Both were scored on the same rows.
    fn compare(self, metric: Metric, a: &Ranked, b: &Ranked) -> Ordering {
        match (self, metric) {
            // Equal shares of equal rows are equal counts: no rounding decides.
            (Self::Metric, Metric::Accuracy) => b.confusion.correct().cmp(&a.confusion.correct()),
            (Self::Metric, _) => b.value.total_cmp(&a.value),
            (Self::FalseNegatives, _) => a.confusion.false_negatives.cmp(&b.confusion.false_negatives),
            (Self::FalsePositives, _) => a.confusion.false_positives.cmp(&b.confusion.false_positives),
            (Self::Operations, _) => a.operations.cmp(&b.operations),
            (Self::Name, _) => a.id.to_string().cmp(&b.id.to_string()),
        }
    }

    /// The rule that decides between two trials, and how.
    pub(crate) fn decide(metric: Metric, a: &Ranked, b: &Ranked) -> (Self, Ordering) {
        let decisions = Self::ORDER.into_iter().map(|rule| (rule, rule.compare(metric, a, b)));
        let mut decisive = decisions.filter(|(_, order)| order.is_ne());
        decisive.next().unwrap_or((Self::Name, Ordering::Equal))
    }
}
