//! Which findings are triaged: those that the rules let through.

use super::{Finding, Severity};

/// Which findings are recorded when they are first heard of, as the rules of the template have it for events.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Those of these severities.
    pub severities: Vec<Severity>,
    /// Those of severity MEDIUM too, if EPSS is at least this, 0.0 to 1.0.
    pub medium_from_epss: Option<f64>,
}

impl Default for Scope {
    fn default() -> Self {
        Self { severities: vec![Severity::High, Severity::Critical], medium_from_epss: None }
    }
}

impl Scope {
    /// Whether a finding is one of them.
    pub fn takes(&self, finding: &Finding) -> bool {
        let is_likely = |least| finding.epss.is_some_and(|epss| epss >= least);
        self.severities.contains(&finding.severity)
            || finding.severity == Severity::Medium && self.medium_from_epss.is_some_and(is_likely)
    }
}
