//! The plan of action and milestones (POA&M) that FedRAMP had before its Consolidated Rules 2026: a row for each finding that
//! is open, by the columns of its template. Cells are empty where the data cannot say what belongs there.

use jiff::Timestamp;

use super::{
    accepted::{Acceptance, Decisions},
    entry::{SOURCE, description, detected_at, false_positive, supplement, title},
    sentences::Sentences,
};
use crate::{
    domain::{
        evidence::{Entry, Evidence, Outcome},
        finding::Severity,
        ledger::Decision,
        round::day,
    },
    render::view::safe,
};

/// The columns, by their names.
pub const COLUMNS: [&str; 31] = [
    "POAM ID",
    "Controls",
    "Weakness Name",
    "Weakness Description",
    "Weakness Detector Source",
    "Weakness Source Identifier",
    "Asset Identifier",
    "Point of Contact",
    "Resources Required",
    "Overall Remediation Plan",
    "Original Detection Date",
    "Scheduled Completion Date",
    "Planned Milestones",
    "Milestone Changes",
    "Status Date",
    "Vendor Dependency",
    "Last Vendor Check-in Date",
    "Vendor Dependent Product Name",
    "Original Risk Rating",
    "Adjusted Risk Rating",
    "Risk Adjustment",
    "False Positive",
    "Operational Requirement",
    "Deviation Rationale",
    "Supporting Documents",
    "Comments",
    "Auto-Approve",
    "Binding Operational Directive 22-01 tracking",
    "Binding Operational Directive 22-01 Due Date",
    "CVE",
    "Service Name",
];

/// The control that findings of a scan belong to: vulnerability monitoring and scanning, of NIST SP 800-53.
const CONTROL: &str = "RA-5";

/// The rows of the findings that were open at the end of the period, also those that an exception covered.
pub fn rows(evidence: &Evidence) -> impl Iterator<Item = Vec<String>> {
    let decisions = Decisions::of(evidence);
    let is_open = |entry: &&Entry| matches!(entry.outcome, Outcome::Open | Outcome::Excepted);
    let open = evidence.entries.iter().filter(is_open);
    open.map(move |entry| cells(entry, evidence, &decisions))
}

/// The cells of a finding, one for each of [`COLUMNS`]. Words of strangers are harmless, and cut where they are long; formulas
/// are as they are.
fn cells(entry: &Entry, evidence: &Evidence, decisions: &Decisions<'_>) -> Vec<String> {
    let (subject, facts) = (&entry.subject, &entry.state.facts);
    let false_positive = false_positive(entry);
    let fix = Some(safe(&subject.fix, 300)).filter(|fix| !fix.is_empty());
    let vulnerability = subject.vulnerability.as_deref();
    let is_cve = |id: &&str| id.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("CVE-"));
    let due_for_cisa = entry.catalogue_due();
    let empty = String::new;
    let cells: [String; COLUMNS.len()] = [
        safe(&subject.arn, 512),
        CONTROL.to_owned(),
        title(subject),
        description(subject),
        SOURCE.to_owned(),
        safe(vulnerability.unwrap_or(&subject.problem), 100),
        safe(&subject.resource_id, 512),
        subject.owner.as_deref().map(|owner| safe(owner, 100)).unwrap_or_default(),
        empty(), // Resources Required
        fix.map(|fix| format!("Update: {fix}")).unwrap_or_default(),
        date(detected_at(entry)),
        scheduled(entry),
        empty(), // Planned Milestones
        empty(), // Milestone Changes
        date(evidence.period.as_of),
        empty(), // Vendor Dependency
        empty(), // Last Vendor Check-in Date
        empty(), // Vendor Dependent Product Name
        rating(&facts.severity).to_owned(),
        empty(), // Adjusted Risk Rating
        yes_or_no(false),
        yes_or_no(false_positive.is_some()),
        yes_or_no(false),
        false_positive.map(|one| safe(&one.reason, 1_000)).unwrap_or_default(),
        empty(), // Supporting Documents
        comments(entry, evidence, decisions),
        empty(), // Auto-Approve
        yes_or_no(facts.known_exploited),
        due_for_cisa.map(date).unwrap_or_default(),
        vulnerability.filter(is_cve).map(|id| safe(id, 100)).unwrap_or_default(),
        empty(), // Service Name
    ];
    cells.into()
}

/// By when it is to be done: the provider's own due date, or the last day until which an exception puts it off.
fn scheduled(entry: &Entry) -> String {
    let put_off = entry.state.exception().filter(|one| one.decision == Decision::Defer);
    match entry.outcome {
        Outcome::Open => entry.state.due_at().map(date).unwrap_or_default(),
        _ => put_off.map(|one| one.terms.expires_at.to_string()).unwrap_or_default(),
    }
}

/// Inspector's severity in the words of the template, which has three.
fn rating(severity: &Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "High",
        Severity::Medium => "Moderate",
        Severity::Low => "Low",
        _ => "",
    }
}

/// Why it is accepted, if it is, and what else there is to know.
fn comments(entry: &Entry, evidence: &Evidence, decisions: &Decisions<'_>) -> String {
    let why = Acceptance::of(entry, &evidence.period).map(|why| why.rationale(decisions));
    let mut text = Sentences::default();
    text.add_if(why);
    text.add(supplement(entry, &evidence.period, decisions));
    text.text()
}

fn yes_or_no(is_so: bool) -> String {
    (if is_so { "Yes" } else { "No" }).to_owned()
}

fn date(moment: Timestamp) -> String {
    day(moment).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inspector_s_severities_have_three_words() {
        let words = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED", "NEW"];
        let ratings = words.map(|word| rating(&Severity::from(word)));
        assert_eq!(ratings, ["High", "High", "Moderate", "Low", "", "", ""]);
    }
}
