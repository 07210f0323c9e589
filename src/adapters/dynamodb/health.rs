//! Whether the table is as it must be. For the command line.

use aws_sdk_dynamodb::types::{IndexStatus, PointInTimeRecoveryStatus, TimeToLiveStatus};

use super::{DynamoDb, keys};
use crate::{adapters::failed, app::failure::CallFailed};

/// How a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Such as `ACTIVE`.
    pub status: String,
    /// The indexes that can be asked.
    pub indexes: Vec<String>,
    /// Whether rows expire by the attribute that has their expiry.
    pub expires: bool,
    /// Whether the table can be restored to any time of the last weeks.
    pub can_be_restored: bool,
    /// Whether it is safe from being deleted by mistake.
    pub is_protected: bool,
}

impl Health {
    /// The indexes that must be there and cannot be asked.
    pub fn missing_indexes(&self) -> impl Iterator<Item = &'static str> {
        let has = |name: &str| self.indexes.iter().any(|index| index == name);
        [keys::PENDING_BY_AGE, keys::OPEN_BY_DUE].into_iter().filter(move |name| !has(name))
    }
}

impl DynamoDb {
    /// How the table is.
    ///
    /// # Errors
    /// A call failed.
    pub async fn health(&self) -> Result<Health, CallFailed> {
        let table = &self.table;
        let describe = "DynamoDB DescribeTable";
        let call = self.client.describe_table().table_name(table);
        let answer = call.send().await.map_err(|error| failed::call(describe, table, error))?;
        let found = answer.table.ok_or_else(|| CallFailed {
            operation: describe,
            object: table.clone(),
            source: "the answer has no table".into(),
        })?;
        let call = self.client.describe_time_to_live().table_name(table);
        let answer = call
            .send()
            .await
            .map_err(|error| failed::call("DynamoDB DescribeTimeToLive", table, error))?;
        let expires = answer.time_to_live_description().is_some_and(|expiry| {
            expiry.attribute_name() == Some(keys::EXPIRES_AT)
                && matches!(
                    expiry.time_to_live_status(),
                    Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
                )
        });
        let call = self.client.describe_continuous_backups().table_name(table);
        let answer = call
            .send()
            .await
            .map_err(|error| failed::call("DynamoDB DescribeContinuousBackups", table, error))?;
        let point_in_time = answer
            .continuous_backups_description()
            .and_then(|backups| backups.point_in_time_recovery_description())
            .and_then(|recovery| recovery.point_in_time_recovery_status());
        // One that is being made has no answers yet.
        let is_made = |status: Option<&IndexStatus>| status != Some(&IndexStatus::Creating);
        let indexes = found.global_secondary_indexes.unwrap_or_default();
        Ok(Health {
            status: found
                .table_status
                .map_or_else(String::new, |status| status.as_str().to_owned()),
            indexes: indexes
                .into_iter()
                .filter(|index| is_made(index.index_status.as_ref()))
                .filter_map(|index| index.index_name)
                .collect(),
            expires,
            can_be_restored: point_in_time == Some(&PointInTimeRecoveryStatus::Enabled),
            is_protected: found.deletion_protection_enabled.unwrap_or(false),
        })
    }
}
