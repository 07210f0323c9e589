//! A finding's row and its history.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{
        AttributeValue, CancellationReason, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update, builders::PutBuilder,
    },
};

use super::{
    DynamoDb, UPDATE,
    batches::TableRow,
    item::{self, Item},
    keys,
    transaction::{TRANSACT, TransactionOutcome, transaction_outcome},
};
use crate::{
    app::{
        Records, Refreshed, TimeLimit, WriteOutcome,
        failure::{BoxError, CallFailed},
    },
    domain::record::{AssessedFinding, Record, Transition, Version},
};

impl Records for DynamoDb {
    async fn refresh(&self, assessed: &AssessedFinding) -> Result<Refreshed, CallFailed> {
        let key = keys::finding(&assessed.finding.arn);
        let failed = |source| CallFailed { operation: UPDATE, object: key.clone(), source };
        let answer = self
            .update_row(&key)
            .condition_expression(
                // Where more is known than events say, what people were told has to be seen as this policy sees it.
                "facts = :facts AND \
                 (version < :version OR version > :bound AND last_seen_at < :now) AND \
                 (attribute_not_exists(threat) OR contains(assessment, :policy))",
            )
            .update_expression(
                "SET version = :version, finding = :finding, assessment = :assessment, \
                 score = if_not_exists(threat_score, :score), last_seen_at = :now ADD revision :one",
            )
            .expression_attribute_values(":facts", AttributeValue::S(assessed.facts().key()))
            .expression_attribute_values(
                ":policy",
                AttributeValue::S(item::stamp(&assessed.assessment.policy)),
            )
            .expression_attribute_values(
                ":version",
                AttributeValue::S(assessed.version.as_str().to_owned()),
            )
            .expression_attribute_values(
                ":bound",
                AttributeValue::S(Version::bound(assessed.received_at).as_str().to_owned()),
            )
            .expression_attribute_values(
                ":finding",
                item::json(&assessed.finding).map_err(|error| failed(error.into()))?,
            )
            .expression_attribute_values(
                ":assessment",
                item::json(&assessed.assessment).map_err(|error| failed(error.into()))?,
            )
            .expression_attribute_values(
                ":score",
                AttributeValue::N(assessed.assessment.score.to_string()),
            )
            .expression_attribute_values(
                ":now",
                AttributeValue::S(assessed.received_at.to_string()),
            )
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

    async fn write(
        &self,
        record: &Record,
        transition: Transition,
    ) -> Result<WriteOutcome, CallFailed> {
        let failed = |source| CallFailed {
            operation: TRANSACT,
            object: keys::finding(&record.finding.arn),
            source,
        };
        let parts = self.parts(record, transition).map_err(failed)?;
        let now = record.last_seen_at;
        // Where there is something to tell or to explain, it matters whether a ledger is in force.
        let matters = record.pending_since.is_some() || record.is_hidden();
        let no_ledger = if matters { self.no_ledger(now).map_err(failed)? } else { None };
        let Some(no_ledger) = no_ledger else {
            return self.write_parts(parts).await.map_err(failed).map(|(outcome, _)| outcome);
        };
        let place = parts.len();
        let with_check = [parts.clone(), vec![no_ledger]].concat();
        let (outcome, reasons) = self.write_parts(with_check).await.map_err(failed)?;
        if outcome == WriteOutcome::Applied {
            self.learn_no_ledger(now);
            return Ok(outcome);
        }
        if Self::is_contended(reasons.get(place)) {
            self.ask_ledger(now).await?;
            return self.write_parts(parts).await.map_err(failed).map(|(outcome, _)| outcome);
        }
        if self.learn_ledger(reasons.get(place)) {
            return self.write_parts(parts).await.map_err(failed).map(|(outcome, _)| outcome);
        }
        Ok(outcome)
    }

    async fn read_all(&self, arns: &[&str]) -> Result<Vec<Record>, CallFailed> {
        self.get_records(arns).await
    }

    async fn write_all(
        &self,
        records: &[(Record, Transition)],
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Option<WriteOutcome>>, CallFailed> {
        let parts = |(record, transition): &(Record, Transition)| self.parts(record, *transition);
        self.transact_all(records, parts, outcome, limit).await
    }
}

/// What came of a row that refused, or did not.
#[expect(clippy::unnecessary_wraps, reason = "other rows have answers that cannot be read")]
pub(super) fn outcome(refused: Option<&CancellationReason>) -> Result<WriteOutcome, BoxError> {
    Ok(if refused.is_some() { WriteOutcome::Conflict } else { WriteOutcome::Applied })
}

impl TableRow for (Record, Transition) {
    fn key(&self) -> String {
        keys::finding(&self.0.finding.arn)
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

fn put(put: PutBuilder) -> Result<TransactWriteItem, BoxError> {
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

impl DynamoDb {
    /// Writes parts, all or none. Gives the reasons, in their order, if it was none.
    async fn write_parts(
        &self,
        parts: Vec<TransactWriteItem>,
    ) -> Result<(WriteOutcome, Vec<CancellationReason>), BoxError> {
        let call = self.client.transact_write_items().set_transact_items(Some(parts));
        match transaction_outcome(call.send().await)? {
            TransactionOutcome::Committed => Ok((WriteOutcome::Applied, Vec::new())),
            TransactionOutcome::Cancelled(reasons) => Ok((WriteOutcome::Conflict, reasons)),
            TransactionOutcome::Throttled(said) => Err(said),
        }
    }

    /// The parts of a transaction that writes a row and its history.
    fn parts(
        &self,
        record: &Record,
        transition: Transition,
    ) -> Result<Vec<TransactWriteItem>, BoxError> {
        let at = record.noted_at(transition).unwrap_or(record.last_seen_at);
        let history = item::transition(record, transition, self.expiry(at))?;
        let history = Put::builder().table_name(&self.table).set_item(Some(history));
        Ok(vec![self.row_of(record)?, put(history)?])
    }

    /// The part of a transaction that writes a row. What a later version wrote into it, and this one does not know, stays.
    pub(super) fn row_of(&self, record: &Record) -> Result<TransactWriteItem, BoxError> {
        let mut row = item::row(record, self.expiry(record.last_seen_at))?;
        if record.revision == 1 {
            let row = Put::builder().table_name(&self.table).set_item(Some(row));
            return put(row.condition_expression("attribute_not_exists(pk)"));
        }
        let mut update = Update::builder()
            .table_name(&self.table)
            .condition_expression("revision = :before")
            .expression_attribute_values(
                ":before",
                AttributeValue::N((record.revision - 1).to_string()),
            );
        for key in [keys::PK, keys::SK] {
            let value = row.remove(key).ok_or_else(|| format!("the row has no {key}"))?;
            update = update.key(key, value);
        }
        let absent = item::OPTIONAL.into_iter().filter(|name| !row.contains_key(*name));
        let remove: Vec<&str> = absent.collect();
        let mut set = Vec::with_capacity(row.len());
        for (place, (name, value)) in row.into_iter().enumerate() {
            set.push(format!("#{place} = :{place}"));
            update = update
                .expression_attribute_names(format!("#{place}"), name)
                .expression_attribute_values(format!(":{place}"), value);
        }
        let remove = if remove.is_empty() {
            String::new()
        } else {
            let names = remove.iter().map(|name| format!("#{name}"));
            for name in &remove {
                update = update.expression_attribute_names(format!("#{name}"), *name);
            }
            format!(" REMOVE {}", names.collect::<Vec<_>>().join(", "))
        };
        let update = update.update_expression(format!("SET {}{remove}", set.join(", ")));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// Reads the records of all findings, in no order, and gives each to `each`.
    ///
    /// # Errors
    /// A call failed, or a row holds what this program does not write.
    pub async fn scan(&self, mut each: impl FnMut(&Record)) -> Result<(), CallFailed> {
        let failed =
            |source| CallFailed { operation: "DynamoDB Scan", object: self.table.clone(), source };
        let mut pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :current AND begins_with(pk, :finding)")
            .expression_attribute_values(":finding", AttributeValue::S(keys::finding("")))
            .expression_attribute_values(":current", AttributeValue::S(keys::CURRENT.to_owned()))
            // For a page without a limit the embedded store reads all rows that are left.
            .limit(300)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| failed(error.into_service_error().into()))?;
            each(&item::record(item).map_err(|error| failed(error.into()))?);
        }
        Ok(())
    }
}
