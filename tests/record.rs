//! Recording and announcing, through the real SDK clients against the embedded store and topic.

use std::collections::BTreeSet;

use crate::common::{self, ARN, World, event, event_of};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use inspector_triage::{
    adapters::{calls::CallRecorder, dynamodb::keys, sns::Topics},
    app::Outcome,
    domain::assess::Priority,
    emulator,
};
use serde_json::json;

const NOW: &str = "2026-11-20T12:00:00Z";
const LATER: &str = "2026-11-20T13:00:00Z";

#[tokio::test]
async fn a_new_finding_is_recorded_and_announced_once() {
    let mut world = World::new().await;
    let event = event("2026-11-20T10:00:00Z", |_| {});

    let report = world.handle(&event, NOW).await.unwrap();
    assert_eq!((report.outcome, report.reason.as_str()), (Outcome::Announced, "new"));
    assert_eq!(report.priority, Priority::P2);
    assert_eq!(report.due_at, "2026-11-27T12:00:00Z".parse().ok());

    let published = world.published();
    assert_eq!(published.len(), 1);
    assert_eq!(
        published[0].subject.as_deref(),
        Some("[P2] CVE-2026-10001 libexample on web-1: fix 1.4.3")
    );
    let attributes: Vec<(&str, &str)> =
        published[0].attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        attributes,
        [
            ("account", "111122223333"),
            ("finding_type", "PACKAGE_VULNERABILITY"),
            ("fix_available", "YES"),
            ("priority", "P2"),
            ("reason", "new"),
            ("region", "eu-central-1"),
            ("resource_type", "AWS_EC2_INSTANCE"),
            ("severity", "HIGH"),
        ]
    );
    assert_eq!(world.kinds(ARN).await, ["ANNOUNCED new", "CURRENT", "HISTORY opened"]);

    let again = world.handle(&event, LATER).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
    assert_eq!(world.published(), []);
    assert_eq!(world.items(ARN).await.len(), 3);
}

#[tokio::test]
async fn moved_timestamps_and_drifting_epss_update_the_row_in_silence() {
    let mut world = World::new().await;
    world.handle(&event("2026-11-20T10:00:00Z", |_| {}), NOW).await.unwrap();
    world.published();

    let drifted = event("2026-11-20T11:00:00Z", |f| {
        f["epss"] = json!({"score": 0.012});
        f["resources"][0]["tags"]["team"] = json!("shop");
    });
    let report = world.handle(&drifted, LATER).await.unwrap();
    assert_eq!(report.outcome, Outcome::Unchanged);
    assert_eq!(world.published(), []);
    assert_eq!(world.kinds(ARN).await, ["ANNOUNCED new", "CURRENT", "HISTORY opened"]);
    let row = &world.items(ARN).await[1];
    assert!(format!("{row:?}").contains("0.012"));
}

#[tokio::test]
async fn a_row_whose_facts_are_spelt_otherwise_is_written_anew_once_and_nobody_is_told() {
    let mut world = World::new().await;
    let at = |time| event(time, |_| {});
    world.handle(&at("2026-11-20T10:00:00Z"), NOW).await.unwrap();
    world.published();
    Client::from_conf(world.emulator.dynamodb().build())
        .update_item()
        .table_name(emulator::TABLE)
        .key("pk", AttributeValue::S(keys::finding(ARN)))
        .key("sk", AttributeValue::S(keys::CURRENT.to_owned()))
        .update_expression("SET facts = :facts")
        .expression_attribute_values(":facts", AttributeValue::S("as it was once".to_owned()))
        .send()
        .await
        .unwrap();
    for time in ["2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z"] {
        let report = world.handle(&at(time), LATER).await.unwrap();
        assert_eq!(report.outcome, Outcome::Unchanged);
        assert_eq!(world.record(ARN).await.finding, common::read(&at(time)));
    }
    assert_eq!(world.published(), []);
    assert_eq!(
        world.kinds(ARN).await,
        ["ANNOUNCED new", "CURRENT", "HISTORY opened", "HISTORY reassessed"]
    );
}

#[tokio::test]
async fn what_a_later_version_wrote_into_a_row_stays() {
    let world = World::new().await;
    world.handle(&event("2026-11-20T10:00:00Z", |_| {}), NOW).await.unwrap();
    Client::from_conf(world.emulator.dynamodb().build())
        .update_item()
        .table_name(emulator::TABLE)
        .key("pk", AttributeValue::S(keys::finding(ARN)))
        .key("sk", AttributeValue::S(keys::CURRENT.to_owned()))
        .update_expression("SET from_later = :value")
        .expression_attribute_values(":value", AttributeValue::S("kept".to_owned()))
        .send()
        .await
        .unwrap();
    for (time, status) in [("2026-11-20T11:00:00Z", "CLOSED"), ("2026-11-20T12:00:00Z", "ACTIVE")] {
        let event = event(time, |f| f["status"] = json!(status));
        world.handle(&event, LATER).await.unwrap();
        let items = world.items(ARN).await;
        let row = items.iter().find(|item| item["sk"] == AttributeValue::S("CURRENT".to_owned()));
        let row = row.unwrap();
        assert_eq!(row["from_later"], AttributeValue::S("kept".to_owned()));
        assert_eq!(row.contains_key("ended_at"), status == "CLOSED");
    }
}

#[tokio::test]
async fn an_older_state_that_comes_late_changes_nothing() {
    let mut world = World::new().await;
    let newer = event("2026-11-20T11:00:00Z", |f| {
        f["severity"] = json!("CRITICAL");
    });
    world.handle(&newer, NOW).await.unwrap();
    world.published();
    let before = world.items(ARN).await;

    let report = world.handle(&event("2026-11-20T10:00:00Z", |_| {}), LATER).await.unwrap();
    assert_eq!(report.outcome, Outcome::Stale);
    assert_eq!(world.published(), []);
    assert_eq!(world.items(ARN).await, before);
}

#[tokio::test]
async fn a_finding_lives_ends_and_comes_back() {
    let mut world = World::new().await;
    let at = |time: &str, status: &'static str| event(time, |f| f["status"] = json!(status));
    let mut life = Vec::new();
    for (time, status) in [
        ("2026-11-20T10:00:00Z", "ACTIVE"),
        ("2026-11-20T11:00:00Z", "SUPPRESSED"),
        ("2026-11-20T12:00:00Z", "CLOSED"),
        ("2026-11-20T13:00:00Z", "ACTIVE"),
        ("2026-11-20T14:00:00Z", "CLOSED"),
    ] {
        let report = world.handle(&at(time, status), time).await.unwrap();
        life.push((report.outcome, report.reason, report.due_at.is_some()));
    }
    let told: Vec<_> = life.iter().map(|(o, r, due)| (*o, r.as_str(), *due)).collect();
    assert_eq!(
        told,
        [
            (Outcome::Announced, "new", true),
            (Outcome::Closed, "recorded as SUPPRESSED", false),
            (Outcome::Closed, "recorded as CLOSED", false),
            (Outcome::Announced, "reopened", true),
            (Outcome::Closed, "recorded as CLOSED", false),
        ]
    );
    assert_eq!(world.published().len(), 2);
    assert_eq!(
        world.kinds(ARN).await,
        [
            "ANNOUNCED new",
            "ANNOUNCED reopened",
            "CURRENT",
            "HISTORY opened",
            "HISTORY suppressed",
            "HISTORY changed",
            "HISTORY reopened",
            "HISTORY closed",
        ]
    );
}

#[tokio::test]
async fn a_finding_first_seen_closed_is_recorded_without_a_word() {
    let mut world = World::new().await;
    let closed = event("2026-11-20T10:00:00Z", |f| f["status"] = json!("CLOSED"));
    let report = world.handle(&closed, NOW).await.unwrap();
    assert_eq!(report.outcome, Outcome::Closed);
    assert_eq!(report.reason, "first heard of when it was CLOSED");
    assert_eq!(world.published(), []);
    assert_eq!(world.kinds(ARN).await, ["CURRENT", "HISTORY first-seen-ended"]);
    let expiries = async || -> Vec<bool> {
        world.items(ARN).await.iter().map(|item| item.contains_key("expires_at")).collect()
    };
    assert_eq!(expiries().await, [true, true], "nobody will miss it after a while");

    let opened = event("2026-11-20T11:00:00Z", |_| {});
    let report = world.handle(&opened, LATER).await.unwrap();
    assert_eq!((report.outcome, report.reason.as_str()), (Outcome::Announced, "new"));
    assert_eq!(
        world.kinds(ARN).await,
        ["ANNOUNCED new", "CURRENT", "HISTORY first-seen-ended", "HISTORY opened"]
    );
    let closed = event("2026-11-20T12:00:00Z", |f| f["status"] = json!("CLOSED"));
    world.handle(&closed, LATER).await.unwrap();
    let row = &world.items(ARN).await[1];
    assert_eq!(row["sk"].as_s().unwrap(), "CURRENT");
    assert!(!row.contains_key("expires_at"), "what people were told of is kept");
}

#[tokio::test]
async fn with_notifications_off_a_finding_stays_pending_until_they_are_on() {
    let mut world = World::new().await;
    world.triage.config.notify = false;
    let event = event("2026-11-20T10:00:00Z", |_| {});
    let report = world.handle(&event, NOW).await.unwrap();
    assert_eq!(report.outcome, Outcome::Pending);
    assert_eq!(world.published(), []);
    let row = &world.items(ARN).await[0];
    assert!(row.contains_key("pending_shard") && row.contains_key("pending_since"));

    world.triage.config.notify = true;
    let report = world.handle(&event, LATER).await.unwrap();
    assert_eq!(report.outcome, Outcome::Announced);
    assert_eq!(world.published().len(), 1);
    assert!(!world.items(ARN).await[1].contains_key("pending_shard"));
}

#[tokio::test]
async fn an_announcement_that_failed_is_made_up_for_and_meanwhile_nobody_else_speaks() {
    let mut world = World::new().await;
    let event = event("2026-11-20T10:00:00Z", |_| {});

    // The topic is not there: recorded, not announced, and the invocation fails.
    let right = std::mem::replace(
        &mut world.triage.publisher,
        inspector_triage::adapters::sns::Sns::new(
            world.emulator.sns(),
            Topics {
                email: "arn:aws:sns:eu-central-1:111122223333:gone".to_owned(),
                ..common::topics()
            },
        ),
    );
    let failure = world.handle(&event, NOW).await.unwrap_err();
    assert!(
        failure.starts_with("PublishFailed: people could not be told; what there is to tell is recorded: SNS Publish to arn:aws:sns:eu-central-1:111122223333:gone failed"),
        "{failure}"
    );

    // Until the lease runs out, another attempt does not speak, and does not claim that it did.
    world.triage.publisher = right;
    let report = world.handle(&event, "2026-11-20T12:00:30Z").await.unwrap();
    assert_eq!(report.outcome, Outcome::Pending);
    assert_eq!(world.published(), []);

    let report = world.handle(&event, "2026-11-20T12:01:00Z").await.unwrap();
    assert_eq!((report.outcome, report.reason.as_str()), (Outcome::Announced, "new"));
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn open_and_untold_findings_are_found_in_order_whatever_shard_they_are_in() {
    let mut world = World::new().await;
    world.triage.config.notify = false;
    let days = ["2026-11-18", "2026-11-19", "2026-11-20"];
    for number in 0..90 {
        let now = format!("{}T{:02}:00:00Z", days[number % 3], number % 24);
        let event = event_of(&common::arn(number), &now, |f| {
            if number % 9 == 0 {
                f["status"] = json!("CLOSED");
            }
        });
        world.handle(&event, &now).await.unwrap();
    }
    let store = &world.triage.store;
    let waiting = world.pending(1000).await;
    let open = store.open_by_due(1000).await.unwrap();
    let open: Vec<_> = open.into_iter().map(|entry| (entry.at, entry.arn)).collect();
    assert_eq!((waiting.len(), open.len()), (80, 80));
    for entries in [&waiting, &open] {
        assert!(entries.is_sorted_by_key(|(at, _)| at));
        let findings: BTreeSet<&str> = entries.iter().map(|(_, arn)| arn.as_str()).collect();
        assert_eq!(findings.len(), 80);
    }
    assert_eq!(waiting[0].0, "2026-11-18T00:00:00Z".parse().unwrap());
    assert_eq!(open[0].0, "2026-11-25T00:00:00Z".parse().unwrap());
    // No more than asked for, and the same first ones.
    assert_eq!(world.pending(7).await, waiting[..7]);
    assert_eq!(store.open_by_due(0).await.unwrap(), []);
}

#[tokio::test]
async fn a_repetition_costs_one_call_and_a_new_finding_five_once_it_is_known_who_listens() {
    let world = World::new().await;
    let calls = CallRecorder::default();
    let dynamodb = world.emulator.dynamodb().interceptor(calls.clone());
    let sns = world.emulator.sns().interceptor(calls.clone());
    let world = World { triage: common::triage(dynamodb, sns), ..world };
    let event_at = |time| event(time, |_| {});
    let first = event_of(&common::arn(1), "2026-11-20T10:00:00Z", |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-1");
    });
    for (what, event, expected) in [
        ("the first finding", first, 6),
        ("a new finding", event_at("2026-11-20T10:00:00Z"), 5),
        ("the same again", event_at("2026-11-20T10:00:00Z"), 1),
        ("a moved timestamp", event_at("2026-11-20T11:00:00Z"), 1),
        ("an older state", event_at("2026-11-20T09:00:00Z"), 1),
        ("an end", event("2026-11-20T12:00:00Z", |f| f["status"] = json!("CLOSED")), 2),
    ] {
        world.handle(&event, NOW).await.unwrap();
        assert_eq!(calls.take().len(), expected, "{what}");
    }
}

/// The same event with its date in a future that no clock is wrong by.
fn from_the_future(change: impl FnOnce(&mut serde_json::Value)) -> serde_json::Value {
    event("9999-12-30T00:00:00Z", change)
}

#[tokio::test]
async fn a_date_in_the_future_counts_as_now_so_that_what_comes_later_is_believed() {
    let mut world = World::new().await;
    let forged = from_the_future(|f| f["status"] = json!("CLOSED"));
    world.handle(&event("2026-11-20T10:00:00Z", |_| {}), NOW).await.unwrap();
    assert_eq!(world.handle(&forged, LATER).await.unwrap().outcome, Outcome::Closed);
    world.published();

    let true_one = event("2026-11-20T14:00:00Z", |_| {});
    let report = world.handle(&true_one, "2026-11-20T14:00:05Z").await.unwrap();

    assert_eq!((report.outcome, report.reason.as_str()), (Outcome::Announced, "reopened"));
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn a_row_that_was_dated_into_the_future_before_dates_were_bounded_is_heard_again() {
    let mut world = World::new().await;
    let first = world.handle(&event("2026-11-20T10:00:00Z", |_| {}), NOW).await.unwrap();
    assert_eq!(first.outcome, Outcome::Announced);
    world.published();
    let date = |version: &str| {
        let version = AttributeValue::S(format!("{version}~1400-0.01000~00000000"));
        Client::from_conf(world.emulator.dynamodb().build())
            .update_item()
            .table_name(emulator::TABLE)
            .key("pk", AttributeValue::S(keys::finding(ARN)))
            .key("sk", AttributeValue::S(keys::CURRENT.to_owned()))
            .update_expression("SET version = :version")
            .expression_attribute_values(":version", version)
            .send()
    };

    // What changes nothing is a refresh; what does is written.
    date("9999-12-30T00:00:00.000000Z").await.unwrap();
    let again = event("2026-11-20T11:00:00Z", |f| f["epss"] = json!({"score": 0.012}));
    assert_eq!(world.handle(&again, LATER).await.unwrap().outcome, Outcome::Unchanged);
    assert!(world.record(ARN).await.version.as_str().starts_with("2026-11-20T11:00"));

    date("9999-12-30T00:00:00.000000Z").await.unwrap();
    let closed = event("2026-11-20T12:00:00Z", |f| f["status"] = json!("CLOSED"));
    assert_eq!(world.handle(&closed, LATER).await.unwrap().outcome, Outcome::Closed);

    // A clock may be some minutes off.
    date("2026-11-20T13:04:00.000000Z").await.unwrap();
    assert_eq!(world.handle(&again, LATER).await.unwrap().outcome, Outcome::Stale);
}

/// The ARN of a finding of an on-demand scan.
const ON_DEMAND: &str = "arn:aws:inspector2:eu-central-1:111122223333:finding/ondemand/\
                         76092db9-0f87-5370-be04-797a84851dd5/0000000000000000000000000000000b";

#[tokio::test]
async fn nobody_speaks_for_inspector_with_the_source_that_everybody_can_use() {
    let mut world = World::new().await;
    world.handle(&event("2026-11-20T10:00:00Z", |_| {}), NOW).await.unwrap();
    world.published();
    let before = world.all().await;

    for (arn, source, detail_type) in [
        (ARN, "inspector2.ami.ondemand", "Inspector2 Finding"),
        (ARN, "inspector2.ami.ondemand", "OnDemand AMI Scan Findings"),
        (ON_DEMAND, "aws.inspector2", "Inspector2 Finding"),
    ] {
        let mut forged = event_of(arn, "2026-11-20T11:00:00Z", |f| f["status"] = json!("CLOSED"));
        forged["source"] = json!(source);
        forged["detail-type"] = json!(detail_type);
        let refused = world.handle(&forged, LATER).await.unwrap_err();
        assert!(refused.starts_with("UnsupportedEvent: finding arn:aws:inspector2:"), "{refused}");
        assert!(refused.contains(arn) && refused.contains(source), "{refused}");
    }

    assert_eq!(world.all().await, before);
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn a_finding_of_an_on_demand_scan_has_a_place_of_its_own_and_a_strangers_words() {
    let mut world = World::new().await;
    let mut scanned = event_of(ON_DEMAND, "2026-11-20T10:00:00Z", |f| {
        f["packageVulnerabilityDetails"]["sourceUrl"] = json!("https://evil.example/one");
        f["remediation"]["recommendation"] = json!({
            "text": "See https://evil.example/two", "Url": "https://evil.example/three"
        });
        f["resources"][0] = json!({"type": "MACHINE_IMAGE", "id": "ami-0cae7a3f252c75727"});
    });
    scanned["source"] = json!("inspector2.ami.ondemand");
    scanned["detail-type"] = json!("OnDemand AMI Scan Findings");

    let report = world.handle(&scanned, NOW).await.unwrap();

    assert_eq!((report.outcome, report.due_at), (Outcome::Announced, None));
    let [message] = &world.published()[..] else { panic!("one message") };
    assert!(!message.message.contains("https://evil"), "{}", message.message);
    let page = "https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#ImageDetails:imageId=\
                ami-0cae7a3f252c75727";
    assert!(message.message.contains(page), "{}", message.message);
    assert!(!message.message.contains("/inspector/v2/"), "{}", message.message);

    let rows = world.all().await;
    assert_eq!(rows.len(), 3);
    let key = AttributeValue::S(format!("FINDING#ondemand#{ON_DEMAND}"));
    assert!(rows.iter().all(|row| row["pk"] == key && row.contains_key("expires_at")));
    // It is among the open findings, after all that have a due date.
    let open = world.triage.store.open_by_due(10).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].at.to_string(), open[0].arn.as_str()),
        ("9999-12-30T00:00:00Z".to_owned(), ON_DEMAND)
    );
    assert_eq!(world.record(ON_DEMAND).await.due_at, None);
}
