//! In what order things are done, over ports to whatever does them.

mod attempt;
mod deliver;
pub mod failure;
mod flush;
mod ports;
mod triage;

pub use attempt::{Attempt, CALL_TIMEOUT, Observation};
pub use flush::{FlushOutcome, FlushResult};
pub use ports::{
    Alerts, AnnouncedProblem, Marked, Marking, Pending, Permit, PermitRequest, Publisher, Records,
    Refreshed, Summaries, SummaryLock, WriteOutcome,
};
pub use triage::{Outcome, Triage, TriageConfig, TriageResult};
