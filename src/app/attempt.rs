//! One attempt at an event: its time, and what is to be seen of it from outside.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{failure::Failure, ports::Trouble, tickets::TicketChange};
use crate::domain::{finding::Finding, record::Audience, round::Part};

/// One attempt at an event: Lambda makes up to three.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Its name. No two attempts share one.
    pub name: &'a str,
    /// The ARN of the function that makes it; empty if there is none.
    pub function: &'a str,
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
        Self { name, function: "", now, left: &|| SignedDuration::MAX, observe: &|_| () }
    }

    /// The account that it is made in, if the function's ARN says so.
    pub(super) fn account(&self) -> Option<&'a str> {
        let is_account = |part: &&str| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit());
        self.function.split(':').nth(4).filter(is_account)
    }

    /// Until so little is left that `reserve` is.
    pub fn until(&self, reserve: SignedDuration) -> TimeLimit<'a> {
        TimeLimit { left: self.left, reserve }
    }

    /// For as long as is of use: until what is left is for the answer.
    pub(super) fn until_the_end(&self) -> TimeLimit<'a> {
        self.until(ANSWER)
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

/// What an attempt needs at its end for a request that it has begun, and to answer.
const ANSWER: SignedDuration = SignedDuration::from_secs(3);

/// Until when work on many rows may go on.
#[derive(Clone, Copy)]
pub struct TimeLimit<'a> {
    left: &'a (dyn Fn() -> SignedDuration + Send + Sync),
    reserve: SignedDuration,
}

impl<'a> TimeLimit<'a> {
    /// For as long as it takes.
    pub fn none() -> Self {
        Self { left: &|| SignedDuration::MAX, reserve: SignedDuration::ZERO }
    }

    /// As long as there is something left.
    pub fn while_left(left: &'a (dyn Fn() -> SignedDuration + Send + Sync)) -> Self {
        Self { left, reserve: SignedDuration::ZERO }
    }

    /// Whether nothing may begin any more.
    pub fn is_over(&self) -> bool {
        (self.left)() <= self.reserve
    }

    /// Whether that will be so after `pause`.
    pub fn is_over_in(&self, pause: std::time::Duration) -> bool {
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        (self.left)().saturating_sub(pause) <= self.reserve
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
        /// For how long the turn of one of them has passed, at most.
        oldest: SignedDuration,
    },
    /// It was asked whether somebody listens.
    Listener {
        /// To whom.
        audience: Audience,
        /// Whether somebody does.
        listens: bool,
    },
    /// An audience could not be told.
    AudienceFailed {
        /// Who.
        audience: Audience,
        /// Why, in words.
        reason: String,
    },
    /// Something was not done without which all is well, but worse than it might be.
    Warning {
        /// What, and what that means.
        what: String,
        /// Why, in words.
        reason: String,
    },
    /// A flush failed, or dealing with tickets did, with this kind of failure. The next one is its retry.
    NotDone(&'static str),
    /// A part of the daily round could not be done. The next event tries it again.
    PartFailed {
        /// Which.
        part: Part,
        /// Why, in words.
        reason: String,
    },
    /// Something of Inspector is off that was on before.
    SwitchedOff {
        /// In which account.
        account: String,
        /// Which kind of scan; empty for all.
        scan: String,
        /// Its status, in Inspector's word.
        status: String,
    },
    /// So much of an account was absent from complete listings that nothing was ended by it.
    TooManyAbsent {
        /// The account.
        account: String,
        /// How many findings are absent for the second time.
        absent: usize,
        /// How many are open here.
        open: usize,
    },
    /// An exception of the ledger in force was to be reviewed before today.
    ReviewDue {
        /// By when.
        by: Date,
    },
    /// A daily round is complete.
    RoundCompleted,
    /// Something was done in the tracker of tickets.
    TicketChanged(TicketChange),
    /// The tracker did not do what it was asked for a ticket, which has its turn again.
    TicketFailed {
        /// What the ticket is about.
        problem: String,
        /// What that means.
        trouble: Trouble,
        /// Which call, and what the tracker said.
        reason: String,
    },
    /// For how long the turn of a ticket has passed, at most.
    OldestTicket(SignedDuration),
}

impl Observation {
    /// Whether no later attempt will say it again.
    pub fn is_said_once(&self) -> bool {
        matches!(self, Self::SwitchedOff { .. } | Self::RoundCompleted)
    }

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
/// so is `pending` for many findings. `lease`, `mark` and `remember_announced` have a [`TimeLimit`].
pub const CALL_TIMEOUT: SignedDuration = SignedDuration::from_secs(6);
