//! Sets the build id of this stage.

include!("../build-id.rs");
