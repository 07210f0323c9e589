//! The one message about all that was there before: what the first listing found.

use std::collections::{BTreeMap, BinaryHeap};

use jiff::Timestamp;

use super::{Course, Review};
use crate::{
    app::{
        attempt::{Attempt, CALL_TIMEOUT, Observation},
        failure::{Failure, chain},
        ports::{
            Alerts, Inspector, OpenRecords, Publisher, Records, RoundLog, Summaries, SummaryLock,
        },
    },
    domain::{
        assess::Priority,
        record::{Audience, Lease, Record},
        round::Baseline,
    },
    render::message,
};

/// How many findings the message looks at one by one, the most urgent. It counts all.
const LOOKED_AT: usize = 2_000;

impl<S, P, I> Review<S, P, I>
where
    S: Records + OpenRecords + Alerts + Summaries + RoundLog,
    P: Publisher,
    I: Inspector,
{
    /// Tells what was there at first to those who have not heard and who listen, if that is owed. What cannot be told now
    /// is owed further, to the next event.
    pub(super) async fn tell_baseline(&self, course: &mut Course<'_, S>) -> Result<(), Failure> {
        let attempt = course.attempt;
        let Some(owed) = course.owed_baseline().map(|owed| owed.clone()) else { return Ok(()) };
        if !self.triage.config.notify || attempt.has_time_for(4, BASELINE).is_err() {
            return Ok(());
        }
        let reach = self.triage.reach(&self.triage.ask_listeners(attempt).await);
        let missing = |audiences: &[Audience], told: &[Audience]| {
            audiences.iter().copied().filter(|one| !told.contains(one)).collect::<Vec<_>>()
        };
        let audiences = missing(&reach.now, &owed.told);
        if audiences.is_empty() {
            if missing(&reach.all, &owed.told).is_empty() && !owed.told.is_empty() {
                course.rounds.baseline = None;
            }
            return Ok(());
        }
        let inventory = self.inventory(&owed).await?;
        if inventory.by_priority.is_empty() {
            course.rounds.baseline = None;
            return Ok(());
        }
        let lease = Lease::new(attempt.name, attempt.now);
        let lock =
            self.triage.store.lock_summary(&lease, self.triage.config.budget, attempt.now).await;
        match lock.map_err(Failure::Store)? {
            SummaryLock::Acquired => {}
            SummaryLock::HeldByOther | SummaryLock::TooSoon => return Ok(()),
        }
        let told = self.tell_inventory(&inventory, &audiences, course, attempt).await;
        if let Err(failed) = self.triage.store.unlock_summary(&lease).await {
            let what = "nobody sums up before this right to do so runs out".to_owned();
            (attempt.observe)(Observation::Warning { what, reason: chain(&failed) });
        }
        told?;
        let told = course.owed_baseline().map(|owed| owed.told.clone()).unwrap_or_default();
        if missing(&reach.all, &told).is_empty() {
            course.rounds.baseline = None;
        }
        Ok(())
    }

    /// Tells each of `audiences`, and writes down who has heard, one by one.
    async fn tell_inventory(
        &self,
        inventory: &Inventory,
        audiences: &[Audience],
        course: &mut Course<'_, S>,
        attempt: Attempt<'_>,
    ) -> Result<(), Failure> {
        let most_urgent: Vec<&Record> = inventory.most_urgent.iter().collect();
        for &audience in audiences {
            let style = &self.triage.config.style;
            let messages = message::baseline(
                audience,
                &inventory.by_priority,
                &most_urgent,
                attempt.now,
                style,
            );
            let mut is_told = true;
            for message in messages {
                if (attempt.left)() < CALL_TIMEOUT * 3 {
                    return Ok(());
                }
                if let Err(not) = self.triage.publisher.publish(audience, &message).await {
                    let reason = chain(&not.into_call());
                    (attempt.observe)(Observation::AudienceFailed { audience, reason });
                    is_told = false;
                    break;
                }
            }
            if !is_told {
                continue;
            }
            if let Some(owed) = course.owed_baseline() {
                owed.told.push(audience);
            }
            course.note(super::Noting::GoOn).await?;
        }
        Ok(())
    }

    /// What the first listing recorded and is still open.
    async fn inventory(&self, baseline: &Baseline) -> Result<Inventory, Failure> {
        let mut inventory = Collected::default();
        let each = |record| inventory.add(record, baseline.at);
        self.triage.store.each_open(each).await.map_err(Failure::Store)?;
        Ok(inventory.finish())
    }
}

const BASELINE: &str = "the message about what was there at first";

/// What is told.
struct Inventory {
    by_priority: BTreeMap<Priority, usize>,
    /// The most urgent first.
    most_urgent: Vec<Record>,
}

/// What was seen so far: of the findings only the most urgent are kept.
#[derive(Default)]
struct Collected {
    by_priority: BTreeMap<Priority, usize>,
    /// The least urgent on top.
    kept: BinaryHeap<Kept>,
}

impl Collected {
    fn add(&mut self, record: Record, told_at: Timestamp) {
        if record.announced.as_ref().is_none_or(|told| told.at != told_at) {
            return;
        }
        *self.by_priority.entry(record.assessment.priority).or_default() += 1;
        self.kept.push(Kept(record));
        if self.kept.len() > LOOKED_AT {
            self.kept.pop();
        }
    }

    fn finish(self) -> Inventory {
        let kept = self.kept.into_sorted_vec();
        let most_urgent = kept.into_iter().map(|kept| kept.0).collect();
        Inventory { by_priority: self.by_priority, most_urgent }
    }
}

/// A record, in the order of urgency: the more urgent, the smaller.
struct Kept(Record);

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0.urgency() == other.0.urgency()
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.urgency().cmp(&other.0.urgency())
    }
}
