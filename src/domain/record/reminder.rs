//! When people are reminded of a finding: before its due date, when that has passed, and then more and more rarely.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AlertReason, Record};
use crate::domain::{assess::Policy, round::day};

/// After how many days people hear again of what is overdue, each time; the last one for all times after.
const AGAIN_AFTER: [i32; 4] = [1, 3, 7, 14];
/// How much sooner than after so many times 24 hours that may be; and for how long nobody is reminded of what is not due yet
/// and was just told.
const HALF_A_DAY: SignedDuration = SignedDuration::from_hours(12);
/// What part of the time to act is left when people are reminded of what is not due yet: a quarter.
const LAST_PART: i32 = 4;
/// But not less than lies between two rounds, or half of a short time: else nobody would hear of a P1 before it is overdue.
const BETWEEN_ROUNDS: SignedDuration = SignedDuration::from_hours(24);

/// What people were last reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminded {
    /// When.
    pub at: Timestamp,
    /// Of which due date. Another one is reminded of anew.
    pub due_at: Timestamp,
    /// How often since it had passed; none if it was yet to come.
    pub times: u32,
}

impl Record {
    /// Whether people are to be reminded of it on the day of `now`, and why: [`AlertReason::DueSoon`] or
    /// [`AlertReason::Overdue`]. Never of what an exception covers.
    pub fn reminder(&self, policy: &Policy, now: Timestamp) -> Option<AlertReason> {
        let due_at = self.due_at.filter(|_| self.is_open() && self.exception().is_none())?;
        let before = self.reminded.filter(|before| before.due_at == due_at);
        if due_at >= now {
            let (finding, threat) = (&self.finding, self.threat.as_ref());
            let allowed = policy.due_at(finding, threat, self.priority(), now)?.duration_since(now);
            let last = (allowed / LAST_PART).max(BETWEEN_ROUNDS).min(allowed / 2);
            let is_soon = due_at.duration_since(now) <= last;
            // Who has just heard of it need not hear that it is due soon.
            let told_at = self.announced.as_ref().map(|told| told.at);
            let is_fresh = told_at.is_some_and(|at| now.duration_since(at) < HALF_A_DAY);
            let is_told = is_soon && before.is_none() && !is_fresh;
            return is_told.then_some(AlertReason::DueSoon);
        }
        let is_time = match before {
            Some(Reminded { at, times, .. }) if times > 0 => {
                let place = usize::try_from(times - 1).unwrap_or(usize::MAX);
                let pause = AGAIN_AFTER[place.min(AGAIN_AFTER.len() - 1)];
                // By days: a round does not begin at the same minute each day. But not minutes after midnight.
                let at_least = SignedDuration::from_hours(i64::from(pause) * 24) - HALF_A_DAY;
                (day(now) - day(at)).get_days() >= pause && now.duration_since(at) >= at_least
            }
            _ => true,
        };
        is_time.then_some(AlertReason::Overdue)
    }

    /// The record once people have been reminded of it at `now`; none if they are not to be.
    pub fn reminded_at(&self, policy: &Policy, now: Timestamp) -> Option<Self> {
        let why = self.reminder(policy, now)?;
        let due_at = self.due_at?;
        let before = self.reminded.filter(|before| before.due_at == due_at);
        let times = before.map_or(0, |before| before.times);
        let times = times.saturating_add(u32::from(why == AlertReason::Overdue));
        Some(Self { reminded: Some(Reminded { at: now, due_at, times }), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::{
        Announcement,
        sample::{after, at},
    };

    fn open_until(due: &str) -> Record {
        let opened = at("2026-11-20T10:00:00Z", |_| {});
        Record { due_at: due.parse().ok(), ..after(&[opened]) }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// On which days people are reminded, by a round a day from `first` on, which begins now earlier and now later.
    fn days(mut record: Record, first: &str, rounds: i64) -> Vec<(String, AlertReason)> {
        let policy = Policy::default();
        let mut told = Vec::new();
        for round in 0..rounds {
            let jitter = SignedDuration::from_mins(round % 7 * 5);
            let now = time(first) + SignedDuration::from_hours(24 * round) + jitter;
            if let Some(why) = record.reminder(&policy, now) {
                told.push((day(now).to_string(), why));
                record = record.reminded_at(&policy, now).unwrap();
                assert_eq!(record.reminder(&policy, now), None, "once a day");
            }
        }
        told
    }

    #[test]
    fn people_hear_before_it_is_due_when_it_is_and_then_after_1_3_7_and_14_days() {
        let record = open_until("2026-12-10T12:00:00Z");
        assert_eq!(record.priority().as_str(), "P2", "seven days, a quarter of which is 42 hours");
        let expected = [
            ("2026-12-09", AlertReason::DueSoon),
            ("2026-12-11", AlertReason::Overdue),
            ("2026-12-12", AlertReason::Overdue),
            ("2026-12-15", AlertReason::Overdue),
            ("2026-12-22", AlertReason::Overdue),
            ("2027-01-05", AlertReason::Overdue),
            ("2027-01-19", AlertReason::Overdue),
        ];
        let told = days(record, "2026-12-01T00:20:00Z", 60);
        assert_eq!(told, expected.map(|(day, why)| (day.to_owned(), why)));
    }

    #[test]
    fn what_has_little_time_is_said_to_be_due_soon_between_two_rounds() {
        let policy = Policy::default();
        let urgent = at("2026-11-20T10:00:00Z", |f| f["epss"] = serde_json::json!({"score": 0.9}));
        let due_at = "2026-12-10T14:00:00Z".parse().ok();
        let record = Record { due_at, ..after(&[urgent]) };
        assert_eq!(record.priority().as_str(), "P1", "two days");
        let soon = |now| record.reminder(&policy, time(now));
        assert_eq!(soon("2026-12-09T13:59:00Z"), None);
        assert_eq!(soon("2026-12-09T14:00:00Z"), Some(AlertReason::DueSoon));
        // With an exploit it is one day: half of it.
        let exploited = |f: &mut serde_json::Value| {
            f["epss"] = serde_json::json!({"score": 0.9});
            f["exploitAvailable"] = serde_json::json!("YES");
        };
        let record = Record { due_at, ..after(&[at("2026-11-20T10:00:00Z", exploited)]) };
        let soon = |now| record.reminder(&policy, time(now));
        assert_eq!(soon("2026-12-10T01:59:00Z"), None);
        assert_eq!(soon("2026-12-10T02:00:00Z"), Some(AlertReason::DueSoon));
    }

    #[test]
    fn nobody_hears_at_once_that_what_was_just_told_is_due_soon() {
        let policy = Policy::default();
        let told = |at: &str| {
            let record = open_until("2026-12-10T12:00:00Z");
            let announced = Announcement {
                at: time(at),
                why: AlertReason::New,
                opening: 1,
                facts: record.facts(),
            };
            Record { announced: Some(announced), ..record }
        };
        let now = time("2026-12-10T00:10:00Z");
        assert_eq!(told("2026-12-09T12:11:00Z").reminder(&policy, now), None);
        let earlier = told("2026-12-09T12:10:00Z");
        assert_eq!(earlier.reminder(&policy, now), Some(AlertReason::DueSoon));
    }

    #[test]
    fn another_due_date_is_reminded_of_anew() {
        let policy = Policy::default();
        let now = time("2026-12-11T00:10:00Z");
        let told = open_until("2026-12-10T12:00:00Z").reminded_at(&policy, now).unwrap();
        let later = Record { due_at: "2026-12-30T12:00:00Z".parse().ok(), ..told.clone() };
        assert_eq!(later.reminder(&policy, now), None);
        let passed = time("2026-12-31T00:10:00Z");
        assert_eq!(later.reminder(&policy, passed), Some(AlertReason::Overdue));
        assert_eq!(later.reminded_at(&policy, passed).unwrap().reminded.unwrap().times, 1);
    }

    #[test]
    fn nobody_is_reminded_of_what_has_no_due_date_or_has_ended() {
        let policy = Policy::default();
        let now = time("2027-06-01T00:00:00Z");
        let undated = Record { due_at: None, ..open_until("2026-12-10T12:00:00Z") };
        assert_eq!(undated.reminder(&policy, now), None);
        let closed = at("2026-11-20T11:00:00Z", |f| f["status"] = serde_json::json!("CLOSED"));
        let closed = Record {
            due_at: "2026-12-10T12:00:00Z".parse().ok(),
            ..after(&[at("2026-11-20T10:00:00Z", |_| {}), closed])
        };
        assert_eq!(closed.reminder(&policy, now), None);
        let far = open_until("2027-12-10T12:00:00Z");
        assert_eq!(far.reminder(&policy, now), None);
    }
}
