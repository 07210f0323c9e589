//! Where tickets are kept.

use std::{fmt, str::FromStr};

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

    /// Whether a text can name a project: the key of one in Jira, `owner/repository` on GitHub.
    pub fn is_project(self, text: &str) -> bool {
        match self {
            Self::Jira => is_jira_project(text),
            Self::GitHub => is_repository(text),
        }
    }

    /// Whether a text can be a label, and is none that a list of them would break.
    pub fn is_label(self, text: &str) -> bool {
        let may_have_spaces = self == Self::GitHub;
        (1..=LONGEST_LABEL).contains(&text.chars().count())
            && text.trim() == text
            && !text.contains(|c: char| c.is_control() || c == ',')
            && (may_have_spaces || !text.contains(char::is_whitespace))
    }

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

/// GitHub takes labels of this many characters, Jira longer ones.
const LONGEST_LABEL: usize = 50;

fn is_jira_project(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_uppercase())
        && (2..=255).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn is_repository(name: &str) -> bool {
    let Some((owner, repository)) = name.split_once('/') else { return false };
    let is_made_of = |text: &str, more: &[u8], longest: usize| {
        (1..=longest).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    is_made_of(owner, b"-_", 39)
        && is_made_of(repository, b"-_.", 100)
        && ![".", ".."].contains(&repository)
}

/// A text that names no tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", TrackerKind::EXPECTED)]
pub struct NotATracker;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_named_as_their_tracker_names_them() {
        let (jira, github) = (TrackerKind::Jira, TrackerKind::GitHub);
        assert!(["SEC", "SEC2", "A_B"].iter().all(|key| jira.is_project(key)));
        let none = ["", "S", "sec", "2SEC", "SEC-1", "SEC\" OR 1"];
        assert!(!none.iter().any(|key| jira.is_project(key)));
        assert!(["acme/security", "a-b/c-d_e.f"].iter().all(|name| github.is_project(name)));
        let none = ["", "acme", "acme/", "/a", "a/b/c", "a/b#1", "a/..", "./b", "a b/c"];
        assert!(!none.iter().any(|name| github.is_project(name)));
    }

    #[test]
    fn labels_are_those_their_tracker_takes() {
        let (jira, github) = (TrackerKind::Jira, TrackerKind::GitHub);
        assert!(jira.is_label("team-a") && !jira.is_label("team a"));
        assert!(github.is_label("team a") && !github.is_label(&"a".repeat(51)));
        assert!(!github.is_label("") && !github.is_label(" a") && !github.is_label("a,b"));
    }
}
