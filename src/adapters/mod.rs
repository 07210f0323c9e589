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
#[cfg(feature = "review")]
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
pub mod sns;
#[cfg(feature = "cli")]
pub mod sqs;
