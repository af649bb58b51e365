//! Protocol v1: `{"instances": [...]}` in, `{"predictions": [...]}` out.

mod answer;
mod quick;
mod request;

pub(crate) use answer::write;
pub(crate) use request::{Options, parse};
