//! What triage needs of the world, a trait a need. Whoever implements one keeps to [`CALL_TIMEOUT`](super::CALL_TIMEOUT).
//!
//! If a call fails, whether it took effect is unknown, and it may be repeated.

mod alerts;
mod publisher;
mod records;
mod summaries;

pub use alerts::{Alerts, AnnouncedProblem, Leased, Marked, Marking, Permit, PermitRequest};
pub use publisher::{NotPublished, Publisher};
pub use records::{Records, Refreshed, WriteOutcome};
pub use summaries::{Pending, Queue, Summaries, SummaryLock};
