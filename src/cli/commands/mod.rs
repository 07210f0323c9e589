//! The commands, a file each.

pub mod local;
#[cfg(feature = "redrive")]
pub mod redrive;
pub mod replay;
pub mod score;
