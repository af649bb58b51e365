//! What is said about the rows: everything here is gathered cell by cell and merges, so that it has the same bytes for
//! any number of threads and however the cells were spread over machines.

mod classes;
mod collisions;
mod distinct;
mod features;
mod moments;
mod sample;

pub(crate) use features::{Description, Summary};
pub(crate) use sample::{Rows, Sample};
