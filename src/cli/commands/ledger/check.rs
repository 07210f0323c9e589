//! `ledger check`: whether a ledger is sound, and what of it has ended.

use std::{io::Write, path::PathBuf};

use jiff::Timestamp;

use super::{LedgerFile, counted, read, show};
use crate::{
    app::failure::BoxError,
    cli::{Misuse, Verdict},
    ledger::{self, Source},
};

/// Check a ledger: each thing that is wrong with it, with its place.
///
/// Reads files alone. Exit status: 0 sound, 1 unsound or something in it has ended, 2 bad usage, as where there is no such
/// file.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: LedgerFile,
    /// Judge by the policy in this file and not by the ledger's own: that of the branch it is to be merged into.
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// The time to judge by, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// Checks it.
pub fn run(
    arguments: &Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let now = arguments.now.unwrap_or_else(clock);
    let file = &arguments.file.file;
    let source = match read(file)? {
        Ok(source) => source,
        Err(problems) => {
            show(file, "", &problems, output)?;
            writeln!(output, "unsound: {}", counted(problems.len(), "problem"))?;
            return Ok(Verdict::FoundWrong);
        }
    };
    let policy = match &arguments.base {
        None => source.policy.clone(),
        Some(base) => {
            let unsound = |_| Misuse(format!("{} is unsound and cannot judge", base.display()));
            read(base)?.map_err(unsound)?.policy
        }
    };
    let checked = ledger::check(&source, &policy, now);
    show(file, "", &checked.problems, output)?;
    show(file, "", &checked.ended, output)?;
    show(file, "note: ", &checked.notes, output)?;
    let holds = holds(&source);
    if !checked.is_sound() {
        writeln!(output, "unsound: {}", counted(checked.problems.len(), "problem"))?;
        return Ok(Verdict::FoundWrong);
    }
    if !checked.ended.is_empty() {
        let ended = checked.ended.len();
        let verb = if ended == 1 { "has" } else { "have" };
        writeln!(output, "sound: {holds}; {ended} of them {verb} ended")?;
        return Ok(Verdict::FoundWrong);
    }
    writeln!(output, "sound: {holds}")?;
    Ok(Verdict::Done)
}

/// What a ledger has, in numbers.
fn holds(source: &Source) -> String {
    let exceptions = counted(source.exceptions.len(), "exception");
    format!("{exceptions} and {}", counted(source.exclusions.len(), "exclusion"))
}
