//! The facts that matter to people.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::AlertReason;
use crate::domain::{
    assess::{Assessment, Priority},
    finding::{Finding, FixAvailable, Severity, Status},
};

/// The facts that matter to people: a change of one of them is a transition, worth a row in the
/// history and perhaps an announcement. Everything else about a finding may drift in silence.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Where it is in its life.
    pub status: Status,
    /// Inspector's rating.
    pub severity: Severity,
    /// Our class.
    pub priority: Priority,
    /// Whether an exploit is known.
    pub exploit: bool,
    /// Whether a fix exists.
    pub fix: Option<FixAvailable>,
    /// Whether CISA's catalogue of known exploited vulnerabilities has it. No fact of an event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known_exploited: bool,
}

impl Facts {
    /// The facts of a finding that was assessed.
    pub fn of(finding: &Finding, assessment: &Assessment) -> Self {
        Self {
            status: finding.status.clone(),
            severity: finding.severity.clone(),
            priority: assessment.priority,
            exploit: finding.exploit_known(),
            fix: finding.fix_available.clone(),
            known_exploited: false,
        }
    }

    /// The most important thing that these facts have and `told` have not.
    pub fn news_since(&self, told: &Self) -> Option<AlertReason> {
        if self.known_exploited && !told.known_exploited {
            Some(AlertReason::KnownExploited)
        } else if self.exploit && !told.exploit {
            Some(AlertReason::ExploitSeen)
        } else if self.priority > told.priority {
            Some(AlertReason::PriorityRaised)
        } else if fix_rank(self.fix.as_ref()) > fix_rank(told.fix.as_ref()) {
            Some(AlertReason::FixAppeared)
        } else {
            None
        }
    }

    /// The facts that an event says as one string, for a condition on the row.
    pub fn key(&self) -> String {
        let fix = self.fix.as_ref().map_or("UNKNOWN", FixAvailable::as_str);
        let exploit = if self.exploit { "EXPLOIT" } else { "-" };
        format!("{}|{}|{}|{exploit}|fix {fix}", self.status, self.severity, self.priority)
    }
}

/// How much of a fix there is: none or unknown, for some packages, for all.
fn fix_rank(fix: Option<&FixAvailable>) -> u8 {
    match fix {
        Some(FixAvailable::Yes) => 2,
        Some(FixAvailable::Partial) => 1,
        Some(FixAvailable::No | FixAvailable::Other(_)) | None => 0,
    }
}
