//! How far what is open is from its due date: whether a wave has broken, or is coming.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{assess::Priority, figures::Counts};

/// What is open, by how long ago its due date was or how far off it is. A day is 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueIn {
    /// Overdue by more than 30 days.
    pub overdue_over_30: Counts,
    /// Overdue by more than 7 days, and by 30 at most.
    pub overdue_to_30: Counts,
    /// Overdue by 7 days at most.
    pub overdue_to_7: Counts,
    /// Due within 7 days.
    pub within_7: Counts,
    /// Due within 30 days, but not within 7.
    pub within_30: Counts,
    /// Due after more than 30 days.
    pub after_30: Counts,
    /// Without a due date.
    pub no_date: Counts,
}

impl DueIn {
    /// Takes a finding into account that is open and due at `due_at`.
    pub fn add(&mut self, priority: Priority, due_at: Option<Timestamp>, now: Timestamp) {
        let Some(due_at) = due_at else { return self.no_date.add(priority) };
        let (week, month) = (days(7), days(30));
        let left = due_at.duration_since(now);
        let span = match left {
            _ if left < -month => &mut self.overdue_over_30,
            _ if left < -week => &mut self.overdue_to_30,
            _ if left.is_negative() => &mut self.overdue_to_7,
            _ if left <= week => &mut self.within_7,
            _ if left <= month => &mut self.within_30,
            _ => &mut self.after_30,
        };
        span.add(priority);
    }

    /// The seven spans, from what is longest overdue to what has no due date.
    pub fn spans(&self) -> [Counts; 7] {
        let Self {
            overdue_over_30,
            overdue_to_30,
            overdue_to_7,
            within_7,
            within_30,
            after_30,
            no_date,
        } = *self;
        [overdue_over_30, overdue_to_30, overdue_to_7, within_7, within_30, after_30, no_date]
    }
}

const fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In which span something is that is due `left` after now.
    fn span(left: SignedDuration) -> usize {
        let now: Timestamp = "2026-11-21T00:10:00Z".parse().unwrap();
        let mut due_in = DueIn::default();
        due_in.add(Priority::P2, Some(now + left), now);
        due_in.spans().iter().position(|counts| counts.p2 == 1).unwrap()
    }

    #[test]
    fn a_span_ends_with_its_last_day_and_what_is_due_now_is_not_overdue() {
        let second = SignedDuration::from_secs(1);
        for (last, next) in [(-days(30), 1), (-days(7), 2), (SignedDuration::ZERO, 3)] {
            assert_eq!((span(last - second), span(last)), (next - 1, next), "{last}");
        }
        for (last, own) in [(days(7), 3), (days(30), 4)] {
            assert_eq!((span(last), span(last + second)), (own, own + 1), "{last}");
        }
    }
}
