//! Records for tests.

use serde_json::{Value, json};

use super::{AssessedFinding, Record, Step, step};
use crate::domain::{
    assess::{Policy, assess},
    finding::{Finding, sample},
};

/// The sample finding after `change`, as it is seen at noon.
pub fn assessed(change: impl FnOnce(&mut Value)) -> AssessedFinding {
    let finding = sample::with(change);
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let assessment = assess(&finding, &Policy::default(), Some(now));
    AssessedFinding::new(finding, assessment, now)
}

/// What becomes of no record at all after these sightings, in this order.
pub fn after(findings: &[AssessedFinding]) -> Record {
    let mut record: Option<Record> = None;
    for assessed in findings {
        record = match step(record.as_ref(), assessed, &Policy::default()) {
            Step::Write(next, _) => Some(*next),
            Step::Repetition | Step::Stale => record,
        };
    }
    record.expect("a first sighting makes a record")
}

/// The sample finding of a moment, after `more` changes.
pub fn at(time: &'static str, more: fn(&mut Value)) -> AssessedFinding {
    assessed(|f| {
        f["updatedAt"] = json!(time);
        more(f);
    })
}

/// The record of a finding that is heard of for the first time.
pub fn record(finding: Finding) -> Record {
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let assessment = assess(&finding, &Policy::default(), Some(now));
    match step(None, &AssessedFinding::new(finding, assessment, now), &Policy::default()) {
        Step::Write(record, _) => *record,
        other => panic!("a first sighting is written, not {other:?}"),
    }
}
