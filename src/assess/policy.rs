//! What an organisation may set about the assessment.

use std::str::FromStr;

use jiff::SignedDuration;

use super::Priority;

/// The settings of the assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long each priority may stay open.
    pub sla: Sla,
}

impl Policy {
    /// The version of formula and thresholds. Raise it with every change to either.
    pub const VERSION: &str = "1";
}

impl Default for Policy {
    fn default() -> Self {
        Self { sla: Sla { days: [2, 7, 30, 90] } }
    }
}

/// The days within which a finding of each priority has to be dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sla {
    /// For P1 to P4.
    days: [u16; 4],
}

impl Sla {
    /// What a text must be to be read as one.
    pub const EXPECTED: &str = "four whole numbers of days for P1 to P4, each from 1 to 999 and \
                                none less than the one before, such as 2,7,30,90";

    /// The time a finding of this priority may stay open.
    pub fn allowed(self, priority: Priority) -> SignedDuration {
        let [p1, p2, p3, p4] = self.days;
        let days = match priority {
            Priority::P1 => p1,
            Priority::P2 => p2,
            Priority::P3 => p3,
            Priority::P4 => p4,
        };
        SignedDuration::from_hours(i64::from(days) * 24)
    }
}

/// A text that gives no allowed days.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", Sla::EXPECTED)]
pub struct NotAnSla;

impl FromStr for Sla {
    type Err = NotAnSla;

    fn from_str(text: &str) -> Result<Self, NotAnSla> {
        let days: Vec<u16> = text
            .split(',')
            .map(|day| day.trim().parse().map_err(|_| NotAnSla))
            .collect::<Result<_, _>>()?;
        let days: [u16; 4] = days.try_into().map_err(|_| NotAnSla)?;
        let allowed = days.is_sorted() && days.iter().all(|day| (1..=999).contains(day));
        if allowed { Ok(Self { days }) } else { Err(NotAnSla) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_for_each_priority() {
        let sla: Sla = "1, 2,3,4".parse().unwrap();
        assert_eq!(sla.allowed(Priority::P1), SignedDuration::from_hours(24));
        assert_eq!(sla.allowed(Priority::P4), SignedDuration::from_hours(96));
    }

    #[test]
    fn anything_but_four_rising_numbers_is_refused() {
        for text in [
            "",
            "2,7,30",
            "2,7,30,90,91",
            "2,7,thirty,90",
            "0,7,30,90",
            "9,7,30,90",
            "-1,7,30,90",
            "2,7,30,1000",
        ] {
            assert_eq!(text.parse::<Sla>(), Err(NotAnSla), "{text}");
        }
    }
}
