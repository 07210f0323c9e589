//! The two indexes, read over all their shards.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::{DynamoDb, keys};
use crate::failure::CallFailed;

const QUERY: &str = "DynamoDB Query";

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

impl DynamoDb {
    /// The open findings, those due first first, at most `most` of them.
    ///
    /// Reads at most `most` entries of each shard, all shards side by side.
    ///
    /// # Errors
    /// A call failed, or an index holds what this program does not write.
    pub async fn open_by_due(&self, most: usize) -> Result<Vec<Entry>, CallFailed> {
        let index = Index { name: keys::OPEN_BY_DUE, shard: keys::OPEN_SHARD, order: keys::DUE_AT };
        self.first(&index, &keys::shards(keys::OPEN), most).await
    }

    /// The findings with something to tell, those that wait longest first, at most `most` of them.
    ///
    /// Reads at most `most` entries of each shard, all shards side by side.
    ///
    /// # Errors
    /// A call failed, or an index holds what this program does not write.
    pub async fn pending(&self, most: usize) -> Result<Vec<Entry>, CallFailed> {
        let index = Index {
            name: keys::PENDING_BY_AGE,
            shard: keys::PENDING_SHARD,
            order: keys::PENDING_SINCE,
        };
        self.first(&index, &keys::shards(keys::PENDING), most).await
    }

    async fn first(
        &self,
        index: &Index,
        shards: &[String],
        most: usize,
    ) -> Result<Vec<Entry>, CallFailed> {
        let shards = shards.iter().map(|shard| self.first_of_shard(index, shard, most));
        let mut entries = try_join_all(shards).await?.concat();
        entries.sort();
        entries.truncate(most);
        Ok(entries)
    }

    async fn first_of_shard(
        &self,
        index: &Index,
        shard: &str,
        most: usize,
    ) -> Result<Vec<Entry>, CallFailed> {
        let failed = |source| CallFailed { operation: QUERY, object: shard.to_owned(), source };
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index.name)
            .key_condition_expression("#shard = :shard")
            .expression_attribute_names("#shard", index.shard)
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
            .set_limit(i32::try_from(most).ok())
            .into_paginator()
            .items()
            .send();
        let mut entries = Vec::new();
        while entries.len() < most
            && let Some(item) = items.next().await
        {
            let item = item.map_err(|error| failed(error.into()))?;
            let text = |key: &str| item.get(key).and_then(|value| value.as_s().ok());
            let entry = || {
                let at = text(index.order)?.parse().ok()?;
                Some(Entry { at, arn: keys::arn(text(keys::PK)?)?.to_owned() })
            };
            let strange = || failed(format!("{} holds {item:?}", index.name).into());
            entries.push(entry().ok_or_else(strange)?);
        }
        Ok(entries)
    }
}
