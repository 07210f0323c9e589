//! Noting findings: which ticket each belongs to, and when that has its turn.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::Tickets;
use crate::{
    app::{
        Attempt, Observation, TimeLimit,
        failure::CallFailed,
        ports::{Records, Sweep, TicketLog, TicketRow},
    },
    domain::{
        record::Record,
        ticket::{Ticket, TicketKey},
    },
};

/// How many findings are noted at a time.
const AT_ONCE: usize = 500;

impl<S: TicketLog + Records, T> Tickets<S, T> {
    /// Notes these findings, as their rows are now.
    ///
    /// # Errors
    /// The table could not be read or written. Some may be noted; all may be noted again.
    pub async fn note(&self, arns: &[&str], attempt: Attempt<'_>) -> Result<(), CallFailed> {
        for arns in arns.chunks(AT_ONCE) {
            let records = self.store.read_all(arns).await?;
            if records.len() < arns.len() {
                (attempt.observe)(Observation::Warning {
                    what: format!(
                        "{} findings that a message names are not in the table, and no ticket follows them",
                        arns.len() - records.len()
                    ),
                    reason: "the table was restored or is another one".to_owned(),
                });
            }
            self.note_records(&records, attempt.now, attempt.until_the_end()).await?;
        }
        Ok(())
    }

    /// Notes the findings of these records.
    pub(super) async fn note_records(
        &self,
        records: &[Record],
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<(), CallFailed> {
        let mut by_ticket: BTreeMap<String, (TicketKey, Vec<&Record>)> = BTreeMap::new();
        for record in records {
            let key = TicketKey::of(&record.finding, &self.config.style.owner_tags);
            by_ticket.entry(key.id()).or_insert_with(|| (key, Vec::new())).1.push(record);
        }
        let ids: Vec<&str> = by_ticket.keys().map(String::as_str).collect();
        let rows = self.store.tickets(&ids).await?;
        let rows: HashMap<String, TicketRow> =
            rows.into_iter().map(|row| (row.ticket.key.id(), row)).collect();
        for (id, (key, records)) in by_ticket {
            let known = rows.get(&id).map(|row| &row.ticket);
            if self.is_no_matter(&key, &records, known) {
                continue;
            }
            let ticket = known.cloned().unwrap_or_else(|| Ticket::new(key));
            let turn = ticket.turn(&records, self.config.from, now);
            let open = records.iter().filter(|record| record.is_open());
            let priority = open.map(|record| record.priority()).max();
            let arns: Vec<&str> = records.iter().map(|one| one.finding.arn.as_str()).collect();
            self.store.note_findings(&ticket, &arns, priority, turn, limit).await?;
        }
        Ok(())
    }

    /// Whether a ticket has nothing to do with these findings: they have ended, and it is closed or was never opened; or nobody
    /// said where the tickets of their owner go.
    fn is_no_matter(&self, key: &TicketKey, records: &[&Record], known: Option<&Ticket>) -> bool {
        let have_ended = records.iter().all(|record| !record.is_open());
        let is_at_rest = known.is_none_or(Ticket::is_at_rest);
        let is_nobodys = known
            .is_none_or(|ticket| ticket.tracked.is_none() && ticket.begun.is_none())
            && self.config.projects.of(key.owner.as_deref()).is_none();
        is_nobodys || have_ended && is_at_rest
    }
}

impl<S: TicketLog + Records + Sweep, T> Tickets<S, T> {
    /// Notes all findings that are open, such as those that were there before tickets were. Returns whether there was time
    /// for all.
    ///
    /// # Errors
    /// As [`Tickets::note`].
    pub async fn note_all(&self, attempt: Attempt<'_>) -> Result<bool, CallFailed> {
        let mut arns: Vec<String> = Vec::new();
        let limit = attempt.until_the_end();
        let all = self.store.each_open(limit, |record| arns.push(record.finding.arn)).await?;
        for some in arns.chunks(AT_ONCE) {
            if limit.is_over() {
                return Ok(false);
            }
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            self.note(&some, attempt).await?;
        }
        Ok(all)
    }
}
