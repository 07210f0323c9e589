//! `inspector-triage` stands between Amazon Inspector and the people who act on its findings:
//! every finding is scored with its reasons, recorded once and announced once.
//!
//! The way of a finding, and the module that each step lives in:
//!
//! 1. [`event`]: an event comes in; [`finding`] reads what AWS sent.
//! 2. [`assess`]: how urgent it is, by when to act, and why.
//! 3. [`record`]: what is remembered of it, and how the event changes that.
//! 4. [`announce`]: whether people are told.
//! 5. [`message`]: what they are told.
//! 6. [`triage`]: all of this in order, with a store and a publisher to talk to.
//!
//! These know no AWS SDK, no clock and no environment. Around them stand the adapters ([`store`]
//! for DynamoDB, [`publish`] for SNS, [`lambda`] for the function, [`logs`] and [`metrics`] for who
//! runs it) and `cli`, the command line.

pub mod announce;
pub mod assess;
pub mod aws;
#[cfg(feature = "cli")]
pub mod cli;
mod digest;
pub mod event;
pub mod failure;
pub mod finding;
pub mod lambda;
pub mod logs;
pub mod message;
pub mod metrics;
pub mod publish;
pub mod record;
pub mod settings;
pub mod store;
pub mod text;
pub mod triage;
