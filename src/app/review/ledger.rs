//! What the ledger in force covers, and what it covers no more: judged anew each day, and whenever another ledger is in force.

use jiff::Timestamp;

use super::{Course, Ended, Review, Undone};
use crate::{
    app::{
        attempt::Observation,
        failure::Failure,
        ports::{
            Alerts, Exceptions, Gaps, Inspector, LedgerHead, Publisher, Records, RoundLog,
            Summaries, Sweep, Threats,
        },
    },
    domain::{
        ledger::InForce,
        record::{EndQueue, Record},
        round::{Part, day},
    },
};

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog + Gaps + Threats + Exceptions,
    P: Publisher,
    I: Inspector,
{
    /// Judges all that is open at once, before Inspector is asked anything, if another ledger is in force than the one that it was
    /// judged by, or if another day has come: what ends must not wait for a listing of hours.
    pub(super) async fn ledger_first(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let head = self.triage.store.ledger_head().await.map_err(Failure::Store)?;
        if course.rounds.ledger == judged(head.as_ref(), course.now()) {
            return Ok(Ended::Done);
        }
        self.judge(head, course).await
    }

    /// Judges all that is open by the ledger in force, knowing what the parts before have found out.
    pub(super) async fn ledger(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let head = self.triage.store.ledger_head().await.map_err(Failure::Store)?;
        self.judge(head, course).await
    }

    async fn judge(
        &self,
        head: Option<LedgerHead>,
        course: &mut Course<'_, S>,
    ) -> Result<Ended, Undone> {
        let store = &self.triage.store;
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
        // What Inspector hides by itself, and a ledger may have come to explain.
        let hidden = if head.is_some() { &[EndQueue::Untold, EndQueue::Hidden][..] } else { &[] };
        let is_all = store.each_open_and_ended(hidden, None, limit, each).await;
        if !is_all.map_err(Failure::Store)? {
            return Ok(Ended::OutOfTime);
        }
        let under = |row: &Record, now| row.under(&ledger, policy, now);
        if let Ended::OutOfTime = self.rewrite(arns, Part::Ledger, under, course).await? {
            return Ok(Ended::OutOfTime);
        }
        course.progress(Part::Ledger).counts.insert("excepted".to_owned(), excepted);
        course.rounds.ledger = judged(head.as_ref(), now);
        if let Some(by) = ledger.review_at(now).filter(|by| *by < day(now)) {
            (course.attempt().observe)(Observation::ReviewDue { by });
        }
        Ok(Ended::Done)
    }
}

/// By what all that is open is judged at `now`, in words of the row of the round; none if no ledger is in force.
fn judged(head: Option<&LedgerHead>, now: Timestamp) -> Option<String> {
    head.map(|head| format!("{} {}", head.digest, day(now)))
}
