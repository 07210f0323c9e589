//! Where tickets are: Jira or GitHub.

use jiff::{SignedDuration, Timestamp};

use crate::{
    app::failure::CallFailed,
    domain::ticket::Seen,
    render::ticket::{Card, Document},
};

/// How long one request to a tracker takes at most: 10 seconds. Adapters keep to it.
pub const REQUEST_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// A tracker. Each ticket of ours carries its [mark](TicketAt::mark), and no other is touched.
///
/// One call of a method may be several requests. None of them repeats a request by itself: what is repeated, and when, is
/// decided by who calls.
pub trait Tracker: Sync {
    /// Which tracker it is, such as `jira https://example.atlassian.net`. Tickets of another one are not looked for here.
    fn site(&self) -> String;

    /// Opens a ticket with the mark `mark` in `project`, and returns its key: `SEC-12`, `acme/security#12`.
    fn open(
        &self,
        project: &str,
        mark: &str,
        card: &Card,
    ) -> impl Future<Output = Result<String, TrackerFailed>> + Send;

    /// The keys of the tickets of `project` that carry `mark` and were opened after `since`, the oldest first. The tracker may
    /// be behind by minutes.
    fn find(
        &self,
        project: &str,
        mark: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<String>, TrackerFailed>> + Send;

    /// What has become of a ticket.
    fn look(
        &self,
        ticket: TicketAt<'_>,
    ) -> impl Future<Output = Result<Seen, TrackerFailed>> + Send;

    /// Makes a ticket say what `card` says: its title, text, priority, due date and labels. Labels that people gave it stay.
    fn edit(
        &self,
        ticket: TicketAt<'_>,
        card: &Card,
    ) -> impl Future<Output = Result<(), TrackerFailed>> + Send;

    /// Writes a comment.
    fn comment(
        &self,
        ticket: TicketAt<'_>,
        text: &Document,
    ) -> impl Future<Output = Result<(), TrackerFailed>> + Send;

    /// Whether a ticket has a comment that was written after `since` and has `mark` in its text.
    fn has_comment(
        &self,
        ticket: TicketAt<'_>,
        mark: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<bool, TrackerFailed>> + Send;

    /// Moves a ticket to a status of the workflow's category *done*.
    fn close(
        &self,
        ticket: TicketAt<'_>,
    ) -> impl Future<Output = Result<Moved, TrackerFailed>> + Send;

    /// Moves a ticket out of that category.
    fn reopen(
        &self,
        ticket: TicketAt<'_>,
    ) -> impl Future<Output = Result<Moved, TrackerFailed>> + Send;
}

/// A ticket of ours, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct TicketAt<'a> {
    /// The project that it was opened in.
    pub project: &'a str,
    /// Its key.
    pub key: &'a str,
    /// The mark that it carries.
    pub mark: &'a str,
}

/// What came of moving a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is there.
    Yes,
    /// Its workflow has no way there from where it is that can be gone without a person.
    NoWay,
}

/// A call that did not end well.
#[derive(Debug, thiserror::Error)]
#[error("{failed}")]
pub struct TrackerFailed {
    /// What that means.
    pub trouble: Trouble,
    /// Which call, and what the tracker or the network said.
    #[source]
    pub failed: CallFailed,
}

/// What a failure of a tracker means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The token is not taken, or has ended: 401.
    Unauthorized,
    /// The token may not do that here: 403, or 404 for what must be there.
    Forbidden,
    /// The tracker does not take the request as it is, and will not take it another time.
    Refused,
    /// It is asked too much, and wants to be left alone for some time, if it says for how long.
    Busy(Option<SignedDuration>),
    /// It was not reached: nothing was done.
    NotReached,
    /// The answer was lost, or the tracker failed: whether something was done is not known.
    Unknown,
}

impl Trouble {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Refused => "refused",
            Self::Busy(_) => "busy",
            Self::NotReached => "not-reached",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the token is not taken, or may not do it.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Unauthorized | Self::Forbidden)
    }
}
