//! The functions: what Lambda hands over, and what it gets back.

pub mod event;
pub mod logs;
pub mod metrics;
#[cfg(feature = "tickets")]
pub mod queue;
mod response;
#[cfg(feature = "review")]
mod review;
mod run;
pub mod settings;
#[cfg(feature = "tickets")]
mod tickets;
mod triage;

pub use response::{FunctionError, Response};
#[cfg(feature = "review")]
pub use review::{ReviewFunction, handle as handle_daily};
pub use run::{Function, run};
#[cfg(feature = "tickets")]
pub use tickets::{Taken, TicketsFunction, TicketsResponse, handle as handle_tickets};
pub use triage::{TriageFunction, handle};
