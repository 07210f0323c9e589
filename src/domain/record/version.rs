//! The order of the states of a finding.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    digest,
    finding::{CLOCK_SKEW, Finding},
};

/// The place of an event in the order of all events about one finding. Compares as text.
///
/// First the moment the state is from ([`Finding::as_of_by`]; a finding without any date is older than
/// every dated one). Dates before 2024 have one-second resolution, so two different states can
/// claim one moment: then the more alarming one wins (open before ended, then severity, known
/// exploit, EPSS), because a finding shown once too often costs less than one that is lost. Last a
/// digest of the facts, so that whatever the order of arrival, the same one wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// The version of a state of a finding that was received at `now`.
    pub fn of(finding: &Finding, now: Timestamp) -> Self {
        let as_of = finding.as_of_by(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let alarm = format!(
            "{}{}{}-{:.5}",
            u8::from(finding.status.is_open()),
            finding.severity.rank(),
            u8::from(finding.exploit_known()),
            finding.epss.unwrap_or(0.0),
        );
        Self(format!("{as_of:.6}~{alarm}~{:08x}", digest(finding)))
    }

    /// What every version is below that can be true at `now`. A stored one that is not was written when dates were not
    /// bounded, or by a clock that was wrong: it is older than every other.
    pub fn bound(now: Timestamp) -> Self {
        let latest = now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        Self(format!("{latest:.6}~~"))
    }

    /// The version as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number from what the finding says, leaving out when it was said: the same statement sent
/// again in another envelope is a repetition.
fn digest(finding: &Finding) -> u32 {
    let timeless =
        Finding { sent_at: None, last_observed_at: None, updated_at: None, ..finding.clone() };
    // A finding is a tree of strings, numbers and lists: writing it as JSON cannot fail.
    digest::of(serde_json::to_vec(&timeless).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{
        finding::{Envelope, sample},
        record::sample::{after, assessed, at},
    };

    #[test]
    fn of_two_states_of_one_moment_the_more_alarming_stands() {
        let open = at("Mar 20, 2023, 6:08:05 PM", |_| {});
        let closed = at("Mar 20, 2023, 6:08:05 PM", |f| {
            f["status"] = json!("CLOSED");
        });
        let graver = at("Mar 20, 2023, 6:08:05 PM", |f| {
            f["severity"] = json!("CRITICAL");
        });
        for order in
            [[&open, &closed, &graver], [&graver, &closed, &open], [&closed, &graver, &open]]
        {
            assert_eq!(after(&order.map(Clone::clone)).version, graver.version);
        }
        assert!(open.version > closed.version);
    }

    #[test]
    fn of_two_states_that_differ_in_a_detail_the_same_one_stands_in_either_order() {
        let one = assessed(|f| f["title"] = json!("one"));
        let other = assessed(|f| f["title"] = json!("other"));
        assert_ne!(one.version, other.version);
        let forth = after(&[one.clone(), other.clone()]);
        let back = after(&[other, one]);
        assert_eq!(forth.finding, back.finding);
    }

    #[test]
    fn the_same_state_in_another_envelope_is_a_repetition() {
        let json = sample::json();
        let sent = |at: &str| {
            let envelope = Envelope { sent_at: at.parse().ok(), region: None };
            Version::of(&Finding::read(&json, "detail", envelope).unwrap().0, Timestamp::MAX)
        };
        assert_eq!(sent("2026-11-20T10:00:00Z"), sent("2026-11-21T10:00:00Z"));
    }

    #[test]
    fn a_finding_without_a_date_is_older_than_every_dated_one() {
        let undated = assessed(|f| {
            f["updatedAt"] = json!("?");
            f["lastObservedAt"] = json!("?");
        });
        assert!(undated.version < at("Mar 20, 1999, 6:08:05 PM", |_| {}).version);
    }
}
