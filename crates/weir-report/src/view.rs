//! What each section shows: contract types in, text and charts out.

pub(crate) mod audit;
pub(crate) mod block;
pub(crate) mod data;
pub(crate) mod encoder;
pub(crate) mod expectations;
pub(crate) mod features;
pub(crate) mod glance;
mod notices;
pub(crate) mod provenance;
pub(crate) mod results;
pub(crate) mod search;
pub(crate) mod trials;
