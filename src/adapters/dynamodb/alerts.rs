//! Permits, leases and marks.

use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};

use super::{
    DynamoDb, item, keys,
    transaction::{
        CONDITION, HasKey, TRANSACT, TransactionOutcome, built, code, transaction_outcome,
    },
};
use crate::{
    app::{
        Alerts, Marked, Marking, Permit, PermitRequest, WriteOutcome,
        failure::{BoxError, CallFailed},
    },
    domain::record::{Delivery, Lease, Record},
};

/// How often a race for a token is run.
pub const MAX_ATTEMPTS: usize = 4;

impl Alerts for DynamoDb {
    async fn permit(
        &self,
        record: &Record,
        lease: &Lease,
        request: &PermitRequest,
    ) -> Result<Permit, CallFailed> {
        let key = keys::finding(&record.finding.arn);
        let failed = |source| CallFailed { operation: TRANSACT, object: key.clone(), source };
        for _ in 0..MAX_ATTEMPTS {
            let level = self.level(request.bucket, request.budget, request.now);
            let Some(token) = self.token(request.bucket, request.budget, level, request.now) else {
                return Ok(Permit::NoToken);
            };
            let row = self.lease_of(record, lease).map_err(failed)?;
            let mut items = vec![row, built(token).map_err(failed)?];
            for known in &request.known {
                items.push(self.announced_alone(known, request.now).map_err(failed)?);
            }
            let call = self.client.transact_write_items().set_transact_items(Some(items));
            let TransactionOutcome::Cancelled(reasons) =
                transaction_outcome(call.send().await).map_err(failed)?
            else {
                self.note_taken(request.bucket, level, request.now);
                return Ok(Permit::Granted);
            };
            let refused = |index: usize| code(&reasons, index) == Some(CONDITION);
            if refused(0) {
                return Ok(Permit::Conflict);
            }
            if (2..reasons.len()).any(refused) {
                return Ok(Permit::AlreadyAnnounced);
            }
            if !refused(1) {
                // So many write at once that there was no getting through. They will have spent
                // the tokens.
                return Ok(Permit::NoToken);
            }
            self.note_state(request.bucket, &reasons[1]);
        }
        Ok(Permit::NoToken)
    }

    async fn lease(
        &self,
        records: &[Record],
        lease: &Lease,
    ) -> Result<Vec<WriteOutcome>, CallFailed> {
        let parts = |record: &Record| Ok(vec![self.lease_of(record, lease)?]);
        let answer = |refused: Option<&CancellationReason>| {
            Ok(if refused.is_none() { WriteOutcome::Applied } else { WriteOutcome::Conflict })
        };
        self.transact_all(records, parts, answer).await
    }

    async fn mark(&self, markings: &[Marking], lease: &Lease) -> Result<Vec<Marked>, CallFailed> {
        let parts = |marking: &Marking| self.mark_of(marking, lease);
        let answer = |refused: Option<&CancellationReason>| {
            let Some(reason) = refused else { return Ok(Marked::Done) };
            Ok(match reason.item.clone().filter(|row| !row.is_empty()) {
                Some(row) => Marked::Changed(Box::new(item::record(row)?)),
                None => Marked::Missing,
            })
        };
        self.transact_all(markings, parts, answer).await
    }
}

impl DynamoDb {
    /// Takes the lease of a row.
    fn lease_of(&self, record: &Record, lease: &Lease) -> Result<TransactWriteItem, BoxError> {
        let update = self
            .update(keys::finding(&record.finding.arn))
            .condition_expression("revision = :before")
            .update_expression("SET lease = :lease ADD revision :one")
            .expression_attribute_values(":before", AttributeValue::N(record.revision.to_string()))
            .expression_attribute_values(":lease", item::value(lease)?)
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        built(update)
    }

    /// The mark of a row, and of its history if all have heard.
    fn mark_of(
        &self,
        marking: &Marking,
        lease: &Lease,
    ) -> Result<Vec<TransactWriteItem>, BoxError> {
        let Marking { record, told } = marking;
        let mut set = Vec::new();
        let mut remove = vec!["lease"];
        let update = self
            .update(keys::finding(&record.finding.arn))
            .condition_expression("lease.holder = :holder AND revision = :before")
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()))
            .expression_attribute_values(":before", AttributeValue::N(record.revision.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        let mut history = None;
        let update = match told {
            Delivery::Complete(announced) => {
                set.push("announced = :told");
                remove.push("partly_told");
                history = Some(item::announcement(record, announced, self.expiry(announced.at))?);
                update.expression_attribute_values(":told", item::value(announced)?)
            }
            Delivery::Partial(partly) => {
                set.push("partly_told = :told");
                update.expression_attribute_values(":told", item::value(partly)?)
            }
            Delivery::None => update,
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
