//! The table of records: the only place that speaks to DynamoDB.
//!
//! A finding has one row (`pk` = `FINDING#<arn>`, `sk` = `CURRENT`) and a history of its material
//! transitions and announcements under the same `pk`. Every write of the row has a condition, and
//! every write raises its revision, so that no writer overwrites what it has not seen.

mod conflict;
mod index;
mod item;
pub mod keys;
mod mark;
mod permit;

pub use index::Entry;
pub use item::record;

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    Client, config,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        transact_write_items::TransactWriteItemsError,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{
        AttributeValue, CancellationReason, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem,
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    app::{
        Alone, Begun, Known, Marked, Marking, Outran, Permit, Refreshed, Store, Waiting,
        failure::CallFailed,
    },
    domain::{
        announce::Budget,
        record::{Lease, Record, Sighting, Transition},
    },
};
use conflict::Conflicts;
use item::Item;
use permit::Seen;

const UPDATE: &str = "DynamoDB UpdateItem";
const TRANSACT: &str = "DynamoDB TransactWriteItems";

/// The table of records.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
    table: String,
    history: SignedDuration,
    seen: Arc<Mutex<Seen>>,
}

impl DynamoDb {
    /// The table called `table`, keeping history for `history_days`.
    pub fn new(config: config::Builder, table: String, history_days: u16) -> Self {
        let client = Client::from_conf(config.retry_classifier(Conflicts).build());
        let history = SignedDuration::from_hours(24 * i64::from(history_days));
        Self { client, table, history, seen: Arc::default() }
    }

    /// An update of the row with the partition key `key`.
    fn update_row(&self, key: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.to_owned()))
            .key(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
    }

    fn expiry(&self, at: Timestamp) -> i64 {
        at.saturating_add(self.history).unwrap_or(Timestamp::MAX).as_second()
    }
}

impl Store for DynamoDb {
    async fn refresh(&self, sighting: &Sighting) -> Result<Refreshed, CallFailed> {
        let key = keys::finding(&sighting.finding.arn);
        let failed = |source| CallFailed { operation: UPDATE, object: key.clone(), source };
        let answer = self
            .update_row(&key)
            .condition_expression("facts = :facts AND version < :version")
            .update_expression(
                "SET version = :version, finding = :finding, assessment = :assessment, \
                 score = :score, last_seen_at = :now ADD revision :one",
            )
            .expression_attribute_values(":facts", AttributeValue::S(sighting.facts().key()))
            .expression_attribute_values(
                ":version",
                AttributeValue::S(sighting.version.as_str().to_owned()),
            )
            .expression_attribute_values(
                ":finding",
                item::json(&sighting.finding).map_err(|error| failed(error.into()))?,
            )
            .expression_attribute_values(
                ":assessment",
                item::json(&sighting.assessment).map_err(|error| failed(error.into()))?,
            )
            .expression_attribute_values(
                ":score",
                AttributeValue::N(sighting.assessment.score.to_string()),
            )
            .expression_attribute_values(":now", AttributeValue::S(sighting.seen_at.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let read =
            |item: Item| item::record(item).map(Box::new).map_err(|error| failed(error.into()));
        match answer {
            Ok(output) => match output.attributes {
                Some(item) => Ok(Refreshed::Done(read(item)?)),
                None => Ok(Refreshed::Missing),
            },
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(refused) => {
                    match refused.item.filter(|item| !item.is_empty()) {
                        Some(item) => Ok(Refreshed::Differs(read(item)?)),
                        None => Ok(Refreshed::Missing),
                    }
                }
                error => Err(failed(error.into())),
            },
            Err(error) => Err(failed(error.into())),
        }
    }

    async fn write(&self, record: &Record, transition: Transition) -> Result<Outran, CallFailed> {
        let key = keys::finding(&record.finding.arn);
        let failed = |source| CallFailed { operation: TRANSACT, object: key.clone(), source };
        let expiry = self.expiry(record.last_seen_at);
        let row = item::row(record, expiry).map_err(|error| failed(error.into()))?;
        let history =
            item::transition(record, transition, expiry).map_err(|error| failed(error.into()))?;

        let row = Put::builder().table_name(&self.table).set_item(Some(row));
        let row = if record.revision == 1 {
            row.condition_expression("attribute_not_exists(pk)")
        } else {
            row.condition_expression("revision = :before").expression_attribute_values(
                ":before",
                AttributeValue::N((record.revision - 1).to_string()),
            )
        };
        let history = Put::builder().table_name(&self.table).set_item(Some(history));
        let put = |put: aws_sdk_dynamodb::types::builders::PutBuilder| {
            let put = put.build().map_err(|error| failed(error.into()))?;
            Ok::<_, CallFailed>(TransactWriteItem::builder().put(put).build())
        };
        let answer = self
            .client
            .transact_write_items()
            .transact_items(put(row)?)
            .transact_items(put(history)?)
            .send()
            .await;
        match finished(answer.map(drop)).map_err(failed)? {
            Ok(()) => Ok(Outran::No),
            Err(_) => Ok(Outran::Yes),
        }
    }

    async fn permit(
        &self,
        record: &Record,
        lease: &Lease,
        alone: &Alone,
    ) -> Result<Permit, CallFailed> {
        self.permit(record, lease, alone).await
    }

    async fn lease(&self, records: &[Record], lease: &Lease) -> Result<Vec<Outran>, CallFailed> {
        self.lease_all(records, lease).await
    }

    async fn mark(&self, markings: &[Marking], lease: &Lease) -> Result<Vec<Marked>, CallFailed> {
        self.mark_all(markings, lease).await
    }

    async fn waiting(&self, most: usize, since: Option<Timestamp>) -> Result<Waiting, CallFailed> {
        let entries = self.pending(since, most).await?;
        let mut rows = self.rows(&entries).await?;
        // The index lags a little behind the rows.
        rows.retain(|row| row.pending_since.is_some());
        Ok(Waiting { since: entries.into_iter().map(|entry| entry.at).collect(), rows })
    }

    async fn know(&self, known: &[Known], now: Timestamp) -> Result<(), CallFailed> {
        self.know(known, now).await
    }

    async fn begin_summary(
        &self,
        lease: &Lease,
        budget: Budget,
        now: Timestamp,
    ) -> Result<Begun, CallFailed> {
        self.begin_summary(lease, budget, now).await
    }

    async fn end_summary(&self, lease: &Lease) -> Result<(), CallFailed> {
        self.end_summary(lease).await
    }
}

/// A condition that did not hold: the row is another one than was expected.
const CONDITION: &str = "ConditionalCheckFailed";
/// Another write on the same row at this moment. Nothing is known about the condition.
const CONFLICT: &str = "TransactionConflict";

/// What the service or the network said.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Whether a transaction was done, or was refused, for reasons that are no error: a condition did
/// not hold, or others kept writing to the same rows. Then with the reason for each of its parts.
fn finished(
    answer: Result<(), SdkError<TransactWriteItemsError>>,
) -> Result<Result<(), Vec<CancellationReason>>, Cause> {
    let error = match answer {
        Ok(()) => return Ok(Ok(())),
        Err(SdkError::ServiceError(error)) => error.into_err(),
        Err(error) => return Err(error.into()),
    };
    if let TransactWriteItemsError::TransactionCanceledException(cancelled) = &error {
        let reasons = cancelled.cancellation_reasons();
        if conflict::all_are(reasons, &[CONDITION, CONFLICT]) {
            return Ok(Err(reasons.to_vec()));
        }
    }
    let code = error.code().unwrap_or("an error without a code").to_owned();
    Err(format!("{code}: {error}").into())
}
