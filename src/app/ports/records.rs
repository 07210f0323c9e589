//! Records and their history.

use jiff::Timestamp;

use crate::{
    app::{attempt::TimeLimit, failure::CallFailed},
    domain::record::{AssessedFinding, EndQueue, Record, Transition},
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

    /// The rows of these findings, in no order, without those that are not there.
    fn read_all(
        &self,
        arns: &[&str],
    ) -> impl Future<Output = Result<Vec<Record>, CallFailed>> + Send;

    /// Writes many rows, each as [`Records::write`] does, and gives what came of each, in their order; `None` where the
    /// table was too busy until `limit`.
    fn write_all(
        &self,
        records: &[(Record, Transition)],
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Option<WriteOutcome>>, CallFailed>> + Send;
}

/// All that is open, and all that has ended.
pub trait Sweep: Sync {
    /// Whether anything is open, as far as an index that lags a little knows.
    fn has_open(&self) -> impl Future<Output = Result<bool, CallFailed>> + Send;

    /// Gives the record of each open finding to `each`, in no order, a few at a time in memory. One that is opened, ended or
    /// due otherwise meanwhile may be left out, or come twice. Returns whether that was all before `limit`.
    fn each_open(
        &self,
        limit: TimeLimit<'_>,
        each: impl FnMut(Record) + Send,
    ) -> impl Future<Output = Result<bool, CallFailed>> + Send;

    /// Gives the record of each finding that stands in `queue` and whose end was recorded after a moment, if one is given, to
    /// `each`, in the same way.
    fn each_ended(
        &self,
        queue: EndQueue,
        after: Option<Timestamp>,
        limit: TimeLimit<'_>,
        each: impl FnMut(Record) + Send,
    ) -> impl Future<Output = Result<bool, CallFailed>> + Send;

    /// Gives what is open, and what has ended and stands in `queues`, to `each`, in the same way. What is open and stands in one
    /// of these, because an exception covers it, comes once.
    fn each_open_and_ended(
        &self,
        queues: &[EndQueue],
        after: Option<Timestamp>,
        limit: TimeLimit<'_>,
        mut each: impl FnMut(Record) + Send,
    ) -> impl Future<Output = Result<bool, CallFailed>> + Send {
        async move {
            if !self.each_open(limit, &mut each).await? {
                return Ok(false);
            }
            for queue in queues {
                let ended = |record: Record| {
                    if !record.is_open() {
                        each(record);
                    }
                };
                if !self.each_ended(*queue, after, limit, ended).await? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
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
