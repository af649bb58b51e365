//! Protocol v2, the Open Inference Protocol: tensors in, tensors out, as JSON or binary behind JSON.

mod answer;
mod binary;
mod data;
mod datatype;
mod inputs;
pub(crate) mod metadata;
mod request;

pub(crate) use answer::{Written, write};
pub(crate) use request::{Asked, parse};
