//! The weekly review: how far it has come.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Part, PartState, Round, Rounds};
use crate::domain::record::Audience;

/// Since when a review counts that has none before it, or one of the same week.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A review that was made less than this before was made in between, and does not end a week.
const ALMOST_A_WEEK: SignedDuration = SignedDuration::from_hours(6 * 24);
/// For how long a review waits for the first listing, without which it would show a part for the whole.
const WAITS_FOR_LISTING: SignedDuration = SignedDuration::from_hours(24);

/// The review that was asked for last. It is made once and kept, so that all hear the same numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Weekly {
    /// For when it was asked. Another event about the same moment asks for the same review.
    pub asked_at: Timestamp,
    /// As of when it is, once it is made and kept.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    /// Where its page is kept, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Who has had it.
    #[serde(default)]
    pub told: Vec<Audience>,
    /// When it was last tried to make or to tell it, in vain.
    #[serde(default)]
    pub failed_at: Option<Timestamp>,
    /// Whether all have had it who are to.
    #[serde(default)]
    pub is_told: bool,
}

impl Rounds {
    /// Owes the review that was asked for at `asked_at`, in place of an earlier one that some may not have had.
    pub fn ask_for_review(&mut self, asked_at: Timestamp) {
        if self.weekly.as_ref().is_some_and(|weekly| weekly.asked_at >= asked_at) {
            return;
        }
        // One that nobody has heard ends no week.
        let before = self.weekly.take().filter(|one| one.is_told || !one.told.is_empty());
        let before = before.and_then(|weekly| weekly.as_of);
        self.reviewed_at = before.or(self.reviewed_at);
        self.weekly = Some(Weekly {
            asked_at,
            as_of: None,
            page: None,
            told: Vec::new(),
            failed_at: None,
            is_told: false,
        });
    }

    /// The review that is owed, if there is one.
    pub fn owed_review(&self) -> Option<&Weekly> {
        self.weekly.as_ref().filter(|weekly| !weekly.is_told)
    }

    /// Whether the review that is owed waits at `now`: for the first listing, if that was under way when it was asked for.
    pub fn is_review_waiting(&self, now: Timestamp) -> bool {
        let waits = |weekly: &Weekly| {
            let is_early = now.duration_since(weekly.asked_at) < WAITS_FOR_LISTING;
            let is_listing = |round: &Round| {
                round.is_first
                    && round.began_at < weekly.asked_at
                    && round.state(Part::Listing) == PartState::Open
            };
            is_early && self.current.as_ref().is_some_and(is_listing)
        };
        self.owed_review().is_some_and(waits)
    }

    /// Since when a review as of `now` counts what is new and what has ended: since the one before, or for a week.
    pub fn review_since(&self, now: Timestamp) -> Timestamp {
        let before = self.reviewed_at.filter(|at| now.duration_since(*at) >= ALMOST_A_WEEK);
        before.unwrap_or_else(|| now.checked_sub(WEEK).unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::round::Ask;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn one_review_is_owed_for_each_time_that_it_is_asked_for() {
        let mut rounds = Rounds::default();
        let (first, second) = (at("2026-11-16T07:00:00Z"), at("2026-11-23T07:00:00Z"));
        rounds.ask_for_review(first);
        assert_eq!(rounds.owed_review().unwrap().asked_at, first);
        let weekly = rounds.weekly.as_mut().unwrap();
        (weekly.as_of, weekly.is_told) = (Some(first), true);
        rounds.ask_for_review(first);
        assert_eq!(rounds.owed_review(), None, "the same event once more");
        rounds.ask_for_review(second);
        rounds.ask_for_review(first);
        assert_eq!(rounds.owed_review().unwrap().asked_at, second, "an event that is late");
    }

    #[test]
    fn a_review_waits_for_the_first_listing_that_is_under_way_a_day_at_most() {
        let mut rounds = Rounds::default();
        rounds.set_out(Ask::default(), at("2026-11-16T06:55:00Z"));
        rounds.ask_for_review(at("2026-11-16T07:00:00Z"));
        assert!(rounds.is_review_waiting(at("2026-11-16T07:00:01Z")));
        assert!(!rounds.is_review_waiting(at("2026-11-17T07:00:00Z")));
        let listing = rounds.current.as_mut().unwrap().parts.entry(Part::Listing).or_default();
        listing.state = PartState::Done;
        assert!(!rounds.is_review_waiting(at("2026-11-16T07:00:01Z")));
    }

    #[test]
    fn a_review_that_nobody_has_heard_ends_no_week() {
        let mut rounds = Rounds::default();
        for (of, is_told) in [("2026-11-09T07:00:00Z", true), ("2026-11-16T07:00:00Z", false)] {
            rounds.ask_for_review(at(of));
            let weekly = rounds.weekly.as_mut().unwrap();
            (weekly.as_of, weekly.is_told) = (Some(at(of)), is_told);
        }
        rounds.ask_for_review(at("2026-11-23T07:00:00Z"));
        assert_eq!(rounds.review_since(at("2026-11-23T07:00:00Z")), at("2026-11-09T07:00:00Z"));
    }

    #[test]
    fn a_review_counts_since_the_one_before_unless_that_was_made_in_between() {
        let since = |before: Option<&str>| {
            let rounds = Rounds { reviewed_at: before.map(at), ..Rounds::default() };
            rounds.review_since(at("2026-11-23T07:02:00Z")).to_string()
        };
        assert_eq!(since(None), "2026-11-16T07:02:00Z");
        assert_eq!(since(Some("2026-11-16T07:00:30Z")), "2026-11-16T07:00:30Z");
        assert_eq!(since(Some("2026-11-02T07:00:00Z")), "2026-11-02T07:00:00Z", "one was missed");
        assert_eq!(since(Some("2026-11-20T09:00:00Z")), "2026-11-16T07:02:00Z");
    }
}
