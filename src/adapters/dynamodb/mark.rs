//! Leases and marks of many rows at a time.

use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use futures_util::future::join_all;

use super::{CONDITION, CONFLICT, Cause, DynamoDb, TRANSACT, finished, item, keys};
use crate::{
    app::{Marked, Marking, Outran, failure::CallFailed},
    domain::record::{Lease, Record, Told},
};

/// How many rows go into one transaction. DynamoDB takes 100 items, and a mark has two.
const ROWS: usize = 50;
/// How many transactions are under way at once.
const AT_ONCE: usize = 8;

impl DynamoDb {
    pub(super) async fn lease_all(
        &self,
        records: &[Record],
        lease: &Lease,
    ) -> Result<Vec<Outran>, CallFailed> {
        let parts = |record: &Record| Ok(vec![self.lease_of(record, lease)?]);
        let answer = |refused: Option<&CancellationReason>| {
            Ok(if refused.is_none() { Outran::No } else { Outran::Yes })
        };
        self.in_waves(records, parts, answer).await
    }

    pub(super) async fn mark_all(
        &self,
        markings: &[Marking],
        lease: &Lease,
    ) -> Result<Vec<Marked>, CallFailed> {
        let parts = |marking: &Marking| self.mark_of(marking, lease);
        let answer = |refused: Option<&CancellationReason>| {
            let Some(reason) = refused else { return Ok(Marked::Done) };
            Ok(match reason.item.clone().filter(|row| !row.is_empty()) {
                Some(row) => Marked::Changed(Box::new(item::record(row)?)),
                None => Marked::Missing,
            })
        };
        self.in_waves(markings, parts, answer).await
    }

    /// Does something to all rows, so many in a transaction and so many transactions at a time, and
    /// gives what came of each row, in their order.
    async fn in_waves<T: HasKey, A>(
        &self,
        rows: &[T],
        parts: impl Fn(&T) -> Result<Vec<TransactWriteItem>, Cause>,
        answer: impl Fn(Option<&CancellationReason>) -> Result<A, Cause>,
    ) -> Result<Vec<A>, CallFailed> {
        let mut answers = Vec::with_capacity(rows.len());
        let mut failed = None;
        for wave in rows.chunks(ROWS * AT_ONCE) {
            let each = wave.chunks(ROWS).map(|rows| self.each(rows, &parts, &answer));
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
    async fn each<T: HasKey, A>(
        &self,
        rows: &[T],
        parts: &impl Fn(&T) -> Result<Vec<TransactWriteItem>, Cause>,
        answer: &impl Fn(Option<&CancellationReason>) -> Result<A, Cause>,
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
            match finished(call.send().await.map(drop)).map_err(failed)? {
                Ok(()) => {
                    for row in open {
                        answers[row] = Some(answer(None).map_err(failed)?);
                    }
                }
                Err(reasons) => {
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

    /// The mark of a row, and of its history if all have heard.
    fn mark_of(&self, marking: &Marking, lease: &Lease) -> Result<Vec<TransactWriteItem>, Cause> {
        let Marking { record, told } = marking;
        let mut set = Vec::new();
        let mut remove = vec!["lease"];
        let update = Update::builder()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(keys::finding(&record.finding.arn)))
            .key(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
            .condition_expression("lease.holder = :holder AND revision = :before")
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()))
            .expression_attribute_values(":before", AttributeValue::N(record.revision.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut history = None;
        let update = match told {
            Told::All(announced) => {
                set.push("announced = :told");
                remove.push("partly_told");
                history = Some(item::announcement(record, announced, self.expiry(announced.at))?);
                update.expression_attribute_values(":told", item::value(announced)?)
            }
            Told::Some(partly) => {
                set.push("partly_told = :told");
                update.expression_attribute_values(":told", item::value(partly)?)
            }
            Told::Nobody => update,
        };
        let update = match record.pending_since {
            None => {
                remove.extend(["pending_shard", "pending_since"]);
                update
            }
            // What is newer than what was told may have seemed no news before.
            Some(since) => {
                set.push("pending_shard = :shard, pending_since = :since");
                let shard = keys::shard(keys::PENDING, &record.finding.arn);
                update
                    .expression_attribute_values(":shard", AttributeValue::S(shard))
                    .expression_attribute_values(":since", AttributeValue::S(since.to_string()))
            }
        };
        let set = if set.is_empty() { String::new() } else { format!("SET {} ", set.join(", ")) };
        let update = update
            .update_expression(format!("{set}REMOVE {} ADD revision :one", remove.join(", ")))
            .build()?;
        let mut parts = vec![TransactWriteItem::builder().update(update).build()];
        if let Some(history) = history {
            let put = Put::builder().table_name(&self.table).set_item(Some(history)).build()?;
            parts.push(TransactWriteItem::builder().put(put).build());
        }
        Ok(parts)
    }
}

/// A row that an error can name.
trait HasKey {
    fn key(&self) -> String;
}

impl HasKey for Record {
    fn key(&self) -> String {
        keys::finding(&self.finding.arn)
    }
}

impl HasKey for Marking {
    fn key(&self) -> String {
        self.record.key()
    }
}
