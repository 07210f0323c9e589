//! The exception that covers a finding, as its row keeps it.
//!
//! The row has the terms of the exception, so that whatever changes the facts ends the cover in the same write, without a
//! look at the ledger. That its last day has passed, or that the ledger has it no more, is for the daily round to find.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Record, Transition};
use crate::domain::{
    assess::Policy,
    finding::Status,
    ledger::{Cover, Decision, Exception, InForce, Situation, Terms, WhyEnded},
};

/// The exception that covers a finding, or was the last that did.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Excepted {
    /// The exception.
    pub id: String,
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it is followed up.
    pub ticket: Option<String>,
    /// When it ends.
    #[serde(flatten)]
    pub terms: Terms,
    /// Since when it covers the finding.
    pub since: Timestamp,
    /// When it was changed since then, in its words or its terms.
    pub changed_at: Option<Timestamp>,
    /// That it does so no more.
    pub ended: Option<CoverEnd>,
    /// Whether a suppression rule hides the finding as well. Then the exception says until when it is settled, and not the
    /// rule, which outlives the facts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Whether programs have heard that it covers the finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
}

/// The end of a cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CoverEnd {
    /// When it was recorded.
    pub at: Timestamp,
    /// Why.
    pub why: WhyEnded,
}

impl Excepted {
    fn new(exception: &Exception, since: Timestamp) -> Self {
        Self {
            id: exception.id.clone(),
            decision: exception.decision,
            reason: exception.reason.clone(),
            owner: exception.owner.clone(),
            ticket: exception.ticket.clone(),
            terms: exception.terms.clone(),
            since,
            changed_at: None,
            ended: None,
            hidden: false,
            told: false,
        }
    }
}

impl Record {
    /// What of the finding an exception may end with.
    pub fn situation(&self) -> Situation<'_> {
        Situation {
            finding: &self.finding,
            priority: self.priority(),
            known_exploited: self.is_known_exploited(),
            seen_exploited: self.is_seen_exploited(),
        }
    }

    /// The exception that covers the finding, if it is open and one does.
    pub fn exception(&self) -> Option<&Excepted> {
        self.excepted.as_ref().filter(|one| one.ended.is_none() && self.is_open())
    }

    /// By when to act: by its due date, or when the exception ends that covers it.
    pub fn act_by(&self) -> Option<Timestamp> {
        match self.exception() {
            Some(exception) => Some(exception.terms.end()),
            None => self.due_at,
        }
    }

    /// The exception that has ended and that people who were last told at `told_at` do not know the end of.
    pub fn ended_exception(&self, told_at: Option<Timestamp>) -> Option<&Excepted> {
        let is_unknown = |end: &CoverEnd| told_at.is_none_or(|told_at| told_at < end.at);
        self.excepted.as_ref().filter(|one| one.ended.as_ref().is_some_and(is_unknown))
    }

    /// Whether a suppression rule hides it, and no exception says why.
    pub fn is_hidden(&self) -> bool {
        *self.status() == Status::Suppressed && !self.is_open()
    }

    /// Whether a suppression rule hides it that an exception explains, or did: one that has ended leaves it open.
    pub(super) fn is_hidden_by_exception(&self) -> bool {
        self.finding.status == Status::Suppressed
            && self.excepted.as_ref().is_some_and(|one| one.hidden)
    }

    /// The record as `ledger` has it at `now`, and what that changed; none if nothing did.
    pub fn under(
        &self,
        ledger: &InForce,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<(Self, Transition)> {
        if !self.is_open() {
            return self.explained_by(ledger, policy, now);
        }
        let situation = self.situation();
        match (ledger.cover(&situation, now), self.exception()) {
            (Cover::By(exception), before) => {
                let new = Excepted::new(exception, now);
                let excepted = match before {
                    Some(before) if before.id == new.id => {
                        let Excepted { since, changed_at, hidden, told, .. } = *before;
                        let same = Excepted { since, changed_at, hidden, told, ..new };
                        if same == *before {
                            return None;
                        }
                        Excepted { changed_at: Some(now), ..same }
                    }
                    _ => Excepted { hidden: self.is_hidden_by_exception(), ..new },
                };
                let record = Self { excepted: Some(excepted), ..self.clone() };
                Some((record.waiting(now), Transition::Excepted))
            }
            (Cover::None(_), None) => None,
            (Cover::None(others), Some(before)) => {
                let in_ledger = others.iter().find(|other| other.exception.id == before.id);
                let why = before.terms.ended(&situation, now);
                let why = why.or(in_ledger.map(|other| other.why)).unwrap_or(WhyEnded::Withdrawn);
                let due = policy.due_at(&self.finding, self.threat.as_ref(), self.priority(), now);
                Some((
                    self.clone().uncovered(why, due, now).waiting(now),
                    Transition::ExceptionEnded,
                ))
            }
        }
    }

    /// The record of a finding that a suppression rule hides, if `ledger` says why: excepted, and open as any that is.
    fn explained_by(
        &self,
        ledger: &InForce,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<(Self, Transition)> {
        if !self.is_hidden() {
            return None;
        }
        let Cover::By(exception) = ledger.cover(&self.situation(), now) else {
            return None;
        };
        let record = Self {
            excepted: Some(Excepted { hidden: true, ..Excepted::new(exception, now) }),
            opening: self.opening.max(1),
            ended_at: None,
            end: None,
            due_at: policy.due_at(&self.finding, self.threat.as_ref(), self.priority(), now),
            ..self.clone()
        };
        Some((record.waiting(now), Transition::Excepted))
    }

    /// The record after the facts have changed: without the cover, if that ends with them. Somebody has to act until `due`
    /// then, at the earliest.
    #[must_use]
    pub(super) fn covered_still(self, due: Option<Timestamp>, now: Timestamp) -> Self {
        let why = self.exception().and_then(|one| one.terms.ended(&self.situation(), now));
        match why {
            Some(why) => self.uncovered(why, due, now),
            None => self,
        }
    }

    fn uncovered(mut self, why: WhyEnded, due: Option<Timestamp>, now: Timestamp) -> Self {
        if let Some(excepted) = &mut self.excepted {
            excepted.ended = Some(CoverEnd { at: now, why });
        }
        // Nobody had to act while it was covered.
        self.due_at = self.due_at.map(|before| due.map_or(before, |due| due.max(before)));
        self
    }
}
