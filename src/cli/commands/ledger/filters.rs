//! `ledger filters`: the exceptions as Inspector's own suppression rules.

use std::io::{self, Write};

use jiff::Timestamp;

use super::{LedgerFile, SEE_CHECK, sound};
use crate::{
    app::failure::BoxError,
    cli::Verdict,
    ledger::{filters::template, rules::rules},
};

/// Write the exceptions as a CloudFormation template of Inspector's suppression rules.
///
/// A rule is never wider than its exception: where it would have to be, nothing is written, and each reason is. What a rule
/// does not say, such as an end, is said on stderr and in the Metadata of each. Read the Metadata of the template before you
/// deploy it: a rule that is deleted publishes everything that it hid again. Exit status: 0 done, 1 an exception cannot be
/// expressed, or the ledger is unsound, 2 bad usage.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: LedgerFile,
    /// The time to judge by, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// Writes it.
pub fn run(
    arguments: &Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let now = arguments.now.unwrap_or_else(clock);
    let Some(source) = sound(&arguments.file.file, now, SEE_CHECK, output)? else {
        return Ok(Verdict::FoundWrong);
    };
    let rules = rules(&source.ledger(), now);
    if !rules.refused.is_empty() {
        for refused in &rules.refused {
            writeln!(output, "{refused}")?;
        }
        writeln!(output, "nothing is written: a rule would hide more than its exception")?;
        return Ok(Verdict::FoundWrong);
    }
    for note in &rules.notes {
        writeln!(io::stderr(), "note: {note}")?;
    }
    serde_json::to_writer_pretty(&mut *output, &template(&rules))?;
    writeln!(output)?;
    Ok(Verdict::Done)
}
