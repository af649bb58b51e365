//! Which rows a tree is fitted on and which it is scored on.

use weir_contract::audit::{Classes, Parts};

use crate::Sample;

/// Rows of the sample.
pub(crate) struct Rows {
    pub(crate) train: Vec<usize>,
    pub(crate) test: Vec<usize>,
}

impl Rows {
    /// Train and test of the split as given.
    pub(crate) fn of_split(sample: &Sample<'_>) -> Self {
        let rows = |split: u8| (0..sample.split.len()).filter(|&row| sample.split[row] == split).collect();
        Self { train: rows(Sample::TRAIN), test: rows(Sample::TEST) }
    }

    /// The rows with an event time, of all splits: the first are those before the moment that a share `earlier` of them
    /// precedes, so that rows of one moment are never on both sides.
    pub(crate) fn in_time_order(sample: &Sample<'_>, earlier: f64) -> Self {
        let mut times: Vec<i64> = sample.event_time.iter().flatten().collect();
        times.sort_unstable();
        let Some(last) = times.len().checked_sub(1) else { return Self { train: Vec::new(), test: Vec::new() } };
        let border = times[((earlier * times.len() as f64) as usize).min(last)];
        let timed = (0..sample.event_time.len()).filter(|&row| !sample.event_time.is_null(row));
        let (train, test) = timed.partition(|&row| sample.event_time.values()[row] < border);
        Self { train, test }
    }

    /// Whether both classes occur on both sides.
    pub(crate) fn both_classes(&self, sample: &Sample<'_>) -> bool {
        [&self.train, &self.test].into_iter().all(|rows| absent(&classes(sample, rows)).is_none())
    }

    /// Counts for the audit; `train` and `test` name the two sides where a class is absent.
    pub(crate) fn parts(&self, sample: &Sample<'_>, train: &str, test: &str) -> Parts {
        let counts = [classes(sample, &self.train), classes(sample, &self.test)];
        let lacks = |(side, counts): (&str, &Classes)| Some(format!("{side} with {}", absent(counts)?));
        let undefined: Vec<String> = [train, test].into_iter().zip(&counts).filter_map(lacks).collect();
        let undefined = (!undefined.is_empty()).then(|| undefined.join(", "));
        let [train, test] = counts;
        Parts { train, test, undefined }
    }
}

fn classes(sample: &Sample<'_>, rows: &[usize]) -> Classes {
    let malicious = rows.iter().filter(|&&row| sample.label[row] == 1).count() as u64;
    Classes { benign: rows.len() as u64 - malicious, malicious }
}

fn absent(counts: &Classes) -> Option<&'static str> {
    match (counts.benign, counts.malicious) {
        (0, 0) => Some("no rows"),
        (0, _) => Some("no benign row"),
        (_, 0) => Some("no malicious row"),
        _ => None,
    }
}
