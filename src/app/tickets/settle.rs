//! Dealing with the tickets whose turn it is: one invocation at a time, the most urgent first, as fast as the tracker takes
//! it, and no longer than there is time.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    SettleOutcome, SettleResult, TicketChange, Tickets, Turns, Unsettled, change::CHANGE_REQUESTS,
};
use crate::{
    app::{
        Attempt, Observation,
        failure::{CallFailed, chain},
        ports::{
            Clock, REQUEST_TIMEOUT, Records, TicketLog, TicketRow, Tracker, TrackerFailed,
            TrackerTurn, Trouble,
        },
    },
    domain::{
        record::Lease,
        ticket::{ASKED_AFTER, Begun, MemberState, Standing, Ticket, Tracked, TrackedState},
    },
};

/// How many tickets an invocation reads whose turn it is, the longest waiting, to deal with the most urgent first. It has
/// time for a few hundred.
const MAX_DUE: usize = 20_000;
/// What has to be left of the time for what is written after the last request to the tracker.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);
/// How long is waited within an invocation until the tracker may be asked again.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(30);
/// How long the tracker is left alone that does not say for how long.
const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_secs(60);
/// How often an invocation waits for the tracker on one ticket.
const MAX_WAITS: usize = 3;
/// After how many tickets in a row that the tracker did not answer on the others wait for the next invocation.
const MAX_UNANSWERED: usize = 3;
/// The pause after a call that writes. GitHub asks for a second between them
/// (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>).
const PAUSE: Duration = Duration::from_secs(1);
/// How many rows of tickets are read at a time.
const AT_ONCE: usize = 500;
/// How many findings of a ticket are looked at. It stays open as long as it follows more.
const MOST_FOLLOWED: usize = 5_000;
/// After how many refusals of a project its other tickets wait for the next invocation.
const MAX_REFUSED: usize = 3;
/// After how many tickets in a row that the table failed at an invocation gives up.
const MAX_STORE_FAILURES: usize = 3;

/// An invocation that deals with tickets.
pub(super) struct Run<'a, C> {
    pub attempt: Attempt<'a>,
    pub clock: &'a C,
    result: SettleResult,
    /// When the turn came of what is left, the longest ago.
    oldest: Option<Timestamp>,
    unanswered: usize,
    paused_until: Option<Timestamp>,
    /// Whether something was written to the tracker that nothing was written after.
    has_written: bool,
    /// How many tickets of each project the tracker has refused.
    refused: HashMap<String, usize>,
}

impl<C: Clock> Run<'_, C> {
    /// Refuses to begin what takes so many requests to the tracker if there is no time for them.
    pub fn has_time_for(&self, requests: i32) -> Result<(), Unsettled> {
        let needed = REQUEST_TIMEOUT * requests + RESERVE;
        if (self.attempt.left)() < needed { Err(Unsettled::OutOfTime) } else { Ok(()) }
    }

    /// Notes what was done.
    pub fn did(&mut self, change: TicketChange) {
        let result = &mut self.result;
        let count = match change {
            TicketChange::Opened => &mut result.opened,
            TicketChange::Changed => &mut result.changed,
            TicketChange::Closed => &mut result.closed,
            TicketChange::Reopened => &mut result.reopened,
            TicketChange::Commented => &mut result.commented,
            TicketChange::Lost => &mut result.lost,
        };
        *count += 1;
        (self.attempt.observe)(Observation::TicketChanged(change));
    }

    /// Leaves the tracker alone for a moment, if something was written to it before what is written now.
    pub async fn breathe(&mut self) {
        if std::mem::replace(&mut self.has_written, true) {
            self.clock.pause(PAUSE).await;
        }
    }

    fn leave(&mut self, turn: Timestamp) {
        self.result.left += 1;
        self.oldest = Some(self.oldest.map_or(turn, |oldest| oldest.min(turn)));
    }
}

impl<S: TicketLog + Records, T: Tracker> Tickets<S, T> {
    /// Deals with the tickets whose turn it is, among them those that were `noted` just now.
    ///
    /// # Errors
    /// The table could not be read or written. What there is to do stays in it.
    pub async fn settle<C: Clock + Sync>(
        &self,
        attempt: Attempt<'_>,
        clock: &C,
        noted: Turns,
    ) -> Result<SettleResult, CallFailed> {
        let holder = attempt.name;
        // Whoever is ended in the midst of it does not keep the others waiting for longer than it could have worked.
        let left = (attempt.left)().min(SignedDuration::from_mins(15));
        let until = attempt.now.saturating_add(left).unwrap_or(Timestamp::MAX);
        let lease = Lease { holder: holder.to_owned(), until };
        let outcome = match self.store.take_turn(&lease, attempt.now).await? {
            TrackerTurn::Taken => None,
            TrackerTurn::HeldByOther => Some(SettleOutcome::HeldByOther),
            TrackerTurn::Paused(_) => Some(SettleOutcome::Paused),
        };
        if let Some(outcome) = outcome {
            let oldest = self.store.due_tickets(attempt.now, 1).await?;
            report_oldest(attempt, oldest.first().map(|(turn, _)| *turn), attempt.now);
            return Ok(SettleResult { outcome, left: oldest.len(), ..SettleResult::default() });
        }
        let mut run = Run {
            attempt,
            clock,
            result: SettleResult::default(),
            oldest: None,
            unanswered: 0,
            paused_until: None,
            has_written: false,
            refused: HashMap::new(),
        };
        let worked = self.settle_all(noted, &mut run).await;
        let given_back = self.store.end_turn(holder, run.paused_until).await;
        worked?;
        given_back?;
        report_oldest(attempt, run.oldest, clock.now());
        Ok(run.result)
    }

    async fn settle_all<C: Clock + Sync>(
        &self,
        noted: Turns,
        run: &mut Run<'_, C>,
    ) -> Result<(), CallFailed> {
        let mut ready = self.ready(noted, run).await?;
        ready.sort_by_key(|(turn, row)| (Reverse(row.priority), *turn));
        let mut failed_in_a_row = 0;
        for (turn, row) in ready {
            let project = self.project_of(&row);
            let refused = run.refused.get(&project).copied().unwrap_or_default();
            if run.result.outcome != SettleOutcome::Done || refused >= MAX_REFUSED {
                run.leave(turn);
                continue;
            }
            match self.settle_one(row, turn, run).await {
                Ok(()) => failed_in_a_row = 0,
                // What is wrong with one row must not keep the other tickets from being dealt with.
                Err(failed) if failed_in_a_row + 1 < MAX_STORE_FAILURES => {
                    failed_in_a_row += 1;
                    run.leave(turn);
                    (run.attempt.observe)(Observation::Warning {
                        what: "a ticket could not be dealt with, and has its turn again".to_owned(),
                        reason: chain(&failed),
                    });
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }

    /// The tickets whose turn it is and of which something can be done now, each with its turn.
    async fn ready<C: Clock + Sync>(
        &self,
        noted: Turns,
        run: &mut Run<'_, C>,
    ) -> Result<Vec<(Timestamp, TicketRow)>, CallFailed> {
        let now = run.attempt.now;
        let due = self.store.due_tickets(now, MAX_DUE).await?;
        let mut turns: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (turn, id) in due.into_iter().chain(noted) {
            let earliest = turns.entry(id).or_insert(turn);
            *earliest = turn.min(*earliest);
        }
        let ids: Vec<&str> = turns.keys().map(String::as_str).collect();
        let mut ready = Vec::new();
        for some in ids.chunks(AT_ONCE) {
            let rows = self.store.tickets(some).await?;
            let mut rows: HashMap<String, TicketRow> =
                rows.into_iter().map(|row| (row.ticket.key.id(), row)).collect();
            for id in some {
                let turn = turns[*id];
                let row = rows
                    .remove(*id)
                    .filter(|row| row.ticket.waits_until().is_none_or(|until| until <= now));
                match row {
                    Some(row) => ready.push((turn, row)),
                    // Also one that cannot be read.
                    None => run.leave(turn),
                }
            }
        }
        Ok(ready)
    }

    /// The project that a ticket is in, or would be opened in.
    fn project_of(&self, row: &TicketRow) -> String {
        let own = row.ticket.tracked.as_ref().map(|tracked| tracked.project.as_str());
        let owner = row.ticket.key.owner.as_deref();
        own.or_else(|| self.config.projects.of(owner)).unwrap_or_default().to_owned()
    }

    /// Deals with one ticket, and with what the tracker has against it.
    async fn settle_one<C: Clock + Sync>(
        &self,
        mut row: TicketRow,
        turn: Timestamp,
        run: &mut Run<'_, C>,
    ) -> Result<(), CallFailed> {
        for waits in 0.. {
            let unsettled = match self.bring_up_to_date(&mut row, turn, run).await {
                Ok(()) => {
                    run.unanswered = 0;
                    return Ok(());
                }
                Err(unsettled) => unsettled,
            };
            let failed = match unsettled {
                Unsettled::Store(failed) => return Err(failed),
                // Who has written it has dealt with it, or something was noted; it has its turn again.
                Unsettled::Conflict => {
                    run.leave(turn);
                    return Ok(());
                }
                Unsettled::OutOfTime => {
                    run.result.outcome = SettleOutcome::Continues;
                    run.leave(turn);
                    return Ok(());
                }
                Unsettled::Tracker(failed) => failed,
            };
            if let Trouble::Busy(pause) = failed.trouble {
                let pause = pause.unwrap_or(LEFT_ALONE_FOR);
                let left = (run.attempt.left)().saturating_sub(RESERVE);
                if waits < MAX_WAITS && pause <= LONGEST_WAIT && pause < left {
                    run.clock.pause(pause.unsigned_abs()).await;
                    continue;
                }
                run.paused_until = run.clock.now().checked_add(pause).ok();
                run.result.outcome = SettleOutcome::Paused;
            }
            return self.give_up(row, turn, failed, run).await;
        }
        Ok(())
    }

    /// Leaves a ticket to a later invocation, and the others, too, if the tracker does nothing for them either.
    async fn give_up<C: Clock + Sync>(
        &self,
        mut row: TicketRow,
        turn: Timestamp,
        failed: TrackerFailed,
        run: &mut Run<'_, C>,
    ) -> Result<(), CallFailed> {
        run.leave(turn);
        let trouble = failed.trouble;
        if !matches!(trouble, Trouble::Busy(_)) {
            run.result.failed += 1;
            (run.attempt.observe)(Observation::TicketFailed {
                problem: row.ticket.key.problem.clone(),
                trouble,
                reason: chain(&failed),
            });
        }
        if matches!(trouble, Trouble::Forbidden) {
            *run.refused.entry(self.project_of(&row)).or_default() += 1;
        }
        let is_unanswered = matches!(trouble, Trouble::NotReached | Trouble::Unknown);
        run.unanswered = if is_unanswered { run.unanswered + 1 } else { 0 };
        if trouble == Trouble::Unauthorized || run.unanswered >= MAX_UNANSWERED {
            run.result.outcome = SettleOutcome::Stopped;
        }
        // It is nothing of the ticket's that the tracker takes nobody's requests now.
        let is_its_own = !matches!(trouble, Trouble::Unauthorized | Trouble::Busy(_));
        let now = run.clock.now();
        if is_its_own {
            row.ticket = row.ticket.failed(now);
        }
        match self.write(&mut row, Some(turn), now).await {
            Err(Unsettled::Store(failed)) => Err(failed),
            _ => Ok(()),
        }
    }

    /// Does all that there is to do about a ticket.
    async fn bring_up_to_date<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        turn: Timestamp,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        run.has_time_for(if row.ticket.begun.is_some() { CHANGE_REQUESTS } else { 1 })?;
        let site = self.tracker.site();
        if matches!(&row.ticket.begun, Some(Begun::Opening { site: of, .. }) if *of != site) {
            // Whether it was opened there, nobody can ask any more.
            row.ticket.begun = None;
        }
        if matches!(row.ticket.begun, Some(Begun::Opening { .. })) {
            self.find_opened(row, turn, run).await?;
        }
        let id = row.ticket.key.id();
        let mut followed = self.store.findings_of(&id, MOST_FOLLOWED + 1).await?;
        let is_cut = followed.len() > MOST_FOLLOWED;
        followed.truncate(MOST_FOLLOWED);
        let arns: Vec<&str> = followed.iter().map(|one| one.arn.as_str()).collect();
        let records = self.store.read_all(&arns).await?;
        let key = row.ticket.key.clone();
        let standing = Standing::new(&followed, &records, &key, &self.config.style.owner_tags);
        let standing = Standing { is_cut, ..standing };
        let moved: Vec<_> = standing.in_state(MemberState::Moved).cloned().collect();
        if !moved.is_empty() {
            let limit = run.attempt.until(RESERVE);
            // Its turn comes with the next invocation.
            self.note_records(&moved, run.attempt.now, limit).await?;
        }
        let is_elsewhere = row.ticket.tracked.as_ref().is_some_and(|tracked| tracked.site != site);
        if is_elsewhere {
            row.ticket = Ticket::new(key);
        }
        match row.ticket.tracked.clone() {
            None if standing.asks_for_ticket(self.config.from) => {
                self.open(row, &standing, turn, run).await
            }
            None => self.rest(row, &standing, run).await,
            Some(tracked) if tracked.state == TrackedState::Lost => {
                self.rest(row, &standing, run).await
            }
            Some(tracked) => self.change(row, &tracked, &standing, turn, run).await,
        }
    }

    /// Leaves a ticket alone until there is news, or until it is to be looked at again.
    pub(super) async fn rest<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        standing: &Standing<'_>,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let limit = run.attempt.until_the_end();
        let done_with = standing.done_with();
        self.store.mark_findings(&row.ticket.key.id(), &done_with, limit).await?;
        let is_lost = |tracked: &Tracked| tracked.state == TrackedState::Lost;
        if !standing.has_open() && row.ticket.tracked.as_ref().is_some_and(is_lost) {
            // What comes back has a ticket of its own.
            row.ticket = Ticket::new(row.ticket.key.clone());
        }
        let now = run.clock.now();
        row.ticket = row.ticket.clone().done();
        let turn = row.ticket.next_look(now);
        self.write(row, turn, now).await
    }
}

/// When it is known for sure what became of a call that is made at `now`.
pub(super) fn ask_at(now: Timestamp) -> Timestamp {
    now.saturating_add(ASKED_AFTER).unwrap_or(Timestamp::MAX)
}

/// Says for how long the turn of a ticket has passed.
fn report_oldest(attempt: Attempt<'_>, turn: Option<Timestamp>, now: Timestamp) {
    let age = turn.map_or(SignedDuration::ZERO, |turn| now.duration_since(turn));
    (attempt.observe)(Observation::OldestTicket(age.max(SignedDuration::ZERO)));
}
