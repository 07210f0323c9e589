//! What waits to be told, and the row of the right to sum it up.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{error::SdkError, types::AttributeValue};
use jiff::Timestamp;

use super::{
    DynamoDb, UPDATE,
    alerts::MAX_ATTEMPTS,
    bucket::{A_SECOND, moment},
    gets::Key,
    item::{self, Item},
    keys, problems,
    records::outcome,
    transaction::{
        CONDITION, CONFLICT, TRANSACT, TransactionOutcome, built, code, transaction_outcome,
    },
};
use crate::{
    app::{
        AnnouncedProblem, Pending, Queue, Summaries, SummaryLock, TimeLimit, WriteOutcome,
        failure::CallFailed,
    },
    domain::{
        announce::{Bucket, Budget, Level},
        record::{EndQueue, Lease, Record},
    },
};

impl Summaries for DynamoDb {
    async fn pending(
        &self,
        queue: Queue,
        most: usize,
        since: Option<Timestamp>,
    ) -> Result<Pending, CallFailed> {
        let entries = self.pending_entries(queue, since, most).await?;
        let mut rows = self.get_rows(&entries).await?;
        // The index lags a little behind the rows.
        rows.retain(|row| row.pending_since.is_some());
        Ok(Pending { since: entries.into_iter().map(|entry| entry.at).collect(), rows })
    }

    async fn untold_ends(&self, most: usize) -> Result<Vec<Record>, CallFailed> {
        let entries = self.ended_entries(EndQueue::Untold, most).await?;
        let mut rows = self.get_rows(&entries).await?;
        rows.retain(|row| row.end_queue() == Some(EndQueue::Untold));
        Ok(rows)
    }

    async fn mark_ends(
        &self,
        records: &[Record],
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Option<WriteOutcome>>, CallFailed> {
        let parts = |record: &Record| Ok(vec![self.row_of(record)?]);
        self.transact_all(records, parts, outcome, limit).await
    }

    async fn known_problems(
        &self,
        problems: &[AnnouncedProblem],
        now: Timestamp,
    ) -> Result<Vec<bool>, CallFailed> {
        let distinct: BTreeSet<Key> = problems.iter().map(problems::key).collect();
        let rows = self.get_items(&Vec::from_iter(distinct)).await?;
        let rows: HashMap<Key, Item> =
            rows.into_iter().filter_map(|row| Some((problems::key_of(&row)?, row))).collect();
        let is_known = |problem| {
            let row = rows.get(&problems::key(problem));
            row.is_some_and(|row| problems::is_known(problem, row, now))
        };
        Ok(problems.iter().map(is_known).collect())
    }

    async fn remember_announced(
        &self,
        known: &[AnnouncedProblem],
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let failed = |source| CallFailed {
            operation: TRANSACT,
            object: "the problems of a summary".to_owned(),
            source,
        };
        for some in known.chunks(100) {
            let mut rest: Vec<&AnnouncedProblem> = some.iter().collect();
            while !rest.is_empty() {
                if limit.is_over() {
                    return Err(failed("there was no time left for it".into()));
                }
                let items = rest.iter().map(|known| self.announced_in_summary(known, now));
                let items = items.collect::<Result<_, _>>().map_err(failed)?;
                let call = self.client.transact_write_items().set_transact_items(Some(items));
                let reasons = match transaction_outcome(call.send().await).map_err(failed)? {
                    TransactionOutcome::Committed => break,
                    TransactionOutcome::Cancelled(reasons) => reasons,
                    TransactionOutcome::Throttled(said) => return Err(failed(said)),
                };
                // What refuses is known already. If none does, somebody keeps writing to some of the
                // rows, and makes those known. Neither must keep the rest from being noted.
                let refuses = reasons.iter().any(|reason| reason.code() == Some(CONDITION));
                let left_out = if refuses { CONDITION } else { CONFLICT };
                rest = rest
                    .into_iter()
                    .zip(&reasons)
                    .filter(|(_, reason)| reason.code() != Some(left_out))
                    .map(|(known, _)| known)
                    .collect();
            }
        }
        Ok(())
    }

    async fn lock_summary(
        &self,
        lease: &Lease,
        budget: Budget,
        mut now: Timestamp,
    ) -> Result<SummaryLock, CallFailed> {
        let failed =
            |source| CallFailed { operation: TRANSACT, object: keys::SUMMARY.to_owned(), source };
        for _ in 0..MAX_ATTEMPTS {
            let level = self.level(Bucket::Others, budget, now);
            let token = match self.token(Bucket::Others, budget, level, now, None) {
                Some(token) => token,
                // A summary is not put off for want of a token: it takes one that is yet to come.
                None => self.debt(now),
            };
            let under_way = self
                .update(keys::SUMMARY)
                .condition_expression("attribute_not_exists(lease) OR lease.#until <= :now")
                .update_expression("SET lease = :lease")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
                .expression_attribute_values(
                    ":lease",
                    item::value(lease).map_err(|error| failed(error.into()))?,
                );
            let items = vec![built(under_way).map_err(failed)?, built(token).map_err(failed)?];
            let call = self.client.transact_write_items().set_transact_items(Some(items));
            let reasons = match transaction_outcome(call.send().await).map_err(failed)? {
                TransactionOutcome::Committed => {
                    self.note_taken(Bucket::Others, level, now);
                    return Ok(SummaryLock::Acquired);
                }
                TransactionOutcome::Cancelled(reasons) => reasons,
                TransactionOutcome::Throttled(said) => return Err(failed(said)),
            };
            if code(&reasons, 0) == Some(CONDITION) {
                return Ok(SummaryLock::HeldByOther);
            }
            let Some(bucket) = reasons.get(1) else { break };
            if level == Level::Empty {
                // A message went out this very second. The next second will do.
                let waited = A_SECOND.min(moment(bucket, "last_at").map_or(A_SECOND, |last_at| {
                    now.duration_until(last_at.saturating_add(A_SECOND).unwrap_or(last_at))
                }));
                tokio::time::sleep(waited.try_into().unwrap_or_default()).await;
                now = now.saturating_add(waited).unwrap_or(now);
            }
            self.note_state(Bucket::Others, bucket);
        }
        Ok(SummaryLock::TooSoon)
    }

    async fn unlock_summary(&self, lease: &Lease) -> Result<(), CallFailed> {
        let failed =
            |source| CallFailed { operation: UPDATE, object: keys::SUMMARY.to_owned(), source };
        let answer = self
            .update_row(keys::SUMMARY)
            .condition_expression("lease.holder = :holder")
            .update_expression("REMOVE lease")
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()))
            .send()
            .await;
        match answer.map_err(SdkError::into_service_error) {
            // It had run out, and somebody else has it.
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(failed(error.into())),
        }
    }
}
