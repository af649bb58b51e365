//! The commands against a stand-in API server: what they ask, what they tell, how they end.

mod block;
mod connect;
mod deploy;
mod fetch;
mod fixture;
mod server;
mod submit;
mod watching;
