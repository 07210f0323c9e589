//! The life of a finding, moment by moment, and how it stood at any of them.
//!
//! A finding's row says how it stands now; its history says what became of it before. How it stood at the end of a period is
//! told by the last moment before that, so a past period is the same whenever it is looked at.

use std::{borrow::Cow, cmp::Ordering};

use jiff::{SignedDuration, Timestamp};

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

    /// Whether a suppression rule hid it that nothing explained.
    pub fn is_hidden(&self) -> bool {
        self.facts.status == Status::Suppressed && !self.is_open()
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

/// What becomes of a finding, as far as that says how it stood before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was opened here for the first time.
    Opened,
    /// It had ended, and was opened again.
    Reopened,
    /// Nothing of how it stands: people were reminded of it, or it was found out how it had ended.
    Nothing,
    /// Something else.
    Other,
}

/// What became of a finding at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When that was written down, or known before.
    pub at: Timestamp,
    /// The revision of the row that it made, by which moments have an order; none in rows of before that was kept.
    pub revision: Option<u64>,
    /// What became of it.
    pub change: Change,
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
    subject: Box<Subject>,
    state: State,
    first_seen_at: Timestamp,
    last_told_at: Option<Timestamp>,
}

impl Moment {
    /// How a finding stood before this, as far as can be told from it: what became of it before is not kept any more.
    fn state_before(&self, first_seen_at: Timestamp) -> State {
        let mut before = self.state.clone();
        before.excepted = before.excepted.filter(|one| one.since < self.at);
        let uncovered =
            before.excepted.as_mut().and_then(|one| one.ended.take_if(|ended| ended.at >= self.at));
        let ended_now = before.end.take_if(|end| end.at >= self.at);
        if let Some(end) = ended_now {
            before.facts.status = Status::Active;
            let life = |life| Life { ended_at: None, due_at: end.due_at, ..life };
            before.life = before.life.map(life);
            return before;
        }
        match self.change {
            Change::Opened | Change::Reopened => {
                before.facts.status = Status::Closed;
                let had_ended = self.change == Change::Reopened;
                before.end = had_ended.then(|| Box::new(End::unknown(first_seen_at)));
            }
            // It may have been due later, or not so urgent.
            Change::Other if uncovered.is_some() || before.is_open() => {
                before.life = before.life.map(|life| Life { due_at: None, ..life });
            }
            Change::Nothing | Change::Other => {}
        }
        before
    }
}

/// A time for which a finding was open after its due date, and no exception covered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The due date that had passed.
    pub due_at: Timestamp,
    /// Since when it was late: its due date, unless it came or came back after that.
    pub from: Timestamp,
    /// Until when: by Inspector's clock, if it ended then.
    pub until: Timestamp,
    /// When it was recorded that it was over.
    pub recorded_until: Timestamp,
    /// What became of it then; open if it still was, or was due later from then on.
    pub then: Outcome,
}

impl Late {
    /// For how long it was.
    pub fn by(&self) -> SignedDuration {
        self.until.duration_since(self.from)
    }

    /// The same and what followed it at once, as one.
    fn with(self, next: Self) -> Option<Self> {
        let goes_on = self.then == Outcome::Open && self.until == next.from;
        goes_on.then_some(Self { due_at: self.due_at, from: self.from, ..next })
    }
}

impl Trail {
    /// Takes the row of the finding.
    pub fn add_row(&mut self, record: &Record, owner_tags: &OwnerTags) {
        self.row = Some(Row {
            subject: Box::new(Subject::of(record, owner_tags)),
            state: State::of(record),
            first_seen_at: record.first_seen_at,
            last_told_at: record.announced.as_ref().map(|told| told.at),
        });
    }

    /// Takes a row of its history.
    pub fn add_moment(&mut self, moment: Moment) {
        // Most have few, and there are very many of these lists.
        self.moments.reserve_exact(1);
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
    }

    /// What it is about; none where only its history is left.
    pub fn subject(&self) -> Option<&Subject> {
        self.row.as_ref().map(|row| &*row.subject)
    }

    /// The same, when nothing else is asked any more.
    pub(super) fn into_subject(self) -> Option<Box<Subject>> {
        self.row.map(|row| row.subject)
    }

    /// When we first heard of it.
    pub fn first_seen_at(&self) -> Option<Timestamp> {
        self.row.as_ref().map(|row| row.first_seen_at)
    }

    /// When people were first told of it, if that was by `as_of` and is kept: not of one that came before its history is whole.
    pub fn first_told_at(
        &self,
        as_of: Timestamp,
        whole_since: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let row = self.row.as_ref()?;
        let is_kept = whole_since.is_none_or(|whole| whole <= row.first_seen_at);
        let first = self.first_told_at.or(row.last_told_at);
        first.filter(|at| is_kept && *at <= as_of)
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

    /// The times for which it was late, as of a moment, the earliest first.
    pub fn late(&self, as_of: Timestamp) -> Vec<Late> {
        let Some(first) = self.first_seen_at().filter(|first| *first <= as_of) else {
            return Vec::new();
        };
        let moments = self.moments.iter().filter(|moment| moment.at <= as_of);
        let later = moments.map(|moment| moment.at).filter(|at| *at > first);
        let mut begins: Vec<Timestamp> = std::iter::once(first).chain(later).collect();
        begins.dedup();
        let states: Vec<_> = begins.iter().filter_map(|at| self.at(*at)).collect();
        let mut all: Vec<Late> = Vec::new();
        for (place, (from, state)) in begins.iter().zip(&states).enumerate() {
            let recorded_until = begins.get(place + 1).copied().unwrap_or(as_of);
            let next = states.get(place + 1);
            let Some(due_at) = state.due_at().filter(|_| state.outcome() == Outcome::Open) else {
                continue;
            };
            let ended_at = next.and_then(|next| next.ended_at());
            let late = Late {
                due_at,
                from: due_at.max(*from),
                until: ended_at.map_or(recorded_until, |ended| ended.min(recorded_until)),
                recorded_until,
                then: next.map_or(Outcome::Open, |next| next.outcome()),
            };
            if late.from >= late.until {
                continue;
            }
            match all.last_mut().map(|before| (before.with(late), before)) {
                Some((Some(both), before)) => *before = both,
                _ => all.push(late),
            }
        }
        all
    }

    /// The figures' view of it at a moment; none if nobody had heard of it.
    pub fn standing(&self, moment: Timestamp) -> Option<Standing> {
        Some(self.at(moment)?.standing(self.first_seen_at()?))
    }
}
