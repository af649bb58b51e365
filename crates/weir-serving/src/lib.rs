//! The predictor: a bundle behind the Open Inference Protocol, v1 and v2, with raw flows or feature vectors in, metrics
//! and health beside it.
//!
//! It reads a bundle and writes nothing but, where it is told to, the port it listens on. It does not know how bundles
//! are made, it links no polars, and every prediction is made by [`weir_bundle::Bundle`].
//!
//! ```text
//! command      arguments, from start to stop        settings     what they say, checked
//! server       sockets, workers, drain              patient      clients that do not read
//! app          a request to an answer
//! predictor    what all requests share              reload       another bundle in the directory
//! routes       the protocol's paths                 body         bodies within their limits
//! work         bytes in, bytes out                  budget       how much at once
//! v1, v2       reading and writing the protocols    rows         what is predicted
//! metrics      for Prometheus                       access       a line per request
//! ```

mod access;
mod app;
mod body;
mod budget;
mod command;
mod metrics;
mod model;
mod number;
mod object;
mod patient;
mod predictor;
mod refusal;
mod reload;
mod routes;
mod rows;
mod server;
mod settings;
mod v1;
mod v2;
mod work;

pub use access::AccessLog;
pub use app::App;
pub use command::{Args, command};
pub use predictor::Predictor;
pub use server::Server;
pub use settings::Settings;
