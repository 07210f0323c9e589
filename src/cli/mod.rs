//! The command line: the same triage as the function's, on files and on this machine.

mod advice;
mod commands;
mod events;
mod input;
mod listing;
mod rows;
mod sent;
mod store;
mod table;
mod values;

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, BufWriter, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use jiff::Timestamp;

use commands::{
    coverage, evidence, gate, ledger, list, local, replay, report, retell, score, tickets,
};
#[cfg(feature = "redrive")]
use commands::{doctor, give, redrive};

use crate::app::failure::BoxError;

/// Triage of Amazon Inspector findings, on this machine.
///
/// Exit status: 0 done, 1 the work found something wrong, 2 bad usage; of gate also 3, it cannot tell.
#[derive(Debug, Parser)]
#[command(name = "inspector-triage", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What each is for stands at its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Arguments),
    Local(local::Arguments),
    List(list::Arguments),
    Report(report::Arguments),
    Evidence(evidence::Arguments),
    Tickets(tickets::Arguments),
    Retell(retell::Arguments),
    Coverage(coverage::Arguments),
    Ledger(ledger::Arguments),
    Gate(gate::Arguments),
    #[cfg(feature = "redrive")]
    Doctor(doctor::Arguments),
    #[cfg(feature = "redrive")]
    Give(give::Arguments),
    #[cfg(feature = "redrive")]
    Redrive(redrive::Arguments),
    Score(score::Arguments),
}

/// What the work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Done,
    /// Something was wrong with the input, and has been said.
    FoundWrong,
    /// Whether something is wrong could not be told, which has been said.
    CannotTell,
}

/// An argument that makes no sense, such as a path to nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misuse(String);

/// Runs the command line. `clock` gives the time for events that have none of their own.
pub fn run(clock: fn() -> Timestamp) -> ExitCode {
    if let Some(strange) = env_arguments().find(|argument| argument.contains(char::is_control)) {
        // It would be shown as it is, and a line of it might be a command of whoever reads the log.
        let _ = writeln!(
            io::stderr(),
            "inspector-triage: an argument has a control character: {strange:?}"
        );
        return ExitCode::from(2);
    }
    let command = Arguments::parse().command;
    // Not locked: `replay -` asks for stdin itself.
    let input = BufReader::with_capacity(1 << 16, io::stdin());
    let verdict = perform(command, clock, input, &mut io::stdout().lock());
    match verdict {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::FoundWrong) => ExitCode::from(1),
        Ok(Verdict::CannotTell) => ExitCode::from(3),
        // Whoever reads our output has seen enough.
        Err(problem) if is_broken_pipe(problem.as_ref()) => ExitCode::SUCCESS,
        Err(problem) => {
            let line = crate::app::failure::chain(problem.as_ref());
            // Nothing is left to be done if stderr is gone, too.
            let _ = writeln!(io::stderr(), "inspector-triage: {line}");
            ExitCode::from(if problem.is::<Misuse>() { 2 } else { 1 })
        }
    }
}

/// The arguments that are texts; what others are is said in words of the program.
fn env_arguments() -> impl Iterator<Item = String> {
    std::env::args_os().filter_map(|argument| argument.into_string().ok())
}

/// Runs the command line `arguments`, the first of which is the program's name, as [`run`] does,
/// but with this input and this output.
///
/// # Errors
/// The arguments make no sense, or the work could not be done.
pub fn run_on<T: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = T>,
    clock: fn() -> Timestamp,
    input: impl BufRead,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    perform(Arguments::try_parse_from(arguments)?.command, clock, input, output)
}

fn perform(
    command: Command,
    clock: fn() -> Timestamp,
    input: impl BufRead,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    match command {
        Command::Score(score) => score::run(&score, input, output),
        Command::Coverage(coverage) => block_on(coverage::run(coverage, clock, output)),
        Command::Evidence(evidence) => block_on(evidence::run(evidence, clock, output)),
        Command::Gate(gate) => block_on(gate::run(gate, clock, output)),
        Command::Ledger(ledger) => block_on(ledger::run(ledger, clock, output)),
        Command::Report(report) => block_on(report::run(report, clock, output)),
        Command::List(list) => block_on(list::run(list, clock, output)),
        Command::Tickets(tickets) => block_on(tickets::run(tickets, clock, output)),
        Command::Retell(retell) => block_on(retell::run(retell, clock(), output)),
        #[cfg(feature = "redrive")]
        Command::Doctor(doctor) => block_on(doctor::run(doctor, clock(), output)),
        #[cfg(feature = "redrive")]
        Command::Give(give) => block_on(give::run(give, output)),
        #[cfg(feature = "redrive")]
        Command::Redrive(redrive) => block_on(redrive::run(redrive, clock(), output)),
        Command::Replay(replay) => {
            let mut output = BufWriter::with_capacity(1 << 16, output);
            block_on(replay::run(replay, clock, &mut output))
        }
        Command::Local(local) => block_on(local::run(local, output)),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn is_broken_pipe(problem: &(dyn std::error::Error + 'static)) -> bool {
    problem.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
