//! Time, where it is waited for.

use std::time::Duration;

use jiff::Timestamp;

/// A clock that can be waited by.
pub trait Clock {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Comes back after `pause`.
    fn pause(&self, pause: Duration) -> impl Future<Output = ()> + Send;
}
