//! Noting findings: which ticket each belongs to, and when that has its turn.

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::Tickets;
use crate::{
    app::{
        Attempt, Observation, TimeLimit,
        failure::CallFailed,
        ports::{Records, TicketLog, TicketRow},
    },
    domain::{
        record::Record,
        ticket::{Ticket, TicketKey},
    },
};

/// How many findings are noted at a time.
const AT_ONCE: usize = 500;
/// How many tickets are noted side by side.
const SIDE_BY_SIDE: usize = 8;

/// Tickets whose turn came with what was noted: when it is, and their ids. An index does not have them yet.
pub type Turns = Vec<(Timestamp, String)>;

impl<S: TicketLog + Records, T: Sync> Tickets<S, T> {
    /// Notes these findings, as their rows are now. Returns the tickets whose turn has come by that.
    ///
    /// # Errors
    /// The table could not be read or written. Some may be noted; all may be noted again.
    pub async fn note(&self, arns: &[&str], attempt: Attempt<'_>) -> Result<Turns, CallFailed> {
        let mut turns = Turns::new();
        for arns in arns.chunks(AT_ONCE) {
            let records = self.store.read_all(arns).await?;
            if records.len() < arns.len() {
                (attempt.observe)(Observation::Warning {
                    what: format!(
                        "of {} findings that a message names there is no row, and no ticket follows them",
                        arns.len() - records.len()
                    ),
                    reason: "the table was restored, is another one, or the rows cannot be read"
                        .to_owned(),
                });
            }
            turns.extend(self.note_records(&records, attempt.now, attempt.until_the_end()).await?);
        }
        Ok(turns)
    }

    /// Notes all findings that are open and that no ticket follows yet, such as those that were there before tickets were.
    /// Returns whether there was time for all; what was done is not done again.
    ///
    /// # Errors
    /// As [`Tickets::note`].
    pub async fn note_all(&self, attempt: Attempt<'_>) -> Result<bool, CallFailed> {
        let arns = self.store.open_findings().await?;
        let limit = attempt.until_the_end();
        for some in arns.chunks(AT_ONCE) {
            if limit.is_over() {
                return Ok(false);
            }
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            let mut records = self.store.read_all(&some).await?;
            let id = |record: &Record| self.key(record).id();
            let ids: Vec<String> = records.iter().map(id).collect();
            let keys: Vec<(&str, &str)> = ids
                .iter()
                .zip(&records)
                .map(|(id, record)| (id.as_str(), record.finding.arn.as_str()))
                .collect();
            let followed = self.store.followed_among(&keys).await?;
            records.retain(|record| !followed.contains(&record.finding.arn));
            self.note_records(&records, attempt.now, limit).await?;
        }
        Ok(true)
    }

    /// Notes the findings of these records.
    pub(super) async fn note_records(
        &self,
        records: &[Record],
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<Turns, CallFailed> {
        let mut by_ticket: BTreeMap<String, (TicketKey, Vec<&Record>)> = BTreeMap::new();
        for record in records {
            let key = self.key(record);
            by_ticket.entry(key.id()).or_insert_with(|| (key, Vec::new())).1.push(record);
        }
        let ids: Vec<&str> = by_ticket.keys().map(String::as_str).collect();
        let rows = self.store.tickets(&ids).await?;
        let rows: HashMap<String, TicketRow> =
            rows.into_iter().map(|row| (row.ticket.key.id(), row)).collect();
        let mut notes = Vec::with_capacity(by_ticket.len());
        for (id, (key, records)) in by_ticket {
            let row = rows.get(&id);
            notes.push(self.note_ticket((id, key), row, records, now, limit));
        }
        let turns: Vec<Option<(Timestamp, String)>> =
            stream::iter(notes).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(turns.into_iter().flatten().filter(|(turn, _)| *turn <= now).collect())
    }

    /// Notes findings of one ticket. Returns its turn, if it has one by that, and its id.
    async fn note_ticket(
        &self,
        (id, key): (String, TicketKey),
        row: Option<&TicketRow>,
        records: Vec<&Record>,
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<Option<(Timestamp, String)>, CallFailed> {
        let is_opened =
            row.is_some_and(|row| row.ticket.tracked.is_some() || row.ticket.begun.is_some());
        let has_project = self.config.projects.of(key.owner.as_deref()).is_some();
        let is_open = records.iter().any(|record| record.is_open());
        if !(is_opened || has_project) || row.is_none() && !is_open {
            return Ok(None);
        }
        let ticket = row.map_or_else(|| Ticket::new(key), |row| row.ticket.clone());
        let turn = ticket.turn(&records, self.config.from, now);
        let priority = ticket.urgency(row.and_then(|row| row.priority), &records);
        let arns: Vec<&str> = records.iter().map(|one| one.finding.arn.as_str()).collect();
        self.store.note_findings(&ticket, &arns, priority, turn, limit).await?;
        Ok(turn.map(|turn| (turn, id)))
    }

    /// The ticket that a finding belongs to.
    fn key(&self, record: &Record) -> TicketKey {
        TicketKey::of(&record.finding, &self.config.style.owner_tags)
    }
}
