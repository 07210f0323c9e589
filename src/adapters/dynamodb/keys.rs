//! Names and keys of the table. The schema itself stands in `template.yaml`.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    app::FindingSet,
    domain::{
        announce::Bucket,
        finding,
        record::{EndQueue, Record},
    },
};

/// The partition key.
pub const PK: &str = "pk";
/// The sort key.
pub const SK: &str = "sk";
/// The sort key of a finding's row.
pub const CURRENT: &str = "CURRENT";
/// When DynamoDB may delete an item, in seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";
/// The index of open findings by due date.
pub const OPEN_BY_DUE: &str = "open-by-due";
/// Its partition key.
pub const OPEN_SHARD: &str = "open_shard";
/// Its sort key.
pub const DUE_AT: &str = "due_at";
/// The index of findings with something to tell, by how long they wait.
pub const PENDING_BY_AGE: &str = "pending";
/// Its partition key.
pub const PENDING_SHARD: &str = "pending_shard";
/// Its sort key.
pub const PENDING_SINCE: &str = "pending_since";

/// What the partition keys of the index of open findings begin with.
pub const OPEN: &str = "OPEN";
/// What the partition keys of findings that nobody was told of begin with, in the index of findings with something to
/// tell.
pub const PENDING: &str = "PENDING";
/// The same for findings that some were told of and others were not.
pub const PARTLY_TOLD: &str = "PARTLY";

/// What the partition keys of findings that have ended begin with, in the same index, where they stand by when that was
/// recorded.
pub fn ended(queue: EndQueue) -> &'static str {
    match queue {
        EndQueue::Untold => "ENDED",
        EndQueue::Unexplained => "UNEXPLAINED",
        EndQueue::Hidden => "HIDDEN",
        EndQueue::Settled => "SETTLED",
    }
}

/// Whether a partition key of that index is one of findings that have ended.
pub fn is_ended(shard: &str) -> bool {
    let queue = shard.split('#').next();
    EndQueue::ALL.into_iter().any(|ended_in| queue == Some(ended(ended_in)))
}

/// Over how many partition keys a queue of an index is spread, so that writes to "all open findings" do
/// not meet the limit of 1,000 writes a second of a single partition key. `docs/ARCHITECTURE.md`
/// has the arithmetic. What is partly told comes from messages, of which there are few.
fn shard_count(queue: &str) -> u8 {
    if queue == PARTLY_TOLD { 4 } else { 16 }
}

/// Where findings that are open and have no due date stand in the index of open findings: after all that have one.
pub const NO_DUE_DATE: &str = "9999-12-30T00:00:00Z";

const FINDING: &str = "FINDING#";
const ON_DEMAND: &str = "ondemand#";

/// The partition key of a finding: its row and its history. Findings of on-demand scans, whose events anybody can send,
/// have keys that no other finding has.
pub fn finding(arn: &str) -> String {
    let kind = if finding::is_on_demand(arn) { ON_DEMAND } else { "" };
    format!("{FINDING}{kind}{arn}")
}

/// The finding that a partition key is of, if it is of one.
pub fn arn(partition_key: &str) -> Option<&str> {
    let arn = partition_key.strip_prefix(FINDING)?;
    Some(arn.strip_prefix(ON_DEMAND).unwrap_or(arn))
}

/// The partition key of the row that says whether somebody is summing up.
pub const SUMMARY: &str = "SUMMARY";

/// The partition key of the row that says how far the daily round has come.
pub const ROUND: &str = "ROUND";

/// The partition key of the figures of each day. Their sort keys are the days.
pub const FIGURES: &str = "FIGURES";

/// The partition key of reviews. Their sort keys are the moments as of which they are.
pub const REVIEWS: &str = "REVIEWS";

/// The partition key of what Inspector does not look at.
pub const GAPS: &str = "GAPS";
/// The partition key of what Inspector did not look at before and does now, or not for another reason.
pub const PAST_GAPS: &str = "GAPS#PAST";
/// The sort key, under [`ROUND`], of the accounts in which Inspector is on.
pub const ACCOUNTS: &str = "ACCOUNTS";

/// What the sort keys begin with, under [`ROUND`], of a set of findings of the round that began at `began_at`.
pub fn finding_set(set: FindingSet, began_at: Timestamp) -> String {
    let set = match set {
        FindingSet::Listed => "LISTED",
        FindingSet::Absent => "ABSENT",
    };
    format!("{set}#{began_at:.6}#")
}

/// The partition key of a bucket of tokens.
pub fn bucket(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::P1 => "BUCKET#P1",
        Bucket::Others => "BUCKET#OTHERS",
    }
}

/// The partition key of the row that says which ledger is in force, and of those that say which ones were put in force. Those
/// of the ledgers begin with it.
pub const LEDGER: &str = "LEDGER";
/// What the sort keys begin with, under [`LEDGER`], of the ledgers that were put in force.
pub const LEDGER_APPLIED: &str = "APPLIED#";
/// What the sort keys of exceptions begin with that name no vulnerability, under [`ledger`].
pub const LEDGER_OTHERS: &str = "*";
const LEDGER_ENTRY: &str = "ID#";

/// The sort key, under [`LEDGER`], of a ledger that was put in force at a moment.
pub fn ledger_applied(at: Timestamp) -> String {
    format!("{LEDGER_APPLIED}{at:.6}")
}

/// The partition key of the ledger with this digest.
pub fn ledger(digest: &str) -> String {
    format!("{LEDGER}#{digest}")
}

/// The digest of the ledger that a partition key is of, if it is of one.
pub fn ledger_digest(partition_key: &str) -> Option<&str> {
    partition_key.strip_prefix(LEDGER)?.strip_prefix('#')
}

/// The sort key, under [`ledger`], of the exceptions that name a vulnerability.
pub fn ledger_entry(id: &str) -> String {
    format!("{LEDGER_ENTRY}{id}")
}

/// The id of the vulnerability that such a sort key is of.
pub fn ledger_entry_id(sort_key: &str) -> Option<&str> {
    sort_key.strip_prefix(LEDGER_ENTRY)
}

/// The sort key, under [`ledger`], of some of the exceptions that name no vulnerability.
pub fn ledger_others(number: usize) -> String {
    format!("{LEDGER_OTHERS}#{number:06}")
}

/// The partition key of the row that says who may speak to the tracker of tickets. In the index of findings with something
/// to tell it is the partition key of tickets, which stand there by when they have their turn.
pub const TICKETS: &str = "TICKETS";
const TICKET: &str = "TICKET#";

/// The partition key of a ticket, and of the findings that it follows.
pub fn ticket(id: &str) -> String {
    format!("{TICKET}{id}")
}

/// The id of the ticket that a partition key is of.
pub fn ticket_id(partition_key: &str) -> Option<&str> {
    partition_key.strip_prefix(TICKET)
}

/// What the sort keys of findings that a ticket follows begin with.
pub const FOLLOWED: &str = "FOLLOWS#";

/// The sort key, under [`ticket`], of a finding that it follows.
pub fn followed(arn: &str) -> String {
    format!("{FOLLOWED}{arn}")
}

const VULNERABILITY: &str = "CVE#";

/// The partition key of what is known of attacks on a vulnerability.
pub fn vulnerability(id: &str) -> String {
    format!("{VULNERABILITY}{id}")
}

/// The id of the vulnerability that a partition key is of.
pub fn vulnerability_id(partition_key: &str) -> Option<&str> {
    partition_key.strip_prefix(VULNERABILITY)
}

const PROBLEM: &str = "PROBLEM#";
/// What the partition keys of buckets begin with.
const BUCKET: &str = "BUCKET#";

/// The partition key of a problem that people know.
pub fn problem(key: &str) -> String {
    format!("{PROBLEM}{key}")
}

const HISTORY: &str = "HISTORY#";
const NOTED: &str = "NOTED#";
const ANNOUNCED: &str = "ANNOUNCED#";

/// The sort key of a transition: in the order of the states. A state may come twice, after the finding was taken for gone.
pub fn transition(version: &str, revision: u64) -> String {
    format!("{HISTORY}{version}#{revision:06}")
}

/// The sort key of a change that no state of the finding brought, but the daily round.
pub fn noted(at: Timestamp, what: &str) -> String {
    format!("{NOTED}{at:.6}#{what}")
}

/// The sort key of an announcement.
pub fn announcement(at: Timestamp) -> String {
    format!("{ANNOUNCED}{at:.6}")
}

/// Whether a sort key is that of a transition, or of a change that the daily round brought.
pub fn is_moment(sort_key: &str) -> bool {
    sort_key.starts_with(HISTORY) || sort_key.starts_with(NOTED)
}

/// Whether a sort key is that of an announcement.
pub fn is_announcement(sort_key: &str) -> bool {
    sort_key.starts_with(ANNOUNCED)
}

/// Whether a partition key is one of rows that say how far some work has come, or what is known of the world.
pub fn is_beside(partition_key: &str) -> bool {
    [SUMMARY, ROUND, TICKETS].contains(&partition_key)
        || [BUCKET, PROBLEM, TICKET, VULNERABILITY]
            .iter()
            .any(|kind| partition_key.starts_with(kind))
}

/// The partition key in an index for a finding in `queue`: the same for the same finding.
pub fn shard(queue: &str, arn: &str) -> String {
    numbered(queue, Sha256::digest(arn)[0] % shard_count(queue))
}

/// All partition keys of `queue`.
pub fn shards(queue: &str) -> Vec<String> {
    (0..shard_count(queue)).map(|shard| numbered(queue, shard)).collect()
}

fn numbered(queue: &str, shard: u8) -> String {
    format!("{queue}#{shard:02}")
}

/// The key of a record in the index of findings with something to tell, or that have ended; none if it is neither.
pub fn pending(record: &Record) -> Option<(String, Timestamp)> {
    let arn = &record.finding.arn;
    if let (Some(queue), Some(since)) = (record.end_queue(), record.ended_since()) {
        return Some((shard(ended(queue), arn), since));
    }
    let since = record.pending_since?;
    let queue = if record.delivered_to().is_empty() { PENDING } else { PARTLY_TOLD };
    Some((shard(queue, arn), since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_spread_over_all_shards() {
        let mut found: Vec<String> = (0..1000).map(|n| shard(OPEN, &format!("arn:{n}"))).collect();
        found.sort();
        let sizes: Vec<usize> = found.chunk_by(|a, b| a == b).map(<[String]>::len).collect();
        assert!(sizes.iter().all(|size| *size > 30), "{sizes:?}");
        found.dedup();
        assert_eq!(found, shards(OPEN));
    }
}
