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
    domain::coverage::{Gap, Observed, Subject},
};

/// The attribute that holds a [`Gap`] as JSON text.
const GAP: &str = "gap";
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

/// A gap that is to be written or forgotten.
enum Change<'a> {
    There(&'a Gap),
    Gone(&'a Gap),
}

impl Change<'_> {
    fn gap(&self) -> &Gap {
        match self {
            Self::There(gap) | Self::Gone(gap) => gap,
        }
    }
}

impl TableRow for Change<'_> {
    fn key(&self) -> String {
        sort_key(self.gap())
    }

    fn size(&self) -> usize {
        serde_json::to_vec(self.gap()).map_or(0, |json| json.len()) + 1_000
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

impl DynamoDb {
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
        there: &[Gap],
        gone: &[Gap],
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let changes: Vec<Change<'_>> =
            there.iter().map(Change::There).chain(gone.iter().map(Change::Gone)).collect();
        let parts = |change: &Change<'_>| {
            let key = [(keys::PK, keys::GAPS.to_owned()), (keys::SK, sort_key(change.gap()))];
            let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
            Ok(vec![match change {
                Change::There(gap) => {
                    let put = Put::builder()
                        .table_name(&self.table)
                        .set_item(Some(key.into_iter().collect()))
                        .item(GAP, item::json(gap)?);
                    TransactWriteItem::builder().put(put.build()?).build()
                }
                Change::Gone(_) => {
                    let delete = Delete::builder()
                        .table_name(&self.table)
                        .set_key(Some(key.into_iter().collect()));
                    TransactWriteItem::builder().delete(delete.build()?).build()
                }
            }])
        };
        self.transact_whole(&changes, parts, keys::GAPS, limit).await
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
