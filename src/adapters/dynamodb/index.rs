//! The two indexes, read over all their shards.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::query::{QueryError, builders::QueryFluentBuilder},
    types::AttributeValue,
};
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::{
    DynamoDb,
    item::{self, Item},
    keys,
};
use crate::{
    app::{
        Queue, Sweep, TimeLimit,
        failure::{BoxError, CallFailed},
    },
    domain::record::{EndQueue, Record},
};

const QUERY: &str = "DynamoDB Query";
/// As many entries as are asked for at a time. The embedded store reads all of a page that has no limit.
const LARGEST_PAGE: i32 = 2_000;

/// A finding, as an index has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// What the index is ordered by: when it is due, or since when it waits to be told.
    pub at: Timestamp,
    /// The finding.
    pub arn: String,
}

/// An index of the table: its name, and the attributes of its key.
struct Index {
    name: &'static str,
    shard: &'static str,
    order: &'static str,
}

/// How many rows are read before they are given on.
pub(super) const PAGE: usize = 400;

const BY_DUE: Index =
    Index { name: keys::OPEN_BY_DUE, shard: keys::OPEN_SHARD, order: keys::DUE_AT };
const BY_AGE: Index =
    Index { name: keys::PENDING_BY_AGE, shard: keys::PENDING_SHARD, order: keys::PENDING_SINCE };

impl Sweep for DynamoDb {
    async fn has_open(&self) -> Result<bool, CallFailed> {
        Ok(!self.open_by_due(1).await?.is_empty())
    }

    async fn each_open(
        &self,
        limit: TimeLimit<'_>,
        mut each: impl FnMut(Record) + Send,
    ) -> Result<bool, CallFailed> {
        let each = |record: Record| {
            if record.is_open() {
                each(record);
            }
        };
        self.each_of(&BY_DUE, keys::OPEN, None, limit, each).await
    }

    async fn each_ended(
        &self,
        queue: EndQueue,
        after: Option<Timestamp>,
        limit: TimeLimit<'_>,
        mut each: impl FnMut(Record) + Send,
    ) -> Result<bool, CallFailed> {
        let each = |record: Record| {
            if record.end_queue() == Some(queue) {
                each(record);
            }
        };
        self.each_of(&BY_AGE, keys::ended(queue), after, limit, each).await
    }
}

impl DynamoDb {
    /// Gives the row of each finding in a queue of an index to `each`, as it is by now: the index lags a little behind.
    /// Returns whether that was all before `limit`.
    async fn each_of(
        &self,
        index: &Index,
        queue: &str,
        after: Option<Timestamp>,
        limit: TimeLimit<'_>,
        mut each: impl FnMut(Record) + Send,
    ) -> Result<bool, CallFailed> {
        for shard in keys::shards(queue) {
            let items = self.shard_items(index, &shard, after, PAGE);
            let mut items = items.into_paginator().items().send();
            loop {
                let mut arns = Vec::with_capacity(PAGE);
                while arns.len() < PAGE
                    && let Some(item) = items.next().await
                {
                    arns.push(entry(index, &shard, item)?.arn);
                }
                let is_last = arns.len() < PAGE;
                // One that moves meanwhile may be in it twice.
                arns.sort();
                arns.dedup();
                let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
                self.get_records(&arns).await?.into_iter().for_each(&mut each);
                if limit.is_over() {
                    return Ok(false);
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(true)
    }

    /// The findings in a queue of those that have ended, the earliest first, at most `most` of them.
    pub(super) async fn ended_entries(
        &self,
        queue: EndQueue,
        most: usize,
    ) -> Result<Vec<Entry>, CallFailed> {
        self.query_shards(&BY_AGE, &keys::shards(keys::ended(queue)), None, most).await
    }

    /// The open findings, those due first first, at most `most` of them.
    ///
    /// Reads at most `most` entries of each shard, all shards side by side.
    ///
    /// # Errors
    /// A call failed, or an index holds what this program does not write.
    pub async fn open_by_due(&self, most: usize) -> Result<Vec<Entry>, CallFailed> {
        self.query_shards(&BY_DUE, &keys::shards(keys::OPEN), None, most).await
    }

    /// The findings with something to tell in `queue`, those that wait longest first, at most `most` of them;
    /// only those that came after a moment, if that is given.
    ///
    /// Reads at most `most` entries of each shard, all shards side by side.
    pub(super) async fn pending_entries(
        &self,
        queue: Queue,
        after: Option<Timestamp>,
        most: usize,
    ) -> Result<Vec<Entry>, CallFailed> {
        let queue = match queue {
            Queue::Untold => keys::PENDING,
            Queue::PartlyTold => keys::PARTLY_TOLD,
        };
        self.query_shards(&BY_AGE, &keys::shards(queue), after, most).await
    }

    /// The rows of findings, in no order, without those that are gone or cannot be read: one such row must not keep people
    /// from hearing of the others.
    pub(super) async fn get_records(&self, arns: &[&str]) -> Result<Vec<Record>, CallFailed> {
        let key = |arn: &&str| (keys::finding(arn), keys::CURRENT.to_owned());
        let keys: Vec<_> = arns.iter().map(key).collect();
        let mut rows = Vec::with_capacity(arns.len());
        for item in self.get_items(&keys).await? {
            let key = item.get(keys::PK).and_then(|key| key.as_s().ok()).cloned();
            match item::record(item) {
                Ok(record) => rows.push(record),
                Err(error) => tracing::error!(
                    row.key = key,
                    error = %error,
                    "a row cannot be read, and is left as it is"
                ),
            }
        }
        Ok(rows)
    }

    /// The rows of findings, in their order, without those that are gone.
    pub(super) async fn get_rows(&self, entries: &[Entry]) -> Result<Vec<Record>, CallFailed> {
        let arns: Vec<&str> = entries.iter().map(|entry| entry.arn.as_str()).collect();
        let mut rows = self.get_records(&arns).await?;
        let order: HashMap<&str, usize> =
            entries.iter().enumerate().map(|(place, entry)| (entry.arn.as_str(), place)).collect();
        rows.sort_by_key(|row| order.get(row.finding.arn.as_str()).copied());
        Ok(rows)
    }

    /// The tickets that have their turn at `until` or before, those that wait longest first, at most `most` of them: when it is,
    /// and their ids.
    #[cfg(feature = "tickets")]
    pub(super) async fn ticket_entries(
        &self,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<(Timestamp, String)>, CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: QUERY,
            object: keys::TICKETS.to_owned(),
            source,
        };
        let items = self.shard_items(&BY_AGE, keys::TICKETS, None, most);
        let mut items = items.into_paginator().items().send();
        let mut entries = Vec::new();
        while entries.len() < most
            && let Some(item) = items.next().await
        {
            let item = item.map_err(|error| failed(error.into()))?;
            let place = place(&BY_AGE, &item).and_then(|(at, key)| {
                let id = keys::ticket_id(&key)?.to_owned();
                Some((at, id))
            });
            let (at, id) =
                place.ok_or_else(|| failed(format!("{} holds {item:?}", BY_AGE.name).into()))?;
            if at > until {
                break;
            }
            entries.push((at, id));
        }
        Ok(entries)
    }

    async fn query_shards(
        &self,
        index: &Index,
        shards: &[String],
        after: Option<Timestamp>,
        most: usize,
    ) -> Result<Vec<Entry>, CallFailed> {
        let shards = shards.iter().map(|shard| self.query_shard(index, shard, after, most));
        let mut entries = try_join_all(shards).await?.concat();
        entries.sort();
        // Pages are read one after the other: a finding that moves meanwhile is in two of them.
        let mut seen = HashSet::new();
        entries.retain(|entry| seen.insert(entry.arn.clone()));
        entries.truncate(most);
        Ok(entries)
    }

    async fn query_shard(
        &self,
        index: &Index,
        shard: &str,
        after: Option<Timestamp>,
        most: usize,
    ) -> Result<Vec<Entry>, CallFailed> {
        let items = self.shard_items(index, shard, after, most);
        let mut items = items.into_paginator().items().send();
        let mut entries = Vec::new();
        while entries.len() < most
            && let Some(item) = items.next().await
        {
            entries.push(entry(index, shard, item)?);
        }
        Ok(entries)
    }

    /// The items of a shard in their order, `most` at a time at most.
    fn shard_items(
        &self,
        index: &Index,
        shard: &str,
        after: Option<Timestamp>,
        most: usize,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(index.name)
            .key_condition_expression("#shard = :shard AND #order > :after")
            .expression_attribute_names("#shard", index.shard)
            .expression_attribute_names("#order", index.order)
            .expression_attribute_values(
                ":after",
                // Before all times, as text.
                AttributeValue::S(after.map_or_else(|| "-".to_owned(), |after| after.to_string())),
            )
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
            .limit(i32::try_from(most).unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE))
    }
}

/// The entry that an item of a shard is.
fn entry(
    index: &Index,
    shard: &str,
    item: Result<Item, SdkError<QueryError>>,
) -> Result<Entry, CallFailed> {
    let failed = |source| CallFailed { operation: QUERY, object: shard.to_owned(), source };
    let item = item.map_err(|error| failed(error.into()))?;
    let entry = || {
        let (at, key) = place(index, &item)?;
        Some(Entry { at, arn: keys::arn(&key)?.to_owned() })
    };
    entry().ok_or_else(|| failed(format!("{} holds {item:?}", index.name).into()))
}

/// Where an item stands in an index, and the partition key of its row.
fn place(index: &Index, item: &Item) -> Option<(Timestamp, String)> {
    let text = |key: &str| item.get(key).and_then(|value| value.as_s().ok());
    Some((text(index.order)?.parse().ok()?, text(keys::PK)?.clone()))
}
