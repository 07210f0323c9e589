//! What is told looks once more: at what the daily round knows of attacks on a vulnerability, and at the ledger in force.

use std::sync::atomic::Ordering;

use super::{
    attempt::{Attempt, Observation},
    failure::chain,
    ports::Exceptions,
    service::Triage,
};
use crate::domain::{
    finding::Finding,
    record::{Record, Transition},
};

impl<S, P> Triage<S, P> {
    /// Remembers that a daily round has looked up attacks.
    pub(super) fn learn_threats(&self) {
        self.has_threats.store(true, Ordering::Relaxed);
    }
}

impl<S: Exceptions, P> Triage<S, P> {
    /// Whether it is known that there is something to look at.
    pub(super) fn has_more_to_look_at(&self) -> bool {
        self.has_threats.load(Ordering::Relaxed) || self.store.has_ledger()
    }

    /// Has records know what is known of attacks on their vulnerabilities, in memory, and gives, for each, the record as the
    /// ledger has it if that is another one. If there is no answer they know what they knew.
    pub(super) async fn look(
        &self,
        records: &mut [Record],
        attempt: Attempt<'_>,
    ) -> Vec<Option<(Record, Transition)>> {
        let findings: Vec<&Finding> = records.iter().map(|record| &record.finding).collect();
        let looked = match self.store.look_up(&findings, attempt.now).await {
            Ok(looked) => looked,
            Err(failed) => {
                let what =
                    "what is told does not know whether it is known to be exploited, or excepted";
                let reason = chain(&failed);
                (attempt.observe)(Observation::Warning { what: what.to_owned(), reason });
                return records.iter().map(|_| None).collect();
            }
        };
        let policy = &self.config.policy;
        for record in records.iter_mut() {
            let id = record.finding.vulnerability();
            if let Some(threat) = id.and_then(|id| looked.threats.get(id)) {
                *record = record.knowing(Some(threat), None, policy, attempt.now);
            }
        }
        let under = |record: &Record| record.under(&looked.ledger, policy, attempt.now);
        records.iter().map(under).collect()
    }
}
