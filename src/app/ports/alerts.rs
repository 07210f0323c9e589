//! The right to announce findings, and the memory of who has heard.

use jiff::Timestamp;

use crate::{
    app::{attempt::TimeLimit, failure::CallFailed},
    domain::{
        announce::{Bucket, Budget, Listeners, Problem},
        assess::Priority,
        record::{AlertReason, Delivery, Lease, Record},
    },
};

/// Who may announce what, and what was announced.
pub trait Alerts {
    /// Takes `lease`, the right to announce `record`, for a message of its own, if the row is still
    /// that one, there is a token, and no problem of it is known. All or nothing.
    fn permit(
        &self,
        record: &Record,
        lease: &Lease,
        request: &PermitRequest,
    ) -> impl Future<Output = Result<Permit, CallFailed>> + Send;

    /// Takes `lease` for each of `records` whose row is still that one, as far as that is possible within `limit`. What
    /// the table could not take by then is left out.
    fn lease(
        &self,
        records: &[Record],
        lease: &Lease,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Leased>, CallFailed>> + Send;

    /// Remembers who has heard of findings and ends the lease, for each row that is still the one
    /// given and is under `lease`. A row goes on waiting to be told if [`Record::pending_since`]
    /// says so. Tries until `limit`, in the order of `markings`.
    fn mark(
        &self,
        markings: &[Marking],
        lease: &Lease,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Marked>, CallFailed>> + Send;

    /// Tells all others who may announce something who listens, unless they have newer tidings.
    fn share_listeners(
        &self,
        listeners: &Listeners,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}

/// A problem that was announced, so that other findings of it wait for the summary.
#[derive(Clone, Debug)]
pub struct AnnouncedProblem {
    /// The problem that was announced.
    pub problem: Problem,
    /// The ARN of the finding that was announced.
    pub finding: String,
    /// Its priority. A finding of a higher priority is announced all the same.
    pub priority: Priority,
    /// Its alert reason. A finding with another reason is announced all the same.
    pub why: AlertReason,
}

/// What a message about one finding alone asks for.
#[derive(Clone, Debug)]
pub struct PermitRequest {
    /// The time of the attempt.
    pub now: Timestamp,
    /// The rate limit.
    pub budget: Budget,
    /// The bucket that its token comes from.
    pub bucket: Bucket,
    /// The problems that it announces.
    pub problems: Vec<AnnouncedProblem>,
    /// Who listens, as far as the attempt knows.
    pub listeners: Listeners,
    /// Whether the attempt has looked up what is known of attacks.
    pub has_looked: bool,
}

/// What became of [`Alerts::permit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// The lease is taken and one token is spent.
    Granted,
    /// Another writer changed the row.
    Conflict,
    /// The problem was announced for another finding not long ago.
    AlreadyAnnounced,
    /// The bucket is empty, or the table is too busy to give a token; the finding waits for the next summary.
    NoToken,
    /// There is something known of attacks, and the attempt has not looked it up.
    LookFirst,
    /// Another attempt has found out since that others listen than the request says.
    OtherListeners(Listeners),
}

/// What became of one row of [`Alerts::lease`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leased {
    /// The lease is taken.
    Taken,
    /// Another writer changed the row.
    Changed,
    /// The table was too busy.
    TooBusy,
}

/// A row after an announcement.
#[derive(Clone, Debug)]
pub struct Marking {
    /// The row, with what is to be remembered in it.
    pub record: Record,
    /// What is to be remembered.
    pub delivery: Delivery,
}

/// What became of one row of [`Alerts::mark`].
#[derive(Clone, Debug)]
pub enum Marked {
    /// It took effect.
    Done,
    /// Somebody had changed the row, as it is now; nothing was written.
    Changed(Box<Record>),
    /// There is no row any more.
    Missing,
    /// The table was too busy for as long as there was time.
    TooBusy,
}
