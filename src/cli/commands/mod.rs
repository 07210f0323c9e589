//! The commands, a file each.

pub mod coverage;
#[cfg(feature = "redrive")]
pub mod doctor;
pub mod evidence;
pub mod gate;
#[cfg(feature = "redrive")]
pub mod give;
pub mod ledger;
pub mod list;
pub mod local;
#[cfg(feature = "redrive")]
pub mod redrive;
pub mod replay;
pub mod report;
pub mod retell;
pub mod score;
pub mod tickets;
