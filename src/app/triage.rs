//! The way of one finding: assess → record → decide → render → publish → mark; and of many that
//! wait, in one summary.
//!
//! Calls for an event that changes nothing: one ([`Store::refresh`]). For a new finding: five
//! (`refresh`, [`Store::write`], [`Store::permit`], [`Publish::publish`], [`Store::mark`]).

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    failure::Failure,
    ports::{Alone, Known, Marked, Marking, Outran, Permit, Publish, Refreshed, Store},
};
use crate::{
    domain::{
        announce::{Bucket, Budget, problems},
        assess::{Policy, Priority, assess},
        finding::Finding,
        record::{
            Audience, Decision, Lease, Record, Sighting, Step, Told, Transition, Why, decide, step,
        },
    },
    render::message::{self, Language},
};

/// What became of an event, as the function returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The finding.
    pub finding_arn: String,
    /// Its priority, as recorded.
    pub priority: Priority,
    /// Its score, as recorded.
    pub score: u8,
    /// By when to act; null once it has ended.
    pub due_at: Option<Timestamp>,
    /// What was done.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
}

/// What was done about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// People were told.
    Announced,
    /// People are yet to be told.
    Pending,
    /// There was nothing to tell.
    Unchanged,
    /// The event was older than what is recorded.
    Stale,
    /// The finding has ended, which is recorded.
    Closed,
}

impl Outcome {
    /// The outcome as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Pending => "pending",
            Self::Unchanged => "unchanged",
            Self::Stale => "stale",
            Self::Closed => "closed",
        }
    }
}

/// How findings are triaged: the settings and the way out.
#[derive(Clone, Debug)]
pub struct Triage<S, P> {
    /// Where records are kept.
    pub store: S,
    /// Where messages go.
    pub publisher: P,
    /// How findings are assessed.
    pub policy: Policy,
    /// Whether people are told at all. If not, what there is to tell stays pending.
    pub notify: bool,
    /// The language people are told in.
    pub language: Language,
    /// How many messages they get.
    pub budget: Budget,
}

/// One attempt at an event: Lambda makes up to three.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Its name. No two attempts share one.
    pub name: &'a str,
    /// When it began.
    pub now: Timestamp,
    /// How long it may still take, asked when it matters.
    pub left: &'a (dyn Fn() -> SignedDuration + Send + Sync),
    /// Hears of its work what the answer does not say.
    pub observe: &'a (dyn Fn(Observation) + Send + Sync),
}

impl<'a> Attempt<'a> {
    /// An attempt with all the time there is, which nobody watches.
    pub fn new(name: &'a str, now: Timestamp) -> Self {
        Self { name, now, left: &|| SignedDuration::MAX, observe: &|_| () }
    }
}

/// What happens in an attempt, whether it succeeds or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// People were told, of one finding or of several in a summary.
    Announced {
        /// For each finding the time since Inspector changed it, where it says when that was.
        delays: Vec<SignedDuration>,
    },
    /// A flush found what waits to be told.
    Waiting {
        /// How many findings.
        findings: usize,
        /// For how long the oldest of them.
        oldest: SignedDuration,
    },
}

impl Observation {
    pub(super) fn announced<'a>(
        findings: impl Iterator<Item = &'a Finding>,
        now: Timestamp,
    ) -> Self {
        let changed = findings.filter_map(|finding| finding.updated_at);
        Self::Announced { delays: changed.map(|changed| now.duration_since(changed)).collect() }
    }
}

/// How long one request to a store or a topic takes at most, with its repetitions. Who implements
/// [`Store`] and [`Publish`] keeps to it.
///
/// Most calls are one request. [`Store::permit`] and [`Store::begin_summary`] are several where others
/// take tokens at the same time; so are [`Store::waiting`], [`Store::lease`], [`Store::mark`] and
/// [`Store::know`] for many findings, or where a row has changed.
pub const CALL: SignedDuration = SignedDuration::from_secs(6);

/// How often a race for a row is run before the attempt gives up.
const RACES: usize = 5;

impl<S: Store, P: Publish> Triage<S, P> {
    /// Takes one finding all the way.
    ///
    /// # Errors
    /// Something was not done that should have been. The same event may be given again at any
    /// time: what was done is not done twice.
    pub async fn finding(&self, finding: Finding, attempt: Attempt<'_>) -> Result<Report, Failure> {
        let assessment = assess(&finding, &self.policy, Some(attempt.now));
        let sighting = Sighting::new(finding, assessment, attempt.now);
        let arn = &sighting.finding.arn;
        for _ in 0..RACES {
            has_time_for(2, arn, attempt)?;
            let (record, transition) = match self.record(&sighting).await? {
                Recording::Done(record, transition) => (record, transition),
                Recording::Stale(record) => {
                    let reason = "the record holds a newer state of this finding".to_owned();
                    return Ok(report(&record, Outcome::Stale, reason));
                }
                Recording::Outran => continue,
            };
            match decide(&record) {
                Decision::Quiet(silence) => {
                    return Ok(match transition {
                        Some(transition) if !record.is_open() => {
                            let reason = ended(transition, &record);
                            report(&record, Outcome::Closed, reason)
                        }
                        _ => report(&record, Outcome::Unchanged, silence.as_str().to_owned()),
                    });
                }
                Decision::Alert(_) if !self.notify => {
                    let reason = "recorded; notifications are switched off".to_owned();
                    return Ok(report(&record, Outcome::Pending, reason));
                }
                Decision::Alert(why) => {
                    has_time_for(3, arn, attempt)?;
                    match self.permit(*record, why, attempt).await? {
                        Permitted::Yes(record, lease) => {
                            return self.announce(*record, why, &lease, attempt).await;
                        }
                        Permitted::NotAlone(record, reason) => {
                            return Ok(report(&record, Outcome::Pending, reason.to_owned()));
                        }
                        Permitted::Outran => {}
                    }
                }
            }
        }
        Err(Failure::Contended { arn: arn.clone(), races: RACES })
    }

    /// Puts a sighting into the record.
    async fn record(&self, sighting: &Sighting) -> Result<Recording, Failure> {
        let previous = match self.store.refresh(sighting).await.map_err(Failure::Store)? {
            Refreshed::Done(record) => return Ok(Recording::Done(record, None)),
            Refreshed::Differs(record) => Some(record),
            Refreshed::Missing => None,
        };
        match (step(previous.as_deref(), sighting, &self.policy), previous) {
            (Step::Stale, Some(record)) => Ok(Recording::Stale(record)),
            (Step::Repetition, Some(record)) => Ok(Recording::Done(record, None)),
            (Step::Write(mut record, transition), _) => {
                record.pending_since = pending_since(&record, sighting.seen_at);
                match self.store.write(&record, transition).await.map_err(Failure::Store)? {
                    Outran::No => Ok(Recording::Done(record, Some(transition))),
                    Outran::Yes => Ok(Recording::Outran),
                }
            }
            // Without a row nothing is stale, or a repetition.
            (Step::Stale | Step::Repetition, None) => Ok(Recording::Outran),
        }
    }

    /// The right to announce `record` on its own.
    async fn permit(
        &self,
        record: Record,
        why: Why,
        attempt: Attempt<'_>,
    ) -> Result<Permitted, Failure> {
        if let Some(held) = held_by_others(&record, attempt) {
            let (arn, until) = (record.finding.arn.clone(), held.until);
            return Err(Failure::BeingAnnounced { arn, until });
        }
        let lease = Lease::new(attempt.name, attempt.now);
        let permit = if record.is_half_told_alone() {
            // Its token is spent, and the rest is owed to those who have not heard.
            let records = std::slice::from_ref(&record);
            match self.store.lease(records, &lease).await.map_err(Failure::Store)?[..] {
                [Outran::No] => Permit::Granted,
                _ => Permit::Outran,
            }
        } else {
            let alone = Alone {
                now: attempt.now,
                budget: self.budget,
                bucket: Bucket::of(record.assessment.priority),
                known: known_of(&record, why).collect(),
            };
            self.store.permit(&record, &lease, &alone).await.map_err(Failure::Store)?
        };
        Ok(match permit {
            Permit::Granted => Permitted::Yes(Box::new(under(record, &lease)), lease),
            Permit::Outran => Permitted::Outran,
            Permit::Known => Permitted::NotAlone(
                Box::new(record),
                "the same problem was announced not long ago; the next summary has this one",
            ),
            Permit::NoToken => Permitted::NotAlone(
                Box::new(record),
                "enough messages for now; the next summary has it",
            ),
        })
    }

    /// Tells people of one finding, then remembers that they were told.
    async fn announce(
        &self,
        record: Record,
        why: Why,
        lease: &Lease,
        attempt: Attempt<'_>,
    ) -> Result<Report, Failure> {
        has_time_for(2, &record.finding.arn, attempt)?;
        let all = self.publisher.audiences();
        let missing: Vec<Audience> =
            all.iter().copied().filter(|audience| !record.heard().contains(audience)).collect();
        let sent = join_all(missing.iter().map(async |&audience| {
            let message = message::alert(audience, &record, why, attempt.now, self.language);
            self.publisher.publish(audience, &message).await.map(|()| audience)
        }))
        .await;
        let heard: Vec<Audience> =
            sent.iter().filter_map(|sent| sent.as_ref().ok().copied()).collect();
        let failed = sent.into_iter().find_map(Result::err);
        if !heard.is_empty() {
            let about = std::iter::once(&record.finding);
            (attempt.observe)(Observation::announced(about, attempt.now));
        }

        let report = report(&record, Outcome::Announced, why.as_str().to_owned());
        let told = record.telling(why, &heard, all, attempt.now, true);
        if failed.is_none() || !heard.is_empty() {
            self.note(vec![(record, told)], lease, attempt).await?;
        }
        match failed {
            Some(failed) => Err(Failure::Publish(failed)),
            None => Ok(report),
        }
    }

    /// Remembers who has heard of findings.
    pub(super) async fn note(
        &self,
        told: Vec<(Record, Told)>,
        lease: &Lease,
        attempt: Attempt<'_>,
    ) -> Result<(), Failure> {
        let marking = |row: Record, told: Told| {
            let mut record = row.remembering(&told);
            record.pending_since = pending_since(&record, attempt.now);
            Marking { record, told }
        };
        let mut rest: Vec<Marking> =
            told.into_iter().map(|(row, told)| marking(row, told)).collect();
        for _ in 0..RACES {
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
        Err(Failure::Contended { arn: rest.swap_remove(0).record.finding.arn, races: RACES })
    }
}

/// Whether a finding gets a message of its own.
enum Permitted {
    /// It does: the record with the lease noted in it.
    Yes(Box<Record>, Lease),
    /// It does not, and why.
    NotAlone(Box<Record>, &'static str),
    /// The row has changed meanwhile.
    Outran,
}

/// The lease of somebody else on a record, if it has not run out.
pub(super) fn held_by_others<'a>(record: &'a Record, attempt: Attempt<'_>) -> Option<&'a Lease> {
    let held = record.lease.as_ref()?;
    (held.until > attempt.now && held.holder != attempt.name).then_some(held)
}

/// The record after `lease` was taken.
pub(super) fn under(record: Record, lease: &Lease) -> Record {
    Record { lease: Some(lease.clone()), revision: record.revision + 1, ..record }
}

/// What people know once they were told of `record` for the reason `why`.
pub(super) fn known_of(record: &Record, why: Why) -> impl Iterator<Item = Known> {
    problems(&record.finding).into_iter().map(move |problem| Known {
        problem,
        finding: record.finding.arn.clone(),
        priority: record.assessment.priority,
        why,
    })
}

/// Since when `record` waits to be told, if it does.
fn pending_since(record: &Record, now: Timestamp) -> Option<Timestamp> {
    match decide(record) {
        Decision::Quiet(_) => None,
        Decision::Alert(_) => record.pending_since.or(Some(now)),
    }
}

/// Refuses to begin what takes `calls` calls if the attempt would be ended in the midst of it.
pub(super) fn has_time_for(calls: i32, what: &str, attempt: Attempt<'_>) -> Result<(), Failure> {
    let (left, needed) = ((attempt.left)(), CALL * calls);
    if left < needed {
        return Err(Failure::OutOfTime { what: what.to_owned(), left, needed });
    }
    Ok(())
}

/// How far [`Triage::record`] came.
enum Recording {
    /// The row is as it should be, perhaps after a change that matters.
    Done(Box<Record>, Option<Transition>),
    /// The row is newer.
    Stale(Box<Record>),
    /// Somebody else was faster; look again.
    Outran,
}

fn ended(transition: Transition, record: &Record) -> String {
    let status = &record.finding.status;
    match transition {
        Transition::FirstSeenEnded => format!("first heard of when it was {status}"),
        _ => format!("recorded as {status}"),
    }
}

fn report(record: &Record, outcome: Outcome, reason: String) -> Report {
    Report {
        finding_arn: record.finding.arn.clone(),
        priority: record.assessment.priority,
        score: record.assessment.score,
        due_at: record.due_at,
        outcome,
        reason,
    }
}
