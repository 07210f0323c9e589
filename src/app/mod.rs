//! In what order things are done, over ports to whatever does them.

mod attempt;
mod deliver;
pub mod failure;
mod flush;
mod ports;
mod triage;

pub use attempt::{Attempt, CALL, Observation};
pub use flush::{FlushOutcome, Flushed};
pub use ports::{
    Alerts, Alone, Begun, Known, Marked, Marking, Outran, Permit, Publish, Records, Refreshed,
    Summaries, Waiting,
};
pub use triage::{Outcome, Report, Triage};
