//! The real command line, as people run it.

#![cfg(feature = "cli")]

mod common;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use common::{event, scratch};
use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_inspector-triage"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that refuses its arguments does not read its input.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn replay(file: &Path, more: &[&str]) -> (String, Option<i32>) {
    let arguments = [&["replay", file.to_str().unwrap()], more].concat();
    let output = run(&arguments, b"");
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.code(),
    )
}

fn scores(input: &[u8]) -> (Vec<Value>, Option<i32>) {
    let output = run(&["score"], input);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    (lines, output.status.code())
}

fn lines(events: &[Value]) -> Vec<u8> {
    events
        .iter()
        .map(|event| format!("{event}\n"))
        .collect::<String>()
        .into_bytes()
}

/// Events about `n` different findings.
fn different(n: usize) -> Vec<Value> {
    (0..n)
        .map(|n| {
            event("2026-11-20T10:00:00Z", |f| {
                f["findingArn"] = json!(format!(
                    "arn:aws:inspector2:eu-central-1:111122223333:finding/{n:032}"
                ));
            })
        })
        .collect()
}

#[test]
fn a_score_says_which_finding_how_urgent_by_when_and_why() {
    let (scored, status) = scores(&lines(&different(1)));
    assert_eq!(status, Some(0));
    let scored = &scored[0];
    assert_eq!(
        scored["findingArn"],
        "arn:aws:inspector2:eu-central-1:111122223333:finding/00000000000000000000000000000000"
    );
    assert_eq!(scored["priority"], "P2");
    assert_eq!(scored["dueAt"], "2026-11-27T10:00:01Z");
    let reasons = scored["reasons"].as_array().unwrap();
    let points: u64 = reasons
        .iter()
        .map(|reason| reason["points"].as_u64().unwrap())
        .sum();
    assert_eq!(scored["score"], points);
    assert_eq!(
        reasons[0],
        json!({"factor": "epss", "points": 5, "text": "1.0 % chance of exploitation within 30 days (EPSS)"})
    );
}

#[test]
fn a_line_that_cannot_be_scored_says_why_in_its_place() {
    let events = different(2);
    let input = format!(
        "{}\n{{\"detail-type\": \"Inspector2 Sc\n\n{}",
        events[0], events[1]
    );
    let (scored, status) = scores(input.as_bytes());
    assert_eq!(status, Some(1));
    assert_eq!(scored.len(), 4);
    assert!(
        scored[1]["error"]
            .as_str()
            .unwrap()
            .starts_with("the event is not JSON: EOF while parsing a string")
    );
    assert!(
        scored[2]["error"]
            .as_str()
            .unwrap()
            .starts_with("the event is not JSON: EOF")
    );
    assert!(scored[3]["score"].is_u64());
}

#[test]
fn findings_that_conform_to_the_schema_are_all_scored() {
    let events: Vec<Value> = samples(conforming(), 300);
    let (scored, status) = scores(&lines(&events));
    assert_eq!((scored.len(), status), (events.len(), Some(0)));
    for (scored, event) in scored.iter().zip(&events) {
        let arn = event
            .pointer("/detail/findingArn")
            .or(event.get("findingArn"));
        assert_eq!(Some(&scored["findingArn"]), arn, "{scored}\n{event}");
    }
}

#[test]
fn corrupted_lines_give_a_line_each_and_never_a_panic() {
    let damage = (
        conforming(),
        any::<prop::sample::Index>(),
        any::<u8>(),
        any::<bool>(),
    );
    let corrupted: Vec<u8> = samples(damage, 300)
        .into_iter()
        .flat_map(|(event, place, byte, cut)| {
            let mut line = event.to_string().into_bytes();
            let place = place.index(line.len());
            if cut {
                line.truncate(place);
            } else {
                line[place] = if byte == b'\n' { 0xff } else { byte };
            }
            line.push(b'\n');
            line
        })
        .collect();
    let output = run(&["score"], &corrupted);
    assert_eq!(
        output.stdout.iter().filter(|byte| **byte == b'\n').count(),
        300
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn events_are_taken_in_every_form_people_have_them_in() {
    let folder = scratch("forms");
    let events = different(3);
    let findings: Vec<&Value> = events.iter().map(|event| &event["detail"]).collect();
    for (name, content, expected) in [
        (
            "one.json",
            serde_json::to_vec_pretty(&events[0]).unwrap(),
            "1 event in 1 file: 1 announced",
        ),
        (
            "array.json",
            serde_json::to_vec(&events).unwrap(),
            "3 events in 1 file: 3 announced",
        ),
        (
            "pretty-array.json",
            serde_json::to_vec_pretty(&events).unwrap(),
            "3 events in 1 file: 3 announced",
        ),
        (
            "lines.ndjson",
            lines(&events),
            "3 events in 1 file: 3 announced",
        ),
        (
            "listing.json",
            serde_json::to_vec_pretty(&json!({"findings": findings})).unwrap(),
            "3 events in 1 file: 3 announced",
        ),
    ] {
        let file = folder.join(name);
        fs::write(&file, content).unwrap();
        let (shown, status) = replay(&file, &[]);
        assert_eq!(shown.lines().last(), Some(expected), "{name}");
        assert_eq!(status, Some(0), "{name}");
    }
    let (shown, status) = replay(&folder, &[]);
    assert_eq!(
        shown.lines().last(),
        Some("13 events in 5 files: 3 announced, 10 unchanged")
    );
    assert_eq!(status, Some(0));

    let output = run(&["replay", "-"], &lines(&events));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.contains("\n-:2: announced: new\n") && shown.ends_with("3 announced\n"),
        "{shown}"
    );
}

#[test]
fn what_does_not_parse_is_named_with_its_line_and_the_rest_goes_on() {
    let file = scratch("broken").join("events.ndjson");
    let events = different(2);
    fs::write(&file, format!("{}\n{{\"a\": \n{}\n", events[0], events[1])).unwrap();
    let (shown, status) = replay(&file, &[]);
    let name = file.display();
    assert!(shown.contains(&format!("{name}:2: not handled: the event is not JSON: EOF while parsing a value at line 1 column 5")), "{shown}");
    assert!(
        shown.ends_with("3 events in 1 file: 2 announced, 1 not handled\n"),
        "{shown}"
    );
    assert_eq!(status, Some(1));
}

#[test]
fn the_deployed_rules_are_held_against_the_events() {
    let file = scratch("rules").join("events.ndjson");
    let mut events = different(2);
    events[1]["detail"]["severity"] = json!("MEDIUM");
    fs::write(&file, lines(&events)).unwrap();
    let template = common::project("template.yaml");
    let (shown, status) = replay(&file, &["--rule", template.to_str().unwrap()]);
    let stopped: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("no rule would"))
        .collect();
    assert_eq!(
        stopped,
        [format!(
            "{}:2: no rule would have let this through",
            file.display()
        )]
    );
    assert_eq!(status, Some(0));
}

#[test]
fn a_store_that_is_kept_remembers_what_was_said() {
    let folder = scratch("kept");
    let file = folder.join("events.ndjson");
    fs::write(&file, lines(&different(1))).unwrap();
    let db = folder.join("store.db");
    let db = ["--db", db.to_str().unwrap()];
    assert!(replay(&file, &db).0.ends_with("1 announced\n"));
    assert!(replay(&file, &db).0.ends_with("1 unchanged\n"));
}

#[test]
fn a_path_to_nothing_is_bad_usage() {
    let output = run(&["replay", "no/such/file.json"], b"");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "inspector-triage: cannot read no/such/file.json: No such file or directory (os error 2)\n"
    );
    assert_eq!(run(&["reply"], b"").status.code(), Some(2));
}

fn samples<T>(strategy: impl Strategy<Value = T>, n: usize) -> Vec<T> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    (0..n)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// A finding that conforms to the service model, in an envelope or as the API returns it: every
/// optional field there or not, any text in texts, any date form, any word in the vocabularies.
fn conforming() -> impl Strategy<Value = Value> {
    let maybe =
        |value: BoxedStrategy<Value>| prop_oneof![3 => value, 1 => Just(Value::Null)].boxed();
    let text = || "\\PC{1,40}|[a-z]{1,10}".prop_map(Value::from).boxed();
    let date = || {
        select(vec![
            json!("Mar 20, 2023, 6:08:05 PM"),
            json!("Wed Sep 04 16:59:44.356 UTC 2024"),
            json!("2024-09-04T16:59:44.356Z"),
            json!("2024-09-04 16:59:44.356000+02:00"),
            json!(1.678_220_584_098E9),
            json!(1_678_220_584),
        ])
        .boxed()
    };
    let word = |words: &'static [&'static str]| select(words).prop_map(Value::from).boxed();
    let yes_no = || word(&["YES", "NO"]);
    let number = |most: f64| (0.0..=most).prop_map(Value::from).boxed();
    let texts = || {
        prop::collection::vec(text(), 0..4)
            .prop_map(Value::from)
            .boxed()
    };
    let object = |fields: Vec<(&'static str, BoxedStrategy<Value>)>| {
        let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        values
            .prop_map(move |values| {
                let fields = names.iter().map(|name| (*name).to_owned()).zip(values);
                Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
            })
            .boxed()
    };
    let list = |item: BoxedStrategy<Value>, least: usize, most: usize| {
        prop::collection::vec(item, least..=most)
            .prop_map(Value::from)
            .boxed()
    };
    let vector = word(&[
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N",
        "AV:N/AC:M/Au:N/C:P/I:P/A:P",
        "a vector of a version to come",
    ]);
    let cvss = object(vec![
        ("baseScore", number(10.0)),
        ("scoringVector", vector.clone()),
        ("version", word(&["2.0", "3.0", "3.1", "4.0"])),
        ("source", text()),
    ]);
    let package = object(vec![
        ("name", text()),
        ("version", text()),
        ("release", maybe(text())),
        ("epoch", maybe((0u32..9).prop_map(Value::from).boxed())),
        (
            "packageManager",
            maybe(word(&["OS", "JAR", "GO", "PYTHON"])),
        ),
        ("filePath", maybe(text())),
        ("fixedInVersion", maybe(text())),
        ("remediation", maybe(text())),
    ]);
    let packages = object(vec![
        ("vulnerabilityId", text()),
        ("source", text()),
        ("sourceUrl", maybe(text())),
        ("vendorSeverity", maybe(text())),
        ("vendorCreatedAt", maybe(date())),
        ("cvss", maybe(list(cvss, 0, 3))),
        ("referenceUrls", maybe(texts())),
        ("relatedVulnerabilities", maybe(texts())),
        ("vulnerablePackages", maybe(list(package, 0, 4))),
    ]);
    let code = object(vec![
        (
            "filePath",
            object(vec![
                ("fileName", text()),
                ("filePath", text()),
                ("startLine", (0u32..999).prop_map(Value::from).boxed()),
            ]),
        ),
        ("detectorId", text()),
        ("detectorName", text()),
        ("cwes", texts()),
    ]);
    let network = object(vec![
        (
            "openPortRange",
            object(vec![
                ("begin", (0u32..=65535).prop_map(Value::from).boxed()),
                ("end", (0u32..=65535).prop_map(Value::from).boxed()),
            ]),
        ),
        ("protocol", word(&["TCP", "UDP"])),
        (
            "networkPath",
            object(vec![(
                "steps",
                maybe(list(
                    object(vec![("componentId", text()), ("componentType", text())]),
                    1,
                    5,
                )),
            )]),
        ),
    ]);
    let machine = object(vec![
        ("platform", maybe(text())),
        (
            "ipV4Addresses",
            maybe(list(word(&["10.0.0.1", "198.51.100.7"]), 0, 3)),
        ),
        ("launchedAt", maybe(date())),
    ]);
    let image = object(vec![
        ("repositoryName", text()),
        ("imageHash", text()),
        ("registry", text()),
        ("imageTags", maybe(texts())),
    ]);
    let details = object(vec![
        ("awsEc2Instance", maybe(machine.clone())),
        ("vm", maybe(machine)),
        ("awsEcrContainerImage", maybe(image)),
        (
            "awsLambdaFunction",
            maybe(object(vec![("functionName", text()), ("runtime", text())])),
        ),
        (
            "codeRepository",
            maybe(object(vec![("projectName", maybe(text()))])),
        ),
    ]);
    let tags = prop::collection::btree_map("\\PC{1,20}", "\\PC{0,20}", 0..5);
    let resource = object(vec![
        (
            "type",
            word(&[
                "AWS_EC2_INSTANCE",
                "AWS_ECR_CONTAINER_IMAGE",
                "AWS_LAMBDA_FUNCTION",
                "CODE_REPOSITORY",
                "MACHINE_IMAGE",
                "Microsoft.Web/sites",
                "compute.googleapis.com/Instance",
            ]),
        ),
        ("id", text()),
        ("region", maybe(text())),
        ("partition", maybe(text())),
        ("tags", maybe(tags.prop_map(|tags| json!(tags)).boxed())),
        ("details", maybe(details)),
    ]);
    let finding = object(vec![
        (
            "findingArn",
            "arn:aws:inspector2:[a-z]{2}-[a-z]{4,7}-[1-9]:[0-9]{12}:finding/[a-f0-9]{32}"
                .prop_map(Value::from)
                .boxed(),
        ),
        ("awsAccountId", "[0-9]{12}".prop_map(Value::from).boxed()),
        (
            "type",
            word(&[
                "NETWORK_REACHABILITY",
                "PACKAGE_VULNERABILITY",
                "CODE_VULNERABILITY",
            ]),
        ),
        ("status", word(&["ACTIVE", "SUPPRESSED", "CLOSED"])),
        (
            "severity",
            word(&[
                "INFORMATIONAL",
                "LOW",
                "MEDIUM",
                "HIGH",
                "CRITICAL",
                "UNTRIAGED",
            ]),
        ),
        ("description", text()),
        ("title", maybe(text())),
        ("firstObservedAt", date()),
        ("lastObservedAt", date()),
        ("updatedAt", maybe(date())),
        (
            "remediation",
            object(vec![(
                "recommendation",
                maybe(object(vec![
                    ("text", maybe(text())),
                    ("Url", maybe(text())),
                ])),
            )]),
        ),
        ("resources", list(resource, 1, 10)),
        ("epss", maybe(object(vec![("score", maybe(number(1.0)))]))),
        ("inspectorScore", maybe(number(10.0))),
        (
            "inspectorScoreDetails",
            maybe(object(vec![(
                "adjustedCvss",
                maybe(object(vec![
                    ("scoringVector", vector),
                    ("score", number(10.0)),
                ])),
            )])),
        ),
        ("exploitAvailable", maybe(yes_no())),
        (
            "exploitabilityDetails",
            maybe(object(vec![("lastKnownExploitAt", maybe(date()))])),
        ),
        ("fixAvailable", maybe(word(&["YES", "NO", "PARTIAL"]))),
        ("packageVulnerabilityDetails", maybe(packages)),
        ("codeVulnerabilityDetails", maybe(code)),
        ("networkReachabilityDetails", maybe(network)),
    ]);
    (finding, any::<bool>()).prop_map(|(finding, bare)| {
        if bare {
            finding
        } else {
            json!({"detail-type": "Inspector2 Finding", "source": "aws.inspector2", "time": "2026-11-20T10:00:00Z", "detail": finding})
        }
    })
}
