//! The functions: what Lambda hands over, and what it gets back.

pub mod event;
pub mod logs;
pub mod metrics;
mod response;
#[cfg(feature = "review")]
mod review;
mod run;
pub mod settings;
mod triage;

pub use response::{FunctionError, Response};
#[cfg(feature = "review")]
pub use review::{ReviewFunction, handle as handle_daily};
pub use run::{Function, run};
pub use triage::{TriageFunction, handle};
