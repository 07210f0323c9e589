//! What is known of attacks on vulnerabilities, remembered.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    app::{attempt::TimeLimit, failure::CallFailed},
    domain::threat::Threat,
};

/// Where that is kept, once a vulnerability.
pub trait Threats {
    /// What is known of these vulnerabilities, by their ids, without those of which nothing was ever looked up.
    fn threats(
        &self,
        ids: &[&str],
    ) -> impl Future<Output = Result<HashMap<String, Threat>, CallFailed>> + Send;

    /// Remembers what is known of vulnerabilities, by their ids. Fails if there is no time for all of them; some are done
    /// then.
    fn remember_threats(
        &self,
        threats: &[(String, Threat)],
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// Tells all who may announce something that there is something to look up.
    fn share_threats(&self, now: Timestamp) -> impl Future<Output = Result<(), CallFailed>> + Send;
}
