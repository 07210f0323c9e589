//! How a round goes on where it stopped: the row of the round, read, held and written.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    app::{
        attempt::{Attempt, TimeLimit},
        failure::Failure,
        ports::{FindingSet, Noted, RoundLog, TakenUp},
    },
    domain::{
        record::Lease,
        round::{Ask, HELD_FOR, Owed, OwedMessage, Part, PartState, Progress, Round, Rounds},
    },
};

/// After how long it is written down how far a part has come.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(15);
/// What must be left for a step that has begun to end, and to write down how far it came.
const RESERVE: SignedDuration = SignedDuration::from_secs(45);

/// A round under way, in one invocation.
pub(super) struct Course<'a, S> {
    store: &'a S,
    clock: Clock<'a>,
    pub rounds: Rounds,
    round: Round,
    /// What was counted of the weekly review, if there was one.
    pub reviewed: BTreeMap<String, u64>,
    /// Findings that were listed in full since that was last written down.
    pub listed: Vec<u64>,
    noted_at: Timestamp,
}

/// The time of an attempt that takes many minutes.
#[derive(Clone, Copy)]
pub(super) struct Clock<'a> {
    attempt: Attempt<'a>,
    left_at_first: SignedDuration,
}

impl<'a> Clock<'a> {
    /// What time it is: when the attempt began, and what it has taken since.
    fn now(&self) -> Timestamp {
        let took = self.left_at_first.saturating_sub((self.attempt.left)());
        self.attempt.now.saturating_add(took).unwrap_or(self.attempt.now)
    }

    /// The attempt, as if it began now.
    pub fn attempt(&self) -> Attempt<'a> {
        Attempt { now: self.now(), ..self.attempt }
    }

    /// Whether most of the attempt's time is left.
    pub fn is_early(&self) -> bool {
        (self.attempt.left)() >= self.left_at_first / 4 * 3
    }
}

/// Whether the right to go on is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noting {
    GoOn,
    Leave,
}

impl<'a, S: RoundLog> Course<'a, S> {
    /// Takes up the round that is due; none if somebody else is at it.
    pub async fn begin(
        store: &'a S,
        ask: Ask,
        attempt: Attempt<'a>,
    ) -> Result<Option<Self>, Failure> {
        let lease = lease(attempt.name, attempt.now);
        let mut rounds = match store.take_up(&lease, attempt.now).await.map_err(Failure::Store)? {
            TakenUp::Yes(rounds) => *rounds,
            TakenUp::HeldByOther => return Ok(None),
        };
        let round = rounds.set_out(ask, attempt.now);
        let clock = Clock { attempt, left_at_first: (attempt.left)() };
        let mut course = Self {
            store,
            clock,
            rounds,
            round,
            reviewed: BTreeMap::new(),
            listed: Vec::new(),
            noted_at: attempt.now,
        };
        // Before anything is done: what goes on with it must know when it began.
        let may_go_on = !course.round.is_under_way() || course.note(Noting::GoOn).await?;
        Ok(may_go_on.then_some(course))
    }

    /// The round.
    pub fn round(&self) -> &Round {
        &self.round
    }

    /// How far a part has come.
    pub fn progress(&mut self, part: Part) -> &mut Progress {
        self.round.parts.entry(part).or_default()
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> Clock<'a> {
        self.clock
    }

    /// The attempt, as if it began now.
    pub fn attempt(&self) -> Attempt<'a> {
        self.clock.attempt()
    }

    /// Until when steps may begin.
    pub fn limit(&self) -> TimeLimit<'a> {
        self.clock.attempt.until(RESERVE)
    }

    /// Writes down how far the round has come if that was not done for a while.
    ///
    /// Returns whether it may go on: not if somebody else has taken it up meanwhile.
    pub async fn note_in_time(&mut self) -> Result<bool, Failure> {
        if self.now().duration_since(self.noted_at) < NOTED_EVERY {
            return Ok(true);
        }
        self.note(Noting::GoOn).await
    }

    /// Writes down how far the round has come.
    pub async fn note(&mut self, noting: Noting) -> Result<bool, Failure> {
        let now = self.now();
        // First what was done, then that it need not be done again.
        let listed = std::mem::take(&mut self.listed);
        if !listed.is_empty() {
            let began_at = self.round.began_at;
            let added = self.store.add_findings(FindingSet::Listed, began_at, &listed, now).await;
            added.map_err(Failure::Store)?;
        }
        self.noted_at = now;
        self.rounds.current = Some(self.round.clone());
        let holder = self.clock.attempt.name;
        let lease = (noting == Noting::GoOn).then(|| lease(holder, now));
        let noted = self.store.note(&self.rounds, holder, lease.as_ref()).await;
        Ok(noted.map_err(Failure::Store)? == Noted::Yes)
    }

    /// Ends a part for now.
    pub fn end(&mut self, part: Part, state: PartState) {
        self.progress(part).state = state;
        if (part, state) == (Part::Listing, PartState::Done) {
            self.rounds.listed_at = Some(self.round.began_at);
            if self.round.is_full {
                self.rounds.listed_fully_at = Some(self.round.began_at);
            }
            let now = self.now();
            if let Some(baseline) = &mut self.rounds.baseline {
                baseline.listed_at.get_or_insert(now);
            }
        }
    }

    /// Whether the round has become complete just now.
    pub fn complete(&mut self) -> bool {
        let is_new = self.rounds.completed_at.is_none_or(|at| at < self.round.began_at);
        let is_complete = self.round.is_complete() && is_new;
        if is_complete {
            self.rounds.completed_at = Some(self.now());
        }
        is_complete
    }

    /// A message that is owed, if all that it is about is known by now.
    pub fn owed(&mut self, owed: Owed) -> Option<&mut OwedMessage> {
        let is_listed = self.rounds.listed_fully_at.is_some();
        match owed {
            Owed::First => self.rounds.baseline.as_mut().filter(|_| is_listed),
            Owed::NewModel => self.rounds.new_model.as_mut().filter(|one| one.listed_at.is_some()),
        }
    }

    /// Owes a message no more.
    pub fn settle(&mut self, owed: Owed) {
        match owed {
            Owed::First => self.rounds.baseline = None,
            Owed::NewModel => self.rounds.new_model = None,
        }
    }
}

fn lease(holder: &str, now: Timestamp) -> Lease {
    let until = now.saturating_add(HELD_FOR).unwrap_or(now);
    Lease { holder: holder.to_owned(), until }
}
