//! The evidence of a period, for whoever audits it: tables, a page, and what says where all of it comes from. English, as the
//! command line is.

pub mod fedramp;
mod page;
mod profile;
mod provenance;
mod summary;
mod tables;
mod words;

pub use page::Page;
pub use profile::Profile;
pub use provenance::{File, Provenance};
pub use summary::page;
pub use tables::{Table, poam, tables};

use jiff::Timestamp;

/// Where evidence comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name of the table.
    pub table: String,
    /// Its ARN; empty for a store that is no table of AWS's.
    pub arn: String,
    /// The time that it is looked at from: the present, unless another one was given.
    pub now: Timestamp,
}

impl Source {
    /// Its ARN, or its name where it has none.
    pub fn full_name(&self) -> &str {
        if self.arn.is_empty() { &self.table } else { &self.arn }
    }

    /// The account that the table is in, as its ARN says; empty if that says none.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// The Region that the table is in, as its ARN says; empty if that says none.
    pub fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }
}
