//! Tickets: where they are kept, and for whom.

mod projects;

use std::{fmt, str::FromStr};

pub use projects::{NotProjects, Projects};

/// A kind of tracker of tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackerKind {
    /// Jira Cloud.
    Jira,
    /// GitHub Issues.
    GitHub,
}

impl TrackerKind {
    /// What a text must be to be read as one.
    pub const EXPECTED: &str = "jira or github";

    /// `jira` or `github`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jira => "jira",
            Self::GitHub => "github",
        }
    }
}

impl FromStr for TrackerKind {
    type Err = NotATracker;

    fn from_str(text: &str) -> Result<Self, NotATracker> {
        [Self::Jira, Self::GitHub].into_iter().find(|kind| kind.as_str() == text).ok_or(NotATracker)
    }
}

impl fmt::Display for TrackerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", TrackerKind::EXPECTED)]
pub struct NotATracker;
