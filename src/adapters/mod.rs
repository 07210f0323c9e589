//! The services that triage talks to. The only place that names AWS's SDK.

pub mod aws;
pub mod calls;
pub mod clock;
#[cfg(feature = "redrive")]
pub mod cloudformation;
#[cfg(feature = "redrive")]
pub mod cloudwatch;
pub mod dynamodb;
#[cfg(feature = "cli")]
pub mod ecr;
#[cfg(feature = "redrive")]
pub mod eventbridge;
#[cfg(any(feature = "review", feature = "tickets"))]
mod failed;
#[cfg(feature = "review")]
pub mod inspector2;
#[cfg(feature = "redrive")]
pub mod kms;
#[cfg(feature = "redrive")]
pub mod lambda;
#[cfg(feature = "review")]
mod pace;
#[cfg(feature = "review")]
pub mod s3;
#[cfg(feature = "tickets")]
pub mod secrets;
pub mod sns;
#[cfg(feature = "cli")]
pub mod sqs;
#[cfg(feature = "tickets")]
pub mod trackers;
