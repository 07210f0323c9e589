//! Transactions, and what came of one.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
    types::{
        AttributeValue, CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        Update, builders::UpdateBuilder,
    },
};

use super::{DynamoDb, keys};
use crate::app::failure::BoxError;

/// The operation, for errors.
pub const TRANSACT: &str = "DynamoDB TransactWriteItems";
/// A condition that did not hold: the row is another one than was expected.
pub const CONDITION: &str = "ConditionalCheckFailed";
/// Another write on the same row at this moment. Nothing is known about the condition.
pub const CONFLICT: &str = "TransactionConflict";

/// The codes of a part that will be written a moment later.
pub const PASSING: [&str; 3] = [CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"];
/// The codes of a transaction that was throttled as a whole.
const THROTTLED: [&str; 4] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionInProgressException",
];

/// What came of a transaction.
pub enum TransactionOutcome {
    /// All parts were written.
    Committed,
    /// No part was written: a condition did not hold, or another writer held one of the rows; beside that, some parts
    /// may have been throttled. The reason for each part, in their order.
    Cancelled(Vec<CancellationReason>),
    /// No part was written: the table was too busy. What it said.
    Throttled(BoxError),
}

/// The outcome of a transaction. A cancellation for any other reason is an error.
pub fn transaction_outcome(
    answer: Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError>>,
) -> Result<TransactionOutcome, BoxError> {
    let error = match answer {
        Ok(_) => return Ok(TransactionOutcome::Committed),
        Err(SdkError::ServiceError(error)) => error.into_err(),
        Err(error) => return Err(error.into()),
    };
    let code = error.code().unwrap_or("an error without a code").to_owned();
    let mut is_throttled = THROTTLED.contains(&code.as_str());
    if let TransactWriteItemsError::TransactionCanceledException(cancelled) = &error {
        let reasons = cancelled.cancellation_reasons();
        let has = |code| reasons.iter().any(|reason| reason.code() == Some(code));
        if all_are(reasons, &[CONDITION, CONFLICT])
            || has(CONDITION) && all_are(reasons, &[&[CONDITION], &PASSING[..]].concat())
        {
            return Ok(TransactionOutcome::Cancelled(reasons.to_vec()));
        }
        is_throttled = all_are(reasons, &PASSING);
    }
    let said = format!("{code}: {error}").into();
    if is_throttled { Ok(TransactionOutcome::Throttled(said)) } else { Err(said) }
}

/// Whether a transaction was refused for reasons of these `codes` alone.
pub fn all_are(reasons: &[CancellationReason], codes: &[&str]) -> bool {
    let mut given = reasons.iter().filter_map(CancellationReason::code).filter(|c| *c != "None");
    given.clone().next().is_some() && given.all(|code| codes.contains(&code))
}

/// A part of a transaction.
pub fn built(update: UpdateBuilder) -> Result<TransactWriteItem, BoxError> {
    Ok(TransactWriteItem::builder().update(update.build()?).build())
}

/// The code of a part, as [`CONDITION`] or [`CONFLICT`].
pub fn code(reasons: &[CancellationReason], index: usize) -> Option<&str> {
    reasons.get(index)?.code()
}

impl DynamoDb {
    /// A part of a transaction that updates the row `key`, and gives it back if it is refused.
    pub(super) fn update(&self, key: impl Into<String>) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.into()))
            .key(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
