//! The row of the daily round.

use jiff::Timestamp;

use crate::{
    app::failure::CallFailed,
    domain::{record::Lease, round::Rounds},
};

/// How far rounds have come, and the right to go on with one.
pub trait RoundLog {
    /// Takes `lease`, the right to go on, unless somebody else has it at `now`.
    fn take_up(
        &self,
        lease: &Lease,
        now: Timestamp,
    ) -> impl Future<Output = Result<TakenUp, CallFailed>> + Send;

    /// Writes down that the weekly review of a moment is asked for, whoever has the right to go on.
    fn ask_for_review(
        &self,
        asked_at: Timestamp,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// Keeps the right to go on, which `holder` has from `now` on, for as long as this is awaited. Ends when somebody else
    /// has it.
    fn keep(&self, holder: &str, now: Timestamp) -> impl Future<Output = ()> + Send;

    /// Adds findings, by the [digests](crate::domain::digest::long) of their ARNs, to a set of the round that began at `began_at`.
    /// It is forgotten some weeks after `now`.
    fn add_findings(
        &self,
        set: FindingSet,
        began_at: Timestamp,
        findings: &[u64],
        now: Timestamp,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// The findings in a set of the round that began at `began_at`, some of them more than once.
    fn findings_of(
        &self,
        set: FindingSet,
        began_at: Timestamp,
    ) -> impl Future<Output = Result<Vec<u64>, CallFailed>> + Send;

    /// Writes down how far the round has come, and keeps the right to go on until the end of `lease`; gives it back
    /// if there is none. Not if somebody else has it by now.
    fn note(
        &self,
        rounds: &Rounds,
        holder: &str,
        lease: Option<&Lease>,
    ) -> impl Future<Output = Result<Noted, CallFailed>> + Send;
}

/// A set of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingSet {
    /// Those that a full listing had.
    Listed,
    /// Those that were open and not in it.
    Absent,
}

/// What came of [`RoundLog::take_up`].
#[derive(Clone, Debug)]
pub enum TakenUp {
    /// The right is taken: how far rounds have come.
    Yes(Box<Rounds>),
    /// Somebody else is at it.
    HeldByOther,
}

/// What came of [`RoundLog::note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is written.
    Yes,
    /// Somebody else is at it by now.
    HeldByOther,
}
