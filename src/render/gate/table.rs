//! A judgement for a terminal and for the log of a pipeline.
//!
//! Each line begins with words of ours or with a bar: what a stranger wrote at the beginning of a line could be a command.

use comfy_table::{ContentArrangement, Table, presets::ASCII_MARKDOWN};

use super::{
    Outcome, cannot_tell,
    page::{EXCEPTION, FINDING, Page, Part, Room},
    quote::plain,
};
use crate::domain::gate::{CannotTell, Gate};

/// As much as somebody reads in a log.
const ROOM: Room = Room {
    findings: 50,
    updates: 10,
    exceptions: 50,
    uncovered: 10,
    notes: 20,
    scans: 10,
    name: 20,
    place: 28,
};

/// The table of an outcome.
pub fn of(outcome: &Outcome<'_>) -> String {
    match outcome {
        Outcome::Judged(gate) => judged(gate),
        Outcome::CannotTell { subject, why } => untold(subject, why),
    }
}

fn untold(subject: &str, why: &CannotTell) -> String {
    let (why, todo) = cannot_tell(why);
    format!("cannot tell: {why}\nto do: {todo}\nnot judged: {}\n", plain(subject, 200))
}

fn judged(gate: &Gate) -> String {
    let page = Page::new(gate, &ROOM, plain);
    let mut out = Lines(format!("{}\n", page.verdict));
    out.table(&FINDING, &page.findings);
    out.list("What to do:", &page.todo);
    if !page.exceptions.shown.is_empty() {
        out.head("Excepted:");
        out.table(&EXCEPTION, &page.exceptions);
    }
    out.list("Not excepted any more:", &page.uncovered);
    out.list("To know:", &page.notes);
    out.head(&format!("{}. Not excepted: {}", page.counts, page.priorities));
    if !page.scans.shown.is_empty() {
        out.add(&format!("Scanned: {}", page.scans.shown.join(", ")));
        out.more(page.scans.more);
    }
    out.0
}

struct Lines(String);

impl Lines {
    fn add(&mut self, line: &str) {
        // A column that ends with blanks for all would end lines with them.
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn head(&mut self, line: &str) {
        self.0.push('\n');
        self.add(line);
    }

    fn more(&mut self, more: usize) {
        if more > 0 {
            self.add(&format!("and {more} more"));
        }
    }

    fn list(&mut self, head: &str, part: &Part<String>) {
        if part.shown.is_empty() {
            return;
        }
        self.head(head);
        for line in &part.shown {
            self.add(&format!("- {line}"));
        }
        self.more(part.more);
    }

    fn table<const N: usize>(&mut self, columns: &[&str; N], part: &Part<[String; N]>) {
        if part.shown.is_empty() {
            return;
        }
        let mut table = Table::new();
        table
            .load_style(ASCII_MARKDOWN)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(columns);
        for row in &part.shown {
            // Nobody makes a column by a name.
            table.add_row(row.each_ref().map(|cell| cell.replace('|', "¦")));
        }
        if !self.0.ends_with(":\n") {
            self.0.push('\n');
        }
        self.add(&table.to_string());
        self.more(part.more);
    }
}
