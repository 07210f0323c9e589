//! The services that triage talks to. The only place that names AWS's SDK.

pub mod aws;
pub mod calls;
pub mod dynamodb;
#[cfg(feature = "redrive")]
pub mod lambda;
pub mod sns;
#[cfg(feature = "cli")]
pub mod sqs;
