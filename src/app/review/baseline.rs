//! The one message about very many findings at once: what the first listing found, or what a new model of EPSS has moved.

use std::collections::{BTreeMap, BinaryHeap};

use jiff::{SignedDuration, Timestamp};

use super::{Course, Noting, Review, tell::Told};
use crate::{
    app::{
        attempt::{Attempt, Observation, TimeLimit},
        failure::{Failure, chain},
        ports::{Alerts, Inspector, Publisher, Records, RoundLog, Summaries, Sweep},
    },
    domain::{
        assess::Priority,
        record::{Audience, Record},
        round::{Ask, Owed, OwedMessage, Part, PartState},
    },
    render::message,
};

/// How many findings the message looks at one by one, the most urgent. It counts all.
const LOOKED_AT: usize = 2_000;

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog,
    P: Publisher,
    I: Inspector,
{
    /// Tells a message that is owed to those who have not heard and who listen. What cannot be told now is owed further, to
    /// the next event; where it failed, to the next that does not only go on. Returns whether the round may go on.
    pub(super) async fn tell_owed(
        &self,
        what: Owed,
        ask: Ask,
        course: &mut Course<'_, S>,
    ) -> Result<bool, Failure> {
        let attempt = course.attempt();
        let Some(owed) = course.owed(what).map(|owed| owed.clone()) else { return Ok(true) };
        let has_failed = owed.failed_at.is_some() && ask.go_on;
        // What CISA lists of it belongs to it. But it does not wait for ever.
        let waits = course.round().state(Part::Threat) != PartState::Done
            && attempt.now.duration_since(owed.at) < WAITS_FOR_THREATS;
        if has_failed
            || waits
            || !self.triage.config.notify
            || attempt.has_time_for(4, OWED).is_err()
        {
            return Ok(true);
        }
        let reach = self.triage.reach(&self.triage.ask_listeners(attempt).await);
        let missing = |audiences: &[Audience], told: &[Audience]| {
            audiences.iter().copied().filter(|one| !told.contains(one)).collect::<Vec<_>>()
        };
        let audiences = missing(&reach.now, &owed.told);
        if audiences.is_empty() {
            if missing(&reach.all, &owed.told).is_empty() && !owed.told.is_empty() {
                course.settle(what);
            }
            return Ok(true);
        }
        let Some(inventory) = self.inventory(&owed, course.limit()).await? else {
            return Ok(true);
        };
        let is_settled =
            owed.listed_at.is_none_or(|listed| course.now().duration_since(listed) >= INDEX_LAG);
        if inventory.count() < owed.recorded && !is_settled {
            return Ok(true);
        }
        if inventory.by_priority.is_empty() {
            course.settle(what);
            return Ok(true);
        }
        if !course.note(Noting::GoOn).await? {
            return Ok(false);
        }
        let Some(lease) = self.take_right_to_tell(course).await? else { return Ok(true) };
        let told = self.tell_inventory(what, &inventory, &audiences, course).await;
        self.give_right_to_tell_back(&lease, course.attempt()).await;
        let may_go_on = told?;
        let told = course.owed(what).map(|owed| owed.told.clone()).unwrap_or_default();
        if missing(&reach.all, &told).is_empty() {
            course.settle(what);
        }
        Ok(may_go_on)
    }

    /// Tells each of `audiences`, and writes down who has heard, one by one. Returns whether the round may go on.
    async fn tell_inventory(
        &self,
        what: Owed,
        inventory: &Inventory,
        audiences: &[Audience],
        course: &mut Course<'_, S>,
    ) -> Result<bool, Failure> {
        for &audience in audiences {
            let attempt = course.attempt();
            let told = match self.tell_one(what, inventory, audience, attempt).await {
                Told::Yes => true,
                Told::OutOfTime => return Ok(true),
                Told::Refused(failed) | Told::Failed(failed) => {
                    let reason = chain(&failed);
                    (attempt.observe)(Observation::AudienceFailed { audience, reason });
                    false
                }
            };
            if let Some(owed) = course.owed(what) {
                if told {
                    owed.told.push(audience);
                } else {
                    owed.failed_at = Some(attempt.now);
                }
            }
            if !course.note(Noting::GoOn).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells one audience; in plain words, if its messages are refused.
    async fn tell_one(
        &self,
        what: Owed,
        inventory: &Inventory,
        audience: Audience,
        attempt: Attempt<'_>,
    ) -> Told {
        let style = &self.triage.config.style;
        let messages = |records: &[&Record]| {
            message::of_very_many(
                what,
                audience,
                &inventory.by_priority,
                records,
                attempt.now,
                style,
            )
        };
        let records: Vec<&Record> = inventory.most_urgent.iter().collect();
        let told = self.publish_all(audience, &messages(&records), attempt).await;
        let Told::Refused(refused) = told else { return told };
        let who = audience.as_str();
        (attempt.observe)(Observation::Warning {
            what: format!(
                "{who} gets plain messages of very many findings at once: one was refused"
            ),
            reason: chain(&refused),
        });
        let plain = message::plain_records(&records, style);
        let plain: Vec<&Record> = plain.iter().collect();
        self.publish_all(audience, &messages(&plain), attempt).await
    }

    /// What that listing recorded, or that round has moved, and is still open; none if there was no time to see all of it.
    async fn inventory(
        &self,
        baseline: &OwedMessage,
        limit: TimeLimit<'_>,
    ) -> Result<Option<Inventory>, Failure> {
        let mut inventory = Collected::default();
        let each = |record| inventory.add(record, baseline.at);
        let is_all = self.triage.store.each_open(limit, each).await.map_err(Failure::Store)?;
        Ok(is_all.then(|| inventory.finish()))
    }
}

const OWED: &str = "the message about very many findings at once";

/// For how long an index may lag behind the rows: seconds, says AWS, so this is ample.
const INDEX_LAG: SignedDuration = SignedDuration::from_secs(60);

/// For how long the message waits for what is known of attacks.
const WAITS_FOR_THREATS: SignedDuration = SignedDuration::from_hours(6);

/// What is told.
struct Inventory {
    /// How many of them there are that an exception covers, of which nobody is told.
    excepted: u64,
    by_priority: BTreeMap<Priority, usize>,
    /// The most urgent first.
    most_urgent: Vec<Record>,
}

impl Inventory {
    fn count(&self) -> u64 {
        let counts = self.by_priority.values();
        let told: u64 = counts.map(|count| u64::try_from(*count).unwrap_or(u64::MAX)).sum();
        told.saturating_add(self.excepted)
    }
}

/// What was seen so far: of the findings only the most urgent are kept.
#[derive(Default)]
struct Collected {
    excepted: u64,
    by_priority: BTreeMap<Priority, usize>,
    /// The least urgent on top.
    kept: BinaryHeap<Kept>,
}

impl Collected {
    fn add(&mut self, record: Record, told_at: Timestamp) {
        if record.announced.as_ref().is_none_or(|told| told.at != told_at) {
            return;
        }
        if record.exception().is_some() {
            self.excepted += 1;
            return;
        }
        *self.by_priority.entry(record.priority()).or_default() += 1;
        self.kept.push(Kept(record));
        if self.kept.len() > LOOKED_AT {
            self.kept.pop();
        }
    }

    fn finish(self) -> Inventory {
        let kept = self.kept.into_sorted_vec();
        let most_urgent = kept.into_iter().map(|kept| kept.0).collect();
        Inventory { excepted: self.excepted, by_priority: self.by_priority, most_urgent }
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
