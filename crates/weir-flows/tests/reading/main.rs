//! What files of each format read as.

mod heads;
mod json;
mod malformed;
mod real_files;
mod robustness;
mod show;
mod variants;
