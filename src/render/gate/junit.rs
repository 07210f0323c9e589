//! A judgement as the results of tests, in the form of JUnit: <https://github.com/jenkinsci/xunit-plugin>, `junit-10.xsd`.
//!
//! A suite without tests is taken for one that did not run, so the scan is a test, too. There is no element for a note on
//! a test that passed but its output.

use std::collections::HashMap;

use askama::Template;

use super::{
    NotWritten, Outcome, cannot_tell,
    json::Numbers,
    quote::plain,
    words::{self, NAME, few},
};
use crate::{
    domain::gate::{Gate, Judged, Standing},
    render::{Language, words::reasons},
};

#[derive(Template)]
#[template(path = "gate/junit.xml")]
struct Suite {
    name: String,
    at: Option<String>,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    numbers: Vec<(&'static str, usize)>,
    class: String,
    scanned: Scanned,
    findings: Vec<Test>,
}

/// The test that is always there.
enum Scanned {
    /// It was, and this is what.
    Yes(String),
    /// It was not.
    No { why: String, todo: String },
}

struct Test {
    name: String,
    how: How,
    /// What else there is to say, line by line.
    body: String,
}

enum How {
    Failed { kind: &'static str, message: String },
    Skipped(String),
    Passed,
}

/// The XML of an outcome.
pub fn of(outcome: &Outcome<'_>) -> Result<String, NotWritten> {
    let suite = match outcome {
        Outcome::Judged(gate) => judged(gate),
        Outcome::CannotTell { subject, why } => {
            let (why, todo) = cannot_tell(why);
            Suite {
                name: plain(subject, 200),
                at: None,
                tests: 1,
                failures: 0,
                errors: 1,
                skipped: 0,
                numbers: Vec::new(),
                class: plain(subject, 200),
                scanned: Scanned::No { why, todo },
                findings: Vec::new(),
            }
        }
    };
    Ok(suite.render()? + "\n")
}

fn judged(gate: &Gate) -> Suite {
    let numbers = Numbers::of(&gate.judgement);
    let mut seen = HashMap::new();
    let mut said: Vec<String> = vec![format!("{}\n", words::verdict(gate, plain))];
    said.extend(gate.subject.scans.iter().map(|scan| format!("{}\n", words::scan(scan, plain))));
    if gate.subject.scans.is_empty() {
        said.push("Files say what was found; they do not say when it was scanned.\n".to_owned());
    }
    said.extend(gate.notes.iter().map(|note| format!("{}\n", words::note(note))));
    Suite {
        name: plain(&gate.subject.name, 200),
        at: Some(gate.judgement.now.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        tests: numbers.total + 1,
        failures: numbers.closing,
        errors: 0,
        skipped: numbers.excepted,
        class: plain(&gate.subject.stable_name, 200),
        scanned: Scanned::Yes(said.concat()),
        findings: gate.judgement.findings.iter().map(|one| test(gate, one, &mut seen)).collect(),
        numbers: numbers.named().to_vec(),
    }
}

/// A finding as a test. What shows tests knows them by their names, which neither the digest of an image nor a version is part
/// of; of several with one name each has a number.
fn test(gate: &Gate, one: &Judged, seen: &mut HashMap<String, usize>) -> Test {
    let packages = few(words::packages(&one.finding), 3, NAME, plain);
    let mut name = plain(&one.finding.problem(), NAME);
    if !packages.is_empty() {
        name = format!("{name} in {packages}");
    }
    let number = seen.entry(name.clone()).or_default();
    *number += 1;
    if *number > 1 {
        name = format!("{name} ({number})");
    }
    let how = match &one.standing {
        Standing::KnownExploited | Standing::Urgent => How::Failed {
            kind: super::json::standing(&one.standing),
            message: words::what_helps(&one.finding, plain),
        },
        Standing::Excepted(by) => {
            let covering = gate.judgement.covering.iter().find(|covering| covering.by == *by);
            let words = covering.map(|covering| words::excepted(covering, plain));
            How::Skipped(words.unwrap_or_else(|| words::standing(&one.standing, plain)))
        }
        Standing::LessUrgent | Standing::NotNew | Standing::NotFixable => How::Passed,
    };
    Test { name, how, body: body(one) }
}

fn body(one: &Judged) -> String {
    let assessment = &one.assessment;
    let mut lines = vec![format!(
        "{}, {} points: {}",
        assessment.priority,
        assessment.score,
        words::standing(&one.standing, plain)
    )];
    // Of what is only counted there is no more to read.
    if one.standing.closes() {
        lines.extend(reasons(&assessment.reasons, Language::En));
        for package in one.finding.package().map_or_else(Vec::new, |all| all.distinct_packages()) {
            let name = plain(package.name.as_deref().unwrap_or("?"), NAME);
            let installed =
                package.installed().map(|version| format!(" {}", plain(&version, NAME)));
            let place =
                words::place(package, 200).map(|place| format!(" ({})", plain(&place, 200)));
            lines.push(format!(
                "Package {name}{}{}",
                installed.unwrap_or_default(),
                place.unwrap_or_default()
            ));
        }
        lines.push(format!("Finding {}", plain(&one.finding.arn, 512)));
    }
    lines.join("\n")
}
