//! `inspector-triage replay` on more and more findings: does a finding cost the same in a large file
//! as in a small one?

#![expect(clippy::disallowed_methods, reason = "time is what is measured")]
#![expect(clippy::disallowed_macros, reason = "the table goes to the terminal")]

#[path = "common/mod.rs"]
mod common;

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use inspector_triage::app::failure::BoxError;
use wait4::Wait4;

/// Measures `replay` on more and more findings.
#[derive(Debug, Parser)]
#[command(name = "cargo growth")]
struct Arguments {
    /// The command line to be measured, such as target/cli/inspector-triage.
    program: PathBuf,
    /// How many findings.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    findings: Vec<u32>,
}

fn main() -> ExitCode {
    match common::arguments().and_then(|arguments| measure_all(&arguments)) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("growth: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure_all(arguments: &Arguments) -> Result<Table, BoxError> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("growth.ndjson");
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header([
        "findings",
        "time, s",
        "a finding, µs",
        "to the first",
        "peak memory, MiB",
        "a finding, KiB",
    ]);
    let mut first = None;
    for &findings in &arguments.findings {
        write_events(&file, findings)?;
        let (time, peak) = replay(&arguments.program, &file)?;
        let each = time / findings.max(1);
        let ratio = each.as_secs_f64() / first.get_or_insert(each).as_secs_f64();
        table.add_row([
            findings.to_string(),
            format!("{:.2}", time.as_secs_f64()),
            each.as_micros().to_string(),
            format!("{ratio:.2}"),
            format!("{:.1}", f64::from(peak) / 1024.0),
            format!("{:.2}", f64::from(peak) / f64::from(findings)),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table)
}

fn write_events(file: &Path, findings: u32) -> Result<(), BoxError> {
    let mut lines = BufWriter::new(File::create(file)?);
    for number in 0..usize::try_from(findings)? {
        writeln!(lines, "{}", common::event(number))?;
    }
    lines.flush()?;
    Ok(())
}

/// The time and the peak memory, in KiB, that it takes.
fn replay(program: &Path, file: &Path) -> Result<(Duration, u32), BoxError> {
    let started = Instant::now();
    let child = Command::new(program)
        .arg("replay")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let ended = child.wait4()?;
    let time = started.elapsed();
    if !ended.status.success() {
        return Err(format!("{} failed: {}", program.display(), ended.status).into());
    }
    Ok((time, u32::try_from(ended.rusage.maxrss / 1024)?))
}
