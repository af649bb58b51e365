//! Sets `WEIR_BUILD_ID`, see `crates/build-id.rs`.

include!("../build-id.rs");
