//! When an exception ends: with its last day, or with the facts that it was made for.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::words;
use crate::domain::{
    assess::Priority,
    finding::{Finding, FixAvailable, Remediation},
};

/// When an exception ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Its last day, to the end of it in UTC.
    pub expires_at: Date,
    /// Whether it ends as soon as there is a fix, for all packages or for some.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_fixed: bool,
    /// The highest priority that it accepts.
    pub accepted_priority: Priority,
    /// What else ends it.
    pub ends_if: Vec<Condition>,
}

words! {
    /// A change of the facts that ends an exception.
    Condition {
        /// An exploit is known.
        Exploit = "exploit",
        /// CISA lists the vulnerability as exploited.
        KnownExploited = "known_exploited",
        /// The priority is higher than the accepted one.
        PriorityRaised = "priority_raised",
    }
}

/// What of a finding an exception may end with.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether CISA lists its vulnerability as exploited, as far as is known.
    pub known_exploited: bool,
    /// Whether its vulnerability was seen exploited, as far as is known.
    pub seen_exploited: bool,
}

/// Why an exception does not cover a finding that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyEnded {
    /// No exception may cover the vulnerability.
    Never,
    /// CISA lists the vulnerability as exploited.
    KnownExploited,
    /// An exploit is known.
    Exploit,
    /// The priority is higher than the accepted one.
    PriorityRaised,
    /// There is a fix.
    FixAvailable,
    /// Its last day has passed.
    Expired,
    /// Its first day has not come.
    NotBegun,
    /// The ledger does not have it any more, or it is about something else now.
    Withdrawn,
    /// A reason of a later version.
    #[serde(other)]
    Other,
}

impl WhyEnded {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::KnownExploited => "known-exploited",
            Self::Exploit => "exploit",
            Self::PriorityRaised => "priority-raised",
            Self::FixAvailable => "fix-available",
            Self::Expired => "expired",
            Self::NotBegun => "not-begun",
            Self::Withdrawn => "withdrawn",
            Self::Other => "other",
        }
    }
}

impl Terms {
    /// What ends if nothing else is said.
    pub const ENDS_IF: [Condition; 3] =
        [Condition::Exploit, Condition::KnownExploited, Condition::PriorityRaised];
    /// The highest priority that is accepted if nothing else is said.
    pub const ACCEPTED_PRIORITY: Priority = Priority::P3;

    /// Why an exception on these terms has ended at `now` for a finding in this situation; none if it has not.
    pub fn ended(&self, situation: &Situation<'_>, now: Timestamp) -> Option<WhyEnded> {
        let ends_if = |condition| self.ends_if.contains(&condition);
        let exploited = situation.finding.exploit_known() || situation.seen_exploited;
        if ends_if(Condition::KnownExploited) && situation.known_exploited {
            Some(WhyEnded::KnownExploited)
        } else if ends_if(Condition::Exploit) && exploited {
            Some(WhyEnded::Exploit)
        } else if ends_if(Condition::PriorityRaised) && situation.priority > self.accepted_priority
        {
            Some(WhyEnded::PriorityRaised)
        } else if self.until_fixed && has_fix(situation.finding) {
            Some(WhyEnded::FixAvailable)
        } else if now >= self.end() {
            Some(WhyEnded::Expired)
        } else {
            None
        }
    }

    /// The first moment after its last day.
    pub fn end(&self) -> Timestamp {
        end_of(self.expires_at)
    }
}

/// The first moment after a day, in UTC.
pub fn end_of(day: Date) -> Timestamp {
    let next = day.checked_add(1.day()).unwrap_or(Date::MAX);
    beginning_of(next)
}

/// The first moment of a day, in UTC.
pub fn beginning_of(day: Date) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

/// Whether there is a fix for some of the packages at least: Inspector says so, or names a version.
fn has_fix(finding: &Finding) -> bool {
    matches!(finding.fix_available, Some(FixAvailable::Yes | FixAvailable::Partial))
        || matches!(
            Remediation::of(finding),
            Remediation::Update { .. } | Remediation::InstallUpdate(_)
        )
}
