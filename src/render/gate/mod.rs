//! The judgement of a gate: as a table, Markdown, JSON, SARIF and JUnit.
//!
//! All count the same findings, and nothing here judges. A log is read by the machine that prints it, and a summary by the
//! site that shows it: what strangers wrote is neither a command nor mark-up in any of them.

mod cannot_tell;
mod json;
mod junit;
mod markdown;
mod page;
mod quote;
mod sarif;
mod table;
mod words;

pub use cannot_tell::cannot_tell;
pub use sarif::SarifOptions;
pub use words::note;

use crate::domain::gate::{CannotTell, Gate, Verdict};

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// A judgement.
    Judged(&'a Gate),
    /// Why there is none.
    CannotTell {
        /// What was to be judged.
        subject: &'a str,
        /// Why it was not.
        why: &'a CannotTell,
    },
}

impl Outcome<'_> {
    /// How the command ends: 0 if the gate is open, 1 if findings close it, 3 if there is no judgement.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Judged(gate) => match gate.judgement.verdict() {
                Verdict::Open => 0,
                Verdict::Closed => 1,
            },
            Self::CannotTell { .. } => 3,
        }
    }

    /// For a terminal and the log of a pipeline: what closes the gate, and what to do.
    pub fn table(&self) -> String {
        table::of(self)
    }

    /// The same for the summary of a job or a note on a change, under 900 kB.
    pub fn markdown(&self) -> String {
        markdown::of(self)
    }

    /// For programs: one object, by `docs/gate.schema.json`.
    pub fn json(&self) -> Result<String, NotWritten> {
        json::of(self)
    }

    /// For whatever shows the results of tests, which is almost any pipeline: a test for each finding, and one for the scan.
    pub fn junit(&self) -> Result<String, NotWritten> {
        junit::of(self)
    }

    /// For code scanning, such as GitHub's: SARIF 2.1.0. None if there is no judgement, because a file without results
    /// would tell that everything is fixed.
    pub fn sarif(&self, options: SarifOptions) -> Result<Option<String>, NotWritten> {
        match self {
            Self::Judged(gate) => sarif::of(gate, options).map(Some),
            Self::CannotTell { .. } => Ok(None),
        }
    }
}

/// A format that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// As JSON.
    #[error("cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// By its template.
    #[error("cannot be written by its template")]
    Template(#[from] askama::Error),
}
