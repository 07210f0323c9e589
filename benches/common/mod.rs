//! What benchmarks have in common: how they are called, and findings, as many as wanted, each with an ARN of its own.

#![allow(dead_code, reason = "each benchmark uses its own part of this")]

use std::{env, ffi::OsString};

use clap::Parser;
use inspector_triage::{app::failure::BoxError, emulator::inspector::as_api};
use serde_json::{Value, json};

/// The arguments. Paths in them are meant from where people stand, and cargo starts a benchmark in its package's folder.
pub fn arguments<A: Parser>() -> Result<A, BoxError> {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    // The last word is cargo's own.
    arguments.pop_if(|last| last == "--bench");
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    env::set_current_dir(project)
        .map_err(|error| format!("cannot change to {project}: {error}"))?;
    Ok(A::parse_from(arguments))
}

/// The event that all are made of.
const SAMPLE: &str = include_str!("../../events/01-critical-exploit-and-fix.json");
/// The end of the ARN in it.
const FINDING: &str = "ccf807a1c4d21157d50ffd7fdce050c9";
/// The vulnerability in it.
const VULNERABILITY: &str = "CVE-2026-10417";

/// The resource in it.
const RESOURCE: &str = "i-064217753ac9510bd";

/// Event number `number`: an open finding of some 3.6 KB that nobody has heard of, on one line.
///
/// It is of priority P1 at any time, for its exploit is known.
pub fn event(number: usize) -> String {
    let line: String = SAMPLE.lines().map(str::trim_start).collect();
    line.replace(FINDING, &format!("{number:032x}"))
        .replace(VULNERABILITY, &format!("CVE-2026-{}", 20_000 + number))
}

/// The end of the finding in [`event`], an hour later.
pub fn closed(number: usize) -> String {
    event(number)
        .replace(r#""status": "ACTIVE""#, r#""status": "CLOSED""#)
        .replace(r#""updatedAt": "Tue Nov 17 08:"#, r#""updatedAt": "Tue Nov 17 09:"#)
}

/// How many findings of [`listed`] share a vulnerability.
const RESOURCES: usize = 16;
/// When the first of them was observed, in seconds since 1970: two weeks before the sample.
pub const OBSERVED_AT: f64 = 1_793_692_800.0;

/// Finding number `number` as Inspector lists it: first observed a minute after the one before, on a resource of its own.
pub fn listed(number: usize) -> Value {
    let event = event(number / RESOURCES).replace(RESOURCE, &format!("i-{number:017x}"));
    let mut event: Value = serde_json::from_str(&event).expect("the sample is JSON");
    let mut finding = as_api(event["detail"].take());
    finding["findingArn"] =
        json!(format!("arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}"));
    finding["firstObservedAt"] =
        json!(OBSERVED_AT + 60.0 * f64::from(u32::try_from(number).expect("few")));
    finding
}

/// Event number `number` with the fields that an event must have and no others: some 400 bytes.
pub fn small(number: usize) -> String {
    format!(
        r#"{{"detail-type": "Inspector2 Finding", "source": "aws.inspector2", "detail": {{"findingArn": "arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}", "awsAccountId": "111122223333", "type": "PACKAGE_VULNERABILITY", "status": "ACTIVE", "severity": "HIGH", "resources": [{{"type": "AWS_EC2_INSTANCE", "id": "i-064217753ac9510bd"}}]}}}}"#
    )
}
