//! A ledger as whoever decides about findings has it: exceptions by the vulnerabilities that they name.

use std::{collections::HashMap, sync::Arc};

use jiff::{Timestamp, civil::Date};

use super::{Cover, Exception, Ledger, Situation, VulnerabilityId, selector::ids_of};
use crate::domain::finding::Finding;

/// The ledger that is in force, or the part of it that may be about some findings.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// Vulnerabilities that no exception covers.
    pub never: Vec<VulnerabilityId>,
    /// Exceptions by each of the vulnerabilities that they name.
    pub by_vulnerability: HashMap<VulnerabilityId, Vec<Exception>>,
    /// Those that name none, and those that are about any finding whose vulnerability has too many.
    pub others: Arc<Vec<Exception>>,
}

impl From<&Ledger> for InForce {
    fn from(ledger: &Ledger) -> Self {
        let mut by_vulnerability: HashMap<VulnerabilityId, Vec<Exception>> = HashMap::new();
        let mut others = Vec::new();
        for exception in &ledger.exceptions {
            if exception.selectors.vulnerabilities.is_empty() {
                others.push(exception.clone());
            }
            for id in &exception.selectors.vulnerabilities {
                by_vulnerability.entry(id.clone()).or_default().push(exception.clone());
            }
        }
        Self { never: ledger.policy.never.clone(), by_vulnerability, others: Arc::new(others) }
    }
}

impl InForce {
    /// Whether a finding is excepted at `now`.
    pub fn cover(&self, situation: &Situation<'_>, now: Timestamp) -> Cover<'_> {
        let named = Self::ids_of(situation.finding);
        let named = named.into_iter().filter_map(|id| self.by_vulnerability.get(&id)).flatten();
        Cover::of(named.chain(self.others.iter()), &self.never, situation, now)
    }

    /// By when the first of those exceptions is to be reviewed that have not ended at `now`.
    pub fn review_at(&self, now: Timestamp) -> Option<Date> {
        let all = self.by_vulnerability.values().flatten().chain(self.others.iter());
        all.filter(|exception| now < exception.terms.end()).filter_map(|one| one.review_at).min()
    }

    /// The vulnerabilities by which an exception may be about a finding.
    pub fn ids_of(finding: &Finding) -> Vec<VulnerabilityId> {
        let mut ids: Vec<VulnerabilityId> = ids_of(finding).map(VulnerabilityId::new).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}
