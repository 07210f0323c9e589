//! What is remembered of tickets: a row a ticket, and under the same partition key a row for each finding that it follows.

use std::collections::HashSet;

use aws_sdk_dynamodb::{
    error::SdkError,
    types::{AttributeValue, Delete, TransactWriteItem},
};
use jiff::Timestamp;

use super::{
    DynamoDb, UPDATE,
    batches::TableRow,
    item::{self, Item},
    keys,
    transaction::built,
};
use crate::{
    app::{
        TicketLog, TicketRow, TimeLimit, TrackerTurn, WriteOutcome,
        failure::{BoxError, CallFailed},
    },
    domain::{
        assess::Priority,
        record::Lease,
        ticket::{FollowedFinding, Mark, MemberState, Ticket},
    },
};

/// The attribute that holds a [`Ticket`] as JSON text.
const TICKET: &str = "ticket";
/// How urgent a ticket is; empty if nothing is known to be open of it.
const PRIORITY: &str = "priority";
/// How often a row was written.
const REVISION: &str = "revision";
/// The finding of a row that says that a ticket follows it.
const ARN: &str = "arn";
/// How often something was noted of a ticket, or a finding of it.
const NOTED: &str = "noted";
/// How a ticket says that a finding stands.
const TOLD: &str = "told";
/// Until when the tracker is to be left alone.
const PAUSED_UNTIL: &str = "paused_until";
/// How often a note is tried that meets others.
const MAX_ATTEMPTS: usize = 8;

/// A row of a finding that a ticket follows.
struct FollowedRow<'a> {
    id: &'a str,
    arn: &'a str,
    becomes: Becomes,
}

/// What becomes of such a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Becomes {
    /// The finding is followed.
    Followed,
    /// The ticket says that it stands so.
    Told(MemberState),
    /// It is followed no more, unless it was noted more often than so.
    Left(u64),
}

impl TableRow for FollowedRow<'_> {
    fn key(&self) -> String {
        keys::ticket(self.id)
    }

    fn size(&self) -> usize {
        // The ARN is in the key, too.
        2 * self.arn.len() + 200
    }
}

/// A moment as text that has the order of time.
fn moment(at: Timestamp) -> AttributeValue {
    AttributeValue::S(format!("{at:.3}"))
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

impl TicketLog for DynamoDb {
    async fn tickets(&self, ids: &[&str]) -> Result<Vec<TicketRow>, CallFailed> {
        let key = |id: &&str| (keys::ticket(id), keys::CURRENT.to_owned());
        let keys: Vec<_> = ids.iter().map(key).collect();
        let rows = self.get_items(&keys).await?;
        let read = |row: Item| match self::read(&row) {
            Ok(row) => Some(row),
            Err(error) => {
                let key = row.get(keys::PK).and_then(|key| key.as_s().ok());
                // One such row must not keep the others from being dealt with.
                tracing::error!(row.key = key, error = %error, "a row cannot be read, and is left as it is");
                None
            }
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    async fn note_findings(
        &self,
        ticket: &Ticket,
        findings: &[&str],
        priority: Option<Priority>,
        turn: Option<Timestamp>,
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let id = ticket.key.id();
        let rows: Vec<_> = findings
            .iter()
            .map(|arn| FollowedRow { id: &id, arn, becomes: Becomes::Followed })
            .collect();
        // Before the ticket itself is noted: whoever sees that it was sees them.
        self.change_followed(&id, &rows, limit).await?;
        let failed =
            |source: BoxError| CallFailed { operation: UPDATE, object: keys::ticket(&id), source };
        let new = item::json(ticket).map_err(|error| failed(error.into()))?;
        let priority = priority.map_or("", Priority::as_str);
        for attempt in 0..MAX_ATTEMPTS {
            // Either it has no turn so early, and gets one, or it has, and keeps it.
            let moves = turn.filter(|_| attempt % 2 == 0);
            let update = self
                .update_row(&keys::ticket(&id))
                .expression_attribute_values(":new", new.clone())
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":priority", AttributeValue::S(priority.to_owned()))
                .expression_attribute_values(":one", number(1));
            let set = "ticket = if_not_exists(ticket, :new), revision = if_not_exists(revision, :none), priority = :priority";
            let update = match (moves, turn) {
                (Some(turn), _) => update
                    .condition_expression("attribute_not_exists(pending_since) OR pending_since > :turn")
                    .update_expression(format!(
                        "SET {set}, pending_shard = :shard, pending_since = :turn REMOVE expires_at ADD noted :one"
                    ))
                    .expression_attribute_values(":shard", AttributeValue::S(keys::TICKETS.to_owned()))
                    .expression_attribute_values(":turn", moment(turn)),
                (None, Some(turn)) => update
                    .condition_expression("pending_since <= :turn")
                    .update_expression(format!("SET {set} REMOVE expires_at ADD noted :one"))
                    .expression_attribute_values(":turn", moment(turn)),
                (None, None) => update
                    .update_expression(format!("SET {set} REMOVE expires_at ADD noted :one")),
            };
            match update.send().await.map_err(SdkError::into_service_error) {
                Ok(_) => return Ok(()),
                Err(error) if error.is_conditional_check_failed_exception() => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(failed("others kept changing its turn".into()))
    }

    async fn findings_of(&self, id: &str, most: usize) -> Result<Vec<FollowedFinding>, CallFailed> {
        let read = |row: Item| {
            let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
            let sort_key = text(keys::SK).ok_or("a row of it has no key")?;
            let arn =
                sort_key.strip_prefix(keys::FOLLOWED).ok_or("a row of it is none of a finding")?;
            let told =
                row.get(TOLD).cloned().map(serde_dynamo::from_attribute_value).transpose()?;
            Ok(FollowedFinding { arn: arn.to_owned(), told, noted: count(&row, NOTED)? })
        };
        self.read_some_rows(&keys::ticket(id), keys::FOLLOWED, most, read).await
    }

    async fn followed_among(
        &self,
        findings: &[(&str, &str)],
    ) -> Result<HashSet<String>, CallFailed> {
        let key = |(id, arn): &(&str, &str)| (keys::ticket(id), keys::followed(arn));
        let keys: Vec<_> = findings.iter().map(key).collect();
        let rows = self.get_items(&keys).await?;
        let arn = |row: Item| row.get(ARN)?.as_s().ok().cloned();
        Ok(rows.into_iter().filter_map(arn).collect())
    }

    async fn open_findings(&self) -> Result<Vec<String>, CallFailed> {
        let entries = self.open_by_due(usize::MAX).await?;
        Ok(entries.into_iter().map(|entry| entry.arn).collect())
    }

    async fn due_tickets(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<(Timestamp, String)>, CallFailed> {
        self.ticket_entries(now, most).await
    }

    async fn write_ticket(
        &self,
        row: &TicketRow,
        turn: Option<Timestamp>,
        noted_turn: Timestamp,
    ) -> Result<WriteOutcome, CallFailed> {
        let key = keys::ticket(&row.ticket.key.id());
        let failed =
            |source: BoxError| CallFailed { operation: UPDATE, object: key.clone(), source };
        let json = item::json(&row.ticket).map_err(|error| failed(error.into()))?;
        // Without a turn it was closed, or never opened: after that long it may be forgotten.
        let expires_at = turn.is_none().then(|| self.expiry(noted_turn));
        for was_noted in [false, true] {
            let (condition, turn) = if was_noted {
                let earlier = turn.map_or(noted_turn, |turn| turn.min(noted_turn));
                ("revision = :before", Some(earlier))
            } else {
                ("revision = :before AND noted = :noted", turn)
            };
            let update = self
                .update_row(&key)
                .condition_expression(condition)
                .expression_attribute_values(":before", number(row.revision))
                .expression_attribute_values(":ticket", json.clone())
                .expression_attribute_values(":one", number(1));
            let update = if was_noted {
                update
            } else {
                update.expression_attribute_values(":noted", number(row.noted))
            };
            let update = match (turn, expires_at) {
                (Some(turn), _) => update
                    .update_expression(
                        "SET ticket = :ticket, pending_shard = :shard, pending_since = :turn \
                         REMOVE expires_at ADD revision :one",
                    )
                    .expression_attribute_values(
                        ":shard",
                        AttributeValue::S(keys::TICKETS.to_owned()),
                    )
                    .expression_attribute_values(":turn", moment(turn)),
                (None, expires_at) => update
                    .update_expression(
                        "SET ticket = :ticket, expires_at = :expires_at \
                         REMOVE pending_shard, pending_since ADD revision :one",
                    )
                    .expression_attribute_values(
                        ":expires_at",
                        AttributeValue::N(expires_at.unwrap_or_default().to_string()),
                    ),
            };
            match update.send().await.map_err(SdkError::into_service_error) {
                Ok(_) => return Ok(WriteOutcome::Applied),
                Err(error) if error.is_conditional_check_failed_exception() => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Ok(WriteOutcome::Conflict)
    }

    async fn mark_findings(
        &self,
        id: &str,
        marks: &[Mark<'_>],
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let becomes = |mark: &Mark<'_>| mark.state.map_or(Becomes::Left(mark.noted), Becomes::Told);
        let rows: Vec<_> = marks
            .iter()
            .map(|mark| FollowedRow { id, arn: mark.arn, becomes: becomes(mark) })
            .collect();
        self.change_followed(id, &rows, limit).await
    }

    async fn take_turn(&self, lease: &Lease, now: Timestamp) -> Result<TrackerTurn, CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: UPDATE,
            object: keys::TICKETS.to_owned(),
            source,
        };
        let holder = AttributeValue::S(lease.holder.clone());
        let lease = item::value(lease).map_err(|error| failed(error.into()))?;
        let answer = self
            .update_row(keys::TICKETS)
            .condition_expression(
                "(attribute_not_exists(lease) OR lease.#until <= :now OR lease.holder = :holder) \
                 AND (attribute_not_exists(paused_until) OR paused_until <= :now)",
            )
            .update_expression("SET lease = :lease REMOVE paused_until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":lease", lease)
            .expression_attribute_values(":holder", holder)
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            )
            .send()
            .await;
        match answer.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(TrackerTurn::Taken),
            Err(aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let paused_until = refused.item().and_then(|row| row.get(PAUSED_UNTIL)?.as_s().ok());
                let paused_until = paused_until.and_then(|until| until.parse().ok());
                Ok(match paused_until.filter(|until: &Timestamp| *until > now) {
                    Some(until) => TrackerTurn::Paused(until),
                    None => TrackerTurn::HeldByOther,
                })
            }
            Err(error) => Err(failed(error.into())),
        }
    }

    async fn end_turn(
        &self,
        holder: &str,
        paused_until: Option<Timestamp>,
    ) -> Result<(), CallFailed> {
        let update = self
            .update_row(keys::TICKETS)
            .condition_expression("lease.holder = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()));
        let update = match paused_until {
            Some(until) => update
                .update_expression("SET paused_until = :until REMOVE lease")
                .expression_attribute_values(":until", moment(until)),
            None => update.update_expression("REMOVE lease"),
        };
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(CallFailed {
                operation: UPDATE,
                object: keys::TICKETS.to_owned(),
                source: error.into(),
            }),
        }
    }
}

impl DynamoDb {
    /// Changes rows of findings that a ticket follows.
    async fn change_followed(
        &self,
        id: &str,
        rows: &[FollowedRow<'_>],
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let parts = |row: &FollowedRow<'_>| {
            let sort_key = AttributeValue::S(keys::followed(row.arn));
            if let Becomes::Left(noted) = row.becomes {
                let delete = Delete::builder()
                    .table_name(&self.table)
                    .key(keys::PK, AttributeValue::S(keys::ticket(id)))
                    .key(keys::SK, sort_key)
                    .condition_expression("attribute_not_exists(pk) OR noted = :noted")
                    .expression_attribute_values(":noted", number(noted));
                return Ok(vec![TransactWriteItem::builder().delete(delete.build()?).build()]);
            }
            let update = aws_sdk_dynamodb::types::Update::builder()
                .table_name(&self.table)
                .key(keys::PK, AttributeValue::S(keys::ticket(id)))
                .key(keys::SK, sort_key)
                .expression_attribute_values(":arn", AttributeValue::S(row.arn.to_owned()));
            let update = match row.becomes {
                Becomes::Told(told) => update
                    .update_expression("SET arn = :arn, told = :told")
                    .expression_attribute_values(":told", item::value(&told)?),
                _ => update
                    .update_expression("SET arn = :arn ADD noted :one")
                    .expression_attribute_values(":one", number(1)),
            };
            Ok(vec![built(update)?])
        };
        self.transact_whole(rows, parts, &keys::ticket(id), limit).await
    }
}

/// The ticket of a row.
fn read(row: &Item) -> Result<TicketRow, BoxError> {
    let ticket = row.get(TICKET).and_then(|ticket| ticket.as_s().ok());
    Ok(TicketRow {
        ticket: serde_json::from_str(ticket.ok_or("it has no ticket")?)?,
        priority: row.get(PRIORITY).and_then(|word| word.as_s().ok()?.parse().ok()),
        revision: count(row, REVISION)?,
        noted: count(row, NOTED)?,
    })
}

/// A number of a row; 0 if it has none.
fn count(row: &Item, name: &str) -> Result<u64, BoxError> {
    match row.get(name).and_then(|number| number.as_n().ok()) {
        Some(number) => Ok(number.parse()?),
        None => Ok(0),
    }
}
