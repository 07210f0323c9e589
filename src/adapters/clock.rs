//! The time to judge by, which goes on while something is waited for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use crate::app::Clock;

/// A clock that was at a time when it was made.
pub struct Since {
    time: Timestamp,
    at: Instant,
}

impl Since {
    /// A clock that is at `time`.
    pub fn new(time: Timestamp) -> Self {
        Self { time, at: Instant::now() }
    }
}

impl Clock for Since {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.at.elapsed()).unwrap_or(SignedDuration::MAX);
        self.time.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    async fn pause(&self, pause: Duration) {
        sleep(pause).await;
    }
}
