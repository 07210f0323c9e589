//! How a finding ended, and who is to hear of it.
//!
//! That Inspector closes a finding does not say that it was fixed: its resource may be gone, or not be looked at any more.
//! Which of these it was says what Inspector looks at, and the daily round asks for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Audience, Excepted, Record};
use crate::domain::finding::Status;

/// How a finding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Inspector still looks, and does not find it any more.
    Fixed,
    /// The resource is gone.
    Gone,
    /// Inspector does not look any more: at the resource, or in this way.
    Unobserved,
    /// A suppression rule hides it.
    Suppressed,
    /// It is not known, or not yet; or a later version has another word for it.
    #[serde(other)]
    Unknown,
}

impl How {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Fixed, Self::Gone, Self::Unobserved, Self::Suppressed, Self::Unknown];

    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Gone => "gone",
            Self::Unobserved => "unobserved",
            Self::Suppressed => "suppressed",
            Self::Unknown => "unknown",
        }
    }
}

/// The end of a finding that was open here before.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// When it was recorded.
    pub at: Timestamp,
    /// How.
    pub how: How,
    /// Why Inspector does not look any more, in its own word, such as `EXCLUDED_BY_TAG`; or how it knows that the resource is
    /// gone.
    pub reason: Option<String>,
    /// By when it was to be remedied, as it ended; none if it had no due date, or ended before that was kept.
    pub due_at: Option<Timestamp>,
    /// Whether nobody said so: complete listings did not have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_absence: bool,
    /// When it was found out how.
    pub explained_at: Option<Timestamp>,
    /// What programs know of it.
    pub told: Option<How>,
}

/// Where a finding that has ended stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndQueue {
    /// Programs, which have heard of the finding, have not heard how it ended.
    Untold,
    /// It is yet to be found out how it ended.
    Unexplained,
    /// A suppression rule hides it, and an exception may come to say why.
    Hidden,
    /// All is known.
    Settled,
}

impl EndQueue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Untold, Self::Unexplained, Self::Hidden, Self::Settled];
}

impl End {
    /// An end at `at`, as Inspector's `status` says it.
    pub(super) fn new(status: &Status, at: Timestamp) -> Self {
        let how = if *status == Status::Suppressed { How::Suppressed } else { How::Unknown };
        Self {
            at,
            how,
            reason: None,
            due_at: None,
            by_absence: false,
            explained_at: None,
            told: None,
        }
    }

    /// An end of which nothing is known but that it was at `at` or later.
    pub fn unknown(at: Timestamp) -> Self {
        Self::new(&Status::Closed, at)
    }

    /// Whether it is yet to be found out how.
    pub fn is_unexplained(&self) -> bool {
        self.how == How::Unknown && self.explained_at.is_none()
    }
}

impl Record {
    /// Where the finding is in its life, as far as is known: closed, too, if it is not listed any more.
    pub fn status(&self) -> &Status {
        match &self.end {
            Some(end) if end.by_absence => &Status::Closed,
            _ => &self.finding.status,
        }
    }

    /// Where it stands, if it was open here and has ended; if a suppression rule hides it; or if programs, which have heard of
    /// it, have not heard that an exception covers it.
    pub fn end_queue(&self) -> Option<EndQueue> {
        if self.exception().is_some_and(|exception| !exception.told) && self.programs_know() {
            return Some(EndQueue::Untold);
        }
        let Some(end) = &self.end else {
            return self.is_hidden().then_some(EndQueue::Hidden);
        };
        Some(if end.told != Some(end.how) && self.programs_know() {
            EndQueue::Untold
        } else if end.is_unexplained() {
            EndQueue::Unexplained
        } else if self.is_hidden() {
            EndQueue::Hidden
        } else {
            EndQueue::Settled
        })
    }

    /// Since when it stands there.
    pub fn ended_since(&self) -> Option<Timestamp> {
        let end = self.end.as_ref().map(|end| end.at);
        end.or_else(|| self.exception().map(|exception| exception.since)).or(self.ended_at)
    }

    /// Whether programs have heard of the finding.
    fn programs_know(&self) -> bool {
        let partly = self.partial_delivery.as_ref();
        self.announced.is_some() || partly.is_some_and(|told| told.to.contains(&Audience::Data))
    }

    /// The record of a finding that is not listed any more, as of `now`. It keeps its version: the same state of it, if it
    /// is listed again, opens it again.
    #[must_use]
    pub fn vanished(&self, now: Timestamp) -> Self {
        let due_at = self.due_at;
        let end = End { by_absence: true, due_at, ..End::new(&Status::Closed, now) };
        Self {
            end: Some(end),
            ended_at: Some(now),
            due_at: None,
            pending_since: None,
            ..self.clone()
        }
    }

    /// The record once it is known, at `now`, how its finding ended, or that nobody will know. None if it has not ended.
    pub fn explained(&self, how: How, reason: Option<String>, now: Timestamp) -> Option<Self> {
        let end = self.end.clone()?;
        let end = End { how, reason, explained_at: Some(now), ..end };
        Some(Self { end: Some(end), ..self.clone() })
    }

    /// The record once programs have heard how its finding ended, or that an exception covers it, or are not to hear of it.
    /// None if it is neither.
    pub fn end_told(&self) -> Option<Self> {
        if let Some(exception) = self.exception() {
            let excepted = Excepted { told: true, ..exception.clone() };
            return Some(Self { excepted: Some(excepted), ..self.clone() });
        }
        let end = self.end.clone()?;
        let end = End { told: Some(end.how), ..end };
        Some(Self { end: Some(end), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{
        assess::Policy,
        record::{
            AlertReason, Decision, Step, Transition, decide,
            sample::{after, at},
            step,
        },
    };

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    /// A finding that everybody has heard of, and has ended.
    fn told_and_closed() -> Record {
        let told = {
            let record = after(&[at("2026-11-20T10:00:00Z", |_| {})]);
            let all = Audience::ALL;
            let told = record.delivery(AlertReason::New, &all, &all, record.last_seen_at, true);
            let seen_at = record.last_seen_at;
            record.with_delivery(&told, seen_at)
        };
        let closed = at("2026-11-20T11:00:00Z", |f| f["status"] = json!("CLOSED"));
        let Step::Write(record, Transition::Closed) =
            step(Some(&told), &closed, &Policy::default())
        else {
            panic!("it was open")
        };
        *record
    }

    #[test]
    fn programs_hear_of_an_end_and_once_more_when_it_is_known_how() {
        let closed = told_and_closed();
        assert_eq!(closed.end_queue(), Some(EndQueue::Untold));
        let told = closed.end_told().unwrap();
        assert_eq!(told.end_queue(), Some(EndQueue::Unexplained));
        let explained = told.explained(How::Fixed, None, now()).unwrap();
        assert_eq!(explained.end_queue(), Some(EndQueue::Untold));
        assert_eq!(explained.end_told().unwrap().end_queue(), Some(EndQueue::Settled));
        let given_up = told.explained(How::Unknown, None, now()).unwrap();
        assert_eq!(given_up.end_queue(), Some(EndQueue::Settled));
    }

    #[test]
    fn of_a_finding_that_programs_have_not_heard_of_they_hear_no_end() {
        let opened = at("2026-11-20T10:00:00Z", |_| {});
        let closed = at("2026-11-20T11:00:00Z", |f| f["status"] = json!("CLOSED"));
        let suppressed = at("2026-11-20T11:00:00Z", |f| f["status"] = json!("SUPPRESSED"));
        assert_eq!(
            after(&[opened.clone(), closed.clone()]).end_queue(),
            Some(EndQueue::Unexplained)
        );
        assert_eq!(after(&[opened, suppressed.clone()]).end_queue(), Some(EndQueue::Hidden));
        assert_eq!(after(&[suppressed]).end_queue(), Some(EndQueue::Hidden));
        assert_eq!(after(&[closed]).end_queue(), None, "it was never open here");
    }

    #[test]
    fn what_is_listed_again_is_open_again_whatever_its_version() {
        let state = at("2026-11-20T10:00:00Z", |_| {});
        let vanished = after(std::slice::from_ref(&state)).vanished(now());
        assert!(!vanished.is_open() && *vanished.status() == Status::Closed);
        assert_eq!(vanished.end_queue(), Some(EndQueue::Unexplained));
        let older = at("2026-11-20T09:00:00Z", |_| {});
        assert_eq!(step(Some(&vanished), &older, &Policy::default()), Step::Stale);
        for again in [state, at("2026-11-20T11:00:00Z", |_| {})] {
            let Step::Write(record, what) = step(Some(&vanished), &again, &Policy::default())
            else {
                panic!("it opens")
            };
            assert_eq!((record.is_open(), what), (true, Transition::Reopened));
            assert_eq!(decide(&record), Decision::Alert(AlertReason::New), "nobody had heard");
        }
    }
}
