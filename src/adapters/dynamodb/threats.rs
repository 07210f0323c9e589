//! What is known of attacks on vulnerabilities: a row a vulnerability.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use futures_util::future::try_join;
use jiff::Timestamp;

use super::{
    DynamoDb, UPDATE,
    batches::TableRow,
    bucket::THREATS_AT,
    gets::Key,
    item::{self, Item},
    keys,
};
use crate::{
    app::{Threats, TimeLimit, failure::CallFailed},
    domain::{announce::Bucket, threat::Threat},
};

/// The attribute that holds a [`Threat`] as JSON text.
const THREAT: &str = "threat";

impl TableRow for (String, Threat) {
    fn key(&self) -> String {
        keys::vulnerability(&self.0)
    }

    fn size(&self) -> usize {
        2_000
    }
}

/// What a row says of a vulnerability, with its id.
pub fn read(row: &Item) -> Option<(String, Threat)> {
    let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
    let id = text(keys::PK).and_then(|key| keys::vulnerability_id(key));
    let threat = text(THREAT).map(|threat| serde_json::from_str(threat));
    if let (Some(id), Some(Ok(threat))) = (id, threat) {
        return Some((id.to_owned(), threat));
    }
    // It is looked up again, and written anew.
    tracing::error!(row.key = text(keys::PK), "a row cannot be read");
    None
}

impl Threats for DynamoDb {
    async fn threats(&self, ids: &[&str]) -> Result<HashMap<String, Threat>, CallFailed> {
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        let key = |id| -> Key { (keys::vulnerability(id), keys::CURRENT.to_owned()) };
        let keys: Vec<Key> = distinct.into_iter().map(key).collect();
        let mut threats = HashMap::new();
        for row in self.get_items(&keys).await? {
            threats.extend(read(&row));
        }
        Ok(threats)
    }

    async fn remember_threats(
        &self,
        threats: &[(String, Threat)],
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let parts = |(id, threat): &(String, Threat)| {
            let put = Put::builder()
                .table_name(&self.table)
                .item(keys::PK, AttributeValue::S(keys::vulnerability(id)))
                .item(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
                .item(THREAT, item::json(threat)?)
                // One that no finding has any more is not looked up, and forgotten.
                .item(
                    keys::EXPIRES_AT,
                    AttributeValue::N(self.expiry(threat.checked_at).to_string()),
                );
            Ok(vec![TransactWriteItem::builder().put(put.build()?).build()])
        };
        self.transact_whole(threats, parts, "what is known of vulnerabilities", limit).await
    }

    async fn share_threats(&self, now: Timestamp) -> Result<(), CallFailed> {
        let share = async |bucket| {
            let key = keys::bucket(bucket);
            let update = self
                .update_row(key)
                .update_expression(format!("SET {THREATS_AT} = :now"))
                .expression_attribute_values(":now", AttributeValue::S(now.to_string()));
            update.send().await.map(drop).map_err(|error| CallFailed {
                operation: UPDATE,
                object: key.to_owned(),
                source: error.into_service_error().into(),
            })
        };
        try_join(share(Bucket::P1), share(Bucket::Others)).await.map(drop)
    }
}
