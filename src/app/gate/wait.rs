//! For how long is waited: for scans, for findings that trail them, and for services that are asked too often.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Clock;
use crate::{app::attempt::TimeLimit, domain::gate::CannotTell};

/// How long calls may be repeated, at least, however short the wait is.
const LEAST_FOR_CALLS: SignedDuration = SignedDuration::from_mins(1);

/// For how long is waited, by which clock, and who hears of it.
pub struct Waiting<'a, C> {
    clock: &'a C,
    begun: Timestamp,
    wait: SignedDuration,
    progress: &'a (dyn Fn(Progress<'_>) + Send + Sync),
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A scan.
    Scan {
        /// Of what.
        of: &'a str,
        /// Inspector's word for why there was none yet; none if it does not know of it.
        reason: Option<&'a str>,
    },
    /// That the findings of a scan stand still.
    Settling {
        /// How many there are so far.
        findings: usize,
    },
}

impl<'a, C: Clock + Sync> Waiting<'a, C> {
    /// Waits for `wait` from now on.
    pub fn new(
        clock: &'a C,
        wait: SignedDuration,
        progress: &'a (dyn Fn(Progress<'_>) + Send + Sync),
    ) -> Self {
        Self { clock, begun: clock.now(), wait, progress }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn waited(&self) -> SignedDuration {
        self.clock.now().duration_since(self.begun)
    }

    /// What is left for calls.
    fn left(&self) -> SignedDuration {
        self.wait.max(LEAST_FOR_CALLS).saturating_sub(self.waited())
    }

    /// Does `work` within the time that there is for calls.
    pub(super) async fn limited<T>(&self, work: impl AsyncFnOnce(TimeLimit<'_>) -> T) -> T {
        let left = || self.left();
        work(TimeLimit::while_left(&left)).await
    }

    /// Waits for `pause` more.
    ///
    /// # Errors
    /// There is not so much time; `why` says what was waited for, given for how many seconds.
    pub(super) async fn pause(
        &self,
        pause: Duration,
        progress: Progress<'_>,
        why: impl FnOnce(i64) -> CannotTell,
    ) -> Result<(), CannotTell> {
        let waited = self.waited();
        let needed = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        // What is to be asked afterwards needs some time, too.
        if self.wait.saturating_sub(waited) <= needed {
            return Err(why(waited.as_secs()));
        }
        (self.progress)(progress);
        self.clock.pause(pause).await;
        Ok(())
    }
}
