//! What is told looks once more: at what the daily round knows of attacks on a vulnerability.

use std::sync::atomic::Ordering;

use super::{
    attempt::{Attempt, Observation},
    failure::chain,
    ports::Threats,
    service::Triage,
};
use crate::domain::record::Record;

impl<S, P> Triage<S, P> {
    /// Whether it is known that a daily round has looked something up.
    pub(super) fn has_threats(&self) -> bool {
        self.has_threats.load(Ordering::Relaxed)
    }

    /// Remembers that a daily round has.
    pub(super) fn learn_threats(&self) {
        self.has_threats.store(true, Ordering::Relaxed);
    }
}

impl<S: Threats, P> Triage<S, P> {
    /// Has records know what is known of attacks on their vulnerabilities, in memory. If that cannot be read they know what
    /// they knew.
    pub(super) async fn look(&self, records: &mut [Record], attempt: Attempt<'_>) {
        let ids: Vec<&str> =
            records.iter().filter_map(|record| record.finding.vulnerability()).collect();
        if ids.is_empty() {
            return;
        }
        let threats = match self.store.threats(&ids).await {
            Ok(threats) => threats,
            Err(failed) => {
                let what = "what is told does not say whether it is known to be exploited";
                let reason = chain(&failed);
                (attempt.observe)(Observation::Warning { what: what.to_owned(), reason });
                return;
            }
        };
        for record in records {
            let id = record.finding.vulnerability();
            if let Some(threat) = id.and_then(|id| threats.get(id)) {
                record.threat = Some(threat.clone());
            }
        }
    }
}
