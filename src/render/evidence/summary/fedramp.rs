//! FedRAMP's Consolidated Rules 2026: the rules VDR and VER, in their order. What each asks for is said in our words.

use super::parts::{self, Parts, priority_of};
use crate::{
    domain::{
        evidence::{Entry, Outcome},
        round::{Part, day},
    },
    render::{
        evidence::{
            fedramp,
            page::{Section, Shown},
        },
        view::safe,
        words::number_of,
    },
};

pub fn sections(parts: &Parts<'_>) -> Vec<Section> {
    vec![
        parts.scope("Scope"),
        parts.method("VDR-CSO-DET Vulnerabilities are looked for"),
        parts
            .coverage("VDR-CSO-FAV Failures of the detection are vulnerabilities")
            .say("Each gap is an entry of one of the two reports."),
        known_exploited(parts),
        evaluation(),
        reports(parts),
        parts.figures("VER-RPT-PER What was found, and what became of it", &parts::ALL),
        parts.breaches("VER-RPT-VDT Overdue", &parts::ALL),
        parts.exceptions("VER-RPT-AVI Decisions"),
        parts.checks("Counted then, and counted now"),
        parts.limits("Limits"),
    ]
}

/// What CISA's catalogue had, and by when it was to be remedied.
fn known_exploited(parts: &Parts<'_>) -> Section {
    let evidence = parts.evidence;
    let listed: Vec<&Entry> = evidence
        .entries
        .iter()
        .filter(|entry| entry.state.facts.known_exploited && entry.outcome != Outcome::NeverOpen)
        .collect();
    let is_left = |entry: &&&Entry| matches!(entry.outcome, Outcome::Open | Outcome::Excepted);
    let left: Vec<&Entry> = listed.iter().filter(is_left).copied().collect();
    let late = left.iter().filter(|entry| entry.is_past_catalogue_due(&evidence.period));
    let (shown, more) = parts::bounded(&left, "have knownExploited in", "findings.csv");
    let rows = left[..shown].iter().map(|entry| {
        vec![
            safe(&entry.subject.problem, 80),
            safe(&entry.subject.resource, 80),
            priority_of(entry).as_str().to_owned(),
            entry.catalogue_due().map(|due| day(due).to_string()).unwrap_or_default(),
        ]
    });
    Section::new("VDR-TFR-KEV Known exploited vulnerabilities")
        .say(format!(
            "{} of the period {} in CISA's catalogue; {} open or excepted at its end, of these {} after the date that CISA set.",
            number_of(listed.len() as u64, "finding"),
            if listed.len() == 1 { "is" } else { "are" },
            left.len(),
            late.count(),
        ))
        .say_all(parts.not_asked(Part::Threat))
        .say_all(more)
        .show(Shown {
            caption: "Those that are left".to_owned(),
            columns: vec!["Problem", "Resource", "Priority", "Due by CISA"],
            rows: rows.collect(),
        })
}

fn evaluation() -> Section {
    Section::new("VER-EVA Evaluation")
        .say(
            "Each finding has a priority by this program's formula. A resource with a public address or a path from an internet gateway is \
             reported as reachable from the internet; a vulnerability with a known exploit, or in CISA's catalogue, as likely exploitable.",
        )
        .miss("The potential impact on agencies, N1 to N5 (VER-EVA-EPA), past, present and planned: the provider has to judge it.")
        .miss("That something is not reachable (VER-EVA-EIR), or not likely exploitable (VER-EVA-ELX): only what is sure is reported.")
        .miss("When the evaluation was completed, from which VER-TFR-EVU and VER-TFR-MAV count.")
}

/// What is in which report.
fn reports(parts: &Parts<'_>) -> Section {
    let evidence = parts.evidence;
    let accepted = evidence.count(|entry| fedramp::is_accepted(entry, &evidence.period));
    let all = evidence.entries.len() as u64;
    Section::new("VER-RPT-VDT, VER-RPT-AVI The two reports")
        .say(format!(
            "fedramp-vulnerability-detail-report.json has {} of the period, fedramp-accepted-vulnerability-info.json the other {accepted}; each \
             is in one of them. Beside them stands what was not looked at.",
            number_of(all - accepted, "finding")
        ))
        .say(format!(
            "Accepted is what an exception of the ledger accepts, and what has been there for more than {} days without a decision, or is put \
             off for as long (VER-TFR-MAV). Those days are counted from the detection.",
            fedramp::ACCEPTED_AFTER_DAYS
        ))
        .say("poam.csv has what is open, in the columns of the former plan of action and milestones.")
        .say("This page is the human-readable report (VER-TFR-MHR), if it is given each month.")
        .miss("A word for what is remediated: the schema has none. It is reported as Fully Mitigated, and its supplement says so.")
        .miss(
            "What VER-RPT-NID has withheld from whom: the reports name resources and accounts, and the provider decides who reads them.",
        )
}
