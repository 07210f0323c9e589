//! What is known of attacks on what is open: asked once a vulnerability, through one of its findings.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Course, Ended, Noting, Review, Undone};
use crate::{
    app::{
        failure::Failure,
        ports::{
            Alerts, Exceptions, Gaps, Inspector, Publisher, Records, RoundLog, Summaries, Sweep,
            Threats,
        },
    },
    domain::{
        assess::Policy,
        record::{Record, Stance, Transition},
        round::{OwedMessage, Part},
        threat::Threat,
    },
};

/// How many findings are asked about at a time:
/// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_BatchGetFindingDetails.html>.
const FINDINGS_PER_CALL: usize = 10;
/// How many findings stand for a vulnerability: one more, should the first be closed meanwhile.
const REPRESENTATIVES: usize = 2;
/// Of how many vulnerabilities is written down at a time what is known.
const AT_ONCE: usize = 10;

/// A vulnerability of what is open.
#[derive(Default)]
struct Vulnerability {
    /// Findings of it, by their ARNs.
    representatives: Vec<String>,
    /// Where its findings stand: each place once.
    stances: Vec<Stance>,
}

impl Vulnerability {
    /// Sees a finding of it, which Inspector has the details of if it `is_here`.
    fn see(&mut self, record: Record, policy: &Policy, is_here: bool) {
        let stance = Stance::of(&record, policy);
        if !self.stances.contains(&stance) {
            self.stances.push(stance);
        }
        if is_here && self.representatives.len() < REPRESENTATIVES {
            self.representatives.push(record.finding.arn);
        }
    }
}

/// Whether so many of the findings that are open have risen into a higher class in one round that the model of EPSS is a new
/// one, and not the world: more than one in twenty, and more than anybody would read one by one.
fn is_new_model(risen: usize, open: usize) -> bool {
    const FEW: usize = 20;
    risen > FEW && risen.saturating_mul(20) > open
}

/// Whether Inspector's list of vulnerabilities may have this id: it takes those of CVE.
fn is_searched(id: &str) -> bool {
    let mut parts = id.split('-');
    let is_number = |part: Option<&str>, lengths: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| {
            lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    parts.next() == Some("CVE")
        && is_number(parts.next(), 4..=4)
        && is_number(parts.next(), 1..=10)
        && parts.next().is_none()
}

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog + Gaps + Threats + Exceptions,
    P: Publisher,
    I: Inspector,
{
    /// Looks up what is known of attacks on the vulnerabilities of what is open, and has findings know it.
    pub(super) async fn threat(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let store = &self.triage.store;
        let mut vulnerabilities: BTreeMap<String, Vulnerability> = BTreeMap::new();
        let region = self.inspector.region();
        let policy = &self.triage.config.policy;
        let each = |record: Record| {
            let is_here = region.is_some_and(|here| record.finding.is_of_region(here));
            if let Some(id) = record.finding.vulnerability().map(str::to_owned) {
                vulnerabilities.entry(id).or_default().see(record, policy, is_here);
            }
        };
        let limit = course.limit();
        if !store.each_open(limit, each).await.map_err(Failure::Store)? {
            return Ok(Ended::OutOfTime);
        }
        let ids: Vec<&str> = vulnerabilities.keys().map(String::as_str).collect();
        let mut threats = store.threats(&ids).await.map_err(Failure::Store)?;
        let began_at = course.round().began_at;
        let is_due = |id: &&str| threats.get(*id).is_none_or(|known| known.checked_at < began_at);
        let due: Vec<&str> = ids.into_iter().filter(is_due).collect();
        for some in due.chunks(AT_ONCE) {
            if course.limit().is_over() {
                return Ok(Ended::OutOfTime);
            }
            let looked_up = self.look_up(some, &vulnerabilities, course).await?;
            let looked_up: Vec<(String, Threat)> = looked_up
                .into_iter()
                .map(|(id, threat)| {
                    let threat = threat.after(threats.get(&id));
                    (id, threat)
                })
                .collect();
            let remembered = store.remember_threats(&looked_up, course.limit()).await;
            remembered.map_err(Failure::Store)?;
            course.progress(Part::Threat).count("vulnerabilities", looked_up.len());
            threats.extend(looked_up);
            if !course.note_in_time().await? {
                return Err(Undone::HeldByOther);
            }
        }
        let listed = threats.values().filter(|threat| threat.listing().is_some()).count();
        let counts = &mut course.progress(Part::Threat).counts;
        counts.insert("knownExploited".to_owned(), u64::try_from(listed).unwrap_or(u64::MAX));
        // Where something is known that changes a finding.
        let deadlines = policy.deadlines;
        let is_news = |(id, one): &(&String, &Vulnerability)| {
            let threat = threats.get(*id);
            threat.is_some_and(|threat| {
                one.stances.iter().any(|stance| stance.is_moved_by(threat, deadlines))
            })
        };
        let news: HashSet<&str> =
            vulnerabilities.iter().filter(is_news).map(|(id, _)| id.as_str()).collect();
        if !news.is_empty()
            && let Ended::OutOfTime = self.spread(&news, &threats, course).await?
        {
            return Ok(Ended::OutOfTime);
        }
        // All is moved that a new model moves, by this invocation or by one before it.
        let now = course.now();
        if let Some(owed) = &mut course.rounds.new_model {
            owed.listed_at.get_or_insert(now);
        }
        store.share_threats(now).await.map_err(Failure::Store)?;
        Ok(Ended::Done)
    }

    /// Asks Inspector about vulnerabilities.
    async fn look_up(
        &self,
        ids: &[&str],
        vulnerabilities: &BTreeMap<String, Vulnerability>,
        course: &Course<'_, S>,
    ) -> Result<Vec<(String, Threat)>, Undone> {
        let mut rest: Vec<&str> = ids.to_vec();
        let mut known = Vec::new();
        for place in 0..REPRESENTATIVES {
            let mut unknown = Vec::new();
            for some in rest.chunks(FINDINGS_PER_CALL) {
                let arn = |id: &&str| vulnerabilities[*id].representatives.get(place).cloned();
                let arns: Vec<String> = some.iter().filter_map(arn).collect();
                let mut details = HashMap::new();
                if !arns.is_empty() {
                    let (now, limit) = (course.now(), course.limit());
                    details = self.inspector.details(&arns, now, limit).await?.known;
                }
                for id in some {
                    match arn(id).and_then(|arn| details.remove(&arn)) {
                        Some(threat) => known.push(((*id).to_owned(), threat)),
                        None => unknown.push(*id),
                    }
                }
            }
            rest = unknown;
        }
        for id in rest {
            let (now, limit) = (course.now(), course.limit());
            let found = if is_searched(id) {
                self.inspector.vulnerability(id, now, limit).await?
            } else {
                None
            };
            known.push((id.to_owned(), found.unwrap_or_else(|| Threat::unknown(now))));
        }
        Ok(known)
    }

    /// Has the findings of these vulnerabilities know what is known of attacks on them.
    async fn spread(
        &self,
        ids: &HashSet<&str>,
        threats: &HashMap<String, Threat>,
        course: &mut Course<'_, S>,
    ) -> Result<Ended, Undone> {
        let store = &self.triage.store;
        let policy = &self.triage.config.policy;
        // Who has had the message about all that was there hears of the rest as of anything else.
        let untold = course.rounds.baseline.as_ref().filter(|baseline| baseline.told.is_empty());
        let told_at = untold.map(|baseline| baseline.at);
        let knowing = |row: &Record, now| {
            let threat = threats.get(row.finding.vulnerability()?);
            let known = row.knowing_anew(threat, told_at, policy, now);
            let is_news = row.is_open() && known.is_news_after(row, policy.deadlines);
            is_news.then_some(known)
        };
        let (mut arns, mut open, mut risen) = (Vec::new(), 0, 0);
        let now = course.now();
        let each = |record: Record| {
            open += 1;
            if record.finding.vulnerability().is_some_and(|id| ids.contains(id)) {
                let known = knowing(&record, now);
                risen += usize::from(known.is_some_and(|known| known.waits_for_its_rise()));
                arns.push(record.finding.arn);
            }
        };
        let limit = course.limit();
        if !store.each_open(limit, each).await.map_err(Failure::Store)? {
            return Ok(Ended::OutOfTime);
        }
        let began_at = course.round().began_at;
        if is_new_model(risen, open) {
            // One that nobody has had yet has these, too.
            let before = course.rounds.new_model.take().filter(|owed| owed.told.is_empty());
            let is_under_way = before.as_ref().is_some_and(|owed| owed.listed_at.is_none());
            let owed = course.rounds.new_model.insert(before.unwrap_or(OwedMessage::new(began_at)));
            if !is_under_way {
                owed.recorded += u64::try_from(risen).unwrap_or(u64::MAX);
            }
            owed.listed_at = None;
            if !course.note(Noting::GoOn).await? {
                return Err(Undone::HeldByOther);
            }
        }
        let owed = course.rounds.new_model.as_ref().filter(|owed| owed.listed_at.is_none());
        let owed_at = owed.map(|owed| owed.at);
        let written = |row: &Record, now| {
            let known = knowing(row, now)?;
            let known = match owed_at {
                Some(at) => known.with_its_rise_told(at),
                None => known,
            };
            Some((known, Transition::Threat))
        };
        self.rewrite(arns, Part::Threat, written, course).await
    }
}
