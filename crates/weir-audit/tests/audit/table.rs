//! A feature table under construction.

use std::collections::HashMap;

use weir_audit::Sample;
use weir_contract::feature::Identifies;
use weir_contract::flow::Column;

/// What a sample borrows from.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) names: Vec<String>,
    pub(crate) identifies: Vec<Option<Identifies>>,
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) label: Vec<u8>,
    pub(crate) split: Vec<u8>,
    pub(crate) event_time: Column<i64>,
    pub(crate) content: Vec<u128>,
    pub(crate) rows_total: u64,
    seen: HashMap<Vec<u64>, u128>,
}

impl Table {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            identifies: vec![None; names.len()],
            columns: vec![Vec::new(); names.len()],
            label: Vec::new(),
            split: Vec::new(),
            event_time: Column::default(),
            content: Vec::new(),
            rows_total: 0,
            seen: HashMap::new(),
        }
    }

    pub(crate) fn push(&mut self, values: &[f64], malicious: bool, split: u8, time: Option<i64>) {
        self.columns.iter_mut().zip(values).for_each(|(column, value)| column.push(*value));
        self.label.push(u8::from(malicious));
        self.split.push(split);
        self.event_time.push(time);
        // Zero has one digest; the number of the first equal row serves as one.
        let key = values.iter().map(|value| (value + 0.0).to_bits()).collect();
        let next = self.seen.len() as u128;
        self.content.push(*self.seen.entry(key).or_insert(next));
        self.rows_total += 1;
    }

    /// Puts the rows into another order: row `of(i)` comes at place `i`.
    pub(crate) fn reorder(&mut self, of: impl Fn(usize) -> usize) {
        let old = self.clone();
        for row in 0..self.label.len() {
            let from = of(row);
            self.columns.iter_mut().zip(&old.columns).for_each(|(column, old)| column[row] = old[from]);
            (self.label[row], self.split[row]) = (old.label[from], old.split[from]);
            self.content[row] = old.content[from];
        }
        self.event_time = (0..old.label.len()).map(|row| old.event_time.get(of(row))).collect();
    }

    pub(crate) fn sample(&self) -> Sample<'_> {
        Sample {
            names: &self.names,
            identifies: &self.identifies,
            columns: &self.columns,
            label: &self.label,
            split: &self.split,
            event_time: &self.event_time,
            content: &self.content,
            rows_total: self.rows_total,
        }
    }
}
