//! What was counted then, and what the history says today of the same moment.

use jiff::Timestamp;

use crate::domain::figures::{Counts, Ends, Figures};

/// Figures that were taken in the period, and the same counted anew from the history of all findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether they are those of a weekly review; else those of a day.
    pub is_review: bool,
    /// The moment as of which they are.
    pub as_of: Timestamp,
    /// As they were taken then.
    pub recorded: Counted,
    /// As they are counted now.
    pub recounted: Counted,
}

/// What both count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What was open.
    pub open: Counts,
    /// What of it was past its due date.
    pub overdue: Counts,
    /// What an exception covered.
    pub excepted: u64,
    /// What CISA listed as exploited.
    pub known_exploited: u64,
    /// What was new since the figures before.
    pub new: u64,
    /// What had ended since the figures before.
    pub ended: Ends,
}

impl Check {
    pub(super) fn new(is_review: bool, recorded: &Figures, recounted: &Figures) -> Self {
        let (recorded, recounted, as_of) =
            (Counted::from(recorded), Counted::from(recounted), recorded.as_of);
        Self { is_review, as_of, recorded, recounted }
    }

    /// Whether both say the same.
    pub fn agrees(&self) -> bool {
        self.recorded == self.recounted
    }
}

impl From<&Figures> for Counted {
    fn from(figures: &Figures) -> Self {
        let Figures { open, overdue, excepted, known_exploited, new, ended, .. } = *figures;
        Self { open, overdue, excepted, known_exploited, new, ended }
    }
}
