//! What is remembered of a finding, and how an event changes it.
//!
//! Pure: a [`Record`] and a [`AssessedFinding`] give a [`Step`]. The store keeps records and knows how to
//! write them without losing a race; what a record becomes is decided here.

mod decide;
mod delivery;
mod end;
mod exception;
mod facts;
mod reminder;
mod retell;
#[cfg(test)]
pub(crate) mod sample;
mod stance;
mod step;
mod version;

use std::{borrow::Cow, cmp::Reverse};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::{As, json::JsonString, skip_serializing_none};

pub use decide::{AlertReason, Decision, QuietReason, decide};
pub use delivery::{Announcement, Audience, Delivery, Lease, PartialDelivery};
pub use end::{End, EndQueue, How};
pub use exception::{CoverEnd, Excepted};
pub use facts::Facts;
pub use reminder::Reminded;
pub use stance::Stance;
pub use step::{AssessedFinding, Step, step};
pub use version::Version;

use super::{
    assess::{Assessment, Deadlines, Policy, Priority},
    finding::{Finding, Status},
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
    /// The assessment of that state by itself. Together with what is known besides, it is [`Record::assessment`].
    #[serde(rename = "assessment", with = "As::<JsonString>")]
    pub by_event: Assessment,
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
    /// What people were last reminded of: that it is due soon, or overdue.
    #[serde(default, with = "As::<Option<JsonString>>")]
    pub reminded: Option<Reminded>,
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
    /// The assessment by all that is known: by the event, and by what the daily round has found out of attacks.
    pub fn assessment(&self) -> Cow<'_, Assessment> {
        match &self.threat {
            None => Cow::Borrowed(&self.by_event),
            Some(threat) => {
                let now = Some(self.last_seen_at);
                Cow::Owned(self.by_event.knowing(&self.finding, threat, now))
            }
        }
    }

    /// Its class, by all that is known.
    pub fn priority(&self) -> Priority {
        self.assessment().priority
    }

    /// Its score, by all that is known.
    pub fn score(&self) -> u8 {
        self.assessment().score
    }

    /// The facts that matter.
    pub fn facts(&self) -> Facts {
        let by_event = self.event_facts();
        Facts {
            priority: self.priority(),
            exploit: by_event.exploit || self.counts_as_seen_exploited(),
            known_exploited: self.is_known_exploited(),
            ..by_event
        }
    }

    /// Those of them that events say: what decides whether a further one changes something.
    pub fn event_facts(&self) -> Facts {
        Facts { status: self.status().clone(), ..Facts::of(&self.finding, &self.by_event) }
    }

    /// Its place among others, those first that people should see first: by score, what is in use before what is not, by due
    /// date, and by name.
    pub fn urgency(&self) -> impl Ord + use<'_> {
        let due = self.due_at.unwrap_or(Timestamp::MAX);
        (Reverse(self.score()), self.finding.in_use().is_none(), due, &self.finding.arn)
    }

    /// Whether somebody has seen the vulnerability exploited, besides what events say.
    pub fn is_seen_exploited(&self) -> bool {
        self.threat.as_ref().is_some_and(|threat| threat.observed.is_some())
    }

    /// The same, as a fact that people are told. Before this version of the policy it was none.
    fn counts_as_seen_exploited(&self) -> bool {
        self.is_seen_exploited() && Policy::is_stamp_of_this_version(&self.by_event.policy)
    }

    /// Whether CISA's catalogue has the vulnerability, as far as the record knows.
    pub fn is_known_exploited(&self) -> bool {
        self.threat.as_ref().is_some_and(|threat| threat.listing().is_some())
    }

    /// The record once `threat` is known of its vulnerability, at `now`. Who was told at `told_at` of all that was there was
    /// told that, too.
    #[must_use]
    pub fn knowing(
        &self,
        threat: Option<&Threat>,
        told_at: Option<Timestamp>,
        policy: &Policy,
        now: Timestamp,
    ) -> Self {
        let mut record = self.clone();
        record.threat = threat.map(|threat| record.what_matters_of(threat));
        let facts = record.facts();
        if let Some(told) = &mut record.announced
            && Some(told.at) == told_at
        {
            let Facts { priority, exploit, known_exploited, .. } = facts;
            told.facts = Facts { priority, exploit, known_exploited, ..told.facts.clone() };
        }
        let (before, threat) = (self.threat.as_ref(), record.threat.as_ref());
        let due = policy.due_at(&record.finding, threat, record.priority(), now);
        record.due_at = match record.due_at {
            Some(due_at) => policy
                .corrected(&record.finding, (before, threat), due_at, now)
                .unwrap_or_else(|| Some(due.map_or(due_at, |due| due.min(due_at)))),
            None => due.filter(|_| record.is_open()),
        };
        record.covered_still(due, now).waiting(now)
    }

    /// The record as it has to be written, if an event that seemed to change nothing has changed what is judged from it and
    /// from what is known besides: it is to be told, or its exception has ended. None if nothing has.
    pub fn caught_up(&self, policy: &Policy, now: Timestamp) -> Option<Self> {
        let threat = self.threat.as_ref()?;
        let record = self.knowing(Some(threat), None, policy, now);
        (!record.stands_as(self)).then_some(record)
    }

    /// Whether both wait to be told or neither does, and both are covered or neither is.
    fn stands_as(&self, other: &Self) -> bool {
        self.pending_since.is_some() == other.pending_since.is_some()
            && self.exception().is_some() == other.exception().is_some()
    }

    /// Whether people see the same in both: the class, under the same policy, what waits to be told, and what is covered.
    pub fn shows_the_same_as(&self, other: &Self) -> bool {
        self.priority() == other.priority()
            && self.by_event.policy == other.by_event.policy
            && self.stands_as(other)
    }

    /// The record once `threat` is known, as if it had always been assessed under `policy`. A change of the formula is no
    /// news, nor is what it would have made of what was known already.
    #[must_use]
    pub fn knowing_anew(
        &self,
        threat: Option<&Threat>,
        told_at: Option<Timestamp>,
        policy: &Policy,
        now: Timestamp,
    ) -> Self {
        let is_of_this_version = Policy::is_stamp_of_this_version(&self.by_event.policy);
        let rebased = self.reassessed_under(policy);
        let mut record = rebased.knowing(threat, told_at, policy, now);
        if is_of_this_version {
            return record;
        }
        let (was, is) = (rebased.priority(), record.priority());
        if let Some(told) = record.announced.as_mut().filter(|told| told.facts.priority >= was) {
            told.facts.priority = told.facts.priority.max(is);
        }
        record.waiting(now)
    }

    /// What of `threat` changes how urgent it is, or what is said of it: a probability only if that changes its class.
    fn what_matters_of(&self, threat: &Threat) -> Threat {
        let known = |epss| {
            let threat = Threat { epss, ..threat.clone() };
            let now = Some(self.last_seen_at);
            (self.by_event.knowing(&self.finding, &threat, now).priority, threat)
        };
        let (without, with) = (known(None), known(threat.epss));
        if with.0 == without.0 { without.1 } else { with.1 }
    }

    /// Whether `self`, which knows more of attacks, is worth a row in place of `before`, under this rule for due dates.
    pub fn is_news_after(&self, before: &Self, deadlines: Deadlines) -> bool {
        let told = |record: &Self| record.threat.as_ref().is_some_and(Threat::is_worth_telling);
        let is_same = match (&self.threat, &before.threat) {
            (Some(one), Some(other)) if told(self) || told(before) => one.agrees_with(other),
            _ => told(self) == told(before),
        };
        let knows = |record: &Self| record.threat.as_ref().is_some_and(Threat::knows_catalogue);
        let is_answered = deadlines == Deadlines::Bod2604 && knows(self) != knows(before);
        !is_same
            || is_answered
            || self.priority() != before.priority()
            || self.due_at != before.due_at
    }

    /// Whether its due date has passed at `now`, and no exception gives more time.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.is_open() && self.exception().is_none() && self.due_at.is_some_and(|due| due < now)
    }

    /// The record as the next one to be written.
    #[must_use]
    pub fn rewritten(self) -> Self {
        Self { revision: self.revision + 1, ..self }
    }

    /// Whether somebody still has something to do, or will have when an exception ends.
    pub fn is_open(&self) -> bool {
        is_open(&self.finding.status, self.end.as_ref(), self.excepted.as_ref())
    }
}

/// Whether a finding with this status, which ended so and was excepted so, is open: also one that a suppression rule hides,
/// and that an exception explains, or did.
pub fn is_open(status: &Status, end: Option<&End>, excepted: Option<&Excepted>) -> bool {
    let is_explained = *status == Status::Suppressed && excepted.is_some_and(|one| one.hidden);
    end.is_none() && (status.is_open() || is_explained)
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
            Transition::Reminded => self.reminded.map(|reminded| reminded.at),
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
    /// People were reminded of it.
    Reminded,
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
            Self::Reminded => "reminded",
            Self::Reassessed => "reassessed",
        }
    }
}
