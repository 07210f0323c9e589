//! What the rounds come to, in a table.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::ASCII_MARKDOWN};

use crate::run::{Round, Spent};

/// A round of a program.
pub struct Measured {
    /// The program's name.
    pub program: &'static str,
    /// Which round of it.
    pub name: &'static str,
    /// How many findings there were.
    pub findings: u32,
    /// What it took.
    pub round: Round,
}

impl Measured {
    /// The time that a finding took to be listed and recorded, in microseconds.
    fn each(&self) -> f64 {
        self.micros(|spent| spent.time, self.round.listing)
    }

    fn micros(&self, of: fn(Spent) -> std::time::Duration, spent: Spent) -> f64 {
        of(spent).as_secs_f64() * 1e6 / f64::from(self.findings)
    }
}

/// The table of `measured`, in which `review` comes first.
pub fn table(measured: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "",
        "findings",
        "listed and recorded, s",
        "findings a second",
        "time a finding, to the first size",
        "review's pace to this",
        "CPU a finding, µs",
        "emulators' CPU a finding, µs",
        "whole round, s",
        "CPU a finding, µs",
        "emulators' CPU a finding, µs",
        "peak memory, MiB",
    ]);
    for one in measured {
        // The same round of the same program with as many findings as were tried first, and of `review` with as many.
        let smallest = measured.iter().find(|m| (m.program, m.name) == (one.program, one.name));
        let review = measured.iter().find(|m| (m.findings, m.name) == (one.findings, one.name));
        let each = one.each();
        let to = |other: Option<&Measured>| {
            other.map_or_else(String::new, |other| format!("{:.2}", each / other.each()))
        };
        let Round { listing, whole, peak_memory } = one.round;
        let seconds = |spent: Spent| format!("{:.2}", spent.time.as_secs_f64());
        let cpu = |spent| format!("{:.0}", one.micros(|spent| spent.cpu, spent));
        let emulators = |spent| format!("{:.0}", one.micros(|spent| spent.emulators, spent));
        table.add_row([
            format!("{}, {}", one.program, one.name),
            one.findings.to_string(),
            seconds(listing),
            format!("{:.0}", 1e6 / each),
            to(smallest),
            to(review),
            cpu(listing),
            emulators(listing),
            seconds(whole),
            cpu(whole),
            emulators(whole),
            format!("{:.1}", f64::from(peak_memory) / 1024.0),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
