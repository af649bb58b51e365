//! From bytes to counts.

mod follow;
mod formats;
mod real_logs;
mod reference;
mod sources;
mod window;
