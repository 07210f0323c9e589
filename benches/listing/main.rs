//! A whole round of the function `review`, with the rate set free: what it takes to list all findings and to record them,
//! and again when nothing has changed; then the review of the week.
//!
//! Inspector and the store are those of `inspector-triage local`, and run in this process. Each program is a function on
//! Lambda's Runtime API, and each begins with emulators of its own.

#![expect(clippy::disallowed_methods, reason = "time is what is measured")]
#![expect(clippy::disallowed_macros, reason = "the table goes to the terminal")]

#[path = "../common/mod.rs"]
mod common;
mod figures;
#[path = "../function/mod.rs"]
mod function;
mod run;

use std::{ffi::OsString, fs, path::Path, process::ExitCode};

use clap::Parser;
use inspector_triage::app::failure::BoxError;

use figures::Measured;
use function::programs;

/// The command line's allocator, as in `local`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the first round of the daily function, and the second.
#[derive(Debug, Parser)]
#[command(name = "cargo listing")]
struct Arguments {
    /// How many findings there are.
    #[arg(long, value_delimiter = ',', default_value = "4000,16000")]
    findings: Vec<u32>,
    /// Another function to compare with: a command that speaks Lambda's Runtime API.
    #[arg(last = true)]
    command: Vec<OsString>,
}

// As many threads as `local` has.
#[tokio::main]
async fn main() -> ExitCode {
    let measured = match common::arguments() {
        Ok(arguments) => measure_all(arguments).await,
        Err(problem) => Err(problem),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("listing: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn measure_all(arguments: Arguments) -> Result<(), BoxError> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("listing");
    fs::create_dir_all(&scratch)
        .map_err(|error| format!("cannot make {}: {error}", scratch.display()))?;
    let mut programs = vec![programs::build("review", "inspector-triage", &scratch)?];
    if !arguments.command.is_empty() {
        programs.push(programs::given(arguments.command, &scratch)?);
    }
    let mut measured = Vec::new();
    // The programs in turn, so that what else the machine does hits them alike.
    for &findings in &arguments.findings {
        for (place, program) in programs.iter().enumerate() {
            for (name, round) in run::measure(program, findings, place == 0, &scratch).await? {
                measured.push(Measured { program: program.name, name, findings, round });
            }
        }
    }
    println!("\n{}", figures::table(&measured));
    Ok(())
}
