//! Names and keys of the table. The schema itself stands in `template.yaml`.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The partition key.
pub const PK: &str = "pk";
/// The sort key.
pub const SK: &str = "sk";
/// The sort key of a finding's row.
pub const CURRENT: &str = "CURRENT";
/// When DynamoDB may delete an item, in seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";
/// Partition key of the index of open findings by due date.
pub const OPEN_SHARD: &str = "open_shard";
/// Sort key of the index of open findings by due date.
pub const DUE_AT: &str = "due_at";
/// Partition key of the index of findings with something to tell.
pub const PENDING_SHARD: &str = "pending_shard";
/// Sort key of the index of findings with something to tell.
pub const PENDING_SINCE: &str = "pending_since";

/// Over how many partition keys each index is spread, so that writes to "all open findings" do
/// not meet the limit of 1,000 writes a second of a single partition key.
pub const SHARDS: u8 = 16;

/// The partition key of a finding: its row and its history.
pub fn finding(arn: &str) -> String {
    format!("FINDING#{arn}")
}

/// The sort key of a transition: in the order of the states, each once.
pub fn transition(version: &str) -> String {
    format!("HISTORY#{version}")
}

/// The sort key of an announcement.
pub fn announcement(at: Timestamp) -> String {
    format!("ANNOUNCED#{at:.6}")
}

/// The partition key in an index for a finding: the same for the same finding.
pub fn shard(index: &str, arn: &str) -> String {
    let hash = Sha256::digest(arn);
    format!("{index}#{:02}", hash[0] % SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_spread_over_all_shards() {
        let mut shards: Vec<String> =
            (0..1000).map(|n| shard("OPEN", &format!("arn:{n}"))).collect();
        shards.sort();
        let mut sizes: Vec<usize> = shards.chunk_by(|a, b| a == b).map(<[String]>::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes.len(), usize::from(SHARDS));
        assert!(sizes[0] > 30, "{sizes:?}");
    }
}
