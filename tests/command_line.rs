//! The real command line, as people run it.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::common::{self, event, schema::conforming, scratch};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

fn run(arguments: &[&str], input: &[u8]) -> Output {
    run_in(&[], arguments, input)
}

pub fn run_in(environment: &[(&str, &str)], arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_inspector-triage"))
        .args(arguments)
        .envs(environment.iter().copied())
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
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn scores(input: &[u8]) -> (Vec<Value>, Option<i32>) {
    let output = run(&["score"], input);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    (lines, output.status.code())
}

fn lines(events: &[Value]) -> Vec<u8> {
    events.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect()
}

/// Events about `n` different problems.
pub fn different(n: usize) -> Vec<Value> {
    (0..n)
        .map(|n| {
            event("2026-11-20T10:00:00Z", |f| {
                f["findingArn"] =
                    json!(format!("arn:aws:inspector2:eu-central-1:111122223333:finding/{n:032}"));
                f["packageVulnerabilityDetails"]["vulnerabilityId"] =
                    json!(format!("CVE-2026-{n}"));
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
    let points: u64 = reasons.iter().map(|reason| reason["points"].as_u64().unwrap()).sum();
    assert_eq!(scored["score"], points);
    assert_eq!(
        reasons[0],
        json!({"factor": "epss", "points": 4, "text": "1.0 % chance of exploitation within 30 days (EPSS)"})
    );
}

#[test]
fn what_inspector_knows_besides_counts_where_it_stands_beside_a_finding() {
    let event = different(1).remove(0);
    let known = json!({
        "cisaData": {"dateAdded": "2026-11-10T00:00:00Z", "action": "Apply updates."},
        "exploitObserved": {"lastSeen": 1_795_000_000},
        "checkedAt": "2026-11-20T00:10:00Z",
    });
    let beside = |document: &Value, known: &Value| {
        let mut document = document.clone();
        document["intelligence"] = known.clone();
        document.to_string()
    };
    let inside = json!({"intelligence": known});
    let mut within = event.clone();
    within["detail"]["intelligence"] = inside["intelligence"].clone();
    let lines = [
        beside(&event, &known),
        beside(&event["detail"], &known),
        within.to_string(),
        beside(&event, &json!({})),
        beside(&event, &json!("yes")),
    ];
    let (scored, status) = scores(lines.join("\n").as_bytes());
    assert_eq!(status, Some(1), "the last one is no object");
    for scored in &scored[..3] {
        assert_eq!(scored["priority"], "P1", "{scored}");
        let reason = &scored["reasons"][0];
        assert_eq!((&reason["factor"], &reason["points"]), (&json!("known-exploited"), &json!(35)));
        assert_eq!(reason["text"], "CISA lists it as exploited since 2026-11-10: Apply updates.");
    }
    assert_eq!(scored[3]["priority"], "P2", "not listed is not listed");
    assert_eq!(scored[4]["error"], "intelligence: expected an object, found the string \"yes\"");
}

#[test]
fn a_line_that_cannot_be_scored_says_why_in_its_place() {
    let events = different(2);
    let input = format!("{}\n{{\"detail-type\": \"Inspector2 Sc\n\n{}", events[0], events[1]);
    let (scored, status) = scores(input.as_bytes());
    assert_eq!(status, Some(1));
    assert_eq!(scored.len(), 4);
    assert!(
        scored[1]["error"]
            .as_str()
            .unwrap()
            .starts_with("the event is not JSON: EOF while parsing a string")
    );
    assert!(scored[2]["error"].as_str().unwrap().starts_with("the event is not JSON: EOF"));
    assert!(scored[3]["score"].is_u64());
}

#[test]
fn findings_that_conform_to_the_schema_are_all_scored() {
    let events: Vec<Value> = samples(conforming(), 300);
    let (scored, status) = scores(&lines(&events));
    assert_eq!((scored.len(), status), (events.len(), Some(0)));
    for (scored, event) in scored.iter().zip(&events) {
        let arn = event.pointer("/detail/findingArn").or(event.get("findingArn"));
        assert_eq!(Some(&scored["findingArn"]), arn, "{scored}\n{event}");
    }
}

#[test]
fn corrupted_lines_give_a_line_each_and_never_a_panic() {
    let damage = (conforming(), any::<prop::sample::Index>(), any::<u8>(), any::<bool>());
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
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 300);
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
        ("array.json", serde_json::to_vec(&events).unwrap(), "3 events in 1 file: 3 announced"),
        (
            "pretty-array.json",
            serde_json::to_vec_pretty(&events).unwrap(),
            "3 events in 1 file: 3 announced",
        ),
        ("lines.ndjson", lines(&events), "3 events in 1 file: 3 announced"),
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
    assert_eq!(shown.lines().last(), Some("13 events in 5 files: 3 announced, 10 unchanged"));
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
    assert!(shown.ends_with("3 events in 1 file: 2 announced, 1 not handled\n"), "{shown}");
    assert_eq!(status, Some(1));

    // The first line is no different.
    fs::write(&file, format!("{{\"a\": \n{}\n{}\n", events[0], events[1])).unwrap();
    let (shown, status) = replay(&file, &[]);
    assert!(shown.contains(&format!("{name}:1: not handled: ")), "{shown}");
    assert!(shown.ends_with("3 events in 1 file: 2 announced, 1 not handled\n"), "{shown}");
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
    let stopped: Vec<&str> = shown.lines().filter(|line| line.contains("no rule would")).collect();
    assert_eq!(stopped, [format!("{}:2: no rule would have let this through", file.display())]);
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

#[test]
fn tickets_are_shown_and_never_written_by_the_command_line() {
    for (arguments, said) in [
        (&["tickets", "events"][..], "--dry-run"),
        (&["tickets", "--dry-run"], "--table <NAME>"),
        (&["tickets", "--table", "findings", "--dry-run"], "--projects"),
        (&["tickets", "events", "--dry-run", "--projects", "payments"], "expected 1 to 100 owners"),
        (&["tickets", "--db", "nothing.db", "--dry-run"], "there is no such file"),
    ] {
        let output = run(arguments, b"");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    let output = run(&["tickets", "events", "--dry-run", "--format", "json"], b"");
    let tickets: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(tickets.iter().all(|ticket| ticket["change"] == "opened" && ticket["open"] == 1));
    let text = tickets[0]["text"].as_str().unwrap();
    assert!(text.starts_with("**Update httpd and httpd-core to 2.4.67"), "{text}");
}

fn samples<T>(strategy: impl Strategy<Value = T>, n: usize) -> Vec<T> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    (0..n).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn what_a_failure_queue_holds_is_replayed_with_the_reason_it_had_failed() {
    let kept = |event: &Value| {
        json!({
            "version": "1.0",
            "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": event,
            "responsePayload": {"errorType": "StoreFailed", "errorMessage": "no such table"},
        })
    };
    let events = different(3);
    let received = json!({"Messages": [
        {"MessageId": "1", "Body": kept(&events[0]).to_string()},
        {"MessageId": "2", "Body": events[1].to_string()},
    ]});
    let folder = scratch("failure-queue");
    let (queue, record) = (folder.join("received.json"), folder.join("record.json"));
    fs::write(&queue, format!("{received:#}")).unwrap();
    fs::write(&record, format!("{:#}", kept(&events[2]))).unwrap();

    let (shown, status) = replay(&queue, &[]);
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains(
        "received.json [1] (had failed: RetriesExhausted after 3 invocations: StoreFailed: no such \
         table): announced: new"
    ));
    assert!(shown.contains("received.json [2]: announced: new"), "{shown}");
    let (shown, status) = replay(&record, &[]);
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("record.json (had failed: RetriesExhausted"), "{shown}");
}

#[test]
fn a_storm_ends_with_a_summary_and_each_audience_can_be_looked_at() {
    let file = scratch("storm").join("events.ndjson");
    fs::write(&file, lines(&different(12))).unwrap();
    let (shown, status) = replay(&file, &[]);
    assert_eq!(status, Some(0));
    assert!(shown.contains("flush: flushed: findings: 7, messages: 1\n"), "{shown}");
    assert!(shown.contains("Subject: [P2] 7 findings: "), "{shown}");
    assert!(
        shown.ends_with("12 events in 1 file: 5 announced, 7 pending\ntold in summaries: 7\n"),
        "{shown}"
    );
    let (shown, _) = replay(&file, &["--flush", "false"]);
    assert!(shown.ends_with("12 events in 1 file: 5 announced, 7 pending\n"), "{shown}");

    let (chat, status) = replay(&file, &["--format", "chat"]);
    assert_eq!(status, Some(0));
    assert_eq!(chat.matches("\"textType\": \"client-markdown\"").count(), 6);
    assert!(!chat.contains("Subject: "), "{chat}");
    let (data, status) = replay(&file, &["--format", "data", "--language", "ja"]);
    assert_eq!(status, Some(0));
    assert_eq!(data.matches("\"kind\": \"finding\"").count(), 5);
    assert_eq!(data.matches("\"kind\": \"summary\"").count(), 1);
    assert_eq!(data.matches("\"findingArn\": ").count(), 12);
}
