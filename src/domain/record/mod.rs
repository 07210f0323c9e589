//! What is remembered of a finding, and how an event changes it.
//!
//! Pure: a [`Record`] and a [`AssessedFinding`] give a [`Step`]. The store keeps records and knows how to
//! write them without losing a race; what a record becomes is decided here.

mod decide;
mod delivery;
mod end;
mod exception;
mod facts;
mod retell;
#[cfg(test)]
pub(crate) mod sample;
mod step;
mod version;

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::{As, json::JsonString, skip_serializing_none};

pub use decide::{AlertReason, Decision, QuietReason, decide};
pub use delivery::{Announcement, Audience, Delivery, Lease, PartialDelivery};
pub use end::{End, EndQueue, How};
pub use exception::{CoverEnd, Excepted};
pub use facts::Facts;
pub use step::{AssessedFinding, Step, step};
pub use version::Version;

use super::{
    assess::{Assessment, Policy},
    finding::Finding,
    threat::Threat,
};

/// What is remembered of a finding. Its detail is kept as JSON text: nobody asks the table for a part
/// of it, and text is smaller, and faster to write and read, than a tree of attributes.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Record {
    /// The newest state.
    #[serde(with = "As::<JsonString>")]
    pub finding: Finding,
    /// The assessment of that state.
    #[serde(with = "As::<JsonString>")]
    pub assessment: Assessment,
    /// Its place in the order of events.
    pub version: Version,
    /// How often the row was written; a write that expects another number is too late.
    pub revision: u64,
    /// When we first heard of the finding.
    pub first_seen_at: Timestamp,
    /// When we last heard of it.
    pub last_seen_at: Timestamp,
    /// How often it was opened: 1, and one more for each time it came back.
    pub opening: u32,
    /// Since when it is open, or was before it ended, by Inspector's clock.
    pub opened_at: Option<Timestamp>,
    /// Since when it is closed or suppressed, if it is, by Inspector's clock.
    pub ended_at: Option<Timestamp>,
    /// What the daily round knows of attacks on the vulnerability, if that is worth telling. No event changes it.
    #[serde(default, with = "As::<Option<JsonString>>")]
    pub threat: Option<Threat>,
    /// The exception that covers it, or was the last that did.
    #[serde(default, with = "As::<Option<JsonString>>")]
    pub excepted: Option<Excepted>,
    /// How it ended, if it was open here and has ended; none in rows of before that was recorded.
    pub end: Option<End>,
    /// By when to act, while it is open and somebody can end it. Moves sooner with urgency, later only if Inspector rates
    /// the finding lower; a repetition never moves it.
    pub due_at: Option<Timestamp>,
    /// When the oldest unannounced change was recorded; `None` if every change was announced.
    pub pending_since: Option<Timestamp>,
    /// The last announcement that every audience has; `None` before the first.
    pub announced: Option<Announcement>,
    /// A later announcement that only some audiences have.
    #[serde(rename = "partly_told")]
    pub partial_delivery: Option<PartialDelivery>,
    /// The right of an attempt to announce the finding now.
    pub lease: Option<Lease>,
}

impl Record {
    /// The facts that matter.
    pub fn facts(&self) -> Facts {
        Facts {
            status: self.status().clone(),
            known_exploited: self.is_known_exploited(),
            ..Facts::of(&self.finding, &self.assessment)
        }
    }

    /// Its place among others, those first that people should see first: by score, by due date, and by name.
    pub fn urgency(&self) -> impl Ord + use<'_> {
        let due = self.due_at.unwrap_or(Timestamp::MAX);
        (Reverse(self.assessment.score), due, &self.finding.arn)
    }

    /// Whether CISA's catalogue has the vulnerability, as far as the record knows.
    pub fn is_known_exploited(&self) -> bool {
        self.threat.as_ref().is_some_and(|threat| threat.listing().is_some())
    }

    /// The record, knowing what there is to know of attacks by `now`. Who was told at `told_at` of all that was there was told
    /// that, too.
    #[must_use]
    pub fn knowing(
        &self,
        threat: Option<&Threat>,
        told_at: Option<Timestamp>,
        policy: &Policy,
        now: Timestamp,
    ) -> Self {
        let mut record = self.clone();
        record.threat = threat.and_then(Threat::worth_telling);
        let is_known_exploited = record.is_known_exploited();
        if let Some(told) = &mut record.announced
            && Some(told.at) == told_at
        {
            told.facts.known_exploited = is_known_exploited;
        }
        let due = policy.due_at(&record.finding, record.assessment.priority, now);
        record.covered_still(due, now).waiting(now)
    }

    /// The record as the next one to be written.
    #[must_use]
    pub fn rewritten(self) -> Self {
        Self { revision: self.revision + 1, ..self }
    }

    /// Whether somebody still has something to do, or will have when an exception ends.
    pub fn is_open(&self) -> bool {
        self.end.is_none() && (self.finding.status.is_open() || self.is_hidden_by_exception())
    }
}

impl Record {
    /// When `transition` was noted, if no state of the finding brought it, but the daily round.
    pub fn noted_at(&self, transition: Transition) -> Option<Timestamp> {
        let end = self.end.as_ref();
        match transition {
            Transition::Vanished => end.map(|end| end.at),
            Transition::Explained => end.and_then(|end| end.explained_at),
            Transition::Threat => {
                let checked_at = self.threat.as_ref().map(|threat| threat.checked_at);
                Some(checked_at.unwrap_or(self.last_seen_at))
            }
            Transition::Excepted => {
                let excepted = self.excepted.as_ref();
                excepted.map(|excepted| excepted.changed_at.unwrap_or(excepted.since))
            }
            Transition::ExceptionEnded => {
                let ended = self.excepted.as_ref().and_then(|excepted| excepted.ended);
                Some(ended.map_or(self.last_seen_at, |ended| ended.at))
            }
            _ => None,
        }
    }
}

/// A change of the facts that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// First heard of, open.
    Opened,
    /// First heard of when it had ended.
    FirstSeenEnded,
    /// Open again.
    Reopened,
    /// Remedied, or its resource is gone.
    Closed,
    /// Hidden by a suppression rule.
    Suppressed,
    /// Still open or still ended; severity, priority, exploit or fix changed.
    Changed,
    /// Not listed by Inspector any more.
    Vanished,
    /// It was found out how it ended.
    Explained,
    /// What is known of attacks on the vulnerability changed.
    Threat,
    /// An exception covers it.
    Excepted,
    /// No exception covers it any more.
    ExceptionEnded,
    /// Nothing but the policy changed, and with it the priority; or the way in which the row has the
    /// facts.
    Reassessed,
}

impl Transition {
    /// The transition as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::FirstSeenEnded => "first-seen-ended",
            Self::Reopened => "reopened",
            Self::Closed => "closed",
            Self::Suppressed => "suppressed",
            Self::Changed => "changed",
            Self::Vanished => "vanished",
            Self::Explained => "explained",
            Self::Threat => "threat",
            Self::Excepted => "excepted",
            Self::ExceptionEnded => "exception-ended",
            Self::Reassessed => "reassessed",
        }
    }
}
