//! The ledger that is in force, remembered.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    app::{attempt::TimeLimit, failure::CallFailed},
    domain::{
        finding::Finding,
        ledger::{InForce, Ledger, VulnerabilityId},
        threat::Threat,
    },
};

/// Where the ledger is kept that is in force.
pub trait Exceptions {
    /// Whether it is known that a ledger is in force. Nothing is asked: who writes a finding that there is something to
    /// tell of hears of it.
    fn has_ledger(&self) -> bool;

    /// What there is to know of findings before people are told of them.
    fn look_up(
        &self,
        findings: &[&Finding],
        now: Timestamp,
    ) -> impl Future<Output = Result<Looked, CallFailed>> + Send;

    /// Which ledger is in force, if any.
    fn ledger_head(&self) -> impl Future<Output = Result<Option<LedgerHead>, CallFailed>> + Send;

    /// All of the ledger of which this is the head.
    fn ledger(&self, head: &LedgerHead)
    -> impl Future<Output = Result<InForce, CallFailed>> + Send;

    /// Puts a ledger in force, whole or not at all, in place of the one with the head `before`. Those who look see the one or the
    /// other.
    fn put_in_force(
        &self,
        ledger: &Ledger,
        head: &LedgerHead,
        before: Option<&LedgerHead>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<PutInForce, CallFailed>> + Send;
}

/// What there is to know of findings.
#[derive(Debug, Default)]
pub struct Looked {
    /// What is known of attacks, by the ids of vulnerabilities.
    pub threats: HashMap<String, Threat>,
    /// What of the ledger in force may be about them.
    pub ledger: InForce,
}

/// Which ledger is in force, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerHead {
    /// What it says, as a number: the same ledger has the same.
    pub digest: String,
    /// The commit that it comes from, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who put it in force, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<String>,
    /// When.
    pub applied_at: Timestamp,
    /// How many exceptions it has.
    pub exceptions: usize,
    /// Vulnerabilities that no exception covers.
    #[serde(default)]
    pub never: Vec<VulnerabilityId>,
    /// Ledgers that are no longer in force, and whose rows are yet to be forgotten, by their digests.
    #[serde(default)]
    pub retired: Vec<String>,
}

/// What came of [`Exceptions::put_in_force`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutInForce {
    /// It is in force.
    Done,
    /// Somebody else has put another one in force meanwhile, and that one is.
    Conflict,
}
