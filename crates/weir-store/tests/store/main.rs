//! The store in a directory.

mod as_of;
mod commits;
mod crash;
mod damage;
mod datasets;
mod diff;
mod fixture;
mod full_disk;
mod gc;
mod labels;
mod racing;
mod show;
