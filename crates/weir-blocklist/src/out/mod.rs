//! What is handed to others: texts made of blocks and detections. Nothing here touches a file.

mod ipset;
mod nftables;

pub use ipset::{LONGEST as IPSET_LONGEST, ipset};
pub use nftables::nftables;
