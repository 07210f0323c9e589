//! What the commands come to, in a table.

use std::time::Duration;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::ASCII_MARKDOWN};

use crate::run::Cost;

/// The command over a table.
pub struct Measured {
    /// How many findings the table has.
    pub findings: u32,
    /// How many rows it has, the history and all others.
    pub rows: u64,
    /// What the command took.
    pub cost: Cost,
}

impl Measured {
    /// Of a time, what a finding took, in microseconds.
    fn micros(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / f64::from(self.findings)
    }
}

/// The table of `measured`.
pub fn table(measured: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "findings",
        "rows of the table",
        "time, s",
        "a finding, µs",
        "to the first size",
        "CPU a finding, µs",
        "store's CPU a finding, µs",
        "peak memory, MiB",
        "a finding, KiB",
        "bytes written",
    ]);
    let first = measured.first().map(|first| first.micros(first.cost.time));
    for one in measured {
        let Cost { time, cpu, store, peak_memory, written } = one.cost;
        let each = one.micros(time);
        table.add_row([
            one.findings.to_string(),
            one.rows.to_string(),
            format!("{:.2}", time.as_secs_f64()),
            format!("{each:.0}"),
            format!("{:.2}", each / first.unwrap_or(each)),
            format!("{:.0}", one.micros(cpu)),
            format!("{:.0}", one.micros(store)),
            format!("{:.1}", f64::from(peak_memory) / 1024.0),
            format!("{:.2}", f64::from(peak_memory) / f64::from(one.findings)),
            written.to_string(),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
