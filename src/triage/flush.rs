//! The way of many findings that wait: one summary.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Attempt, Begun, Known, Observation, Outran, Publish, Store, Triage, has_time_for,
    held_by_others, under,
};
use crate::{
    announce::{Decision, decide, problems},
    failure::{CallFailed, Failure},
    message,
    record::{Audience, Lease, Record, Told, Why},
};

/// What became of a flush, as the function returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Flushed {
    /// What was done.
    pub outcome: FlushOutcome,
    /// How many findings people were told of.
    pub findings: usize,
    /// In how many messages.
    pub messages: usize,
}

/// What a flush did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlushOutcome {
    /// It told what it might. None at all if notifications are off, if somebody else is at it, or if
    /// messages keep going out at this very moment; then the next flush tells.
    Flushed,
    /// Nothing was waiting.
    NothingPending,
}

impl FlushOutcome {
    /// The outcome as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flushed => "flushed",
            Self::NothingPending => "nothing-pending",
        }
    }
}

/// How many findings one summary has at most.
const MOST: usize = 2_000;

impl<S: Store, P: Publish> Triage<S, P> {
    /// Tells people of all that waits to be told: in one summary, or several if that is very much.
    ///
    /// # Errors
    /// Something was not done that should have been. What was told is not told again by the next
    /// flush.
    pub async fn flush(&self, attempt: Attempt<'_>) -> Result<Flushed, Failure> {
        let mut all = Flushed { outcome: FlushOutcome::Flushed, findings: 0, messages: 0 };
        if !self.notify {
            return Ok(all);
        }
        has_time_for(3, SUMMARY, attempt)?;
        let mut since = None;
        let mut failed = None;
        loop {
            let waiting = self.store.waiting(MOST, since).await.map_err(Failure::Store)?;
            let oldest = waiting.since.first().map(|&oldest| attempt.now.duration_since(oldest));
            (attempt.observe)(Observation::Waiting {
                findings: waiting.since.len(),
                oldest: oldest.unwrap_or_default(),
            });
            let Some(&newest) = waiting.since.last() else {
                if since.is_none() {
                    all.outcome = FlushOutcome::NothingPending;
                }
                break;
            };
            let may_be_more = waiting.since.len() == MOST;
            if waiting.rows.is_empty() {
                if may_be_more {
                    since = Some(newest);
                    continue;
                }
                if all.messages == 0 {
                    all.outcome = FlushOutcome::NothingPending;
                }
                break;
            }
            let lease = Lease::new(attempt.name, attempt.now);
            let begun = self.store.begin_summary(&lease, self.budget, attempt.now).await;
            match begun.map_err(Failure::Store)? {
                Begun::Yes => {}
                Begun::UnderWay | Begun::TooSoon => break,
            }
            let flushed = self.sum_up(waiting.rows, &lease, attempt).await;
            self.store.end_summary(&lease).await.map_err(Failure::Store)?;
            match flushed {
                Ok(Flushed { findings, messages, .. }) => {
                    all.findings += findings;
                    all.messages += messages;
                }
                // What an audience could not be told must not stand in the way of what is newer.
                Err(error @ Failure::Publish(_)) => failed = Some(error),
                Err(error) => return Err(error),
            }
            since = Some(newest);
            // What is left is for the next flush.
            if !may_be_more || has_time_for(4, SUMMARY, attempt).is_err() {
                break;
            }
        }
        failed.map_or(Ok(all), Err)
    }

    /// Tells people of those of `waiting` that nobody else is telling them of.
    async fn sum_up(
        &self,
        waiting: Vec<Record>,
        lease: &Lease,
        attempt: Attempt<'_>,
    ) -> Result<Flushed, Failure> {
        let free: Vec<Record> =
            waiting.into_iter().filter(|row| held_by_others(row, attempt).is_none()).collect();
        let leased = self.store.lease(&free, lease).await.map_err(Failure::Store)?;
        let ours = free.into_iter().zip(leased).filter(|(_, outran)| *outran == Outran::No);
        let mut rows: Vec<Row> = ours
            .map(|(record, _)| match decide(&record) {
                Decision::Alert(why) => Row::new(under(record, lease), Some(why)),
                Decision::Quiet(_) => Row::new(under(record, lease), None),
            })
            .collect();
        has_time_for(2, SUMMARY, attempt)?;

        let mut messages = 0;
        let mut failed = None;
        for &audience in self.publisher.audiences() {
            match self.tell(audience, &mut rows, attempt).await {
                Ok(sent) => messages += sent,
                Err(error) => failed = Some(error),
            }
        }
        let all = self.publisher.audiences();
        let heard = rows.iter().filter(|row| !row.heard.is_empty()).map(|row| &row.record.finding);
        let findings = heard.clone().count();
        if findings > 0 {
            (attempt.observe)(Observation::announced(heard, attempt.now));
        }
        let told = rows.into_iter().map(|row| {
            let told = match row.why {
                Some(why) => row.record.telling(why, &row.heard, all, attempt.now, false),
                None => Told::Nobody,
            };
            (row.record, told)
        });
        let told: Vec<(Record, Told)> = told.collect();
        let known = known(&told);
        self.note(told, lease, attempt).await?;
        self.store.know(&known, attempt.now).await.map_err(Failure::Store)?;
        match failed {
            Some(failed) => Err(Failure::Publish(failed)),
            None => Ok(Flushed { outcome: FlushOutcome::Flushed, findings, messages }),
        }
    }

    /// Tells one audience of the findings it has not heard of, in as few messages as will do; how
    /// many.
    async fn tell(
        &self,
        audience: Audience,
        rows: &mut [Row],
        attempt: Attempt<'_>,
    ) -> Result<usize, CallFailed> {
        let mut missing: Vec<&mut Row> = rows
            .iter_mut()
            .filter(|row| row.why.is_some() && !row.record.heard().contains(&audience))
            .collect();
        let news: Vec<(&Record, Why)> =
            missing.iter().filter_map(|row| Some((&row.record, row.why?))).collect();
        if news.is_empty() {
            return Ok(0);
        }
        let parts = message::summary(audience, &news, attempt.now, self.language);
        let sent = parts.len();
        for (message, about) in parts {
            self.publisher.publish(audience, &message).await?;
            for row in about {
                missing[row].heard.push(audience);
            }
        }
        Ok(sent)
    }
}

/// What people know after a summary that told them all of this: each problem once, as urgent as it
/// was told.
fn known(told: &[(Record, Told)]) -> Vec<Known> {
    let mut known: BTreeMap<(String, &'static str), Known> = BTreeMap::new();
    for (record, told) in told {
        let Told::All(announced) = told else { continue };
        for problem in problems(&record.finding) {
            let new = Known {
                finding: record.finding.arn.clone(),
                priority: record.assessment.priority,
                why: announced.why,
                problem,
            };
            let key = (new.problem.key.clone(), new.why.as_str());
            match known.get_mut(&key) {
                Some(old) if old.priority >= new.priority => {}
                _ => {
                    known.insert(key, new);
                }
            }
        }
    }
    known.into_values().collect()
}

/// What a flush does, for an error.
const SUMMARY: &str = "the summary of what waits";

/// A finding that waits.
struct Row {
    record: Record,
    /// Why people are to be told; `None` if there is nothing to tell after all.
    why: Option<Why>,
    /// Who has heard of it just now.
    heard: Vec<Audience>,
}

impl Row {
    fn new(record: Record, why: Option<Why>) -> Self {
        Self { record, why, heard: Vec::new() }
    }
}
