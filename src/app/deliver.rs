//! What one finding and many have in common: who may tell, and what is remembered afterwards.

use super::{
    attempt::Attempt,
    failure::Failure,
    ports::{Alerts, AnnouncedProblem, Marked, Marking},
    triage::Triage,
};
use crate::domain::{
    announce::problems,
    record::{AlertReason, Delivery, Lease, Record},
};

/// How often a race for a row is run before the attempt gives up.
pub(super) const MAX_ATTEMPTS: usize = 5;

impl<S: Alerts, P> Triage<S, P> {
    /// Remembers who has heard of findings.
    pub(super) async fn note(
        &self,
        told: Vec<(Record, Delivery)>,
        lease: &Lease,
        attempt: Attempt<'_>,
    ) -> Result<(), Failure> {
        let marking = |row: Record, told: Delivery| Marking {
            record: row.with_delivery(&told, attempt.now),
            told,
        };
        let mut rest: Vec<Marking> =
            told.into_iter().map(|(row, told)| marking(row, told)).collect();
        for _ in 0..MAX_ATTEMPTS {
            let marked = self.store.mark(&rest, lease).await.map_err(Failure::Store)?;
            rest = rest
                .into_iter()
                .zip(marked)
                .filter_map(|(Marking { told, .. }, marked)| match marked {
                    // Something newer was recorded meanwhile, and its attempt has found us speaking.
                    Marked::Changed(newer) if newer.lease.as_ref() == Some(lease) => {
                        Some(marking(*newer, told))
                    }
                    // The lease is gone: this very mark took effect although its answer was lost, or
                    // the lease had run out and somebody else marks what they tell.
                    Marked::Done | Marked::Changed(_) | Marked::Missing => None,
                })
                .collect();
            if rest.is_empty() {
                return Ok(());
            }
        }
        Err(Failure::Contended {
            arn: rest.swap_remove(0).record.finding.arn,
            attempts: MAX_ATTEMPTS,
        })
    }
}

/// The lease of somebody else on a record, if it has not run out.
pub(super) fn held_by_others<'a>(record: &'a Record, attempt: Attempt<'_>) -> Option<&'a Lease> {
    let held = record.lease.as_ref()?;
    (held.until > attempt.now && held.holder != attempt.name).then_some(held)
}

/// The record after `lease` was taken.
pub(super) fn with_lease(record: Record, lease: &Lease) -> Record {
    Record { lease: Some(lease.clone()), revision: record.revision + 1, ..record }
}

/// What people know once they were told of `record` for the reason `why`.
pub(super) fn announced_problems(
    record: &Record,
    why: AlertReason,
) -> impl Iterator<Item = AnnouncedProblem> {
    problems(&record.finding).into_iter().map(move |problem| AnnouncedProblem {
        problem,
        finding: record.finding.arn.clone(),
        priority: record.assessment.priority,
        why,
    })
}
