//! Tickets: one a problem and owner, over the whole life of its findings.
//!
//! Pure: what a ticket was last known to say ([`Ticket`]) and how its findings stand now ([`Standing`]) give what there is
//! to say ([`News`]). Who asks the tracker in which order stands in [`crate::app`].

mod course;
mod news;
mod projects;
mod standing;
mod tracker;

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

pub use course::{Course, Seen};
pub use news::{Change, Changed, News};
pub use projects::{NotProjects, Projects};
pub use standing::{FollowedFinding, Mark, Member, MemberState, Standing};
pub use tracker::{NotATracker, TrackerKind};

use super::{
    announce,
    assess::Priority,
    digest,
    finding::{Finding, OwnerTags},
    record::Record,
    text,
};

/// What a ticket is about: a problem of an owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TicketKey {
    /// What its findings have in common: see [`announce::problem_key`].
    pub problem: String,
    /// Whose findings they are, if a tag says so.
    pub owner: Option<String>,
}

impl TicketKey {
    /// The ticket that a finding belongs to.
    pub fn of(finding: &Finding, tags: &OwnerTags) -> Self {
        let owner = finding.owner(tags).map(|owner| text::cut_bytes(&text::line(owner), 256));
        let problem = text::cut_bytes(&text::line(&announce::problem_key(finding)), 1_500);
        Self { problem, owner: owner.filter(|owner| !owner.is_empty()) }
    }

    /// A short name for it: the same owner in other letters has the same.
    pub fn id(&self) -> String {
        let owner = self.owner.as_deref().map(str::to_lowercase);
        // No line has a line end in it, so that no two keys are the same text.
        digest::hex(format!("{}\n{}", self.problem, owner.unwrap_or_default()))
    }
}

/// A ticket as it is remembered.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// What it is about.
    pub key: TicketKey,
    /// Where it is in the tracker, once it was opened.
    pub tracked: Option<Tracked>,
    /// What was begun and is not known to have ended.
    pub begun: Option<Begun>,
    /// How often in a row the tracker did not do what it was asked for this ticket.
    #[serde(default)]
    pub failures: u32,
    /// When to try again, after a failure.
    pub retry_at: Option<Timestamp>,
}

/// A ticket in a tracker.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked {
    /// Which tracker: `jira https://example.atlassian.net`.
    pub site: String,
    /// The project that it was opened in.
    pub project: String,
    /// The mark that it carries, by which it is known to be ours.
    pub mark: String,
    /// Its key there.
    pub key: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the tracker was last asked what has become of it.
    pub looked_at: Timestamp,
    /// Whether it is open, and who closed it.
    pub state: TrackedState,
    /// What it says; none if that is not known, because an attempt was ended when it was opened, or the tracker's answer was
    /// lost.
    pub told: Option<TicketFacts>,
    /// How often it was changed: the number of the last change, which its comment has.
    #[serde(default)]
    pub changes: u32,
}

/// Whether a ticket is open in its tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackedState {
    /// It is open.
    Open,
    /// All its findings were over, and it was closed, unless a person had done so before.
    Closed,
    /// A person closed it while findings were open.
    ClosedByHand,
    /// The same, and the person was told so.
    ClosedByHandAndTold,
    /// It was deleted, moved to another project or lost its mark. It is not touched any more.
    Lost,
}

/// Something that was begun in the tracker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Begun {
    /// To open a ticket.
    Opening {
        /// In which tracker.
        site: String,
        /// In which project.
        project: String,
        /// With which mark.
        mark: String,
        /// When.
        at: Timestamp,
        /// From when on the tracker says for sure whether it was opened.
        #[serde(rename = "askAt")]
        ask_at: Timestamp,
    },
    /// To change one.
    Changing {
        /// Which change it is.
        number: u32,
        /// When.
        at: Timestamp,
        /// From when on the tracker says for sure whether it was commented on; none if it is known that it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask_at: Option<Timestamp>,
        /// Whether it closes the ticket.
        closes: bool,
        /// A number that stands for what its comment says: another text has another one.
        #[serde(default)]
        says: u64,
        /// Whether all is done in the tracker, and it is only to be remembered of each finding that it was said how it stands.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_said: bool,
    },
}

/// Where a ticket is to go with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// It stays where it is.
    Stay,
    /// All is over: it is closed.
    Close,
    /// Something is found again: it is opened again.
    Reopen,
}

/// What a ticket says of its findings together.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketFacts {
    /// The highest class of those that are open.
    pub priority: Priority,
    /// The first day by which to act.
    pub due: Option<Date>,
    /// Whether an exploit is known.
    pub exploit: bool,
    /// Whether CISA's catalogue has the vulnerability.
    pub known_exploited: bool,
    /// Whether something can be updated.
    pub fix: bool,
}

/// How long after a call whose outcome is not known the tracker is asked what became of it: longer than a request is on its way
/// and than a search lags.
pub const ASKED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// How long further changes of a ticket wait for each other.
pub const BATCHED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// How often a ticket is looked at of which nothing is heard.
pub const LOOKED_AT_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How long after a failure it is tried again, at first and at most.
const RETRIED_AFTER: [SignedDuration; 2] =
    [SignedDuration::from_mins(5), SignedDuration::from_hours(1)];

/// The word that each ticket carries as a label, and that each mark begins with.
pub const LABEL: &str = "inspector-triage";

impl Ticket {
    /// A ticket that is remembered, and not opened yet.
    pub fn new(key: TicketKey) -> Self {
        Self { key, tracked: None, begun: None, failures: 0, retry_at: None }
    }

    /// The mark of a ticket about this that is opened in the attempt `name`, which no other has.
    pub fn mark(&self, name: &str) -> String {
        let id = digest::hex(format!("{}\n{name}", self.key.id()));
        format!("{LABEL}-{}", &id[..20])
    }

    /// The ticket after the tracker did not do what it was asked at `now`.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        let factor = 2_i32.saturating_pow(self.failures.min(10));
        let pause = (RETRIED_AFTER[0] * factor).min(RETRIED_AFTER[1]);
        let failures = self.failures.saturating_add(1);
        Self { failures, retry_at: now.checked_add(pause).ok(), ..self }
    }

    /// The ticket after the tracker did it.
    #[must_use]
    pub fn done(self) -> Self {
        Self { failures: 0, retry_at: None, begun: None, ..self }
    }

    /// From when on something can be done about it: after a failure it waits, and as long as the tracker does not say for sure
    /// what was done.
    pub fn waits_until(&self) -> Option<Timestamp> {
        let asked_at = self.begun.as_ref().and_then(|begun| match begun {
            Begun::Opening { ask_at, .. } => Some(*ask_at),
            Begun::Changing { ask_at, .. } => *ask_at,
        });
        self.retry_at.max(asked_at)
    }

    /// When its next turn comes without any news, if one does: as long as it is not closed because all is over.
    pub fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        let is_closed = |tracked: &Tracked| tracked.state == TrackedState::Closed;
        self.tracked.as_ref().filter(|tracked| !is_closed(tracked))?;
        now.checked_add(LOOKED_AT_EVERY).ok()
    }

    /// How urgent it is, with what was noted of it before and is noted now: what people know of it, or are to know.
    pub fn urgency(&self, before: Option<Priority>, noted: &[&Record]) -> Option<Priority> {
        let known = match &self.tracked {
            Some(tracked) => tracked.told.map(|told| told.priority),
            None => before,
        };
        known.max(highest(noted))
    }

    /// When its turn comes after something was noted at `now` of these of its findings; none if there is nothing to do.
    pub fn turn(&self, noted: &[&Record], from: Priority, now: Timestamp) -> Option<Timestamp> {
        let later = now.saturating_add(BATCHED_FOR).unwrap_or(now);
        let priority = highest(noted);
        // What has ended is followed no more, once somebody has looked.
        let of_ended = noted.iter().any(|record| !record.is_open()).then_some(later);
        let Some(tracked) = &self.tracked else {
            return priority.filter(|priority| *priority >= from).map(|_| now).or(of_ended);
        };
        match tracked.state {
            TrackedState::Closed => priority.map(|_| now).or(of_ended),
            TrackedState::Open => {
                let is_urgent = tracked.told.is_some_and(|told| {
                    priority > Some(told.priority)
                        || !told.known_exploited && noted.iter().any(|one| one.is_known_exploited())
                });
                Some(if is_urgent { now } else { later })
            }
            TrackedState::ClosedByHand | TrackedState::ClosedByHandAndTold | TrackedState::Lost => {
                Some(later)
            }
        }
    }
}

impl Tracked {
    /// The mark of a comment: that of the ticket, with the number of the change.
    pub fn comment_mark(&self, number: u32) -> String {
        format!("{}-{number:04}", self.mark)
    }
}

/// The highest class of those that are open and that no exception covers.
fn highest(records: &[&Record]) -> Option<Priority> {
    let open = records.iter().filter(|record| record.is_open() && record.exception().is_none());
    open.map(|record| record.priority()).max()
}
