//! P1 to P4: what to do first, and by when.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The urgency class of a finding. `P1` is the most urgent and the greatest when compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// When there is time.
    P4,
    /// Within the regular patch cycle.
    P3,
    /// This week.
    P2,
    /// Now.
    P1,
}

impl Priority {
    /// All classes, the most urgent first.
    pub const ALL: [Self; 4] = [Self::P1, Self::P2, Self::P3, Self::P4];

    /// `P1` to `P4`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is none of `P1` to `P4`.
#[derive(Debug, thiserror::Error)]
#[error("a priority is one of P1, P2, P3 and P4")]
pub struct NotAPriority;

impl FromStr for Priority {
    type Err = NotAPriority;

    fn from_str(word: &str) -> Result<Self, NotAPriority> {
        Self::ALL.into_iter().find(|p| p.as_str() == word).ok_or(NotAPriority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_is_the_greatest() {
        assert!(Priority::P1 > Priority::P2 && Priority::P3 > Priority::P4);
        assert!(Priority::ALL.is_sorted_by(|a, b| a > b));
    }

    #[test]
    fn it_reads_back_what_it_writes_and_nothing_else() {
        for priority in Priority::ALL {
            assert_eq!(priority.to_string().parse::<Priority>().unwrap(), priority);
        }
        assert!("P5".parse::<Priority>().is_err());
    }
}
