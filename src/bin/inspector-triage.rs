//! The command line.

use std::process::ExitCode;

/// `replay` makes and drops many small things, for which this allocator takes a third less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "here the clock comes in")]
fn main() -> ExitCode {
    inspector_triage::cli::run(jiff::Timestamp::now)
}
