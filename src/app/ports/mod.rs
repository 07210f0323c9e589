//! What triage needs of the world, a trait a need. Whoever implements one keeps to [`CALL`](super::CALL).
//!
//! If a call fails, whether it took effect is unknown, and it may be repeated.

mod alerts;
mod publisher;
mod records;
mod summaries;

pub use alerts::{Alerts, Alone, Known, Marked, Marking, Permit};
pub use publisher::Publish;
pub use records::{Outran, Records, Refreshed};
pub use summaries::{Begun, Summaries, Waiting};
