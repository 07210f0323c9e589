//! Amazon Inspector itself.

mod enabled;

pub use enabled::{Enabled, ScanType, administrator, enabled};
