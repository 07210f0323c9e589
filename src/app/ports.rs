//! What triage needs of the world: a place for records, and a way to people.

use jiff::Timestamp;

use crate::{
    app::failure::CallFailed,
    domain::{
        announce::{Bucket, Budget, Problem},
        assess::Priority,
        record::{Audience, Lease, Record, Sighting, Told, Transition, Why},
    },
    render::message::Message,
};

/// Where records are kept.
///
/// If a call fails, whether it took effect is unknown, and it may be repeated.
pub trait Store {
    /// Brings a row up to date if it holds the same facts and an older version than `sighting`.
    ///
    /// One call, which also reads: whatever the row is, it comes back.
    fn refresh(
        &self,
        sighting: &Sighting,
    ) -> impl Future<Output = Result<Refreshed, CallFailed>> + Send;

    /// Writes a row and its transition, both or neither, if the row is still the one before
    /// `record` ([`Record::revision`] less one).
    fn write(
        &self,
        record: &Record,
        transition: Transition,
    ) -> impl Future<Output = Result<Outran, CallFailed>> + Send;

    /// Takes `lease`, the right to announce `record`, for a message of its own, if the row is still
    /// that one, there is a token, and no problem of it is known. All or nothing.
    fn permit(
        &self,
        record: &Record,
        lease: &Lease,
        alone: &Alone,
    ) -> impl Future<Output = Result<Permit, CallFailed>> + Send;

    /// Takes `lease` for each of `records` whose row is still that one.
    fn lease(
        &self,
        records: &[Record],
        lease: &Lease,
    ) -> impl Future<Output = Result<Vec<Outran>, CallFailed>> + Send;

    /// Remembers who has heard of findings and ends the lease, for each row that is still the one
    /// given and is under `lease`. A row goes on waiting to be told if [`Record::pending_since`]
    /// says so.
    fn mark(
        &self,
        markings: &[Marking],
        lease: &Lease,
    ) -> impl Future<Output = Result<Vec<Marked>, CallFailed>> + Send;

    /// The findings with something to tell, those that wait longest first, at most `most`, and only
    /// those that wait for a shorter time than `since` if that is given.
    fn waiting(
        &self,
        most: usize,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Waiting, CallFailed>> + Send;

    /// Remembers what people know from a summary.
    fn know(
        &self,
        known: &[Known],
        now: Timestamp,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// Takes the right to sum up, and a token for it, which may be one that is yet to come. Waits for
    /// the next second if another message went out in this one.
    fn begin_summary(
        &self,
        lease: &Lease,
        budget: Budget,
        now: Timestamp,
    ) -> impl Future<Output = Result<Begun, CallFailed>> + Send;

    /// Gives the right to sum up back.
    fn end_summary(&self, lease: &Lease) -> impl Future<Output = Result<(), CallFailed>> + Send;
}

/// What [`Store::refresh`] came upon.
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
pub enum Outran {
    /// It took effect.
    No,
    /// Somebody else had changed the row; nothing was written.
    Yes,
}

/// A problem that people know.
#[derive(Clone, Debug)]
pub struct Known {
    /// It.
    pub problem: Problem,
    /// The finding that they know it from.
    pub finding: String,
    /// How urgent that was. As more urgent, the problem is not known.
    pub priority: Priority,
    /// Why they were told. For other reasons, the problem is not known.
    pub why: Why,
}

/// What a message about one finding alone depends on.
#[derive(Clone, Debug)]
pub struct Alone {
    /// When it is.
    pub now: Timestamp,
    /// How many messages there may be.
    pub budget: Budget,
    /// Where its token comes from.
    pub bucket: Bucket,
    /// What people know after it.
    pub known: Vec<Known>,
}

/// What became of [`Store::permit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Go ahead.
    Granted,
    /// Somebody else had changed the row.
    Outran,
    /// The problem was announced for another finding not long ago.
    Known,
    /// Enough was said.
    NoToken,
}

/// A row after an announcement.
#[derive(Clone, Debug)]
pub struct Marking {
    /// The row, with what is to be remembered in it.
    pub record: Record,
    /// What is to be remembered.
    pub told: Told,
}

/// What became of one row of [`Store::mark`].
#[derive(Clone, Debug)]
pub enum Marked {
    /// It took effect.
    Done,
    /// Somebody had changed the row, as it is now; nothing was written.
    Changed(Box<Record>),
    /// There is no row any more.
    Missing,
}

/// What came of [`Store::waiting`].
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Since when each finding waits that was found, the oldest first.
    pub since: Vec<Timestamp>,
    /// Those of them that can be told now, in the same order.
    pub rows: Vec<Record>,
}

/// What became of [`Store::begin_summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Go ahead.
    Yes,
    /// Somebody else is summing up.
    UnderWay,
    /// Messages keep going out at this very moment.
    TooSoon,
}

/// Where messages go.
pub trait Publish {
    /// Who can be reached.
    fn audiences(&self) -> &[Audience];

    /// Hands a message over for delivery to an audience.
    ///
    /// # Errors
    /// The call did not succeed; whether the message went out is unknown.
    fn publish(
        &self,
        audience: Audience,
        message: &Message,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}
