//! How the findings of a ticket stand.

use std::collections::HashMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{TicketFacts, TicketKey};
use crate::domain::{
    assess::Priority,
    finding::{OwnerTags, Remediation},
    record::{How, Record},
    round,
};

/// How a finding of a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberState {
    /// It is open, and no exception covers it.
    Open,
    /// An exception covers it.
    Excepted,
    /// A suppression rule hides it.
    Hidden,
    /// Inspector does not look any more.
    Unobserved,
    /// It has ended, and it is yet to be found out how.
    Ended,
    /// Inspector still looks, and does not find it any more.
    Fixed,
    /// Its resource is gone.
    Gone,
    /// It belongs to another ticket: its owner or its problem is another one now.
    Moved,
    /// It has ended, and nobody will know how; or its record cannot be read; or a later version has another word.
    #[serde(other)]
    Unknown,
}

impl MemberState {
    /// How `record` stands in the ticket `key`.
    fn of(record: Option<&Record>, key: &TicketKey, tags: &OwnerTags) -> Self {
        let Some(record) = record else { return Self::Unknown };
        if record.is_open() {
            return if TicketKey::of(&record.finding, tags).id() != key.id() {
                Self::Moved
            } else if record.exception().is_some() {
                Self::Excepted
            } else {
                Self::Open
            };
        }
        let Some(end) = &record.end else {
            return if record.is_hidden() { Self::Hidden } else { Self::Unknown };
        };
        match end.how {
            How::Fixed => Self::Fixed,
            How::Gone => Self::Gone,
            How::Unobserved => Self::Unobserved,
            How::Suppressed => Self::Hidden,
            How::Unknown if end.is_unexplained() => Self::Ended,
            How::Unknown => Self::Unknown,
        }
    }

    /// Whether the finding is no matter of the ticket any more.
    pub fn leaves(self) -> bool {
        matches!(self, Self::Fixed | Self::Gone | Self::Moved)
    }
}

/// A finding that a ticket follows, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedFinding {
    /// The finding.
    pub arn: String,
    /// How the ticket says that it stands, if it does.
    pub told: Option<MemberState>,
    /// How often it was noted.
    pub noted: u64,
}

/// What a ticket is to remember of a finding that it follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// The finding.
    pub arn: &'a str,
    /// How the ticket says that it stands; none: it is no matter of it any more.
    pub state: Option<MemberState>,
    /// How often it had been noted when that was found out. What was noted since stays.
    pub noted: u64,
}

/// The same, as it stands.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The finding.
    pub arn: &'a str,
    /// How the ticket says that it stands, if it does.
    pub told: Option<MemberState>,
    /// How often it was noted.
    pub noted: u64,
    /// How it stands.
    pub state: MemberState,
    /// Its record, if there is one.
    pub record: Option<&'a Record>,
}

/// The findings of a ticket, those first that people should see first.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// The findings.
    pub members: Vec<Member<'a>>,
    /// Whether the ticket follows more than these.
    pub is_cut: bool,
}

impl<'a> Standing<'a> {
    /// The findings that the ticket `key` follows, by their records.
    pub fn new(
        followed: &'a [FollowedFinding],
        records: &'a [Record],
        key: &TicketKey,
        tags: &OwnerTags,
    ) -> Self {
        let records: HashMap<&str, &Record> =
            records.iter().map(|record| (record.finding.arn.as_str(), record)).collect();
        let mut members: Vec<Member<'a>> = followed
            .iter()
            .map(|FollowedFinding { arn, told, noted }| {
                let record = records.get(arn.as_str()).copied();
                let (told, noted) = (*told, *noted);
                Member { arn, told, noted, state: MemberState::of(record, key, tags), record }
            })
            .collect();
        members.sort_by(|a, b| {
            let urgency = |member: &Member<'a>| member.record.map(Record::urgency);
            let is_unknown = |member: &Member<'_>| member.record.is_none();
            (is_unknown(a), urgency(a), a.arn).cmp(&(is_unknown(b), urgency(b), b.arn))
        });
        Self { members, is_cut: false }
    }

    /// The records of those that stand so.
    pub fn in_state(&self, state: MemberState) -> impl Iterator<Item = &'a Record> {
        self.members.iter().filter(move |member| member.state == state).filter_map(|m| m.record)
    }

    /// Whether a finding is open that no exception covers.
    pub fn has_open(&self) -> bool {
        self.in_state(MemberState::Open).next().is_some()
    }

    /// Whether one of them is of the class `from`, or a more urgent one.
    pub fn asks_for_ticket(&self, from: Priority) -> bool {
        self.in_state(MemberState::Open).any(|record| record.priority() >= from)
    }

    /// Whether all are over: fixed, gone, or another owner's.
    pub fn is_over(&self) -> bool {
        !self.is_cut && self.members.iter().all(Member::leaves)
    }

    /// What there is to say of all that is open, or, if nothing is, of what an exception covers; none if there is neither.
    pub fn facts(&self) -> Option<TicketFacts> {
        let open: Vec<&Record> = self.in_state(MemberState::Open).collect();
        let covered: Vec<&Record> = self.in_state(MemberState::Excepted).collect();
        let counted = if open.is_empty() { covered } else { open };
        Some(TicketFacts {
            priority: counted.iter().map(|record| record.priority()).max()?,
            due: counted.iter().filter_map(|record| due(record)).min(),
            exploit: counted.iter().any(|record| record.facts().exploit),
            known_exploited: counted.iter().any(|record| record.is_known_exploited()),
            fix: counted.iter().any(|record| {
                matches!(
                    Remediation::of(&record.finding),
                    Remediation::Update { .. } | Remediation::InstallUpdate(_)
                )
            }),
        })
    }

    /// The findings that are no matter of the ticket any more, and of which there is nothing to say: it never said that they
    /// were there, or all is over.
    pub fn done_with(&self) -> Vec<Mark<'a>> {
        let is_over = self.is_over();
        let leaving = self.members.iter().filter(|member| member.leaves());
        let leaving = leaving.filter(|member| is_over || member.told.is_none());
        leaving.map(|member| member.mark(None)).collect()
    }

    /// What the ticket is to remember of each finding once it says how all stand, where that is another thing than it
    /// remembers.
    pub fn marks(&self) -> Vec<Mark<'a>> {
        let marks = self.members.iter().filter_map(|member| match member.state {
            // Nothing is said of it before it is known how it ended.
            MemberState::Ended => None,
            _ if member.leaves() => Some(member.mark(None)),
            state => (member.told != Some(state)).then(|| member.mark(Some(state))),
        });
        marks.collect()
    }
}

impl<'a> Member<'a> {
    /// Whether it is no matter of the ticket any more, or never was: of what is not recorded any more nothing was said.
    fn leaves(&self) -> bool {
        self.state.leaves() || self.record.is_none() && self.told.is_none()
    }

    fn mark(&self, state: Option<MemberState>) -> Mark<'a> {
        Mark { arn: self.arn, state, noted: self.noted }
    }
}

/// By which day to act: by its due date, or on the last day of the exception that covers it.
fn due(record: &Record) -> Option<Date> {
    match record.exception() {
        Some(exception) => Some(exception.terms.expires_at),
        None => record.due_at.map(round::day),
    }
}
