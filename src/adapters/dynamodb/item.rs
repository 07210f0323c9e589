//! A record as an item of the table, and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;

use super::keys;
use crate::domain::record::{Announcement, End, Excepted, Facts, Record, Transition};

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// The error of a row that is not what this program writes.
pub type Unreadable = serde_dynamo::Error;

/// A finding's row: the record, and beside it what conditions, indexes and people look at.
#[derive(Serialize)]
struct Row<'a> {
    pk: String,
    sk: &'static str,
    /// [`Facts::key`] of the record.
    facts: String,
    // What people look for in the table.
    status: &'a str,
    severity: &'a str,
    priority: &'a str,
    score: u8,
    /// The same, where what is known of attacks changes it: an event, which does not know of that, leaves it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    threat_score: Option<u8>,
    account: &'a str,
    problem: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_shard: Option<String>,
    /// [`keys::NO_DUE_DATE`] in place of a date that the record does not have.
    #[serde(rename = "due_at", skip_serializing_if = "Option::is_none")]
    no_due_date: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_shard: Option<String>,
    /// When the end of the finding was recorded: in place of since when it waits to be told, which no ended one does.
    #[serde(rename = "pending_since", skip_serializing_if = "Option::is_none")]
    ended_since: Option<Timestamp>,
    /// The exception that covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'a str>,
    /// The first moment after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    excepted_until: Option<Timestamp>,
    /// When the table forgets it, if ever, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(flatten)]
    record: &'a Record,
}

/// The attributes of a finding's row that it may be without.
pub const OPTIONAL: [&str; 17] = [
    "announced",
    "due_at",
    "end",
    "ended_at",
    "excepted",
    "excepted_until",
    "exception",
    "expires_at",
    "lease",
    "open_shard",
    "opened_at",
    "partly_told",
    "pending_shard",
    "pending_since",
    "reminded",
    "threat",
    "threat_score",
];

/// A row of the history.
#[derive(Serialize)]
struct History<'a> {
    pk: String,
    sk: String,
    /// When it was recorded.
    at: Timestamp,
    what: &'static str,
    /// What became of the finding, or what people were told.
    facts: &'a Facts,
    /// How it ended, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<&'a End>,
    /// The exception that covered it then, or was the last that did.
    #[serde(skip_serializing_if = "Option::is_none")]
    excepted: Option<&'a Excepted>,
    #[serde(flatten)]
    state: Option<State<'a>>,
    expires_at: i64,
}

/// The state that a transition led to.
#[derive(Serialize)]
struct State<'a> {
    score: u8,
    version: &'a str,
    policy: &'a str,
    /// The revision of the row, by which transitions have an order: what the daily round knew before it wrote it down is
    /// noted under an earlier moment.
    revision: u64,
    opening: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
}

/// The row of a record. It expires at `expires_at`, as its history does, if the finding has ended
/// and nobody was told of it: the rules let ends of every severity through. So does the row of a finding that nobody
/// will end, because an on-demand scan found it.
pub fn row(record: &Record, expires_at: i64) -> Result<Item, Unreadable> {
    let arn = &record.finding.arn;
    let is_told = record.announced.is_some() || record.partial_delivery.is_some();
    let (pending_shard, pending_since) = keys::pending(record).unzip();
    let is_kept = !record.finding.is_on_demand() && (record.is_open() || is_told);
    serde_dynamo::to_item(Row {
        pk: keys::finding(arn),
        sk: keys::CURRENT,
        facts: record.event_facts().key(),
        status: record.status().as_str(),
        severity: record.finding.severity.as_str(),
        priority: record.priority().as_str(),
        score: record.score(),
        threat_score: threat_score(record),
        account: &record.finding.account,
        problem: record.finding.problem(),
        open_shard: record.is_open().then(|| keys::shard(keys::OPEN, arn)),
        no_due_date: (record.is_open() && record.due_at.is_none()).then_some(keys::NO_DUE_DATE),
        pending_shard,
        ended_since: pending_since.filter(|_| record.pending_since.is_none()),
        exception: record.exception().map(|exception| exception.id.as_str()),
        excepted_until: record.exception().map(|exception| exception.terms.end()),
        expires_at: (!is_kept).then_some(expires_at),
        record,
    })
}

/// What the JSON text of an assessment has in it that was made under the policy of this stamp.
pub fn stamp(policy: &str) -> String {
    format!(r#""policy":"{policy}""#)
}

/// The score of a record, if what is known of attacks changes it.
pub fn threat_score(record: &Record) -> Option<u8> {
    let score = record.score();
    (score != record.by_event.score).then_some(score)
}

/// The record of a row.
pub fn record(mut item: Item) -> Result<Record, Unreadable> {
    if item.get(keys::DUE_AT) == Some(&AttributeValue::S(keys::NO_DUE_DATE.to_owned())) {
        item.remove(keys::DUE_AT);
    }
    let shard = item.get(keys::PENDING_SHARD).and_then(|shard| shard.as_s().ok());
    if shard.is_some_and(|shard| keys::is_ended(shard)) {
        item.remove(keys::PENDING_SINCE);
    }
    serde_dynamo::from_item(item)
}

/// The history row of a transition into the state of `record`.
pub fn transition(
    record: &Record,
    transition: Transition,
    expires_at: i64,
) -> Result<Item, Unreadable> {
    let at = record.noted_at(transition);
    serde_dynamo::to_item(History {
        pk: keys::finding(&record.finding.arn),
        sk: match at {
            None => keys::transition(record.version.as_str(), record.revision),
            Some(at) => keys::noted(at, transition.as_str()),
        },
        at: at.unwrap_or(record.last_seen_at),
        what: transition.as_str(),
        facts: &record.facts(),
        end: record.end.as_ref(),
        excepted: record.excepted.as_ref(),
        state: Some(State {
            score: record.score(),
            version: record.version.as_str(),
            policy: &record.by_event.policy,
            revision: record.revision,
            opening: record.opening,
            opened_at: record.opened_at,
            ended_at: record.ended_at,
            due_at: record.due_at,
        }),
        expires_at,
    })
}

/// The history row of an announcement of `record`, which may hold a newer state by now than the one
/// that people were told of.
pub fn announcement(
    record: &Record,
    announced: &Announcement,
    expires_at: i64,
) -> Result<Item, Unreadable> {
    serde_dynamo::to_item(History {
        pk: keys::finding(&record.finding.arn),
        sk: keys::announcement(announced.at),
        at: announced.at,
        what: announced.why.as_str(),
        facts: &announced.facts,
        end: None,
        excepted: record.excepted.as_ref(),
        state: None,
        expires_at,
    })
}

/// One value as an attribute of JSON text, as [`Record`] keeps its detail.
pub fn json(value: &impl Serialize) -> Result<AttributeValue, serde_json::Error> {
    serde_json::to_string(value).map(AttributeValue::S)
}

/// One value as an attribute.
pub fn value(value: &impl Serialize) -> Result<AttributeValue, Unreadable> {
    serde_dynamo::to_attribute_value(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_attribute_that_a_row_may_be_without_is_known() {
        let stored = include_str!("../../../tests/stored/0.2.0.json");
        let stored: BTreeMap<String, serde_dynamo::Item> = serde_json::from_str(stored).unwrap();
        let rows: Vec<Item> = stored
            .into_iter()
            .filter(|(key, _)| key.starts_with(&keys::finding("")) && key.ends_with(keys::CURRENT))
            .map(|(_, item)| Item::from(item))
            .collect();
        let all: std::collections::BTreeSet<&String> = rows.iter().flat_map(Item::keys).collect();
        for name in all {
            let is_missing = rows.iter().any(|row| !row.contains_key(name));
            assert!(!is_missing || OPTIONAL.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn a_row_that_is_read_and_written_again_is_the_same() {
        let stored = include_str!("../../../tests/stored/0.2.0.json");
        let stored: BTreeMap<String, serde_dynamo::Item> = serde_json::from_str(stored).unwrap();
        let mut count = 0;
        for (key, item) in stored {
            let item = Item::from(item);
            if key.starts_with(&keys::finding("")) && key.ends_with(keys::CURRENT) {
                let expires_at =
                    item.get(keys::EXPIRES_AT).map_or(0, |at| at.as_n().unwrap().parse().unwrap());
                assert_eq!(row(&record(item.clone()).unwrap(), expires_at).unwrap(), item, "{key}");
                count += 1;
            }
        }
        assert_eq!(count, 14);
    }
}
