//! The way of one finding: assess → record → decide → render → publish → mark.
//!
//! Calls for an event that changes nothing: one ([`Store::refresh`]). For a new finding: five
//! (`refresh`, [`Store::write`], [`Store::lease`], [`Publish::publish`], [`Store::mark`]).

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    announce::{Decision, decide},
    assess::{Policy, Priority, assess},
    failure::{CallFailed, Failure},
    finding::Finding,
    message::{self, Language, Message},
    record::{Announced, Lease, Record, Sighting, Step, Transition, Why, step},
};

/// Where records are kept.
pub trait Store {
    /// Brings a row up to date if it holds the same facts and an older version than `sighting`.
    ///
    /// One call, which also reads: whatever the row is, it comes back.
    ///
    /// # Errors
    /// The call did not succeed; whether it took effect is unknown, and it may be repeated.
    fn refresh(
        &self,
        sighting: &Sighting,
    ) -> impl Future<Output = Result<Refreshed, CallFailed>> + Send;

    /// Writes a row and its transition, both or neither, if the row is still the one before
    /// `record` ([`Record::revision`] less one).
    ///
    /// # Errors
    /// The call did not succeed; whether it took effect is unknown, and it may be repeated.
    fn write(
        &self,
        record: &Record,
        transition: Transition,
    ) -> impl Future<Output = Result<Outran, CallFailed>> + Send;

    /// Takes `lease`, the right to announce `record`, if the row is still that one.
    ///
    /// # Errors
    /// The call did not succeed; whether it took effect is unknown, and it may be repeated.
    fn lease(
        &self,
        record: &Record,
        lease: &Lease,
    ) -> impl Future<Output = Result<Outran, CallFailed>> + Send;

    /// Remembers that `lease` was used to announce what `announced` says, and ends it, if the row
    /// is still `record` and the lease holds. The row goes on waiting to be told if
    /// [`Record::pending_since`] says so.
    ///
    /// # Errors
    /// The call did not succeed; whether it took effect is unknown, and it may be repeated.
    fn mark(
        &self,
        record: &Record,
        lease: &Lease,
        announced: &Announced,
    ) -> impl Future<Output = Result<Marked, CallFailed>> + Send;
}

/// What [`Store::refresh`] came upon.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// The row had the same facts and is up to date now.
    Done(Box<Record>),
    /// The row is another or a newer one.
    Differs(Box<Record>),
    /// There is no row yet.
    Missing,
}

/// Whether a write came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outran {
    /// It took effect.
    No,
    /// Somebody else had changed the row; nothing was written.
    Yes,
}

/// What became of [`Store::mark`].
#[derive(Clone, Debug)]
pub enum Marked {
    /// It took effect.
    Done,
    /// Somebody had changed the row, as it is now; nothing was written.
    Changed(Box<Record>),
    /// There is no row any more.
    Missing,
}

/// Where messages go.
pub trait Publish {
    /// Hands a message over for delivery.
    ///
    /// # Errors
    /// The call did not succeed; whether the message went out is unknown.
    fn publish(&self, message: &Message) -> impl Future<Output = Result<(), CallFailed>> + Send;
}

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
}

/// How a sighting went into the record.
enum Recorded {
    /// The row changed, in a way that matters.
    Transition(Transition),
    /// The row was brought up to date; nothing that matters changed.
    Refreshed,
    /// The row knew it already.
    Repetition,
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
}

/// How long one call of a [`Store`] or [`Publish`] takes at most, with its repetitions. Who
/// implements them keeps to it.
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
            let (record, recorded) = match self.record(&sighting).await? {
                Recording::Done(record, recorded) => (record, recorded),
                Recording::Stale(record) => {
                    let reason = "the record holds a newer state of this finding".to_owned();
                    return Ok(report(&record, Outcome::Stale, reason));
                }
                Recording::Outran => continue,
            };
            match decide(&record) {
                Decision::Quiet(silence) => {
                    return Ok(match recorded {
                        Recorded::Transition(transition) if !record.is_open() => {
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
                    if let Some((record, lease)) = self.lease(*record, attempt).await? {
                        return self.announce(record, why, &lease, attempt).await;
                    }
                }
            }
        }
        Err(Failure::Contended { arn: arn.clone(), races: RACES })
    }

    /// Puts a sighting into the record.
    async fn record(&self, sighting: &Sighting) -> Result<Recording, Failure> {
        let previous = match self.store.refresh(sighting).await.map_err(Failure::Store)? {
            Refreshed::Done(record) => {
                return Ok(Recording::Done(record, Recorded::Refreshed));
            }
            Refreshed::Differs(record) => Some(record),
            Refreshed::Missing => None,
        };
        match (step(previous.as_deref(), sighting), previous) {
            (Step::Stale, Some(record)) => Ok(Recording::Stale(record)),
            (Step::Repetition, Some(record)) => Ok(Recording::Done(record, Recorded::Repetition)),
            (Step::Write(mut record, transition), _) => {
                record.pending_since = pending_since(&record, sighting.seen_at);
                match self.store.write(&record, transition).await.map_err(Failure::Store)? {
                    Outran::No => Ok(Recording::Done(record, Recorded::Transition(transition))),
                    Outran::Yes => Ok(Recording::Outran),
                }
            }
            // The row was another one when it was compared than when it came back.
            _ => Ok(Recording::Outran),
        }
    }

    /// The right to announce `record`, and the record that has it noted; `None` if the row has
    /// changed meanwhile.
    async fn lease(
        &self,
        record: Record,
        attempt: Attempt<'_>,
    ) -> Result<Option<(Record, Lease)>, Failure> {
        if let Some(held) = &record.lease
            && held.until > attempt.now
            && held.holder != attempt.name
        {
            let (arn, until) = (record.finding.arn, held.until);
            return Err(Failure::BeingAnnounced { arn, until });
        }
        let lease = Lease::new(attempt.name, attempt.now);
        Ok(match self.store.lease(&record, &lease).await.map_err(Failure::Store)? {
            Outran::Yes => None,
            Outran::No => {
                let revision = record.revision + 1;
                Some((Record { lease: Some(lease.clone()), revision, ..record }, lease))
            }
        })
    }

    /// Tells people, then remembers that they were told.
    async fn announce(
        &self,
        record: Record,
        why: Why,
        lease: &Lease,
        attempt: Attempt<'_>,
    ) -> Result<Report, Failure> {
        has_time_for(2, &record.finding.arn, attempt)?;
        let message = message::email(&record, why, self.language);
        self.publisher.publish(&message).await.map_err(Failure::Publish)?;
        let report = report(&record, Outcome::Announced, why.as_str().to_owned());
        let announced =
            Announced { at: attempt.now, why, facts: record.facts(), opening: record.opening };
        let mut row = Box::new(record);
        for _ in 0..RACES {
            row.announced = Some(announced.clone());
            row.pending_since = pending_since(&row, attempt.now);
            match self.store.mark(&row, lease, &announced).await.map_err(Failure::Store)? {
                // Something newer was recorded meanwhile, and its attempt has found us speaking.
                Marked::Changed(newer) if newer.lease.as_ref() == Some(lease) => row = newer,
                // The lease is gone: this very mark took effect although its answer was lost, or
                // the lease had run out and somebody else marks what they tell.
                Marked::Done | Marked::Changed(_) | Marked::Missing => return Ok(report),
            }
        }
        Err(Failure::Contended { arn: report.finding_arn, races: RACES })
    }
}

/// Since when `record` waits to be told, if it does.
fn pending_since(record: &Record, now: Timestamp) -> Option<Timestamp> {
    match decide(record) {
        Decision::Quiet(_) => None,
        Decision::Alert(_) => record.pending_since.or(Some(now)),
    }
}

/// Refuses to begin what takes `calls` calls if the attempt would be ended in the midst of it.
fn has_time_for(calls: i32, arn: &str, attempt: Attempt<'_>) -> Result<(), Failure> {
    let (left, needed) = ((attempt.left)(), CALL * calls);
    if left < needed {
        return Err(Failure::OutOfTime { arn: arn.to_owned(), left, needed });
    }
    Ok(())
}

/// How far [`Triage::record`] came.
enum Recording {
    /// The row is as it should be.
    Done(Box<Record>, Recorded),
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
