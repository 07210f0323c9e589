//! What is remembered of a finding, and how an event changes it.
//!
//! Pure: a [`Record`] and a [`Sighting`] give a [`Step`]. The store keeps records and knows how to
//! write them without losing a race; what a record becomes is decided here.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_with::{As, json::JsonString, skip_serializing_none};

use crate::domain::{
    assess::{Assessment, Policy, Priority, assess},
    digest,
    finding::{Finding, FixAvailable, Severity, Status},
};

/// The facts that matter to people: a change of one of them is a transition, worth a row in the
/// history and perhaps an announcement. Everything else about a finding may drift in silence.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Where it is in its life.
    pub status: Status,
    /// Inspector's rating.
    pub severity: Severity,
    /// Our class.
    pub priority: Priority,
    /// Whether an exploit is known.
    pub exploit: bool,
    /// Whether a fix exists.
    pub fix: Option<FixAvailable>,
}

impl Facts {
    /// The facts of a finding that was assessed.
    pub fn of(finding: &Finding, assessment: &Assessment) -> Self {
        Self {
            status: finding.status.clone(),
            severity: finding.severity.clone(),
            priority: assessment.priority,
            exploit: finding.exploit_known(),
            fix: finding.fix_available.clone(),
        }
    }

    /// The most important thing that these facts have and `told` have not.
    pub fn news_since(&self, told: &Self) -> Option<Why> {
        if self.exploit && !told.exploit {
            Some(Why::ExploitSeen)
        } else if self.priority > told.priority {
            Some(Why::PriorityRaised)
        } else if fix_rank(self.fix.as_ref()) > fix_rank(told.fix.as_ref()) {
            Some(Why::FixAppeared)
        } else {
            None
        }
    }

    /// The facts as one string, for a condition on the row.
    pub fn key(&self) -> String {
        let fix = self.fix.as_ref().map_or("UNKNOWN", FixAvailable::as_str);
        let exploit = if self.exploit { "EXPLOIT" } else { "-" };
        format!("{}|{}|{}|{exploit}|fix {fix}", self.status, self.severity, self.priority)
    }
}

/// How much of a fix there is: none or unknown, for some packages, for all.
fn fix_rank(fix: Option<&FixAvailable>) -> u8 {
    match fix {
        Some(FixAvailable::Yes) => 2,
        Some(FixAvailable::Partial) => 1,
        Some(FixAvailable::No | FixAvailable::Other(_)) | None => 0,
    }
}

/// The place of an event in the order of all events about one finding. Compares as text.
///
/// First the moment the state is from ([`Finding::as_of`]; a finding without any date is older than
/// every dated one). Dates before 2024 have one-second resolution, so two different states can
/// claim one moment: then the more alarming one wins (open before ended, then severity, known
/// exploit, EPSS), because a finding shown once too often costs less than one that is lost. Last a
/// digest of the facts, so that whatever the order of arrival, the same one wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// The version of a state of a finding.
    pub fn of(finding: &Finding) -> Self {
        let as_of = finding.as_of().unwrap_or(Timestamp::UNIX_EPOCH);
        let alarm = format!(
            "{}{}{}-{:.5}",
            u8::from(finding.status.is_open()),
            finding.severity.rank(),
            u8::from(finding.exploit_known()),
            finding.epss.unwrap_or(0.0),
        );
        Self(format!("{as_of:.6}~{alarm}~{:08x}", digest(finding)))
    }

    /// The version as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number from what the finding says, leaving out when it was said: the same statement sent
/// again in another envelope is a repetition.
fn digest(finding: &Finding) -> u32 {
    let timeless =
        Finding { sent_at: None, last_observed_at: None, updated_at: None, ..finding.clone() };
    // A finding is a tree of strings, numbers and lists: writing it as JSON cannot fail.
    digest::of(serde_json::to_vec(&timeless).unwrap_or_default())
}

/// A finding as an event shows it, assessed: the candidate for a record.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What the event says.
    pub finding: Finding,
    /// What we make of it.
    pub assessment: Assessment,
    /// Its place in the order of events.
    pub version: Version,
    /// When we were told.
    pub seen_at: Timestamp,
}

impl Sighting {
    /// A finding that was assessed and is seen now.
    pub fn new(finding: Finding, assessment: Assessment, seen_at: Timestamp) -> Self {
        let version = Version::of(&finding);
        Self { finding, assessment, version, seen_at }
    }

    /// The facts that matter.
    pub fn facts(&self) -> Facts {
        Facts::of(&self.finding, &self.assessment)
    }

    /// Since when there is this finding, as Inspector says, unless that is unknown or to come.
    fn first_since(&self) -> Timestamp {
        self.finding.first_observed_at.map_or_else(|| self.since(), |first| first.min(self.seen_at))
    }

    /// When the finding came into this state: as Inspector says, unless that is unknown or to come.
    fn since(&self) -> Timestamp {
        self.finding.as_of().map_or(self.seen_at, |as_of| as_of.min(self.seen_at))
    }
}

/// Why people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody has heard of it.
    New,
    /// It had ended and came back.
    Reopened,
    /// An exploit became known.
    ExploitSeen,
    /// Its priority rose.
    PriorityRaised,
    /// A fix appeared.
    FixAppeared,
}

impl Why {
    /// The reason as one word, as it stands in message attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reopened => "reopened",
            Self::ExploitSeen => "exploit-seen",
            Self::PriorityRaised => "priority-raised",
            Self::FixAppeared => "fix-appeared",
        }
    }
}

/// What people were last told about a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Why,
    /// The facts at that time.
    pub facts: Facts,
    /// Which opening of the finding it was about.
    pub opening: u32,
}

/// Those who are told, each over a topic of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Audience {
    /// People who read e-mail.
    Email,
    /// A channel of a chat, through Amazon Q Developer.
    Chat,
    /// Programs.
    Data,
}

/// An announcement that some have heard and others have not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartlyTold {
    /// What was told.
    pub facts: Facts,
    /// Which opening of the finding it was about.
    pub opening: u32,
    /// Who has heard.
    pub to: Vec<Audience>,
    /// Whether in a message of its own, which took a token.
    pub alone: bool,
}

/// Who has heard of a finding, after an announcement.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Everybody.
    All(Announced),
    /// Some.
    Some(PartlyTold),
    /// Nobody, so that there is nothing to remember.
    Nobody,
}

/// The right to announce a finding, until it runs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// Who holds it: one attempt of one invocation.
    pub holder: String,
    /// Until when. Then the holder has surely ended.
    pub until: Timestamp,
}

impl Lease {
    /// How long an announcement may take: longer than the function may run, shorter than the
    /// minute that Lambda waits before it tries again.
    pub const LENGTH: SignedDuration = SignedDuration::from_secs(45);

    /// A lease for `holder` from `now` on.
    pub fn new(holder: &str, now: Timestamp) -> Self {
        Self { holder: holder.to_owned(), until: now.saturating_add(Self::LENGTH).unwrap_or(now) }
    }
}

/// What is remembered of a finding. Its detail is kept as JSON text: nobody asks the table for a part
/// of it, and text is smaller, and faster to write and read, than a tree of attributes.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Record {
    /// The newest state.
    #[serde(with = "As::<JsonString>")]
    pub finding: Finding,
    /// The assessment of that state.
    #[serde(with = "As::<JsonString>")]
    pub assessment: Assessment,
    /// Its place in the order of events.
    pub version: Version,
    /// How often the row was written; a write that expects another number is too late.
    pub revision: u64,
    /// When we first heard of the finding.
    pub first_seen_at: Timestamp,
    /// When we last heard of it.
    pub last_seen_at: Timestamp,
    /// How often it was opened: 1, and one more for each time it came back.
    pub opening: u32,
    /// Since when it is open, or was before it ended, by Inspector's clock.
    pub opened_at: Option<Timestamp>,
    /// Since when it is closed or suppressed, if it is, by Inspector's clock.
    pub ended_at: Option<Timestamp>,
    /// By when to act, while it is open. Moves sooner with urgency, later only if Inspector rates
    /// the finding lower; a repetition never moves it.
    pub due_at: Option<Timestamp>,
    /// Since when there is something to say that was not said.
    pub pending_since: Option<Timestamp>,
    /// What people were last told; `None` if nothing yet.
    pub announced: Option<Announced>,
    /// What some of them were told since, and others are yet to be.
    pub partly_told: Option<PartlyTold>,
    /// Who is telling them now.
    pub lease: Option<Lease>,
}

impl Record {
    /// The facts that matter.
    pub fn facts(&self) -> Facts {
        Facts::of(&self.finding, &self.assessment)
    }

    /// Whether somebody still has something to do.
    pub fn is_open(&self) -> bool {
        self.finding.status.is_open()
    }

    /// Who has already heard what there is to tell, if not all have.
    pub fn heard(&self) -> &[Audience] {
        match &self.partly_told {
            Some(told)
                if told.opening == self.opening
                    && self.facts().news_since(&told.facts).is_none() =>
            {
                &told.to
            }
            _ => &[],
        }
    }

    /// Whether some have heard what there is to tell in a message of its own, and others have not.
    pub fn is_half_told_alone(&self) -> bool {
        !self.heard().is_empty() && self.partly_told.as_ref().is_some_and(|told| told.alone)
    }

    /// What is to be remembered after `to` have heard `why` at `at`, in addition to who has
    /// already, out of `all`; in a message about this finding `alone`, or in a summary.
    pub fn telling(
        &self,
        why: Why,
        to: &[Audience],
        all: &[Audience],
        at: Timestamp,
        alone: bool,
    ) -> Told {
        let mut heard = self.heard().to_vec();
        heard.extend(to);
        let facts = self.facts();
        if all.iter().all(|audience| heard.contains(audience)) {
            Told::All(Announced { at, why, facts, opening: self.opening })
        } else if heard.is_empty() {
            Told::Nobody
        } else {
            Told::Some(PartlyTold { facts, opening: self.opening, to: heard, alone })
        }
    }

    /// The record with that remembered.
    #[must_use]
    pub fn remembering(mut self, told: &Told) -> Self {
        match told {
            Told::All(announced) => {
                self.announced = Some(announced.clone());
                self.partly_told = None;
            }
            Told::Some(partly) => self.partly_told = Some(partly.clone()),
            Told::Nobody => {}
        }
        self
    }
}

/// A change of the facts that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// First heard of, open.
    Opened,
    /// First heard of when it had ended.
    FirstSeenEnded,
    /// Open again.
    Reopened,
    /// Remedied, or its resource is gone.
    Closed,
    /// Hidden by a suppression rule.
    Suppressed,
    /// Still open or still ended; severity, priority, exploit or fix changed.
    Changed,
    /// Nothing but the policy changed, and with it the priority; or the way in which the row has the
    /// facts.
    Reassessed,
}

impl Transition {
    /// The transition as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::FirstSeenEnded => "first-seen-ended",
            Self::Reopened => "reopened",
            Self::Closed => "closed",
            Self::Suppressed => "suppressed",
            Self::Changed => "changed",
            Self::Reassessed => "reassessed",
        }
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

/// What `sighting`, which was assessed under `policy`, makes of `previous`. A newer state with the
/// same facts comes here only if the row has them in another spelling than [`Facts::key`]: else it is
/// a refresh.
pub fn step(previous: Option<&Record>, sighting: &Sighting, policy: &Policy) -> Step {
    let Some(previous) = previous else {
        let (record, transition) = first(sighting);
        return Step::Write(Box::new(record), transition);
    };
    match sighting.version.cmp(&previous.version) {
        std::cmp::Ordering::Less => Step::Stale,
        std::cmp::Ordering::Equal => Step::Repetition,
        std::cmp::Ordering::Greater => {
            let rebased = previous.under(policy, &sighting.assessment);
            let (record, transition) = next(&rebased, sighting);
            Step::Write(Box::new(record), transition)
        }
    }
}

impl Record {
    /// The record as if it had been assessed under `policy` when it was last seen, if it was under
    /// another one than `fresh`. Whoever knew of it what there was to know still does: that its
    /// priority is another one now is no news about the finding.
    fn under(&self, policy: &Policy, fresh: &Assessment) -> Self {
        let mut rebased = self.clone();
        if self.assessment.policy == fresh.policy {
            return rebased;
        }
        let due_at = self.assessment.due_at;
        let assessment = assess(&self.finding, policy, Some(self.last_seen_at));
        rebased.assessment = Assessment { due_at, ..assessment };
        let (was, is) = (self.assessment.priority, rebased.assessment.priority);
        let all = rebased.announced.iter_mut().map(|told| &mut told.facts.priority);
        let some = rebased.partly_told.iter_mut().map(|told| &mut told.facts.priority);
        for priority in all.chain(some).filter(|priority| **priority >= was) {
            *priority = if *priority == was { is } else { is.max(*priority) };
        }
        rebased
    }
}

fn first(sighting: &Sighting) -> (Record, Transition) {
    let now = sighting.seen_at;
    let open = sighting.finding.status.is_open();
    let record = Record {
        finding: sighting.finding.clone(),
        assessment: sighting.assessment.clone(),
        version: sighting.version.clone(),
        revision: 1,
        first_seen_at: now,
        last_seen_at: now,
        opening: u32::from(open),
        opened_at: Some(sighting.first_since()),
        ended_at: (!open).then(|| sighting.since()),
        due_at: sighting.assessment.due_at.filter(|_| open),
        pending_since: None,
        announced: None,
        partly_told: None,
        lease: None,
    };
    (record, if open { Transition::Opened } else { Transition::FirstSeenEnded })
}

fn next(previous: &Record, sighting: &Sighting) -> (Record, Transition) {
    let now = sighting.seen_at;
    let transition = match (previous.is_open(), &sighting.finding.status) {
        (false, status) if status.is_open() && previous.opening == 0 => Transition::Opened,
        (false, status) if status.is_open() => Transition::Reopened,
        (true, Status::Suppressed) => Transition::Suppressed,
        (true, Status::Closed) => Transition::Closed,
        _ if previous.facts() == sighting.facts() => Transition::Reassessed,
        _ => Transition::Changed,
    };
    let open = sighting.finding.status.is_open();
    let reopened = open && !previous.is_open();
    let came_back = reopened && previous.opening > 0;
    let opened_at = if came_back { Some(sighting.since()) } else { previous.opened_at };
    let ended_as_before = sighting.finding.status == previous.finding.status;
    let ended_at = previous.ended_at.filter(|_| ended_as_before);
    let record = Record {
        finding: sighting.finding.clone(),
        assessment: sighting.assessment.clone(),
        version: sighting.version.clone(),
        revision: previous.revision + 1,
        last_seen_at: now.max(previous.last_seen_at),
        opening: previous.opening + u32::from(reopened),
        opened_at,
        ended_at: if open { None } else { Some(ended_at.unwrap_or_else(|| sighting.since())) },
        due_at: if open { due(previous, sighting, reopened) } else { None },
        ..previous.clone()
    };
    (record, transition)
}

/// By when to act, once more is known: sooner if the finding grew more urgent; later only if it had
/// ended, or if Inspector rates it lower than before and its class falls with that. That a score
/// falls with the age of a vulnerability gives nobody more time.
fn due(previous: &Record, sighting: &Sighting, reopened: bool) -> Option<Timestamp> {
    let fresh = sighting.assessment.due_at;
    let milder = sighting.finding.severity.rank() < previous.finding.severity.rank()
        && sighting.assessment.priority < previous.assessment.priority;
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
        announce::{Decision, Silence, decide},
        assess::assess,
        finding::{Envelope, sample},
    };

    fn sighting(change: impl FnOnce(&mut Value)) -> Sighting {
        let finding = sample::with(change);
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let assessment = assess(&finding, &Policy::default(), Some(now));
        Sighting::new(finding, assessment, now)
    }

    /// What becomes of no record at all after these sightings, in this order.
    fn after(sightings: &[Sighting]) -> Record {
        let mut record: Option<Record> = None;
        for sighting in sightings {
            record = match step(record.as_ref(), sighting, &Policy::default()) {
                Step::Write(next, _) => Some(*next),
                Step::Repetition | Step::Stale => record,
            };
        }
        record.expect("a first sighting makes a record")
    }

    fn at(time: &'static str, more: fn(&mut Value)) -> Sighting {
        sighting(|f| {
            f["updatedAt"] = json!(time);
            more(f);
        })
    }

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
    fn of_two_states_of_one_moment_the_more_alarming_stands() {
        let open = at("Mar 20, 2023, 6:08:05 PM", |_| {});
        let closed = at("Mar 20, 2023, 6:08:05 PM", |f| {
            f["status"] = json!("CLOSED");
        });
        let graver = at("Mar 20, 2023, 6:08:05 PM", |f| {
            f["severity"] = json!("CRITICAL");
        });
        for order in
            [[&open, &closed, &graver], [&graver, &closed, &open], [&closed, &graver, &open]]
        {
            assert_eq!(after(&order.map(Clone::clone)).version, graver.version);
        }
        assert!(open.version > closed.version);
    }

    #[test]
    fn of_two_states_that_differ_in_a_detail_the_same_one_stands_in_either_order() {
        let one = sighting(|f| f["title"] = json!("one"));
        let other = sighting(|f| f["title"] = json!("other"));
        assert_ne!(one.version, other.version);
        let forth = after(&[one.clone(), other.clone()]);
        let back = after(&[other, one]);
        assert_eq!(forth.finding, back.finding);
    }

    #[test]
    fn the_same_state_in_another_envelope_is_a_repetition() {
        let json = sample::json();
        let sent = |at: &str| {
            let envelope = Envelope { sent_at: at.parse().ok(), region: None };
            Version::of(&Finding::read(&json, "detail", envelope).unwrap().0)
        };
        assert_eq!(sent("2026-11-20T10:00:00Z"), sent("2026-11-21T10:00:00Z"));
    }

    #[test]
    fn a_finding_without_a_date_is_older_than_every_dated_one() {
        let undated = sighting(|f| {
            f["updatedAt"] = json!("?");
            f["lastObservedAt"] = json!("?");
        });
        assert!(undated.version < at("Mar 20, 1999, 6:08:05 PM", |_| {}).version);
    }

    #[test]
    fn a_due_date_moves_only_with_urgency() {
        let first = at("2026-11-20T10:00:00Z", |_| {});
        let later = |time, seen: &str, change: fn(&mut Value)| {
            let mut sighting = at(time, change);
            sighting.seen_at = seen.parse().unwrap();
            let now = Some(sighting.seen_at);
            sighting.assessment = assess(&sighting.finding, &Policy::default(), now);
            sighting
        };
        let due = |sightings: &[Sighting]| after(sightings).due_at.map(|due| due.to_string());
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
            Sighting::new(finding, assessment, now)
        };
        let epss = (0..1000)
            .map(|n| f64::from(n) / 1000.0)
            .find(|epss| border("2026-11-20T10:00:00Z", &tagged, *epss).assessment.score == 36)
            .unwrap();
        let before = border("2026-11-20T10:00:00Z", &Policy::default(), epss);
        let after = border("2026-11-20T11:00:00Z", &tagged, epss);
        assert_eq!(before.assessment.priority, Priority::P2);
        assert_eq!(after.assessment.priority, Priority::P1);

        let Step::Write(untold, _) = step(None, &before, &Policy::default()) else { panic!() };
        let told =
            untold.telling(Why::New, &[Audience::Email], &[Audience::Email], before.seen_at, true);
        let record = untold.clone().remembering(&told);
        let Step::Write(reassessed, transition) = step(Some(&record), &after, &tagged) else {
            panic!("a changed priority is a transition")
        };
        assert_eq!(transition, Transition::Reassessed);
        assert_eq!(reassessed.assessment.priority, Priority::P1);
        assert_eq!(decide(&reassessed), Decision::Quiet(Silence::AlreadyTold));

        // Nor do those hear it twice who have heard it when others have not.
        let (e_mail, all) = ([Audience::Email], [Audience::Email, Audience::Chat]);
        let told = untold.telling(Why::New, &e_mail, &all, before.seen_at, true);
        let partly_told = untold.clone().remembering(&told);
        let Step::Write(reassessed, _) = step(Some(&partly_told), &after, &tagged) else {
            panic!()
        };
        assert_eq!(decide(&reassessed), Decision::Alert(Why::New));
        assert_eq!(reassessed.heard(), [Audience::Email]);

        // What changes by itself is news all the same.
        let risen = border("2026-11-20T12:00:00Z", &Policy::default(), 0.9);
        let Step::Write(risen, transition) = step(Some(&record), &risen, &Policy::default()) else {
            panic!()
        };
        assert_eq!(transition, Transition::Changed);
        assert_eq!(decide(&risen), Decision::Alert(Why::PriorityRaised));
        // Nor does a new policy hide what nobody has heard of.
        let Step::Write(untold, _) = step(Some(&untold), &after, &tagged) else { panic!() };
        assert_eq!(decide(&untold), Decision::Alert(Why::New));
    }
}
