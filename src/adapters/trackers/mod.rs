//! Trackers of tickets: Jira and GitHub. The only place that speaks to them.

mod answer;
mod credential;
mod github;
mod http;
mod jira;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use credential::{Credential, Credentials};
pub use http::{Address, NotAnAddress};

use self::{github::GitHub, jira::Jira};
use crate::{
    adapters::calls::CallRecorder,
    app::{Moved, TicketAt, Tracker, TrackerFailed},
    domain::{
        assess::Priority,
        ticket::{LABEL, Seen, TrackerKind},
    },
    render::ticket::{Card, Document},
};

/// How far the clock of a tracker may be behind ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How many pages of a list are read at most, of 100 entries each.
const MAX_PAGES: usize = 10;

/// Which tracker there is, and how tickets are opened in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerConfig {
    /// Which it is.
    pub kind: TrackerKind,
    /// Its address: of the site for Jira, of the API for GitHub.
    pub url: Address,
    /// The name of the type that tickets have in Jira, such as `Task`.
    pub issue_type: String,
    /// What `P1` to `P4` are called: priorities of Jira, labels of GitHub. Without them tickets get none.
    pub priorities: Option<[String; 4]>,
    /// Whether tickets get a due date, where the tracker has one.
    pub due_dates: bool,
    /// Labels that every ticket gets beyond [`LABEL`].
    pub labels: Vec<String>,
}

impl TrackerConfig {
    /// The name of a priority, if there are any.
    fn priority(&self, priority: Priority) -> Option<&str> {
        let index = Priority::ALL.iter().position(|own| *own == priority)?;
        Some(&self.priorities.as_ref()?[index])
    }

    /// [`LABEL`] and what is configured.
    fn labels(&self) -> impl Iterator<Item = &str> {
        [LABEL].into_iter().chain(self.labels.iter().map(String::as_str))
    }
}

/// A tracker that is configured.
#[derive(Debug)]
pub enum TrackerClient<C> {
    /// Jira.
    Jira(Jira<C>),
    /// GitHub.
    GitHub(GitHub<C>),
}

impl<C: Credentials> TrackerClient<C> {
    /// A client, with connections of its own.
    pub fn new(config: TrackerConfig, credentials: C) -> Self {
        match config.kind {
            TrackerKind::Jira => Self::Jira(Jira::new(config, credentials)),
            TrackerKind::GitHub => Self::GitHub(GitHub::new(config, credentials)),
        }
    }

    /// The same, whose requests are written down.
    #[must_use]
    pub fn recorded(mut self, calls: CallRecorder) -> Self {
        match &mut self {
            Self::Jira(jira) => jira.http.calls = calls,
            Self::GitHub(github) => github.http.calls = calls,
        }
        self
    }

    /// The same, which waits no longer than `limit` for an answer instead of [`REQUEST_TIMEOUT`](crate::app::REQUEST_TIMEOUT).
    #[must_use]
    pub fn waiting(mut self, limit: Duration) -> Self {
        match &mut self {
            Self::Jira(jira) => jira.http.limit = limit,
            Self::GitHub(github) => github.http.limit = limit,
        }
        self
    }
}

/// The same of whichever tracker there is.
macro_rules! ask {
    ($tracker:expr, $own:ident => $call:expr) => {
        match $tracker {
            Self::Jira($own) => $call.await,
            Self::GitHub($own) => $call.await,
        }
    };
}

impl<C: Credentials> Tracker for TrackerClient<C> {
    fn site(&self) -> String {
        match self {
            Self::Jira(own) => format!("{} {}", TrackerKind::Jira.as_str(), own.http.base()),
            Self::GitHub(own) => format!("{} {}", TrackerKind::GitHub.as_str(), own.http.base()),
        }
    }

    async fn open(&self, project: &str, mark: &str, card: &Card) -> Result<String, TrackerFailed> {
        ask!(self, own => own.open(project, mark, card))
    }

    async fn find(
        &self,
        project: &str,
        mark: &str,
        since: Timestamp,
    ) -> Result<Vec<String>, TrackerFailed> {
        ask!(self, own => own.find(project, mark, since))
    }

    async fn look(&self, ticket: TicketAt<'_>) -> Result<Seen, TrackerFailed> {
        ask!(self, own => own.look(ticket))
    }

    async fn edit(&self, ticket: TicketAt<'_>, card: &Card) -> Result<(), TrackerFailed> {
        ask!(self, own => own.edit(ticket, card))
    }

    async fn comment(&self, ticket: TicketAt<'_>, text: &Document) -> Result<(), TrackerFailed> {
        ask!(self, own => own.comment(ticket, text))
    }

    async fn has_comment(
        &self,
        ticket: TicketAt<'_>,
        mark: &str,
        since: Timestamp,
    ) -> Result<bool, TrackerFailed> {
        ask!(self, own => own.has_comment(ticket, mark, since))
    }

    async fn close(&self, ticket: TicketAt<'_>) -> Result<Moved, TrackerFailed> {
        ask!(self, own => own.close(ticket))
    }

    async fn reopen(&self, ticket: TicketAt<'_>) -> Result<Moved, TrackerFailed> {
        ask!(self, own => own.reopen(ticket))
    }
}

/// A text as part of a path or of a query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(format!("%{byte:02X}").chars());
        }
    }
    out
}

/// Whether `text` has `mark` in it, and not as part of a longer word.
fn carries(text: &str, mark: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-');
    text.match_indices(mark).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + mark.len()..]);
        !goes_on(before.chars().next_back()) && !goes_on(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_word() {
        assert!(carries("see `inspector-triage-1a`.", "inspector-triage-1a"));
        assert!(!carries("inspector-triage-1ab", "inspector-triage-1a"));
        assert!(!carries("my-inspector-triage-1a", "inspector-triage-1a"));
        assert!(!carries("inspector-triage", "inspector-triage-1a"));
    }
}
