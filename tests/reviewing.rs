//! The daily round, against a stand-in for Inspector that is as strict and as odd as the real one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_sdk_dynamodb::types::AttributeValue;
use inspector_triage::{
    adapters::{dynamodb::keys, inspector2::Inspector2},
    app::{
        Attempt, FigureLog, Gaps, Inspector, Observation, TimeLimit,
        review::{RoundOutcome, RoundResult},
    },
    domain::{
        record::Audience,
        round::{Ask, Part},
    },
    emulator::{
        self,
        inspector::{Account, Habits, Order, Trouble},
    },
    lambda,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{
    self, World, arn, event_of,
    network::{Call, Fate, Fault, Network, Sent},
};
use crate::stored::copy_of;

pub const FIRST: &str = "2026-11-20T00:10:00Z";
pub const NEXT_DAY: &str = "2026-11-21T00:10:00Z";

/// An event about a finding with a number, as of a time on the day before the first round.
pub fn finding(number: usize, change: impl FnOnce(&mut Value)) -> Value {
    let minute = number % 60;
    event_of(&arn(number), "Thu Nov 19 10:00:00.000 UTC 2026", |f| {
        f["firstObservedAt"] = json!(format!("2026-11-18T10:{minute:02}:00.123Z"));
        f["packageVulnerabilityDetails"]["vulnerabilityId"] =
            json!(format!("CVE-2026-{number:05}"));
        change(f);
    })
}

/// The same finding, changed on the next day.
pub fn changed(number: usize, change: impl FnOnce(&mut Value)) -> Value {
    finding(number, |f| {
        f["updatedAt"] = json!("2026-11-20T18:00:00.000Z");
        change(f);
    })
}

/// A world in which the first round is over.
pub async fn after_the_first_round(events: &[Value]) -> World {
    let mut world = World::new().await;
    world.inspect(events);
    let result = world.daily(FIRST, json!({})).await;
    assert_eq!(result["outcome"], "done", "{result}");
    world.published();
    world
}

#[tokio::test]
async fn a_finding_is_the_same_whether_an_event_brings_it_or_a_listing() {
    let world = World::new().await;
    let event = finding(1, |f| f["severity"] = json!("CRITICAL"));
    world.handle(&event, "2026-11-19T10:00:05Z").await.unwrap();
    let by_event = world.record(&arn(1)).await;
    world.inspect(&[event]);
    let result = world.daily(FIRST, json!({})).await;
    assert_eq!(result["parts"]["listing"]["unchanged"], 1, "{result}");
    assert_eq!(world.record(&arn(1)).await, by_event);
}

#[tokio::test]
async fn what_was_there_before_is_told_in_one_message_and_then_as_ever() {
    let mut world = World::new().await;
    let events: Vec<Value> = (0..250)
        .map(|number| {
            finding(number, |f| f["severity"] = json!(if number < 3 { "CRITICAL" } else { "HIGH" }))
        })
        .collect();
    world.inspect(&events);
    let result = world.daily(FIRST, json!({})).await;
    assert_eq!(result["parts"]["listing"]["new"], 250, "{result}");
    let published = world.published();
    let [message] = &published[..] else { panic!("one message: {published:#?}") };
    assert!(
        message
            .message
            .starts_with("Amazon Inspector had 250 open findings here when this was set"),
        "{}",
        message.message
    );
    assert!(message.subject.as_ref().unwrap().contains("250 findings"), "{:?}", message.subject);

    assert_eq!(world.flush("2026-11-20T00:15:00Z").await.unwrap().findings, 0);
    assert_eq!(world.daily("2026-11-20T01:10:00Z", json!({})).await["outcome"], "done");
    assert_eq!(world.published(), [], "it is told once");

    world.handle(&finding(900, |_| {}), "2026-11-20T02:00:00Z").await.unwrap();
    assert_eq!(world.published().len(), 1, "what comes then is told as ever");
}

#[tokio::test]
async fn what_was_there_before_waits_for_somebody_to_listen() {
    let mut world = World::new().await;
    world.inspect(&[finding(1, |_| {})]);
    let topic = emulator::topic(Audience::Email);
    world.emulator.listen(topic, false);
    world.daily(FIRST, json!({})).await;
    assert_eq!(world.published(), []);
    world.emulator.listen(topic, true);
    world.daily("2026-11-20T01:10:00Z", json!({})).await;
    assert_eq!(world.published().len(), 1);
    world.daily("2026-11-20T02:10:00Z", json!({})).await;
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn a_lost_active_event_is_made_good_and_told() {
    let mut world = after_the_first_round(&[finding(1, |_| {})]).await;
    world.inspect(&[finding(1, |_| {}), changed(2, |_| {})]);
    let result = world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(result["parts"]["listing"], json!({"listed": 1, "new": 1, "unread": 0}));
    assert_eq!(world.published(), [], "the round leaves it to the flush");
    assert_eq!(world.flush("2026-11-21T00:15:00Z").await.unwrap().findings, 1);
    assert!(world.published()[0].message.contains("CVE-2026-00002"));
}

#[tokio::test]
async fn a_lost_closed_event_ends_the_finding() {
    let mut world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    world.inspect(&[changed(1, |f| f["status"] = json!("CLOSED")), finding(2, |_| {})]);
    let result = world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(result["parts"]["listing"]["ended"], 1, "{result}");
    assert!(!world.record(&arn(1)).await.is_open());
    assert!(world.record(&arn(2)).await.is_open());
    world.flush("2026-11-21T00:15:00Z").await.unwrap();
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn a_finding_that_is_less_severe_now_is_judged_and_stays_open() {
    let world = after_the_first_round(&[finding(1, |_| {})]).await;
    world.inspect(&[
        changed(1, |f| f["severity"] = json!("LOW")),
        changed(2, |f| f["severity"] = json!("LOW")),
    ]);
    let result = world.daily(NEXT_DAY, json!({})).await;
    let listing = json!({"listed": 2, "changed": 1, "skipped": 1, "unread": 0});
    assert_eq!(result["parts"]["listing"], listing, "one that nobody has heard of is not begun");
    let record = world.record(&arn(1)).await;
    assert!(record.is_open() && record.finding.severity.as_str() == "LOW");
    assert!(world.find(&arn(2)).await.is_none());
}

#[tokio::test]
async fn a_second_round_with_nothing_changed_says_nothing_and_writes_nothing() {
    let events: Vec<Value> = (0..250).map(|number| finding(number, |_| {})).collect();
    let mut world = after_the_first_round(&events).await;
    let before = world.all().await;
    let result = world.daily(NEXT_DAY, json!({"full": true})).await;
    assert_eq!(result["parts"]["listing"], json!({"listed": 250, "unchanged": 250, "unread": 0}));
    assert_eq!(world.all().await, before);
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn a_listing_goes_on_over_empty_pages_and_tokens_that_lead_to_nothing() {
    for habits in [
        Habits { page_size: 7, ..Habits::default() },
        Habits { page_size: 7, empty_pages: true, ..Habits::default() },
        Habits { page_size: 5, token_at_the_end: true, ..Habits::default() },
        Habits { page_size: 9, order: Order::Reversed, ..Habits::default() },
    ] {
        let world = World::new().await;
        let events: Vec<Value> = (0..40).map(|number| finding(number, |_| {})).collect();
        world.inspect(&events);
        world.emulator.inspector.fleet().habits = habits;
        let result = world.daily(FIRST, json!({})).await;
        assert_eq!(result["parts"]["listing"]["new"], 40, "{habits:?}: {result}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_keeps_nothing_from_being_recorded() {
    let world = World::new().await;
    let mut without_severity = finding(2, |_| {});
    without_severity["detail"].as_object_mut().unwrap().remove("severity");
    world.inspect(&[finding(1, |_| {}), without_severity, finding(3, |_| {})]);
    let result = world.daily(FIRST, json!({})).await;
    assert_eq!(result["parts"]["listing"], json!({"listed": 2, "new": 2, "unread": 1}));
}

/// Changes an attribute of a finding's row behind everybody's back; none takes it away.
async fn tamper(world: &World, number: usize, name: &str, value: Option<&str>) {
    let update = aws_sdk_dynamodb::Client::from_conf(world.emulator.dynamodb().build())
        .update_item()
        .table_name(emulator::TABLE)
        .key("pk", AttributeValue::S(keys::finding(&arn(number))))
        .key("sk", AttributeValue::S(keys::CURRENT.to_owned()))
        .expression_attribute_names("#name", name);
    let update = match value {
        Some(value) => update
            .update_expression("SET #name = :value")
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned())),
        None => update.update_expression("REMOVE #name"),
    };
    update.send().await.unwrap();
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_no_other_from_being_recorded_and_is_tried_the_next_day() {
    let events: Vec<Value> = (0..5).map(|number| finding(number, |_| {})).collect();
    let world = after_the_first_round(&events).await;
    let good = serde_json::to_string(&world.record(&arn(2)).await.finding).unwrap();
    tamper(&world, 2, "finding", Some("{}")).await;
    let exploited = |f: &mut Value| f["exploitAvailable"] = json!("YES");
    let events: Vec<Value> = (0..5).map(|number| changed(number, exploited)).collect();
    world.inspect(&events);
    let result = world.daily(NEXT_DAY, json!({})).await;
    let listing = json!({"listed": 5, "changed": 4, "failed": 1, "unread": 0});
    assert_eq!(result["parts"]["listing"], listing);

    tamper(&world, 2, "finding", Some(&good)).await;
    world.daily("2026-11-22T00:10:00Z", json!({})).await;
    assert!(world.record(&arn(2)).await.facts().exploit, "although Inspector has nothing new");
}

#[tokio::test]
async fn a_close_that_was_lost_before_the_first_round_is_made_good_by_it() {
    let world = World::new().await;
    world.handle(&finding(1, |_| {}), "2026-11-19T10:00:05Z").await.unwrap();
    world.inspect(&[
        finding(1, |f| {
            f["status"] = json!("CLOSED");
            f["updatedAt"] = json!("2026-11-19T20:00:00.000Z");
        }),
        finding(2, |f| f["status"] = json!("CLOSED")),
    ]);
    let result = world.daily(FIRST, json!({})).await;
    let listing = json!({"listed": 2, "ended": 1, "skipped": 1, "unread": 0});
    assert_eq!(result["parts"]["listing"], listing);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_inspector_for_minutes_is_still_the_only_one_at_it() {
    let world = World::new().await;
    world.inspect(&[finding(1, |_| {})]);
    world.emulator.inspector.fleet().trouble =
        Some(Box::new(|number, _| (number < 8).then_some(Trouble::Throttled(30))));
    let first = world.daily(FIRST, json!({}));
    let second = async {
        let mut results = Vec::new();
        for minute in 11..14 {
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            results.push(world.daily(&format!("2026-11-20T00:{minute}:00Z"), json!({})).await);
        }
        results
    };
    let (first, others) = tokio::join!(first, second);
    assert_eq!(first["parts"]["listing"]["new"], 1, "{first}");
    let busy = json!({"outcome": "continues", "parts": {}});
    assert!(others.iter().all(|result| *result == busy), "{others:?}");
}

/// A round at a time in which what `fates` says befalls what is sent.
async fn round_over(network: &Network, world: &World, now: &str, go_on: bool) {
    let review = network.review(&world.emulator, now);
    let ask = Ask { go_on, ..Ask::default() };
    Box::pin(review.daily(ask, Attempt::new(now, now.parse().unwrap()))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_and_could_not_be_told_is_tried_each_hour() {
    let mut world = World::new().await;
    world.inspect(&[finding(1, |_| {})]);
    let tried = Arc::new(AtomicUsize::new(0));
    let fates = {
        let tried = tried.clone();
        move |sent: Sent| {
            let fault = (sent.call == Call::Publish).then_some(Fault::ErrorBefore);
            tried.fetch_add(usize::from(fault.is_some() && sent.repeated == 0), Ordering::Relaxed);
            Fate { fault, ..Fate::default() }
        }
    };
    let network = Network::new(fates, |_| {});
    for (now, go_on, expected) in [
        (FIRST, false, 1),
        ("2026-11-20T00:15:00Z", true, 1),
        ("2026-11-20T01:05:00Z", true, 1),
        ("2026-11-20T01:10:00Z", false, 2),
    ] {
        round_over(&network, &world, now, go_on).await;
        assert_eq!(tried.load(Ordering::Relaxed), expected, "{now}");
    }
    assert_eq!(world.published(), []);
    world.daily("2026-11-20T02:10:00Z", json!({})).await;
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn what_was_there_before_is_told_when_the_index_has_all_of_it() {
    let mut world = World::new().await;
    world.inspect(&[finding(1, |_| {}), finding(2, |_| {}), finding(3, |_| {})]);
    let topic = emulator::topic(Audience::Email);
    world.emulator.listen(topic, false);
    world.daily(FIRST, json!({})).await;
    world.emulator.listen(topic, true);
    let shard = keys::shard(keys::OPEN, &arn(2));
    tamper(&world, 2, keys::OPEN_SHARD, None).await;
    world.daily("2026-11-20T00:10:30Z", json!({})).await;
    assert_eq!(world.published(), [], "one of three is not in the index yet");
    tamper(&world, 2, keys::OPEN_SHARD, Some(&shard)).await;
    world.daily("2026-11-20T00:10:40Z", json!({})).await;
    let published = world.published();
    assert!(published[0].message.contains("3 open findings"), "{published:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_throttled_or_breaks_off_is_made_again() {
    let world = World::new().await;
    let events: Vec<Value> = (0..40).map(|number| finding(number, |_| {})).collect();
    world.inspect(&events);
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.habits.page_size = 5;
        fleet.trouble = Some(Box::new(|number, _| match number % 5 {
            1 => Some(Trouble::Throttled(7)),
            2 => Some(Trouble::Error),
            3 => Some(Trouble::CutOff),
            _ => None,
        }));
    }
    let result = world.daily(FIRST, json!({})).await;
    assert_eq!(result["parts"]["listing"], json!({"listed": 40, "new": 40, "unread": 0}));
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_is_counted_ends_nothing_and_is_tried_again_the_same_day() {
    for trouble in
        [Trouble::Denied, Trouble::Error, Trouble::CutOff, Trouble::Empty, Trouble::TokenExpired]
    {
        let mut world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
        world.inspect(&[changed(1, |_| {}), changed(3, |_| {})]);
        world.emulator.inspector.fleet().trouble = Some(Box::new(move |_, _| Some(trouble)));
        let result = world.daily(NEXT_DAY, json!({})).await;
        assert_eq!(result["outcome"], "done", "{trouble:?}");
        assert_eq!(result["parts"]["listing"]["failed"], 1, "{trouble:?}: {result}");
        assert!(world.record(&arn(2)).await.is_open());
        world.emulator.inspector.fleet().trouble = None;
        let result = world.daily("2026-11-21T01:10:00Z", json!({})).await;
        assert_eq!(result["parts"]["listing"]["new"], 1, "{trouble:?}: {result}");
        assert!(result["parts"]["listing"].get("failed").is_none(), "{result}");
        assert_eq!(world.published(), []);
    }
}

#[tokio::test]
async fn a_round_is_one_a_day_and_another_goes_on_only_when_it_is_asked_for() {
    let world = after_the_first_round(&[finding(1, |_| {})]).await;
    let requests = || world.emulator.inspector.fleet().requests.len();
    let before = requests();
    world.daily("2026-11-20T01:10:00Z", json!({})).await;
    assert_eq!(requests(), before);
    world.daily("2026-11-20T02:10:00Z", json!({"now": true})).await;
    assert!(requests() > before);
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused_with_what_is_expected() {
    let world = World::new().await;
    let attempt = inspector_triage::app::Attempt::new("daily", FIRST.parse().unwrap());
    let review = world.review();
    let refused = lambda::handle_daily(&review, common::FLUSH.as_bytes(), attempt);
    let said = format!("{:?}", refused.await.unwrap_err());
    assert_eq!(
        said,
        "UnsupportedEvent: an event with detail-type \"Triage Flush\" from source \"inspector-triage\" is not known here; \
         expected detail-type \"Triage Daily\" or \"Triage Weekly\" from source \"inspector-triage\""
    );
}

/// What a round comes to: of each finding what people are told by, and how often they were told of it.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    findings: BTreeMap<String, (String, bool)>,
    history: BTreeMap<String, Vec<String>>,
    messages: Vec<String>,
}

/// The world before a round on the second day: one finding ended, one changed, one is new, two are as they were.
async fn before_the_second_day() -> World {
    let events: Vec<Value> = (0..5).map(|number| finding(number, |_| {})).collect();
    let world = after_the_first_round(&events).await;
    world.inspect(&[
        changed(0, |f| f["status"] = json!("CLOSED")),
        changed(1, |f| f["exploitAvailable"] = json!("YES")),
        finding(2, |_| {}),
        changed(3, |f| f["severity"] = json!("LOW")),
        changed(4, |_| {}),
        changed(5, |_| {}),
    ]);
    world.emulator.inspector.fleet().habits.page_size = 2;
    world
}

async fn outcome(world: &mut World) -> Outcome {
    world.flush("2026-11-21T09:00:00Z").await.unwrap();
    let messages = world.published().into_iter().filter_map(|message| message.subject).collect();
    let (mut findings, mut history) = (BTreeMap::new(), BTreeMap::new());
    for number in 0..6 {
        let record = world.record(&arn(number)).await;
        findings.insert(arn(number), (record.facts().key(), record.announced.is_some()));
        history.insert(arn(number), world.kinds(&arn(number)).await);
    }
    Outcome { findings, history, messages }
}

/// An event of `review` at a time in which `fault` befalls the request with this number that is no read. Returns whether there
/// was one.
pub async fn handle_with(
    world: &World,
    event: &Value,
    (fault, at): (Fault, usize),
    now: &str,
) -> bool {
    let sent = Arc::new(AtomicUsize::new(0));
    let fates = {
        let sent = sent.clone();
        move |request: Sent| {
            // To fail in a read, which changes nothing, is to fail before it.
            if request.call == Call::Read {
                return Fate::default();
            }
            let number = sent.fetch_add(1, Ordering::Relaxed);
            Fate { fault: (number == at).then_some(fault), ..Fate::default() }
        }
    };
    let network = Network::new(fates, |_| {});
    let name = format!("{fault:?} {at}");
    let review = network.review(&world.emulator, &name);
    let event = event.to_string();
    let attempt = Attempt::new(&name, now.parse().unwrap());
    let work = lambda::handle_daily(&review, event.as_bytes(), attempt);
    drop(network.until_killed(Box::pin(work)).await);
    sent.load(Ordering::Relaxed) > at
}

/// A full round at a time in which `fault` befalls the request with this number that is no read; then the events of the next hours.
/// Returns whether it befell any.
pub async fn round_with(world: &World, fault: Fault, at: usize, now: &str) -> bool {
    let event = json!({
        "source": "inspector-triage", "detail-type": "Triage Daily", "detail": {"now": true, "full": true}
    });
    let befell = handle_with(world, &event, (fault, at), now).await;
    let now: Timestamp = now.parse().unwrap();
    let mut last = Value::Null;
    for hours in [1, 2] {
        let now = (now + jiff::SignedDuration::from_hours(hours)).to_string();
        last = world.daily(&now, json!({})).await;
        if last["outcome"] == "done" {
            break;
        }
    }
    assert_eq!(last["outcome"], "done", "{last}");
    befell
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_killed_at_any_call_comes_to_the_same_in_the_end() {
    let first = before_the_second_day().await;
    let mut undisturbed = copy_of(&first).await;
    undisturbed.daily(NEXT_DAY, json!({"full": true})).await;
    let expected = outcome(&mut undisturbed).await;
    assert_eq!(expected.messages.len(), 1);
    // To be killed before a call is to be killed after the one before.
    for fault in [Fault::KilledAfter, Fault::DroppedAfter, Fault::Throttled] {
        for at in 0.. {
            let mut world = copy_of(&first).await;
            let befell = round_with(&world, fault, at, NEXT_DAY).await;
            assert_eq!(outcome(&mut world).await, expected, "{fault:?} at request {at}");
            if !befell {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_round_that_is_killed_at_any_call_tells_what_was_there_before_once() {
    let fault = Fault::KilledAfter;
    for at in 0.. {
        let mut world = World::new().await;
        let events: Vec<Value> = (0..5).map(|number| finding(number, |_| {})).collect();
        world.inspect(&events);
        world.emulator.inspector.fleet().habits.page_size = 2;
        let befell = round_with(&world, fault, at, NEXT_DAY).await;
        let told: Vec<_> =
            world.published().into_iter().filter_map(|message| message.subject).collect();
        // Killed after SNS has taken the message and before that is written down, it is said again.
        assert!((1..=2).contains(&told.len()), "{fault:?} at request {at}: {told:?}");
        assert!(told.iter().all(|subject| subject.contains("5 findings")), "{told:?}");
        for number in 0..5 {
            assert!(world.record(&arn(number)).await.announced.is_some());
        }
        if !befell {
            break;
        }
    }
}

#[tokio::test]
async fn each_day_has_figures_of_what_is_open_and_what_came_and_went() {
    let world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    let figures = async |before: &str| {
        let figures = world.triage.store.figures_before(day(before)).await.unwrap();
        serde_json::to_value(figures.unwrap()).unwrap()
    };
    let first = figures("2026-11-21").await;
    assert_eq!(first["since"], Value::Null);
    assert_eq!((&first["open"]["total"], &first["new"]), (&json!(2), &json!(0)), "{first}");

    world.inspect(&[
        changed(1, |f| f["status"] = json!("CLOSED")),
        finding(2, |_| {}),
        changed(3, |_| {}),
    ]);
    let result = world.daily(NEXT_DAY, json!({})).await;
    let counted = json!({"open": 2, "excepted": 0, "overdue": 0, "new": 1, "ended": 1});
    assert_eq!(result["parts"]["figures"], counted);
    let second = figures("2026-11-22").await;
    assert_eq!(second["since"], first["asOf"]);
    assert_eq!(second["ended"]["gone"], 1, "{second}");
    // Taken again, they are the same.
    world.daily("2026-11-21T05:10:00Z", json!({"now": true})).await;
    let again = figures("2026-11-22").await;
    assert_eq!((&again["new"], &again["ended"]), (&second["new"], &second["ended"]));
    // The next day begins where they end.
    let result = world.daily("2026-11-29T00:10:00Z", json!({})).await;
    let counted = json!({"open": 2, "excepted": 0, "overdue": 2, "new": 0, "ended": 0});
    assert_eq!(result["parts"]["figures"], counted);
}

/// Events, one every 20 minutes, of invocations that have a quarter of an hour each, in which every question to Inspector
/// takes two minutes; until the round is done. Returns what came of each.
async fn slow_rounds(world: &World) -> Vec<RoundResult> {
    let asked = || i64::try_from(world.emulator.inspector.fleet().requests.len()).unwrap();
    let mut results: Vec<RoundResult> = Vec::new();
    for number in 0..60 {
        let before = asked();
        let left = || jiff::SignedDuration::from_mins(15 - 2 * (asked() - before));
        let name = format!("daily {number}");
        let now =
            FIRST.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(20 * number);
        let attempt = Attempt { left: &left, ..Attempt::new(&name, now) };
        let result = Box::pin(world.review().daily(Ask::default(), attempt)).await.unwrap();
        let outcome = result.outcome;
        results.push(result);
        if outcome == RoundOutcome::Done {
            return results;
        }
    }
    panic!("it never ends: {results:#?}");
}

#[tokio::test]
async fn a_round_whose_time_runs_out_continues_with_the_next_event() {
    let mut world = World::new().await;
    // Ten of them were observed at the same time.
    let events: Vec<Value> = (0..60)
        .map(|number| {
            finding(number, |f| {
                let minute = if (20..30).contains(&number) { 20 } else { number };
                f["firstObservedAt"] = json!(format!("2026-11-18T10:{minute:02}:00.123Z"));
            })
        })
        .collect();
    world.inspect(&events);
    world.emulator.inspector.fleet().habits.page_size = 5;
    let results = slow_rounds(&world).await;
    let new = |result: &RoundResult| {
        result.parts.get(&Part::Listing).and_then(|counts| counts.get("new").copied())
    };
    let new: Vec<u64> = results.iter().filter_map(new).collect();
    assert!(new.windows(2).all(|two| two[0] < two[1] || two[1] == 60), "{new:?}");
    assert_eq!(new.last(), Some(&60));
    world.daily("2026-11-20T23:10:00Z", json!({})).await;
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn findings_out_of_order_and_without_a_date_do_not_keep_a_listing_from_getting_on() {
    let world = World::new().await;
    let events: Vec<Value> = (0..60)
        .map(|number| {
            finding(number, |f| match number {
                7 => f["firstObservedAt"] = json!("2031-01-01T00:00:00Z"),
                19 | 33 => drop(f.as_object_mut().unwrap().remove("firstObservedAt")),
                _ => {}
            })
        })
        .collect();
    world.inspect(&events);
    world.emulator.inspector.fleet().habits =
        Habits { page_size: 5, order: Order::Stray, ..Habits::default() };
    let results = slow_rounds(&world).await;
    assert!(results.len() < 12, "it gets on: {results:#?}");
    // What has no date passes no filter by date.
    assert_eq!(results.last().unwrap().parts[&Part::Listing]["new"], 58, "{results:#?}");
}

/// A resource in Inspector's coverage.
pub fn covered(account: &str, id: &str, scan: &str, status: &str, reason: &str) -> Value {
    json!({
        "accountId": account, "resourceId": id, "resourceType": "AWS_LAMBDA_FUNCTION", "scanType": scan,
        "scanStatus": {"statusCode": status, "reason": reason},
        "resourceMetadata": {"lambdaFunction": {"functionName": id, "functionTags": {"team": "shop"}}},
    })
}

async fn gaps(world: &World) -> Vec<(String, String, String)> {
    let gaps = world.triage.store.all_gaps().await.unwrap().into_iter();
    gaps.map(|gap| (gap.key(), gap.reason, gap.since.to_string())).collect()
}

#[tokio::test]
async fn what_is_not_looked_at_is_remembered_with_its_first_day() {
    let world = World::new().await;
    let own = "arn:aws:lambda:eu-central-1:111122223333:function:triage-1:$LATEST";
    let dead = "arn:aws:lambda:eu-central-1:111122223333:function:dead:$LATEST";
    let key = |scan: &str| format!("RESOURCE#{scan}#{dead}");
    world.emulator.inspector.fleet().habits.page_size = 1;
    let inspect = |covered: Vec<Value>| world.emulator.inspector.fleet().coverage = covered;
    let expired = covered("111122223333", dead, "PACKAGE", "INACTIVE", "SCAN_ELIGIBILITY_EXPIRED");
    let unsupported = covered("111122223333", dead, "CODE", "INACTIVE", "UNSUPPORTED_RUNTIME");
    inspect(vec![
        expired.clone(),
        unsupported.clone(),
        covered("111122223333", own, "PACKAGE", "ACTIVE", "SUCCESSFUL"),
        covered("111122223333", own, "CODE", "INACTIVE", "UNSUPPORTED_RUNTIME"),
    ]);
    let result = world.daily(FIRST, json!({})).await;
    let coverage = json!({"accounts": 1, "unobserved": 2, "unread": 0});
    assert_eq!(result["parts"]["coverage"], coverage, "our own function's code is no gap");
    let first = "2026-11-20T00:10:00Z".to_owned();
    let code = (key("CODE"), "UNSUPPORTED_RUNTIME".to_owned(), first.clone());
    let package = (key("PACKAGE"), "SCAN_ELIGIBILITY_EXPIRED".to_owned(), first.clone());
    assert_eq!(gaps(&world).await, [code.clone(), package]);

    inspect(vec![
        covered("111122223333", dead, "PACKAGE", "INACTIVE", "EXCLUDED_BY_TAG"),
        unsupported,
    ]);
    world.daily(NEXT_DAY, json!({})).await;
    let excluded = (key("PACKAGE"), "EXCLUDED_BY_TAG".to_owned(), first);
    assert_eq!(
        gaps(&world).await,
        [code, excluded],
        "there since the first day, whatever the reason"
    );

    inspect(vec![]);
    world.daily("2026-11-22T00:10:00Z", json!({})).await;
    assert_eq!(gaps(&world).await, []);
}

#[tokio::test]
async fn what_is_off_is_a_gap_in_every_account_that_this_one_administers() {
    let world = World::new().await;
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.administrator = Some("111122223333".to_owned());
        fleet.accounts[0].off = vec!["lambdaCode", "codeRepository"];
        for (id, relationship, status) in [
            ("222233334444", "ENABLED", "ENABLED"),
            ("333344445555", "ENABLED", "DISABLED"),
            ("444455556666", "ACCOUNT_SUSPENDED", "SUSPENDED"),
            ("555566667777", "REMOVED", "ENABLED"),
        ] {
            let account = Account::new(id);
            fleet.accounts.push(Account { relationship, status, ..account });
        }
        fleet.habits.page_size = 2;
    }
    let result = world.daily(FIRST, json!({})).await;
    assert_eq!(result["parts"]["enabled"], json!({"accounts": 4, "off": 3}), "{result}");
    let gaps = world.triage.store.all_gaps().await.unwrap();
    let gaps: Vec<_> = gaps
        .iter()
        .map(|gap| (gap.account.as_str(), gap.scan.as_str(), gap.reason.as_str()))
        .collect();
    let expected = [
        ("111122223333", "LAMBDA_CODE", "DISABLED"),
        ("333344445555", "", "DISABLED"),
        ("444455556666", "", "ACCOUNT_SUSPENDED"),
    ];
    assert_eq!(gaps, expected);
    let accounts = world.triage.store.accounts().await.unwrap().unwrap();
    let accounts: Vec<String> = accounts.into_iter().map(|one| one.account).collect();
    assert_eq!(accounts, ["111122223333", "222233334444"], "where something is scanned");

    let gone = covered("222233334444", "i-1", "PACKAGE", "INACTIVE", "UNMANAGED_EC2_INSTANCE");
    world.emulator.inspector.fleet().coverage = vec![gone];
    world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(world.triage.store.resource_gaps("222233334444").await.unwrap().len(), 1);
    world.emulator.inspector.fleet().accounts.remove(1);
    world.daily("2026-11-22T00:10:00Z", json!({})).await;
    assert_eq!(world.triage.store.resource_gaps("222233334444").await.unwrap(), [], "it has left");
}

#[tokio::test]
async fn a_listing_of_coverage_that_breaks_off_forgets_no_gap() {
    let world = World::new().await;
    let gone = covered("111122223333", "i-1", "PACKAGE", "INACTIVE", "UNMANAGED_EC2_INSTANCE");
    world.emulator.inspector.fleet().coverage = vec![gone];
    world.daily(FIRST, json!({})).await;
    let before = gaps(&world).await;
    assert_eq!(before.len(), 1);
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.coverage = vec![
            json!({"accountId": "111122223333", "scanStatus": {"statusCode": "INACTIVE", "reason": "X"}}),
        ];
    }
    let result = world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(result["parts"]["coverage"]["unread"], 1, "{result}");
    assert_eq!(gaps(&world).await, before);
    world.emulator.inspector.fleet().trouble =
        Some(Box::new(|_, request| (request.path == "/coverage/list").then_some(Trouble::Denied)));
    let result = world.daily("2026-11-22T00:10:00Z", json!({})).await;
    let coverage = json!({"denied": 1, "failed": 1});
    assert_eq!(result["parts"]["coverage"], coverage, "no account was answered for");
    assert_eq!(result["parts"]["listing"].get("failed"), None, "the other parts go on");
    assert_eq!(gaps(&world).await, before);
}

/// A world that administers these accounts beside its own.
pub async fn administrator_of(accounts: &[&str]) -> World {
    let world = World::new().await;
    let mut fleet = world.emulator.inspector.fleet();
    fleet.administrator = Some("111122223333".to_owned());
    fleet.accounts.extend(accounts.iter().map(|id| Account::new(id)));
    drop(fleet);
    world
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_answered_for_keeps_its_gaps_and_holds_up_no_other() {
    for (trouble, expected) in [
        (Trouble::Denied, json!({"accounts": 2, "denied": 1, "unobserved": 2, "unread": 0})),
        (
            Trouble::Error,
            json!({"accounts": 2, "unanswered": 1, "unobserved": 2, "unread": 0, "failed": 1}),
        ),
    ] {
        let world = administrator_of(&["222233334444", "333344445555"]).await;
        let accounts = ["111122223333", "222233334444", "333344445555"];
        world.emulator.inspector.fleet().coverage = accounts
            .map(|account| covered(account, account, "PACKAGE", "INACTIVE", "UNSUPPORTED_OS"))
            .to_vec();
        world.daily(FIRST, json!({})).await;
        assert_eq!(gaps(&world).await.len(), 3);
        let before = gaps(&world).await;
        world.emulator.inspector.fleet().trouble = Some(Box::new(move |_, request| {
            let is_second =
                request.body.contains("222233334444") && request.path == "/coverage/list";
            is_second.then_some(trouble)
        }));
        let result = world.daily(NEXT_DAY, json!({})).await;
        assert_eq!(result["parts"]["coverage"], expected, "{trouble:?}");
        assert_eq!(gaps(&world).await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn coverage_waits_until_it_is_known_which_accounts_there_are() {
    let world = World::new().await;
    world.emulator.inspector.fleet().trouble = Some(Box::new(|_, request| {
        (request.path == "/status/batch/get").then_some(Trouble::Error)
    }));
    let result = world.daily(FIRST, json!({})).await;
    assert_eq!(result["parts"]["enabled"], json!({"failed": 1}));
    assert_eq!(result["parts"]["coverage"], json!({"failed": 1}));
}

#[tokio::test]
async fn an_account_that_inspector_cannot_tell_of_is_as_it_was() {
    let world = administrator_of(&["222233334444"]).await;
    world.emulator.inspector.fleet().accounts[1].off = vec!["ecr"];
    world.emulator.inspector.fleet().coverage =
        vec![covered("222233334444", "i-1", "PACKAGE", "INACTIVE", "UNMANAGED_EC2_INSTANCE")];
    world.daily(FIRST, json!({})).await;
    let before = gaps(&world).await;
    assert_eq!(before.len(), 2);
    let accounts = async || {
        let accounts = world.triage.store.accounts().await.unwrap().unwrap();
        accounts.into_iter().map(|one| one.account).collect::<Vec<_>>()
    };
    let all = accounts().await;
    for unknown in ["INTERNAL_ERROR", "ENABLING"] {
        world.emulator.inspector.fleet().accounts[1].status = unknown;
        let (result, switched_off) = switched_off(&world, NEXT_DAY).await;
        assert_eq!(switched_off, [""; 0], "{unknown}");
        assert_eq!(result.parts[&Part::Coverage]["accounts"], 2);
        assert_eq!(gaps(&world).await, before, "{unknown}");
        assert_eq!(accounts().await, all);
    }
}

#[tokio::test]
async fn members_that_may_not_be_asked_for_are_taken_to_be_as_before() {
    let world = administrator_of(&["222233334444"]).await;
    world.emulator.inspector.fleet().coverage =
        vec![covered("222233334444", "i-1", "PACKAGE", "INACTIVE", "UNMANAGED_EC2_INSTANCE")];
    world.daily(FIRST, json!({})).await;
    let before = gaps(&world).await;
    for path in ["/delegatedadminaccounts/get", "/members/list"] {
        world.emulator.inspector.fleet().trouble =
            Some(Box::new(move |_, request| (request.path == path).then_some(Trouble::Denied)));
        let result = world.daily("2026-11-21T00:10:00Z", json!({"now": true})).await;
        assert_eq!(result["parts"]["enabled"], json!({"accounts": 1, "off": 0, "denied": 1}));
        assert_eq!(result["parts"]["coverage"]["accounts"], 2, "{result}");
        assert_eq!(gaps(&world).await, before);
    }
}

#[tokio::test]
async fn an_account_with_more_gaps_than_one_invocation_reads_is_known_in_part_and_holds_up_no_other()
 {
    let world = administrator_of(&["222233334444"]).await;
    {
        let mut fleet = world.emulator.inspector.fleet();
        let many = (0..40).map(|n| ("111122223333", format!("i-{n:02}")));
        let all = many.chain([("222233334444", "i-99".to_owned())]);
        fleet.coverage = all
            .map(|(account, id)| covered(account, &id, "PACKAGE", "INACTIVE", "UNSUPPORTED_OS"))
            .collect();
        fleet.habits.page_size = 4;
    }
    let result = slow_rounds(&world).await.pop().unwrap();
    let coverage = &result.parts[&Part::Coverage];
    assert_eq!((coverage["partly"], coverage["accounts"]), (1, 1), "{coverage:?}");
    assert_eq!(world.triage.store.resource_gaps("222233334444").await.unwrap().len(), 1);
    assert_eq!(
        world.triage.store.resource_gaps("111122223333").await.unwrap().len(),
        32,
        "what was seen is written"
    );
}

/// A round, and what it found switched off.
async fn switched_off(world: &World, now: &str) -> (RoundResult, Vec<String>) {
    let seen = Mutex::new(Vec::new());
    let observe = |observation| {
        if let Observation::SwitchedOff { scan, .. } = observation {
            seen.lock().unwrap().push(scan);
        }
    };
    let attempt = Attempt { observe: &observe, ..Attempt::new(now, now.parse().unwrap()) };
    let ask = Ask { now: true, ..Ask::default() };
    let result = Box::pin(world.review().daily(ask, attempt)).await.unwrap();
    (result, seen.into_inner().unwrap())
}

#[tokio::test]
async fn what_is_switched_off_is_news_once_and_what_was_off_before_is_none() {
    let world = World::new().await;
    world.emulator.inspector.fleet().accounts[0].off = vec!["ecr"];
    let switched_off = async |now: &str| switched_off(&world, now).await.1;
    assert_eq!(switched_off(FIRST).await, [""; 0], "it was off when we came");
    world.emulator.inspector.fleet().accounts[0].off = vec!["ecr", "ec2"];
    assert_eq!(switched_off(NEXT_DAY).await, ["EC2"]);
    assert_eq!(switched_off("2026-11-22T00:10:00Z").await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_a_pace_inspector_is_waited_for_where_it_asks_for_that_alone() {
    let world = World::new().await;
    let twenty = async |inspector: Inspector2| {
        let begun = tokio::time::Instant::now();
        for _ in 0..20 {
            inspector.enabled(&[], TimeLimit::none()).await.unwrap();
        }
        begun.elapsed().as_secs()
    };
    let config = || world.emulator.inspector2();
    assert_eq!(twenty(Inspector2::new(config(), 2.0)).await, 9);
    assert_eq!(twenty(Inspector2::unpaced(config())).await, 0);
    let first = world.emulator.inspector.fleet().requests.len();
    world.emulator.inspector.fleet().trouble =
        Some(Box::new(move |number, _| (number == first + 3).then_some(Trouble::Throttled(7))));
    assert_eq!(twenty(Inspector2::unpaced(config())).await, 7);
}
