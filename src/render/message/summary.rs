//! Many findings in one message: counts, then problem by problem, then the most urgent in full.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;

use super::{Language, Message, Style, attributes, fit, subject};
use crate::{
    domain::{
        announce,
        assess::Priority,
        finding::Remediation,
        ledger::{Decision, WhyEnded},
        record::{AlertReason, Record},
        review::{FirstThing, Updates, Worth},
        round::Owed,
    },
    render::{
        view::{AlertView, moment, safe},
        words::{
            self,
            lists::{english, japanese},
            wording,
        },
    },
};

/// How many problems an e-mail lists.
const SHOWN: usize = 40;
/// How many problems a chat lists.
pub const SHOWN_IN_CHAT: usize = 15;
/// How many problems an e-mail shows in full.
const IN_FULL: usize = 3;
/// How many updates a summary names.
const UPDATES: usize = 5;

/// Findings to be summed up.
pub struct Summary<'a> {
    /// The findings of the summary, each with its alert reason.
    pub news: &'a [(&'a Record, AlertReason)],
    /// The time of the flush.
    pub at: Timestamp,
    /// How many there are.
    pub total: usize,
    /// All that a message is owed about, of which these are the most urgent.
    all: Option<(Owed, Counts)>,
    groups: Vec<Group<'a>>,
    /// The most urgent first.
    by_urgency: Vec<(&'a Record, AlertReason)>,
}

/// How many there are of each priority, the highest first.
struct Counts(Vec<(Priority, usize)>);

impl Counts {
    fn total(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// `2 P1, 31 P3`.
    fn in_words(&self) -> String {
        let counts = self.0.iter().map(|(priority, count)| format!("{count} {priority}"));
        counts.collect::<Vec<_>>().join(", ")
    }
}

/// The findings of one problem.
struct Group<'a> {
    /// The most urgent of them.
    first: &'a Record,
    findings: usize,
    resources: BTreeSet<&'a str>,
    accounts: BTreeSet<&'a str>,
    due: Option<Timestamp>,
}

/// A summary as its template sees it.
pub struct Shown<'a> {
    total: usize,
    counts: String,
    all: Option<&'a (Owed, Counts)>,
    problems: usize,
    resources: usize,
    accounts: usize,
    due: Option<String>,
    pub updates: Vec<ShownUpdate>,
    pub more_updates: usize,
    pub groups: Vec<ShownGroup>,
    pub more_groups: usize,
    pub more_findings: usize,
}

/// What can be installed, and what goes with it.
pub struct ShownUpdate {
    /// The packages; of an update of Windows its name.
    pub names: Vec<String>,
    /// The version to update to; `None` for an update of Windows.
    pub version: Option<String>,
    pub findings: u64,
    pub resources: u64,
    /// How many of the findings are P1 or P2.
    pub urgent: u64,
    /// How many of them are in images that running workloads use.
    pub in_use: u64,
    /// Some whose it is, and how many more.
    pub owners: Vec<String>,
    pub more_owners: usize,
}

/// How many owners of an update are named.
const OWNERS: usize = 3;

/// A problem and its findings.
pub struct ShownGroup {
    pub priority: &'static str,
    pub problem: String,
    pub package: String,
    pub remediation: Remediation,
    pub resources: usize,
    pub accounts: usize,
    pub due: Option<String>,
}

wording! {
    fn in_words<'a>(summary: &'a Shown<'a>) by "en/summary.txt", "ja/summary.txt"
}

wording! {
    fn in_full<'a>(urgent: &'a [AlertView]) by "en/urgent.txt", "ja/urgent.txt"
}

/// The more urgent, the smaller.
fn urgency(record: &Record) -> impl Ord + use<'_> {
    let assessment = record.assessment();
    (
        Reverse(assessment.priority),
        Reverse(assessment.score),
        record.finding.in_use().is_none(),
        record.due_at.unwrap_or(Timestamp::MAX),
        &record.finding.arn,
    )
}

impl<'a> Summary<'a> {
    /// Sums up `news`, as of `at`.
    pub fn new(news: &'a [(&'a Record, AlertReason)], at: Timestamp) -> Self {
        let mut by_urgency = news.to_vec();
        by_urgency.sort_by(|(a, _), (b, _)| urgency(a).cmp(&urgency(b)));
        let mut keyed: Vec<(String, &Record)> = by_urgency
            .iter()
            .map(|(record, _)| (announce::problem_key(&record.finding), *record))
            .collect();
        // Stable: the most urgent of a problem stays its first.
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut groups: Vec<Group<'_>> =
            keyed.chunk_by(|(a, _), (b, _)| a == b).map(Group::new).collect();
        groups.sort_by(|a, b| {
            let more = b.resources.len().cmp(&a.resources.len());
            let by_class = Reverse(a.first.priority()).cmp(&Reverse(b.first.priority()));
            by_class.then(more).then_with(|| urgency(a.first).cmp(&urgency(b.first)))
        });
        Self { news, at, total: news.len(), all: None, groups, by_urgency }
    }

    /// The same, as the most urgent of all findings that the round owes a message about, of which there are so many
    /// `by_priority`.
    #[must_use]
    pub fn of_all(mut self, what: Owed, by_priority: &BTreeMap<Priority, usize>) -> Self {
        let counts = by_priority.iter().rev().map(|(priority, count)| (*priority, *count));
        self.all = Some((what, Counts(counts.collect())));
        self
    }

    /// The highest priority in it.
    pub fn priority(&self) -> &'static str {
        self.by_urgency.first().map_or("", |(record, _)| record.priority().as_str())
    }

    /// One line: how many, and what first.
    pub fn title(&self) -> String {
        let Some(group) = self.groups.first() else { return String::new() };
        let package = subject::packages(&group.first.finding);
        let package = if package.is_empty() { package } else { format!(" {package}") };
        let (findings, resources) =
            (counted(self.count(), "finding"), counted(group.resources.len(), "resource"));
        let more = match self.groups.len() - 1 {
            0 => String::new(),
            more => format!(", and {}", counted(more, "more problem")),
        };
        let problem = group.first.finding.problem();
        let told = safe(&format!("{problem}{package}"), 60);
        format!("[{}] {findings}: {told} on {resources}{more}", self.priority())
    }

    /// How many findings it is about.
    pub fn count(&self) -> usize {
        self.all.as_ref().map_or(self.total, |(_, counts)| counts.total())
    }

    /// Counts and problems in words, at most `shown` of these.
    pub fn text(&self, language: Language, shown: usize) -> String {
        in_words(&self.shown(shown), language)
    }

    /// What its template shows, at most `shown` problems.
    pub fn shown(&self, shown: usize) -> Shown<'_> {
        let count = |priority| {
            let of = self.news.iter().filter(|(record, _)| record.priority() == priority);
            (priority, of.count())
        };
        let set = |of: fn(&'a Record) -> Vec<&'a str>| {
            self.news.iter().flat_map(|(record, _)| of(record)).collect::<BTreeSet<_>>().len()
        };
        let rest = self.groups.get(shown..).unwrap_or_default();
        let mut updates = self.updates();
        let more_updates = updates.len().saturating_sub(UPDATES);
        updates.truncate(UPDATES);
        let counts = Priority::ALL.map(count).into_iter().filter(|(_, count)| *count > 0);
        let counts = Counts(counts.collect());
        Shown {
            updates: updates.into_iter().map(ShownUpdate::from).collect(),
            more_updates,
            total: self.total,
            counts: counts.in_words(),
            all: self.all.as_ref(),
            problems: self.groups.len(),
            resources: set(|record| {
                record.finding.resources.iter().map(|r| r.id.as_str()).collect()
            }),
            accounts: set(|record| vec![&record.finding.account]),
            due: self
                .groups
                .iter()
                .filter_map(|group| group.due)
                .min()
                .map(|due| moment(due).to_string()),
            groups: self.groups.iter().take(shown).map(ShownGroup::new).collect(),
            more_groups: rest.len(),
            more_findings: rest.iter().map(|group| group.findings).sum(),
        }
    }
}

impl Summary<'_> {
    /// What can be installed, that with which most urgent findings go first.
    fn updates(&self) -> Vec<Worth> {
        let mut updates = Updates::default();
        for (record, _) in self.news {
            updates.add(record, None);
        }
        updates.ranked()
    }
}

impl From<Worth> for ShownUpdate {
    fn from(worth: Worth) -> Self {
        Self {
            names: worth.update.packages.iter().map(|name| safe(name, 60)).collect(),
            version: worth.update.version.map(|version| safe(&version, 60)),
            findings: worth.findings,
            resources: worth.resources,
            urgent: worth.urgent,
            in_use: worth.in_use,
            owners: Vec::new(),
            more_owners: 0,
        }
    }
}

impl From<&FirstThing> for ShownUpdate {
    fn from(thing: &FirstThing) -> Self {
        Self {
            names: vec![safe(&thing.package, 60)],
            version: thing.version.as_deref().map(|version| safe(version, 60)),
            findings: thing.findings,
            resources: thing.resources,
            urgent: thing.urgent,
            in_use: thing.in_use,
            owners: thing.owners.iter().take(OWNERS).map(|owner| safe(owner, 40)).collect(),
            more_owners: thing.owners.len().saturating_sub(OWNERS),
        }
    }
}

impl<'a> Group<'a> {
    fn new(findings: &[(String, &'a Record)]) -> Self {
        let (_, first) = &findings[0];
        let all = || findings.iter().map(|(_, record)| *record);
        Self {
            first,
            findings: findings.len(),
            resources: all()
                .flat_map(|record| record.finding.resources.iter().map(|r| r.id.as_str()))
                .collect(),
            accounts: all().map(|record| record.finding.account.as_str()).collect(),
            due: all().filter_map(|record| record.due_at).min(),
        }
    }
}

impl ShownGroup {
    fn new(group: &Group<'_>) -> Self {
        let finding = &group.first.finding;
        Self {
            priority: group.first.priority().as_str(),
            problem: safe(&finding.problem(), 60),
            package: safe(&subject::packages(finding), 60),
            remediation: Remediation::of(finding).map(|text| safe(text, 60)),
            resources: group.resources.len(),
            accounts: group.accounts.len(),
            due: group.due.map(|due| moment(due).to_string()),
        }
    }
}

/// The e-mail that sums findings up.
pub fn email(summary: &Summary<'_>, style: &Style) -> Message {
    // The most urgent of each problem: three machines with one problem are said above.
    let mut seen = BTreeSet::new();
    let urgent: Vec<AlertView> = summary
        .by_urgency
        .iter()
        .filter(|(record, _)| seen.insert(announce::problem_key(&record.finding)))
        .take(IN_FULL)
        .map(|(record, why)| AlertView::new(record, *why, style))
        .collect();
    let in_full = in_full(&urgent, style.language);
    Message {
        subject: Some(subject::fitting(&summary.title())),
        body: fit(&format!("{}{in_full}", summary.text(style.language, SHOWN))),
        attributes: attributes::summary(summary.news, style),
    }
}

/// `1 finding`, `2 findings`.
pub fn counted(number: impl fmt::Display, what: &str) -> String {
    let number = number.to_string();
    let ending = if number == "1" { "" } else { "s" };
    format!("{number} {what}{ending}")
}
