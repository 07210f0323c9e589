//! Whether a finding is worth telling people, and why.
//!
//! The decision looks at the record alone, the current facts against the facts last told, and
//! never at what an event happened to change. So an attempt that died half way decides again on
//! the next try, and correctly.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;

/// Why people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertReason {
    /// Nobody has heard of it.
    New,
    /// It had ended and came back.
    Reopened,
    /// CISA lists the vulnerability as exploited.
    KnownExploited,
    /// An exploit became known.
    ExploitSeen,
    /// The exception that covered it has ended.
    ExceptionEnded,
    /// Its priority rose.
    PriorityRaised,
    /// A fix appeared.
    FixAppeared,
    /// A quarter of the time to act is left. Only reminders say so.
    DueSoon,
    /// Its due date has passed. Only reminders say so.
    Overdue,
    /// A reason of a later version.
    #[serde(other)]
    Other,
}

impl AlertReason {
    /// The reason as one word, as it stands in message attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reopened => "reopened",
            Self::KnownExploited => "known-exploited",
            Self::ExploitSeen => "exploit-seen",
            Self::ExceptionEnded => "exception-ended",
            Self::PriorityRaised => "priority-raised",
            Self::FixAppeared => "fix-appeared",
            Self::DueSoon => "due-soon",
            Self::Overdue => "overdue",
            Self::Other => "other",
        }
    }
}

/// Why people are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuietReason {
    /// Nothing that matters has changed since they were told.
    AlreadyTold,
    /// There is nothing left to do about it.
    Ended,
    /// An exception covers it.
    Excepted,
}

impl QuietReason {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyTold => "nothing that matters has changed since it was announced",
            Self::Ended => "the finding has ended",
            Self::Excepted => "an exception covers the finding",
        }
    }
}

/// What to do about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Tell people.
    Alert(AlertReason),
    /// Leave them in peace.
    Quiet(QuietReason),
}

/// Decides whether people are told about `record` as it stands.
pub fn decide(record: &Record) -> Decision {
    if !record.is_open() {
        return Decision::Quiet(QuietReason::Ended);
    }
    if record.exception().is_some() {
        return Decision::Quiet(QuietReason::Excepted);
    }
    let told_at = record.announced.as_ref().map(|told| told.at);
    let ended = record.ended_exception(told_at).map(|_| AlertReason::ExceptionEnded);
    let Some(told) = &record.announced else {
        return Decision::Alert(ended.unwrap_or(AlertReason::New));
    };
    let news = if record.opening > told.opening {
        Some(AlertReason::Reopened)
    } else {
        record.facts().news_since(&told.facts)
    };
    match (news, ended) {
        // What makes it urgent is said before why it is heard of again.
        (Some(news @ (AlertReason::KnownExploited | AlertReason::ExploitSeen)), _) => {
            Decision::Alert(news)
        }
        (_, Some(why)) | (Some(why), None) => Decision::Alert(why),
        (None, None) => Decision::Quiet(QuietReason::AlreadyTold),
    }
}

impl Record {
    /// The record with the moment since when it waits to be announced: `now`, if it did not wait
    /// before; `None` if there is nothing to announce.
    #[must_use]
    pub(super) fn waiting(mut self, now: Timestamp) -> Self {
        self.pending_since = match decide(&self) {
            Decision::Quiet(_) => None,
            Decision::Alert(_) => self.pending_since.or(Some(now)),
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        finding::sample,
        record::{Announcement, sample::record},
    };

    /// What is decided about a finding that was announced as it is in the sample, and then changed.
    fn after(change: impl FnOnce(&mut Value)) -> Decision {
        let told = record(sample::finding());
        let announced = Announcement {
            at: told.last_seen_at,
            why: AlertReason::New,
            facts: told.facts(),
            opening: told.opening,
        };
        decide(&Record { announced: Some(announced), ..record(sample::with(change)) })
    }

    #[test]
    fn people_are_told_what_is_new_and_nothing_else() {
        use Decision::{Alert, Quiet};
        type Change = fn(&mut Value);
        let cases: [(&str, Change, Decision); 11] = [
            ("nothing changed", |_| {}, Quiet(QuietReason::AlreadyTold)),
            (
                "a timestamp moved",
                |f| f["updatedAt"] = json!("Sat Nov 21 10:00:00.000 UTC 2026"),
                Quiet(QuietReason::AlreadyTold),
            ),
            (
                "EPSS drifted inside the class",
                |f| f["epss"] = json!({"score": 0.012}),
                Quiet(QuietReason::AlreadyTold),
            ),
            (
                "a tag was added",
                |f| f["resources"][0]["tags"]["a"] = json!("b"),
                Quiet(QuietReason::AlreadyTold),
            ),
            (
                "it became less severe",
                |f| f["severity"] = json!("LOW"),
                Quiet(QuietReason::AlreadyTold),
            ),
            (
                "the fix was withdrawn",
                |f| f["fixAvailable"] = json!("NO"),
                Quiet(QuietReason::AlreadyTold),
            ),
            ("it was closed", |f| f["status"] = json!("CLOSED"), Quiet(QuietReason::Ended)),
            ("it was suppressed", |f| f["status"] = json!("SUPPRESSED"), Quiet(QuietReason::Ended)),
            (
                "EPSS rose into a higher class",
                |f| f["epss"] = json!({"score": 0.9}),
                Alert(AlertReason::PriorityRaised),
            ),
            (
                "an exploit was seen",
                |f| f["exploitAvailable"] = json!("YES"),
                Alert(AlertReason::ExploitSeen),
            ),
            (
                "an exploit was seen and the class rose",
                |f| {
                    f["exploitAvailable"] = json!("YES");
                    f["epss"] = json!({"score": 0.9});
                },
                Alert(AlertReason::ExploitSeen),
            ),
        ];
        for (what, change, expected) in cases {
            assert_eq!(after(change), expected, "{what}");
        }
    }

    #[test]
    fn a_fix_that_appears_is_news() {
        let mut told = record(sample::with(|f| f["fixAvailable"] = json!("NO")));
        let facts = told.facts();
        told.announced =
            Some(Announcement { at: told.last_seen_at, why: AlertReason::New, facts, opening: 1 });
        assert_eq!(decide(&told), Decision::Quiet(QuietReason::AlreadyTold));
        for fix in ["PARTIAL", "YES"] {
            let now = record(sample::with(|f| f["fixAvailable"] = json!(fix)));
            let now = Record { announced: told.announced.clone(), ..now };
            assert_eq!(decide(&now), Decision::Alert(AlertReason::FixAppeared), "{fix}");
        }
    }

    #[test]
    fn what_nobody_was_told_is_new_unless_it_has_ended() {
        assert_eq!(decide(&record(sample::finding())), Decision::Alert(AlertReason::New));
        let closed = record(sample::with(|f| f["status"] = json!("CLOSED")));
        assert_eq!(decide(&closed), Decision::Quiet(QuietReason::Ended));
    }

    #[test]
    fn what_ended_and_came_back_is_told_again() {
        let mut back = record(sample::finding());
        let facts = back.facts();
        back.announced =
            Some(Announcement { at: back.last_seen_at, why: AlertReason::New, facts, opening: 1 });
        back.opening = 2;
        assert_eq!(decide(&back), Decision::Alert(AlertReason::Reopened));
    }
}
