//! `inspector-triage` stands between Amazon Inspector and the people who act on its findings:
//! every finding is scored with its reasons, recorded once and announced once.
//!
//! Each room knows those above it, and none below:
//!
//! - [`domain`]: what is true. A finding, its assessment, its record, and whether it is announced.
//! - `ledger`: what a team has decided, as a file.
//! - [`render`]: how it reads. Domain in, text out.
//! - [`app`]: in what order. One finding, or many that wait, over ports.
//! - [`adapters`]: with whom. DynamoDB, SNS and SQS, through AWS's SDK.
//! - [`lambda`]: the function. Events, settings, logs and metrics.
//! - `emulator` and `cli`: AWS on this machine, and the command line.
//!
//! The first three know no AWS, no runtime, no clock and no environment.

#[cfg(feature = "aws")]
pub mod adapters;
pub mod app;
#[cfg(feature = "cli")]
pub mod cli;
pub mod domain;
#[cfg(feature = "cli")]
pub mod emulator;
#[cfg(feature = "aws")]
pub mod lambda;
#[cfg(feature = "cli")]
pub mod ledger;
pub mod render;
