//! Whether anybody hears what is said. Pure.
//!
//! SNS takes a message to a topic that nobody subscribes to, and drops it. What went there was not told.

use jiff::{SignedDuration, Timestamp};

use crate::domain::record::Audience;

/// Which audiences had nobody to listen at a moment: no confirmed subscription to their topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// The audiences without one, in order. All others had one, or it is not known.
    pub without: Vec<Audience>,
    /// The moment.
    pub as_of: Timestamp,
}

impl Listeners {
    /// For how long an audience that has no listener is not asked after again.
    const ABSENT_FOR: SignedDuration = SignedDuration::from_mins(1);

    /// Whether somebody listens to `audience`, as far as known.
    pub fn hears(&self, audience: Audience) -> bool {
        !self.without.contains(&audience)
    }

    /// Whether this is still good at `now`. That somebody listens is believed until another attempt says otherwise, that
    /// nobody does for a minute.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.without.is_empty() || now.duration_since(self.as_of) < Self::ABSENT_FOR
    }
}
