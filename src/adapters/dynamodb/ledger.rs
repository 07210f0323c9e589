//! The ledger in force: a row that says which one it is, and a partition for each ledger.
//!
//! A ledger's rows never change once the head points to them, so they are kept in memory by its digest. The head is read anew
//! with every look. Who does not know whether there is one asks with a condition in the transaction that writes a finding, which
//! costs no call where there is none.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    DynamoDb,
    batches::TableRow,
    gets::Key,
    item::{self, Item},
    keys,
    transaction::{
        CONDITION, CONFLICT, TRANSACT, TransactionOutcome, all_are, built, transaction_outcome,
    },
};
use crate::{
    app::{
        Exceptions, LedgerHead, Looked, PutInForce, TimeLimit,
        failure::{BoxError, CallFailed},
    },
    domain::{
        finding::Finding,
        ledger::{Exception, InForce, Ledger, VulnerabilityId},
    },
};

/// For how long it is believed that no ledger is in force.
const NONE_FOR: SignedDuration = SignedDuration::from_mins(5);
/// The attribute of the head with all that it says.
const HEAD: &str = "head";
/// The attribute of the head by which one that was replaced meanwhile is told.
const DIGEST: &str = "digest";
/// The attribute of a ledger's row with its exceptions.
const EXCEPTIONS: &str = "exceptions";
/// How many bytes of exceptions one row has. DynamoDB takes 400 kB.
const ROW_BYTES: usize = 300_000;
/// For more vulnerabilities than these the ledger is read whole.
const MOST_BY_NAME: usize = 80;

/// What is known of the ledger in force.
#[derive(Debug, Default)]
pub enum LedgerCache {
    /// Nothing.
    #[default]
    Unknown,
    /// There was none at this moment.
    None(Timestamp),
    /// This one was, the last time that anybody looked, and these of its exceptions name no vulnerability.
    InForce(String, Option<Arc<Vec<Exception>>>),
}

/// A row of a ledger: a sort key, and exceptions.
struct LedgerRow<'a> {
    digest: &'a str,
    key: String,
    exceptions: String,
}

impl TableRow for LedgerRow<'_> {
    fn key(&self) -> String {
        format!("{} {}", keys::ledger(self.digest), self.key)
    }

    fn size(&self) -> usize {
        self.exceptions.len() + self.key.len() + 200
    }
}

/// A row of a ledger that is no longer in force, by its sort key.
struct RetiredRow<'a>(&'a str, String);

impl TableRow for RetiredRow<'_> {
    fn key(&self) -> String {
        format!("{} {}", keys::ledger(self.0), self.1)
    }

    fn size(&self) -> usize {
        500
    }
}

/// The rows of a ledger. What has no room under its vulnerability stands with those that name none.
fn rows<'a>(ledger: &Ledger, digest: &'a str) -> Result<Vec<LedgerRow<'a>>, BoxError> {
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    let mut others: Vec<String> = vec![String::new()];
    for exception in &ledger.exceptions {
        let json = serde_json::to_string(exception)?;
        let ids = &exception.selectors.vulnerabilities;
        let has_room = |list: Option<&String>| list.map_or(0, String::len) + json.len() < ROW_BYTES;
        if !ids.is_empty() && ids.iter().all(|id| has_room(named.get(id.as_str()))) {
            for id in ids {
                append(named.entry(id.as_str()).or_default(), &json);
            }
        } else {
            if !has_room(others.last()) {
                others.push(String::new());
            }
            if let Some(last) = others.last_mut() {
                append(last, &json);
            }
        }
    }
    let row =
        |key: String, list: String| LedgerRow { digest, key, exceptions: format!("[{list}]") };
    let named = named.into_iter().map(|(id, list)| row(keys::ledger_entry(id), list));
    let others = others.into_iter().filter(|list| !list.is_empty()).enumerate();
    let others = others.map(|(number, list)| row(keys::ledger_others(number), list));
    Ok(named.chain(others).collect())
}

fn append(list: &mut String, json: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(json);
}

pub(super) fn exceptions(item: &Item) -> Result<Vec<Exception>, BoxError> {
    let list = item.get(EXCEPTIONS).and_then(|list| list.as_s().ok());
    Ok(serde_json::from_str(list.ok_or("the row has no exceptions")?)?)
}

pub(super) fn head(item: &Item) -> Result<LedgerHead, BoxError> {
    let head = item.get(HEAD).and_then(|head| head.as_s().ok());
    Ok(serde_json::from_str(head.ok_or("the row has no head")?)?)
}

fn failed(key: &str, source: BoxError) -> CallFailed {
    CallFailed { operation: "reading the ledger in force", object: key.to_owned(), source }
}

impl Exceptions for DynamoDb {
    fn has_ledger(&self) -> bool {
        matches!(*self.ledger_cache(), LedgerCache::InForce(..))
    }

    async fn look_up(&self, findings: &[&Finding], now: Timestamp) -> Result<Looked, CallFailed> {
        let vulnerabilities: BTreeSet<&str> =
            findings.iter().filter_map(|finding| finding.vulnerability()).collect();
        let ids: BTreeSet<VulnerabilityId> =
            findings.iter().flat_map(|finding| InForce::ids_of(finding)).collect();
        let known = match &*self.ledger_cache() {
            LedgerCache::InForce(digest, Some(others)) if ids.len() <= MOST_BY_NAME => {
                Some((digest.clone(), Arc::clone(others)))
            }
            _ => None,
        };
        let row = |pk: String| -> Key { (pk, keys::CURRENT.to_owned()) };
        let mut wanted = vec![row(keys::LEDGER.to_owned())];
        wanted.extend(vulnerabilities.into_iter().map(|id| row(keys::vulnerability(id))));
        if let Some((digest, _)) = &known {
            wanted.extend(entries(digest, &ids));
        }
        let mut looked = Looked::default();
        let mut found = None;
        let mut named = Vec::new();
        for item in self.get_items(&wanted).await? {
            let pk = item.get(keys::PK).and_then(|key| key.as_s().ok()).cloned();
            let pk = pk.unwrap_or_default();
            if pk == keys::LEDGER {
                found = Some(head(&item).map_err(|error| failed(&pk, error))?);
            } else if keys::vulnerability_id(&pk).is_some() {
                looked.threats.extend(super::threats::read(&item));
            } else {
                named.push(item);
            }
        }
        let Some(head) = found else {
            *self.ledger_cache() = LedgerCache::None(now);
            return Ok(looked);
        };
        looked.ledger = match known {
            Some((digest, others)) if digest == head.digest => of(named, others, &head)?,
            _ if ids.len() > MOST_BY_NAME => self.ledger(&head).await?,
            _ => {
                let partition = keys::ledger(&head.digest);
                let read = |item: Item| exceptions(&item);
                let others = self.read_rows(&partition, keys::LEDGER_OTHERS, read).await?;
                let others = Arc::new(others.concat());
                let named = self.get_items(&entries(&head.digest, &ids)).await?;
                of(named, others, &head)?
            }
        };
        let (digest, others) = (head.digest, Arc::clone(&looked.ledger.others));
        *self.ledger_cache() = LedgerCache::InForce(digest, Some(others));
        Ok(looked)
    }

    async fn ledger_head(&self) -> Result<Option<LedgerHead>, CallFailed> {
        let key = (keys::LEDGER.to_owned(), keys::CURRENT.to_owned());
        let items = self.get_items(&[key]).await?;
        let head = items.first().map(head).transpose();
        let head = head.map_err(|error| failed(keys::LEDGER, error))?;
        if let Some(head) = &head
            && !self.has_ledger()
        {
            *self.ledger_cache() = LedgerCache::InForce(head.digest.clone(), None);
        }
        Ok(head)
    }

    async fn ledger(&self, head: &LedgerHead) -> Result<InForce, CallFailed> {
        let partition = keys::ledger(&head.digest);
        let rows = self.read_rows(&partition, "", |item| Ok((sort_key(&item)?, item))).await?;
        let (others, named): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(key, _)| key.starts_with(keys::LEDGER_OTHERS));
        let mut all = Vec::new();
        for (_, item) in others {
            all.extend(exceptions(&item).map_err(|error| failed(&partition, error))?);
        }
        let ledger = of(named.into_iter().map(|(_, item)| item).collect(), Arc::new(all), head)?;
        let named = ledger.by_vulnerability.values().flatten();
        let ids: HashSet<&str> =
            named.chain(ledger.others.iter()).map(|exception| exception.id.as_str()).collect();
        // A ledger of which something is gone must not uncover what that covers.
        if ids.len() < head.exceptions {
            let what = format!("{} of {} exceptions are there", ids.len(), head.exceptions);
            return Err(failed(&partition, what.into()));
        }
        Ok(ledger)
    }

    async fn put_in_force(
        &self,
        ledger: &Ledger,
        head: &LedgerHead,
        before: Option<&LedgerHead>,
        limit: TimeLimit<'_>,
    ) -> Result<PutInForce, CallFailed> {
        let failed = |source| CallFailed {
            operation: "putting a ledger in force",
            object: self.table.clone(),
            source,
        };
        let partition = keys::ledger(&head.digest);
        let rows = rows(ledger, &head.digest).map_err(failed)?;
        let parts = |row: &LedgerRow<'_>| {
            let put = Put::builder()
                .table_name(&self.table)
                .item(keys::PK, AttributeValue::S(partition.clone()))
                .item(keys::SK, AttributeValue::S(row.key.clone()))
                .item(EXCEPTIONS, AttributeValue::S(row.exceptions.clone()));
            Ok(vec![TransactWriteItem::builder().put(put.build()?).build()])
        };
        self.transact_whole(&rows, parts, "the rows of the ledger", limit).await?;
        if let PutInForce::Conflict = self.write_head(head, before).await? {
            return Ok(PutInForce::Conflict);
        }
        for digest in &head.retired {
            self.retire(digest, head.applied_at, limit).await?;
        }
        let done = LedgerHead { retired: Vec::new(), ..head.clone() };
        if !head.retired.is_empty() {
            self.write_head(&done, Some(head)).await?;
        }
        Ok(PutInForce::Done)
    }
}

/// What of a ledger stands in these rows.
fn of(
    rows: Vec<Item>,
    others: Arc<Vec<Exception>>,
    head: &LedgerHead,
) -> Result<InForce, CallFailed> {
    let partition = keys::ledger(&head.digest);
    let mut by_vulnerability: HashMap<VulnerabilityId, Vec<Exception>> = HashMap::new();
    for item in rows {
        let read = || -> Result<_, BoxError> {
            let key = sort_key(&item)?;
            let id = keys::ledger_entry_id(&key).ok_or("the row is of no vulnerability")?;
            Ok((VulnerabilityId::new(id), exceptions(&item)?))
        };
        let (id, list) = read().map_err(|error| failed(&partition, error))?;
        by_vulnerability.insert(id, list);
    }
    Ok(InForce { never: head.never.clone(), by_vulnerability, others })
}

fn sort_key(item: &Item) -> Result<String, BoxError> {
    let key = item.get(keys::SK).and_then(|key| key.as_s().ok());
    Ok(key.ok_or("the row has no sort key")?.clone())
}

fn entries(digest: &str, ids: &BTreeSet<VulnerabilityId>) -> Vec<Key> {
    let partition = keys::ledger(digest);
    ids.iter().map(|id| (partition.clone(), keys::ledger_entry(id.as_str()))).collect()
}

impl DynamoDb {
    fn ledger_cache(&self) -> std::sync::MutexGuard<'_, LedgerCache> {
        self.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The condition that no ledger is in force, unless it is known at `now` whether one is.
    pub(super) fn no_ledger(&self, now: Timestamp) -> Result<Option<TransactWriteItem>, BoxError> {
        let is_known = match &*self.ledger_cache() {
            LedgerCache::Unknown => false,
            LedgerCache::None(as_of) => now.duration_since(*as_of) < NONE_FOR,
            LedgerCache::InForce(..) => true,
        };
        if is_known {
            return Ok(None);
        }
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key(keys::PK, AttributeValue::S(keys::LEDGER.to_owned()))
            .key(keys::SK, AttributeValue::S(keys::CURRENT.to_owned()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(Some(TransactWriteItem::builder().condition_check(check.build()?).build()))
    }

    /// Learns that no ledger was in force at `now`.
    pub(super) fn learn_no_ledger(&self, now: Timestamp) {
        *self.ledger_cache() = LedgerCache::None(now);
    }

    /// Learns of the ledger in force from what became of the condition that there is none. Returns whether there is one.
    pub(super) fn learn_ledger(&self, reason: Option<&CancellationReason>) -> bool {
        let Some(reason) = reason.filter(|reason| reason.code() == Some(CONDITION)) else {
            return false;
        };
        let digest = reason.item().and_then(|item| item.get(DIGEST)?.as_s().ok()).cloned();
        *self.ledger_cache() = LedgerCache::InForce(digest.unwrap_or_default(), None);
        true
    }

    /// Whether others held the head when the condition on it was tried, so that it says nothing.
    pub(super) fn is_contended(reason: Option<&CancellationReason>) -> bool {
        reason.is_some_and(|reason| reason.code() == Some(CONFLICT))
    }

    /// Learns whether a ledger is in force, by a call of its own.
    pub(super) async fn ask_ledger(&self, now: Timestamp) -> Result<(), CallFailed> {
        let head = self.ledger_head().await?;
        *self.ledger_cache() = match head {
            Some(head) => LedgerCache::InForce(head.digest, None),
            None => LedgerCache::None(now),
        };
        Ok(())
    }

    /// Has the table say that a ledger is in force, if still the one is that was `before`; and when it was put in force, for
    /// whoever asks for that later.
    async fn write_head(
        &self,
        head: &LedgerHead,
        before: Option<&LedgerHead>,
    ) -> Result<PutInForce, CallFailed> {
        let failed =
            |source| CallFailed { operation: TRANSACT, object: keys::LEDGER.to_owned(), source };
        let parts = self.head_parts(head, before).map_err(failed)?;
        let call = self.client.transact_write_items().set_transact_items(Some(parts));
        match transaction_outcome(call.send().await).map_err(failed)? {
            TransactionOutcome::Committed => Ok(PutInForce::Done),
            TransactionOutcome::Cancelled(reasons) if all_are(&reasons, &[CONDITION]) => {
                Ok(PutInForce::Conflict)
            }
            TransactionOutcome::Cancelled(_) => {
                Err(failed("others write to it at this moment".into()))
            }
            TransactionOutcome::Throttled(said) => Err(failed(said)),
        }
    }

    fn head_parts(
        &self,
        head: &LedgerHead,
        before: Option<&LedgerHead>,
    ) -> Result<Vec<TransactWriteItem>, BoxError> {
        let update = self
            .update(keys::LEDGER)
            .update_expression("SET head = :head, digest = :digest")
            .expression_attribute_values(":head", item::json(head)?)
            .expression_attribute_values(":digest", AttributeValue::S(head.digest.clone()));
        let update = match before {
            None => update.condition_expression("attribute_not_exists(pk) OR digest = :digest"),
            Some(before) => update
                .condition_expression("digest = :before OR digest = :digest")
                .expression_attribute_values(":before", AttributeValue::S(before.digest.clone())),
        };
        let mut parts = vec![built(update)?];
        if before.is_some_and(|before| before.digest == head.digest) {
            return Ok(parts);
        }
        // The one before may be from a version that did not write that down.
        let before = before.filter(|before| before.applied_at != head.applied_at);
        for put in before.into_iter().chain([head]) {
            let put_in_force = LedgerHead { retired: Vec::new(), ..put.clone() };
            let key = keys::ledger_applied(put.applied_at);
            let row = Put::builder()
                .table_name(&self.table)
                .item(keys::PK, AttributeValue::S(keys::LEDGER.to_owned()))
                .item(keys::SK, AttributeValue::S(key))
                .item(HEAD, item::json(&put_in_force)?);
            parts.push(TransactWriteItem::builder().put(row.build()?).build());
        }
        Ok(parts)
    }

    /// Has the table forget a ledger that is no longer in force, when it forgets the history of what that covered.
    async fn retire(
        &self,
        digest: &str,
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let partition = keys::ledger(digest);
        let keys = self.read_rows(&partition, "", |item| sort_key(&item)).await?;
        let rows: Vec<RetiredRow<'_>> =
            keys.into_iter().map(|key| RetiredRow(digest, key)).collect();
        let kept_for = self.kept_for().await?.unwrap_or(self.history);
        let expires_at = now.saturating_add(kept_for).unwrap_or(Timestamp::MAX).as_second();
        let parts = |row: &RetiredRow<'_>| {
            let update = Update::builder()
                .table_name(&self.table)
                .key(keys::PK, AttributeValue::S(partition.clone()))
                .key(keys::SK, AttributeValue::S(row.1.clone()))
                .update_expression(format!("SET {} = :at", keys::EXPIRES_AT))
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":at", AttributeValue::N(expires_at.to_string()));
            Ok(vec![TransactWriteItem::builder().update(update.build()?).build()])
        };
        self.transact_whole(&rows, parts, "the rows of a former ledger", limit).await
    }
}
