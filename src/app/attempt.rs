//! One attempt at an event: its time, and what is to be seen of it from outside.

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;
use crate::domain::finding::Finding;

/// One attempt at an event: Lambda makes up to three.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Its name. No two attempts share one.
    pub name: &'a str,
    /// When it began.
    pub now: Timestamp,
    /// How long it may still take, asked when it matters.
    pub left: &'a (dyn Fn() -> SignedDuration + Send + Sync),
    /// Hears of its work what the answer does not say.
    pub observe: &'a (dyn Fn(Observation) + Send + Sync),
}

impl<'a> Attempt<'a> {
    /// An attempt with all the time there is, which nobody watches.
    pub fn new(name: &'a str, now: Timestamp) -> Self {
        Self { name, now, left: &|| SignedDuration::MAX, observe: &|_| () }
    }

    /// Refuses to begin what takes `calls` calls if the attempt could be ended in the midst of it.
    /// `what` would be left undone.
    pub(super) fn has_time_for(&self, calls: i32, what: &str) -> Result<(), Failure> {
        let (left, needed) = ((self.left)(), CALL_TIMEOUT * calls);
        if left < needed {
            return Err(Failure::OutOfTime { what: what.to_owned(), left, needed });
        }
        Ok(())
    }
}

/// What happens in an attempt, whether it succeeds or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// People were told, of one finding or of several in a summary.
    Announced {
        /// For each finding the time since Inspector changed it, where it says when that was.
        delays: Vec<SignedDuration>,
    },
    /// A flush found what waits to be told.
    Pending {
        /// How many findings.
        findings: usize,
        /// For how long the oldest of them.
        oldest: SignedDuration,
    },
}

impl Observation {
    pub(super) fn announced<'a>(
        findings: impl Iterator<Item = &'a Finding>,
        now: Timestamp,
    ) -> Self {
        let changed = findings.filter_map(|finding| finding.updated_at);
        Self::Announced { delays: changed.map(|changed| now.duration_since(changed)).collect() }
    }
}

/// How long one request to AWS takes at most, with its retries: 6 seconds. Adapters of the ports keep to it.
///
/// Most calls of a port are one request. `permit` and `lock_summary` are several where others take tokens at the same time;
/// so are `pending`, `lease`, `mark` and `remember_announced` for many findings, or where a row has changed.
pub const CALL_TIMEOUT: SignedDuration = SignedDuration::from_secs(6);
