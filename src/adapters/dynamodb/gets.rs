//! Many items by their keys.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::future::try_join_all;

use super::{DynamoDb, item::Item, keys};
use crate::app::failure::{BoxError, CallFailed};

/// How many items DynamoDB gives at a time.
const BATCH_SIZE: usize = 100;
/// How long to wait before asking again for items that were left out, at first.
const PAUSE: Duration = Duration::from_millis(25);
/// How many such requests are under way at once.
const CONCURRENCY: usize = 4;

/// The partition and the sort key of an item.
pub type Key = (String, String);

impl DynamoDb {
    /// The items with these keys, each given once, in no order and without those that are not there.
    pub(super) async fn get_items(&self, keys: &[Key]) -> Result<Vec<Item>, CallFailed> {
        let mut items = Vec::with_capacity(keys.len());
        for wave in keys.chunks(BATCH_SIZE * CONCURRENCY) {
            let some = wave.chunks(BATCH_SIZE).map(|some| self.batch_get(some));
            items.extend(try_join_all(some).await?.into_iter().flatten());
        }
        Ok(items)
    }

    /// What `read` makes of each row of a partition whose sort key begins with `beginning`, of all rows if that is empty.
    pub(super) async fn read_rows<T>(
        &self,
        partition: &str,
        beginning: &str,
        read: impl Fn(Item) -> Result<T, BoxError>,
    ) -> Result<Vec<T>, CallFailed> {
        self.read_some_rows(partition, beginning, usize::MAX, read).await
    }

    /// The same of the first `most` of them.
    pub(super) async fn read_some_rows<T>(
        &self,
        partition: &str,
        beginning: &str,
        most: usize,
        read: impl Fn(Item) -> Result<T, BoxError>,
    ) -> Result<Vec<T>, CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: "DynamoDB Query",
            object: format!("{partition} {beginning}").trim_end().to_owned(),
            source,
        };
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            // For a page without a limit the embedded store reads all rows that are left.
            .limit(1_000)
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()));
        let query = match beginning {
            "" => query.key_condition_expression("pk = :partition"),
            beginning => query
                .key_condition_expression("pk = :partition AND begins_with(sk, :beginning)")
                .expression_attribute_values(":beginning", AttributeValue::S(beginning.to_owned())),
        };
        let mut items = query.into_paginator().items().send();
        let mut rows = Vec::new();
        while rows.len() < most
            && let Some(item) = items.next().await
        {
            rows.push(read(item.map_err(|error| failed(error.into()))?).map_err(failed)?);
        }
        Ok(rows)
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Item>, CallFailed> {
        let failed = |source| CallFailed {
            operation: "DynamoDB BatchGetItem",
            object: self.table.clone(),
            source,
        };
        let key = |(pk, sk): &Key| {
            let parts = [(keys::PK, pk), (keys::SK, sk)];
            let of = |(name, value): (&str, &String)| {
                (name.to_owned(), AttributeValue::S(value.clone()))
            };
            HashMap::from(parts.map(of))
        };
        let keys = keys.iter().map(key).collect();
        let mut items = Vec::new();
        let mut wanted = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys));
        // What does not fit one answer, or was throttled, is asked for again.
        for again in 0..5 {
            if again > 0 {
                tokio::time::sleep(PAUSE * (1 << again)).await;
            }
            let request = wanted.build().map_err(|error| failed(error.into()))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(|error| failed(error.into()))?;
            items.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
            let rest = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
            match rest.map(|rest| rest.keys).filter(|keys| !keys.is_empty()) {
                None => return Ok(items),
                Some(keys) => {
                    wanted =
                        KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys));
                }
            }
        }
        Err(failed("items were left out of five answers".into()))
    }
}
