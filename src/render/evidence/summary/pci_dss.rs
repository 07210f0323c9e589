//! PCI DSS 4.0.1: requirements 6.3.1, 6.3.3, 11.3.1 and 11.3.1.1, in this order. What each asks for is said in our words.

use jiff::SignedDuration;

use super::parts::{self, Parts, priority_of};
use crate::{
    domain::{
        assess::Priority,
        evidence::{Entry, Outcome},
        finding::FixAvailable,
        record::How,
    },
    render::evidence::page::{Section, Shown},
};

/// What 6.3.3 gives for updates against critical vulnerabilities: a month, taken as its shortest sense.
const A_MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

/// What the entity's own ranking calls critical or high-risk.
const HIGH: [Priority; 2] = [Priority::P1, Priority::P2];
/// All others.
const OTHERS: [Priority; 2] = [Priority::P3, Priority::P4];

pub fn sections(parts: &Parts<'_>) -> Vec<Section> {
    vec![
        parts.scope("Scope"),
        parts
            .method("6.3.1 Vulnerabilities are found and ranked")
            .say("Of the ranking, P1 stands for critical and P2 for high-risk; P3 and P4 are all others.")
            .miss("That the inventory of bespoke and third-party software (6.3.2) is what Inspector scans.")
            .miss("The document in which the entity makes this ranking its own."),
        patches(parts),
        scans(parts),
        parts.figures("11.3.1 High-risk and critical vulnerabilities are resolved", &HIGH),
        parts.time_to_fix("11.3.1 Resolved in time, and late", &HIGH),
        parts.breaches("11.3.1 Not resolved by their due dates", &HIGH),
        parts.coverage("11.3.1 Not scanned"),
        parts.figures("11.3.1.1 All other vulnerabilities are managed", &OTHERS),
        parts
            .breaches("11.3.1.1 Open after their due dates", &OTHERS)
            .miss("The targeted risk analysis (12.3.1) by which the entity sets these due dates."),
        parts.exceptions("Exceptions to 6.3.3, 11.3.1 and 11.3.1.1"),
        parts.checks("Counted then, and counted now"),
        parts.limits("Limits"),
    ]
}

/// Whether updates against critical vulnerabilities were there within a month.
fn patches(parts: &Parts<'_>) -> Section {
    let evidence = parts.evidence;
    let has_fix = |entry: &Entry| {
        matches!(entry.state.facts.fix, Some(FixAvailable::Yes | FixAvailable::Partial))
    };
    let critical: Vec<&Entry> = evidence
        .entries
        .iter()
        .filter(|entry| entry.outcome != Outcome::NeverOpen)
        .filter(|entry| priority_of(entry) == Priority::P1 && has_fix(entry))
        .collect();
    let age = |entry: &Entry| {
        let opened = entry.state.life.and_then(|life| life.opened_at);
        let until = entry.ended_at().unwrap_or(evidence.period.as_of);
        opened.map(|opened| until.duration_since(opened))
    };
    let of = |is: &dyn Fn(&Entry) -> bool| critical.iter().filter(|entry| is(entry)).count();
    let is_fixed = |entry: &Entry| entry.outcome == Outcome::Ended(How::Fixed);
    let is_left = |entry: &Entry| matches!(entry.outcome, Outcome::Open | Outcome::Excepted);
    let within = |entry: &Entry| age(entry).is_some_and(|age| age <= A_MONTH);
    let after = |entry: &Entry| age(entry).is_some_and(|age| age > A_MONTH);
    let rows = [
        ("Fixed within 30 days", of(&|entry| is_fixed(entry) && within(entry))),
        ("Fixed after more than 30 days", of(&|entry| is_fixed(entry) && after(entry))),
        ("Open for 30 days at most", of(&|entry| is_left(entry) && within(entry))),
        ("Open for more than 30 days", of(&|entry| is_left(entry) && after(entry))),
        ("Ended in another way, or of unknown age", {
            let known = of(&|entry| (is_fixed(entry) || is_left(entry)) && age(entry).is_some());
            critical.len() - known
        }),
    ];
    Section::new("6.3.3 Updates against critical vulnerabilities within a month")
        .say(format!(
            "{} P1 findings of the period have a fix. Their days count from when Inspector found them.",
            critical.len()
        ))
        .show(Shown {
            caption: "P1 findings with a fix".to_owned(),
            columns: vec!["What became of them", "Findings"],
            rows: rows.map(|(what, number)| vec![what.to_owned(), number.to_string()]).into(),
        })
        .miss("When each update was released, from which the month of 6.3.3 counts: Inspector does not say.")
}

/// That scans were made at least every three months, and that rescans confirm what was fixed.
fn scans(parts: &Parts<'_>) -> Section {
    let fixed = |entry: &Entry| entry.outcome == Outcome::Ended(How::Fixed);
    let count =
        parts.evidence.count(|entry| fixed(entry) && parts::ALL[..2].contains(&priority_of(entry)));
    Section::new("11.3.1 Scans, and rescans")
        .say(parts.rounds())
        .say(format!(
            "{count} P1 and P2 findings are counted as fixed. For each, Inspector stopped finding the weakness, and its coverage of the \
             resource was active and successful when a daily round asked (endExplainedAt in findings.csv)."
        ))
        .miss("When each resource was scanned, also again after a fix: Inspector scans without a schedule, when software or its knowledge changes.")
        .miss("That the scanner is kept up to date: AWS runs it.")
        .miss("That qualified people, independent of what is scanned, are responsible for the scans.")
        .miss("Whether scans were authenticated (11.3.1.2): Inspector's agent, or its look at the disk, sees installed packages.")
}
