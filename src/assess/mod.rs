//! How urgent a finding is, by when to act, and why. Pure: the same input gives the same output.

mod policy;
mod priority;
mod score;
mod vector;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use policy::{NotAnSla, Policy, Sla};
pub use priority::{NotAPriority, Priority};
pub use score::{Basis, Reason};
pub use vector::Vector;

use crate::finding::Finding;

/// What we make of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assessment {
    /// 0 to 100, the higher the more urgent: the sum of the reasons' points.
    pub score: u8,
    /// The class of the score.
    pub priority: Priority,
    /// By when to act; `None` if the finding has ended or *now* is unknown.
    pub due_at: Option<Timestamp>,
    /// Why the score is what it is.
    pub reasons: Vec<Reason>,
    /// The version of the policy that was applied.
    pub policy: String,
}

/// Assesses `finding` as of `now`. Without a `now` everything counts as new and there is no due
/// date.
pub fn assess(finding: &Finding, policy: &Policy, now: Option<Timestamp>) -> Assessment {
    let reasons = score::reasons(finding, now);
    let score = reasons.iter().map(|reason| reason.points).sum();
    let priority = class(score);
    let due_at = now
        .filter(|_| finding.status.is_open())
        .and_then(|now| now.checked_add(policy.sla.allowed(priority)).ok());
    Assessment {
        score,
        priority,
        due_at,
        reasons,
        policy: Policy::VERSION.to_owned(),
    }
}

/// The class of a score. Of the HIGH and CRITICAL vulnerabilities of a list, P1 takes at most one
/// in twenty and P1 and P2 together at most one in five; `docs/SCORING.md` has the figures.
fn class(score: u8) -> Priority {
    match score {
        35.. => Priority::P1,
        20..35 => Priority::P2,
        12..20 => Priority::P3,
        ..12 => Priority::P4,
    }
}
