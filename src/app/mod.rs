//! In what order things are done, over ports to whatever does them.

pub mod failure;
mod flush;
mod ports;
mod triage;

pub use flush::{FlushOutcome, Flushed};
pub use ports::{
    Alone, Begun, Known, Marked, Marking, Outran, Permit, Publish, Refreshed, Store, Waiting,
};
pub use triage::{Attempt, CALL, Observation, Outcome, Report, Triage};
