//! What one finding and many have in common: who may tell, and what is remembered afterwards.

use super::{
    attempt::{Attempt, Observation, TimeLimit},
    failure::{CallFailed, Failure, chain},
    ports::{Alerts, AnnouncedProblem, Marked, Marking, NotPublished, Publisher},
    service::Triage,
};
use crate::{
    domain::{
        announce::problems,
        record::{AlertReason, Audience, Delivery, Lease, Record},
    },
    render::message,
};

/// How often a race for a row is run before the attempt gives up.
pub(super) const MAX_ATTEMPTS: usize = 5;

impl<S, P: Publisher> Triage<S, P> {
    /// Tells one audience that there is a finding, whose own message was `refused`.
    pub(super) async fn tell_plainly(
        &self,
        audience: Audience,
        record: &Record,
        why: AlertReason,
        refused: &CallFailed,
        attempt: Attempt<'_>,
    ) -> Result<(), CallFailed> {
        let (arn, audience_name) = (&record.finding.arn, audience.as_str());
        (attempt.observe)(Observation::Warning {
            what: format!(
                "{audience_name} gets a plain message of finding {arn}: its own was refused"
            ),
            reason: chain(refused),
        });
        let message = message::plain(audience, record, why, attempt.now, &self.config.style);
        self.publisher.publish(audience, &message).await.map_err(NotPublished::into_call)
    }
}

impl<S: Alerts, P> Triage<S, P> {
    /// Remembers who has heard of findings, trying until `limit`.
    pub(super) async fn note(
        &self,
        deliveries: Vec<(Record, Delivery)>,
        lease: &Lease,
        attempt: Attempt<'_>,
        limit: TimeLimit<'_>,
    ) -> Result<(), Failure> {
        let marking = |row: Record, delivery: Delivery| Marking {
            record: row.with_delivery(&delivery, attempt.now),
            delivery,
        };
        let mut rest: Vec<Marking> =
            deliveries.into_iter().map(|(row, delivery)| marking(row, delivery)).collect();
        let mut unmarked = 0;
        for _ in 0..MAX_ATTEMPTS {
            let marked = self.store.mark(&rest, lease, limit).await.map_err(Failure::Store)?;
            rest = rest
                .into_iter()
                .zip(marked)
                .filter_map(|(Marking { delivery, .. }, marked)| match marked {
                    // Something newer was recorded meanwhile, and its attempt has found us speaking.
                    Marked::Changed(newer) if newer.lease.as_ref() == Some(lease) => {
                        Some(marking(*newer, delivery))
                    }
                    Marked::TooBusy => {
                        unmarked += 1;
                        None
                    }
                    // The lease is gone: this very mark took effect although its answer was lost, or
                    // the lease had run out and somebody else marks what they tell.
                    Marked::Done | Marked::Changed(_) | Marked::Missing => None,
                })
                .collect();
            if rest.is_empty() {
                return if unmarked == 0 { Ok(()) } else { Err(Failure::Unmarked(unmarked)) };
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
        priority: record.priority(),
        why,
    })
}
