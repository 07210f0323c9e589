//! The command line.

use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "here the clock comes in")]
fn main() -> ExitCode {
    inspector_triage::cli::run(jiff::Timestamp::now)
}
