//! The commands, a file each.

pub mod local;
pub mod redrive;
pub mod replay;
pub mod score;
