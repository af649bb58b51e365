//! From bytes to counts.

mod follow;
mod formats;
mod mutation;
mod real_logs;
mod reference;
mod sources;
mod window;
