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

impl FromStr for Priority {
    type Err = NotAPriority;

    fn from_str(text: &str) -> Result<Self, NotAPriority> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == text).ok_or(NotAPriority)
    }
}

/// A text that is no priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected P1, P2, P3 or P4")]
pub struct NotAPriority;

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
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
}
