//! The commands that look at a deployed table, and change it.

use crate::{
    command_line::run_in,
    common::{self, World, event_of},
};
use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::Outcome,
    emulator,
};
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T12:00:00Z";

/// Runs a command against the table of a world: what it said, what it said of errors, and its status.
async fn run(world: &World, arguments: &[&str]) -> (String, String, Option<i32>) {
    let environment = world.emulator.serve(0).await.unwrap();
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run_in(&environment, &arguments, b"");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code())
    })
    .await
    .unwrap()
}

/// A world with four findings: P3 of payments, P4 of shop and one that waits, and one that has ended.
async fn lived() -> World {
    let world = World::new().await;
    for (number, owner, epss) in [(0, "payments", 0.02), (1, "shop", 0.0002), (2, "=cmd()", 0.9)] {
        let event = found(number, owner, epss);
        let report = world.handle(&event, NOW).await.unwrap();
        assert_eq!(report.outcome, Outcome::Announced, "{number}");
    }
    let mut ended = found(3, "shop", 0.01);
    ended["detail"]["status"] = json!("CLOSED");
    world.handle(&ended, NOW).await.unwrap();
    world
}

fn found(number: usize, owner: &str, epss: f64) -> Value {
    event_of(&common::arn(number), "2026-11-20T10:00:00Z", |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(format!("CVE-2026-{number}"));
        f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
        f["epss"] = json!({"score": epss});
        f["resources"][0]["tags"] = json!({"Name": format!("web-{number}"), "owner": owner});
    })
}

const LIST: [&str; 3] = ["list", "--table", emulator::TABLE];

async fn listed(world: &World, more: &[&str]) -> Vec<Value> {
    let (said, error, status) = run(world, &[&LIST, more, &["--format", "json"]].concat()).await;
    assert_eq!(status, Some(0), "{error}");
    serde_json::from_str(&said).unwrap()
}

fn problems(listed: &[Value]) -> Vec<&str> {
    listed.iter().map(|finding| finding["problem"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn open_findings_are_listed_the_most_urgent_first() {
    let world = lived().await;
    let all = listed(&world, &[]).await;
    assert_eq!(problems(&all), ["CVE-2026-2", "CVE-2026-0", "CVE-2026-1"]);
    assert_eq!(all[1]["owner"], "payments");
    assert_eq!([&all[1]["announcedAt"], &all[1]["pendingSince"]], [&json!(NOW), &Value::Null]);

    assert_eq!(problems(&listed(&world, &["--owner", "shop"]).await), ["CVE-2026-1"]);
    assert_eq!(problems(&listed(&world, &["--priority", "P4"]).await), ["CVE-2026-1"]);
    assert_eq!(problems(&listed(&world, &["--pending"]).await), [""; 0]);
    let overdue = |now| ["--overdue", "--now", now];
    assert_eq!(problems(&listed(&world, &overdue("2026-11-21T12:00:00Z")).await), [""; 0]);
    let late = listed(&world, &overdue("2026-11-23T12:00:00Z")).await;
    assert_eq!(problems(&late), ["CVE-2026-2"]);
    assert_eq!(late[0]["overdue"], true);

    let (table, _, _) = run(&world, &LIST).await;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 5);
    assert!(rows[2].starts_with("| P1   |") && rows[2].contains("CVE-2026-2"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_gets_no_formula_from_a_stranger() {
    let world = lived().await;
    let (csv, error, status) = run(&world, &[&LIST[..], &["--format", "csv"]].concat()).await;
    assert_eq!(status, Some(0), "{error}");
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("findingArn,priority,score,dueAt,overdue,status"), "{csv}");
    assert_eq!(lines.len(), 4);
    assert!(lines[1].contains(",'=cmd(),"), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_told_again_to_whom_it_did_not_reach() {
    let mut world = lived().await;
    world.published();
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    let retell = ["retell", "--table", emulator::TABLE, "--since"];

    let dry = [&retell[..], &[NOW, "--to", "email", "--dry-run"]].concat();
    let (said, error, status) = run(&world, &dry).await;
    assert_eq!(status, Some(0), "{error}");
    assert!(said.ends_with("3 findings would wait for their next summary\n"), "{said}");
    assert_eq!(world.pending(10).await, []);
    let (said, ..) = run(&world, &[&retell[..], &["2026-11-20T12:00:01Z"]].concat()).await;
    assert_eq!(said, "0 findings wait for their next summary\n");

    let (said, ..) = run(&world, &[&retell[..], &[NOW, "--to", "email"]].concat()).await;
    assert!(said.ends_with("3 findings wait for their next summary\n"), "{said}");
    assert_eq!(world.flush("2026-11-20T12:05:00Z").await.unwrap().findings, 3);
    let topics: Vec<String> = world.published().into_iter().map(|message| message.topic).collect();
    assert_eq!(topics, [emulator::TOPIC]);

    // Everybody. What is being told at this moment is left.
    let (said, ..) = run(&world, &[&retell[..], &["2026-11-20T12:05:00Z"]].concat()).await;
    assert!(said.ends_with("3 findings wait for their next summary\n"), "{said}");
    assert_eq!(world.flush("2026-11-20T12:10:00Z").await.unwrap().findings, 3);
    assert_eq!(world.published().len(), 2);
    assert_eq!(world.flush("2026-11-20T12:15:00Z").await.unwrap().findings, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_one_line_that_says_what_to_do() {
    let world = World::new().await;
    for arguments in [
        ["list", "--table", "another-table"].as_slice(),
        &["retell", "--table", "another-table", "--since", NOW],
    ] {
        let (said, error, status) = run(&world, arguments).await;
        assert_eq!((said.as_str(), status), ("", Some(1)));
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(
            error.contains("see that there is a table another-table in this account"),
            "{error}"
        );
    }
    let (_, error, status) = run(&world, &["list", "--table", "x", "--priority", "P5"]).await;
    assert_eq!(status, Some(2));
    assert!(error.contains("possible values: P1, P2, P3, P4"), "{error}");
}
