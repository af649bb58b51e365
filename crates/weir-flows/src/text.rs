//! Values as text: each function takes the bytes of one field and returns the value or what was expected instead.

pub(crate) mod address;
pub(crate) mod time;
pub(crate) mod unsigned;
pub(crate) mod words;
