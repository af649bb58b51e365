//! What files of each format read as.

mod blocks;
mod damaged_json;
mod heads;
mod json;
mod malformed;
mod packed;
mod real_files;
mod robustness;
mod show;
mod variants;
