//! A finding of a period: how it came, how it was rated, and what became of it.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::{Period, State, Subject, Trail};
use crate::domain::{figures::Outcome, record::Excepted};

/// A finding that was open at some time in the period, or hidden by a suppression rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is about.
    pub subject: Subject,
    /// How it stood at the end of the period.
    pub state: State,
    /// When we first heard of it.
    pub first_seen_at: Timestamp,
    /// When people were first told of it; none if they were not, or that is not kept.
    pub first_told_at: Option<Timestamp>,
    /// Whether it was open when the period began.
    pub was_open: bool,
    /// What had become of it at the end of the period: never open only if a suppression rule hid it.
    pub outcome: Outcome,
    /// How long after its due date it was open, if it was in the period: until it ended, until an exception covered it, or
    /// until the end of the period.
    pub late_by: Option<SignedDuration>,
    /// The last exception that covered it in the period.
    pub exception: Option<Excepted>,
    /// Whether how it stood is not kept any more, and was told from what became of it after the period.
    pub is_inferred: bool,
}

impl Entry {
    /// The finding of a trail in a period; none if it was not open in it.
    pub(super) fn of(trail: &Trail, period: &Period) -> Option<Self> {
        let state = trail.at(period.as_of)?;
        let was_open = trail.at(period.since).is_some_and(|state| state.is_open());
        let was_open_in_it = was_open
            || state.is_open()
            || trail.between(period.since, period.as_of).any(|moment| moment.state.is_open());
        let is_hidden = state.is_hidden();
        if !was_open_in_it && !is_hidden {
            return None;
        }
        let late = state.late(period.as_of);
        let late = late.filter(|(due, until)| period.meets(*due, Some(*until)));
        Some(Self {
            subject: trail.subject()?.clone(),
            first_seen_at: trail.first_seen_at()?,
            first_told_at: trail.first_told_at(period.as_of),
            was_open,
            outcome: state.outcome(),
            late_by: late.map(|(due, until)| until.duration_since(due)),
            exception: exception(trail, &state, period),
            is_inferred: matches!(state, Cow::Owned(_)),
            state: state.into_owned(),
        })
    }

    /// When it ended, if it had: by Inspector's clock, where that is known.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.state.ended_at()
    }

    /// How long it was open before it ended, if both are known.
    pub fn open_for(&self) -> Option<SignedDuration> {
        let opened_at = self.state.life?.opened_at?;
        Some(self.ended_at()?.duration_since(opened_at))
    }
}

/// The last exception that covered a finding in the period.
fn exception(trail: &Trail, state: &State, period: &Period) -> Option<Excepted> {
    let covered_in_it = |one: &&Excepted| period.meets(one.since, one.ended.map(|ended| ended.at));
    let ended_with_it = |one: &&Excepted| {
        // A finding that ended under its cover was not covered after that.
        let end = state.end.as_ref().map(|end| end.at);
        one.ended.is_some() || end.is_none_or(|end| end > period.since)
    };
    let last = state.excepted.as_deref().filter(covered_in_it).filter(ended_with_it);
    let earlier = || {
        let moments = trail.between(period.since, period.as_of);
        moments.filter_map(|moment| moment.state.excepted.as_deref()).filter(covered_in_it).last()
    };
    last.or_else(earlier).cloned()
}
