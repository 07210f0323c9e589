//! A judgement for the summary of a job, or a note on a change.

use askama::Template;

use super::{
    Outcome, cannot_tell,
    page::{EXCEPTION, FINDING, Page, Room},
    quote::code,
};

/// As much as GitHub takes: a summary may have 1 MiB. With the longest names in letters of four bytes this is 800 kB.
const ROOM: Room = Room {
    findings: 300,
    updates: 40,
    exceptions: 100,
    uncovered: 50,
    notes: 30,
    scans: 20,
    name: 40,
    place: 80,
};

#[derive(Template)]
#[template(path = "gate/gate.md", escape = "none")]
struct Judged {
    page: Page,
}

#[derive(Template)]
#[template(path = "gate/cannot-tell.md", escape = "none")]
struct Untold {
    subject: String,
    why: String,
    todo: String,
}

/// The Markdown of an outcome.
pub fn of(outcome: &Outcome<'_>) -> String {
    let mut markdown = match outcome {
        Outcome::Judged(gate) => Judged { page: Page::new(gate, &ROOM, code) }.to_string(),
        Outcome::CannotTell { subject, why } => {
            let (why, todo) = cannot_tell::quoted(why, code);
            Untold { subject: code(subject, 200), why, todo }.to_string()
        }
    };
    markdown.push('\n');
    markdown
}
