//! Rows as they are stored, version by version: `tests/stored/<version>.json` has every kind of row that the version of that
//! name wrote. Today's program writes the newest of them, and reads all.
//!
//! After a change of the format that is meant, add a file for the version that brings it; never change an old one. What was
//! written before 0.2.0 was released is in `0.2.0-pre.json`.

use std::{collections::BTreeMap, fs};

use crate::{
    common::{
        self, FLUSH, World, arn, event_of,
        network::{Call, Fate, Fault, Network},
    },
    ledger,
};
use inspector_triage::{
    adapters::sns::Topics,
    app::{Attempt, Outcome},
    domain::record::{AlertReason, Record},
    emulator,
    emulator::http::Answer,
    lambda,
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The version whose rows today's program writes.
const NEWEST: &str = "0.2.0";

/// The rows of a table, each as DynamoDB has it on the wire, by partition and sort key.
pub type Rows = BTreeMap<String, Value>;

/// The rows that a version wrote.
fn stored(version: &str) -> Rows {
    let file = common::project("tests/stored").join(format!("{version}.json"));
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// The versions that have a file.
fn versions() -> Vec<String> {
    let files = fs::read_dir(common::project("tests/stored")).unwrap();
    let mut versions: Vec<String> = files
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    versions.sort();
    versions
}

/// The rows that are in the store.
pub fn rows(world: &World) -> Rows {
    let Answer { status, body: answer, .. } = world.emulator.store().perform(
        "DynamoDB_20120810.Scan",
        json!({"TableName": emulator::TABLE}).to_string().as_bytes(),
    );
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer.get("LastEvaluatedKey"), None, "all rows fit one page");
    let rows = answer["Items"].as_array().unwrap().iter();
    rows.map(|row| (key(row), row.clone())).collect()
}

fn key(row: &Value) -> String {
    let text = |name: &str| row[name]["S"].as_str().unwrap();
    format!("{} {}", text("pk"), text("sk"))
}

/// Puts rows into the store.
pub fn put(world: &World, rows: &Rows) {
    for row in rows.values() {
        let put = json!({"Put": {"TableName": emulator::TABLE, "Item": row}});
        let Answer { status, body: answer, .. } = world.emulator.store().perform(
            "DynamoDB_20120810.TransactWriteItems",
            json!({"TransactItems": [put]}).to_string().as_bytes(),
        );
        assert_eq!(status, 200, "{answer}");
    }
}

/// A world with the same rows, and the same Inspector.
pub async fn copy_of(world: &World) -> World {
    let copy = World::new().await;
    put(&copy, &rows(world));
    let (mut fleet, first) = (copy.emulator.inspector.fleet(), world.emulator.inspector.fleet());
    fleet.findings.clone_from(&first.findings);
    fleet.coverage.clone_from(&first.coverage);
    fleet.threats.clone_from(&first.threats);
    fleet.habits = first.habits;
    drop((fleet, first));
    copy
}

/// Handles an event over a network on which each request for which `fails` says so is refused, and says whether that was
/// done all the same.
async fn over_a_network(
    world: &World,
    event: &Value,
    now: &str,
    topics: Topics,
    fails: fn(Call, &str) -> bool,
) -> bool {
    // A request has no topic that the network could see: with a topic for each audience, the first
    // call to publish is for e-mail, and the second for the chat.
    let fates = move |sent: common::network::Sent| {
        let audience = if sent.number == 0 { "email" } else { "chat" };
        let fault = fails(sent.call, audience).then_some(Fault::ErrorBefore);
        Fate { fault, ..Fate::default() }
    };
    let network = Network::new(fates, |_| {});
    let triage = network.triage_for(&world.emulator, now, topics);
    let now: Timestamp = now.parse().unwrap();
    let name = format!("test@{now}");
    let event = event.to_string();
    lambda::handle(&triage, event.as_bytes(), Attempt::new(&name, now)).await.is_ok()
}

fn both_topics() -> Topics {
    Topics { chat: Some(emulator::CHAT_TOPIC.to_owned()), ..common::topics() }
}

/// Events about thirteen findings, by number. Each finding has a problem of its own, so that it is announced alone, but for
/// number 4 and number 13, which have that of number 1.
fn finding(number: usize, updated_at: &str, change: impl FnOnce(&mut Value)) -> Value {
    event_of(&arn(number), updated_at, |f| {
        let problem = if [4, 13].contains(&number) { 1 } else { number };
        let details = &mut f["packageVulnerabilityDetails"];
        details["vulnerabilityId"] = json!(format!("CVE-2026-2{problem:04}"));
        match number {
            2 => image(f),
            3 => whole(f),
            8 => code(f),
            9 => port(f),
            10 => strange(f),
            _ => {}
        }
        change(f);
    })
}

fn image(f: &mut Value) {
    f["resources"][0] = json!({
        "type": "AWS_ECR_CONTAINER_IMAGE",
        "id": "arn:aws:ecr:eu-central-1:111122223333:repository/shop/api/sha256:aaaa",
        "region": "eu-central-1",
        "details": {"awsEcrContainerImage": {
            "repositoryName": "shop/api", "imageTags": ["1.0"], "platform": "DEBIAN_12", "inUseCount": 3}},
    });
}

/// Every field that a package finding can have.
fn whole(f: &mut Value) {
    f["inspectorScore"] = json!(9.8);
    f["inspectorScoreDetails"] = json!({"adjustedCvss": {
        "scoringVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}});
    f["remediation"] =
        json!({"recommendation": {"text": "Update it.", "Url": "https://example.com/a"}});
    let details = &mut f["packageVulnerabilityDetails"];
    details["sourceUrl"] = json!("https://nvd.nist.gov/vuln/detail/CVE-2026-20003");
    details["vendorSeverity"] = json!("important");
    details["cvss"] = json!([{
        "baseScore": 9.8, "scoringVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "source": "NVD", "version": "3.1"}]);
    details["relatedVulnerabilities"] = json!(["ALAS-2026-1"]);
    details["referenceUrls"] = json!(["https://example.com/b"]);
    let package = &mut details["vulnerablePackages"][0];
    package["remediation"] = json!("dnf update libexample");
    package["epoch"] = json!(1);
    package["release"] = json!("3.el9");
    package["packageManager"] = json!("OS");
    package["filePath"] = json!("usr/lib/libexample.so");
    f["resources"][0]["region"] = json!("eu-central-1");
    f["resources"][0]["details"] = json!({"awsEc2Instance": {
        "platform": "RHEL_9", "ipV4Addresses": ["10.0.0.7", "198.51.100.7"]}});
}

fn code(f: &mut Value) {
    f["type"] = json!("CODE_VULNERABILITY");
    f["fixAvailable"] = Value::Null;
    f["packageVulnerabilityDetails"] = Value::Null;
    f["codeVulnerabilityDetails"] = json!({
        "detectorName": "Hardcoded credentials", "detectorId": "python/hardcoded-credentials@v1.0",
        "cwes": ["CWE-798"], "referenceUrls": ["https://example.com/c"],
        "filePath": {"fileName": "app.py", "filePath": "src/app.py", "startLine": 12, "endLine": 14}});
    f["resources"][0] = json!({
        "type": "AWS_LAMBDA_FUNCTION", "id": "arn:aws:lambda:eu-central-1:111122223333:function:mailer:3",
        "details": {"awsLambdaFunction": {"functionName": "mailer", "runtime": "PYTHON_3_13"}}});
}

fn port(f: &mut Value) {
    f["type"] = json!("NETWORK_REACHABILITY");
    f["fixAvailable"] = Value::Null;
    f["packageVulnerabilityDetails"] = Value::Null;
    f["networkReachabilityDetails"] = json!({
        "protocol": "TCP", "openPortRange": {"begin": 22, "end": 22},
        "networkPath": {"steps": [
            {"componentId": "igw-0a", "componentType": "AWS::EC2::InternetGateway"},
            {"componentId": "i-0123456789abcdef0", "componentType": "AWS::EC2::Instance"}]}});
}

/// Words that nobody knows.
fn strange(f: &mut Value) {
    f["type"] = json!("SOMETHING_NEW");
    f["severity"] = json!("SEVERE");
    f["fixAvailable"] = json!("PERHAPS");
    f["epss"] = Value::Null;
    f["title"] = json!("A weakness of a new kind");
    f["packageVulnerabilityDetails"] = Value::Null;
    f["resources"][0] = json!({"type": "NEW_RESOURCE", "id": "x", "providerAccountId": "p-1"});
}

fn exploited(f: &mut Value) {
    f["severity"] = json!("CRITICAL");
    f["epss"] = json!({"score": 0.9});
    f["exploitAvailable"] = json!("YES");
    f["exploitabilityDetails"] = json!({"lastKnownExploitAt": "Thu Nov 19 08:00:00.000 UTC 2026"});
}

fn closed(f: &mut Value) {
    f["status"] = json!("CLOSED");
}

fn suppressed(f: &mut Value) {
    f["status"] = json!("SUPPRESSED");
}

/// The state in which [`live`] leaves a finding.
fn latest(number: usize, f: &mut Value) {
    match number {
        3 => exploited(f),
        6 => suppressed(f),
        7 => closed(f),
        _ => {}
    }
}

/// Leaves every kind of row in the store that there is.
async fn live(world: &World) {
    let (first, then, back) =
        ("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "2026-11-20T11:30:00Z");
    let handle = async |event: Value, minute: usize| {
        let now = format!("2026-11-20T12:{minute:02}:00Z");
        world.handle(&event, &now).await.unwrap().outcome
    };
    for (minute, number) in [1, 2, 3, 5, 6, 8, 9, 10].into_iter().enumerate() {
        assert_eq!(handle(finding(number, first, |_| {}), minute).await, Outcome::Announced);
    }
    assert_eq!(handle(finding(4, first, |_| {}), 10).await, Outcome::Pending);
    // The summary is told, and the right to sum up is not given back.
    let flush = serde_json::from_str(FLUSH).unwrap();
    let stays = |call, _: &str| call == Call::UnlockSummary;
    assert!(over_a_network(world, &flush, "2026-11-20T12:11:00Z", common::topics(), stays).await);

    assert_eq!(handle(finding(3, then, exploited), 20).await, Outcome::Announced);
    assert_eq!(handle(finding(5, then, closed), 21).await, Outcome::Closed);
    assert_eq!(handle(finding(5, back, |_| {}), 22).await, Outcome::Announced);
    assert_eq!(handle(finding(6, then, suppressed), 23).await, Outcome::Closed);
    assert_eq!(handle(finding(7, then, closed), 24).await, Outcome::Closed);
    // One audience has heard, the other has not.
    let half = finding(11, first, |_| {});
    let chat_fails = |call, audience: &str| call == Call::Publish && audience == "chat";
    assert!(!over_a_network(world, &half, "2026-11-20T12:25:00Z", both_topics(), chat_fails).await);
    // Nobody has heard, and the lease is not over.
    let leased = finding(12, first, |_| {});
    let all_fail = |call, _: &str| call == Call::Publish;
    let done = over_a_network(world, &leased, "2026-11-20T12:26:00Z", common::topics(), all_fail);
    assert!(!done.await);
    assert_eq!(handle(finding(13, first, |_| {}), 27).await, Outcome::Pending);
    let covers = ledger::exception("vendor-image", |exception| {
        exception["vulnerabilities"] = json!(["CVE-2026-20014"]);
    });
    let others = ledger::exception("others", |exception| {
        exception["packages"] = json!([{"type": "npm", "namespace": "@a", "name": "b"}]);
        exception["names"] = json!(["crm/*"]);
        exception["tags"] = json!({"stage": ["test"]});
    });
    ledger::put(world, &[covers, others], "2026-11-20T12:28:00Z").await;
    assert_eq!(handle(finding(14, first, |_| {}), 34).await, Outcome::Excepted);
}

#[tokio::test(start_paused = true)]
async fn rows_are_written_as_the_newest_version_on_file_has_them() {
    let world = World::new().await;
    live(&world).await;
    let (written, expected) = (rows(&world), stored(NEWEST));
    let file = common::scratch("stored").join("written.json");
    fs::write(&file, serde_json::to_string_pretty(&written).unwrap() + "\n").unwrap();
    let keys = |rows: &Rows| rows.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&written), keys(&expected), "see {}", file.display());
    for (key, row) in &written {
        assert_eq!(row, &expected[key], "{key}; see {}", file.display());
    }
}

#[test]
fn the_newest_version_has_every_kind_of_row_and_attribute() {
    let rows = stored(NEWEST);
    let kinds = [
        " CURRENT",
        "HISTORY#",
        "ANNOUNCED#",
        "BUCKET#P1 ",
        "BUCKET#OTHERS ",
        "PROBLEM#",
        "SUMMARY ",
        "LEDGER CURRENT",
        "LEDGER#vendor-image+others ID#",
        "LEDGER#vendor-image+others *#",
        "NOTED#",
    ];
    for kind in kinds {
        assert!(rows.keys().any(|key| key.contains(kind)), "{kind}");
    }
    let attributes = [
        "announced",
        "partly_told",
        "lease",
        "pending_since",
        "pending_shard",
        "open_shard",
        "due_at",
        "ended_at",
        "end",
        "excepted",
        "excepted_until",
        "exception",
        "expires_at",
    ];
    for attribute in attributes {
        let has = |row: &&Value| row.get(attribute).is_some() && key(row).starts_with("FINDING#");
        assert!(rows.values().any(|row| has(&row)), "{attribute}");
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_every_version_are_read_told_and_ended() {
    for version in versions() {
        let rows = stored(&version);
        let mut world = World::new().await;
        put(&world, &rows);
        // What waited for a message when that version ended is told.
        let flushed = world.flush("2026-11-20T13:00:00Z").await.unwrap();
        assert_eq!((flushed.findings, flushed.messages), (2, 1), "{version}");
        assert_eq!(world.published().len(), 1, "{version}");

        for number in 1..=13 {
            let what = format!("finding {number} of version {version}");
            let before = world.record(&arn(number)).await;
            // Everybody was told, and so hears nothing of a repetition.
            let again = finding(number, "2026-11-20T13:30:00Z", |f| latest(number, f));
            let report = world.handle(&again, "2026-11-20T13:30:00Z").await.unwrap();
            assert_eq!(report.outcome, Outcome::Unchanged, "{what}");
            let repeated = world.record(&arn(number)).await;
            let unchanged = Record {
                revision: before.revision + 1,
                version: repeated.version.clone(),
                finding: repeated.finding.clone(),
                by_event: repeated.by_event.clone(),
                last_seen_at: repeated.last_seen_at,
                ..before
            };
            assert_eq!(repeated, unchanged, "{what}");

            // News is told, an end is recorded.
            let news = finding(number, "2026-11-20T14:00:00Z", exploited);
            let now = format!("2026-11-21T{number:02}:00:00Z");
            let report = world.handle(&news, &now).await.unwrap();
            let expected = match number {
                // Was told so before.
                3 => Outcome::Unchanged,
                // Is known from number 1, which is told first.
                4 | 13 => Outcome::Pending,
                _ => Outcome::Announced,
            };
            assert_eq!(report.outcome, expected, "{what}: {}", report.reason);
            let end = finding(number, "2026-11-22T12:00:00Z", closed);
            let report = world.handle(&end, "2026-11-22T12:30:00Z").await.unwrap();
            assert_eq!(report.outcome, Outcome::Closed, "{what}");
            let after = world.record(&arn(number)).await;
            assert!(after.ended_at.is_some() && after.due_at.is_none(), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_every_version_are_covered_and_uncovered() {
    for version in versions() {
        let mut world = World::new().await;
        put(&world, &stored(&version));
        world.flush("2026-11-20T13:00:00Z").await.unwrap();
        world.published();
        ledger::put(&world, &[ledger::exception("all", |_| {})], "2026-11-20T13:10:00Z").await;
        world.daily("2026-11-20T13:20:00Z", json!({})).await;
        let covered = world.record(&arn(1)).await;
        assert_eq!(covered.exception().map(|one| one.id.as_str()), Some("all"), "{version}");
        ledger::put(&world, &[], "2026-11-20T14:00:00Z").await;
        world.daily("2026-11-20T14:10:00Z", json!({})).await;
        world.published();
        let flushed = world.flush("2026-11-20T16:00:00Z").await.unwrap();
        assert!(flushed.findings > 0, "{version}: {flushed:?}");
        let told = world.record(&arn(1)).await;
        assert_eq!(told.announced.unwrap().why, AlertReason::ExceptionEnded, "{version}");
    }
}
