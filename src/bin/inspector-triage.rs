//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    inspector_triage::cli::run(jiff::Timestamp::now)
}
