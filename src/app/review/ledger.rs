//! What the ledger in force covers, and what it covers no more: judged anew each day, and whenever another ledger is in force.

use super::{Course, Ended, ROWS_AT_ONCE, Review, Undone};
use crate::{
    app::{
        attempt::Observation,
        failure::{Failure, chain},
        ports::{
            Alerts, Exceptions, Gaps, Inspector, LedgerHead, Publisher, Records, RoundLog,
            Summaries, Sweep, Threats,
        },
    },
    domain::{
        ledger::InForce,
        record::{Record, Transition},
        round::{Part, PartState, day},
    },
};

impl<S, P, I> Review<S, P, I>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog + Gaps + Threats + Exceptions,
    P: Publisher,
    I: Inspector,
{
    /// Has the part done again if another ledger is in force than the one that findings were judged by.
    pub(super) async fn notice_ledger(&self, course: &mut Course<'_, S>) {
        if course.round().state(Part::Ledger) != PartState::Done {
            return;
        }
        match self.triage.store.ledger_head().await {
            Ok(head) if digest(head.as_ref()) != course.rounds.ledger => {
                course.reopen(Part::Ledger);
            }
            Ok(_) => {}
            Err(failed) => {
                let what = "whether another ledger is in force is not known".to_owned();
                let reason = chain(&failed);
                (course.attempt().observe)(Observation::Warning { what, reason });
            }
        }
    }

    /// Judges all that is open by the ledger in force.
    pub(super) async fn ledger(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let store = &self.triage.store;
        let head = store.ledger_head().await.map_err(Failure::Store)?;
        let ledger = match &head {
            Some(head) => store.ledger(head).await.map_err(Failure::Store)?,
            None => InForce::default(),
        };
        let policy = &self.triage.config.policy;
        let now = course.now();
        let (mut arns, mut excepted) = (Vec::new(), 0);
        let each = |record: Record| {
            let changed = record.under(&ledger, policy, now);
            let after = changed.as_ref().map_or(&record, |(after, _)| after);
            excepted += u64::from(after.exception().is_some());
            if changed.is_some() {
                arns.push(record.finding.arn);
            }
        };
        let limit = course.limit();
        if !store.each_open(limit, each).await.map_err(Failure::Store)? {
            return Ok(Ended::OutOfTime);
        }
        arns.sort();
        arns.dedup();
        for some in arns.chunks(ROWS_AT_ONCE) {
            if course.limit().is_over() {
                return Ok(Ended::OutOfTime);
            }
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            let rows = store.read_all(&some).await.map_err(Failure::Store)?;
            let now = course.now();
            let changes = rows.iter().filter_map(|row| row.under(&ledger, policy, now));
            let writes: Vec<(Record, Transition)> =
                changes.map(|(row, what)| (row.rewritten(), what)).collect();
            let written = self.write_those(&writes, course).await?;
            course.progress(Part::Ledger).count("changed", written);
            if !course.note_in_time().await? {
                return Err(Undone::HeldByOther);
            }
        }
        course.progress(Part::Ledger).counts.insert("excepted".to_owned(), excepted);
        course.rounds.ledger = digest(head.as_ref());
        let review_at = head.and_then(|head| head.review_at);
        if let Some(by) = review_at.filter(|by| *by < day(course.now())) {
            (course.attempt().observe)(Observation::ReviewDue { by });
        }
        Ok(Ended::Done)
    }
}

fn digest(head: Option<&LedgerHead>) -> Option<String> {
    head.map(|head| head.digest.clone())
}
