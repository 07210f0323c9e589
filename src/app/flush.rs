//! The way of many findings that wait: one summary.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    attempt::{Attempt, CALL_TIMEOUT, Observation},
    deliver::{announced_problems, held_by_others, with_lease},
    failure::{CallFailed, Failure, chain},
    ports::{
        Alerts, AnnouncedProblem, Exceptions, Leased, NotPublished, Publisher, Queue, Records,
        Summaries, SummaryLock,
    },
    reach::Reach,
    service::Triage,
};
use crate::{
    domain::{
        announce::{Budget, turn},
        assess::Priority,
        record::{AlertReason, Audience, Decision, Delivery, Lease, Record, Transition, decide},
    },
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
    /// Of how many findings programs were told how they ended.
    #[serde(skip_serializing_if = "is_none")]
    pub ended: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none(number: &usize) -> bool {
    *number == 0
}

/// What a flush did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlushOutcome {
    /// It told what it might. None at all if the turn of what waits has not come, if notifications are off, if nobody
    /// listens, if somebody else is at it, or if messages keep going out at this very moment; then a later flush tells.
    Flushed,
    /// Nothing was waiting.
    NothingPending,
    /// It could not do what it should. What waits goes on waiting, and the next flush is the retry.
    Failed,
}

impl FlushOutcome {
    /// The outcome as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flushed => "flushed",
            Self::NothingPending => "nothing-pending",
            Self::Failed => "failed",
        }
    }
}

/// A flush that failed: why, and what it did before.
#[derive(Debug)]
pub struct FlushFailed {
    /// Why.
    pub failure: Failure,
    /// What it did, with [`FlushOutcome::Failed`].
    pub result: FlushResult,
}

/// How many findings one summary has at most.
const MAX_PER_SUMMARY: usize = 2_000;

/// How many messages people get of one flush at most. It is one, unless SNS refuses it, or very much waits; and more
/// than ten a second would have SNS suspend a subscription by e-mail.
const MAX_MESSAGES: usize = Budget::MOST_AT_ONCE as usize;

const ENDS: &str = "telling programs of ends";

impl<S: Records + Alerts + Summaries + Exceptions, P: Publisher> Triage<S, P> {
    /// Tells people of all that waits to be told and that there is time for: in one summary, or several if that is very
    /// much. What nobody has heard comes first.
    ///
    /// # Errors
    /// Something was not done that should have been. The next flush does it: what was told is not told again.
    pub async fn flush(&self, attempt: Attempt<'_>) -> Result<FlushResult, FlushFailed> {
        let mut flush = Flush::default();
        let done = if self.config.notify {
            self.flush_queues(&mut flush, attempt).await
        } else {
            flush.is_waiting = true;
            Ok(())
        };
        // An audience that fails is counted as that. The flush fails where nobody is left who can be told.
        let is_deaf = !flush.reach.now.is_empty() && flush.audiences().is_empty();
        let undone = flush.failed.take().filter(|_| is_deaf).map(Failure::Publisher);
        let failure = done.err().or(flush.unmarked.take()).or(undone);
        let outcome = match (&failure, flush.is_waiting) {
            (Some(_), _) => FlushOutcome::Failed,
            (None, true) => FlushOutcome::Flushed,
            (None, false) => FlushOutcome::NothingPending,
        };
        let Flush { findings, messages, ended, .. } = flush;
        let result = FlushResult { outcome, findings, messages, ended };
        match failure {
            None => Ok(result),
            Some(failure) => Err(FlushFailed { failure, result }),
        }
    }

    async fn flush_queues(&self, flush: &mut Flush, attempt: Attempt<'_>) -> Result<(), Failure> {
        attempt.has_time_for(4, SUMMARY)?;
        let listeners = self.ask_listeners(attempt).await;
        if let Err(failed) = self.store.share_listeners(&listeners).await {
            let what = "other invocations do not hear who listens before they ask themselves";
            warn(attempt, what, &failed);
        }
        flush.reach = self.reach(&listeners);
        for queue in [Queue::Untold, Queue::PartlyTold] {
            self.flush_queue(queue, flush, attempt).await?;
        }
        self.flush_ends(flush, attempt).await
    }

    /// Tells programs of findings that have ended, if they have heard of them. People are not told.
    async fn flush_ends(&self, flush: &mut Flush, attempt: Attempt<'_>) -> Result<(), Failure> {
        if !flush.audiences().contains(&Audience::Data) {
            return Ok(());
        }
        while attempt.has_time_for(4, ENDS).is_ok() {
            let records = self.store.untold_ends(MAX_PER_SUMMARY).await.map_err(Failure::Store)?;
            if records.is_empty() {
                return Ok(());
            }
            flush.is_waiting = true;
            let told = self.tell_ends(&records, flush, attempt).await?;
            if !told || records.len() < MAX_PER_SUMMARY {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Tells programs how these ended, and remembers that. Returns whether all is told.
    async fn tell_ends(
        &self,
        records: &[Record],
        flush: &mut Flush,
        attempt: Attempt<'_>,
    ) -> Result<bool, Failure> {
        let style = &self.config.style;
        let all: Vec<&Record> = records.iter().collect();
        let mut is_all = true;
        for (message, about) in message::ended(&all, attempt.now, style) {
            if attempt.has_time_for(3, ENDS).is_err() {
                return Ok(false);
            }
            let some = &all[about];
            let published = match self.publisher.publish(Audience::Data, &message).await {
                Err(NotPublished::Refused(refused)) => {
                    warn(
                        attempt,
                        "programs get a plain message of ends: theirs was refused",
                        &refused,
                    );
                    self.tell_ends_plainly(some, attempt).await
                }
                published => published.map_err(NotPublished::into_call),
            };
            if let Err(failed) = published {
                let (audience, reason) = (Audience::Data, chain(&failed));
                (attempt.observe)(Observation::AudienceFailed { audience, reason });
                // The others may be taken.
                is_all = false;
                continue;
            }
            let told = some.iter().filter_map(|record| record.end_told());
            let told: Vec<Record> = told.map(Record::rewritten).collect();
            let limit = attempt.until_the_end();
            // One that has changed meanwhile is told again, as it is by then.
            let noted = self.store.mark_ends(&told, limit).await.map_err(Failure::Store)?;
            let unmarked = noted.iter().filter(|noted| noted.is_none()).count();
            if unmarked > 0 {
                return Err(Failure::Unmarked(unmarked));
            }
            flush.messages += 1;
            flush.ended += told.len();
        }
        Ok(is_all)
    }

    async fn tell_ends_plainly(
        &self,
        records: &[&Record],
        attempt: Attempt<'_>,
    ) -> Result<(), CallFailed> {
        let style = &self.config.style;
        let plain = message::plain_records(records, style);
        let plain: Vec<&Record> = plain.iter().collect();
        for (message, _) in message::ended(&plain, attempt.now, style) {
            let published = self.publisher.publish(Audience::Data, &message).await;
            published.map_err(NotPublished::into_call)?;
        }
        Ok(())
    }

    /// Sums up what waits in a queue, as much at a time as one summary has.
    async fn flush_queue(
        &self,
        queue: Queue,
        flush: &mut Flush,
        attempt: Attempt<'_>,
    ) -> Result<(), Failure> {
        let mut since = None;
        loop {
            let waiting = self.store.pending(queue, MAX_PER_SUMMARY, since).await;
            let waiting = waiting.map_err(Failure::Store)?;
            // What is in the index and has no row that can be read waits, too.
            let read: BTreeSet<_> = waiting.rows.iter().map(|row| row.pending_since).collect();
            let mut rows = waiting.rows;
            // What CISA lists waits no longer than anything urgent.
            let under =
                if rows.is_empty() { Vec::new() } else { self.look(&mut rows, attempt).await };
            let turns = self.turns(&rows, attempt).await;
            let is_turn = turns.iter().any(|turn| *turn <= attempt.now);
            let unread = waiting.since.iter().filter(|since| !read.contains(&Some(**since)));
            let unread =
                unread.filter_map(|since| since.checked_add(self.config.summary_after).ok());
            let oldest = turns.iter().copied().chain(unread).min();
            let late = oldest.map(|oldest| attempt.now.duration_since(oldest));
            (attempt.observe)(Observation::Pending {
                findings: waiting.since.len(),
                oldest: late.unwrap_or_default().max(SignedDuration::ZERO),
            });
            flush.is_waiting |= !waiting.since.is_empty();
            let may_be_more = waiting.since.len() == MAX_PER_SUMMARY;
            if since.is_none() && !is_turn && !may_be_more {
                return Ok(());
            }
            let (rows, under): (Vec<Record>, Vec<_>) = rows
                .into_iter()
                .zip(under)
                .filter(|(row, _)| {
                    held_by_others(row, attempt).is_none() && flush.can_end(queue, row)
                })
                .unzip();
            let rows = self.without_excepted(rows, under, attempt).await;
            if !rows.is_empty() {
                attempt.has_time_for(3, SUMMARY)?;
                let lease = Lease::new(attempt.name, attempt.now);
                let lock = self.store.lock_summary(&lease, self.config.budget, attempt.now).await;
                match lock.map_err(Failure::Store)? {
                    SummaryLock::Acquired => {}
                    SummaryLock::HeldByOther | SummaryLock::TooSoon => return Ok(()),
                }
                let summed_up = self.sum_up(rows, &lease, flush, attempt).await;
                if let Err(failed) = self.store.unlock_summary(&lease).await {
                    warn(attempt, "nobody sums up before this right to do so runs out", &failed);
                }
                summed_up?;
            }
            since = waiting.since.last().copied();
            // What is left is for the next flush.
            if !may_be_more || attempt.has_time_for(4, SUMMARY).is_err() {
                return Ok(());
            }
        }
    }

    /// Those of `rows` that no exception covers, as the ledger has them. That one covers the others is recorded.
    async fn without_excepted(
        &self,
        rows: Vec<Record>,
        under: Vec<Option<(Record, Transition)>>,
        attempt: Attempt<'_>,
    ) -> Vec<Record> {
        let (mut left, mut excepted) = (Vec::new(), Vec::new());
        for (row, under) in rows.into_iter().zip(under) {
            match under {
                Some((row, what)) => excepted.push((row.rewritten(), what)),
                None => left.push(row),
            }
        }
        if excepted.is_empty() {
            return left;
        }
        // What could not be written waits as before, and a later flush has it.
        if let Err(failed) = self.store.write_all(&excepted, attempt.until(CALL_TIMEOUT)).await {
            warn(attempt, "findings that an exception covers wait for the next flush", &failed);
        }
        left
    }

    /// When the turn of each of these comes. One that comes makes a summary, which then has all that wait.
    async fn turns(&self, rows: &[Record], attempt: Attempt<'_>) -> Vec<Timestamp> {
        // Of others it makes no difference.
        let may_be_urgent =
            |row: &Record| row.priority() >= Priority::P2 && row.delivered_to().is_empty();
        let problems = |row: &Record| match decide(row) {
            Decision::Alert(why) if may_be_urgent(row) => announced_problems(row, why).collect(),
            _ => Vec::new(),
        };
        let problems: Vec<AnnouncedProblem> = rows.iter().flat_map(problems).collect();
        let known =
            self.store.known_problems(&problems, attempt.now).await.unwrap_or_else(|failed| {
                warn(
                    attempt,
                    "which problems people know is not known; they are told at once",
                    &failed,
                );
                Vec::new()
            });
        let known: BTreeSet<&str> = problems
            .iter()
            .zip(known)
            .filter(|(_, is_known)| *is_known)
            .map(|(problem, _)| problem.finding.as_str())
            .collect();
        let after = self.config.summary_after;
        let turn = |row: &Record| turn(row, known.contains(row.finding.arn.as_str()), after);
        rows.iter().filter_map(turn).collect()
    }

    /// Tells people of those of `waiting` that nobody else is telling them of, and that there is time for.
    async fn sum_up(
        &self,
        waiting: Vec<Record>,
        lease: &Lease,
        flush: &mut Flush,
        attempt: Attempt<'_>,
    ) -> Result<(), Failure> {
        // A mark writes twice what a lease does. What can be leased in a quarter of the time can be told and marked in
        // the rest, however slow the table is.
        let left = (attempt.left)();
        let limit = attempt.until(left - left.saturating_sub(CALL_TIMEOUT) / 4);
        let leased = self.store.lease(&waiting, lease, limit).await.map_err(Failure::Store)?;
        let ours = waiting.into_iter().zip(leased).filter(|(_, leased)| *leased == Leased::Taken);
        let mut rows: Vec<Row> = ours
            .map(|(record, _)| match decide(&record) {
                Decision::Alert(why) => Row::new(with_lease(record, lease), Some(why)),
                Decision::Quiet(_) => Row::new(with_lease(record, lease), None),
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        attempt.has_time_for(2, SUMMARY)?;

        let audiences = flush.audiences();
        let telling = audiences.iter().map(|&audience| {
            let room = match audience {
                // A queue takes what comes.
                Audience::Data => usize::MAX,
                Audience::Email | Audience::Chat => {
                    MAX_MESSAGES - flush.sent.get(&audience).copied().unwrap_or_default()
                }
            };
            self.tell_all(audience, &rows, room, attempt)
        });
        let tellings = join_all(telling).await;
        for (telling, &audience) in tellings.into_iter().zip(&audiences) {
            flush.messages += telling.messages;
            *flush.sent.entry(audience).or_default() += telling.messages;
            if let Some(failed) = telling.failed {
                let reason = chain(&failed);
                (attempt.observe)(Observation::AudienceFailed { audience, reason });
                flush.failed_for.insert(audience);
                flush.failed = Some(failed);
            }
            for row in telling.told {
                rows[row].told.push(audience);
            }
        }
        // First the marks of what was told: there may not be time for all.
        rows.sort_by_key(|row| row.told.is_empty());
        let told = rows.iter().filter(|row| !row.told.is_empty()).map(|row| &row.record.finding);
        let findings = told.clone().count();
        flush.findings += findings;
        if findings > 0 {
            (attempt.observe)(Observation::announced(told, attempt.now));
        }
        let problems = told_problems(&rows);
        let deliveries = rows.into_iter().map(|row| {
            let delivery = match row.why {
                Some(why) => {
                    row.record.delivery(why, &row.told, &flush.reach.all, attempt.now, false)
                }
                None => Delivery::None,
            };
            (row.record, delivery)
        });
        let deliveries: Vec<(Record, Delivery)> = deliveries.collect();
        let limit = attempt.until_the_end();
        let noted = self.note(deliveries, lease, attempt, limit).await;
        let limit = attempt.until(CALL_TIMEOUT);
        let remembered = self.store.remember_announced(&problems, attempt.now, limit).await;
        if let Err(failed) = remembered {
            let what = "further findings of these problems may get messages of their own";
            warn(attempt, what, &failed);
        }
        // What could not be marked must not stand in the way of what is newer.
        flush.unmarked = flush.unmarked.take().or(noted.err());
        Ok(())
    }

    /// Tells one audience of the findings it has not heard of, in as few messages as will do and at most `room`.
    ///
    /// A message that SNS refuses is halved until the one finding is found that it is refused for; that one gets a plain
    /// message.
    async fn tell_all(
        &self,
        audience: Audience,
        rows: &[Row],
        room: usize,
        attempt: Attempt<'_>,
    ) -> Telling {
        let is_untold =
            |row: &Row| row.why.is_some() && !row.record.delivered_to().contains(&audience);
        let untold: Vec<usize> = (0..rows.len()).filter(|&row| is_untold(&rows[row])).collect();
        let mut telling = Telling::default();
        let mut batches = VecDeque::from([untold]);
        while let Some(batch) = batches.pop_front() {
            let news = batch.iter().filter_map(|&row| Some((&rows[row].record, rows[row].why?)));
            let news: Vec<(&Record, AlertReason)> = news.collect();
            if news.is_empty() {
                continue;
            }
            let style = &self.config.style;
            for (message, about) in message::summary(audience, &news, attempt.now, style) {
                if telling.messages >= room || attempt.has_time_for(2, SUMMARY).is_err() {
                    return telling;
                }
                let about = &batch[about];
                let told = match (self.publisher.publish(audience, &message).await, about) {
                    (Err(NotPublished::Refused(refused)), &[row]) => {
                        let Row { record, why: Some(why), .. } = &rows[row] else { continue };
                        self.tell_plainly(audience, record, *why, &refused, attempt).await
                    }
                    (Err(NotPublished::Refused(refused)), several) => {
                        let (one, other) = several.split_at(several.len() / 2);
                        let what =
                            format!("a summary for {} is split: it was refused", audience.as_str());
                        warn(attempt, &what, &refused);
                        batches.extend([one.to_vec(), other.to_vec()]);
                        continue;
                    }
                    (told, _) => told.map_err(NotPublished::into_call),
                };
                if let Err(failed) = told {
                    telling.failed = Some(failed);
                    return telling;
                }
                telling.messages += 1;
                telling.told.extend(about);
            }
        }
        telling
    }
}

/// What people know after they were told of these: each problem once, as urgent as it was told.
fn told_problems(rows: &[Row]) -> Vec<AnnouncedProblem> {
    let mut told: BTreeMap<(String, &'static str), AnnouncedProblem> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.told.is_empty()) {
        let Some(why) = row.why else { continue };
        for new in announced_problems(&row.record, why) {
            let key = (new.problem.key.clone(), new.why.as_str());
            match told.get_mut(&key) {
                Some(old) if old.priority >= new.priority => {}
                _ => {
                    told.insert(key, new);
                }
            }
        }
    }
    told.into_values().collect()
}

fn warn(attempt: Attempt<'_>, what: &str, failed: &CallFailed) {
    (attempt.observe)(Observation::Warning { what: what.to_owned(), reason: chain(failed) });
}

/// What a flush does, for an error.
const SUMMARY: &str = "the summary of what waits";

/// A flush under way.
#[derive(Default)]
struct Flush {
    reach: Reach,
    /// Whether it has found something that waits.
    is_waiting: bool,
    /// How many findings people were told of.
    findings: usize,
    /// In how many messages.
    messages: usize,
    /// Of how many findings programs were told how they ended.
    ended: usize,
    /// How many messages went to each audience.
    sent: BTreeMap<Audience, usize>,
    /// Whom it could not tell. It does not try them again.
    failed_for: BTreeSet<Audience>,
    /// Why, for the last of them.
    failed: Option<CallFailed>,
    /// Why it could not be noted that people were told.
    unmarked: Option<Failure>,
}

impl Flush {
    /// Those who can be told now, as far as this flush knows.
    fn audiences(&self) -> Vec<Audience> {
        let failed = &self.failed_for;
        self.reach.now.iter().copied().filter(|audience| !failed.contains(audience)).collect()
    }

    /// Whether there is something to be done about a row of `queue`. There is not where all have heard but those who
    /// cannot be told.
    fn can_end(&self, queue: Queue, row: &Record) -> bool {
        let audiences = self.audiences();
        let is_news = matches!(decide(row), Decision::Alert(_));
        let waits_for = row.not_delivered_to(&self.reach.all);
        match queue {
            _ if !is_news => true,
            // All have heard it by now whom it waits for.
            _ if waits_for.is_empty() && !row.delivered_to().is_empty() => true,
            Queue::Untold if row.delivered_to().is_empty() => !audiences.is_empty(),
            // It leaves this queue for the other.
            Queue::Untold => true,
            Queue::PartlyTold => !row.not_delivered_to(&audiences).is_empty(),
        }
    }
}

/// What came of telling one audience.
#[derive(Default)]
struct Telling {
    /// The places of the rows that it was told of.
    told: Vec<usize>,
    /// In how many messages.
    messages: usize,
    /// Why it was not told of all, if that could not be done.
    failed: Option<CallFailed>,
}

/// A finding that waits.
struct Row {
    record: Record,
    /// Why people are to be told; `None` if there is nothing to tell after all.
    why: Option<AlertReason>,
    /// Who was told of it just now.
    told: Vec<Audience>,
}

impl Row {
    fn new(record: Record, why: Option<AlertReason>) -> Self {
        Self { record, why, told: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::FutureExt;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        app::{
            LedgerHead, Looked, Marked, Marking, Pending, Permit, PermitRequest, PutInForce,
            Refreshed, TimeLimit, TriageConfig, WriteOutcome,
        },
        domain::{
            announce::{Budget, Listeners},
            assess::{Policy, assess},
            finding::{Finding, sample},
            ledger::{InForce, Ledger},
            record::{AssessedFinding, Step, Transition, step},
        },
        render::message::Message,
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// A store in which these pages of findings wait, and which can note everything but what people know.
    struct Forgetful(Vec<Pending>);

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
            _: TimeLimit<'_>,
        ) -> Result<Vec<Leased>, CallFailed> {
            Ok(vec![Leased::Taken; records.len()])
        }

        async fn mark(
            &self,
            markings: &[Marking],
            _: &Lease,
            _: TimeLimit<'_>,
        ) -> Result<Vec<Marked>, CallFailed> {
            Ok(vec![Marked::Done; markings.len()])
        }

        async fn share_listeners(&self, _: &Listeners) -> Result<(), CallFailed> {
            Ok(())
        }
    }

    impl Summaries for Forgetful {
        async fn pending(
            &self,
            queue: Queue,
            _: usize,
            since: Option<Timestamp>,
        ) -> Result<Pending, CallFailed> {
            let page = usize::from(since.is_some());
            let page = self.0.get(page).filter(|_| queue == Queue::Untold).cloned();
            Ok(page.unwrap_or(Pending { since: Vec::new(), rows: Vec::new() }))
        }

        async fn untold_ends(&self, _: usize) -> Result<Vec<Record>, CallFailed> {
            Ok(Vec::new())
        }

        async fn mark_ends(
            &self,
            _: &[Record],
            _: TimeLimit<'_>,
        ) -> Result<Vec<Option<WriteOutcome>>, CallFailed> {
            unreachable!()
        }

        async fn known_problems(
            &self,
            problems: &[AnnouncedProblem],
            _: Timestamp,
        ) -> Result<Vec<bool>, CallFailed> {
            Ok(vec![false; problems.len()])
        }

        async fn remember_announced(
            &self,
            _: &[AnnouncedProblem],
            _: Timestamp,
            _: TimeLimit<'_>,
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

    impl Exceptions for Forgetful {
        fn has_ledger(&self) -> bool {
            false
        }

        async fn look_up(&self, _: &[&Finding], _: Timestamp) -> Result<Looked, CallFailed> {
            Ok(Looked::default())
        }

        async fn ledger_head(&self) -> Result<Option<LedgerHead>, CallFailed> {
            unreachable!()
        }

        async fn ledger(&self, _: &LedgerHead) -> Result<InForce, CallFailed> {
            unreachable!()
        }

        async fn put_in_force(
            &self,
            _: &Ledger,
            _: &LedgerHead,
            _: Option<&LedgerHead>,
            _: TimeLimit<'_>,
        ) -> Result<PutInForce, CallFailed> {
            unreachable!()
        }
    }

    impl Records for Forgetful {
        async fn refresh(&self, _: &AssessedFinding) -> Result<Refreshed, CallFailed> {
            unreachable!()
        }

        async fn write(&self, _: &Record, _: Transition) -> Result<WriteOutcome, CallFailed> {
            unreachable!()
        }

        async fn read_all(&self, _: &[&str]) -> Result<Vec<Record>, CallFailed> {
            unreachable!()
        }

        async fn write_all(
            &self,
            _: &[(Record, Transition)],
            _: TimeLimit<'_>,
        ) -> Result<Vec<Option<WriteOutcome>>, CallFailed> {
            unreachable!()
        }
    }

    /// A finding that waits, after `change`.
    fn waiting(change: impl FnOnce(&mut Value)) -> Record {
        let finding = sample::with(change);
        let assessment = assess(&finding, &Policy::default(), Some(NOW));
        let assessed = AssessedFinding::new(finding, assessment, NOW);
        match step(None, &assessed, &Policy::default()) {
            Step::Write(record, _) => *record,
            other => panic!("{other:?}"),
        }
    }

    /// Takes messages, but for those with this word in it.
    #[derive(Default)]
    struct Inbox(Mutex<Vec<Message>>);

    const REFUSED: &str = "poison";

    impl Publisher for Inbox {
        fn audiences(&self) -> &[Audience] {
            &[Audience::Email]
        }

        async fn publish(&self, _: Audience, message: &Message) -> Result<(), NotPublished> {
            if message.body.contains(REFUSED) {
                let source = "InvalidParameter".into();
                let call = CallFailed { operation: "publish", object: String::new(), source };
                return Err(NotPublished::Refused(call));
            }
            self.0.lock().unwrap().push(message.clone());
            Ok(())
        }

        async fn has_listener(&self, _: Audience) -> Result<bool, CallFailed> {
            Ok(true)
        }
    }

    #[test]
    fn what_people_know_not_being_noted_is_a_warning_and_keeps_nobody_from_hearing_the_rest() {
        let more = NOW + SignedDuration::from_secs(1);
        let pages = [vec![NOW; MAX_PER_SUMMARY], vec![more]];
        let pages = pages.map(|since| Pending { since, rows: vec![waiting(|_| {})] });
        let store = Forgetful(pages.into());
        let triage = Triage::new(store, Inbox::default(), TriageConfig::default());
        let warnings = AtomicUsize::new(0);
        let observe = |observation| {
            if let Observation::Warning { .. } = observation {
                warnings.fetch_add(1, Ordering::SeqCst);
            }
        };
        let attempt = Attempt { observe: &observe, ..Attempt::new("flush", NOW) };
        let flushed = triage.flush(attempt).now_or_never().unwrap();
        assert_eq!(flushed.unwrap().messages, 2);
        assert_eq!(warnings.into_inner(), 2);
    }

    #[test]
    fn a_summary_that_is_refused_is_halved_until_the_finding_is_found_that_gets_a_plain_message() {
        let rows = (0..16).map(|number| {
            waiting(|f| {
                f["findingArn"] = json!(format!("{}{number:02}", sample::ARN));
                f["packageVulnerabilityDetails"]["vulnerabilityId"] =
                    json!(format!("CVE-2026-{number}"));
                if number == 5 {
                    let packages = &mut f["packageVulnerabilityDetails"]["vulnerablePackages"];
                    packages[0]["name"] = json!(REFUSED);
                }
            })
        });
        let page = Pending { since: vec![NOW; 16], rows: rows.collect() };
        let store = Forgetful(vec![page]);
        let triage = Triage::new(store, Inbox::default(), TriageConfig::default());

        let flushed = triage.flush(Attempt::new("flush", NOW)).now_or_never().unwrap().unwrap();

        assert_eq!((flushed.outcome, flushed.findings), (FlushOutcome::Flushed, 16));
        let inbox = triage.publisher.0.into_inner().unwrap();
        assert_eq!(inbox.len(), flushed.messages);
        // Of sixteen, eight, four, two and one are left over, and the one.
        assert_eq!(inbox.len(), 5);
        let plain = inbox.last().unwrap();
        assert!(plain.body.contains("Amazon SNS refused the message"), "{}", plain.body);
        assert!(plain.body.contains(&format!("{}05", sample::ARN)), "{}", plain.body);
    }
}
