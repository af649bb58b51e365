//! What enforcement does, whatever fails, with an enforcer in memory.

mod failures;
mod fake;
mod runs;
