//! The rows of the token buckets.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    types::{AttributeValue, CancellationReason, builders::UpdateBuilder},
};
use jiff::{SignedDuration, Timestamp};

use super::{DynamoDb, UPDATE, keys};
use crate::{
    app::failure::CallFailed,
    domain::{
        announce::{Bucket, Budget, Level, Listeners},
        record::Audience,
    },
};

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

    /// Takes a token out of a bucket that is at `level`; `None` if there is none. Where it is `asked` with who listens, and whether what is
    /// known of attacks was looked up, it does so only if nobody has found out since that others listen, and if there is
    /// nothing to look up or it was.
    pub(super) fn token(
        &self,
        bucket: Bucket,
        budget: Budget,
        level: Level,
        now: Timestamp,
        asked: Option<(&Listeners, bool)>,
    ) -> Option<UpdateBuilder> {
        let latest = budget.latest(bucket, now)?;
        let update = self.update(keys::bucket(bucket));
        let (update, holds, set) = match level {
            Level::Empty => return None,
            Level::Full => (
                update
                    .expression_attribute_values(":furthest", millis(now + Budget::FURTHEST))
                    .expression_attribute_values(":next", millis(now + Budget::REFILL)),
                "(attribute_not_exists(full_at) OR full_at <= :now OR full_at > :furthest)",
                "SET full_at = :next, last_at = :now",
            ),
            Level::Part => (
                update
                    .expression_attribute_values(":latest", millis(latest))
                    .expression_attribute_values(":refill", refill()),
                "full_at > :now AND full_at <= :latest",
                "SET full_at = full_at + :refill, last_at = :now",
            ),
        };
        let update = update.expression_attribute_values(":now", millis(now));
        Some(match asked {
            None => update.condition_expression(holds).update_expression(set),
            Some((listeners, has_looked)) => {
                let may_tell = if has_looked { "" } else { NO_THREATS };
                let is_fresh = listeners.as_of == now;
                let set_too = if is_fresh { format!(", {SET_LISTENERS}") } else { String::new() };
                with_listeners(update, listeners)
                    .condition_expression(format!(
                        "{holds} AND ({NEWER_LISTENERS} OR without_listener = :without){may_tell}"
                    ))
                    .update_expression(format!("{set}{set_too}"))
            }
        })
    }

    /// Notes in the row of a bucket who listens, unless somebody has found out since.
    pub(super) async fn set_listeners(
        &self,
        bucket: Bucket,
        listeners: &Listeners,
    ) -> Result<(), CallFailed> {
        let key = keys::bucket(bucket);
        let answer = self
            .update_row(key)
            .condition_expression(NEWER_LISTENERS)
            .update_expression(format!("SET {SET_LISTENERS}"))
            .expression_attribute_values(":without", without(listeners))
            .expression_attribute_values(":as_of", millis(listeners.as_of))
            .send()
            .await;
        match answer.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => {
                let (object, source) = (key.to_owned(), error.into());
                Err(CallFailed { operation: UPDATE, object, source })
            }
        }
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
            .expression_attribute_values(":refill", refill())
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

/// When the daily round last knew all that there is to look up of attacks on vulnerabilities; none before the first.
pub const THREATS_AT: &str = "threats_at";

/// The condition that there is nothing to look up, behind another.
const NO_THREATS: &str = " AND attribute_not_exists(threats_at)";

/// Whether by the row that refused there is something to look up.
pub fn has_threats(reason: &CancellationReason) -> bool {
    reason.item().is_some_and(|row| row.contains_key(THREATS_AT))
}

/// The condition that the row does not know better who listens.
const NEWER_LISTENERS: &str =
    "(attribute_not_exists(listeners_as_of) OR listeners_as_of <= :as_of)";
const SET_LISTENERS: &str = "without_listener = :without, listeners_as_of = :as_of";

fn with_listeners(update: UpdateBuilder, listeners: &Listeners) -> UpdateBuilder {
    update
        .expression_attribute_values(":without", without(listeners))
        .expression_attribute_values(":as_of", millis(listeners.as_of))
}

/// The audiences without a listener, as the row has them.
fn without(listeners: &Listeners) -> AttributeValue {
    let audiences: Vec<&str> = listeners.without.iter().map(|audience| audience.as_str()).collect();
    AttributeValue::S(audiences.join(","))
}

/// Who listens by the row that refused, if it knows better than `than`.
pub fn other_listeners(reason: &CancellationReason, than: &Listeners) -> Option<Listeners> {
    let as_of = moment(reason, "listeners_as_of")?;
    let without = reason.item()?.get("without_listener")?.as_s().ok()?;
    let is_in = |audience: &Audience| without.split(',').any(|name| name == audience.as_str());
    let without = Audience::ALL.into_iter().filter(is_in).collect();
    let row = Listeners { without, as_of };
    (row.as_of > than.as_of && row.without != than.without).then_some(row)
}

fn refill() -> AttributeValue {
    AttributeValue::N(Budget::REFILL.as_millis().to_string())
}

/// A moment in the row that refused.
pub fn moment(reason: &CancellationReason, attribute: &str) -> Option<Timestamp> {
    let millis = reason.item()?.get(attribute)?.as_n().ok()?.parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

pub fn millis(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.as_millisecond().to_string())
}
