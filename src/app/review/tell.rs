//! Messages that `review` tells by itself: one audience after the other, with the right to sum up.

use super::{Course, Review};
use crate::{
    app::{
        attempt::{Attempt, CALL_TIMEOUT, Observation},
        failure::{CallFailed, Failure, chain},
        ports::{NotPublished, Publisher, RoundLog, Summaries, SummaryLock},
    },
    domain::record::{Audience, Lease},
    render::message::Message,
};

/// Whether an audience was told.
pub(super) enum Told {
    Yes,
    OutOfTime,
    /// A message was not taken. Another may be.
    Refused(CallFailed),
    Failed(CallFailed),
}

impl<S: Summaries + RoundLog, P: Publisher, I, A> Review<S, P, I, A> {
    /// Takes the right to sum up, with a token for it. None if somebody else has it, or if messages go out at this very moment.
    pub(super) async fn take_right_to_tell(
        &self,
        course: &Course<'_, S>,
    ) -> Result<Option<Lease>, Failure> {
        let attempt = course.attempt();
        let lease = Lease::new(attempt.name, attempt.now);
        let budget = self.triage.config.budget;
        let lock = self.triage.store.lock_summary(&lease, budget, attempt.now).await;
        Ok(match lock.map_err(Failure::Store)? {
            SummaryLock::Acquired => Some(lease),
            SummaryLock::HeldByOther | SummaryLock::TooSoon => None,
        })
    }

    /// Gives that right back.
    pub(super) async fn give_right_to_tell_back(&self, lease: &Lease, attempt: Attempt<'_>) {
        if let Err(failed) = self.triage.store.unlock_summary(lease).await {
            let what = "nobody sums up before this right to do so runs out".to_owned();
            (attempt.observe)(Observation::Warning { what, reason: chain(&failed) });
        }
    }

    /// Tells an audience.
    pub(super) async fn publish_all(
        &self,
        audience: Audience,
        messages: &[Message],
        attempt: Attempt<'_>,
    ) -> Told {
        for message in messages {
            if (attempt.left)() < CALL_TIMEOUT * 3 {
                return Told::OutOfTime;
            }
            match self.triage.publisher.publish(audience, message).await {
                Ok(()) => {}
                Err(NotPublished::Refused(refused)) => return Told::Refused(refused),
                Err(NotPublished::Failed(failed)) => return Told::Failed(failed),
            }
        }
        Told::Yes
    }
}
