//! Changing a ticket: whether it is open, what it says of its findings, and a comment on what is new.

use jiff::Timestamp;

use super::{
    TicketChange, Tickets, Unsettled,
    settle::{Run, ask_at},
};
use crate::{
    app::{
        Observation,
        ports::{
            Clock, Moved, Records, TicketAt, TicketLog, TicketRow, Tracker, TrackerFailed, Trouble,
        },
    },
    domain::{
        digest,
        ticket::{
            Begun, Course, LOOKED_AT_EVERY, Movement, News, Standing, Ticket, Tracked, TrackedState,
        },
    },
    render::ticket::{self, Comment},
};

/// As many requests as a change takes at most, but for long lists: to look, which may ask for the project, to find a way and
/// try three, to edit, which may be done without some fields, to look for a comment and to write it.
pub(super) const CHANGE_REQUESTS: i32 = 10;

impl<S: TicketLog + Records, T: Tracker> Tickets<S, T> {
    /// Brings a ticket that was opened up to date.
    pub(super) async fn change<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        tracked: &Tracked,
        standing: &Standing<'_>,
        turn: Timestamp,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let news = News::new(standing, tracked.told.as_ref());
        if let Some(Begun::Changing { is_said: true, says, .. }) = row.ticket.begun {
            if news.is_empty() || news.facts.is_empty() && says == self.says_of(&news, standing) {
                return self.remember(row, standing, run).await;
            }
            // There is more to say by now.
            row.ticket.begun = None;
        }
        let now = run.clock.now();
        let is_of_today = now.duration_since(tracked.looked_at) < LOOKED_AT_EVERY;
        // A ticket that is closed is looked at when there is something to do. What a person has closed may be open again, and
        // is looked at once a day while there is news.
        let is_left_alone = is_of_today || tracked.state == TrackedState::Closed;
        if is_left_alone && row.ticket.is_up_to_date(tracked, standing, &news) {
            return self.rest(row, standing, run).await;
        }
        run.has_time_for(CHANGE_REQUESTS)?;
        let seen = self.tracker.look(at(tracked)).await?;
        if let Some(tracked) = &mut row.ticket.tracked {
            tracked.looked_at = now;
        }
        match row.ticket.course(tracked, standing, &news, seen) {
            Course::OpenAnew => {
                row.ticket = Ticket::new(row.ticket.key.clone());
                self.open(row, standing, turn, run).await
            }
            Course::Object => self.object(row, tracked, standing, turn, run).await,
            Course::Rest(state) => {
                if state == TrackedState::Lost {
                    (run.attempt.observe)(Observation::Warning {
                        what: format!("ticket {} is not touched any more", tracked.key),
                        reason: "it was deleted, moved to another project or lost its mark"
                            .to_owned(),
                    });
                    run.did(TicketChange::Lost);
                }
                self.rest_as(state, row, standing, run).await
            }
            Course::Change { movement, is_there } => {
                let changing = Changing { tracked, news, movement, is_there };
                self.carry_out(row, standing, changing, turn, run).await
            }
        }
    }

    /// Carries a change out.
    async fn carry_out<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        standing: &Standing<'_>,
        changing: Changing<'_>,
        turn: Timestamp,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let Changing { tracked, news, movement, is_there } = changing;
        let now = run.clock.now();
        let closes = movement == Movement::Close;
        let comment = Comment::Changed { news: &news, movement, has_moved: true };
        let says = self.says(&comment, standing);
        let begun = self.begin(row, tracked, closes, says, turn, now).await?;
        let ticket = at(tracked);
        let mut moved = Moved::Yes;
        if !is_there {
            run.breathe().await;
            let answer = match movement {
                Movement::Close => self.tracker.close(ticket).await,
                Movement::Reopen => self.tracker.reopen(ticket).await,
                Movement::Stay => Ok(Moved::Yes),
            };
            if answer.as_ref().is_err_and(|failed| failed.trouble != Trouble::Unknown)
                && let Some(Begun::Changing { closes, .. }) = &mut row.ticket.begun
            {
                // Who finds it closed then has a person to thank for it.
                *closes = false;
            }
            moved = uncommented(row, answer)?;
        }
        let facts = standing.facts().or(tracked.told);
        if let Some(facts) = facts.filter(|_| movement != Movement::Close) {
            let card = ticket::card(standing, &facts, &row.ticket.key, &self.config.style);
            run.breathe().await;
            uncommented(row, self.tracker.edit(ticket, &card).await)?;
        }
        // What a ticket said whose opening did not end well, nobody knows. It says all now.
        let is_said = movement == Movement::Stay && (tracked.told.is_none() || news.is_empty());
        if !is_said {
            let comment =
                Comment::Changed { news: &news, movement, has_moved: moved == Moved::Yes };
            self.comment(row, tracked, standing, &comment, &begun, run).await?;
        }
        if let Some(tracked) = &mut row.ticket.tracked {
            tracked.changes = begun.number;
            tracked.told = facts;
            tracked.state = match movement {
                Movement::Close => TrackedState::Closed,
                Movement::Reopen if moved == Moved::NoWay => TrackedState::ClosedByHandAndTold,
                _ => TrackedState::Open,
            };
        }
        row.ticket.begun = Some(Begun::Changing {
            number: begun.number,
            at: now,
            ask_at: None,
            closes: false,
            says: self.says_of(&news, standing),
            is_said: true,
        });
        // At once: what is marked can be marked again, what is said is not said again.
        self.write(row, Some(turn), now).await?;
        run.did(match movement {
            Movement::Close => TicketChange::Closed,
            Movement::Reopen => TicketChange::Reopened,
            Movement::Stay => TicketChange::Changed,
        });
        self.remember(row, standing, run).await
    }

    /// Remembers of each finding that it was said how it stands, and then the row as it is.
    pub(super) async fn remember<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        standing: &Standing<'_>,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let limit = run.attempt.until_the_end();
        self.store.mark_findings(&row.ticket.key.id(), &standing.marks(), limit).await?;
        let now = run.clock.now();
        row.ticket = row.ticket.clone().done();
        let next = row.ticket.next_look(now);
        self.write(row, next, now).await
    }

    /// Says that findings are open of a ticket that a person has closed.
    async fn object<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        tracked: &Tracked,
        standing: &Standing<'_>,
        turn: Timestamp,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let comment = Comment::StillOpen;
        let says = self.says(&comment, standing);
        let begun = self.begin(row, tracked, false, says, turn, run.clock.now()).await?;
        self.comment(row, tracked, standing, &comment, &begun, run).await?;
        run.did(TicketChange::Commented);
        if let Some(tracked) = &mut row.ticket.tracked {
            tracked.changes = begun.number;
        }
        self.rest_as(TrackedState::ClosedByHandAndTold, row, standing, run).await
    }

    async fn rest_as<C: Clock + Sync>(
        &self,
        state: TrackedState,
        row: &mut TicketRow,
        standing: &Standing<'_>,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        if let Some(tracked) = &mut row.ticket.tracked {
            tracked.state = state;
        }
        self.rest(row, standing, run).await
    }

    /// Writes down that a change begins, or goes on that an earlier attempt has begun. What that one may have said of other
    /// news is said again with these.
    async fn begin(
        &self,
        row: &mut TicketRow,
        tracked: &Tracked,
        closes: bool,
        says: u64,
        turn: Timestamp,
        now: Timestamp,
    ) -> Result<BegunChange, Unsettled> {
        let (number, earlier, has_closed) = match row.ticket.begun {
            Some(Begun::Changing { number, at, says: said, closes, .. }) => {
                let is_same = said == says;
                (number + u32::from(!is_same), is_same.then_some(at), closes)
            }
            _ => (tracked.changes + 1, None, false),
        };
        row.ticket.begun = Some(Begun::Changing {
            number,
            at: earlier.unwrap_or(now),
            ask_at: Some(ask_at(now)),
            closes: closes || has_closed,
            says,
            is_said: false,
        });
        self.write(row, Some(turn), now).await?;
        Ok(BegunChange { number, earlier })
    }

    /// A number that stands for what is said of findings alone.
    fn says_of(&self, news: &News<'_>, standing: &Standing<'_>) -> u64 {
        let news = &News { changed: news.changed.clone(), facts: Vec::new() };
        let comment = Comment::Changed { news, movement: Movement::Stay, has_moved: true };
        self.says(&comment, standing)
    }

    /// A number that stands for what a comment says.
    fn says(&self, comment: &Comment<'_>, standing: &Standing<'_>) -> u64 {
        let text = ticket::comment(comment, standing, "", &self.config.style);
        digest::long(ticket::markdown(&text))
    }

    /// Comments on a change, unless an earlier attempt has.
    async fn comment<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        tracked: &Tracked,
        standing: &Standing<'_>,
        comment: &Comment<'_>,
        begun: &BegunChange,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let (ticket, mark) = (at(tracked), tracked.comment_mark(begun.number));
        if let Some(began_at) = begun.earlier
            && self.tracker.has_comment(ticket, &mark, began_at).await?
        {
            return Ok(());
        }
        let text = ticket::comment(comment, standing, &mark, &self.config.style);
        run.breathe().await;
        match self.tracker.comment(ticket, &text).await {
            Err(failed) if failed.trouble != Trouble::Unknown => uncommented(row, Err(failed)),
            other => Ok(other?),
        }
    }
}

/// A change of a ticket.
struct Changing<'a> {
    /// The ticket, as it was before.
    tracked: &'a Tracked,
    /// What is new.
    news: News<'a>,
    /// Where it is to go.
    movement: Movement,
    /// Whether it is there already.
    is_there: bool,
}

/// A change that was begun.
struct BegunChange {
    /// Which it is.
    number: u32,
    /// When an earlier attempt began it, which may have commented on it.
    earlier: Option<Timestamp>,
}

fn at(tracked: &Tracked) -> TicketAt<'_> {
    TicketAt { project: &tracked.project, key: &tracked.key, mark: &tracked.mark }
}

/// What came of a call after which it is known that the change was not commented on: nobody has to be asked.
fn uncommented<V>(row: &mut TicketRow, answer: Result<V, TrackerFailed>) -> Result<V, Unsettled> {
    if answer.is_err()
        && let Some(Begun::Changing { ask_at, .. }) = &mut row.ticket.begun
    {
        *ask_at = None;
    }
    Ok(answer?)
}
