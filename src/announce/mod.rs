//! Whether a finding is worth telling people, and why. Pure.
//!
//! The decision looks at the record alone, the current facts against the facts last told, and
//! never at what an event happened to change. So an attempt that died half way decides again on
//! the next try, and correctly.

use serde::{Deserialize, Serialize};

use crate::{
    finding::FixAvailable,
    record::{Facts, Record},
};

/// Why people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody has heard of it.
    New,
    /// It had ended and came back.
    Reopened,
    /// An exploit became known.
    ExploitSeen,
    /// Its priority rose.
    PriorityRaised,
    /// A fix appeared.
    FixAppeared,
}

impl Why {
    /// The reason as one word, as it stands in message attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reopened => "reopened",
            Self::ExploitSeen => "exploit-seen",
            Self::PriorityRaised => "priority-raised",
            Self::FixAppeared => "fix-appeared",
        }
    }
}

/// Why people are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing that matters has changed since they were told.
    AlreadyTold,
    /// There is nothing left to do about it.
    Ended,
}

impl Silence {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyTold => "nothing that matters has changed since it was announced",
            Self::Ended => "the finding has ended",
        }
    }
}

/// What to do about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Tell people.
    Alert(Why),
    /// Leave them in peace.
    Quiet(Silence),
}

/// Decides whether people are told about `record` as it stands.
pub fn decide(record: &Record) -> Decision {
    if !record.is_open() {
        return Decision::Quiet(Silence::Ended);
    }
    let Some(told) = &record.announced else {
        return Decision::Alert(Why::New);
    };
    if record.opening > told.opening {
        return Decision::Alert(Why::Reopened);
    }
    match news(&told.facts, &record.facts()) {
        Some(why) => Decision::Alert(why),
        None => Decision::Quiet(Silence::AlreadyTold),
    }
}

/// The most important thing that `now` has and `told` had not.
fn news(told: &Facts, now: &Facts) -> Option<Why> {
    if now.exploit && !told.exploit {
        Some(Why::ExploitSeen)
    } else if now.priority > told.priority {
        Some(Why::PriorityRaised)
    } else if fix_rank(&now.fix) > fix_rank(&told.fix) {
        Some(Why::FixAppeared)
    } else {
        None
    }
}

/// How much of a fix there is: none or unknown, for some packages, for all.
fn fix_rank(fix: &Option<FixAvailable>) -> u8 {
    match fix {
        Some(FixAvailable::Yes) => 2,
        Some(FixAvailable::Partial) => 1,
        Some(FixAvailable::No | FixAvailable::Other(_)) | None => 0,
    }
}
