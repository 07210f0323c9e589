//! The command `evidence`, over a table with a quarter of many findings in it: time, processor time and memory.
//!
//! The store is that of `inspector-triage local`, and is filled and runs in this process. The command is this program again, as
//! a process of its own.

#![expect(clippy::disallowed_methods, reason = "time is what is measured")]
#![expect(clippy::disallowed_macros, reason = "the table goes to the terminal")]

#[path = "../common/mod.rs"]
mod common;
mod figures;
#[path = "../function/mod.rs"]
mod function;
mod quarter;
mod run;

use std::{env, fs, path::Path, process::ExitCode};

use clap::Parser;
use inspector_triage::app::failure::BoxError;

use figures::Measured;

/// The command line's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures `evidence` of a quarter of more and more findings.
#[derive(Debug, Parser)]
#[command(name = "cargo evidence")]
struct Arguments {
    /// How many findings there are.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000", value_parser = clap::value_parser!(u32).range(1..))]
    findings: Vec<u32>,
}

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    let done = if words.next().is_some_and(|first| first == run::AS_COMMAND) {
        run::command(words)
    } else {
        common::arguments().and_then(measure_all)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("evidence: {problem}");
            ExitCode::FAILURE
        }
    }
}

// As many threads as `local` has.
#[tokio::main]
async fn measure_all(arguments: Arguments) -> Result<(), BoxError> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("evidence");
    fs::create_dir_all(&scratch)
        .map_err(|error| format!("cannot make {}: {error}", scratch.display()))?;
    let mut measured = Vec::new();
    for findings in arguments.findings {
        let (rows, cost) = run::measure(findings, &scratch).await?;
        measured.push(Measured { findings, rows, cost });
    }
    println!("\n{}", figures::table(&measured));
    Ok(())
}
