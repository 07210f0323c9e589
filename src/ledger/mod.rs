//! A ledger as a file: YAML in, a [`Ledger`](crate::domain::ledger::Ledger) or everything that is wrong with it out.
//!
//! Pure: no file, no clock, no AWS. `docs/ledger.schema.json` says the same to editors.

mod check;
pub mod compare;
mod exceptions;
mod exclusions;
mod fields;
pub mod filters;
pub mod import;
mod read;
pub mod rules;
pub mod vex;
mod yaml;

use std::fmt;

pub use check::{Checked, check};
pub use read::{MAX_BYTES, Source, WrittenException, WrittenExclusion, read};
pub use yaml::Place;

/// What is wrong with a ledger, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what is allowed.
    pub what: String,
}

impl Problem {
    /// Something wrong at a place.
    pub fn at(place: Place, what: String) -> Self {
        Self { place, what }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.place.line, self.place.column, self.what)
    }
}
