//! The daily round, against a stand-in for Inspector that is as strict and as odd as the real one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use inspector_triage::{
    app::{Attempt, Gaps, Observation, review::RoundOutcome},
    domain::{record::Audience, round::Ask},
    emulator::inspector::{Account, Habits, Trouble},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{
    self, World, arn, event_of,
    network::{Fate, Fault, Network},
};

const FIRST: &str = "2026-11-20T00:10:00Z";
const NEXT_DAY: &str = "2026-11-21T00:10:00Z";

/// An event about a finding with a number, as of a time on the day before the first round.
fn finding(number: usize, change: impl FnOnce(&mut Value)) -> Value {
    let minute = number % 60;
    event_of(&arn(number), "Thu Nov 19 10:00:00.000 UTC 2026", |f| {
        f["firstObservedAt"] = json!(format!("2026-11-18T10:{minute:02}:00.123Z"));
        f["packageVulnerabilityDetails"]["vulnerabilityId"] =
            json!(format!("CVE-2026-{number:05}"));
        change(f);
    })
}

/// The same finding, changed on the next day.
fn changed(number: usize, change: impl FnOnce(&mut Value)) -> Value {
    finding(number, |f| {
        f["updatedAt"] = json!("2026-11-20T18:00:00.000Z");
        change(f);
    })
}

/// A world in which the first round is over.
async fn after_the_first_round(events: &[Value]) -> World {
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
    let topic = inspector_triage::emulator::topic(Audience::Email);
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
        Habits { page_size: 9, disorder: true, ..Habits::default() },
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
    let refused =
        inspector_triage::lambda::handle_daily(&review, common::FLUSH.as_bytes(), attempt);
    let said = format!("{:?}", refused.await.unwrap_err());
    assert_eq!(
        said,
        "UnsupportedEvent: an event with detail-type \"Triage Flush\" from source \"inspector-triage\" is not known here; \
         expected detail-type \"Triage Daily\" from source \"inspector-triage\""
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

/// A round on the second day in which `fault` befalls the request with this number; then the events of the next hours.
/// Returns whether it befell any.
async fn round_with(world: &World, fault: Fault, at: usize) -> bool {
    let sent = Arc::new(AtomicUsize::new(0));
    let fates = {
        let sent = sent.clone();
        move |_| {
            let number = sent.fetch_add(1, Ordering::Relaxed);
            Fate { fault: (number == at).then_some(fault), ..Fate::default() }
        }
    };
    let network = Network::new(fates, |_| {});
    let now: Timestamp = NEXT_DAY.parse().unwrap();
    let name = format!("daily {fault:?} {at}");
    let review = network.review(&world.emulator, &name);
    let ask = Ask { full: true, ..Ask::default() };
    let work = review.daily(ask, Attempt::new(&name, now));
    drop(network.until_killed(Box::pin(work)).await);
    let mut last = Value::Null;
    for now in ["2026-11-21T01:10:00Z", "2026-11-21T02:10:00Z"] {
        last = world.daily(now, json!({})).await;
    }
    assert_eq!(last["outcome"], "done", "{last}");
    sent.load(Ordering::Relaxed) > at
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_killed_at_any_call_comes_to_the_same_in_the_end() {
    let mut undisturbed = before_the_second_day().await;
    undisturbed.daily(NEXT_DAY, json!({"full": true})).await;
    let expected = outcome(&mut undisturbed).await;
    assert_eq!(expected.messages.len(), 1);
    for fault in [Fault::KilledBefore, Fault::KilledAfter, Fault::DroppedAfter, Fault::Throttled] {
        for at in 0.. {
            let mut world = before_the_second_day().await;
            let befell = round_with(&world, fault, at).await;
            assert_eq!(outcome(&mut world).await, expected, "{fault:?} at request {at}");
            if !befell {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_round_that_is_killed_at_any_call_tells_what_was_there_before_once() {
    for fault in [Fault::KilledBefore, Fault::KilledAfter] {
        for at in 0.. {
            let mut world = World::new().await;
            let events: Vec<Value> = (0..5).map(|number| finding(number, |_| {})).collect();
            world.inspect(&events);
            world.emulator.inspector.fleet().habits.page_size = 2;
            let befell = round_with(&world, fault, at).await;
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
}

#[tokio::test(start_paused = true)]
async fn a_round_whose_time_runs_out_continues_with_the_next_event() {
    let mut world = World::new().await;
    let events: Vec<Value> = (0..60).map(|number| finding(number, |_| {})).collect();
    world.inspect(&events);
    world.emulator.inspector.fleet().habits.page_size = 5;
    let mut seen = 0;
    for number in 0.. {
        // Time for three pages and what they take.
        let left = AtomicUsize::new(3);
        let left = || {
            let rest = left.fetch_sub(1, Ordering::Relaxed);
            jiff::SignedDuration::from_secs(if rest > 0 { 60 } else { 10 })
        };
        let name = format!("daily {number}");
        let now = FIRST.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(5 * number);
        let attempt = Attempt { left: &left, ..Attempt::new(&name, now) };
        let result = Box::pin(world.review().daily(Ask::default(), attempt)).await.unwrap();
        let listed = result.parts[&inspector_triage::domain::round::Part::Listing]["new"];
        assert!(listed > seen || result.outcome == RoundOutcome::Done, "{result:?}");
        seen = listed;
        if result.outcome == RoundOutcome::Done {
            break;
        }
        assert!(number < 60);
    }
    assert_eq!(seen, 60);
    world.daily("2026-11-20T23:10:00Z", json!({})).await;
    assert_eq!(world.published().len(), 1);
}

/// A resource in Inspector's coverage.
fn covered(account: &str, id: &str, scan: &str, status: &str, reason: &str) -> Value {
    json!({
        "accountId": account, "resourceId": id, "resourceType": "AWS_LAMBDA_FUNCTION", "scanType": scan,
        "scanStatus": {"statusCode": status, "reason": reason},
        "resourceMetadata": {"lambdaFunction": {"functionName": id, "functionTags": {"team": "shop"}}},
    })
}

async fn gaps(world: &World) -> Vec<(String, String, String)> {
    let gaps = world.triage.store.gaps(None).await.unwrap().into_iter();
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
    let gaps = world.triage.store.gaps(None).await.unwrap();
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
    let accounts = world.triage.store.accounts().await.unwrap();
    assert_eq!(accounts, ["111122223333", "222233334444"], "where something is scanned");

    let gone = covered("222233334444", "i-1", "PACKAGE", "INACTIVE", "UNMANAGED_EC2_INSTANCE");
    world.emulator.inspector.fleet().coverage = vec![gone];
    world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(world.triage.store.gaps(Some("222233334444")).await.unwrap().len(), 1);
    world.emulator.inspector.fleet().accounts.remove(1);
    world.daily("2026-11-22T00:10:00Z", json!({})).await;
    assert_eq!(world.triage.store.gaps(Some("222233334444")).await.unwrap(), [], "it has left");
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
        Some(Box::new(|_, path| (path == "/coverage/list").then_some(Trouble::Denied)));
    let result = world.daily("2026-11-22T00:10:00Z", json!({})).await;
    assert_eq!(result["parts"]["coverage"]["denied"], 1, "{result}");
    assert_eq!(result["parts"]["listing"].get("failed"), None, "the other parts go on");
    assert_eq!(gaps(&world).await, before);
}

#[tokio::test]
async fn what_is_switched_off_is_news_once_and_what_was_off_before_is_none() {
    let world = World::new().await;
    world.emulator.inspector.fleet().accounts[0].off = vec!["ecr"];
    let switched_off = async |now: &str| {
        let seen = Mutex::new(Vec::new());
        let observe = |observation| {
            if let Observation::SwitchedOff { scan, .. } = observation {
                seen.lock().unwrap().push(scan);
            }
        };
        let attempt = Attempt { observe: &observe, ..Attempt::new(now, now.parse().unwrap()) };
        Box::pin(world.review().daily(Ask::default(), attempt)).await.unwrap();
        seen.into_inner().unwrap()
    };
    assert_eq!(switched_off(FIRST).await, [""; 0], "it was off when we came");
    world.emulator.inspector.fleet().accounts[0].off = vec!["ecr", "ec2"];
    assert_eq!(switched_off(NEXT_DAY).await, ["EC2"]);
    assert_eq!(switched_off("2026-11-22T00:10:00Z").await, [""; 0]);
}
