//! The whole table, row by row, for evidence. For the command line.

use aws_sdk_dynamodb::types::KeyType;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    DynamoDb, figures,
    gaps::GAP,
    item::{self, Item},
    keys, ledger,
};
use crate::{
    adapters::failed,
    app::{
        Audit, AuditRow,
        failure::{BoxError, CallFailed},
    },
    domain::{
        evidence::{Change, Life, Moment, State, Unread},
        record::{End, Excepted, Facts, Transition},
    },
};

const SCAN: &str = "DynamoDB Scan";
const DESCRIBE: &str = "DynamoDB DescribeTable";

/// Which table it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its ARN, which names its account and Region.
    pub arn: String,
    /// Whether it has the keys and indexes of this program.
    pub is_own: bool,
}

impl DynamoDb {
    /// Which table it is.
    ///
    /// # Errors
    /// The call failed.
    pub async fn identity(&self) -> Result<Identity, CallFailed> {
        let table = &self.table;
        let call = self.client.describe_table().table_name(table).send().await;
        let answer = call.map_err(|error| failed::call(DESCRIBE, table, error))?;
        let found = answer.table.ok_or_else(|| CallFailed {
            operation: DESCRIBE,
            object: table.clone(),
            source: "the answer has no table".into(),
        })?;
        let has_key = |name: &str, kind: KeyType| {
            found
                .key_schema()
                .iter()
                .any(|key| key.attribute_name() == name && *key.key_type() == kind)
        };
        let has_index = |name: &&str| {
            let mut indexes = found.global_secondary_indexes().iter();
            indexes.any(|index| index.index_name() == Some(name))
        };
        let indexes = [keys::OPEN_BY_DUE, keys::PENDING_BY_AGE];
        Ok(Identity {
            is_own: has_key(keys::PK, KeyType::Hash)
                && has_key(keys::SK, KeyType::Range)
                && indexes.iter().all(has_index),
            arn: found.table_arn.unwrap_or_default(),
        })
    }
}

impl Audit for DynamoDb {
    async fn each_row(
        &self,
        now: Timestamp,
        mut each: impl FnMut(AuditRow) + Send,
    ) -> Result<(), CallFailed> {
        let mut rows = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            // For a page without a limit the embedded store reads all rows that are left.
            .limit(1_000)
            .into_paginator()
            .items()
            .send();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| failed::call(SCAN, &self.table, error))?;
            // DynamoDB deletes some days later what has expired.
            if !has_expired(&row, now) {
                each(read(row));
            }
        }
        Ok(())
    }
}

fn has_expired(row: &Item, now: Timestamp) -> bool {
    let at = row.get(keys::EXPIRES_AT).and_then(|at| at.as_n().ok());
    at.and_then(|at| at.parse().ok()).is_some_and(|at: i64| at <= now.as_second())
}

fn text<'a>(row: &'a Item, name: &str) -> &'a str {
    row.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// What a row is.
fn read(row: Item) -> AuditRow {
    let (partition, place) = (text(&row, keys::PK).to_owned(), text(&row, keys::SK).to_owned());
    let read = if let Some(arn) = keys::arn(&partition) {
        of_finding(arn, &place, row)
    } else {
        other(&partition, &place, &row)
    };
    read.unwrap_or_else(|error| {
        let why = error.to_string();
        AuditRow::Unread(Unread { partition, place, why })
    })
}

/// What a row under the key of a finding is.
fn of_finding(arn: &str, place: &str, row: Item) -> Result<AuditRow, BoxError> {
    let arn = arn.to_owned();
    if place == keys::CURRENT {
        return Ok(AuditRow::Finding(Box::new(item::record(row)?)));
    }
    if keys::is_announcement(place) {
        let told: Told = serde_dynamo::from_item(row)?;
        return Ok(AuditRow::Told(arn, told.at));
    }
    if keys::is_moment(place) {
        let history: History = serde_dynamo::from_item(row)?;
        let expires_at = history.expires_at.and_then(|at| Timestamp::from_second(at).ok());
        let kept_for = expires_at.map(|at| at.duration_since(history.at));
        return Ok(AuditRow::Moment(arn, Box::new(history.into()), kept_for));
    }
    Err(UNKNOWN.into())
}

const UNKNOWN: &str = "this version does not know such rows";

/// What any other row is.
fn other(partition: &str, place: &str, row: &Item) -> Result<AuditRow, BoxError> {
    Ok(match partition {
        keys::FIGURES => {
            AuditRow::Day(Box::new(figures::day(row, place)?), figures::kept_for(row)?)
        }
        keys::REVIEWS => AuditRow::Review(Box::new(figures::review(row)?)),
        keys::GAPS => AuditRow::Gap(serde_json::from_str(text(row, GAP))?),
        keys::PAST_GAPS => AuditRow::PastGap(serde_json::from_str(text(row, GAP))?),
        keys::LEDGER if place == keys::CURRENT => AuditRow::InForce(ledger::head(row)?),
        keys::LEDGER if place.starts_with(keys::LEDGER_APPLIED) => {
            AuditRow::Applied(ledger::head(row)?)
        }
        _ => match keys::ledger_digest(partition) {
            Some(digest) => AuditRow::Exceptions(digest.to_owned(), ledger::exceptions(row)?),
            None if keys::is_beside(partition) => AuditRow::Beside,
            None => return Err(UNKNOWN.into()),
        },
    })
}

/// A row of the history in which people were told.
#[derive(Deserialize)]
struct Told {
    at: Timestamp,
}

/// A row of the history in which a finding changed.
#[derive(Deserialize)]
struct History {
    at: Timestamp,
    what: String,
    facts: Facts,
    end: Option<End>,
    excepted: Option<Excepted>,
    score: u8,
    policy: String,
    revision: Option<u64>,
    opening: Option<u32>,
    opened_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
    expires_at: Option<i64>,
}

/// What a word says of how a finding stood before.
fn change(what: &str) -> Change {
    let is = |transition: Transition| what == transition.as_str();
    if is(Transition::Opened) {
        Change::Opened
    } else if is(Transition::Reopened) {
        Change::Reopened
    } else if is(Transition::Reminded) || is(Transition::Explained) {
        Change::Nothing
    } else {
        Change::Other
    }
}

impl From<History> for Moment {
    fn from(row: History) -> Self {
        let History { opened_at, ended_at, due_at, .. } = row;
        Self {
            at: row.at,
            revision: row.revision,
            change: change(&row.what),
            state: State {
                facts: row.facts,
                score: row.score,
                policy: row.policy,
                end: row.end.map(Box::new),
                excepted: row.excepted.map(Box::new),
                life: row.opening.map(|opening| Life { opening, opened_at, ended_at, due_at }),
            },
        }
    }
}
