//! What Inspector does not look at, remembered.

use crate::{
    app::{attempt::TimeLimit, failure::CallFailed},
    domain::coverage::{Gap, GapChange, Observed},
};

/// Where gaps are kept, and the accounts that are asked about.
pub trait Gaps {
    /// What is off in accounts.
    fn account_gaps(&self) -> impl Future<Output = Result<Vec<Gap>, CallFailed>> + Send;

    /// The resources of an account that are not looked at.
    fn resource_gaps(
        &self,
        account: &str,
    ) -> impl Future<Output = Result<Vec<Gap>, CallFailed>> + Send;

    /// Writes what became of gaps, and what there was until now. Fails if there is no time for all of it; some is done then.
    fn change_gaps(
        &self,
        changes: &[GapChange],
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// The accounts in which Inspector is on, as last known; none before that was first known.
    fn accounts(&self) -> impl Future<Output = Result<Option<Vec<Observed>>, CallFailed>> + Send;

    /// Remembers the accounts in which Inspector is on.
    fn remember_accounts(
        &self,
        accounts: &[Observed],
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}
