//! Downloads, archives and data sets against a server on 127.0.0.1 that behaves as badly as told.

mod archives;
mod dataset;
mod downloads;
mod server;
mod unpacking;
