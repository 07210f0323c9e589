//! What is remembered of tickets.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::{
    app::{WriteOutcome, attempt::TimeLimit, failure::CallFailed},
    domain::{
        assess::Priority,
        record::Lease,
        ticket::{FollowedFinding, Mark, Ticket},
    },
};

/// Where it is remembered which tickets there are, what they say, and which findings they follow.
pub trait TicketLog: Sync {
    /// The rows of these tickets, by their ids, in no order, without those that are not there.
    fn tickets(
        &self,
        ids: &[&str],
    ) -> impl Future<Output = Result<Vec<TicketRow>, CallFailed>> + Send;

    /// Notes findings of a ticket: it follows them from now on. Its turn is at `turn`, or earlier if it was to be; without
    /// `turn` that does not change. `ticket` is remembered if nothing is yet; `priority` says how urgent it is, if anything is.
    fn note_findings(
        &self,
        ticket: &Ticket,
        findings: &[&str],
        priority: Option<Priority>,
        turn: Option<Timestamp>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// The findings that a ticket follows, at most `most` of them.
    fn findings_of(
        &self,
        id: &str,
        most: usize,
    ) -> impl Future<Output = Result<Vec<FollowedFinding>, CallFailed>> + Send;

    /// The ids of the tickets whose turn has come at `now`, and when it came, the longest waiting first, at most `most` of them.
    fn due_tickets(
        &self,
        now: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<Vec<(Timestamp, String)>, CallFailed>> + Send;

    /// Writes what is remembered of a ticket, if nobody has written it since `row` was read, with its next turn. If something
    /// was noted of it meanwhile, that turn is at `noted_turn` at the latest.
    fn write_ticket(
        &self,
        row: &TicketRow,
        turn: Option<Timestamp>,
        noted_turn: Timestamp,
    ) -> impl Future<Output = Result<WriteOutcome, CallFailed>> + Send;

    /// Those of these findings, each with the id of its ticket, that the ticket follows.
    fn followed_among(
        &self,
        findings: &[(&str, &str)],
    ) -> impl Future<Output = Result<HashSet<String>, CallFailed>> + Send;

    /// The ARNs of all findings that are open, as far as an index that lags a little knows.
    fn open_findings(&self) -> impl Future<Output = Result<Vec<String>, CallFailed>> + Send;

    /// Remembers how a ticket says that its findings stand. One that was noted meanwhile is followed on.
    fn mark_findings(
        &self,
        id: &str,
        marks: &[Mark<'_>],
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// Takes `lease`, the right to speak to the tracker, unless somebody else has it at `now`, or it is to be left alone for
    /// some time yet.
    fn take_turn(
        &self,
        lease: &Lease,
        now: Timestamp,
    ) -> impl Future<Output = Result<TrackerTurn, CallFailed>> + Send;

    /// Gives that right back, if `holder` has it still. The tracker is to be left alone until `paused_until`, if that is given.
    fn end_turn(
        &self,
        holder: &str,
        paused_until: Option<Timestamp>,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}

/// A ticket as its row has it.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketRow {
    /// What is remembered.
    pub ticket: Ticket,
    /// How urgent it is, by what was noted of it.
    pub priority: Option<Priority>,
    /// How often it was written; a write that expects another number is too late.
    pub revision: u64,
    /// How often something was noted of it.
    pub noted: u64,
}

/// What came of [`TicketLog::take_turn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackerTurn {
    /// The right is taken.
    Taken,
    /// Somebody else is at it.
    HeldByOther,
    /// The tracker is to be left alone until then.
    Paused(Timestamp),
}
