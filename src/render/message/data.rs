//! The message for programs: JSON with a version. Its schema is `docs/data-message.schema.json`.

use std::{collections::BTreeMap, ops::Range};

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{
    Message, Style,
    attributes::{self, Attribute, known_exploited},
    summary::Summary,
};
use crate::{
    domain::{
        announce,
        assess::{Deadlines, Priority, bod_26_04::Answer},
        figures::Counts,
        finding::{FixAvailable, Resource},
        ledger::Decision,
        record::{AlertReason, Excepted, How, Record},
        reminders::NoticeReason,
        review::Review,
        text,
        threat::Threat,
    },
    render::words::reason,
};

/// Raised when a field goes or changes its meaning; new fields may come at any time.
const VERSION: &str = "1";

/// SNS takes 256 KiB with all attributes, which have a value for each account or owner of so many findings.
const LARGEST: usize = 220_000;

/// The message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    version: &'static str,
    kind: &'static str,
    sent_at: Timestamp,
    /// Which part of how many.
    part: usize,
    parts: usize,
    findings: &'a [Entry],
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<&'a Review>,
    /// Where the page is that has all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reminders: &'a [Reminded<'a>],
}

/// Of what somebody is reminded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reminded<'a> {
    owner: Option<String>,
    /// All that is overdue of theirs.
    overdue: &'a Counts,
    /// How many findings they are reminded of, because they are overdue or due soon, though not all may be listed.
    told: usize,
    due_soon: usize,
    exceptions: Vec<NoticeOf>,
}

/// What is told of an exception.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NoticeOf {
    id: String,
    expires_at: Date,
    why: NoticeReason,
}

/// What the rule for due dates says, and why.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deadline {
    rule: String,
    days: Option<u16>,
    forensics: bool,
    known_exploited: Answer,
    exposed: Answer,
    automatable: Answer,
    total_impact: Answer,
}

/// A finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    finding_arn: String,
    dedup_key: String,
    problem_key: String,
    reason: &'static str,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Ending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<Exception>,
    priority: Priority,
    score: u8,
    reasons: Vec<Because>,
    severity: String,
    epss: Option<f64>,
    exploit_available: bool,
    known_exploited: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attacks: Option<Attacks>,
    fix_available: Option<String>,
    due_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Deadline>,
    opened_at: Option<Timestamp>,
    account: String,
    region: Option<String>,
    owner: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    problem: String,
    title: Option<String>,
    cvss: Vec<Rating>,
    packages: Vec<Package>,
    resources: Vec<Where>,
}

/// What is known of attacks on the vulnerability.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attacks {
    /// When that was looked up.
    as_of: Timestamp,
    listed_at: Option<Timestamp>,
    listing_due_at: Option<Timestamp>,
    action: Option<String>,
    first_seen_at: Option<Timestamp>,
    last_seen_at: Option<Timestamp>,
}

/// What happens to a finding that an exception covers, and how.
const EXCEPTED: &str = "excepted";

/// How a finding ended, or that an exception covers it.
#[derive(Serialize)]
struct Ending {
    what: &'static str,
    how: &'static str,
    reason: Option<String>,
    at: Timestamp,
}

/// The exception that covers a finding, or was the last that did.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exception {
    id: String,
    decision: Decision,
    reason: String,
    owner: String,
    ticket: Option<String>,
    expires_at: Date,
    since: Timestamp,
    ended_at: Option<Timestamp>,
    ended_because: Option<&'static str>,
}

#[derive(Serialize)]
struct Because {
    factor: &'static str,
    points: u8,
    text: String,
}

#[derive(Serialize)]
struct Rating {
    source: Option<String>,
    score: Option<f64>,
    vector: Option<String>,
}

#[derive(Serialize)]
struct Package {
    name: Option<String>,
    installed: Option<String>,
    fixed: Option<String>,
}

#[derive(Serialize)]
struct Where {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    name: String,
    tags: BTreeMap<String, String>,
}

/// The message that announces a record, for the reason `why`.
pub fn alert(record: &Record, why: AlertReason, at: Timestamp, style: &Style) -> Message {
    let entry = [Entry::new(record, why.as_str(), style)];
    message("finding", at, (1, 1), &entry, attributes::alert(record, why, style))
}

/// The messages that sum findings up, each with the findings it has: as few as SNS takes.
pub fn summary(summary: &Summary<'_>, style: &Style) -> Vec<(Message, Range<usize>)> {
    let news = &summary.news;
    let entries = news.iter().map(|(record, why)| Entry::new(record, why.as_str(), style));
    let attributes = |part: Range<usize>| attributes::summary(&news[part], style);
    messages("summary", summary.at, &entries.collect::<Vec<_>>(), attributes)
}

/// The messages about findings that have ended, each with the findings it has: as few as SNS takes.
pub fn ended(records: &[&Record], at: Timestamp, style: &Style) -> Vec<(Message, Range<usize>)> {
    let entries = records.iter().map(|record| Entry::new(record, ENDED, style));
    let attributes = |part: Range<usize>| attributes::ended(&records[part], style);
    messages(ENDED, at, &entries.collect::<Vec<_>>(), attributes)
}

/// The kind of a message about findings that have ended, and the reason why each is in it.
const ENDED: &str = "ended";

/// Which entries go into which message, of which each has at most so many bytes of them.
fn parts(entries: &[Entry], most: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut size = most;
    for (index, entry) in entries.iter().enumerate() {
        // Strings and numbers under fixed keys: this cannot fail.
        let more = serde_json::to_vec(entry).map_or(0, |json| json.len() + 1);
        size += more;
        match parts.last_mut() {
            Some(last) if size <= most => last.end = index + 1,
            _ => {
                parts.push(index..index + 1);
                size = more;
            }
        }
    }
    parts
}

/// The messages of a kind that have these entries between them.
fn messages(
    kind: &'static str,
    at: Timestamp,
    entries: &[Entry],
    attributes: impl Fn(Range<usize>) -> Vec<(&'static str, Attribute)>,
) -> Vec<(Message, Range<usize>)> {
    let parts = parts(entries, LARGEST);
    let count = parts.len();
    parts
        .into_iter()
        .enumerate()
        .map(|(number, part)| {
            let of = (number + 1, count);
            let attributes = attributes(part.clone());
            (message(kind, at, of, &entries[part.clone()], attributes), part)
        })
        .collect()
}

fn message(
    kind: &'static str,
    sent_at: Timestamp,
    of: (usize, usize),
    findings: &[Entry],
    attributes: Vec<(&'static str, Attribute)>,
) -> Message {
    Data::new(kind, sent_at, of, findings).message(attributes)
}

/// The message with a review, which has no findings. What it links to is at `page`.
pub fn review(
    review: &Review,
    page: Option<&str>,
    sent_at: Timestamp,
    attributes: Vec<(&'static str, Attribute)>,
) -> Message {
    let data = Data { review: Some(review), page, ..Data::new("review", sent_at, (1, 1), &[]) };
    data.message(attributes)
}

/// The messages of a reminder, as few as SNS takes.
pub fn reminder(
    reminded: &[super::Reminded<'_>],
    sent_at: Timestamp,
    attributes: &[(&'static str, Attribute)],
    style: &Style,
) -> Vec<Message> {
    let notices = super::reminder::notices(reminded);
    let sections: Vec<Reminded<'_>> =
        reminded.iter().map(|one| Reminded::new(one, notices)).collect();
    let news = reminded.iter().flat_map(|one| one.most_urgent);
    let entries: Vec<Entry> =
        news.map(|(record, why)| Entry::new(record, why.as_str(), style)).collect();
    let size = serde_json::to_vec(&sections).map_or(0, |json| json.len());
    let mut parts = parts(&entries, LARGEST.saturating_sub(size));
    if parts.is_empty() {
        parts.push(0..0);
    }
    let count = parts.len();
    let message = |(number, part): (usize, Range<usize>)| {
        let kind = AlertReason::Overdue.as_str();
        let data = Data::new(kind, sent_at, (number + 1, count), &entries[part]);
        Data { reminders: &sections, ..data }.message(attributes.to_vec())
    };
    parts.into_iter().enumerate().map(message).collect()
}

impl<'a> Data<'a> {
    fn new(
        kind: &'static str,
        sent_at: Timestamp,
        (part, parts): (usize, usize),
        findings: &'a [Entry],
    ) -> Self {
        let (review, page, reminders) = (None, None, &[][..]);
        Self { version: VERSION, kind, sent_at, part, parts, findings, review, page, reminders }
    }

    fn message(&self, attributes: Vec<(&'static str, Attribute)>) -> Message {
        // Strings and numbers under fixed keys: this cannot fail.
        let body = serde_json::to_string(self).unwrap_or_default();
        Message { subject: None, body, attributes }
    }
}

impl Entry {
    fn new(record: &Record, why: &'static str, style: &Style) -> Self {
        let finding = &record.finding;
        let line = |text: &String| text::line(text);
        let packages = finding.package().map_or(&[][..], |package| &package.packages);
        Self {
            finding_arn: line(&finding.arn),
            dedup_key: format!("{}#{}", line(&finding.arn), record.opening),
            problem_key: text::line(&announce::problem_key(finding)),
            reason: why,
            status: text::line(finding.status.as_str()),
            end: Ending::of(record),
            exception: record.excepted.as_ref().map(Exception::new),
            priority: record.priority(),
            score: record.score(),
            reasons: record
                .assessment()
                .reasons
                .iter()
                .map(|because| Because {
                    factor: because.factor.name(),
                    points: because.points,
                    text: reason(&because.factor, style.language),
                })
                .collect(),
            severity: text::line(finding.severity.as_str()),
            epss: finding.epss,
            exploit_available: finding.exploit_known(),
            known_exploited: known_exploited(record),
            attacks: record.threat.as_ref().map(Attacks::new),
            fix_available: finding.fix_available.as_ref().map(FixAvailable::as_str).map(text::line),
            due_at: record.due_at,
            deadline: Deadline::of(record, style.deadlines),
            opened_at: record.opened_at,
            account: line(&finding.account),
            region: finding.region.as_ref().map(line),
            owner: finding.owner(&style.owner_tags).map(text::line),
            kind: text::line(finding.kind.as_str()),
            problem: text::line(&finding.problem()),
            title: finding.title.as_ref().map(line),
            cvss: finding
                .package()
                .map_or(&[][..], |package| &package.cvss)
                .iter()
                .map(|entry| Rating {
                    source: entry.source.as_ref().map(line),
                    score: entry.score,
                    vector: entry.vector.as_ref().map(line),
                })
                .collect(),
            packages: packages
                .iter()
                .map(|package| Package {
                    name: package.name.as_ref().map(line),
                    installed: package.installed().as_ref().map(line),
                    fixed: package.fixed_in.as_ref().map(line),
                })
                .collect(),
            resources: finding.resources.iter().map(Where::new).collect(),
        }
    }
}

impl<'a> Reminded<'a> {
    fn new(reminded: &super::Reminded<'a>, notices: usize) -> Self {
        let section = reminded.section;
        Self {
            owner: section.owner.as_deref().map(|owner| text::cut_bytes(&text::line(owner), 256)),
            overdue: &section.overdue,
            told: section.findings.len(),
            due_soon: section.count(AlertReason::DueSoon),
            exceptions: section
                .notices
                .iter()
                .take(notices)
                .map(|notice| NoticeOf {
                    id: text::line(&notice.id),
                    expires_at: notice.expires_at,
                    why: notice.why,
                })
                .collect(),
        }
    }
}

impl Attacks {
    fn new(threat: &Threat) -> Self {
        let listing = threat.listing().cloned().unwrap_or_default();
        let seen = threat.observed.clone().unwrap_or_default();
        Self {
            as_of: threat.checked_at,
            listed_at: listing.added,
            listing_due_at: listing.due,
            action: listing.action.as_deref().map(text::line),
            first_seen_at: seen.first,
            last_seen_at: seen.last,
        }
    }
}

impl Deadline {
    fn of(record: &Record, rule: Deadlines) -> Option<Self> {
        let verdict = rule.verdict(&record.finding, record.threat.as_ref())?;
        Some(Self {
            rule: rule.to_string(),
            days: verdict.deadline.days(),
            forensics: verdict.deadline.asks_for_forensics(),
            known_exploited: verdict.known_exploited,
            exposed: verdict.exposed,
            automatable: verdict.automatable,
            total_impact: verdict.total,
        })
    }
}

impl Ending {
    fn of(record: &Record) -> Option<Self> {
        if let Some(exception) = record.exception() {
            let reason = Some(text::line(&exception.id));
            return Some(Self { what: EXCEPTED, how: EXCEPTED, reason, at: exception.since });
        }
        let end = record.end.as_ref()?;
        let what = match end.how {
            How::Suppressed => "suppressed",
            _ if end.by_absence => "vanished",
            _ => "closed",
        };
        let reason = end.reason.as_deref().map(text::line);
        Some(Self { what, how: end.how.as_str(), reason, at: end.at })
    }
}

impl Exception {
    fn new(excepted: &Excepted) -> Self {
        Self {
            id: text::line(&excepted.id),
            decision: excepted.decision,
            reason: text::line(&excepted.reason),
            owner: text::line(&excepted.owner),
            ticket: excepted.ticket.as_deref().map(text::line),
            expires_at: excepted.terms.expires_at,
            since: excepted.since,
            ended_at: excepted.ended.map(|end| end.at),
            ended_because: excepted.ended.map(|end| end.why.as_str()),
        }
    }
}

impl Where {
    fn new(resource: &Resource) -> Self {
        Self {
            kind: text::line(resource.kind.as_str()),
            id: text::line(&resource.id),
            name: text::line(&resource.display_name()),
            tags: resource.tags.iter().map(|(k, v)| (text::line(k), text::line(v))).collect(),
        }
    }
}
