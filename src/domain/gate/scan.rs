//! Whether Inspector has scanned something: without that, nothing found means nothing.

use jiff::{SignedDuration, Timestamp};

use crate::domain::coverage::{Coverage, PASSING};

/// How old a scan is when all its findings are there for sure. They trail the scan by seconds to minutes
/// (<https://github.com/aws/aws-sdk/issues/289>).
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The kind of scan that looks at ports.
const NETWORK: &str = "NETWORK";

/// Whether Inspector has scanned something, by what its coverage has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanState {
    /// It has.
    Scanned {
        /// When, last.
        at: Timestamp,
        /// Whether it never does again: what becomes known later is not found.
        once: bool,
    },
    /// Not yet.
    Waiting {
        /// Inspector's word for why, such as `PENDING_INITIAL_SCAN`.
        reason: String,
    },
    /// It does not, or not any more.
    NotScanned {
        /// Inspector's word for why, such as `UNSUPPORTED_OS`.
        reason: String,
        /// The kind of scan: `PACKAGE`, `CODE` or `NETWORK`.
        scan: String,
    },
}

/// Whether the findings of a scan are all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// They are.
    Yes,
    /// Some may be on their way: two listings have to agree.
    NotYet,
}

impl ScanState {
    /// What a row of Inspector's coverage says of what was pushed at `pushed_at`, if that is known. A scan of before that is
    /// none of it. A reason that we do not know is none for a scan.
    pub fn of(row: &Coverage, pushed_at: Option<Timestamp>) -> Self {
        let reason = row.reason.as_str();
        let waiting = || Self::Waiting { reason: row.reason.clone() };
        let is_new = |at: &Timestamp| pushed_at.is_none_or(|pushed_at| *at >= pushed_at);
        let scanned = |once| match row.last_scanned_at.filter(is_new) {
            Some(at) => Self::Scanned { at, once },
            None => waiting(),
        };
        match reason {
            "SUCCESSFUL" if row.is_active() => scanned(false),
            // What was found when it was pushed stays, whatever its status is called afterwards.
            "SCAN_FREQUENCY_SCAN_ON_PUSH" if row.is_active() || row.is_inactive() => scanned(true),
            _ if PASSING.contains(&reason) => waiting(),
            _ => Self::NotScanned { reason: row.reason.clone(), scan: row.scan.clone() },
        }
    }

    /// What all that the coverage has of a resource says of it, as [`ScanState::of`] each. Whether its ports are open says nothing
    /// of its packages and its code. None if there is no more.
    pub fn of_resource<'a>(
        rows: impl IntoIterator<Item = &'a Coverage>,
        pushed_at: Option<Timestamp>,
    ) -> Option<Self> {
        let rows = rows.into_iter().filter(|row| row.scan != NETWORK);
        Self::of_all(rows.map(|row| Self::of(row, pushed_at)))
    }

    /// What all these rows together say, of the same resource or of parts of one thing: it is scanned if each is, and as long
    /// ago as the latest. None without rows.
    pub fn of_all(states: impl IntoIterator<Item = Self>) -> Option<Self> {
        states.into_iter().reduce(|all, one| match (all, one) {
            (not @ Self::NotScanned { .. }, _) | (_, not @ Self::NotScanned { .. }) => not,
            (waiting @ Self::Waiting { .. }, _) | (_, waiting @ Self::Waiting { .. }) => waiting,
            (Self::Scanned { at, once }, Self::Scanned { at: other, once: also }) => {
                Self::Scanned { at: at.max(other), once: once || also }
            }
        })
    }

    /// Whether the findings of a scan `at` are all there at `now`.
    pub fn settled(at: Timestamp, now: Timestamp) -> Settled {
        if now.duration_since(at) > SETTLED_AFTER { Settled::Yes } else { Settled::NotYet }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn row(status: &str, reason: &str, last_scanned_at: Option<&str>) -> Coverage {
        Coverage {
            account: "111122223333".to_owned(),
            resource: "arn:aws:ecr:eu-central-1:111122223333:repository/crm/web/sha256:0"
                .to_owned(),
            kind: "AWS_ECR_CONTAINER_IMAGE".to_owned(),
            scan: "PACKAGE".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            last_scanned_at: last_scanned_at.map(at),
            commit: None,
            tags: BTreeMap::new(),
        }
    }

    const PUSHED: &str = "2026-11-20T10:00:00Z";
    const BEFORE: Option<&str> = Some("2026-11-20T09:59:59Z");
    const AFTER: Option<&str> = Some("2026-11-20T10:00:00Z");

    fn state(status: &str, reason: &str, last_scanned_at: Option<&str>) -> ScanState {
        ScanState::of(&row(status, reason, last_scanned_at), Some(at(PUSHED)))
    }

    #[test]
    fn an_image_is_scanned_if_that_was_after_it_was_pushed() {
        let scanned = ScanState::Scanned { at: at(PUSHED), once: false };
        assert_eq!(state("ACTIVE", "SUCCESSFUL", AFTER), scanned);
        let waiting = ScanState::Waiting { reason: "SUCCESSFUL".to_owned() };
        assert_eq!(state("ACTIVE", "SUCCESSFUL", BEFORE), waiting);
        assert_eq!(state("ACTIVE", "SUCCESSFUL", None), waiting);
    }

    #[test]
    fn what_is_not_looked_at_any_more_is_not_scanned_however_it_went_before() {
        for (status, reason) in [
            ("INACTIVE", "SUCCESSFUL"),
            ("INACTIVE", "SCAN_ELIGIBILITY_EXPIRED"),
            ("ACTIVE", "UNSUPPORTED_OS"),
            ("PAUSED", "SUCCESSFUL"),
            ("PAUSED", "SCAN_FREQUENCY_SCAN_ON_PUSH"),
            ("INACTIVE", "SOMETHING_NEW"),
            ("", ""),
        ] {
            let not =
                ScanState::NotScanned { reason: reason.to_owned(), scan: "PACKAGE".to_owned() };
            assert_eq!(state(status, reason, AFTER), not, "{status} {reason}");
        }
    }

    #[test]
    fn a_scan_on_push_is_one_and_the_last() {
        let reason = "SCAN_FREQUENCY_SCAN_ON_PUSH";
        let scanned = ScanState::Scanned { at: at(PUSHED), once: true };
        assert_eq!(state("INACTIVE", reason, AFTER), scanned);
        assert!(matches!(state("INACTIVE", reason, None), ScanState::Waiting { .. }));
    }

    #[test]
    fn a_whole_is_scanned_when_its_last_part_is() {
        let part = |time: &str| ScanState::Scanned { at: at(time), once: false };
        let waiting = ScanState::Waiting { reason: "SCAN_IN_PROGRESS".to_owned() };
        let not = state("ACTIVE", "UNSUPPORTED_OS", None);
        let (early, late) = (part("2026-11-20T10:00:00Z"), part("2026-11-20T11:00:00Z"));
        assert_eq!(ScanState::of_all([early.clone(), late.clone()]), Some(late.clone()));
        assert_eq!(ScanState::of_all([late.clone(), waiting.clone()]), Some(waiting.clone()));
        assert_eq!(ScanState::of_all([waiting, not.clone(), late]), Some(not));
        assert_eq!(ScanState::of_all([]), None);
    }

    #[test]
    fn findings_trail_a_scan_by_minutes() {
        let scan = at("2026-11-20T10:00:00Z");
        assert_eq!(ScanState::settled(scan, at("2026-11-20T10:05:00Z")), Settled::NotYet);
        assert_eq!(ScanState::settled(scan, at("2026-11-20T10:05:01Z")), Settled::Yes);
        // By a clock that is behind.
        assert_eq!(ScanState::settled(scan, at("2026-11-20T09:00:00Z")), Settled::NotYet);
    }
}
