//! The tests that look at the program from outside, in one binary, so that SDK and store are linked once.
//!
//! `cargo test --features cli record::` runs those of one file.

#[cfg(feature = "cli")]
mod announcing;
mod architecture;
#[cfg(feature = "cli")]
mod archiving;
#[cfg(feature = "cli")]
mod command_line;
#[cfg(feature = "cli")]
mod common;
#[cfg(feature = "cli")]
mod deployment;
#[cfg(feature = "cli")]
mod documents;
#[cfg(feature = "cli")]
mod ending;
#[cfg(feature = "cli")]
mod evidence;
#[cfg(feature = "cli")]
mod evidence_fedramp;
#[cfg(feature = "cli")]
mod faults;
#[cfg(feature = "cli")]
mod function;
#[cfg(feature = "cli")]
mod gate;
#[cfg(feature = "cli")]
mod gate_formats;
#[cfg(feature = "cli")]
mod gate_waiting;
#[cfg(feature = "cli")]
mod interleavings;
#[cfg(feature = "cli")]
mod ledger;
#[cfg(feature = "cli")]
mod ledger_carried;
#[cfg(feature = "cli")]
mod ledger_schema;
#[cfg(feature = "cli")]
mod listeners;
#[cfg(feature = "cli")]
mod messages;
#[cfg(feature = "cli")]
mod operating;
#[cfg(feature = "cli")]
mod quarter;
#[cfg(feature = "cli")]
mod record;
#[cfg(feature = "redrive")]
mod redrive;
#[cfg(feature = "cli")]
mod registry;
#[cfg(feature = "cli")]
mod reminding;
#[cfg(feature = "cli")]
mod reporting;
#[cfg(feature = "cli")]
mod reviewing;

mod samples;
#[cfg(feature = "cli")]
mod stored;
#[cfg(feature = "cli")]
mod threats;
#[cfg(feature = "cli")]
mod throttling;
#[cfg(feature = "cli")]
mod ticket_faults;
#[cfg(feature = "cli")]
mod ticket_function;
#[cfg(feature = "cli")]
mod ticket_wording;
#[cfg(feature = "cli")]
mod ticketing;
#[cfg(feature = "cli")]
mod tracker_formats;
#[cfg(feature = "cli")]
mod trackers;
#[cfg(feature = "cli")]
mod weekly;
#[cfg(feature = "cli")]
mod wording;
