//! The way of one finding: assess → record → decide → render → publish → mark.
//!
//! Calls for an event that changes nothing: one ([`Records::refresh`]). For a new finding: five
//! (`refresh`, [`Records::write`], [`Alerts::permit`], `publish`, [`Alerts::mark`]).

use futures_util::future::{join, join_all};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    attempt::{Attempt, CALL_TIMEOUT, Observation},
    deliver::{MAX_ATTEMPTS, announced_problems, held_by_others, with_lease},
    failure::{CallFailed, Failure, chain},
    ports::{
        Alerts, Exceptions, Leased, NotPublished, Permit, PermitRequest, Publisher, Records,
        Refreshed, WriteOutcome,
    },
    reach::Reach,
    service::Triage,
};
use crate::{
    domain::{
        announce::{Bucket, Listeners},
        assess::{Priority, assess},
        finding::Finding,
        record::{
            AlertReason, AssessedFinding, Audience, Decision, Excepted, Lease, QuietReason, Record,
            Step, Transition, decide, step,
        },
    },
    render::message,
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
    /// By when to act: when its exception ends, if one covers it; null once it has ended.
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
    /// An exception covers it, so that nobody is told.
    Excepted,
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
            Self::Excepted => "excepted",
        }
    }
}

impl<S: Records + Alerts + Exceptions, P: Publisher> Triage<S, P> {
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
            let (mut record, transition) = match self.record(&assessed, attempt).await? {
                Recording::Done(record, transition) => (record, transition),
                Recording::Stale(record) => {
                    let reason = "the record holds a newer state of this finding".to_owned();
                    return Ok(report(&record, Outcome::Stale, reason));
                }
                Recording::Conflict => continue,
            };
            let has_ledger = self.store.has_ledger();
            let may_be_explained = transition.is_some() && has_ledger && record.is_hidden();
            let may_look = self.config.notify || has_ledger;
            let has_looked = may_look
                && self.has_more_to_look_at()
                && (may_be_explained || matches!(decide(&record), Decision::Alert(_)));
            if has_looked {
                let under = self.look(std::slice::from_mut(&mut *record), attempt).await.pop();
                if let Some((excepted, what)) = under.flatten() {
                    attempt.has_time_for(1, arn)?;
                    let excepted = excepted.rewritten();
                    let written = self.store.write(&excepted, what).await;
                    match written.map_err(Failure::Store)? {
                        WriteOutcome::Applied => *record = excepted,
                        WriteOutcome::Conflict => continue,
                    }
                }
            }
            match decide(&record) {
                Decision::Quiet(QuietReason::Excepted) => {
                    let reason = excepted(&record);
                    return Ok(report(&record, Outcome::Excepted, reason));
                }
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
                Decision::Alert(_) if record.priority() < self.config.alone_from => {
                    let reason = format!(
                        "less urgent than {}; a summary will have it",
                        self.config.alone_from
                    );
                    return Ok(report(&record, Outcome::Pending, reason));
                }
                Decision::Alert(why) => {
                    attempt.has_time_for(3, arn)?;
                    // Without a permit, which knows what others have found out, it is asked.
                    let listeners = if record.token_is_spent() {
                        self.ask_listeners(attempt).await
                    } else {
                        self.listeners(attempt).await
                    };
                    let reach = self.reach(&listeners);
                    if record.not_delivered_to(&reach.now).is_empty() {
                        let reason =
                            "recorded; nobody listens: the topic has no confirmed subscription";
                        return Ok(report(&record, Outcome::Pending, reason.to_owned()));
                    }
                    match self.permit(*record, why, listeners, has_looked, attempt).await? {
                        Permitted::Yes(record, lease) => {
                            return self.announce(*record, why, &lease, reach, attempt).await;
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

    /// Puts a sighting into the record, and tells nobody: what there is to tell waits for a summary.
    pub(super) async fn recorded(
        &self,
        assessed: &AssessedFinding,
        attempt: Attempt<'_>,
    ) -> Result<(), Failure> {
        for _ in 0..MAX_ATTEMPTS {
            if !matches!(self.record(assessed, attempt).await?, Recording::Conflict) {
                return Ok(());
            }
        }
        let arn = assessed.finding.arn.clone();
        Err(Failure::Contended { arn, attempts: MAX_ATTEMPTS })
    }

    /// Puts a sighting into the record.
    async fn record(
        &self,
        assessed: &AssessedFinding,
        attempt: Attempt<'_>,
    ) -> Result<Recording, Failure> {
        let previous = match self.store.refresh(assessed).await.map_err(Failure::Store)? {
            Refreshed::Done(record) => return self.caught_up(record, attempt).await,
            Refreshed::Differs(record) => Some(record),
            Refreshed::Missing => None,
        };
        match (step(previous.as_deref(), assessed, &self.config.policy), previous) {
            (Step::Stale, Some(record)) => Ok(Recording::Stale(record)),
            (Step::Repetition, Some(record)) => self.caught_up(record, attempt).await,
            (Step::Write(record, transition), _) => {
                // Whether somebody listens is asked meanwhile, where it has to be asked at all.
                let tells = self.config.notify
                    && record.priority() >= self.config.alone_from
                    && matches!(decide(&record), Decision::Alert(_));
                let listeners = async {
                    if tells {
                        drop(self.listeners(attempt).await);
                    }
                };
                let (written, ()) = join(self.store.write(&record, transition), listeners).await;
                match written.map_err(Failure::Store)? {
                    WriteOutcome::Applied => Ok(Recording::Done(record, Some(transition))),
                    WriteOutcome::Conflict => Ok(Recording::Conflict),
                }
            }
            // Without a row nothing is stale, or a repetition.
            (Step::Stale | Step::Repetition, None) => Ok(Recording::Conflict),
        }
    }

    /// A row as it has to be after an event that changed nothing by itself: it may change what is judged from it and from what
    /// is known of attacks.
    async fn caught_up(
        &self,
        record: Box<Record>,
        attempt: Attempt<'_>,
    ) -> Result<Recording, Failure> {
        let Some(changed) = record.caught_up(&self.config.policy, attempt.now) else {
            return Ok(Recording::Done(record, None));
        };
        let (changed, transition) = (changed.rewritten(), Transition::Reassessed);
        match self.store.write(&changed, transition).await.map_err(Failure::Store)? {
            WriteOutcome::Applied => Ok(Recording::Done(Box::new(changed), Some(transition))),
            WriteOutcome::Conflict => Ok(Recording::Conflict),
        }
    }

    /// The right to announce `record` on its own.
    async fn permit(
        &self,
        record: Record,
        why: AlertReason,
        listeners: Listeners,
        has_looked: bool,
        attempt: Attempt<'_>,
    ) -> Result<Permitted, Failure> {
        if held_by_others(&record, attempt).is_some() {
            // Whoever holds it looks at the row again when it has told people; if it dies, the next flush does.
            let reason = "another invocation tells people of it now; what is left goes into the next summary";
            return Ok(Permitted::NotAlone(Box::new(record), reason));
        }
        let lease = Lease::new(attempt.name, attempt.now);
        let permit = if record.token_is_spent() {
            // Its token is spent, and the rest is owed to those who have not heard.
            let records = std::slice::from_ref(&record);
            let limit = attempt.until(CALL_TIMEOUT * 2);
            match self.store.lease(records, &lease, limit).await.map_err(Failure::Store)?[..] {
                [Leased::Taken] => Permit::Granted,
                [Leased::TooBusy] => Permit::NoToken,
                _ => Permit::Conflict,
            }
        } else {
            let alone = PermitRequest {
                now: attempt.now,
                budget: self.config.budget,
                bucket: Bucket::of(record.priority()),
                problems: announced_problems(&record, why).collect(),
                listeners,
                has_looked,
            };
            self.store.permit(&record, &lease, &alone).await.map_err(Failure::Store)?
        };
        Ok(match permit {
            Permit::Granted => Permitted::Yes(Box::new(with_lease(record, &lease)), lease),
            Permit::Conflict => Permitted::Conflict,
            Permit::LookFirst => {
                self.learn_threats();
                Permitted::Conflict
            }
            Permit::OtherListeners(listeners) => {
                self.learn_listeners(listeners);
                Permitted::Conflict
            }
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
        reach: Reach,
        attempt: Attempt<'_>,
    ) -> Result<TriageResult, Failure> {
        attempt.has_time_for(2, &record.finding.arn)?;
        let missing = record.not_delivered_to(&reach.now);
        let telling = missing.iter().map(|&audience| self.tell(audience, &record, why, attempt));
        let (mut heard, mut failed) = (Vec::new(), None);
        for (told, &audience) in join_all(telling).await.into_iter().zip(&missing) {
            match told {
                Ok(()) => heard.push(audience),
                Err(error) => {
                    let reason = chain(&error);
                    (attempt.observe)(Observation::AudienceFailed { audience, reason });
                    failed = Some(error);
                }
            }
        }
        if !heard.is_empty() {
            let about = std::iter::once(&record.finding);
            (attempt.observe)(Observation::announced(about, attempt.now));
        }

        let report = report(&record, Outcome::Announced, why.as_str().to_owned());
        let delivery = record.delivery(why, &heard, &reach.all, attempt.now, true);
        if failed.is_none() || !heard.is_empty() {
            let limit = attempt.until_the_end();
            self.note(vec![(record, delivery)], lease, attempt, limit).await?;
        }
        match failed {
            Some(failed) => Err(Failure::Publisher(failed)),
            None => Ok(report),
        }
    }

    /// Tells one audience of one finding. If the message is refused, a plain one says that there is this finding.
    async fn tell(
        &self,
        audience: Audience,
        record: &Record,
        why: AlertReason,
        attempt: Attempt<'_>,
    ) -> Result<(), CallFailed> {
        let message = message::alert(audience, record, why, attempt.now, &self.config.style);
        match self.publisher.publish(audience, &message).await {
            Ok(()) => Ok(()),
            Err(NotPublished::Failed(failed)) => Err(failed),
            Err(NotPublished::Refused(refused)) => {
                self.tell_plainly(audience, record, why, &refused, attempt).await
            }
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

fn excepted(record: &Record) -> String {
    match record.exception() {
        Some(Excepted { id, owner, terms, .. }) => {
            format!("exception {id} covers it until {} ({owner})", terms.expires_at)
        }
        None => QuietReason::Excepted.as_str().to_owned(),
    }
}

fn report(record: &Record, outcome: Outcome, reason: String) -> TriageResult {
    TriageResult {
        finding_arn: record.finding.arn.clone(),
        priority: record.priority(),
        score: record.score(),
        due_at: record.act_by(),
        outcome,
        reason,
    }
}
