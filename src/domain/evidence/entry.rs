//! A finding of a period: how it came, how it was rated, and what became of it.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::{Late, Period, State, Subject, Trail};
use crate::domain::{
    figures::Outcome, ledger::end_of, record::Excepted, round::day, threat::Listing,
};

/// A finding that was open at some time in the period, or hidden by a suppression rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is about.
    pub subject: Box<Subject>,
    /// How it stood at the end of the period.
    pub state: State,
    /// When we first heard of it.
    pub first_seen_at: Timestamp,
    /// When people were first told of it; none if they were not, or that is not kept.
    pub first_told_at: Option<Timestamp>,
    /// Whether it was open when the period began.
    pub was_open: bool,
    /// What had become of it at the end of the period. Never open stands for what a suppression rule hid that was not open in
    /// the period.
    pub outcome: Outcome,
    /// Whether it was open at the end, its due date had passed, and no exception covered it.
    pub is_overdue: bool,
    /// The time in the period for which it was open after its due date: the last one if it still was at the end, else the
    /// longest.
    pub late: Option<Late>,
    /// The last exception that covered it in the period.
    pub exception: Option<Box<Excepted>>,
    /// Whether how it stood is not kept any more, and was told from what became of it after the period.
    pub is_inferred: bool,
}

impl Entry {
    /// The finding of a trail in a period; none if it was not open in it.
    pub(super) fn of(
        trail: Trail,
        period: &Period,
        whole_since: Option<Timestamp>,
    ) -> Option<Self> {
        let state = trail.at(period.as_of)?;
        let was_open = trail.at(period.since).is_some_and(|state| state.is_open());
        let was_open_in_it = was_open
            || state.is_open()
            || trail.between(period.since, period.as_of).any(|moment| moment.state.is_open());
        let is_hidden = state.is_hidden();
        if !was_open_in_it && !is_hidden {
            return None;
        }
        let outcome = if was_open_in_it { state.outcome() } else { Outcome::NeverOpen };
        let mut late = trail.late(period.as_of);
        late.retain(|late| period.meets(late.from, Some(late.recorded_until)));
        let first_seen_at = trail.first_seen_at()?;
        let is_overdue = state.standing(first_seen_at).is_overdue(period.as_of);
        let last = late.last().copied().filter(|_| is_overdue);
        let first_told_at = trail.first_told_at(period.as_of, whole_since);
        let exception = exception(&trail, &state, period).map(Box::new);
        let is_inferred = matches!(state, Cow::Owned(_));
        let state = state.into_owned();
        Some(Self {
            // It is the greatest part, and there are very many.
            subject: trail.into_subject()?,
            state,
            first_seen_at,
            first_told_at,
            was_open,
            outcome,
            is_overdue,
            late: last.or_else(|| late.into_iter().max_by_key(Late::by)),
            exception,
            is_inferred,
        })
    }

    /// When it ended, if it had: by Inspector's clock, where that is known.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.state.ended_at()
    }

    /// How long it was open before it ended, if both are known.
    pub fn open_for(&self) -> Option<SignedDuration> {
        let opened_at = self.state.life?.opened_at?;
        let open_for = self.ended_at()?.duration_since(opened_at);
        Some(open_for).filter(|time| !time.is_negative())
    }

    /// Whether what was fixed was fixed by its due date, or under an exception; none if it had no due date, or none is kept.
    pub fn was_in_time(&self) -> Option<bool> {
        let is_covered = self.state.excepted.as_ref().is_some_and(|one| one.ended.is_none());
        let due_at = self.state.due_at()?;
        Some(is_covered || self.ended_at()? <= due_at)
    }

    /// Whether it is not kept by when it was due.
    pub fn lost_its_due_date(&self) -> bool {
        self.state.due_at().is_none() && (self.state.life.is_none() || self.is_inferred)
    }

    /// What CISA's catalogue says of the vulnerability, if it had it as the finding stood.
    pub fn listing(&self) -> Option<&Listing> {
        self.subject.listing.as_ref().filter(|_| self.state.facts.known_exploited)
    }

    /// By when CISA has it remedied.
    pub fn catalogue_due(&self) -> Option<Timestamp> {
        self.listing().and_then(|listing| listing.due)
    }

    /// Whether that day had passed at the end of the period.
    pub fn is_past_catalogue_due(&self, period: &Period) -> bool {
        self.catalogue_due().is_some_and(|due| period.as_of >= end_of(day(due)))
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
