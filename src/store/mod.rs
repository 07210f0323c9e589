//! The table of records: the only place that speaks to DynamoDB.
//!
//! A finding has one row (`pk` = `FINDING#<arn>`, `sk` = `CURRENT`) and a history of its material
//! transitions and announcements under the same `pk`. Every write of the row has a condition, and
//! every write raises its revision, so that no writer overwrites what it has not seen.

mod item;
pub mod keys;

pub use item::record;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        transact_write_items::TransactWriteItemsError,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{
        AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        Update,
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::CallFailed,
    record::{Announced, Lease, Record, Sighting, Transition},
    triage::{Outran, Refreshed, Store},
};
use item::Item;

const UPDATE: &str = "DynamoDB UpdateItem";
const TRANSACT: &str = "DynamoDB TransactWriteItems";

/// The table of records.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
    table: String,
    history: SignedDuration,
}

impl DynamoDb {
    /// The table called `table`, keeping history for `history_days`.
    pub fn new(client: Client, table: String, history_days: u16) -> Self {
        Self { client, table, history: SignedDuration::from_hours(24 * i64::from(history_days)) }
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
        let row = item::row(record).map_err(|error| failed(error.into()))?;
        let expiry = self.expiry(record.last_seen_at);
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
        // Either way somebody was faster, and the row is read again.
        outran(answer.map(drop), &[CONDITION, CONFLICT]).map_err(failed)
    }

    async fn lease(&self, record: &Record, lease: &Lease) -> Result<Outran, CallFailed> {
        let key = keys::finding(&record.finding.arn);
        let failed = |source| CallFailed { operation: UPDATE, object: key.clone(), source };
        let lease = item::value(lease).map_err(|error| failed(error.into()))?;
        let answer = self
            .update_row(&key)
            .condition_expression("revision = :before")
            .update_expression("SET lease = :lease ADD revision :one")
            .expression_attribute_values(":before", AttributeValue::N(record.revision.to_string()))
            .expression_attribute_values(":lease", lease)
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Outran::No),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(_) => Ok(Outran::Yes),
                error => Err(failed(error.into())),
            },
            Err(error) => Err(failed(error.into())),
        }
    }

    async fn mark(
        &self,
        record: &Record,
        lease: &Lease,
        announced: &Announced,
    ) -> Result<Outran, CallFailed> {
        let key = keys::finding(&record.finding.arn);
        let failed = |source| CallFailed { operation: TRANSACT, object: key.clone(), source };
        let announcement = item::announcement(record, announced, self.expiry(announced.at))
            .map_err(|error| failed(error.into()))?;
        let update = Update::builder()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.clone()))
            .key(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
            .condition_expression("lease.holder = :holder")
            .update_expression(
                "SET announced = :announced \
                 REMOVE lease, pending_shard, pending_since ADD revision :one",
            )
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()))
            .expression_attribute_values(
                ":announced",
                item::value(announced).map_err(|error| failed(error.into()))?,
            )
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .build()
            .map_err(|error| failed(error.into()))?;
        let history = Put::builder()
            .table_name(&self.table)
            .set_item(Some(announcement))
            .build()
            .map_err(|error| failed(error.into()))?;
        let answer = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(update).build())
            .transact_items(TransactWriteItem::builder().put(history).build())
            .send()
            .await;
        // A conflict does not say that the lease is gone: people were told, and it is not marked.
        outran(answer.map(drop), &[CONDITION]).map_err(failed)
    }
}

/// A condition that did not hold: the row is another one than was expected.
const CONDITION: &str = "ConditionalCheckFailed";
/// Another write on the same row at this moment. Nothing is known about the condition.
const CONFLICT: &str = "TransactionConflict";

/// Whether a transaction was refused for one of the reasons `lost` alone, which is no error.
fn outran(
    answer: Result<(), SdkError<TransactWriteItemsError>>,
    lost: &[&str],
) -> Result<Outran, Box<dyn std::error::Error + Send + Sync>> {
    let error = match answer {
        Ok(()) => return Ok(Outran::No),
        Err(SdkError::ServiceError(error)) => error.into_err(),
        Err(error) => return Err(error.into()),
    };
    if let TransactWriteItemsError::TransactionCanceledException(cancelled) = &error {
        let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
        let codes: Vec<&str> = codes.filter(|code| *code != "None").collect();
        if !codes.is_empty() && codes.iter().all(|code| lost.contains(code)) {
            return Ok(Outran::Yes);
        }
    }
    let code = error.code().unwrap_or("an error without a code").to_owned();
    Err(format!("{code}: {error}").into())
}
