//! The daily round: what Inspector's events did not say.
//!
//! Parts, one after the other, each in a file of its own. Each ends, can be gone on with where it stopped, and may be done
//! twice without harm. `course` is the one home of going on.

mod baseline;
mod course;
mod coverage;
mod enabled;
mod figures;
mod ledger;
mod listing;
mod reminders;
mod rewrite;
mod tell;
mod threat;
mod vanished;
mod weekly;

use std::{collections::BTreeMap, pin::pin};

use futures_util::future::{Either, select};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    attempt::{Attempt, Observation},
    failure::{Failure, chain},
    ports::{
        Alerts, Archive, Exceptions, FigureLog, Gaps, Inspector, NotAnswered, Publisher, Records,
        Refusal, RoundLog, Summaries, Sweep, Threats,
    },
    service::Triage,
};
use crate::domain::{
    finding::Scope,
    round::{Ask, Owed, Part, PartState},
};
use course::{Course, Noting};
use weekly::Weekly;

/// Of how many findings rows are read and written at a time.
const ROWS_AT_ONCE: usize = 200;

/// The daily round: what it asks, and what it does the work with.
#[derive(Debug)]
pub struct Review<S, P, I, A> {
    /// What records findings, and tells people.
    pub triage: Triage<S, P>,
    /// Whom it asks.
    pub inspector: I,
    /// Where the pages of reviews are kept, if anywhere.
    pub archive: A,
    /// Which findings are recorded that nobody has heard of.
    pub scope: Scope,
    /// What the names of our own functions begin with, whose code nobody expects to be scanned.
    pub own_functions: Vec<String>,
}

/// What came of an event, as the function returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoundResult {
    /// Whether all was done that there is time for today.
    pub outcome: RoundOutcome,
    /// What was counted, by part.
    pub parts: BTreeMap<Part, BTreeMap<String, u64>>,
}

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoundOutcome {
    /// Nothing is left to do for now.
    Done,
    /// Time ran out, or somebody else is at it: the next event goes on.
    Continues,
}

impl RoundOutcome {
    /// The outcome as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Continues => "continues",
        }
    }
}

/// How a part ended for now.
enum Ended {
    /// There is nothing left to do.
    Done,
    /// There is no time left.
    OutOfTime,
}

/// Why a part could not be done.
enum Undone {
    /// Inspector did not answer.
    NotAnswered(NotAnswered),
    /// Something else failed.
    Failed(Failure),
    /// Somebody else is at it by now.
    HeldByOther,
}

impl From<NotAnswered> for Undone {
    fn from(refused: NotAnswered) -> Self {
        Self::NotAnswered(refused)
    }
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog + Gaps + Threats + Exceptions + FigureLog,
    P: Publisher,
    I: Inspector,
    A: Archive,
{
    /// Does what is due of the daily round, as far as there is time.
    ///
    /// # Errors
    /// How far it came could not be written down. A part that fails is no error: the others go on, and it is tried again
    /// with the next event.
    pub async fn daily(&self, ask: Ask, attempt: Attempt<'_>) -> Result<RoundResult, Failure> {
        let Some(mut course) = Course::begin(&self.triage.store, ask, attempt).await? else {
            return Ok(RoundResult { outcome: RoundOutcome::Continues, parts: BTreeMap::new() });
        };
        let keep = pin!(self.triage.store.keep(attempt.name, attempt.now));
        let work = Box::pin(self.work(ask, &mut course));
        let outcome = match select(work, keep).await {
            Either::Left((outcome, _)) => outcome?,
            Either::Right(_) => None,
        };
        let Some(outcome) = outcome else {
            return Ok(result(RoundOutcome::Continues, &course));
        };
        course.note(Noting::Leave).await?;
        Ok(result(outcome, &course))
    }

    /// Makes and tells the weekly review that is asked for at `asked_at`. If somebody else is at the daily round, whoever goes
    /// on with that does it.
    ///
    /// # Errors
    /// It could not be written down that the review is owed, or how far it came. A review that could not be made or told is no
    /// error: it is tried again with the next event.
    pub async fn weekly_review(
        &self,
        asked_at: Timestamp,
        attempt: Attempt<'_>,
    ) -> Result<RoundResult, Failure> {
        self.triage.store.ask_for_review(asked_at).await.map_err(Failure::Store)?;
        self.daily(Ask { review: Some(asked_at), ..Ask::default() }, attempt).await
    }

    /// Does the parts that are left, and tells what is owed. Nothing comes of it if somebody else is at it by now.
    async fn work(
        &self,
        ask: Ask,
        course: &mut Course<'_, S>,
    ) -> Result<Option<RoundOutcome>, Failure> {
        let weekly = self.weekly(ask, course).await?;
        if weekly == Weekly::HeldByOther {
            return Ok(None);
        }
        if ask.review.is_some() {
            let is_left = matches!(weekly, Weekly::Left | Weekly::Waits);
            return Ok(Some(if is_left { RoundOutcome::Continues } else { RoundOutcome::Done }));
        }
        let turns = Part::ALL.into_iter().map(|part| (part, false));
        for (part, is_first) in [(Part::Ledger, true)].into_iter().chain(turns) {
            if !is_first && course.round().state(part) != PartState::Open {
                continue;
            }
            let done = if is_first {
                self.ledger_first(course).await
            } else {
                self.part(part, course).await
            };
            let reason = match &done {
                Err(Undone::NotAnswered(refused)) => Some(chain(&refused.failed)),
                Err(Undone::Failed(failure)) => Some(failure.chain()),
                _ => None,
            };
            let observe = course.attempt().observe;
            let state = match done {
                Ok(Ended::Done) => PartState::Done,
                Ok(Ended::OutOfTime) => return Ok(Some(RoundOutcome::Continues)),
                Err(Undone::HeldByOther) => return Ok(None),
                // What failed because no time was left is no failure.
                Err(_) if course.limit().is_over() => {
                    if let Some(reason) = reason {
                        let what = format!("no time was left for the part {}", part.as_str());
                        observe(Observation::Warning { what, reason });
                    }
                    return Ok(Some(RoundOutcome::Continues));
                }
                Err(Undone::NotAnswered(NotAnswered { why: Refusal::Busy, .. })) => {
                    return Ok(Some(RoundOutcome::Continues));
                }
                Err(_) => PartState::Failed,
            };
            if let Some(reason) = reason {
                observe(Observation::PartFailed { part, reason });
            }
            if is_first {
                // It has its own turn as well.
                continue;
            }
            course.end(part, state);
            if !course.note(Noting::GoOn).await? {
                return Ok(None);
            }
        }
        for owed in Owed::ALL {
            if !self.tell_owed(owed, ask, course).await? {
                return Ok(None);
            }
        }
        if course.complete() {
            (course.attempt().observe)(Observation::RoundCompleted);
        }
        Ok(Some(RoundOutcome::Done))
    }

    async fn part(&self, part: Part, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        match part {
            Part::Enabled => self.enabled(course).await,
            Part::Listing => self.listing(course).await,
            Part::Vanished => self.vanished(course).await,
            Part::Threat => self.threat(course).await,
            Part::Ledger => self.ledger(course).await,
            Part::Coverage => self.coverage(course).await,
            Part::Reminders => self.reminders(course).await,
            Part::Figures => self.figures(course).await,
            // It is asked for, and no part of a round.
            Part::Review => Ok(Ended::Done),
        }
    }
}

fn result<S: RoundLog>(outcome: RoundOutcome, course: &Course<'_, S>) -> RoundResult {
    let parts = course.round().parts.iter().map(|(part, progress)| {
        let mut counts = progress.counts.clone();
        if progress.state == PartState::Failed {
            counts.insert("failed".to_owned(), 1);
        }
        (*part, counts)
    });
    let mut parts: BTreeMap<Part, BTreeMap<String, u64>> = parts.collect();
    if !course.reviewed.is_empty() {
        parts.insert(Part::Review, course.reviewed.clone());
    }
    RoundResult { outcome, parts }
}
