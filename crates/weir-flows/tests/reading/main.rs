//! What files of each format read as.

mod blocks;
mod damaged_json;
mod fuzz;
mod golden;
mod heads;
mod json;
mod malformed;
mod mutation;
mod packed;
mod pauses;
mod real_files;
mod robustness;
mod show;
mod variants;
