//! What files of each format read as.

mod heads;
mod malformed;
mod real_files;
mod robustness;
mod show;
mod variants;
