//! The way of many findings that wait: one summary.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Serialize;

use super::{
    attempt::{Attempt, Observation},
    deliver::{announced_problems, held_by_others, with_lease},
    ports::{Alerts, AnnouncedProblem, Publisher, Summaries, SummaryLock, WriteOutcome},
    triage::Triage,
};
use crate::{
    app::failure::{CallFailed, Failure},
    domain::record::{AlertReason, Audience, Decision, Delivery, Lease, Record, decide},
    render::message,
};

/// What became of a flush, as the function returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FlushResult {
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
const MAX_PER_SUMMARY: usize = 2_000;

impl<S: Alerts + Summaries, P: Publisher> Triage<S, P> {
    /// Tells people of all that waits to be told: in one summary, or several if that is very much.
    ///
    /// # Errors
    /// Something was not done that should have been. What was told is not told again by the next
    /// flush.
    pub async fn flush(&self, attempt: Attempt<'_>) -> Result<FlushResult, Failure> {
        let mut all = FlushResult { outcome: FlushOutcome::Flushed, findings: 0, messages: 0 };
        if !self.config.notify {
            return Ok(all);
        }
        attempt.has_time_for(3, SUMMARY)?;
        let mut since = None;
        let mut failed = None;
        loop {
            let waiting =
                self.store.pending(MAX_PER_SUMMARY, since).await.map_err(Failure::Store)?;
            let oldest = waiting.since.first().map(|&oldest| attempt.now.duration_since(oldest));
            (attempt.observe)(Observation::Pending {
                findings: waiting.since.len(),
                oldest: oldest.unwrap_or_default(),
            });
            let Some(&newest) = waiting.since.last() else {
                if since.is_none() {
                    all.outcome = FlushOutcome::NothingPending;
                }
                break;
            };
            let may_be_more = waiting.since.len() == MAX_PER_SUMMARY;
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
            let lock = self.store.lock_summary(&lease, self.config.budget, attempt.now).await;
            match lock.map_err(Failure::Store)? {
                SummaryLock::Acquired => {}
                SummaryLock::HeldByOther | SummaryLock::TooSoon => break,
            }
            let flushed = self.sum_up(waiting.rows, &lease, attempt).await;
            let ended = self.store.unlock_summary(&lease).await.map_err(Failure::Store);
            let flushed = flushed?;
            all.findings += flushed.findings;
            all.messages += flushed.messages;
            // What could not be done after people were told, or an audience could not be told, must
            // not stand in the way of what is newer.
            failed = failed.or(flushed.failed).or(ended.err());
            since = Some(newest);
            // What is left is for the next flush.
            if !may_be_more || attempt.has_time_for(4, SUMMARY).is_err() {
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
    ) -> Result<SummedUp, Failure> {
        let free: Vec<Record> =
            waiting.into_iter().filter(|row| held_by_others(row, attempt).is_none()).collect();
        let leased = self.store.lease(&free, lease).await.map_err(Failure::Store)?;
        let ours =
            free.into_iter().zip(leased).filter(|(_, outcome)| *outcome == WriteOutcome::Applied);
        let mut rows: Vec<Row> = ours
            .map(|(record, _)| match decide(&record) {
                Decision::Alert(why) => Row::new(with_lease(record, lease), Some(why)),
                Decision::Quiet(_) => Row::new(with_lease(record, lease), None),
            })
            .collect();
        attempt.has_time_for(2, SUMMARY)?;

        let all = self.publisher.audiences();
        let tellings = all.iter().map(|&audience| self.tell(audience, &rows, attempt));
        let tellings = join_all(tellings).await;
        let (mut messages, mut failed) = (0, None);
        for (delivery, &audience) in tellings.into_iter().zip(all) {
            messages += delivery.messages;
            failed = failed.or(delivery.failed);
            for row in delivery.heard {
                rows[row].heard.push(audience);
            }
        }
        let heard = rows.iter().filter(|row| !row.heard.is_empty()).map(|row| &row.record.finding);
        let findings = heard.clone().count();
        if findings > 0 {
            (attempt.observe)(Observation::announced(heard, attempt.now));
        }
        let told = rows.into_iter().map(|row| {
            let told = match row.why {
                Some(why) => row.record.delivery(why, &row.heard, all, attempt.now, false),
                None => Delivery::None,
            };
            (row.record, told)
        });
        let told: Vec<(Record, Delivery)> = told.collect();
        let known = known(&told);
        self.note(told, lease, attempt).await?;
        let noted = self.store.remember_announced(&known, attempt.now).await;
        let failed = failed.map(Failure::Publisher).or(noted.err().map(Failure::Store));
        Ok(SummedUp { findings, messages, failed })
    }

    /// Tells one audience of the findings it has not heard of, in as few messages as will do.
    async fn tell(&self, audience: Audience, rows: &[Row], attempt: Attempt<'_>) -> Telling {
        let missing = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| !row.record.delivered_to().contains(&audience));
        let (indices, news): (Vec<usize>, Vec<(&Record, AlertReason)>) =
            missing.filter_map(|(index, row)| Some((index, (&row.record, row.why?)))).unzip();
        let mut delivery = Telling::default();
        if news.is_empty() {
            return delivery;
        }
        for (message, about) in message::summary(audience, &news, attempt.now, self.config.language)
        {
            if let Err(error) = self.publisher.publish(audience, &message).await {
                delivery.failed = Some(error);
                break;
            }
            delivery.messages += 1;
            delivery.heard.extend(&indices[about]);
        }
        delivery
    }
}

/// What people know after a summary that told them all of this: each problem once, as urgent as it
/// was told.
fn known(told: &[(Record, Delivery)]) -> Vec<AnnouncedProblem> {
    let mut known: BTreeMap<(String, &'static str), AnnouncedProblem> = BTreeMap::new();
    for (record, told) in told {
        let Delivery::Complete(announced) = told else { continue };
        for new in announced_problems(record, announced.why) {
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

/// What came of summing up findings.
struct SummedUp {
    /// How many findings people were told of.
    findings: usize,
    /// In how many messages.
    messages: usize,
    /// What could not be done, although all the rest was.
    failed: Option<Failure>,
}

/// What came of telling one audience.
#[derive(Default)]
struct Telling {
    /// The places of the rows that it has heard of.
    heard: Vec<usize>,
    /// In how many messages.
    messages: usize,
    /// Why it has not heard of all.
    failed: Option<CallFailed>,
}

/// A finding that waits.
struct Row {
    record: Record,
    /// Why people are to be told; `None` if there is nothing to tell after all.
    why: Option<AlertReason>,
    /// Who has heard of it just now.
    heard: Vec<Audience>,
}

impl Row {
    fn new(record: Record, why: Option<AlertReason>) -> Self {
        Self { record, why, heard: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::{
        app::{Marked, Marking, Pending, Permit, PermitRequest, TriageConfig},
        domain::{
            announce::Budget,
            assess::{Policy, assess},
            finding::sample,
            record::{AssessedFinding, Step, step},
        },
        render::message::Message,
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// A store in which more findings wait than one summary has, and which can note everything but
    /// what people know.
    struct Forgetful;

    impl Alerts for Forgetful {
        async fn permit(
            &self,
            _: &Record,
            _: &Lease,
            _: &PermitRequest,
        ) -> Result<Permit, CallFailed> {
            unreachable!()
        }

        async fn lease(
            &self,
            records: &[Record],
            _: &Lease,
        ) -> Result<Vec<WriteOutcome>, CallFailed> {
            Ok(vec![WriteOutcome::Applied; records.len()])
        }

        async fn mark(&self, markings: &[Marking], _: &Lease) -> Result<Vec<Marked>, CallFailed> {
            Ok(vec![Marked::Done; markings.len()])
        }
    }

    impl Summaries for Forgetful {
        async fn pending(
            &self,
            most: usize,
            since: Option<Timestamp>,
        ) -> Result<Pending, CallFailed> {
            let since = match since {
                None => vec![NOW; most],
                Some(newest) => vec![newest + SignedDuration::from_secs(1)],
            };
            let finding = sample::finding();
            let assessment = assess(&finding, &Policy::default(), Some(NOW));
            let assessed = AssessedFinding::new(finding, assessment, NOW);
            let Step::Write(record, _) = step(None, &assessed, &Policy::default()) else {
                panic!()
            };
            Ok(Pending { since, rows: vec![*record] })
        }

        async fn remember_announced(
            &self,
            _: &[AnnouncedProblem],
            _: Timestamp,
        ) -> Result<(), CallFailed> {
            Err(CallFailed { operation: "know", object: String::new(), source: "".into() })
        }

        async fn lock_summary(
            &self,
            _: &Lease,
            _: Budget,
            _: Timestamp,
        ) -> Result<SummaryLock, CallFailed> {
            Ok(SummaryLock::Acquired)
        }

        async fn unlock_summary(&self, _: &Lease) -> Result<(), CallFailed> {
            Ok(())
        }
    }

    /// Counts messages.
    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Publisher for Counter {
        fn audiences(&self) -> &[Audience] {
            &[Audience::Email]
        }

        async fn publish(&self, _: Audience, _: &Message) -> Result<(), CallFailed> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[test]
    fn what_people_know_not_being_noted_fails_the_flush_but_keeps_nobody_from_hearing_the_rest() {
        let triage = Triage::new(Forgetful, Counter::default(), TriageConfig::default());
        let flushed = triage.flush(Attempt::new("flush", NOW)).now_or_never().unwrap();
        assert_eq!(flushed.unwrap_err().kind(), "StoreFailed");
        assert_eq!(triage.publisher.0.into_inner(), 2);
    }
}
