//! Images to and from registries, by the OCI distribution specification 1.1.
//!
//! ```text
//! reference     where an image is: registry, repository, tag or digest
//! login         who asks
//! challenge     what a registry wants to be asked with
//! client        requests: authorization, attempts, errors
//! push          an image into a registry
//! pull          the bundle out of an image in a registry
//! ```

mod challenge;
mod client;
mod login;
mod pull;
mod push;
mod reference;
#[cfg(test)]
mod tests;

pub(crate) use client::{Client, Settings};
pub(crate) use login::Login;
pub(crate) use pull::pull;
pub(crate) use push::push;
pub(crate) use reference::Reference;
