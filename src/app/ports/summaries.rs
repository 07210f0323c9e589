//! What waits for a summary, and the right to write one.

use jiff::Timestamp;

use super::{AnnouncedProblem, WriteOutcome};
use crate::{
    app::{attempt::TimeLimit, failure::CallFailed},
    domain::{
        announce::Budget,
        record::{Lease, Record},
    },
};

/// What waits to be told, and who may sum it up.
pub trait Summaries {
    /// The findings with something to tell in `queue`, those that wait longest first, at most `most`, and only
    /// those that wait for a shorter time than `since` if that is given.
    fn pending(
        &self,
        queue: Queue,
        most: usize,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Pending, CallFailed>> + Send;

    /// Findings of which programs have not heard how they ended, the earliest first, at most `most`.
    fn untold_ends(
        &self,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Record>, CallFailed>> + Send;

    /// Remembers that programs have heard, as these rows say, each if it is still the one before. Answers as
    /// [`Records::write_all`](super::Records::write_all).
    fn mark_ends(
        &self,
        records: &[Record],
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Option<WriteOutcome>>, CallFailed>> + Send;

    /// For each of these problems whether people know it from a message about another finding, and as no less urgent.
    fn known_problems(
        &self,
        problems: &[AnnouncedProblem],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<bool>, CallFailed>> + Send;

    /// Remembers what people know from a summary, as far as that is possible within `limit`.
    fn remember_announced(
        &self,
        known: &[AnnouncedProblem],
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// Takes the right to sum up, and a token for it, which may be one that is yet to come. Waits for
    /// the next second if another message went out in this one.
    fn lock_summary(
        &self,
        lease: &Lease,
        budget: Budget,
        now: Timestamp,
    ) -> impl Future<Output = Result<SummaryLock, CallFailed>> + Send;

    /// Gives the right to sum up back.
    fn unlock_summary(&self, lease: &Lease) -> impl Future<Output = Result<(), CallFailed>> + Send;
}

/// Where findings wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Nobody has heard what there is to tell.
    Untold,
    /// Some have heard it and others have not: these have no listener, or could not be told.
    PartlyTold,
}

/// What came of [`Summaries::pending`].
#[derive(Clone, Debug)]
pub struct Pending {
    /// Since when each finding waits that was found, the oldest first.
    pub since: Vec<Timestamp>,
    /// Those of them that can be told now, in the same order.
    pub rows: Vec<Record>,
}

/// What became of [`Summaries::lock_summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryLock {
    /// The lock and a token are taken.
    Acquired,
    /// Somebody else is summing up.
    HeldByOther,
    /// Messages keep going out at this very moment.
    TooSoon,
}
