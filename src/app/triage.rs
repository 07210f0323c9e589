//! The way of one finding: assess → record → decide → render → publish → mark.
//!
//! Calls for an event that changes nothing: one ([`Records::refresh`]). For a new finding: five
//! (`refresh`, [`Records::write`], [`Alerts::permit`], `publish`, [`Alerts::mark`]).

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    attempt::{Attempt, Observation},
    deliver::{MAX_ATTEMPTS, announced_problems, held_by_others, with_lease},
    failure::Failure,
    ports::{Alerts, Permit, PermitRequest, Publisher, Records, Refreshed, WriteOutcome},
};
use crate::{
    domain::{
        announce::{Bucket, Budget},
        assess::{Policy, Priority, assess},
        finding::Finding,
        record::{
            AlertReason, AssessedFinding, Audience, Decision, Lease, Record, Step, Transition,
            decide, step,
        },
    },
    render::{Language, message},
};

/// What became of an event, as the function returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriageResult {
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
    /// What can be set.
    pub config: TriageConfig,
}

/// What can be set of triage.
#[derive(Clone, Debug)]
pub struct TriageConfig {
    /// How findings are assessed.
    pub policy: Policy,
    /// Whether people are told at all. If not, what there is to tell stays pending.
    pub notify: bool,
    /// The language people are told in.
    pub language: Language,
    /// How many messages they get.
    pub budget: Budget,
}

impl Default for TriageConfig {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            notify: true,
            language: Language::default(),
            budget: Budget::default(),
        }
    }
}

impl<S, P> Triage<S, P> {
    /// Triage that keeps records in `store` and tells people through `publisher`.
    pub fn new(store: S, publisher: P, config: TriageConfig) -> Self {
        Self { store, publisher, config }
    }
}

impl<S: Records + Alerts, P: Publisher> Triage<S, P> {
    /// Takes one finding all the way.
    ///
    /// # Errors
    /// Something was not done that should have been. The same event may be given again at any
    /// time: what was done is not done twice.
    pub async fn finding(
        &self,
        finding: Finding,
        attempt: Attempt<'_>,
    ) -> Result<TriageResult, Failure> {
        let assessment = assess(&finding, &self.config.policy, Some(attempt.now));
        let assessed = AssessedFinding::new(finding, assessment, attempt.now);
        let arn = &assessed.finding.arn;
        for _ in 0..MAX_ATTEMPTS {
            attempt.has_time_for(2, arn)?;
            let (record, transition) = match self.record(&assessed).await? {
                Recording::Done(record, transition) => (record, transition),
                Recording::Stale(record) => {
                    let reason = "the record holds a newer state of this finding".to_owned();
                    return Ok(report(&record, Outcome::Stale, reason));
                }
                Recording::Conflict => continue,
            };
            match decide(&record) {
                Decision::Quiet(reason) => {
                    return Ok(match transition {
                        Some(transition) if !record.is_open() => {
                            let reason = ended(transition, &record);
                            report(&record, Outcome::Closed, reason)
                        }
                        _ => report(&record, Outcome::Unchanged, reason.as_str().to_owned()),
                    });
                }
                Decision::Alert(_) if !self.config.notify => {
                    let reason = "recorded; notifications are switched off".to_owned();
                    return Ok(report(&record, Outcome::Pending, reason));
                }
                Decision::Alert(why) => {
                    attempt.has_time_for(3, arn)?;
                    match self.permit(*record, why, attempt).await? {
                        Permitted::Yes(record, lease) => {
                            return self.announce(*record, why, &lease, attempt).await;
                        }
                        Permitted::NotAlone(record, reason) => {
                            return Ok(report(&record, Outcome::Pending, reason.to_owned()));
                        }
                        Permitted::Conflict => {}
                    }
                }
            }
        }
        Err(Failure::Contended { arn: arn.clone(), attempts: MAX_ATTEMPTS })
    }

    /// Puts a sighting into the record.
    async fn record(&self, assessed: &AssessedFinding) -> Result<Recording, Failure> {
        let previous = match self.store.refresh(assessed).await.map_err(Failure::Store)? {
            Refreshed::Done(record) => return Ok(Recording::Done(record, None)),
            Refreshed::Differs(record) => Some(record),
            Refreshed::Missing => None,
        };
        match (step(previous.as_deref(), assessed, &self.config.policy), previous) {
            (Step::Stale, Some(record)) => Ok(Recording::Stale(record)),
            (Step::Repetition, Some(record)) => Ok(Recording::Done(record, None)),
            (Step::Write(record, transition), _) => {
                match self.store.write(&record, transition).await.map_err(Failure::Store)? {
                    WriteOutcome::Applied => Ok(Recording::Done(record, Some(transition))),
                    WriteOutcome::Conflict => Ok(Recording::Conflict),
                }
            }
            // Without a row nothing is stale, or a repetition.
            (Step::Stale | Step::Repetition, None) => Ok(Recording::Conflict),
        }
    }

    /// The right to announce `record` on its own.
    async fn permit(
        &self,
        record: Record,
        why: AlertReason,
        attempt: Attempt<'_>,
    ) -> Result<Permitted, Failure> {
        if let Some(held) = held_by_others(&record, attempt) {
            let (arn, until) = (record.finding.arn.clone(), held.until);
            return Err(Failure::BeingAnnounced { arn, until });
        }
        let lease = Lease::new(attempt.name, attempt.now);
        let permit = if record.token_is_spent() {
            // Its token is spent, and the rest is owed to those who have not heard.
            let records = std::slice::from_ref(&record);
            match self.store.lease(records, &lease).await.map_err(Failure::Store)?[..] {
                [WriteOutcome::Applied] => Permit::Granted,
                _ => Permit::Conflict,
            }
        } else {
            let alone = PermitRequest {
                now: attempt.now,
                budget: self.config.budget,
                bucket: Bucket::of(record.assessment.priority),
                known: announced_problems(&record, why).collect(),
            };
            self.store.permit(&record, &lease, &alone).await.map_err(Failure::Store)?
        };
        Ok(match permit {
            Permit::Granted => Permitted::Yes(Box::new(with_lease(record, &lease)), lease),
            Permit::Conflict => Permitted::Conflict,
            Permit::AlreadyAnnounced => Permitted::NotAlone(
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
        why: AlertReason,
        lease: &Lease,
        attempt: Attempt<'_>,
    ) -> Result<TriageResult, Failure> {
        attempt.has_time_for(2, &record.finding.arn)?;
        let all = self.publisher.audiences();
        let missing: Vec<Audience> = all
            .iter()
            .copied()
            .filter(|audience| !record.delivered_to().contains(audience))
            .collect();
        let sent = join_all(missing.iter().map(async |&audience| {
            let message = message::alert(audience, &record, why, attempt.now, self.config.language);
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
        let told = record.delivery(why, &heard, all, attempt.now, true);
        if failed.is_none() || !heard.is_empty() {
            self.note(vec![(record, told)], lease, attempt).await?;
        }
        match failed {
            Some(failed) => Err(Failure::Publisher(failed)),
            None => Ok(report),
        }
    }
}

/// Whether a finding gets a message of its own.
enum Permitted {
    /// It does: the record with the lease noted in it.
    Yes(Box<Record>, Lease),
    /// It does not, and why.
    NotAlone(Box<Record>, &'static str),
    /// The row has changed meanwhile.
    Conflict,
}

/// How far [`Triage::record`] came.
enum Recording {
    /// The row is as it should be, perhaps after a change that matters.
    Done(Box<Record>, Option<Transition>),
    /// The row is newer.
    Stale(Box<Record>),
    /// Somebody else was faster; look again.
    Conflict,
}

fn ended(transition: Transition, record: &Record) -> String {
    let status = &record.finding.status;
    match transition {
        Transition::FirstSeenEnded => format!("first heard of when it was {status}"),
        _ => format!("recorded as {status}"),
    }
}

fn report(record: &Record, outcome: Outcome, reason: String) -> TriageResult {
    TriageResult {
        finding_arn: record.finding.arn.clone(),
        priority: record.assessment.priority,
        score: record.assessment.score,
        due_at: record.due_at,
        outcome,
        reason,
    }
}
