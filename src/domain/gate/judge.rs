//! The judgement on each finding, and on all of them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use jiff::{Timestamp, civil::Date, tz::Offset};

use super::{Baseline, Note, Rules};
use crate::domain::{
    assess::{self, Assessment, Policy, Priority},
    finding::{Finding, Remediation, Status},
    ledger::{Cover, Decision, Exception, Ledger, Situation, WhyEnded},
    review::Update,
    threat::{Catalogue, Listing, Observed, Threat},
};

/// How many days before its end an exception is warned of.
const WARN_DAYS: i32 = 14;

/// A finding to judge, and what is known of attacks on its vulnerability.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The finding.
    pub finding: Finding,
    /// What is known of attacks.
    pub threat: Option<Threat>,
}

/// What findings are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judging<'a> {
    /// What closes the gate.
    pub rules: Rules,
    /// How findings are scored.
    pub policy: &'a Policy,
    /// What is excepted.
    pub ledger: &'a Ledger,
    /// What was there before, if only the rest counts.
    pub baseline: Option<&'a Baseline>,
    /// The moment of the judgement.
    pub now: Timestamp,
}

/// Whether the gate is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Open,
    /// Findings close it.
    Closed,
}

/// How a finding stands before the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It closes the gate, because CISA lists its vulnerability as exploited.
    KnownExploited,
    /// It closes the gate, because it is as urgent as the rules say.
    Urgent,
    /// It is excepted.
    Excepted(CoveredBy),
    /// It is less urgent than the rules say.
    LessUrgent,
    /// It was there before.
    NotNew,
    /// There is no fix for it, and the rules let it be.
    NotFixable,
}

impl Standing {
    /// Whether the finding closes the gate.
    pub fn closes(&self) -> bool {
        matches!(self, Self::KnownExploited | Self::Urgent)
    }
}

/// What a finding is excepted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CoveredBy {
    /// An exception of the ledger, by its id.
    Exception(String),
    /// A suppression rule of Inspector's, and no exception is about it.
    Rule,
}

/// A finding, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// What is known of attacks.
    pub threat: Option<Threat>,
    /// How urgent it is, and why.
    pub assessment: Assessment,
    /// How it stands before the gate.
    pub standing: Standing,
    /// The exceptions that are about it and cover it no more, or not yet, each with why.
    pub uncovered: Vec<(String, WhyEnded)>,
}

impl Judged {
    /// Whether CISA lists the vulnerability as exploited, as far as is known.
    pub fn is_known_exploited(&self) -> bool {
        is_listed(self.threat.as_ref())
    }
}

/// Something that findings are excepted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covering {
    /// What.
    pub by: CoveredBy,
    /// How many findings.
    pub findings: usize,
    /// What was decided, why, by whom and until when; none of a suppression rule, which knows nothing of that.
    pub exception: Option<Exception>,
    /// In how many days it ends, its last day counted; none if it does not.
    pub days_left: Option<i32>,
}

impl Covering {
    /// Its last day.
    pub fn last_day(&self) -> Option<Date> {
        self.exception.as_ref().map(|exception| exception.terms.expires_at)
    }

    /// What was decided.
    pub fn decision(&self) -> Option<Decision> {
        self.exception.as_ref().map(|exception| exception.decision)
    }

    /// Whether it ends so soon that somebody has to do something about it.
    pub fn ends_soon(&self) -> bool {
        self.days_left.is_some_and(|days| days - 1 <= WARN_DAYS)
    }
}

/// How many findings stand how. The first is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub total: usize,
    /// That close the gate, because CISA lists their vulnerabilities as exploited.
    pub known_exploited: usize,
    /// That close the gate, because they are as urgent as the rules say.
    pub urgent: usize,
    /// That are excepted.
    pub excepted: usize,
    /// That are less urgent.
    pub less_urgent: usize,
    /// That were there before.
    pub not_new: usize,
    /// That have no fix.
    pub not_fixable: usize,
}

impl Counts {
    /// How many close the gate.
    pub fn closing(&self) -> usize {
        self.known_exploited + self.urgent
    }

    fn add(&mut self, standing: &Standing) {
        self.total += 1;
        let count = match standing {
            Standing::KnownExploited => &mut self.known_exploited,
            Standing::Urgent => &mut self.urgent,
            Standing::Excepted(_) => &mut self.excepted,
            Standing::LessUrgent => &mut self.less_urgent,
            Standing::NotNew => &mut self.not_new,
            Standing::NotFixable => &mut self.not_fixable,
        };
        *count += 1;
    }
}

/// An update, and what it takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateWorth {
    /// The update.
    pub update: Update,
    /// The versions that are installed.
    pub installed: BTreeSet<String>,
    /// The files and layers in which they are.
    pub places: BTreeSet<String>,
    /// How many findings go with it that are not excepted. One in several packages goes with the last of their updates, and
    /// counts with each.
    pub findings: usize,
    /// How many of them close the gate.
    pub closing: usize,
}

/// The judgement on all findings.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The rules that were applied.
    pub rules: Rules,
    /// The moment.
    pub now: Timestamp,
    /// Each finding that is not closed: first those that close the gate, in each part the most urgent first.
    pub findings: Vec<Judged>,
    /// How many of them stand how.
    pub counts: Counts,
    /// What they are excepted by, that first which ends first.
    pub covering: Vec<Covering>,
    /// What to do: the updates that take away what closes the gate, most first.
    pub updates: Vec<UpdateWorth>,
}

impl Judgement {
    /// Whether the gate is open.
    pub fn verdict(&self) -> Verdict {
        if self.counts.closing() == 0 { Verdict::Open } else { Verdict::Closed }
    }

    /// What of it whoever reads it should not overlook: exceptions that end within days, and what suppression rules hide although
    /// CISA lists it as exploited, as far as is known, each vulnerability once.
    pub fn notes(&self) -> Vec<Note> {
        let ending = self.covering.iter().filter(|one| one.ends_soon());
        let ending = ending
            .filter_map(|one| one.exception.as_ref())
            .map(|one| Note::EndsSoon { exception: one.id.clone(), on: one.terms.expires_at });
        ending.chain(self.hidden_though_exploited()).collect()
    }

    fn hidden_though_exploited(&self) -> impl Iterator<Item = Note> {
        let is_it = |one: &&Judged| {
            one.standing == Standing::Excepted(CoveredBy::Rule) && one.is_known_exploited()
        };
        let hidden = self.findings.iter().filter(is_it).map(|one| one.finding.problem());
        let once: BTreeSet<String> = hidden.collect();
        once.into_iter().map(|problem| Note::HiddenThoughExploited { problem })
    }

    /// How many findings that are not excepted are of a class.
    pub fn of_priority(&self, priority: Priority) -> usize {
        let is_it = |one: &&Judged| {
            one.assessment.priority == priority && !matches!(one.standing, Standing::Excepted(_))
        };
        self.findings.iter().filter(is_it).count()
    }
}

/// Judges findings. Of several states of one finding the latest counts, and what is closed not at all.
pub fn judge(candidates: Vec<Candidate>, judging: &Judging<'_>) -> Judgement {
    let open = latest(candidates).into_iter();
    let open = open.filter(|candidate| candidate.finding.status != Status::Closed);
    let mut findings: Vec<Judged> = open.map(|candidate| judging.judge(candidate)).collect();
    findings.sort_by_cached_key(|one| {
        let arn = one.finding.arn.clone();
        let rank = (!one.standing.closes(), one.standing != Standing::KnownExploited);
        (rank, Reverse(one.assessment.score), one.finding.problem(), arn)
    });
    let mut counts = Counts::default();
    for one in &findings {
        counts.add(&one.standing);
    }
    Judgement {
        rules: judging.rules,
        now: judging.now,
        counts,
        covering: covering(&findings, judging),
        updates: updates(&findings),
        findings,
    }
}

/// The latest state of each finding, in the order in which they were first heard of.
pub fn latest(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(candidates.len());
    let mut latest: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if let Some(&place) = places.get(&candidate.finding.arn) {
            if latest[place].finding.as_of() <= candidate.finding.as_of() {
                latest[place] = candidate;
            }
        } else {
            places.insert(candidate.finding.arn.clone(), latest.len());
            latest.push(candidate);
        }
    }
    latest
}

impl Judging<'_> {
    /// Whether a suppression rule hides a finding, and nothing else says why.
    pub fn is_hidden(&self, candidate: &Candidate) -> bool {
        let standing = self.standing(&candidate.finding, candidate.threat.as_ref()).1;
        standing == Standing::Excepted(CoveredBy::Rule)
    }

    /// Whether more about attacks on its vulnerability could make a finding close the gate that does not by what is known.
    pub fn could_close(&self, candidate: &Candidate) -> bool {
        if candidate.finding.vulnerability().is_none() {
            return false;
        }
        let worst = Threat {
            checked_at: self.now,
            catalogue: Catalogue::Listed(Listing::default()),
            observed: Some(Observed { first: None, last: Some(self.now) }),
            epss: Some(1.0),
            analysis: None,
        };
        let closes = |threat: Option<&Threat>| self.standing(&candidate.finding, threat).1.closes();
        candidate.finding.status != Status::Closed
            && !closes(candidate.threat.as_ref())
            && closes(Some(&worst))
    }

    fn judge(&self, candidate: Candidate) -> Judged {
        let Candidate { finding, threat } = candidate;
        let (assessment, standing, uncovered) = self.standing(&finding, threat.as_ref());
        let uncovered = uncovered.into_iter().map(|(one, why)| (one.id.clone(), why)).collect();
        Judged { finding, threat, assessment, standing, uncovered }
    }

    fn standing(
        &self,
        finding: &Finding,
        threat: Option<&Threat>,
    ) -> (Assessment, Standing, Vec<(&Exception, WhyEnded)>) {
        let assessment = assess::judge(finding, threat, self.policy, Some(self.now));
        let known_exploited = is_listed(threat);
        let situation = Situation {
            finding,
            priority: assessment.priority,
            known_exploited,
            seen_exploited: threat.is_some_and(|threat| threat.observed.is_some()),
        };
        let uncovered: Vec<(&Exception, WhyEnded)> = match self.ledger.cover(&situation, self.now) {
            Cover::By(exception) => {
                let by = CoveredBy::Exception(exception.id.clone());
                return (assessment, Standing::Excepted(by), Vec::new());
            }
            Cover::None(others) => others.iter().map(|one| (one.exception, one.why)).collect(),
        };
        // A rule outlives the facts. Where the ledger knows of the finding, the ledger decides.
        let standing = if finding.status == Status::Suppressed && uncovered.is_empty() {
            Standing::Excepted(CoveredBy::Rule)
        } else if known_exploited {
            Standing::KnownExploited
        } else if !self.rules.fail_on.is_reached(&assessment) {
            Standing::LessUrgent
        } else if self.baseline.is_some_and(|baseline| baseline.has(finding)) {
            Standing::NotNew
        } else if self.rules.only_fixable && !is_fixable(finding) {
            Standing::NotFixable
        } else {
            Standing::Urgent
        };
        (assessment, standing, uncovered)
    }
}

fn is_listed(threat: Option<&Threat>) -> bool {
    threat.is_some_and(|threat| threat.listing().is_some())
}

/// Whether something can be done about a finding: of packages that there is a fix for some of them. What Inspector does not
/// say is none of *no*, and what is malicious (<https://github.com/ossf/malicious-packages>) can be taken out.
fn is_fixable(finding: &Finding) -> bool {
    let is_malicious = finding.vulnerability().is_some_and(|id| id.starts_with("MAL-"));
    is_malicious || !matches!(Remediation::of(finding), Remediation::Mitigate(_))
}

fn covering(findings: &[Judged], judging: &Judging<'_>) -> Vec<Covering> {
    let mut counts: BTreeMap<&CoveredBy, usize> = BTreeMap::new();
    for one in findings {
        if let Standing::Excepted(by) = &one.standing {
            *counts.entry(by).or_default() += 1;
        }
    }
    let today = Offset::UTC.to_datetime(judging.now).date();
    let covering = |(by, findings): (&CoveredBy, usize)| {
        let exception = match by {
            CoveredBy::Exception(id) => {
                judging.ledger.exceptions.iter().find(|one| one.id == *id).cloned()
            }
            CoveredBy::Rule => None,
        };
        let last = exception.as_ref().map(|exception| exception.terms.expires_at);
        let days = |last: Date| today.until(last).map_or(i32::MAX, |span| span.get_days() + 1);
        let days_left = last.map(days);
        Covering { by: by.clone(), findings, exception, days_left }
    };
    let mut all: Vec<Covering> = counts.into_iter().map(covering).collect();
    // Stable: of equal ones by name.
    all.sort_by_key(|one| one.days_left.unwrap_or(i32::MAX));
    all
}

fn updates(findings: &[Judged]) -> Vec<UpdateWorth> {
    let mut all: BTreeMap<Update, UpdateWorth> = BTreeMap::new();
    for one in findings.iter().filter(|one| !matches!(one.standing, Standing::Excepted(_))) {
        for update in Update::all_of(&one.finding) {
            let worth = all.entry(update.clone()).or_insert_with(|| UpdateWorth {
                update: update.clone(),
                installed: BTreeSet::new(),
                places: BTreeSet::new(),
                findings: 0,
                closing: 0,
            });
            worth.findings += 1;
            worth.closing += usize::from(one.standing.closes());
            let packages = one.finding.package().map_or(&[][..], |package| &package.packages);
            let is_meant = |name: &String| update.packages.contains(name);
            for package in packages.iter().filter(|one| one.name.as_ref().is_some_and(is_meant)) {
                worth.installed.extend(package.installed());
                worth.places.extend(package.place().map(str::to_owned));
            }
        }
    }
    let mut worth: Vec<UpdateWorth> = all.into_values().filter(|one| one.closing > 0).collect();
    // Stable: of equal ones by name.
    worth.sort_by_key(|one| Reverse((one.closing, one.findings)));
    worth
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        finding::sample,
        gate::Threshold,
        ledger::{Selectors, Terms, VulnerabilityId},
    };

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn candidate(number: u32, change: impl FnOnce(&mut Value)) -> Candidate {
        let finding = sample::with(|f| {
            f["findingArn"] = json!(format!(
                "arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}"
            ));
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id(number));
            change(f);
        });
        Candidate { finding, threat: None }
    }

    fn id(number: u32) -> String {
        format!("CVE-2026-{}", 10_000 + number)
    }

    fn urgent(f: &mut Value) {
        f["severity"] = json!("CRITICAL");
        f["epss"] = json!({"score": 0.9});
        f["exploitAvailable"] = json!("YES");
    }

    fn harmless(f: &mut Value) {
        f["severity"] = json!("LOW");
        f["epss"] = json!({"score": 0.0001});
        f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
    }

    fn listed(mut candidate: Candidate) -> Candidate {
        candidate.threat = Some(Threat::read(&json!({"cisaData": {}}), now()));
        candidate
    }

    fn exception(number: u32, terms: Terms) -> Exception {
        Exception {
            id: format!("exception-{number}"),
            selectors: Selectors {
                vulnerabilities: vec![VulnerabilityId::new(&id(number))],
                ..Selectors::default()
            },
            decision: Decision::Accept,
            justification: None,
            reason: "behind a proxy".to_owned(),
            compensating_controls: Vec::new(),
            ticket: None,
            owner: "crm".to_owned(),
            approved_by: None,
            created_at: "2026-10-01".parse().unwrap(),
            review_at: None,
            terms,
        }
    }

    fn terms(last_day: &str) -> Terms {
        Terms {
            expires_at: last_day.parse().unwrap(),
            until_fixed: false,
            accepted_priority: Priority::P1,
            ends_if: Vec::new(),
        }
    }

    /// What findings are judged by.
    #[derive(Default)]
    struct By {
        rules: Rules,
        ledger: Ledger,
        baseline: Option<Baseline>,
    }

    fn judged(candidates: Vec<Candidate>, by: &By) -> Judgement {
        let By { rules, ledger, baseline } = by;
        let (rules, baseline, policy) = (*rules, baseline.as_ref(), Policy::default());
        judge(candidates, &Judging { rules, policy: &policy, ledger, baseline, now: now() })
    }

    fn standing(candidate: Candidate, by: &By) -> Standing {
        judged(vec![candidate], by).findings.remove(0).standing
    }

    fn excepting(exceptions: Vec<Exception>) -> By {
        By { ledger: Ledger { exceptions, ..Ledger::default() }, ..By::default() }
    }

    fn without_fix(f: &mut Value) {
        f["fixAvailable"] = json!("NO");
        let package = &mut f["packageVulnerabilityDetails"]["vulnerablePackages"][0];
        package["fixedInVersion"] = json!("NotAvailable");
    }

    fn hidden(f: &mut Value) {
        urgent(f);
        f["status"] = json!("SUPPRESSED");
    }

    #[test]
    fn what_is_as_urgent_as_the_rules_say_closes_the_gate() {
        let both = vec![candidate(1, harmless), candidate(2, urgent)];
        let judgement = judged(both, &By::default());
        assert_eq!(judgement.verdict(), Verdict::Closed);
        let standings: Vec<&Standing> =
            judgement.findings.iter().map(|one| &one.standing).collect();
        assert_eq!(standings, [&Standing::Urgent, &Standing::LessUrgent]);
        let counts = Counts { total: 2, urgent: 1, less_urgent: 1, ..Counts::default() };
        assert_eq!(judgement.counts, counts);
        let open = judged(vec![candidate(1, harmless)], &By::default());
        assert_eq!(open.verdict(), Verdict::Open);
        let rules = Rules { fail_on: Threshold::Score(0), ..Rules::default() };
        let all = By { rules, ..By::default() };
        assert_eq!(standing(candidate(1, harmless), &all), Standing::Urgent);
    }

    #[test]
    fn what_cisa_lists_closes_the_gate_whatever_the_rules_say() {
        let old = candidate(1, |f| {
            harmless(f);
            without_fix(f);
        });
        let lenient = By {
            rules: Rules { fail_on: Threshold::Score(100), only_fixable: true },
            baseline: Some(Baseline::of([&old.finding])),
            ..By::default()
        };
        assert_eq!(standing(listed(old.clone()), &lenient), Standing::KnownExploited);
        assert_eq!(standing(old, &lenient), Standing::LessUrgent);
    }

    #[test]
    fn an_exception_opens_the_gate_unless_the_facts_have_ended_it() {
        let in_spite = excepting(vec![exception(1, terms("2026-11-20"))]);
        let by = Standing::Excepted(CoveredBy::Exception("exception-1".to_owned()));
        let exploited = listed(candidate(1, urgent));
        assert_eq!(standing(exploited.clone(), &in_spite), by);

        let strict = Terms { ends_if: Terms::ENDS_IF.to_vec(), ..terms("2026-11-20") };
        let judgement = judged(vec![exploited], &excepting(vec![exception(1, strict)]));
        assert_eq!(judgement.findings[0].standing, Standing::KnownExploited);
        let why = vec![("exception-1".to_owned(), WhyEnded::KnownExploited)];
        assert_eq!(judgement.findings[0].uncovered, why);

        let past = excepting(vec![exception(1, terms("2026-11-19"))]);
        assert_eq!(standing(candidate(1, urgent), &past), Standing::Urgent);
    }

    #[test]
    fn exceptions_are_shown_with_their_ends_those_first_that_end_first() {
        let days = ["2026-12-05", "2026-11-20", "2026-12-04"];
        let exceptions = (1..).zip(days).map(|(number, day)| exception(number, terms(day)));
        let candidates = (1..=3).map(|number| candidate(number, urgent)).collect();
        let judgement = judged(candidates, &excepting(exceptions.collect()));
        assert_eq!(judgement.verdict(), Verdict::Open);
        let said: Vec<_> =
            judgement.covering.iter().map(|one| (one.days_left, one.ends_soon())).collect();
        assert_eq!(said, [(Some(1), true), (Some(15), true), (Some(16), false)]);
    }

    #[test]
    fn what_a_rule_hides_is_excepted_unless_the_ledger_says_that_this_has_ended() {
        let hidden = candidate(1, hidden);
        let by_rule = Standing::Excepted(CoveredBy::Rule);
        assert_eq!(standing(hidden.clone(), &By::default()), by_rule);
        let past = excepting(vec![exception(1, terms("2026-11-19"))]);
        assert_eq!(standing(hidden, &past), Standing::Urgent);
    }

    #[test]
    fn what_has_no_fix_and_what_was_there_before_may_be_let_be() {
        let unfixed = candidate(1, |f| {
            urgent(f);
            without_fix(f);
        });
        let rules = Rules { only_fixable: true, ..Rules::default() };
        let only_fixable = By { rules, ..By::default() };
        assert_eq!(standing(unfixed.clone(), &only_fixable), Standing::NotFixable);
        assert_eq!(standing(candidate(2, urgent), &only_fixable), Standing::Urgent);
        let malicious = candidate(3, |f| {
            urgent(f);
            without_fix(f);
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("MAL-2026-1");
        });
        assert_eq!(standing(malicious, &only_fixable), Standing::Urgent);
        let baseline = Some(Baseline::of([&unfixed.finding]));
        let since = By { baseline, ..By::default() };
        assert_eq!(standing(unfixed, &since), Standing::NotNew);
        assert_eq!(standing(candidate(2, urgent), &since), Standing::Urgent);
    }

    #[test]
    fn of_several_states_of_a_finding_the_latest_counts() {
        let state = |status: &str, at: &str| {
            candidate(1, |f| {
                urgent(f);
                f["status"] = json!(status);
                f["updatedAt"] = json!(at);
            })
        };
        let open = state("ACTIVE", "2026-11-19T00:00:00Z");
        let closed = state("CLOSED", "2026-11-19T12:00:00Z");
        for order in [vec![open.clone(), closed.clone()], vec![closed, open]] {
            assert_eq!(judged(order, &By::default()).counts, Counts::default());
        }
    }

    #[test]
    fn more_is_asked_about_attacks_only_where_it_could_close_the_gate() {
        let policy = Policy::default();
        let could_close = |by: &By, candidate| {
            let By { rules, ledger, baseline } = by;
            let (rules, baseline) = (*rules, baseline.as_ref());
            let judging = Judging { rules, policy: &policy, ledger, baseline, now: now() };
            judging.could_close(&candidate)
        };
        let by = By::default();
        assert!(could_close(&by, candidate(1, harmless)));
        assert!(!could_close(&by, candidate(1, urgent)), "it closes it anyway");
        assert!(!could_close(&by, candidate(1, hidden)));
        let in_spite = excepting(vec![exception(1, terms("2026-12-31"))]);
        assert!(!could_close(&in_spite, candidate(1, harmless)));
    }

    #[test]
    fn what_to_do_is_what_takes_most_away() {
        let fix = |version: &'static str| {
            move |f: &mut Value| {
                urgent(f);
                let package = &mut f["packageVulnerabilityDetails"]["vulnerablePackages"][0];
                package["fixedInVersion"] = json!(version);
            }
        };
        let candidates =
            vec![candidate(1, fix("2.0")), candidate(2, fix("3.0")), candidate(3, fix("3.0"))];
        let judgement = judged(candidates, &By::default());
        let said: Vec<_> = judgement
            .updates
            .iter()
            .map(|one| (one.update.version.as_deref(), one.closing, one.findings))
            .collect();
        assert_eq!(said, [(Some("3.0"), 2, 2), (Some("2.0"), 1, 1)]);
        assert!(judgement.updates[0].installed.contains("1.4.2-3"));
    }
}
