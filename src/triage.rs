//! The way of one finding: assess → record → decide → render → publish → mark.
//!
//! Calls for an event that changes nothing: one ([`Store::refresh`]). For a new finding: four
//! (`refresh`, [`Store::write`], [`Publish::publish`], [`Store::mark`]).

use jiff::Timestamp;
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

    /// Takes the right to announce `record`, if the row is still that one.
    ///
    /// # Errors
    /// The call did not succeed; whether it took effect is unknown, and it may be repeated.
    fn lease(
        &self,
        record: &Record,
        lease: &Lease,
    ) -> impl Future<Output = Result<Outran, CallFailed>> + Send;

    /// Remembers that `record` was announced, and gives the lease back, if `lease` still holds.
    ///
    /// # Errors
    /// The call did not succeed; whether it took effect is unknown, and it may be repeated.
    fn mark(
        &self,
        record: &Record,
        lease: &Lease,
        announced: &Announced,
    ) -> impl Future<Output = Result<Outran, CallFailed>> + Send;
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

/// How often a race for a row is run before the invocation gives up.
const ATTEMPTS: usize = 5;

impl<S: Store, P: Publish> Triage<S, P> {
    /// Takes one finding all the way, as of `now`.
    ///
    /// `attempt` names this attempt of this invocation; no two attempts share a name.
    ///
    /// # Errors
    /// Something was not done that should have been. The same event may be given again at any
    /// time: what was done is not done twice.
    pub async fn finding(
        &self,
        finding: Finding,
        now: Timestamp,
        attempt: &str,
    ) -> Result<Report, Failure> {
        let assessment = assess(&finding, &self.policy, Some(now));
        let sighting = Sighting::new(finding, assessment, now);
        for _ in 0..ATTEMPTS {
            let (record, recorded) = match self.record(&sighting, attempt).await? {
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
                    if let Some(lease) = self.leased(&record, &recorded, now, attempt).await? {
                        return self.announce(&record, why, &lease, now).await;
                    }
                }
            }
        }
        Err(Failure::Contended { arn: sighting.finding.arn, attempts: ATTEMPTS })
    }

    /// Puts a sighting into the record.
    async fn record(&self, sighting: &Sighting, attempt: &str) -> Result<Recording, Failure> {
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
                self.prepare(&mut record, sighting.seen_at, attempt);
                match self.store.write(&record, transition).await.map_err(Failure::Store)? {
                    Outran::No => Ok(Recording::Done(record, Recorded::Transition(transition))),
                    Outran::Yes => Ok(Recording::Outran),
                }
            }
            // The row was another one when it was compared than when it came back.
            _ => Ok(Recording::Outran),
        }
    }

    /// Notes in a record that is about to be written whether it waits to be told, and takes the
    /// right to tell it in the same write, unless somebody else holds it.
    fn prepare(&self, record: &mut Record, now: Timestamp, attempt: &str) {
        if let Decision::Quiet(_) = decide(record) {
            record.pending_since = None;
            return;
        }
        record.pending_since.get_or_insert(now);
        if self.notify && !held(record, now) {
            record.lease = Some(Lease::new(attempt, now));
        }
    }

    /// The right to announce `record`: taken when it was written, or now; `None` if the row has
    /// changed meanwhile.
    async fn leased(
        &self,
        record: &Record,
        recorded: &Recorded,
        now: Timestamp,
        attempt: &str,
    ) -> Result<Option<Lease>, Failure> {
        match &record.lease {
            Some(lease)
                if matches!(recorded, Recorded::Transition(_)) && lease.holder == attempt =>
            {
                Ok(Some(lease.clone()))
            }
            Some(lease) if lease.until > now => {
                Err(Failure::BeingAnnounced { arn: record.finding.arn.clone(), until: lease.until })
            }
            _ => {
                let lease = Lease::new(attempt, now);
                let outran = self.store.lease(record, &lease).await.map_err(Failure::Store)?;
                Ok((outran == Outran::No).then_some(lease))
            }
        }
    }

    /// Tells people, then remembers that they were told.
    async fn announce(
        &self,
        record: &Record,
        why: Why,
        lease: &Lease,
        now: Timestamp,
    ) -> Result<Report, Failure> {
        let message = message::email(record, why, self.language);
        self.publisher.publish(&message).await.map_err(Failure::Publish)?;
        let announced = Announced { at: now, why, facts: record.facts(), opening: record.opening };
        // Outran: the lease had run out and somebody else took over. People have been told all
        // the same, and that somebody marks what it tells them.
        self.store.mark(record, lease, &announced).await.map_err(Failure::Store)?;
        Ok(report(record, Outcome::Announced, why.as_str().to_owned()))
    }
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

fn held(record: &Record, now: Timestamp) -> bool {
    record.lease.as_ref().is_some_and(|lease| lease.until > now)
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
