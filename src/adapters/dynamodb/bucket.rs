//! The rows of the token buckets.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, builders::UpdateBuilder};
use jiff::{SignedDuration, Timestamp};

use super::{DynamoDb, keys};
use crate::domain::announce::{Bucket, Budget, Level};

/// What was last seen of each bucket: when it is full again. It only moves on, so a bucket that was
/// seen empty need not be asked again before then.
pub type BucketCache = HashMap<Bucket, Timestamp>;

/// Out of a bucket without tokens no summary goes within a second of the message before it.
pub const A_SECOND: SignedDuration = SignedDuration::from_secs(1);

impl DynamoDb {
    /// How a bucket is, as far as we know.
    pub(super) fn level(&self, bucket: Bucket, budget: Budget, now: Timestamp) -> Level {
        let full_at = self.cache().get(&bucket).copied().unwrap_or(Timestamp::MIN);
        budget.level(bucket, full_at, now)
    }

    /// Takes a token out of a bucket that is at `level`; `None` if there is none.
    pub(super) fn token(
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
    pub(super) fn debt(&self, now: Timestamp) -> UpdateBuilder {
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

    /// Notes that we took a token.
    pub(super) fn note_taken(&self, bucket: Bucket, level: Level, now: Timestamp) {
        let mut seen = self.cache();
        let before = seen.get(&bucket).copied().unwrap_or(Timestamp::MIN);
        let from = if level == Level::Full { now } else { before.max(now) };
        seen.insert(bucket, from + Budget::REFILL);
    }

    /// Notes how a bucket was when it refused.
    pub(super) fn note_state(&self, bucket: Bucket, reason: &CancellationReason) {
        if let Some(full_at) = moment(reason, "full_at") {
            self.cache().insert(bucket, full_at);
        }
    }

    pub(super) fn cache(&self) -> std::sync::MutexGuard<'_, BucketCache> {
        self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A moment in the row that refused.
pub fn moment(reason: &CancellationReason, attribute: &str) -> Option<Timestamp> {
    let millis = reason.item()?.get(attribute)?.as_n().ok()?.parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

pub fn millis(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.as_millisecond().to_string())
}
