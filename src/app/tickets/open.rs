//! Opening a ticket: the intent before the call, the key after it.

use jiff::Timestamp;

use super::{
    TicketChange, Tickets, Unsettled,
    settle::{Run, ask_at},
};
use crate::{
    app::ports::{Clock, Records, TicketLog, TicketRow, Tracker, Trouble},
    domain::ticket::{Begun, Standing, Tracked, TrackedState},
    render::ticket,
};

/// A ticket is opened by one request, and by a second one where a field is not to be had.
const REQUESTS: i32 = 2;

impl<S: TicketLog + Records, T: Tracker> Tickets<S, T> {
    /// Opens the ticket.
    pub(super) async fn open<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        standing: &Standing<'_>,
        turn: Timestamp,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let owner = row.ticket.key.owner.as_deref();
        let (Some(project), Some(facts)) = (self.config.projects.of(owner), standing.facts())
        else {
            return self.rest(row, standing, run).await;
        };
        run.has_time_for(REQUESTS)?;
        let now = run.clock.now();
        let (site, mark) = (self.tracker.site(), row.ticket.mark(run.attempt.name));
        row.ticket.begun = Some(Begun::Opening {
            site: site.clone(),
            project: project.to_owned(),
            mark: mark.clone(),
            at: now,
            ask_at: ask_at(now),
        });
        self.write(row, Some(turn), now).await?;
        let card = ticket::card(standing, &facts, &row.ticket.key, &self.config.style);
        run.breathe().await;
        let key = match self.tracker.open(project, &mark, &card).await {
            Ok(key) => key,
            Err(failed) => {
                if failed.trouble != Trouble::Unknown {
                    // It was not opened, for sure. Written with what comes of it.
                    row.ticket.begun = None;
                }
                return Err(failed.into());
            }
        };
        let project = project.to_owned();
        row.ticket = row.ticket.clone().done();
        row.ticket.tracked = Some(Tracked {
            site,
            project,
            mark,
            key,
            opened_at: now,
            looked_at: now,
            state: TrackedState::Open,
            // Until it is remembered of each finding that it says how that stands.
            told: None,
            changes: 0,
        });
        // At once: what is marked can be marked again, what is opened is not opened again.
        self.write(row, Some(turn), now).await?;
        run.did(TicketChange::Opened);
        if let Some(tracked) = &mut row.ticket.tracked {
            tracked.told = Some(facts);
        }
        self.remember(row, standing, run).await
    }

    /// Asks for a ticket of which it is not known whether it was opened. If there is none, another attempt may open it.
    pub(super) async fn find_opened<C: Clock + Sync>(
        &self,
        row: &mut TicketRow,
        turn: Timestamp,
        run: &mut Run<'_, C>,
    ) -> Result<(), Unsettled> {
        let Some(Begun::Opening { site, project, mark, at, .. }) = row.ticket.begun.clone() else {
            return Ok(());
        };
        let found = self.tracker.find(&project, &mark, at).await?;
        row.ticket.begun = None;
        row.ticket.tracked = found.into_iter().next().map(|key| Tracked {
            site,
            project,
            mark,
            key,
            opened_at: at,
            looked_at: at,
            state: TrackedState::Open,
            told: None,
            changes: 0,
        });
        let now = run.clock.now();
        self.write(row, Some(turn), now).await?;
        if row.ticket.tracked.is_some() {
            run.did(TicketChange::Opened);
        }
        Ok(())
    }
}
