//! Where evidence comes from, and what its files must be.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{Profile, Source};
use crate::domain::{
    evidence::{Check, Counted, Evidence, Outcome, WhyOver},
    figures::{Counts, Ends},
    record::How,
    rules::Rules,
};

/// Where evidence comes from.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance<'a> {
    tool: &'static str,
    version: &'static str,
    table: &'a str,
    table_arn: &'a str,
    account: &'a str,
    region: &'a str,
    now: Timestamp,
    profile: Option<&'static str>,
    owner_tags: String,
    period: Days,
    history: History,
    settings: Vec<Setting<'a>>,
    counts: AllCounts,
    checks: Vec<Checked>,
    files: &'a [File],
}

/// A file of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its name within the folder.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The SHA-256 of these, as `sha256sum` prints it.
    pub sha256: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Days {
    from: Date,
    to: Date,
    as_of: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    first_row_at: Option<Timestamp>,
    kept_days: Option<i64>,
    whole_since: Option<Timestamp>,
    /// None where it is not known.
    is_whole_for_period: Option<bool>,
    findings_told_by_what_came_later: u64,
    expired_findings: u64,
    lost_ledgers: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Setting<'a> {
    from: Date,
    #[serde(flatten)]
    rules: &'a Rules,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AllCounts {
    findings: u64,
    open_at_start: u64,
    open: Counts,
    overdue: Counts,
    excepted: u64,
    hidden: u64,
    ended: BTreeMap<&'static str, u64>,
    late: u64,
    new: u64,
    known_exploited: u64,
    exceptions: u64,
    exceptions_ended: BTreeMap<&'static str, u64>,
    coverage: u64,
    coverage_at_end: u64,
    reviews: u64,
    days: u64,
    unread: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    what: &'static str,
    as_of: Timestamp,
    agrees: bool,
    recorded: Numbers,
    recounted: Numbers,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    open: Counts,
    overdue: Counts,
    excepted: u64,
    known_exploited: u64,
    new: u64,
    ended: Ends,
}

impl<'a> Provenance<'a> {
    /// Where `evidence` comes from, which these files are, and by which tags owners were told.
    pub fn new(
        evidence: &'a Evidence,
        source: &'a Source,
        profile: Option<Profile>,
        owner_tags: String,
        files: &'a [File],
    ) -> Self {
        let period = evidence.period;
        Self {
            tool: "inspector-triage",
            version: env!("CARGO_PKG_VERSION"),
            table: &source.table,
            table_arn: &source.arn,
            account: source.account(),
            region: source.region(),
            now: source.now,
            profile: profile.map(Profile::as_str),
            owner_tags,
            period: Days { from: period.from, to: period.to, as_of: period.as_of },
            history: history(evidence),
            settings: evidence
                .rules
                .iter()
                .map(|(from, rules)| Setting { from: *from, rules })
                .collect(),
            counts: counts(evidence),
            checks: evidence.checks.iter().map(checked).collect(),
            files,
        }
    }
}

fn history(evidence: &Evidence) -> History {
    let reach = evidence.reach;
    History {
        first_row_at: reach.first_row_at,
        kept_days: reach.kept_for.map(|kept_for| kept_for.as_hours() / 24),
        whole_since: reach.whole_since,
        is_whole_for_period: reach.whole_since.map(|_| {
            let is_short = reach.is_short_of(&evidence.period);
            let is_inferred = evidence.entries.iter().any(|entry| entry.is_inferred);
            !is_short && !is_inferred && reach.begins_in(&evidence.period).is_none()
        }),
        findings_told_by_what_came_later: evidence.count(|entry| entry.is_inferred),
        expired_findings: reach.expired_findings,
        lost_ledgers: reach.lost_ledgers,
    }
}

fn counts(evidence: &Evidence) -> AllCounts {
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let figures = &evidence.figures;
    let ended = |how| evidence.count(|entry| entry.outcome == Outcome::Ended(how));
    let over =
        |why| number(evidence.exceptions.iter().filter(|one| one.ended == Some(why)).count());
    AllCounts {
        findings: number(evidence.entries.len()),
        open_at_start: evidence.count(|entry| entry.was_open),
        open: figures.open,
        overdue: figures.overdue,
        excepted: figures.excepted,
        hidden: evidence.count(|entry| entry.outcome == Outcome::NeverOpen),
        ended: How::ALL.map(|how| (how.as_str(), ended(how))).into(),
        late: evidence.count(|entry| entry.late.is_some()),
        new: figures.new,
        known_exploited: figures.known_exploited,
        exceptions: number(evidence.exceptions.len()),
        exceptions_ended: [WhyOver::Expired, WhyOver::Withdrawn, WhyOver::Changed]
            .map(|why| (why.as_str(), over(why)))
            .into(),
        coverage: number(evidence.gaps.len()),
        coverage_at_end: number(evidence.gaps.iter().filter(|gap| gap.until.is_none()).count()),
        reviews: number(evidence.reviews.len()),
        days: number(evidence.days.len()),
        unread: number(evidence.unread.len()),
    }
}

fn checked(check: &Check) -> Checked {
    Checked {
        what: if check.is_review { "review" } else { "day" },
        as_of: check.as_of,
        agrees: check.agrees(),
        recorded: numbers(check.recorded),
        recounted: numbers(check.recounted),
    }
}

fn numbers(counted: Counted) -> Numbers {
    let Counted { open, overdue, excepted, known_exploited, new, ended } = counted;
    Numbers { open, overdue, excepted, known_exploited, new, ended }
}
