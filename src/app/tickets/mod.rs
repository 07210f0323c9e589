//! Tickets that follow findings: what is noted of them, and what is done about it in the tracker.
//!
//! A message about a finding is noted first, in the table: which ticket the finding belongs to, and that the ticket has
//! something to do. From then on nothing is lost, whatever the tracker answers. What is done is judged by the findings' rows
//! as they are then, not by messages, so that their order does not matter and a repetition costs the tracker nothing.
//!
//! A ticket is opened by three steps: the intent is written, the tracker is called, its key is written. Where the second did
//! not end for sure, the tracker is asked once, when it must know, and a ticket that is found is taken. Search decides
//! nothing else.

mod change;
mod note;
mod open;
mod plan;
mod settle;

use jiff::Timestamp;
use serde::Serialize;

pub use note::Turns;
pub use plan::{Plan, Planned};

use crate::{
    app::{
        WriteOutcome,
        failure::CallFailed,
        ports::{TicketLog, TicketRow, TrackerFailed},
    },
    domain::{
        assess::Priority,
        ticket::{BATCHED_FOR, Projects},
    },
    render::Style,
};

/// Tickets as a whole: the settings and the way out.
#[derive(Clone, Debug)]
pub struct Tickets<S, T> {
    /// Where it is remembered what they are.
    pub store: S,
    /// Where they are.
    pub tracker: T,
    /// What can be set.
    pub config: TicketsConfig,
}

/// What can be set of tickets.
#[derive(Clone, Debug)]
pub struct TicketsConfig {
    /// Which project gets the tickets of an owner.
    pub projects: Projects,
    /// The lowest class of a finding that opens a ticket.
    pub from: Priority,
    /// How they are written.
    pub style: Style,
}

/// What was done in the tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TicketChange {
    /// A ticket was opened.
    Opened,
    /// One was brought up to date, with a comment that says what is new.
    Changed,
    /// One was closed.
    Closed,
    /// One was opened again.
    Reopened,
    /// A person was told that findings are open of one that they have closed.
    Commented,
    /// One was let go, because it is not ours any more.
    Lost,
}

impl TicketChange {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Commented => "commented",
            Self::Lost => "lost",
        }
    }
}

/// What came of dealing with the tickets whose turn it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettleResult {
    /// How it ended.
    pub outcome: SettleOutcome,
    /// Tickets that were opened.
    pub opened: usize,
    /// Tickets that were brought up to date.
    pub changed: usize,
    /// Tickets that were closed.
    pub closed: usize,
    /// Tickets that were opened again.
    pub reopened: usize,
    /// Tickets that were commented on alone.
    pub commented: usize,
    /// Tickets that are not ours any more.
    pub lost: usize,
    /// Tickets of which the tracker did not do what it was asked.
    pub failed: usize,
    /// Tickets whose turn it still is.
    pub left: usize,
}

/// How dealing with tickets ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettleOutcome {
    /// All whose turn it was had theirs.
    #[default]
    Done,
    /// There was no time for all.
    Continues,
    /// Another invocation is at it.
    HeldByOther,
    /// The tracker is to be left alone for some time.
    Paused,
    /// The tracker does not take the token, or does not answer.
    Stopped,
    /// The table could not be read or written. What there is to do is in it, and is done the next time.
    Failed,
}

impl SettleOutcome {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Continues => "continues",
            Self::HeldByOther => "held-by-other",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// Why a ticket was not dealt with to the end.
#[derive(Debug)]
enum Unsettled {
    /// The table could not be read or written.
    Store(CallFailed),
    /// The tracker did not do what it was asked.
    Tracker(TrackerFailed),
    /// Somebody else has written the row.
    Conflict,
    /// There is no time for the next call.
    OutOfTime,
}

impl From<CallFailed> for Unsettled {
    fn from(failed: CallFailed) -> Self {
        Self::Store(failed)
    }
}

impl From<TrackerFailed> for Unsettled {
    fn from(failed: TrackerFailed) -> Self {
        Self::Tracker(failed)
    }
}

impl<S: TicketLog, T> Tickets<S, T> {
    /// Writes a ticket's row, with its next turn.
    async fn write(
        &self,
        row: &mut TicketRow,
        turn: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Unsettled> {
        let noted_turn = now.saturating_add(BATCHED_FOR).unwrap_or(now);
        match self.store.write_ticket(row, turn, noted_turn).await? {
            WriteOutcome::Applied => {
                row.revision += 1;
                Ok(())
            }
            WriteOutcome::Conflict => Err(Unsettled::Conflict),
        }
    }
}
