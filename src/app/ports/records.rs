//! Records and their history.

use crate::{
    app::failure::CallFailed,
    domain::record::{AssessedFinding, Record, Transition},
};

/// Where records are kept.
pub trait Records {
    /// Brings a row up to date if it holds the same facts and an older version than `assessed`.
    ///
    /// One call, which also reads: whatever the row is, it comes back.
    fn refresh(
        &self,
        assessed: &AssessedFinding,
    ) -> impl Future<Output = Result<Refreshed, CallFailed>> + Send;

    /// Writes a row and its transition, both or neither, if the row is still the one before
    /// `record` ([`Record::revision`] less one).
    fn write(
        &self,
        record: &Record,
        transition: Transition,
    ) -> impl Future<Output = Result<WriteOutcome, CallFailed>> + Send;
}

/// What [`Records::refresh`] came upon.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// The row had the same facts and is up to date now.
    Done(Box<Record>),
    /// The row is another or a newer one.
    Differs(Box<Record>),
    /// There is no row yet.
    Missing,
}

/// Whether a write came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It took effect.
    Applied,
    /// Somebody else had changed the row; nothing was written.
    Conflict,
}
