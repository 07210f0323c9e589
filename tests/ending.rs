//! How findings end, and who hears of it.

use std::{collections::BTreeMap, sync::Mutex};

use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::{Attempt, Observation},
    domain::{
        record::{AlertReason, How},
        round::Ask,
    },
    emulator::{
        self,
        inspector::{Account, Trouble},
    },
};
use serde_json::{Value, json};

use crate::{
    common::{self, World, arn, event_of},
    reviewing::{
        FIRST, NEXT_DAY, administrator_of, after_the_first_round, changed, covered, finding,
    },
    threats::listed,
};

const THIRD_DAY: &str = "2026-11-22T00:10:00Z";
const FOURTH_DAY: &str = "2026-11-23T00:10:00Z";
/// When a full listing is due after one on the second day.
const WEEK_LATER: &str = "2026-11-28T00:10:00Z";

/// The id of the resource that a finding with a number is in.
fn resource(number: usize) -> String {
    format!("arn:aws:lambda:eu-central-1:111122223333:function:shop-{number}:$LATEST")
}

/// A finding in a function of its own.
fn in_function(number: usize, change: impl FnOnce(&mut Value)) -> Value {
    finding(number, |f| {
        place(f, number);
        change(f);
    })
}

fn place(finding: &mut Value, number: usize) {
    finding["resources"][0]["type"] = json!("AWS_LAMBDA_FUNCTION");
    finding["resources"][0]["id"] = json!(resource(number));
}

/// The same, closed on the next day.
fn closed(number: usize) -> Value {
    changed(number, |f| {
        place(f, number);
        f["status"] = json!("CLOSED");
    })
}

/// What Inspector's coverage has of the function with a number.
fn function(number: usize, status: &str, reason: &str) -> Value {
    covered("111122223333", &resource(number), "PACKAGE", status, reason)
}

fn cover(world: &World, rows: Vec<Value>) {
    world.emulator.inspector.fleet().coverage = rows;
}

/// Adds the topic for programs to a world.
fn with_programs(mut world: World) -> World {
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    world
}

/// What programs have heard of ends: which finding, what happened, how, and why.
fn ends(world: &mut World) -> Vec<(usize, String, String, Value)> {
    let mut ends = Vec::new();
    for message in world.published().into_iter().filter(|one| one.topic == emulator::DATA_TOPIC) {
        let data: Value = serde_json::from_str(&message.message).unwrap();
        if data["kind"] != "ended" {
            continue;
        }
        assert!(crate::wording::SCHEMA.is_valid(&data), "{data:#}");
        let names: Vec<&String> = message.attributes.keys().collect();
        assert!(names.iter().all(|name| !["priority", "severity"].contains(&name.as_str())));
        for finding in data["findings"].as_array().unwrap() {
            let number = finding["findingArn"].as_str().unwrap().rsplit('/').next().unwrap();
            let number = usize::from_str_radix(number, 16).unwrap();
            let said = |name: &str| finding["end"][name].as_str().unwrap().to_owned();
            ends.push((number, said("what"), said("how"), finding["end"]["reason"].clone()));
        }
    }
    ends.sort_by_key(|end| end.0);
    ends
}

fn end(
    number: usize,
    what: &str,
    how: &str,
    reason: Option<&str>,
) -> (usize, String, String, Value) {
    (number, what.to_owned(), how.to_owned(), json!(reason))
}

async fn how(world: &World, number: usize) -> Option<How> {
    world.record(&arn(number)).await.end.map(|end| end.how)
}

#[tokio::test]
async fn programs_hear_that_a_finding_ended_and_once_more_how() {
    let mut world = with_programs(World::new().await);
    for number in 1..=3 {
        world.handle(&in_function(number, |_| {}), "2026-11-19T10:00:05Z").await.unwrap();
    }
    world.published();
    for number in [1, 2] {
        world.handle(&closed(number), "2026-11-20T18:00:05Z").await.unwrap();
    }
    let suppressed = changed(3, |f| {
        place(f, 3);
        f["status"] = json!("SUPPRESSED");
    });
    world.handle(&suppressed, "2026-11-20T18:00:05Z").await.unwrap();
    assert_eq!(world.published(), [], "people are not told");
    let flushed = world.flush("2026-11-20T18:05:00Z").await.unwrap();
    assert_eq!((flushed.ended, flushed.messages, flushed.findings), (3, 1, 0));
    let unknown = |number| end(number, "closed", "unknown", None);
    let expected = [unknown(1), unknown(2), end(3, "suppressed", "suppressed", None)];
    assert_eq!(ends(&mut world), expected);

    cover(
        &world,
        vec![function(1, "ACTIVE", "SUCCESSFUL"), function(2, "INACTIVE", "EXCLUDED_BY_TAG")],
    );
    world.inspect(&[closed(1), closed(2), suppressed]);
    let result = world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(result["parts"]["vanished"]["explained"], 2, "{result}");
    let ended = world.flush("2026-11-21T00:15:00Z").await.unwrap().ended;
    let expected =
        [end(1, "closed", "fixed", None), end(2, "closed", "unobserved", Some("EXCLUDED_BY_TAG"))];
    assert_eq!((ended, ends(&mut world).as_slice()), (2, &expected[..]));
    let kinds = world.kinds(&arn(1)).await;
    let expected =
        ["ANNOUNCED new", "CURRENT", "HISTORY opened", "HISTORY closed", "NOTED explained"];
    assert_eq!(kinds, expected);

    world.daily(THIRD_DAY, json!({})).await;
    assert_eq!(world.flush("2026-11-22T00:15:00Z").await.unwrap().ended, 0);
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn without_a_topic_for_programs_nobody_waits_for_an_end() {
    let world = after_the_first_round(&[in_function(1, |_| {}), in_function(2, |_| {})]).await;
    world.inspect(&[
        closed(1),
        changed(2, |f| {
            place(f, 2);
            f["status"] = json!("SUPPRESSED");
        }),
    ]);
    world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(how(&world, 1).await, Some(How::Gone), "there is no such function any more");
    assert_eq!(how(&world, 2).await, Some(How::Suppressed));
    let mut world = with_programs(world);
    assert_eq!(world.flush("2026-11-21T00:15:00Z").await.unwrap().ended, 0);
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn where_everything_is_off_what_ends_is_not_observed() {
    let world = administrator_of(&["222233334444"]).await;
    let there = |number: usize, change: fn(&mut Value)| {
        in_function(number, |f| {
            f["awsAccountId"] = json!("222233334444");
            change(f);
        })
    };
    world.inspect(&[there(1, |_| {})]);
    world.daily(FIRST, json!({})).await;
    world.emulator.inspector.fleet().accounts[1].status = "DISABLED";
    let closed = there(1, |f| {
        f["status"] = json!("CLOSED");
        f["updatedAt"] = json!("2026-11-20T18:00:00Z");
    });
    world.inspect(&[closed]);
    world.daily(NEXT_DAY, json!({})).await;
    let end = world.record(&arn(1)).await.end.unwrap();
    assert_eq!((end.how, end.reason.as_deref()), (How::Unobserved, Some("DISABLED")));
}

#[tokio::test]
async fn where_its_kind_of_scan_is_off_or_not_known_to_be_on_nothing_counts_as_gone() {
    let world = after_the_first_round(&[in_function(1, |_| {}), in_function(2, |_| {})]).await;
    world.emulator.inspector.fleet().accounts[0].off = vec!["lambda"];
    world.inspect(&[closed(1), in_function(2, |_| {})]);
    world.daily(NEXT_DAY, json!({})).await;
    let end = world.record(&arn(1)).await.end.unwrap();
    assert_eq!((end.how, end.reason.as_deref()), (How::Unobserved, Some("DISABLED")));

    let again = changed(2, |f| {
        place(f, 2);
        f["status"] = json!("CLOSED");
        f["updatedAt"] = json!("2026-11-21T18:00:00Z");
    });
    world.inspect(&[closed(1), again]);
    world.emulator.inspector.fleet().trouble = Some(Box::new(|_, request| {
        (request.path == "/status/batch/get").then_some(Trouble::Denied)
    }));
    world.daily(THIRD_DAY, json!({})).await;
    let end = world.record(&arn(2)).await.end.unwrap();
    assert!(end.is_unexplained(), "whether it is on was not to be found out: {end:?}");
}

#[tokio::test]
async fn how_a_finding_ended_is_asked_for_until_it_is_settled_or_a_month_is_over() {
    let world = after_the_first_round(&[in_function(1, |_| {})]).await;
    world.inspect(&[closed(1)]);
    cover(&world, vec![function(1, "ACTIVE", "PENDING_REVIVAL_SCAN")]);
    world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(how(&world, 1).await, Some(How::Unknown));
    assert!(world.record(&arn(1)).await.end.unwrap().is_unexplained());
    world.daily("2026-12-25T00:10:00Z", json!({})).await;
    assert!(!world.record(&arn(1)).await.end.unwrap().is_unexplained(), "nobody asks for ever");
}

/// A world with so many findings, each told to everybody, and all of which the first round has listed.
async fn fleet(count: usize) -> World {
    let world = with_programs(World::new().await);
    let events: Vec<Value> = (0..count).map(|number| in_function(number, |_| {})).collect();
    world.inspect(&events);
    world.daily(FIRST, json!({})).await;
    world.daily("2026-11-20T00:20:00Z", json!({})).await;
    cover(&world, (1..count).map(|number| function(number, "ACTIVE", "SUCCESSFUL")).collect());
    let mut world = world;
    world.published();
    world
}

/// Takes the findings with these numbers out of what Inspector has.
fn lose(world: &World, numbers: &[usize]) {
    let arns: Vec<String> = numbers.iter().map(|number| arn(*number)).collect();
    let mut fleet = world.emulator.inspector.fleet();
    fleet.findings.retain(|finding| !arns.iter().any(|arn| finding["findingArn"] == arn.as_str()));
}

async fn full(world: &World, now: &str) -> Value {
    world.daily(now, json!({"now": true, "full": true})).await
}

#[tokio::test]
async fn what_two_full_listings_lack_has_ended() {
    let mut world = fleet(10).await;
    lose(&world, &[0, 1]);
    let result = full(&world, NEXT_DAY).await;
    assert_eq!(result["parts"]["vanished"], json!({"absent": 2, "ended": 0, "explained": 0}));
    assert!(world.record(&arn(0)).await.is_open(), "once is not enough");
    let result = world.daily(THIRD_DAY, json!({})).await;
    assert_eq!(result["parts"]["vanished"], json!({"explained": 0}), "it lists what changed alone");

    let result = full(&world, FOURTH_DAY).await;
    assert_eq!(result["parts"]["vanished"], json!({"absent": 2, "ended": 2, "explained": 2}));
    assert_eq!((how(&world, 0).await, how(&world, 1).await), (Some(How::Gone), Some(How::Fixed)));
    let record = world.record(&arn(0)).await;
    assert!(!record.is_open() && record.due_at.is_none() && record.ended_at.is_some());
    world.flush("2026-11-23T00:15:00Z").await.unwrap();
    let expected = [end(0, "vanished", "gone", None), end(1, "vanished", "fixed", None)];
    assert_eq!(ends(&mut world), expected);
    let kinds = world.kinds(&arn(0)).await;
    assert_eq!(kinds, ["CURRENT", "HISTORY opened", "NOTED explained", "NOTED vanished"]);
}

#[tokio::test]
async fn what_has_vanished_and_is_listed_again_is_open_again() {
    let mut world = fleet(10).await;
    let all = world.emulator.inspector.fleet().findings.clone();
    lose(&world, &[0]);
    full(&world, NEXT_DAY).await;
    full(&world, THIRD_DAY).await;
    assert!(!world.record(&arn(0)).await.is_open());
    world.flush("2026-11-22T00:15:00Z").await.unwrap();
    world.published();
    world.emulator.inspector.fleet().findings = all;
    full(&world, FOURTH_DAY).await;
    let record = world.record(&arn(0)).await;
    assert!(record.is_open() && record.end.is_none() && record.opening == 2);
    world.flush("2026-11-23T00:15:00Z").await.unwrap();
    let published = world.published();
    let data: Value = serde_json::from_str(&published.last().unwrap().message).unwrap();
    assert_eq!(data["findings"][0]["reason"], AlertReason::Reopened.as_str());
}

#[tokio::test]
async fn what_is_absent_now_and_then_has_not_ended() {
    let world = fleet(10).await;
    let all = world.emulator.inspector.fleet().findings.clone();
    lose(&world, &[0]);
    full(&world, NEXT_DAY).await;
    let without = std::mem::replace(&mut world.emulator.inspector.fleet().findings, all);
    full(&world, THIRD_DAY).await;
    world.emulator.inspector.fleet().findings = without;
    full(&world, FOURTH_DAY).await;
    assert!(world.record(&arn(0)).await.is_open());
}

#[tokio::test]
async fn what_inspector_has_under_its_name_has_not_ended() {
    let world = fleet(10).await;
    world.emulator.inspector.fleet().hidden.insert(arn(0));
    full(&world, NEXT_DAY).await;
    let result = full(&world, THIRD_DAY).await;
    assert_eq!(result["parts"]["vanished"], json!({"absent": 1, "ended": 0, "explained": 0}));
    assert!(world.record(&arn(0)).await.is_open());
}

#[tokio::test]
async fn more_than_a_fifth_at_once_ends_nothing_and_rings_unless_a_person_says_so() {
    let world = fleet(10).await;
    lose(&world, &[0, 1, 2]);
    full(&world, NEXT_DAY).await;
    let seen = Mutex::new(Vec::new());
    let observe = |observation| seen.lock().unwrap().push(observation);
    let attempt =
        Attempt { observe: &observe, ..Attempt::new("daily", THIRD_DAY.parse().unwrap()) };
    let ask = Ask { now: true, full: true, ..Ask::default() };
    Box::pin(world.review().daily(ask, attempt)).await.unwrap();
    let expected =
        Observation::TooManyAbsent { account: "111122223333".to_owned(), absent: 3, open: 10 };
    assert!(seen.lock().unwrap().contains(&expected), "{seen:?}");
    assert!(world.record(&arn(0)).await.is_open());
    let believe = json!({"now": true, "full": true, "believeAbsence": true});
    let result = world.daily(FOURTH_DAY, believe).await;
    assert_eq!(result["parts"]["vanished"]["ended"], 3, "{result}");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_not_complete_or_not_clean_ends_nothing() {
    for trouble in [Trouble::Denied, Trouble::Error, Trouble::CutOff, Trouble::Empty] {
        let world = fleet(10).await;
        lose(&world, &[0]);
        full(&world, NEXT_DAY).await;
        world.emulator.inspector.fleet().trouble =
            Some(Box::new(move |_, request| (request.path == "/findings/list").then_some(trouble)));
        let result = full(&world, THIRD_DAY).await;
        assert_eq!(result["parts"]["listing"]["failed"], 1, "{result}");
        assert!(world.record(&arn(0)).await.is_open(), "{trouble:?}");
        // Made good an hour later, it counts.
        world.emulator.inspector.fleet().trouble = None;
        let result = world.daily("2026-11-22T01:10:00Z", json!({})).await;
        assert_eq!(result["parts"]["vanished"]["ended"], 1, "{result}");
    }
    let world = fleet(10).await;
    lose(&world, &[0]);
    full(&world, NEXT_DAY).await;
    world.emulator.inspector.fleet().findings[3].as_object_mut().unwrap().remove("severity");
    full(&world, THIRD_DAY).await;
    assert!(world.record(&arn(0)).await.is_open(), "one of its findings cannot be read");
}

#[tokio::test]
async fn absence_says_nothing_where_inspector_does_not_look() {
    let world = fleet(10).await;
    let elsewhere = arn(50).replace("eu-central-1", "eu-west-1");
    let event = event_of(&elsewhere, "Thu Nov 19 10:00:00.000 UTC 2026", |f| place(f, 50));
    world.handle(&event, "2026-11-20T10:00:05Z").await.unwrap();
    let instance = event_of(&arn(51), "Thu Nov 19 10:00:00.000 UTC 2026", |f| {
        f["resources"][0]["type"] = json!("AWS_EC2_INSTANCE");
        f["resources"][0]["id"] = json!("i-0123456789abcdef0");
    });
    world.handle(&instance, "2026-11-20T10:00:05Z").await.unwrap();
    world.emulator.inspector.fleet().accounts[0].off = vec!["ec2"];
    for now in [NEXT_DAY, THIRD_DAY, FOURTH_DAY] {
        full(&world, now).await;
    }
    assert!(world.record(&elsewhere).await.is_open(), "another Region");
    assert!(world.record(&arn(51)).await.is_open(), "a kind of scan that is off");

    // The whole account.
    world.emulator.inspector.fleet().accounts[0] =
        Account { status: "DISABLED", ..Account::new("111122223333") };
    world.emulator.inspector.fleet().findings.clear();
    for now in ["2026-11-24T00:10:00Z", "2026-11-25T00:10:00Z"] {
        full(&world, now).await;
    }
    assert!(world.record(&arn(0)).await.is_open());
}

#[tokio::test]
async fn absence_says_nothing_where_it_is_not_known_whether_inspector_looks() {
    let world = administrator_of(&["222233334444"]).await;
    let there = |number: usize| in_function(number, |f| f["awsAccountId"] = json!("222233334444"));
    world.inspect(&[there(1)]);
    world.daily(FIRST, json!({})).await;
    world.emulator.inspector.fleet().accounts[1].status = "INTERNAL_ERROR";
    world.inspect(&[]);
    for now in [NEXT_DAY, THIRD_DAY] {
        full(&world, now).await;
    }
    assert!(world.record(&arn(1)).await.is_open());
}

/// How each finding stands, what is in its history, and whether it is known to be exploited, at the end of it all. People
/// have heard of that once.
async fn state(world: &mut World) -> BTreeMap<usize, (Option<How>, Vec<String>, bool)> {
    world.flush("2026-11-28T09:00:00Z").await.unwrap();
    let published = world.published().into_iter();
    let exploited =
        published.filter(|message| message.message.contains("CISA lists it as exploited."));
    assert_eq!(exploited.count(), 1);
    let mut state = BTreeMap::new();
    for number in 0..5 {
        let mut kinds = world.kinds(&arn(number)).await;
        kinds.sort();
        let is_exploited = world.record(&arn(number)).await.is_known_exploited();
        state.insert(number, (how(world, number).await, kinds, is_exploited));
    }
    state
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_killed_at_any_call_ends_and_tells_the_same() {
    use crate::{common::network::Fault, reviewing::round_with, stored};
    let first = fleet(5).await;
    lose(&first, &[0]);
    full(&first, NEXT_DAY).await;
    first.handle(&closed(2), "2026-11-21T18:00:05Z").await.unwrap();
    first.emulator.inspector.fleet().threats = vec![listed(3), listed(4)];
    let before = async || with_programs(stored::copy_of(&first).await);
    let mut undisturbed = before().await;
    full(&undisturbed, WEEK_LATER).await;
    let expected = state(&mut undisturbed).await;
    assert_eq!((expected[&0].0, expected[&3].2), (Some(How::Gone), true));
    for at in 0.. {
        let mut world = before().await;
        let befell = round_with(&world, Fault::KilledAfter, at, WEEK_LATER).await;
        assert_eq!(state(&mut world).await, expected, "request {at}");
        if !befell {
            break;
        }
    }
}
