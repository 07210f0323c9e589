//! The days that evidence is about.

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::domain::{
    ledger::{beginning_of, end_of},
    round::day,
};

/// Days, from the beginning of one to the end of another, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The last moment of what is before it.
    pub since: Timestamp,
    /// The last moment of it; the present, if its last day is not over. What stands at the end of the period stands then.
    pub as_of: Timestamp,
}

/// Days that are no period to give evidence of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPeriod {
    /// It ends before it begins.
    #[error("the period ends on {to}, before it begins on {from}: --from must be the earlier day")]
    Reversed {
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
    },
    /// It is not over.
    #[error(
        "the period ends on {to}, which is to come: the last day that there can be evidence of is {today}"
    )]
    ToCome {
        /// Its last day.
        to: Date,
        /// The day it is.
        today: Date,
    },
}

impl Period {
    /// The period from one day to another, looked at from `now`.
    ///
    /// # Errors
    /// It is reversed, or ends after the day it is.
    pub fn new(from: Date, to: Date, now: Timestamp) -> Result<Self, NoPeriod> {
        let today = day(now);
        if to < from {
            return Err(NoPeriod::Reversed { from, to });
        }
        if to > today {
            return Err(NoPeriod::ToCome { to, today });
        }
        Ok(Self {
            from,
            to,
            since: just_before(beginning_of(from)),
            as_of: just_before(end_of(to)).min(now),
        })
    }

    /// Whether a moment is in it.
    pub fn has(&self, moment: Timestamp) -> bool {
        self.since < moment && moment <= self.as_of
    }

    /// Whether what was there from one moment on, and until another if that has come, was there in the period.
    pub fn meets(&self, from: Timestamp, until: Option<Timestamp>) -> bool {
        from <= self.as_of && until.is_none_or(|until| until > self.since)
    }

    /// A moment by which something was over, if that has come by the end of the period.
    pub fn by_its_end(&self, until: Option<Timestamp>) -> Option<Timestamp> {
        until.filter(|until| *until <= self.as_of)
    }
}

fn just_before(moment: Timestamp) -> Timestamp {
    moment.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, to: &str) -> Result<Period, NoPeriod> {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        Period::new(from.parse().unwrap(), to.parse().unwrap(), now)
    }

    #[test]
    fn both_days_belong_to_it_to_their_last_moment() {
        let quarter = period("2026-07-01", "2026-09-30").unwrap();
        let has = |moment: &str| quarter.has(moment.parse().unwrap());
        assert!(has("2026-07-01T00:00:00Z") && has("2026-09-30T23:59:59.999999Z"));
        assert!(!has("2026-06-30T23:59:59.999999Z") && !has("2026-10-01T00:00:00Z"));
    }

    #[test]
    fn a_day_that_is_not_over_ends_now() {
        let today = period("2026-11-20", "2026-11-20").unwrap();
        assert_eq!(today.as_of.to_string(), "2026-11-20T12:00:00Z");
    }

    #[test]
    fn what_is_reversed_or_to_come_is_refused_with_what_is_allowed() {
        let refused = |from, to| period(from, to).unwrap_err().to_string();
        let reversed = refused("2026-10-02", "2026-10-01");
        assert!(reversed.starts_with("the period ends on 2026-10-01, before"), "{reversed}");
        let to_come = refused("2026-10-01", "2026-11-21");
        assert!(to_come.contains("2026-11-21") && to_come.contains("2026-11-20"), "{to_come}");
    }
}
