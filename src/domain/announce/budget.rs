//! How many messages people get: token buckets. Pure.
//!
//! SNS disables an e-mail subscription that gets more than about ten messages a second, and people
//! switch off what talks without pause. So a message of its own takes a token. A bucket is kept as
//! one moment, when it will be full again: each token taken moves it on by [`Budget::REFILL`], and
//! there is a token left as long as it is not too far ahead. (The generic cell rate algorithm, ITU-T
//! I.371.)

use jiff::{SignedDuration, Timestamp};

use crate::domain::assess::Priority;

/// How many messages may go out at once. Afterwards it is one a minute for each bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// About findings of priority P1, which noise must not starve.
    pub p1: u8,
    /// About all others, and summaries.
    pub others: u8,
}

impl Default for Budget {
    fn default() -> Self {
        Self { p1: 3, others: 5 }
    }
}

/// What tokens are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// For findings of priority P1.
    P1,
    /// For all others, and summaries.
    Others,
}

impl Bucket {
    /// The bucket for a finding of `priority`.
    pub fn of(priority: Priority) -> Self {
        if priority == Priority::P1 { Self::P1 } else { Self::Others }
    }
}

/// How a bucket is when a token is taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Full: nothing was taken for a while.
    Full,
    /// Some are left.
    Part,
    /// None is left.
    Empty,
}

impl Budget {
    /// How long it takes for a token to come back.
    pub const REFILL: SignedDuration = SignedDuration::from_mins(1);

    /// No bucket can be further from full than this. One that seems to be was filled by a clock that
    /// was wrong, and is taken for full: nobody should be mute for long because of it.
    pub const FURTHEST: SignedDuration = SignedDuration::from_hours(1);

    /// The most that may go out within a second, over both buckets.
    pub const MOST_AT_ONCE: u8 = 8;

    /// How many messages may go out at once out of a bucket.
    pub fn at_once(&self, bucket: Bucket) -> u8 {
        match bucket {
            Bucket::P1 => self.p1,
            Bucket::Others => self.others,
        }
    }

    /// The furthest ahead of `now` that the moment at which `bucket` is full may be for there to be
    /// a token left. `None` if the bucket never has any.
    pub fn latest(&self, bucket: Bucket, now: Timestamp) -> Option<Timestamp> {
        let others = i32::from(self.at_once(bucket)).checked_sub(1).filter(|n| *n >= 0)?;
        now.checked_add(Self::REFILL * others).ok()
    }

    /// How `bucket` is at `now`, if it is full again at `full_at`.
    pub fn level(&self, bucket: Bucket, full_at: Timestamp, now: Timestamp) -> Level {
        let Some(latest) = self.latest(bucket, now) else { return Level::Empty };
        let from_full = full_at.duration_since(now);
        if from_full <= SignedDuration::ZERO || from_full > Self::FURTHEST {
            Level::Full
        } else if full_at <= latest {
            Level::Part
        } else {
            Level::Empty
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the `tries` at these seconds get a token.
    fn granted(budget: Budget, bucket: Bucket, tries: &[i64]) -> Vec<i64> {
        let mut full_at = Timestamp::UNIX_EPOCH;
        let mut granted = Vec::new();
        for &second in tries {
            let now = Timestamp::from_second(1_000_000 + second).unwrap();
            if budget.level(bucket, full_at, now) != Level::Empty {
                full_at = full_at.max(now) + Budget::REFILL;
                granted.push(second);
            }
        }
        granted
    }

    #[test]
    fn a_bucket_gives_so_many_at_once_and_then_one_a_minute() {
        let budget = Budget::default();
        let all: Vec<i64> = (0..400).collect();
        let others = [0, 1, 2, 3, 4, 60, 120, 180, 240, 300, 360];
        assert_eq!(granted(budget, Bucket::Others, &all), others);
        assert_eq!(granted(budget, Bucket::P1, &all), [0, 1, 2, 60, 120, 180, 240, 300, 360]);
        // After a rest it is full again, and never more than full.
        assert_eq!(granted(budget, Bucket::P1, &[0, 0, 0, 0, 9000, 9000, 9000, 9000]).len(), 6);
    }

    #[test]
    fn a_bucket_of_nothing_gives_nothing() {
        let budget = Budget { p1: 0, others: 1 };
        assert_eq!(granted(budget, Bucket::P1, &[0, 600]), [0; 0]);
        assert_eq!(granted(budget, Bucket::Others, &[0, 1, 60, 61]), [0, 60]);
    }

    #[test]
    fn a_bucket_that_was_filled_by_a_wrong_clock_is_full() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let level = |minutes| {
            let full_at = now + SignedDuration::from_mins(minutes);
            Budget::default().level(Bucket::Others, full_at, now)
        };
        assert_eq!([level(0), level(4), level(5)], [Level::Full, Level::Part, Level::Empty]);
        assert_eq!([level(60), level(61)], [Level::Empty, Level::Full]);
    }

    #[test]
    fn p1_has_a_bucket_of_its_own() {
        assert_eq!(Bucket::of(Priority::P1), Bucket::P1);
        for other in [Priority::P2, Priority::P3, Priority::P4] {
            assert_eq!(Bucket::of(other), Bucket::Others);
        }
    }
}
