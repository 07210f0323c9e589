//! What Inspector does not look at, and the accounts that it is asked about.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::{
    DynamoDb, UPDATE,
    batches::TableRow,
    item::{self, Item},
    keys,
};
use crate::{
    app::{
        Gaps, TimeLimit,
        failure::{BoxError, CallFailed},
    },
    domain::coverage::{Gap, GapChange, Observed, PastGap, Subject},
};

/// The attribute that holds a [`Gap`] as JSON text.
pub(super) const GAP: &str = "gap";
/// Accounts in which the same kinds of scans are on. An organisation may have 10,000 accounts, and a row 400 kB.
#[derive(Serialize, Deserialize)]
struct Group {
    scans: Vec<String>,
    accounts: Vec<String>,
}

fn grouped(observed: &[Observed]) -> Vec<Group> {
    let mut groups: BTreeMap<&[String], Vec<String>> = BTreeMap::new();
    for one in observed {
        groups.entry(&one.scans).or_default().push(one.account.clone());
    }
    let group = |(scans, accounts): (&[String], _)| Group { scans: scans.to_vec(), accounts };
    groups.into_iter().map(group).collect()
}

fn ungrouped(groups: Vec<Group>) -> Vec<Observed> {
    let accounts = |Group { scans, accounts }| {
        let observed = move |account| Observed { account, scans: Vec::clone(&scans) };
        accounts.into_iter().map(observed).collect::<Vec<_>>()
    };
    let mut observed: Vec<Observed> = groups.into_iter().flat_map(accounts).collect();
    observed.sort();
    observed
}

/// The attribute that holds a list of [`Group`] as JSON text.
const ACCOUNTS: &str = "accounts";

impl TableRow for GapChange {
    fn key(&self) -> String {
        sort_key(self.gap())
    }

    fn size(&self) -> usize {
        let size = |gap: &Gap| serde_json::to_vec(gap).map_or(0, |json| json.len()) + 1_000;
        size(self.gap()) + self.past().map_or(0, |past| size(&past.gap))
    }
}

/// What the sort keys of gaps of whole accounts begin with.
const OF_ACCOUNTS: &str = "ACCOUNT#";

/// What the sort keys of an account's resources begin with.
fn of_resources(account: &str) -> String {
    format!("RESOURCE#{account}#")
}

fn sort_key(gap: &Gap) -> String {
    let Gap { account, scan, .. } = gap;
    match &gap.subject {
        Subject::Account => format!("{OF_ACCOUNTS}{account}#{scan}"),
        Subject::Resource { id, .. } => format!("{}{scan}#{id}", of_resources(account)),
    }
}

/// In the order in which they went.
fn past_sort_key(past: &PastGap) -> String {
    format!("{:.6}#{}", past.until, sort_key(&past.gap))
}

impl DynamoDb {
    /// The part of a transaction that writes a row with a gap, until it expires, if it does.
    fn put_gap(
        &self,
        (partition, place): (&str, String),
        gap: AttributeValue,
        expires_at: Option<i64>,
    ) -> Result<TransactWriteItem, BoxError> {
        let put = Put::builder()
            .table_name(&self.table)
            .item(keys::PK, AttributeValue::S(partition.to_owned()))
            .item(keys::SK, AttributeValue::S(place))
            .item(GAP, gap);
        let put = match expires_at {
            Some(at) => put.item(keys::EXPIRES_AT, AttributeValue::N(at.to_string())),
            None => put,
        };
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// All gaps: those of accounts, and then those of resources, account by account.
    ///
    /// # Errors
    /// A call failed, or a row holds what this program does not write.
    pub async fn all_gaps(&self) -> Result<Vec<Gap>, CallFailed> {
        self.gaps("").await
    }

    /// The gaps whose sort keys begin so.
    async fn gaps(&self, beginning: &str) -> Result<Vec<Gap>, CallFailed> {
        let read = |item: Item| {
            let gap = item.get(GAP).and_then(|gap| gap.as_s().ok()).map(String::as_str);
            Ok(serde_json::from_str(gap.unwrap_or_default())?)
        };
        self.read_rows(keys::GAPS, beginning, read).await
    }
}

impl Gaps for DynamoDb {
    async fn account_gaps(&self) -> Result<Vec<Gap>, CallFailed> {
        self.gaps(OF_ACCOUNTS).await
    }

    async fn resource_gaps(&self, account: &str) -> Result<Vec<Gap>, CallFailed> {
        self.gaps(&of_resources(account)).await
    }

    async fn change_gaps(
        &self,
        changes: &[GapChange],
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let parts = |change: &GapChange| {
            let mut parts = vec![match change {
                GapChange::There(gap) | GapChange::Turned(gap, _) => {
                    self.put_gap((keys::GAPS, sort_key(gap)), item::json(gap)?, None)?
                }
                GapChange::Gone(past) => {
                    let delete = Delete::builder()
                        .table_name(&self.table)
                        .key(keys::PK, AttributeValue::S(keys::GAPS.to_owned()))
                        .key(keys::SK, AttributeValue::S(sort_key(&past.gap)));
                    TransactWriteItem::builder().delete(delete.build()?).build()
                }
            }];
            if let Some(past) = change.past().filter(|past| past.was_due()) {
                let key = (keys::PAST_GAPS, past_sort_key(past));
                let expires_at = self.expiry(past.until);
                parts.push(self.put_gap(key, item::json(past)?, Some(expires_at))?);
            }
            Ok(parts)
        };
        self.transact_whole(changes, parts, keys::GAPS, limit).await
    }

    async fn accounts(&self) -> Result<Option<Vec<Observed>>, CallFailed> {
        let key = (keys::ROUND.to_owned(), keys::ACCOUNTS.to_owned());
        let row = self.get_items(&[key]).await?.pop();
        let Some(accounts) = row.as_ref().and_then(|row| row.get(ACCOUNTS)?.as_s().ok()) else {
            return Ok(None);
        };
        let groups: Vec<Group> = serde_json::from_str(accounts).map_err(|error| CallFailed {
            operation: "DynamoDB BatchGetItem",
            object: format!("{} {}", keys::ROUND, keys::ACCOUNTS),
            source: error.into(),
        })?;
        Ok(Some(ungrouped(groups)))
    }

    async fn remember_accounts(&self, accounts: &[Observed]) -> Result<(), CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: UPDATE,
            object: format!("{} {}", keys::ROUND, keys::ACCOUNTS),
            source,
        };
        let list = item::json(&grouped(accounts)).map_err(|error| failed(error.into()))?;
        let update = self
            .update_row_at(keys::ROUND, keys::ACCOUNTS)
            .update_expression("SET accounts = :accounts")
            .expression_attribute_values(":accounts", list);
        let updated = update.send().await;
        updated.map(drop).map_err(|error| failed(error.into_service_error().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_accounts_as_inspector_takes_fit_into_a_row() {
        let scans = |number: usize| {
            let all = ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE", "CODE_REPOSITORY", "MACHINE_IMAGE"];
            all[number % 3..].iter().map(|scan| (*scan).to_owned()).collect()
        };
        let observed: Vec<Observed> = (0..10_000)
            .map(|number| Observed { account: format!("{number:012}"), scans: scans(number) })
            .collect();
        let json = serde_json::to_string(&grouped(&observed)).unwrap();
        assert!(json.len() < 200_000, "{}", json.len());
        assert_eq!(ungrouped(serde_json::from_str(&json).unwrap()), observed);
    }
}
