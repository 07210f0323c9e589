//! The life of a finding, moment by moment, and how it stood at any of them.
//!
//! A finding's row says how it stands now; its history says what became of it before. How it stood at the end of a period is
//! told by the last moment before that, so a past period is the same whenever it is looked at.

use std::{borrow::Cow, cmp::Ordering};

use jiff::Timestamp;

use super::Subject;
use crate::domain::{
    figures::{Outcome, Standing},
    finding::{OwnerTags, Status},
    record::{self, End, Excepted, Facts, Record},
};

/// How a finding stood from some moment on.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The facts that matter.
    pub facts: Facts,
    /// Its score, 0 to 100.
    pub score: u8,
    /// What its assessment is stamped with: the version of the policy, and a digest of what was set otherwise.
    pub policy: String,
    /// How it ended, if it was open here and had ended.
    pub end: Option<Box<End>>,
    /// The exception that covered it, or was the last that did.
    pub excepted: Option<Box<Excepted>>,
    /// What a row of before that was kept does not say.
    pub life: Option<Life>,
}

/// When a finding was open, and by when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// How often it was opened; 0 if it never was open here.
    pub opening: u32,
    /// Since when it was open, or had been before it ended, by Inspector's clock.
    pub opened_at: Option<Timestamp>,
    /// Since when it had ended, by Inspector's clock.
    pub ended_at: Option<Timestamp>,
    /// By when to act, while it was open.
    pub due_at: Option<Timestamp>,
}

impl State {
    /// How a record stands.
    pub fn of(record: &Record) -> Self {
        Self {
            facts: record.facts(),
            score: record.score(),
            policy: record.by_event.policy.clone(),
            end: record.end.clone().map(Box::new),
            excepted: record.excepted.clone().map(Box::new),
            life: Some(Life {
                opening: record.opening,
                opened_at: record.opened_at,
                ended_at: record.ended_at,
                due_at: record.due_at,
            }),
        }
    }

    /// Whether somebody had something to do, or would have when an exception ended.
    pub fn is_open(&self) -> bool {
        record::is_open(&self.facts.status, self.end.as_deref(), self.excepted.as_deref())
    }

    /// The exception that covered it, if one did.
    pub fn exception(&self) -> Option<&Excepted> {
        self.excepted.as_deref().filter(|one| one.ended.is_none() && self.is_open())
    }

    /// What had become of it.
    pub fn outcome(&self) -> Outcome {
        let how = self.end.as_ref().map(|end| end.how);
        Outcome::new(self.is_open(), self.exception().is_some(), how)
    }

    /// By when it was due: as it is open, or as it ended.
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.end {
            Some(end) => end.due_at,
            None => self.life.and_then(|life| life.due_at),
        }
    }

    /// When it had ended, if it had: by Inspector's clock, where that is known, else when that was recorded.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let end = self.end.as_ref()?;
        Some(self.life.and_then(|life| life.ended_at).unwrap_or(end.at))
    }

    /// Whether a suppression rule hid it that nothing explained, and it never was open here.
    pub fn is_hidden(&self) -> bool {
        self.facts.status == Status::Suppressed && self.outcome() == Outcome::NeverOpen
    }

    /// From when to when it was open after its due date, as of a moment: until it ended, until an exception covered it, or
    /// until that moment. None if it was not.
    pub fn late(&self, as_of: Timestamp) -> Option<(Timestamp, Timestamp)> {
        if !self.is_open() && self.end.is_none() {
            return None;
        }
        let covered = self.excepted.as_ref().filter(|one| one.ended.is_none());
        let covered_since = covered.map(|one| one.since);
        let until = covered_since.or(self.ended_at()).unwrap_or(as_of);
        Some((self.due_at()?, until)).filter(|(due, until)| due < until)
    }

    /// The figures' view of it, of a finding that was first heard of at `first_seen_at`.
    pub fn standing(&self, first_seen_at: Timestamp) -> Standing {
        // What a row does not say was open, if it has a history.
        let unknown = Life { opening: 1, opened_at: None, ended_at: None, due_at: None };
        let Life { opening, opened_at, ended_at, due_at } = self.life.unwrap_or(unknown);
        Standing {
            first_seen_at,
            opening,
            opened_at,
            ended_at,
            due_at,
            priority: self.facts.priority,
            outcome: self.outcome(),
            end_recorded_at: self.end.as_ref().map(|end| end.at),
            is_pending: false,
            known_exploited: self.facts.known_exploited,
        }
    }
}

/// What became of a finding at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When that was written down, or known before.
    pub at: Timestamp,
    /// The revision of the row that it made, by which moments have an order; none in rows of before that was kept.
    pub revision: Option<u64>,
    /// Whether it was opened again by it.
    pub is_reopening: bool,
    /// How it stood then.
    pub state: State,
}

impl Moment {
    /// Those with a revision are later than those without; their order among themselves is that of the rows.
    fn order(&self, other: &Self) -> Ordering {
        match (self.revision, other.revision) {
            (None, None) => self.at.cmp(&other.at),
            (one, other) => one.cmp(&other),
        }
    }
}

/// The life of a finding.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    row: Option<Row>,
    moments: Vec<Moment>,
    /// When people were first told, as far as that is kept.
    first_told_at: Option<Timestamp>,
}

/// The row of a finding.
#[derive(Clone, Debug)]
struct Row {
    subject: Subject,
    state: State,
    first_seen_at: Timestamp,
    last_told_at: Option<Timestamp>,
}

impl Moment {
    /// How a finding stood before this, as far as can be told from it: what became of it before is not kept any more.
    fn state_before(&self, first_seen_at: Timestamp) -> State {
        let mut before = self.state.clone();
        before.excepted = before.excepted.filter(|one| one.since < self.at);
        let ended_now = before.end.take_if(|end| end.at >= self.at);
        if let Some(end) = ended_now {
            before.facts.status = Status::Active;
            let life = |life| Life { ended_at: None, due_at: end.due_at, ..life };
            before.life = before.life.map(life);
        } else if self.is_reopening {
            before.facts.status = Status::Closed;
            before.end = Some(Box::new(End::unknown(first_seen_at)));
        }
        before
    }
}

impl Trail {
    /// Takes the row of the finding.
    pub fn add_row(&mut self, record: &Record, owner_tags: &OwnerTags) {
        self.row = Some(Row {
            subject: Subject::of(record, owner_tags),
            state: State::of(record),
            first_seen_at: record.first_seen_at,
            last_told_at: record.announced.as_ref().map(|told| told.at),
        });
    }

    /// Takes a row of its history.
    pub fn add_moment(&mut self, moment: Moment) {
        self.moments.push(moment);
    }

    /// Takes that people were told of it.
    pub fn add_told(&mut self, at: Timestamp) {
        self.first_told_at = Some(self.first_told_at.map_or(at, |before| before.min(at)));
    }

    /// Brings its moments into their order, and none of them before the one before it.
    pub(super) fn settle(&mut self) {
        self.moments.sort_by(Moment::order);
        let mut latest = self.first_seen_at().unwrap_or(Timestamp::MIN);
        for moment in &mut self.moments {
            latest = latest.max(moment.at);
            moment.at = latest;
        }
        self.moments.shrink_to_fit();
    }

    /// What it is about; none where only its history is left.
    pub fn subject(&self) -> Option<&Subject> {
        self.row.as_ref().map(|row| &row.subject)
    }

    /// When we first heard of it.
    pub fn first_seen_at(&self) -> Option<Timestamp> {
        self.row.as_ref().map(|row| row.first_seen_at)
    }

    /// When people were first told of it, if that was by `as_of` and is kept.
    pub fn first_told_at(&self, as_of: Timestamp) -> Option<Timestamp> {
        let last = self.row.as_ref().and_then(|row| row.last_told_at);
        self.first_told_at.or(last).filter(|at| *at <= as_of)
    }

    /// When the last of its moments was.
    pub fn last_at(&self) -> Option<Timestamp> {
        self.moments.iter().map(|moment| moment.at).max()
    }

    /// What became of it after one moment and until another.
    pub fn between(&self, after: Timestamp, until: Timestamp) -> impl Iterator<Item = &Moment> {
        self.moments.iter().filter(move |moment| after < moment.at && moment.at <= until)
    }

    /// How it stood at a moment; none if nobody here had heard of it. Owned where what became of it before is not kept any
    /// more, and how it stood is told by what became of it next.
    pub fn at(&self, moment: Timestamp) -> Option<Cow<'_, State>> {
        let row = self.row.as_ref().filter(|row| row.first_seen_at <= moment)?;
        let later = self.moments.partition_point(|one| one.at <= moment);
        let last = later.checked_sub(1).map(|last| &self.moments[last].state);
        Some(match (last, self.moments.get(later)) {
            // Rows of before that was kept say less than the finding's own.
            (Some(last), None) if last.life.is_none() => Cow::Borrowed(&row.state),
            (Some(last), _) => Cow::Borrowed(last),
            (None, Some(next)) => Cow::Owned(next.state_before(row.first_seen_at)),
            (None, None) => Cow::Borrowed(&row.state),
        })
    }

    /// The figures' view of it at a moment; none if nobody had heard of it.
    pub fn standing(&self, moment: Timestamp) -> Option<Standing> {
        Some(self.at(moment)?.standing(self.first_seen_at()?))
    }
}
