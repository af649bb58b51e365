//! Columns of a frame from plain ones.

use polars::prelude::{
    ChunkedArray, Column, Int64Chunked, Int64Type, IntoSeries as _, NewChunkedArray as _, StringChunkedBuilder,
};
use weir_contract::flow;

use crate::parquet::event_time_type;

/// A column of texts.
pub(crate) fn text<S: AsRef<str>>(name: &str, rows: usize, texts: impl Iterator<Item = Option<S>>) -> Column {
    let mut column = StringChunkedBuilder::new(name.into(), rows);
    texts.for_each(|text| match text {
        Some(text) => column.append_value(text.as_ref()),
        None => column.append_null(),
    });
    column.finish().into_series().into()
}

/// `event_time`.
pub(crate) fn times(times: &flow::Column<i64>) -> Column {
    let times: ChunkedArray<Int64Type> = Int64Chunked::from_iter_options("event_time".into(), times.iter());
    times.into_series().cast(&event_time_type()).expect("whole numbers are milliseconds").into()
}
