//! A judgement for programs, by `docs/gate.schema.json`.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{
    NotWritten, Outcome, cannot_tell,
    quote::data,
    words::{self, word},
};
use crate::{
    domain::{
        assess::{Priority, Reason},
        finding::{Resource, VulnerablePackage},
        gate::{
            CoveredBy, Covering, Gate, Judged, Judgement, Note, Scan, Standing, UpdateWorth,
            Verdict,
        },
    },
    render::{Language, words::reason},
};

/// The JSON of an outcome.
pub fn of(outcome: &Outcome<'_>) -> Result<String, NotWritten> {
    let json = match outcome {
        Outcome::Judged(gate) => {
            serde_json::to_string_pretty(&Told::new(gate, outcome.exit_status()))
        }
        Outcome::CannotTell { subject, why } => {
            let (why, todo) = cannot_tell(why);
            serde_json::to_string_pretty(&Untold {
                version: VERSION,
                verdict: "cannot-tell",
                exit_status: outcome.exit_status(),
                subject: Subject { name: data(subject), scans: Vec::new() },
                why,
                todo,
            })
        }
    };
    Ok(json? + "\n")
}

/// The version of the schema. Within one, fields may be added; none goes and none changes its meaning.
const VERSION: &str = "1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Untold {
    version: &'static str,
    verdict: &'static str,
    exit_status: u8,
    subject: Subject,
    why: String,
    todo: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    version: &'static str,
    verdict: &'static str,
    exit_status: u8,
    as_of: Timestamp,
    rules: Rules,
    subject: Subject,
    counts: Numbers,
    findings: Vec<Finding<'a>>,
    updates: Vec<Update>,
    exceptions: Vec<Exception>,
    notes: Vec<NoteData>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    fail_on: String,
    only_fixable: bool,
    new_since: Option<String>,
}

#[derive(Serialize)]
struct Subject {
    name: String,
    scans: Vec<ScanData>,
}

#[derive(Serialize)]
struct ScanData {
    of: String,
    platform: Option<String>,
    at: Timestamp,
}

/// How many findings stand how, as every format for programs has it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Numbers {
    /// All.
    pub total: usize,
    /// That close the gate: the next two together.
    pub closing: usize,
    /// Because CISA lists them.
    pub known_exploited: usize,
    /// Because they are as urgent as the rules say.
    pub urgent: usize,
    /// That are excepted.
    pub excepted: usize,
    /// That are less urgent.
    pub less_urgent: usize,
    /// That were there before.
    pub not_new: usize,
    /// That have no fix.
    pub not_fixable: usize,
    /// That are not excepted, by their class.
    pub by_priority: ByPriority,
}

/// How many findings are of each class.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct ByPriority {
    p1: usize,
    p2: usize,
    p3: usize,
    p4: usize,
}

impl Numbers {
    /// Those of a judgement.
    pub fn of(judgement: &Judgement) -> Self {
        let counts = &judgement.counts;
        let [p1, p2, p3, p4] = Priority::ALL.map(|priority| judgement.of_priority(priority));
        Self {
            total: counts.total,
            closing: counts.closing(),
            known_exploited: counts.known_exploited,
            urgent: counts.urgent,
            excepted: counts.excepted,
            less_urgent: counts.less_urgent,
            not_new: counts.not_new,
            not_fixable: counts.not_fixable,
            by_priority: ByPriority { p1, p2, p3, p4 },
        }
    }

    /// Each with the name that it has in JSON.
    pub fn named(&self) -> [(&'static str, usize); 12] {
        [
            ("total", self.total),
            ("closing", self.closing),
            ("knownExploited", self.known_exploited),
            ("urgent", self.urgent),
            ("excepted", self.excepted),
            ("lessUrgent", self.less_urgent),
            ("notNew", self.not_new),
            ("notFixable", self.not_fixable),
            ("P1", self.by_priority.p1),
            ("P2", self.by_priority.p2),
            ("P3", self.by_priority.p3),
            ("P4", self.by_priority.p4),
        ]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    arn: String,
    standing: &'static str,
    problem: String,
    title: Option<String>,
    priority: Priority,
    score: u8,
    reasons: Vec<ReasonData<'a>>,
    severity: String,
    epss: Option<f64>,
    known_exploited: Option<Listed>,
    packages: Vec<Package>,
    resource: Option<ResourceData>,
    account: String,
    region: Option<String>,
    exception: Option<String>,
    suppressed: bool,
    uncovered: Vec<Uncovered>,
}

#[derive(Serialize)]
struct ReasonData<'a> {
    factor: &'a str,
    points: u8,
    text: String,
}

#[derive(Serialize)]
struct Listed {
    since: Option<Timestamp>,
}

/// A package as data.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    name: Option<String>,
    installed: Option<String>,
    fixed_in: Option<String>,
    place: Option<String>,
    manager: Option<String>,
}

#[derive(Serialize)]
struct ResourceData {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    name: String,
}

#[derive(Serialize)]
struct Uncovered {
    id: String,
    why: &'static str,
}

#[derive(Serialize)]
struct Update {
    packages: Vec<String>,
    version: Option<String>,
    installed: Vec<String>,
    places: Vec<String>,
    findings: usize,
    closing: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exception {
    by: &'static str,
    id: Option<String>,
    findings: usize,
    decision: Option<&'static str>,
    reason: Option<String>,
    owner: Option<String>,
    ticket: Option<String>,
    expires_at: Option<Date>,
    days_left: Option<i32>,
    ends_soon: bool,
}

#[derive(Serialize)]
struct NoteData {
    kind: &'static str,
    text: String,
}

impl<'a> Told<'a> {
    fn new(gate: &'a Gate, exit_status: u8) -> Self {
        let judgement = &gate.judgement;
        Self {
            version: VERSION,
            verdict: match judgement.verdict() {
                Verdict::Open => "open",
                Verdict::Closed => "closed",
            },
            exit_status,
            as_of: judgement.now,
            rules: Rules {
                fail_on: judgement.rules.fail_on.to_string(),
                only_fixable: judgement.rules.only_fixable,
                new_since: gate.new_since.as_deref().map(data),
            },
            subject: Subject {
                name: data(&gate.subject.name),
                scans: gate.subject.scans.iter().map(ScanData::new).collect(),
            },
            counts: Numbers::of(judgement),
            findings: judgement.findings.iter().map(Finding::new).collect(),
            updates: judgement.updates.iter().map(Update::new).collect(),
            exceptions: judgement.covering.iter().map(Exception::new).collect(),
            notes: gate.notes.iter().map(NoteData::new).collect(),
        }
    }
}

impl ScanData {
    fn new(scan: &Scan) -> Self {
        Self { of: data(&scan.of), platform: scan.platform.as_deref().map(data), at: scan.at }
    }
}

/// The word for how a finding stands.
pub fn standing(standing: &Standing) -> &'static str {
    match standing {
        Standing::KnownExploited => "known-exploited",
        Standing::Urgent => "urgent",
        Standing::Excepted(_) => "excepted",
        Standing::LessUrgent => "less-urgent",
        Standing::NotNew => "not-new",
        Standing::NotFixable => "not-fixable",
    }
}

impl<'a> Finding<'a> {
    fn new(one: &'a Judged) -> Self {
        let finding = &one.finding;
        let region = finding.resource().and_then(|resource| resource.region.as_deref());
        Self {
            arn: data(&finding.arn),
            standing: standing(&one.standing),
            problem: data(&finding.problem()),
            title: finding.title.as_deref().map(data),
            priority: one.assessment.priority,
            score: one.assessment.score,
            reasons: one.assessment.reasons.iter().map(ReasonData::new).collect(),
            severity: word(finding.severity.as_str()),
            epss: words::epss(one),
            known_exploited: words::listing(one).map(|listing| Listed { since: listing.added }),
            packages: packages(one),
            resource: finding.resource().map(ResourceData::new),
            account: data(&finding.account),
            region: region.or(finding.region.as_deref()).map(data),
            exception: match &one.standing {
                Standing::Excepted(CoveredBy::Exception(id)) => Some(data(id)),
                _ => None,
            },
            suppressed: one.standing == Standing::Excepted(CoveredBy::Rule),
            uncovered: one
                .uncovered
                .iter()
                .map(|(id, why)| Uncovered { id: data(id), why: why.as_str() })
                .collect(),
        }
    }
}

/// The packages of a finding as data.
pub fn packages(one: &Judged) -> Vec<Package> {
    let packages = one.finding.package();
    packages.map_or_else(Vec::new, |all| {
        all.distinct_packages().into_iter().map(Package::new).collect()
    })
}

impl<'a> ReasonData<'a> {
    fn new(one: &'a Reason) -> Self {
        Self {
            factor: one.factor.name(),
            points: one.points,
            text: reason(&one.factor, Language::En),
        }
    }
}

impl Package {
    fn new(package: &VulnerablePackage) -> Self {
        Self {
            name: package.name.as_deref().map(data),
            installed: package.installed().map(|version| data(&version)),
            fixed_in: package.fixed_in.as_deref().map(data),
            place: package.place().map(data),
            manager: package.manager.as_deref().map(data),
        }
    }
}

impl ResourceData {
    fn new(resource: &Resource) -> Self {
        Self {
            kind: word(resource.kind.as_str()),
            id: data(&resource.id),
            name: data(&resource.display_name()),
        }
    }
}

impl Update {
    fn new(worth: &UpdateWorth) -> Self {
        Self {
            packages: worth.update.packages.iter().map(|name| data(name)).collect(),
            version: worth.update.version.as_deref().map(data),
            installed: worth.installed.iter().map(|version| data(version)).collect(),
            places: worth.places.iter().map(|place| data(place)).collect(),
            findings: worth.findings,
            closing: worth.closing,
        }
    }
}

impl Exception {
    fn new(covering: &Covering) -> Self {
        let exception = covering.exception.as_ref();
        let (by, id) = match &covering.by {
            CoveredBy::Exception(id) => ("exception", Some(data(id))),
            CoveredBy::Rule => ("suppression-rule", None),
        };
        Self {
            by,
            id,
            findings: covering.findings,
            decision: exception.map(|one| one.decision.as_str()),
            reason: exception.map(|one| data(&one.reason)),
            owner: exception.map(|one| data(&one.owner)),
            ticket: exception.and_then(|one| one.ticket.as_deref()).map(data),
            expires_at: covering.last_day(),
            days_left: covering.days_left,
            ends_soon: covering.ends_soon(),
        }
    }
}

impl NoteData {
    fn new(note: &Note) -> Self {
        let kind = match note {
            Note::ScannedOnce { .. } => "scanned-once",
            Note::Skipped { .. } => "skipped",
            Note::Unchecked { .. } => "unchecked",
            Note::EndsSoon { .. } => "ends-soon",
            Note::HiddenThoughExploited { .. } => "hidden-though-exploited",
        };
        Self { kind, text: words::note(note) }
    }
}
