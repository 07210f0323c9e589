//! What is true of findings. Pure and synchronous: values in, values out.

pub mod announce;
pub mod assess;
pub mod coverage;
pub mod digest;
pub mod evidence;
pub mod figures;
pub mod finding;
pub mod gate;
pub mod ledger;
pub mod record;
pub mod reminders;
pub mod review;
pub mod round;
pub mod rules;
pub mod scan_sbom;
pub mod suppression;
pub mod text;
pub mod threat;
pub mod ticket;
