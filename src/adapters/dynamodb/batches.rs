//! Many rows, in transactions of many at a time: as fast as the table takes them, and no longer than there is time.

use std::{collections::VecDeque, time::Duration};

use aws_sdk_dynamodb::{
    config::{Config, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};
use futures_util::future::join_all;

use super::{
    DynamoDb,
    transaction::{CONDITION, TRANSACT, TransactionOutcome, transaction_outcome},
};
use crate::app::{
    TimeLimit,
    failure::{BoxError, CallFailed, chain},
};

/// How many rows go into one transaction. DynamoDB takes 100 items, and a mark has two.
const BATCH_SIZE: usize = 50;
/// How few a transaction is split into that keeps being throttled.
const SMALLEST_BATCH: usize = 12;
/// How many bytes of rows go into one transaction. DynamoDB takes 4 MB.
const BATCH_BYTES: usize = 2_000_000;
/// How many transactions are under way at once, as long as none is throttled.
const CONCURRENCY: usize = 8;
/// How long to wait after a transaction was throttled, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// How often a transaction is tried where time does not end it.
const MAX_FAILURES: usize = 30;

/// A row of the table.
pub trait TableRow {
    /// The partition key, by which an error names it.
    fn key(&self) -> String;
    /// Some measure of its size, in bytes, not below what it is.
    fn size(&self) -> usize;
}

/// Rows that go into one transaction, by their places.
struct Batch {
    rows: Vec<usize>,
    failures: usize,
}

/// What came of one transaction of several rows.
enum BatchOutcome {
    /// All rows were written.
    Committed,
    /// Some rows were refused, with the reasons; none was written.
    Refused(Vec<(usize, CancellationReason)>),
    /// It may go through later, or, if its answer was lost, has gone through.
    Later(CallFailed),
    /// It will not go through.
    Failed(CallFailed),
}

impl DynamoDb {
    /// Does something to all rows, and gives what came of each, in their order; `None` where the table was too busy
    /// until `limit`, or the rows before it took all the time. The first are tried whatever the limit.
    ///
    /// A row that refuses is left out of its transaction. When the table throttles, fewer transactions are under way,
    /// smaller ones, and later ones. This replaces the retries of the SDK, which know of one call at a time.
    ///
    /// # Errors
    /// A call failed that will fail again. What could be done was done.
    pub(super) async fn transact_all<T: TableRow, A>(
        &self,
        rows: &[T],
        parts: impl Fn(&T) -> Result<Vec<TransactWriteItem>, BoxError>,
        answer: impl Fn(Option<&CancellationReason>) -> Result<A, BoxError>,
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Option<A>>, CallFailed> {
        let mut answers: Vec<Option<A>> = rows.iter().map(|_| None).collect();
        let mut queue = batches(rows);
        let (mut failed, mut last) = (None, None);
        let (mut concurrency, mut pause) = (CONCURRENCY, Duration::ZERO);
        while !queue.is_empty() {
            let wave: Vec<Batch> = queue.drain(..concurrency.min(queue.len())).collect();
            let done = join_all(wave.iter().map(|batch| self.transact(rows, batch, &parts))).await;
            let mut is_throttled = false;
            for (mut batch, outcome) in wave.into_iter().zip(done) {
                match outcome {
                    BatchOutcome::Committed => {
                        for row in batch.rows {
                            answers[row] = self.answered(&rows[row], answer(None));
                        }
                    }
                    BatchOutcome::Refused(refused) => {
                        let settled: Vec<usize> = refused.iter().map(|(row, _)| *row).collect();
                        for (row, reason) in refused {
                            answers[row] = self.answered(&rows[row], answer(Some(&reason)));
                        }
                        batch.rows.retain(|row| !settled.contains(row));
                        if !batch.rows.is_empty() {
                            queue.push_front(batch);
                        }
                    }
                    BatchOutcome::Later(error) => {
                        last = Some(error);
                        is_throttled = true;
                        batch.failures += 1;
                        if batch.failures < MAX_FAILURES {
                            queue.extend(batch.split());
                        }
                    }
                    BatchOutcome::Failed(error) => failed = Some(error),
                }
            }
            if is_throttled {
                concurrency = (concurrency / 2).max(1);
                pause = (pause * 2).clamp(PAUSES[0], PAUSES[1]);
                tokio::time::sleep(pause).await;
            } else {
                concurrency = (concurrency + 1).min(CONCURRENCY);
                pause = Duration::ZERO;
            }
            if limit.is_over() {
                break;
            }
        }
        let rest = answers.iter().filter(|answer| answer.is_none()).count();
        match (failed, last) {
            (Some(failed), _) => Err(failed),
            (None, Some(last)) if rest > 0 => {
                let error = chain(&last);
                tracing::warn!(rows = rest, error, "there was no time to write all rows");
                Ok(answers)
            }
            _ => Ok(answers),
        }
    }

    /// Does something to all rows of `object`, as [`DynamoDb::transact_all`] does.
    ///
    /// # Errors
    /// A call failed that will fail again, or there was no time for all rows. What could be done was done.
    pub(super) async fn transact_whole<T: TableRow>(
        &self,
        rows: &[T],
        parts: impl Fn(&T) -> Result<Vec<TransactWriteItem>, BoxError>,
        object: &str,
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let done = self.transact_all(rows, parts, |_| Ok(()), limit).await?;
        match done.iter().filter(|done| done.is_none()).count() {
            0 => Ok(()),
            undone => Err(CallFailed {
                operation: TRANSACT,
                object: object.to_owned(),
                source: format!("the table was too busy for {undone} of {} rows", done.len())
                    .into(),
            }),
        }
    }

    /// Does something to the rows of a batch in one transaction.
    async fn transact<T: TableRow>(
        &self,
        rows: &[T],
        batch: &Batch,
        parts: &impl Fn(&T) -> Result<Vec<TransactWriteItem>, BoxError>,
    ) -> BatchOutcome {
        let failed = |source| self.failed(rows, &batch.rows, source);
        let mut items = Vec::new();
        // Which row each item belongs to.
        let mut owners = Vec::new();
        for &row in &batch.rows {
            match parts(&rows[row]) {
                Ok(parts) => {
                    owners.extend(parts.iter().map(|_| row));
                    items.extend(parts);
                }
                Err(error) => return BatchOutcome::Failed(failed(error)),
            }
        }
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let call = self.client.transact_write_items().set_transact_items(Some(items));
        let answer = call.customize().config_override(once).send().await;
        let may_pass = answer.as_ref().is_err_and(may_pass);
        match transaction_outcome(answer) {
            Ok(TransactionOutcome::Committed) => BatchOutcome::Committed,
            Ok(TransactionOutcome::Throttled(said)) => BatchOutcome::Later(failed(said)),
            Ok(TransactionOutcome::Cancelled(reasons)) => {
                let refused: Vec<_> = owners
                    .into_iter()
                    .zip(reasons)
                    .filter(|(_, reason)| reason.code() == Some(CONDITION))
                    .collect();
                if refused.is_empty() {
                    return BatchOutcome::Later(failed(
                        "other writers held some of the rows".into(),
                    ));
                }
                BatchOutcome::Refused(refused)
            }
            Err(error) if may_pass => BatchOutcome::Later(failed(error)),
            Err(error) => BatchOutcome::Failed(failed(error)),
        }
    }

    /// What came of a row. One that cannot be read must not keep the others from being written.
    fn answered<T: TableRow, A>(&self, row: &T, answer: Result<A, BoxError>) -> Option<A> {
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                let (key, table) = (row.key(), &self.table);
                tracing::error!(row.key = key, table, error = %error, "a row cannot be read");
                None
            }
        }
    }

    fn failed<T: TableRow>(&self, rows: &[T], of: &[usize], source: BoxError) -> CallFailed {
        // Of several rows any may be the one that failed.
        let object = if let [row] = of { rows[*row].key() } else { self.table.clone() };
        CallFailed { operation: TRANSACT, object, source }
    }
}

/// The rows in batches, in their order.
fn batches<T: TableRow>(rows: &[T]) -> VecDeque<Batch> {
    let mut batches: VecDeque<Batch> = VecDeque::new();
    let mut bytes = 0;
    for (place, row) in rows.iter().enumerate() {
        // To measure a row it is written as JSON once more. One alone, as on the way of each event, fits.
        let size = if rows.len() > 1 { row.size() } else { 0 };
        bytes += size;
        match batches.back_mut() {
            Some(batch) if batch.rows.len() < BATCH_SIZE && bytes <= BATCH_BYTES => {
                batch.rows.push(place);
            }
            _ => {
                batches.push_back(Batch { rows: vec![place], failures: 0 });
                bytes = size;
            }
        }
    }
    batches
}

impl Batch {
    /// The batch again; in two halves if it has failed twice, because each row in it may be the one that is throttled.
    fn split(mut self) -> Vec<Self> {
        if self.failures < 2 || self.rows.len() / 2 < SMALLEST_BATCH {
            return vec![self];
        }
        let other = self.rows.split_off(self.rows.len() / 2);
        let failures = self.failures;
        vec![self, Self { rows: other, failures }]
    }
}

/// Whether a call that failed may go through another time: it never reached the service or was not answered, or the
/// service had an error of its own.
fn may_pass(error: &SdkError<TransactWriteItemsError>) -> bool {
    match error {
        SdkError::ServiceError(error) => {
            error.raw().status().is_server_error()
                || error.err().code() == Some("InternalServerError")
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sized(usize);

    impl TableRow for Sized {
        fn key(&self) -> String {
            String::new()
        }

        fn size(&self) -> usize {
            self.0
        }
    }

    fn sizes(rows: &[Sized]) -> Vec<usize> {
        batches(rows).iter().map(|batch| batch.rows.len()).collect()
    }

    #[test]
    fn a_transaction_has_no_more_rows_and_no_more_bytes_than_dynamodb_takes() {
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[const { Sized(4_000) }; 120]), [50, 50, 20]);
        assert_eq!(sizes(&[const { Sized(400_000) }; 12]), [5, 5, 2]);
        assert_eq!(sizes(&[Sized(3_000_000), Sized(1), Sized(3_000_000)]), [1, 1, 1]);
    }
}
