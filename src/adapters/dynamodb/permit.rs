//! Rows that decide whether something is said now: tokens, known problems, the summary under way.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
    builders::{PutBuilder, UpdateBuilder},
};
use jiff::{SignedDuration, Timestamp};

use super::{CONDITION, CONFLICT, Cause, DynamoDb, TRANSACT, UPDATE, finished, item, keys};
use crate::{
    app::{Alone, Begun, Known, Permit, failure::CallFailed},
    domain::{
        announce::{Bucket, Budget, Level},
        record::{Lease, Record},
    },
};

/// What was last seen of each bucket: when it is full again. It only moves on, so a bucket that was
/// seen empty need not be asked again before then.
pub type Seen = HashMap<Bucket, Timestamp>;

/// How often a race for a token is run.
const RACES: usize = 4;
/// Out of a bucket without tokens no summary goes within a second of the message before it.
const A_SECOND: SignedDuration = SignedDuration::from_secs(1);

impl DynamoDb {
    pub(super) async fn permit(
        &self,
        record: &Record,
        lease: &Lease,
        alone: &Alone,
    ) -> Result<Permit, CallFailed> {
        let key = keys::finding(&record.finding.arn);
        let failed = |source| CallFailed { operation: TRANSACT, object: key.clone(), source };
        for _ in 0..RACES {
            let level = self.level(alone.bucket, alone.budget, alone.now);
            let Some(token) = self.token(alone.bucket, alone.budget, level, alone.now) else {
                return Ok(Permit::NoToken);
            };
            let row = self.lease_of(record, lease).map_err(failed)?;
            let mut items = vec![row, built(token).map_err(failed)?];
            for known in &alone.known {
                items.push(self.known_alone(known, alone.now).map_err(failed)?);
            }
            let call = self.client.transact_write_items().set_transact_items(Some(items));
            let Err(reasons) = finished(call.send().await.map(drop)).map_err(failed)? else {
                self.took(alone.bucket, level, alone.now);
                return Ok(Permit::Granted);
            };
            let refused = |index: usize| code(&reasons, index) == Some(CONDITION);
            if refused(0) {
                return Ok(Permit::Outran);
            }
            if (2..reasons.len()).any(refused) {
                return Ok(Permit::Known);
            }
            if !refused(1) {
                // So many write at once that there was no getting through. They will have spent
                // the tokens.
                return Ok(Permit::NoToken);
            }
            self.saw(alone.bucket, &reasons[1]);
        }
        Ok(Permit::NoToken)
    }

    pub(super) async fn begin_summary(
        &self,
        lease: &Lease,
        budget: Budget,
        mut now: Timestamp,
    ) -> Result<Begun, CallFailed> {
        let failed =
            |source| CallFailed { operation: TRANSACT, object: keys::SUMMARY.to_owned(), source };
        for _ in 0..RACES {
            let level = self.level(Bucket::Others, budget, now);
            let token = match self.token(Bucket::Others, budget, level, now) {
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
            let Err(reasons) = finished(call.send().await.map(drop)).map_err(failed)? else {
                self.took(Bucket::Others, level, now);
                return Ok(Begun::Yes);
            };
            if code(&reasons, 0) == Some(CONDITION) {
                return Ok(Begun::UnderWay);
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
            self.saw(Bucket::Others, bucket);
        }
        Ok(Begun::TooSoon)
    }

    pub(super) async fn end_summary(&self, lease: &Lease) -> Result<(), CallFailed> {
        let failed =
            |source| CallFailed { operation: UPDATE, object: keys::SUMMARY.to_owned(), source };
        let answer = self
            .update_row(keys::SUMMARY)
            .condition_expression("lease.holder = :holder")
            .update_expression("REMOVE lease")
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()))
            .send()
            .await;
        match answer.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
            // It had run out, and somebody else has it.
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// How a bucket is, as far as we know.
    fn level(&self, bucket: Bucket, budget: Budget, now: Timestamp) -> Level {
        let full_at = self.seen().get(&bucket).copied().unwrap_or(Timestamp::MIN);
        budget.level(bucket, full_at, now)
    }

    /// Takes a token out of a bucket that is at `level`; `None` if there is none.
    fn token(
        &self,
        bucket: Bucket,
        budget: Budget,
        level: Level,
        now: Timestamp,
    ) -> Option<UpdateBuilder> {
        let latest = budget.latest(bucket, now)?;
        let update = self.update(keys::bucket(bucket));
        Some(match level {
            Level::Empty => return None,
            Level::Full => update
                .condition_expression(
                    "attribute_not_exists(full_at) OR full_at <= :now OR full_at > :furthest",
                )
                .expression_attribute_values(":furthest", millis(now + Budget::FURTHEST))
                .update_expression("SET full_at = :next, last_at = :now")
                .expression_attribute_values(":next", millis(now + Budget::REFILL))
                .expression_attribute_values(":now", millis(now)),
            Level::Part => update
                .condition_expression("full_at > :now AND full_at <= :latest")
                .update_expression("SET full_at = full_at + :refill, last_at = :now")
                .expression_attribute_values(":latest", millis(latest))
                .expression_attribute_values(
                    ":refill",
                    AttributeValue::N(Budget::REFILL.as_millis().to_string()),
                )
                .expression_attribute_values(":now", millis(now)),
        })
    }

    /// Takes a token for a summary out of a bucket that has none, unless a message went out this
    /// very second.
    fn debt(&self, now: Timestamp) -> UpdateBuilder {
        self.update(keys::bucket(Bucket::Others))
            .condition_expression("attribute_not_exists(last_at) OR last_at <= :a_second_ago")
            .update_expression(
                "SET full_at = if_not_exists(full_at, :now) + :refill, last_at = :now",
            )
            .expression_attribute_values(":a_second_ago", millis(now - A_SECOND))
            .expression_attribute_values(
                ":refill",
                AttributeValue::N(Budget::REFILL.as_millis().to_string()),
            )
            .expression_attribute_values(":now", millis(now))
    }

    /// Notes that a problem is known from a message about one finding alone, unless it is already,
    /// from one about another.
    fn known_alone(&self, known: &Known, now: Timestamp) -> Result<TransactWriteItem, Cause> {
        let put = self
            .known_row(known, now)?
            .condition_expression(
                "attribute_not_exists(pk) OR finding = :finding OR #until <= :now \
                 OR priority > :priority",
            )
            .expression_attribute_values(":finding", AttributeValue::S(known.finding.clone()));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Notes that a problem is known from a summary, unless people know it as more urgent. They do
    /// not forget that.
    fn known_from_summary(
        &self,
        known: &Known,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Cause> {
        let put = self.known_row(known, now)?.condition_expression(
            "attribute_not_exists(pk) OR #until <= :now OR priority >= :priority",
        );
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// The row of a problem that is known, for a condition on the moment `:now` and the `:priority`.
    /// P1 comes before P2, as text too.
    fn known_row(&self, known: &Known, now: Timestamp) -> Result<PutBuilder, Cause> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let until = now.saturating_add(known.problem.known_for)?;
        Ok(Put::builder()
            .table_name(&self.table)
            .item(keys::PK, AttributeValue::S(keys::problem(&known.problem.key)))
            .item(keys::SK, text(known.why.as_str()))
            .item("finding", text(&known.finding))
            .item("priority", text(known.priority.as_str()))
            .item("until", millis(until))
            .item(keys::EXPIRES_AT, AttributeValue::N(until.as_second().to_string()))
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":priority", text(known.priority.as_str())))
    }

    /// Notes that problems are known from a summary.
    pub(super) async fn know(&self, known: &[Known], now: Timestamp) -> Result<(), CallFailed> {
        let failed = |source| CallFailed {
            operation: TRANSACT,
            object: "the problems of a summary".to_owned(),
            source,
        };
        for some in known.chunks(100) {
            let mut rest: Vec<&Known> = some.iter().collect();
            while !rest.is_empty() {
                let items = rest.iter().map(|known| self.known_from_summary(known, now));
                let items = items.collect::<Result<_, _>>().map_err(failed)?;
                let call = self.client.transact_write_items().set_transact_items(Some(items));
                let Err(reasons) = finished(call.send().await.map(drop)).map_err(failed)? else {
                    break;
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

    /// Takes the lease of a row.
    pub(super) fn lease_of(
        &self,
        record: &Record,
        lease: &Lease,
    ) -> Result<TransactWriteItem, Cause> {
        let update = self
            .update(keys::finding(&record.finding.arn))
            .condition_expression("revision = :before")
            .update_expression("SET lease = :lease ADD revision :one")
            .expression_attribute_values(":before", AttributeValue::N(record.revision.to_string()))
            .expression_attribute_values(":lease", item::value(lease)?)
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        built(update)
    }

    /// A part of a transaction that updates the row `key`, and gives it back if it is refused.
    fn update(&self, key: impl Into<String>) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.into()))
            .key(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Notes that we took a token.
    fn took(&self, bucket: Bucket, level: Level, now: Timestamp) {
        let mut seen = self.seen();
        let before = seen.get(&bucket).copied().unwrap_or(Timestamp::MIN);
        let from = if level == Level::Full { now } else { before.max(now) };
        seen.insert(bucket, from + Budget::REFILL);
    }

    /// Notes how a bucket was when it refused.
    fn saw(&self, bucket: Bucket, reason: &CancellationReason) {
        if let Some(full_at) = moment(reason, "full_at") {
            self.seen().insert(bucket, full_at);
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn built(update: UpdateBuilder) -> Result<TransactWriteItem, Cause> {
    Ok(TransactWriteItem::builder().update(update.build()?).build())
}

fn code(reasons: &[CancellationReason], index: usize) -> Option<&str> {
    reasons.get(index)?.code()
}

/// A moment in the row that refused.
fn moment(reason: &CancellationReason, attribute: &str) -> Option<Timestamp> {
    let millis = reason.item()?.get(attribute)?.as_n().ok()?.parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

fn millis(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.as_millisecond().to_string())
}
