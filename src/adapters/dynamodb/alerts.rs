//! Permits, leases and marks.

use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};
use futures_util::future::join;

use super::{
    DynamoDb,
    batches::TableRow,
    bucket::{has_threats, other_listeners},
    item, keys,
    transaction::{CONDITION, TRANSACT, TransactionOutcome, built, code, transaction_outcome},
};
use crate::{
    app::{
        Alerts, Exceptions, Leased, Marked, Marking, Permit, PermitRequest, TimeLimit,
        failure::{BoxError, CallFailed},
    },
    domain::{
        announce::{Bucket, Listeners},
        record::{Delivery, Lease, Record},
    },
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
            let listeners = &request.listeners;
            let asked = Some((listeners, request.has_looked));
            let Some(token) = self.token(request.bucket, request.budget, level, request.now, asked)
            else {
                return Ok(Permit::NoToken);
            };
            let row = self.lease_of(record, lease).map_err(failed)?;
            let mut items = vec![row, built(token).map_err(failed)?];
            for problem in &request.problems {
                items.push(self.announced_alone(problem, request.now).map_err(failed)?);
            }
            let problems_end = items.len();
            let no_ledger = self.no_ledger(request.now).map_err(failed)?;
            let is_checked = no_ledger.is_some();
            items.extend(no_ledger);
            let call = self.client.transact_write_items().set_transact_items(Some(items));
            let reasons = match transaction_outcome(call.send().await).map_err(failed)? {
                TransactionOutcome::Committed => {
                    self.note_taken(request.bucket, level, request.now);
                    if is_checked {
                        self.learn_no_ledger(request.now);
                    }
                    return Ok(Permit::Granted);
                }
                // So many write at once that there was no getting through. The finding is recorded, and waits.
                TransactionOutcome::Throttled(_) => return Ok(Permit::NoToken),
                TransactionOutcome::Cancelled(reasons) => reasons,
            };
            let refused = |index: usize| code(&reasons, index) == Some(CONDITION);
            if refused(0) {
                return Ok(Permit::Conflict);
            }
            if is_checked && Self::is_contended(reasons.get(problems_end)) {
                self.ask_ledger(request.now).await?;
                if self.has_ledger() {
                    return Ok(Permit::LookFirst);
                }
                continue;
            }
            if is_checked && self.learn_ledger(reasons.get(problems_end)) {
                return Ok(Permit::LookFirst);
            }
            if (2..problems_end).any(refused) {
                return Ok(Permit::AlreadyAnnounced);
            }
            if !refused(1) {
                // Many write at once, too. They will have spent the tokens.
                return Ok(Permit::NoToken);
            }
            if !request.has_looked && has_threats(&reasons[1]) {
                return Ok(Permit::LookFirst);
            }
            if let Some(others) = other_listeners(&reasons[1], listeners) {
                return Ok(Permit::OtherListeners(others));
            }
            self.note_state(request.bucket, &reasons[1]);
        }
        Ok(Permit::NoToken)
    }

    async fn lease(
        &self,
        records: &[Record],
        lease: &Lease,
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Leased>, CallFailed> {
        let parts = |record: &Record| Ok(vec![self.lease_of(record, lease)?]);
        let answer = |refused: Option<&CancellationReason>| {
            let Some(reason) = refused else { return Ok(Leased::Taken) };
            // Its answer was lost, and it was tried again.
            let holder = || reason.item()?.get("lease")?.as_m().ok()?.get("holder")?.as_s().ok();
            let is_ours = holder().is_some_and(|holder| *holder == lease.holder);
            Ok(if is_ours { Leased::Taken } else { Leased::Changed })
        };
        let leased = self.transact_all(records, parts, answer, limit).await?;
        Ok(leased.into_iter().map(|leased| leased.unwrap_or(Leased::TooBusy)).collect())
    }

    async fn mark(
        &self,
        markings: &[Marking],
        lease: &Lease,
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Marked>, CallFailed> {
        let parts = |marking: &Marking| self.mark_of(marking, lease);
        let answer = |refused: Option<&CancellationReason>| {
            let Some(reason) = refused else { return Ok(Marked::Done) };
            Ok(match reason.item.clone().filter(|row| !row.is_empty()) {
                Some(row) => Marked::Changed(Box::new(item::record(row)?)),
                None => Marked::Missing,
            })
        };
        let marked = self.transact_all(markings, parts, answer, limit).await?;
        Ok(marked.into_iter().map(|marked| marked.unwrap_or(Marked::TooBusy)).collect())
    }

    async fn share_listeners(&self, listeners: &Listeners) -> Result<(), CallFailed> {
        let [p1, others] =
            [Bucket::P1, Bucket::Others].map(|bucket| self.set_listeners(bucket, listeners));
        let (p1, others) = join(p1, others).await;
        p1.and(others)
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
        let Marking { record, delivery } = marking;
        let mut set = Vec::new();
        let mut remove = vec!["lease"];
        let update = self
            .update(keys::finding(&record.finding.arn))
            .condition_expression("lease.holder = :holder AND revision = :before")
            .expression_attribute_values(":holder", AttributeValue::S(lease.holder.clone()))
            .expression_attribute_values(":before", AttributeValue::N(record.revision.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        let mut history = None;
        let update = match delivery {
            Delivery::Complete(announced) => {
                set.push("announced = :delivery");
                remove.push("partly_told");
                history = Some(item::announcement(record, announced, self.expiry(announced.at))?);
                update.expression_attribute_values(":delivery", item::value(announced)?)
            }
            Delivery::Partial(partly) => {
                set.push("partly_told = :delivery");
                update.expression_attribute_values(":delivery", item::value(partly)?)
            }
            Delivery::None => update,
        };
        let update = match keys::pending(record) {
            None => {
                remove.extend(["pending_shard", "pending_since"]);
                update
            }
            // What is newer than what was told may have seemed no news before.
            Some((shard, since)) => {
                set.push("pending_shard = :shard, pending_since = :since");
                update
                    .expression_attribute_values(":shard", AttributeValue::S(shard))
                    .expression_attribute_values(":since", AttributeValue::S(since.to_string()))
            }
        };
        let update = match &record.threat {
            // It was looked up for the message.
            Some(threat) => {
                set.push("threat = :threat, priority = :priority, score = :score");
                let priority = record.priority().as_str().to_owned();
                let score = AttributeValue::N(record.score().to_string());
                match item::threat_score(record) {
                    Some(_) => set.push("threat_score = :score"),
                    None => remove.push("threat_score"),
                }
                update
                    .expression_attribute_values(":threat", item::json(threat)?)
                    .expression_attribute_values(":priority", AttributeValue::S(priority))
                    .expression_attribute_values(":score", score)
            }
            None => update,
        };
        let update = if record.threat.is_some() && record.is_open() {
            set.push("due_at = :due");
            let due =
                record.due_at.map_or_else(|| keys::NO_DUE_DATE.to_owned(), |due| due.to_string());
            update.expression_attribute_values(":due", AttributeValue::S(due))
        } else {
            update
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

impl TableRow for Record {
    fn key(&self) -> String {
        keys::finding(&self.finding.arn)
    }

    fn size(&self) -> usize {
        /// Its keys, dates and facts.
        const REST: usize = 4_000;
        let json = [serde_json::to_vec(&self.finding), serde_json::to_vec(&self.by_event)];
        json.into_iter().flatten().map(|json| json.len()).sum::<usize>() + REST
    }
}

impl TableRow for Marking {
    fn key(&self) -> String {
        self.record.key()
    }

    fn size(&self) -> usize {
        self.record.size()
    }
}
