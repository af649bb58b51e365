//! The predictor, called without a socket but where sockets are what is tested.

mod agreement;
mod binary;
mod fixture;
mod limits;
mod metrics;
mod mutation;
mod program;
mod properties;
mod refusals;
mod reload;
mod sockets;
mod v1;
mod v2;

#[path = "../../../weir-bundle/tests/bundle/fixture.rs"]
mod bundle;
