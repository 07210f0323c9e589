//! The rows of the problems that people know.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, builders::PutBuilder};
use jiff::Timestamp;

use super::{DynamoDb, bucket::millis, gets::Key, item::Item, keys};
use crate::app::{AnnouncedProblem, failure::BoxError};

/// The key of the row of a problem.
pub fn key(known: &AnnouncedProblem) -> Key {
    (keys::problem(&known.problem.key), known.why.as_str().to_owned())
}

/// The key of a row.
pub fn key_of(row: &Item) -> Option<Key> {
    let text = |name: &str| row.get(name)?.as_s().ok().cloned();
    Some((text(keys::PK)?, text(keys::SK)?))
}

/// Whether `row` keeps `problem` from having a message of its own at `now`: where the condition of
/// [`DynamoDb::announced_alone`] does not hold.
pub fn is_known(problem: &AnnouncedProblem, row: &Item, now: Timestamp) -> bool {
    let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
    let until = || row.get("until")?.as_n().ok()?.parse::<i64>().ok();
    let is_other = text("finding").is_some_and(|finding| *finding != problem.finding);
    let is_urgent = text("priority").is_some_and(|p| p.as_str() <= problem.priority.as_str());
    is_other && is_urgent && until().is_some_and(|until| until > now.as_millisecond())
}

impl DynamoDb {
    /// Notes that a problem is known from a message about one finding alone, unless it is already,
    /// from one about another.
    pub(super) fn announced_alone(
        &self,
        known: &AnnouncedProblem,
        now: Timestamp,
    ) -> Result<TransactWriteItem, BoxError> {
        let put = self
            .problem_row(known, now)?
            .condition_expression(
                "attribute_not_exists(pk) OR finding = :finding OR #until <= :now \
                 OR priority > :priority",
            )
            .expression_attribute_values(":finding", AttributeValue::S(known.finding.clone()));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Notes that a problem is known from a summary, unless people know it as more urgent. They do
    /// not forget that.
    pub(super) fn announced_in_summary(
        &self,
        known: &AnnouncedProblem,
        now: Timestamp,
    ) -> Result<TransactWriteItem, BoxError> {
        let put = self.problem_row(known, now)?.condition_expression(
            "attribute_not_exists(pk) OR #until <= :now OR priority >= :priority",
        );
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// The row of a problem that is known, for a condition on the moment `:now` and the `:priority`.
    /// P1 comes before P2, as text too.
    fn problem_row(
        &self,
        known: &AnnouncedProblem,
        now: Timestamp,
    ) -> Result<PutBuilder, BoxError> {
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
}
