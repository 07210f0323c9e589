//! What closes a gate.

use std::{fmt, str::FromStr};

use crate::domain::assess::{Assessment, Priority};

/// What closes a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// From how urgent on a finding closes it.
    pub fail_on: Threshold,
    /// Whether findings without a fix let it be.
    pub only_fixable: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { fail_on: Threshold::Priority(Priority::P2), only_fixable: false }
    }
}

/// How urgent a finding has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// Of this class, or a more urgent one.
    Priority(Priority),
    /// Of this score or a higher one, 0 to 100.
    Score(u8),
}

impl Threshold {
    /// Whether a finding that is assessed so is as urgent.
    pub fn is_reached(self, assessment: &Assessment) -> bool {
        match self {
            Self::Priority(priority) => assessment.priority >= priority,
            Self::Score(score) => assessment.score >= score,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Priority(priority) => priority.fmt(f),
            Self::Score(score) => write!(f, "score {score}"),
        }
    }
}

impl FromStr for Threshold {
    type Err = NotAThreshold;

    fn from_str(text: &str) -> Result<Self, NotAThreshold> {
        if let Ok(priority) = text.parse() {
            return Ok(Self::Priority(priority));
        }
        match text.parse() {
            Ok(score @ 0..=100) => Ok(Self::Score(score)),
            _ => Err(NotAThreshold),
        }
    }
}

/// A text that says of nothing how urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected P1, P2, P3 or P4, or a score from 0 to 100")]
pub struct NotAThreshold;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_class_or_a_score() {
        let read = |text: &str| text.parse::<Threshold>();
        assert_eq!(read("P1"), Ok(Threshold::Priority(Priority::P1)));
        assert_eq!(read("0"), Ok(Threshold::Score(0)));
        assert_eq!(read("100"), Ok(Threshold::Score(100)));
        for wrong in ["", "p2", "P5", "HIGH", "101", "-1", "7.5"] {
            assert_eq!(read(wrong), Err(NotAThreshold), "{wrong}");
        }
    }
}
