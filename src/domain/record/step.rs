//! What an event makes of a record.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{End, Excepted, Facts, How, Record, Transition, Version};
use crate::domain::{
    assess::{Assessment, Policy, assess},
    finding::{Finding, Status},
};

/// A finding as an event shows it, assessed: the candidate for a record.
#[derive(Clone, Debug)]
pub struct AssessedFinding {
    /// What the event says.
    pub finding: Finding,
    /// What we make of it.
    pub assessment: Assessment,
    /// Its place in the order of events.
    pub version: Version,
    /// When we were told.
    pub received_at: Timestamp,
}

impl AssessedFinding {
    /// A finding that was assessed and is seen now.
    pub fn new(finding: Finding, assessment: Assessment, received_at: Timestamp) -> Self {
        let version = Version::of(&finding, received_at);
        Self { finding, assessment, version, received_at }
    }

    /// The facts that matter.
    pub fn facts(&self) -> Facts {
        Facts::of(&self.finding, &self.assessment)
    }

    /// Since when there is this finding, as Inspector says, unless that is unknown or to come.
    fn first_since(&self) -> Timestamp {
        self.finding
            .first_observed_at
            .map_or_else(|| self.since(), |first| first.min(self.received_at))
    }

    /// When the finding came into this state: as Inspector says, unless that is unknown or to come.
    fn since(&self) -> Timestamp {
        let as_of = self.finding.as_of_by(self.received_at);
        as_of.map_or(self.received_at, |as_of| as_of.min(self.received_at))
    }
}

/// What a sighting means for a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The record changes; write it, and the transition into the history.
    Write(Box<Record>, Transition),
    /// The very same state again.
    Repetition,
    /// An older state, come late.
    Stale,
}

/// What `assessed`, which was assessed under `policy`, makes of `previous`. A newer state with the
/// same facts comes here only if the row has them in another spelling than [`Facts::key`]: else it is
/// a refresh.
pub fn step(previous: Option<&Record>, assessed: &AssessedFinding, policy: &Policy) -> Step {
    let Some(previous) = previous else {
        let (record, transition) = first(assessed);
        return Step::Write(Box::new(record.waiting(assessed.received_at)), transition);
    };
    let latest = assessed.received_at.max(previous.last_seen_at);
    let order = if previous.version > Version::bound(latest) {
        Ordering::Greater
    } else {
        assessed.version.cmp(&previous.version)
    };
    let is_absent = previous.end.as_ref().is_some_and(|end| end.by_absence);
    let written = || {
        let now = assessed.received_at;
        let (record, transition) = next(&previous.reassessed_under(policy), assessed, policy);
        let due = policy.due_at(&record.finding, record.threat.as_ref(), record.priority(), now);
        let record = record.covered_still(due, now);
        Step::Write(Box::new(record.waiting(now)), transition)
    };
    match order {
        Ordering::Less => Step::Stale,
        // Nobody said that it had ended.
        Ordering::Equal if is_absent && assessed.finding.status != Status::Closed => written(),
        Ordering::Equal => Step::Repetition,
        Ordering::Greater => written(),
    }
}

impl Record {
    /// The record as if it had been assessed under `policy` when it was last seen, if it was under
    /// another one. A change of policy is not news: what was announced stays announced, under the new
    /// priority.
    pub(super) fn reassessed_under(&self, policy: &Policy) -> Self {
        let mut rebased = self.clone();
        if self.by_event.policy == policy.stamp() {
            return rebased;
        }
        let due_at = self.by_event.due_at;
        let by_event = assess(&self.finding, policy, Some(self.last_seen_at));
        rebased.by_event = Assessment { due_at, ..by_event };
        let (was, is) = (self.facts(), rebased.facts());
        let all = rebased.announced.iter_mut().map(|told| &mut told.facts);
        let some = rebased.partial_delivery.iter_mut().map(|told| &mut told.facts);
        for told in all.chain(some) {
            if told.priority == was.priority {
                told.priority = is.priority;
            } else if told.priority > was.priority {
                told.priority = is.priority.max(told.priority);
            }
            told.exploit |= is.exploit && !was.exploit;
        }
        rebased
    }
}

fn first(assessed: &AssessedFinding) -> (Record, Transition) {
    let now = assessed.received_at;
    let open = assessed.finding.status.is_open();
    let record = Record {
        finding: assessed.finding.clone(),
        by_event: assessed.assessment.clone(),
        version: assessed.version.clone(),
        revision: 1,
        first_seen_at: now,
        last_seen_at: now,
        opening: u32::from(open),
        opened_at: Some(assessed.first_since()),
        ended_at: (!open).then(|| assessed.since()),
        threat: None,
        excepted: None,
        reminded: None,
        end: None,
        due_at: assessed.assessment.due_at.filter(|_| open),
        pending_since: None,
        announced: None,
        partial_delivery: None,
        lease: None,
    };
    (record, if open { Transition::Opened } else { Transition::FirstSeenEnded })
}

fn next(previous: &Record, assessed: &AssessedFinding, policy: &Policy) -> (Record, Transition) {
    let now = assessed.received_at;
    let transition = match (previous.is_open(), &assessed.finding.status) {
        (false, status) if status.is_open() && previous.opening == 0 => Transition::Opened,
        (false, status) if status.is_open() => Transition::Reopened,
        (true, Status::Suppressed) => Transition::Suppressed,
        (true, Status::Closed) => Transition::Closed,
        _ if previous.event_facts().key() == assessed.facts().key() => Transition::Reassessed,
        _ => Transition::Changed,
    };
    let is_explained = previous.exception().is_some() || previous.is_hidden_by_exception();
    let hidden =
        assessed.finding.status == Status::Suppressed && previous.is_open() && is_explained;
    let open = assessed.finding.status.is_open() || hidden;
    let reopened = open && !previous.is_open();
    let came_back = reopened && previous.opening > 0;
    let opened_at = if came_back { Some(assessed.since()) } else { previous.opened_at };
    let ended_as_before = assessed.finding.status == previous.finding.status;
    let ended_at = previous.ended_at.filter(|_| ended_as_before);
    let mut record = Record {
        finding: assessed.finding.clone(),
        by_event: assessed.assessment.clone(),
        version: assessed.version.clone(),
        revision: previous.revision + 1,
        last_seen_at: now.max(previous.last_seen_at),
        opening: previous.opening + u32::from(reopened),
        opened_at,
        ended_at: if open { None } else { Some(ended_at.unwrap_or_else(|| assessed.since())) },
        end: if open { None } else { end(previous, assessed) },
        // The ledger may have changed while it was closed: whoever tells of it looks.
        excepted: previous
            .excepted
            .clone()
            .filter(|one| !reopened || one.ended.is_some())
            .map(|one| Excepted { hidden, ..one }),
        ..previous.clone()
    };
    record.due_at = if open { due(previous, &record, reopened, policy, now) } else { None };
    (record, transition)
}

/// How a finding ended that has. What is known of an end stays known, but that a rule hides it.
fn end(previous: &Record, assessed: &AssessedFinding) -> Option<End> {
    let new = End::new(&assessed.finding.status, assessed.received_at);
    match &previous.end {
        Some(end) if (end.how == How::Suppressed) != (new.how == How::Suppressed) => {
            Some(End { told: end.told, due_at: end.due_at, ..new })
        }
        Some(end) => Some(end.clone()),
        None => previous.is_open().then_some(End { due_at: previous.due_at, ..new }),
    }
}

/// By when to act, once more is known: sooner if the finding grew more urgent; later only if it had
/// ended, or if Inspector rates it lower than before and its class falls with that. That a score
/// falls with the age of a vulnerability gives nobody more time.
fn due(
    previous: &Record,
    record: &Record,
    reopened: bool,
    policy: &Policy,
    now: Timestamp,
) -> Option<Timestamp> {
    let fresh = policy.due_at(&record.finding, record.threat.as_ref(), record.priority(), now);
    let milder = record.finding.severity.rank() < previous.finding.severity.rank()
        && record.priority() < previous.priority();
    match previous.due_at {
        Some(earlier) if !reopened && !milder => {
            Some(fresh.map_or(earlier, |fresh| fresh.min(earlier)))
        }
        _ => fresh,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        assess::Priority,
        finding::sample,
        record::{
            AlertReason, Audience, Decision, QuietReason, decide,
            sample::{after, at},
        },
    };

    #[test]
    fn whatever_the_order_of_arrival_the_newest_state_stands() {
        let first = at("2026-11-20T10:00:00Z", |_| {});
        let raised = at("2026-11-20T11:00:00Z", |f| {
            f["severity"] = json!("CRITICAL");
        });
        let closed = at("2026-11-20T12:00:00Z", |f| f["status"] = json!("CLOSED"));
        for order in [
            [&first, &raised, &closed],
            [&first, &closed, &raised],
            [&raised, &first, &closed],
            [&raised, &closed, &first],
            [&closed, &first, &raised],
            [&closed, &raised, &first],
        ] {
            let record = after(&order.map(Clone::clone));
            assert_eq!(record.finding, closed.finding);
            assert_eq!(record.version, closed.version);
            assert!(!record.is_open() && record.ended_at.is_some() && record.due_at.is_none());
        }
    }

    #[test]
    fn a_due_date_moves_only_with_urgency() {
        let first = at("2026-11-20T10:00:00Z", |_| {});
        let later = |time, seen: &str, change: fn(&mut Value)| {
            let mut assessed = at(time, change);
            assessed.received_at = seen.parse().unwrap();
            let now = Some(assessed.received_at);
            assessed.assessment = assess(&assessed.finding, &Policy::default(), now);
            assessed
        };
        let due = |findings: &[AssessedFinding]| after(findings).due_at.map(|due| due.to_string());
        let no_fix = later("2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z", |f| {
            f["fixAvailable"] = json!("NO");
        });
        let urgent = later("2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z", |f| {
            f["epss"] = json!({"score": 0.9});
        });
        let closed = later("2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z", |f| {
            f["status"] = json!("CLOSED");
        });
        let back = later("2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z", |_| {});
        let less_likely = later("2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z", |f| {
            f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
        });
        let milder = later("2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z", |f| {
            f["severity"] = json!("LOW");
            f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
        });
        let first_due = Some("2026-11-27T12:00:00Z".to_owned());
        assert!(less_likely.assessment.priority < first.assessment.priority);
        assert_eq!(due(&[first.clone(), less_likely]), first_due);
        assert!(due(&[first.clone(), milder]) > first_due);
        assert_eq!(due(std::slice::from_ref(&first)), first_due);
        assert_eq!(due(&[first.clone(), no_fix]), first_due);
        assert_eq!(due(&[first.clone(), urgent]).as_deref(), Some("2026-11-23T12:00:00Z"));
        assert_eq!(due(&[first.clone(), closed.clone()]), None);
        assert_eq!(
            due(&[first.clone(), closed.clone(), back.clone()]).as_deref(),
            Some("2026-11-30T12:00:00Z")
        );
        assert_eq!(after(&[first, closed, back]).opening, 2);
    }

    #[test]
    fn a_priority_that_only_the_policy_changed_is_no_news() {
        let tagged = Policy { urgent_tags: "stage=prod".parse().unwrap(), ..Policy::default() };
        // Two points below P1 without the tag.
        let border = |time: &'static str, policy: &Policy, epss: f64| {
            let finding = sample::with(|f| {
                f["updatedAt"] = json!(time);
                f["epss"] = json!({"score": epss});
                f["resources"][0]["tags"] = json!({"stage": "prod"});
            });
            let now = "2026-11-20T12:00:00Z".parse().unwrap();
            let assessment = assess(&finding, policy, Some(now));
            AssessedFinding::new(finding, assessment, now)
        };
        let epss = (0..1000)
            .map(|n| f64::from(n) / 1000.0)
            .find(|epss| border("2026-11-20T10:00:00Z", &tagged, *epss).assessment.score == 33)
            .unwrap();
        let before = border("2026-11-20T10:00:00Z", &Policy::default(), epss);
        let after = border("2026-11-20T11:00:00Z", &tagged, epss);
        assert_eq!(before.assessment.priority, Priority::P2);
        assert_eq!(after.assessment.priority, Priority::P1);

        let Step::Write(untold, _) = step(None, &before, &Policy::default()) else { panic!() };
        let told = untold.delivery(
            AlertReason::New,
            &[Audience::Email],
            &[Audience::Email],
            before.received_at,
            true,
        );
        let record = untold.clone().with_delivery(&told, before.received_at);
        let Step::Write(reassessed, transition) = step(Some(&record), &after, &tagged) else {
            panic!("a changed priority is a transition")
        };
        assert_eq!(transition, Transition::Reassessed);
        assert_eq!(reassessed.priority(), Priority::P1);
        assert_eq!(decide(&reassessed), Decision::Quiet(QuietReason::AlreadyTold));

        // Nor do those hear it twice who have heard it when others have not.
        let (e_mail, all) = ([Audience::Email], [Audience::Email, Audience::Chat]);
        let told = untold.delivery(AlertReason::New, &e_mail, &all, before.received_at, true);
        let partial_delivery = untold.clone().with_delivery(&told, before.received_at);
        let Step::Write(reassessed, _) = step(Some(&partial_delivery), &after, &tagged) else {
            panic!()
        };
        assert_eq!(decide(&reassessed), Decision::Alert(AlertReason::New));
        assert_eq!(reassessed.delivered_to(), [Audience::Email]);

        // What changes by itself is news all the same.
        let risen = border("2026-11-20T12:00:00Z", &Policy::default(), 0.9);
        let Step::Write(risen, transition) = step(Some(&record), &risen, &Policy::default()) else {
            panic!()
        };
        assert_eq!(transition, Transition::Changed);
        assert_eq!(decide(&risen), Decision::Alert(AlertReason::PriorityRaised));
        // Nor does a new policy hide what nobody has heard of.
        let Step::Write(untold, _) = step(Some(&untold), &after, &tagged) else { panic!() };
        assert_eq!(decide(&untold), Decision::Alert(AlertReason::New));
    }
}
