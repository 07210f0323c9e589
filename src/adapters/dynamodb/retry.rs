//! Which refusals of DynamoDB are worth asking again, beyond those the SDK knows.

use aws_sdk_dynamodb::{
    config::{
        interceptors::InterceptorContext,
        retry::{ClassifyRetry, RetryAction},
    },
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
};

use super::transaction::{PASSING, all_are};

/// Two writes met on one row, or a part of a transaction was throttled: nothing was written, and a
/// moment later it will be. The SDK leaves both to the caller, see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
#[derive(Debug)]
pub struct RetryConflicts;

impl ClassifyRetry for RetryConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let Some(error) = error.as_operation_error() else {
            return RetryAction::NoActionIndicated;
        };
        let update = error.downcast_ref::<UpdateItemError>();
        let transaction = error.downcast_ref::<TransactWriteItemsError>();
        let passes = update.is_some_and(UpdateItemError::is_transaction_conflict_exception)
            || transaction.is_some_and(|error| match error {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    all_are(cancelled.cancellation_reasons(), &PASSING)
                }
                _ => false,
            });
        if passes { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "conflicts of writes"
    }
}
