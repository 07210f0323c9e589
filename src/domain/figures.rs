//! The figures of a day: what is open, overdue, new and ended, and how old it is. Trends are drawn from them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    assess::Priority,
    record::{How, Record},
};

/// The figures as of a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// When they were taken.
    pub as_of: Timestamp,
    /// Since when `new` and `ended` count: the figures before were taken then. None in the first ones, where both are 0.
    pub since: Option<Timestamp>,
    /// What is open.
    pub open: Counts,
    /// What of it is past its due date.
    pub overdue: Counts,
    /// What an exception covers, which counts nowhere else.
    #[serde(default)]
    pub excepted: u64,
    /// What of it people are yet to be told.
    pub pending: u64,
    /// What of it CISA lists as exploited.
    pub known_exploited: u64,
    /// What was heard of for the first time.
    pub new: u64,
    /// What has ended, by how.
    pub ended: Ends,
    /// For how long what is open has been open, in whole days.
    pub open_age_days: Spread,
    /// How long what was fixed had been open, in whole days.
    pub time_to_fix_days: Spread,
}

/// How many there are of each priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// `P1`.
    #[serde(rename = "P1")]
    pub p1: u64,
    /// `P2`.
    #[serde(rename = "P2")]
    pub p2: u64,
    /// `P3`.
    #[serde(rename = "P3")]
    pub p3: u64,
    /// `P4`.
    #[serde(rename = "P4")]
    pub p4: u64,
    /// All.
    pub total: u64,
}

impl Counts {
    /// How many there are of one.
    pub fn of(&self, priority: Priority) -> u64 {
        match priority {
            Priority::P1 => self.p1,
            Priority::P2 => self.p2,
            Priority::P3 => self.p3,
            Priority::P4 => self.p4,
        }
    }

    /// Counts one more.
    pub fn add(&mut self, priority: Priority) {
        self.total += 1;
        *match priority {
            Priority::P1 => &mut self.p1,
            Priority::P2 => &mut self.p2,
            Priority::P3 => &mut self.p3,
            Priority::P4 => &mut self.p4,
        } += 1;
    }
}

/// How many have ended, by how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    /// Inspector still looks, and does not find it any more.
    pub fixed: u64,
    /// The resource is gone.
    pub gone: u64,
    /// Inspector does not look any more.
    pub unobserved: u64,
    /// A rule hides it.
    pub suppressed: u64,
    /// Not known, or not yet.
    pub unknown: u64,
    /// All.
    pub total: u64,
}

impl Ends {
    fn add(&mut self, how: How) {
        self.total += 1;
        *match how {
            How::Fixed => &mut self.fixed,
            How::Gone => &mut self.gone,
            How::Unobserved => &mut self.unobserved,
            How::Suppressed => &mut self.suppressed,
            How::Unknown => &mut self.unknown,
        } += 1;
    }
}

/// The middle and the greatest of some numbers; none of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them are at most this: the lower one of two in the middle.
    pub median: Option<u64>,
    /// The greatest.
    pub max: Option<u64>,
}

/// What of a finding the figures count: how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When we first heard of it.
    pub first_seen_at: Timestamp,
    /// How often it was opened; 0 if it never was open here.
    pub opening: u32,
    /// Since when it is open, or was before it ended, by Inspector's clock.
    pub opened_at: Option<Timestamp>,
    /// Since when it has ended, by Inspector's clock.
    pub ended_at: Option<Timestamp>,
    /// By when to act.
    pub due_at: Option<Timestamp>,
    /// Its class.
    pub priority: Priority,
    /// What has become of it.
    pub outcome: Outcome,
    /// When its end was recorded, if it has ended.
    pub end_recorded_at: Option<Timestamp>,
    /// Whether people are yet to be told of it.
    pub is_pending: bool,
    /// Whether CISA lists it as exploited.
    pub known_exploited: bool,
}

/// What has become of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is open.
    Open,
    /// It is open, and an exception covers it.
    Excepted,
    /// It has ended.
    Ended(How),
    /// It never was open here: it had ended or was hidden when it was first heard of.
    NeverOpen,
}

impl Outcome {
    /// What has become of a finding that is open or not, excepted or not, and ended so, if it has.
    pub fn new(is_open: bool, is_excepted: bool, how: Option<How>) -> Self {
        match how {
            _ if is_open && is_excepted => Self::Excepted,
            _ if is_open => Self::Open,
            Some(how) => Self::Ended(how),
            None => Self::NeverOpen,
        }
    }
}

impl Standing {
    /// Whether its due date has passed at `now`, and no exception gives more time.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.outcome == Outcome::Open && self.due_at.is_some_and(|due| due < now)
    }
}

impl From<&Record> for Standing {
    fn from(record: &Record) -> Self {
        let end = record.end.as_ref();
        let how = end.map(|end| end.how);
        Self {
            first_seen_at: record.first_seen_at,
            opening: record.opening,
            opened_at: record.opened_at,
            ended_at: record.ended_at,
            due_at: record.due_at,
            priority: record.priority(),
            outcome: Outcome::new(record.is_open(), record.exception().is_some(), how),
            end_recorded_at: end.map(|end| end.at),
            is_pending: record.pending_since.is_some(),
            known_exploited: record.is_known_exploited(),
        }
    }
}

/// Figures that are being taken, record by record. What it needs of memory grows with the days, not with the records.
#[derive(Clone, Debug)]
pub struct Taking {
    figures: Figures,
    open_ages: Days,
    fixed_after: Days,
}

/// How many there are of each number of days.
type Days = BTreeMap<u64, u64>;

impl Taking {
    /// Begins to take figures as of `as_of`; what is new and ended is since the figures before.
    pub fn new(as_of: Timestamp, since: Option<Timestamp>) -> Self {
        let figures = Figures {
            as_of,
            since,
            open: Counts::default(),
            overdue: Counts::default(),
            excepted: 0,
            pending: 0,
            known_exploited: 0,
            new: 0,
            ended: Ends::default(),
            open_age_days: Spread::default(),
            time_to_fix_days: Spread::default(),
        };
        Self { figures, open_ages: Days::new(), fixed_after: Days::new() }
    }

    /// Takes a finding into account.
    pub fn add(&mut self, finding: &Standing) {
        let Figures { as_of, since, .. } = self.figures;
        let is_since =
            |moment: Timestamp| since.is_some_and(|since| since < moment) && moment <= as_of;
        // What had ended or was hidden when it was first heard of was never open here.
        self.figures.new += u64::from(finding.opening > 0 && is_since(finding.first_seen_at));
        match finding.outcome {
            Outcome::Excepted => self.figures.excepted += 1,
            Outcome::Open => {
                self.figures.open.add(finding.priority);
                if finding.is_overdue(as_of) {
                    self.figures.overdue.add(finding.priority);
                }
                self.figures.pending += u64::from(finding.is_pending);
                self.figures.known_exploited += u64::from(finding.known_exploited);
                if let Some(opened) = finding.opened_at {
                    *self.open_ages.entry(days(as_of.duration_since(opened))).or_default() += 1;
                }
            }
            Outcome::Ended(how) if finding.end_recorded_at.is_some_and(is_since) => {
                self.figures.ended.add(how);
                if let (How::Fixed, Some(opened), Some(ended)) =
                    (how, finding.opened_at, finding.ended_at)
                {
                    *self.fixed_after.entry(days(ended.duration_since(opened))).or_default() += 1;
                }
            }
            Outcome::Ended(_) | Outcome::NeverOpen => {}
        }
    }

    /// The figures.
    pub fn finish(self) -> Figures {
        Figures {
            open_age_days: spread(&self.open_ages),
            time_to_fix_days: spread(&self.fixed_after),
            ..self.figures
        }
    }
}

fn days(time: SignedDuration) -> u64 {
    u64::try_from(time.as_hours() / 24).unwrap_or_default()
}

fn spread(days: &Days) -> Spread {
    let count: u64 = days.values().sum();
    let mut seen = 0;
    let median = days.iter().find(|(_, number)| {
        seen += **number;
        seen * 2 >= count
    });
    Spread {
        median: median.map(|(days, _)| *days),
        max: days.last_key_value().map(|(days, _)| *days),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::record::sample::{after, at};

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_open_overdue_new_and_ended_is_counted_once() {
        let (yesterday, today) = (time("2026-11-20T00:10:00Z"), time("2026-11-21T00:10:00Z"));
        let opened = at("2026-11-20T10:00:00Z", |_| {});
        let closed = at("2026-11-20T11:00:00Z", |f| f["status"] = json!("CLOSED"));
        let open = after(std::slice::from_ref(&opened));
        let overdue = Record { due_at: Some(yesterday), ..open.clone() };
        let fixed = after(&[opened.clone(), closed.clone()]).explained(How::Fixed, None, today);
        let mut taking = Taking::new(today, Some(yesterday));
        for record in [&open, &overdue, &fixed.unwrap(), &after(&[opened, closed.clone()])] {
            taking.add(&Standing::from(record));
        }
        // Of one that was never open here nobody knows when it ended.
        taking.add(&Standing::from(&after(&[closed])));
        let figures = serde_json::to_value(taking.finish()).unwrap();
        assert_eq!(figures["open"], json!({"P1": 0, "P2": 2, "P3": 0, "P4": 0, "total": 2}));
        assert_eq!(figures["overdue"]["total"], 1);
        assert_eq!(figures["pending"], 2);
        assert_eq!(figures["new"], 4, "one was never open here");
        let ended = json!({
            "fixed": 1, "gone": 0, "unobserved": 0, "suppressed": 0, "unknown": 1, "total": 2
        });
        assert_eq!(figures["ended"], ended);
        assert!(figures["timeToFixDays"]["max"].is_u64(), "{figures}");
    }

    proptest! {
        #[test]
        fn the_median_is_the_lower_middle_of_all(mut all in prop::collection::vec(0_u64..400, 0..50)) {
            let mut days = Days::new();
            for one in &all {
                *days.entry(*one).or_default() += 1;
            }
            all.sort_unstable();
            let middle = all.len().saturating_sub(1) / 2;
            let expected = Spread { median: all.get(middle).copied(), max: all.last().copied() };
            prop_assert_eq!(spread(&days), expected);
        }
    }
}
