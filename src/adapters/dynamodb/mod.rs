//! The table of records: the only place that speaks to DynamoDB.
//!
//! A finding has one row (`pk` = `FINDING#<arn>`, `sk` = `CURRENT`) and a history of its material
//! transitions and announcements under the same `pk`. Every write of the row has a condition, and
//! every write raises its revision, so that no writer overwrites what it has not seen.

mod alerts;
#[cfg(feature = "cli")]
mod audit;
mod batches;
mod bucket;
mod figures;
mod gaps;
mod gets;
#[cfg(feature = "redrive")]
mod health;
mod index;
mod item;
pub mod keys;
mod ledger;
mod problems;
#[cfg(feature = "cli")]
mod reader;
mod records;
mod retry;
mod rounds;
mod summaries;
mod threats;
#[cfg(feature = "tickets")]
mod tickets;
mod transaction;

#[cfg(feature = "cli")]
pub use audit::Identity;
#[cfg(feature = "redrive")]
pub use health::Health;
pub use index::Entry;
pub use item::record;

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    Client, config, operation::update_item::builders::UpdateItemFluentBuilder,
    types::AttributeValue,
};
use jiff::{SignedDuration, Timestamp};

use bucket::BucketCache;
use ledger::LedgerCache;
use retry::RetryConflicts;

const UPDATE: &str = "DynamoDB UpdateItem";

/// The table of records.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
    table: String,
    history: SignedDuration,
    cache: Arc<Mutex<BucketCache>>,
    ledger: Arc<Mutex<LedgerCache>>,
}

impl DynamoDb {
    /// The table called `table`, keeping history for `history_days`.
    pub fn new(config: config::Builder, table: String, history_days: u16) -> Self {
        let client = Client::from_conf(config.retry_classifier(RetryConflicts).build());
        let history = SignedDuration::from_hours(24 * i64::from(history_days));
        Self { client, table, history, cache: Arc::default(), ledger: Arc::default() }
    }

    /// An update of the row with the partition key `key`.
    fn update_row(&self, key: &str) -> UpdateItemFluentBuilder {
        self.update_row_at(key, keys::CURRENT)
    }

    /// An update of the row with this partition key and this sort key.
    fn update_row_at(&self, key: &str, sort_key: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(key.to_owned()))
            .key(keys::SK, AttributeValue::S(sort_key.to_owned()))
    }

    fn expiry(&self, at: Timestamp) -> i64 {
        at.saturating_add(self.history).unwrap_or(Timestamp::MAX).as_second()
    }
}
