//! The functions: what Lambda hands over, and what it gets back.

pub mod event;
pub mod logs;
pub mod metrics;
mod response;
mod run;
pub mod settings;
mod triage;

pub use response::{FunctionError, Response};
pub use run::{Function, run};
pub use triage::{TriageFunction, handle};
