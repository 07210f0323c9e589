//! The function as a process, from its start to its last event, against the floor under it and
//! whatever else one likes.
//!
//! Around it are Lambda's Runtime API, a DynamoDB-compatible store and a topic, all on loopback,
//! the latter two over TLS as AWS has it. Each round starts each program once, one after the other,
//! so that what else the machine does hits all of them alike.

#![expect(clippy::disallowed_methods, reason = "time is what is measured")]
#![expect(clippy::disallowed_macros, reason = "the table goes to the terminal")]

mod aws;
mod certificates;
#[path = "../common/mod.rs"]
mod common;
mod figures;
#[path = "../function/mod.rs"]
mod function;
mod run;
mod timeline;

use std::{ffi::OsString, fs, path::Path, process::ExitCode};

use clap::Parser;
use figures::Measured;
use function::programs;
use inspector_triage::app::failure::BoxError;

/// Measures the function, with a cold and a warm start.
#[derive(Debug, Parser)]
#[command(name = "cargo cold-start")]
struct Arguments {
    /// How often each program is started.
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    processes: u16,
    /// Show what the servers saw of an event, too, and when.
    #[arg(long)]
    timeline: bool,
    /// Another function to compare with: a command that speaks Lambda's Runtime API.
    #[arg(last = true)]
    command: Vec<OsString>,
}

// One thread for all servers, so that they leave the other processors to what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let measured = match common::arguments() {
        Ok(arguments) => compare(arguments).await,
        Err(problem) => Err(problem),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("cold_start: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(arguments: Arguments) -> Result<(), BoxError> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cold_start");
    fs::create_dir_all(&scratch)
        .map_err(|error| format!("cannot make {}: {error}", scratch.display()))?;
    let mut programs = vec![
        programs::build("triage", "inspector-triage", &scratch)?,
        programs::build("floor", env!("CARGO_PKG_NAME"), &scratch)?,
    ];
    if !arguments.command.is_empty() {
        programs.push(programs::given(arguments.command, &scratch)?);
    }
    let mut measured: Vec<Measured> =
        programs.into_iter().map(|program| Measured { program, runs: Vec::new() }).collect();
    let certificates = certificates::make(&scratch)?;
    for _ in 0..arguments.processes {
        for Measured { program, runs } in &mut measured {
            runs.push(run::measure(program, &certificates, &scratch).await?);
        }
    }
    println!("\n{} processes of each\n\n{}", arguments.processes, figures::table(&measured));
    if arguments.timeline {
        for table in timeline::tables(&measured) {
            println!("\n{table}");
        }
    }
    Ok(())
}
