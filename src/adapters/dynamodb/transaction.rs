//! Transactions: what came of one, and many rows at a time.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
    types::{
        AttributeValue, CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        Update, builders::UpdateBuilder,
    },
};
use futures_util::future::join_all;

use super::{DynamoDb, keys};
use crate::app::failure::{BoxError, CallFailed};

/// The operation, for errors.
pub const TRANSACT: &str = "DynamoDB TransactWriteItems";
/// A condition that did not hold: the row is another one than was expected.
pub const CONDITION: &str = "ConditionalCheckFailed";
/// Another write on the same row at this moment. Nothing is known about the condition.
pub const CONFLICT: &str = "TransactionConflict";

/// How many rows go into one transaction. DynamoDB takes 100 items, and a mark has two.
const BATCH_SIZE: usize = 50;
/// How many transactions are under way at once.
const CONCURRENCY: usize = 8;

/// What came of a transaction.
pub enum TransactionOutcome {
    /// All parts were written.
    Committed,
    /// No part was written: a condition did not hold, or another writer held one of the rows. The
    /// reason for each part, in their order.
    Cancelled(Vec<CancellationReason>),
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
    if let TransactWriteItemsError::TransactionCanceledException(cancelled) = &error {
        let reasons = cancelled.cancellation_reasons();
        if all_are(reasons, &[CONDITION, CONFLICT]) {
            return Ok(TransactionOutcome::Cancelled(reasons.to_vec()));
        }
    }
    let code = error.code().unwrap_or("an error without a code").to_owned();
    Err(format!("{code}: {error}").into())
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
    /// Does something to all rows, so many in a transaction and so many transactions at a time, and
    /// gives what came of each row, in their order.
    pub(super) async fn transact_all<T: HasKey, A>(
        &self,
        rows: &[T],
        parts: impl Fn(&T) -> Result<Vec<TransactWriteItem>, BoxError>,
        answer: impl Fn(Option<&CancellationReason>) -> Result<A, BoxError>,
    ) -> Result<Vec<A>, CallFailed> {
        let mut answers = Vec::with_capacity(rows.len());
        let mut failed = None;
        for wave in rows.chunks(BATCH_SIZE * CONCURRENCY) {
            let each =
                wave.chunks(BATCH_SIZE).map(|rows| self.transact_batch(rows, &parts, &answer));
            // What fails must not keep the rest from being done.
            for done in join_all(each).await {
                match done {
                    Ok(done) => answers.extend(done),
                    Err(error) => failed = Some(error),
                }
            }
        }
        failed.map_or(Ok(answers), Err)
    }

    /// Does something to each of `rows` in one transaction; without those that refuse, which are
    /// left out until it goes through.
    async fn transact_batch<T: HasKey, A>(
        &self,
        rows: &[T],
        parts: &impl Fn(&T) -> Result<Vec<TransactWriteItem>, BoxError>,
        answer: &impl Fn(Option<&CancellationReason>) -> Result<A, BoxError>,
    ) -> Result<Vec<A>, CallFailed> {
        let failed = |source| {
            // Of several rows any may be the one that failed.
            let object = if let [row] = rows { row.key() } else { self.table.clone() };
            CallFailed { operation: TRANSACT, object, source }
        };
        let mut answers: Vec<Option<A>> = rows.iter().map(|_| None).collect();
        loop {
            let open: Vec<usize> = (0..rows.len()).filter(|row| answers[*row].is_none()).collect();
            let mut items = Vec::new();
            // Which row each item belongs to.
            let mut owners = Vec::new();
            for &row in &open {
                for part in parts(&rows[row]).map_err(failed)? {
                    items.push(part);
                    owners.push(row);
                }
            }
            if items.is_empty() {
                return Ok(answers.into_iter().flatten().collect());
            }
            let call = self.client.transact_write_items().set_transact_items(Some(items));
            match transaction_outcome(call.send().await).map_err(failed)? {
                TransactionOutcome::Committed => {
                    for row in open {
                        answers[row] = Some(answer(None).map_err(failed)?);
                    }
                }
                TransactionOutcome::Cancelled(reasons) => {
                    let mut refused = false;
                    for (reason, &row) in reasons.iter().zip(&owners) {
                        if reason.code() == Some(CONDITION) {
                            answers[row] = Some(answer(Some(reason)).map_err(failed)?);
                            refused = true;
                        }
                    }
                    if !refused {
                        return Err(failed(CONFLICT.into()));
                    }
                }
            }
        }
    }

    /// A part of a transaction that updates the row `key`, and gives it back if it is refused.
    pub(super) fn update(&self, key: impl Into<String>) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.into()))
            .key(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// A row that an error can name.
pub trait HasKey {
    /// The partition key.
    fn key(&self) -> String;
}
