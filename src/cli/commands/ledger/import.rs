//! `ledger import`: a ledger from what other tools ignore.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::ValueEnum;
use jiff::Timestamp;

use super::show;
use crate::{
    app::failure::BoxError,
    cli::{Misuse, Verdict},
    ledger::import::{Form, import},
};

/// Write a ledger from what another tool is told to ignore.
///
/// The ledger goes to stdout. What a ledger asks for and was not there stands in it as a TODO, which ledger check refuses, and
/// is said on stderr with everything that was left out. Exit status: 0 done, 1 the file is not of that form, 2 bad usage.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file of the other tool.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose file it is.
    #[arg(long, value_enum)]
    from: Tool,
    /// Who answers for what is in it.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// The time of the import, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// A tool with a list of what it ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// Trivy: .trivyignore.yaml, or .trivyignore
    Trivy,
    /// osv-scanner: osv-scanner.toml
    OsvScanner,
    /// Amazon Inspector's action for GitHub: .inspector-ignore
    InspectorIgnore,
}

/// Writes it.
pub fn run(
    arguments: &Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let file = &arguments.file;
    let source = fs::read(file)
        .map_err(|error| Misuse(format!("cannot read {}: {error}", file.display())))?;
    let source = String::from_utf8(source)
        .map_err(|_| format!("{}: not UTF-8: save the file as UTF-8", file.display()))?;
    let is_yaml = file.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let form = match arguments.from {
        // As Trivy tells them apart.
        Tool::Trivy if is_yaml => Form::TrivyYaml,
        Tool::Trivy => Form::Trivy,
        Tool::OsvScanner => Form::OsvScanner,
        Tool::InspectorIgnore => Form::InspectorIgnore,
    };
    let now = arguments.now.unwrap_or_else(clock);
    match import(&source, form, arguments.owner.as_deref(), now) {
        Ok(imported) => {
            output.write_all(imported.yaml.as_bytes())?;
            show(file, "note: ", &imported.notes, &mut io::stderr())?;
            Ok(Verdict::Done)
        }
        Err(problems) => {
            show(file, "", &problems, output)?;
            Ok(Verdict::FoundWrong)
        }
    }
}
