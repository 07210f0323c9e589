//! `ledger vex`: the exceptions for other tools.

use std::io::{self, Write};

use clap::ValueEnum;
use jiff::Timestamp;

use super::{LedgerFile, SEE_CHECK, sound};
use crate::{app::failure::BoxError, cli::Verdict, domain::text, ledger::vex::Vex};

/// Write the exceptions as VEX, which scanners and other tools read.
///
/// What is accepted or deferred is affected, with what is done about it; never not_affected. What cannot be said is said on
/// stderr. The same ledger and time give the same document. Exit status: 0 done, 1 unsound, or nothing to say, 2 bad usage.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: LedgerFile,
    /// The form.
    #[arg(long, value_enum, default_value_t = Form::Openvex)]
    format: Form,
    /// Who says it, in OpenVEX.
    #[arg(long, value_name = "NAME", default_value = "inspector-triage")]
    author: String,
    /// The time to judge by, and of the document, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// A form of VEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// OpenVEX 0.2.0
    Openvex,
    /// CycloneDX 1.6
    Cyclonedx,
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
    let ledger = source.ledger();
    let vex = Vex::of(&ledger, now);
    for note in &vex.notes {
        writeln!(io::stderr(), "note: {note}")?;
    }
    if vex.is_empty() {
        return Err(
            "no exception in force names a vulnerability, so there is nothing to say".into()
        );
    }
    let document = match arguments.format {
        Form::Openvex => vex.openvex(&text::line(&arguments.author)),
        Form::Cyclonedx => vex.cyclonedx(),
    };
    serde_json::to_writer_pretty(&mut *output, &document)?;
    writeln!(output)?;
    Ok(Verdict::Done)
}
