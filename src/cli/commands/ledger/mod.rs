//! `ledger`: the exceptions of a team, from the file that they stand in.

pub mod apply;
mod check;
mod compare;
mod filters;
mod import;
mod vex;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use jiff::Timestamp;

use crate::{
    app::failure::BoxError,
    cli::{Misuse, Verdict},
    domain::text,
    ledger::{self, Problem, Source},
};

/// Where a ledger stands if nothing else is said.
pub const FILE: &str = "security/inspector-exclusions.yaml";

/// Check the ledger of exceptions, put it in force, and compare it with the world.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What each is for stands at its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Arguments),
    Apply(apply::Arguments),
    Compare(compare::Arguments),
    Filters(filters::Arguments),
    Vex(vex::Arguments),
    Import(import::Arguments),
}

/// Does it.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    match arguments.command {
        Command::Check(arguments) => check::run(&arguments, clock, output),
        Command::Apply(arguments) => apply::run(arguments, clock, output).await,
        Command::Compare(arguments) => compare::run(arguments, clock, output).await,
        Command::Filters(arguments) => filters::run(&arguments, clock, output),
        Command::Vex(arguments) => vex::run(&arguments, clock, output),
        Command::Import(arguments) => import::run(&arguments, clock, output),
    }
}

/// A ledger that was read, or everything that is wrong with it.
pub type Read = Result<Source, Vec<Problem>>;

/// Reads the ledger in a file.
///
/// # Errors
/// There is no such file.
fn read(file: &Path) -> Result<Read, BoxError> {
    match fs::read(file) {
        Ok(bytes) => Ok(ledger::read(&bytes)),
        Err(error) => Err(Misuse(format!("cannot read {}: {error}", file.display())).into()),
    }
}

/// Reads the ledger in a file, if it is sound at `now`; else gives what is wrong with it. What of it has ended makes it no less
/// sound.
///
/// # Errors
/// There is no such file.
pub fn read_sound(file: &Path, now: Timestamp) -> Result<Read, BoxError> {
    Ok(read(file)?.and_then(|source| {
        let problems = ledger::check(&source, &source.policy, now).problems;
        if problems.is_empty() { Ok(source) } else { Err(problems) }
    }))
}

/// The same for what is made of a ledger: none if it is unsound, and then what is wrong with it is shown, and what comes of that.
///
/// # Errors
/// There is no such file.
fn sound(
    file: &Path,
    now: Timestamp,
    if_not: &str,
    output: &mut impl Write,
) -> Result<Option<Source>, BoxError> {
    match read_sound(file, now)? {
        Ok(source) => Ok(Some(source)),
        Err(problems) => {
            show(file, "", &problems, output)?;
            writeln!(output, "unsound: {if_not}")?;
            Ok(None)
        }
    }
}

/// What there is to do about an unsound ledger that nothing is made of.
const SEE_CHECK: &str = "see inspector-triage ledger check";

/// Shows what there is to say of a file, a line each, as compilers do.
pub fn show(
    file: &Path,
    kind: &str,
    problems: &[Problem],
    output: &mut impl Write,
) -> io::Result<()> {
    for problem in problems {
        writeln!(
            output,
            "{}:{}:{}: {kind}{}",
            text::line(&file.display().to_string()),
            problem.place.line,
            problem.place.column,
            problem.what
        )?;
    }
    Ok(())
}

/// A number of things in words.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The file of a ledger.
#[derive(Debug, clap::Args)]
struct LedgerFile {
    /// The ledger.
    #[arg(value_name = "FILE", default_value = FILE)]
    file: PathBuf,
}
