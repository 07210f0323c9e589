//! The ledger: read from a file, put in force, and obeyed.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use inspector_triage::{
    adapters::{
        dynamodb::DynamoDb,
        sns::{Sns, Topics},
    },
    app::{Attempt, Exceptions, LedgerHead, Observation, Outcome, PutInForce, TimeLimit},
    cli,
    domain::ledger::{Exception, InForce, Ledger, Policy, VulnerabilityId, WhyEnded},
    domain::record::How,
    domain::round::Ask,
    emulator::{self, inspector::Trouble},
    ledger::{self, Problem},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    common::{
        self, World, arn,
        network::{Call, Fate, Fault, Network},
    },
    reviewing::{FIRST, NEXT_DAY, after_the_first_round, changed, finding},
    threats::listed,
};

/// An exception for all findings of the package of the tests, after `change`.
pub fn exception(id: &str, change: impl FnOnce(&mut Value)) -> Exception {
    let mut json = json!({
        "id": id, "packages": ["libexample"], "decision": "accept",
        "reason": "The vendor updates it in January.", "owner": "crm-team", "ticket": "SEC-1310",
        "createdAt": "2026-11-01", "expiresAt": "2027-01-29",
        "acceptedPriority": "P1", "endsIf": ["exploit", "known_exploited", "priority_raised"],
    });
    change(&mut json);
    serde_json::from_value(json).unwrap()
}

/// Puts a ledger of these exceptions in force.
pub async fn put(world: &World, exceptions: &[Exception], now: &str) {
    put_into(&world.triage.store, exceptions, now).await;
}

/// The same, into a store.
pub async fn put_into(store: &DynamoDb, exceptions: &[Exception], now: &str) {
    let ledger = Ledger { exceptions: exceptions.to_vec(), ..Ledger::default() };
    assert_eq!(try_to_put(store, &ledger, now).await, Ok(PutInForce::Done));
}

async fn try_to_put(store: &DynamoDb, ledger: &Ledger, now: &str) -> Result<PutInForce, String> {
    let said = |failed| format!("{failed:?}");
    let before = store.ledger_head().await.map_err(said)?;
    let ids: Vec<&str> = ledger.exceptions.iter().map(|one| one.id.as_str()).collect();
    let head = LedgerHead {
        digest: ids.join("+"),
        commit: None,
        applied_by: None,
        applied_at: now.parse().unwrap(),
        exceptions: ledger.exceptions.len(),
        never: ledger.policy.never.clone(),
        retired: before.iter().map(|before| before.digest.clone()).collect(),
    };
    store.put_in_force(ledger, &head, before.as_ref(), TimeLimit::none()).await.map_err(said)
}

/// A function that has just started.
struct Fresh<'a>(&'a World);

fn fresh(world: &World) -> Fresh<'_> {
    Fresh(world)
}

impl Fresh<'_> {
    /// Handles an event, and gives what became of it, why, and the calls that took.
    async fn handle(&self, event: &Value, now: &str) -> (Outcome, String, Vec<Call>) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = calls.clone();
        let fates = move |sent: common::network::Sent| {
            seen.lock().unwrap().push(sent.call);
            Fate::default()
        };
        let network = Network::new(fates, |_| {});
        let triage = network.triage(&self.0.emulator, now);
        let attempt = Attempt::new(now, now.parse().unwrap());
        let event = event.to_string();
        let work = inspector_triage::lambda::handle(&triage, event.as_bytes(), attempt);
        let inspector_triage::lambda::Response::Finding(result) = Box::pin(work).await.unwrap()
        else {
            panic!("a finding")
        };
        let calls = calls.lock().unwrap().clone();
        let calls = calls.into_iter().filter(|call| *call != Call::Listeners).collect();
        (result.outcome, result.reason, calls)
    }
}

const NOON: &str = "2026-11-20T12:00:00Z";

#[tokio::test]
async fn what_an_exception_covers_is_recorded_and_told_to_nobody() {
    let mut world = World::new().await;
    put(&world, &[exception("vendor-image", |_| {})], "2026-11-20T09:00:00Z").await;
    let (outcome, reason, _) = fresh(&world).handle(&finding(1, |_| {}), NOON).await;
    assert_eq!(outcome, Outcome::Excepted);
    assert_eq!(reason, "exception vendor-image covers it until 2027-01-29 (crm-team)");
    assert_eq!(world.published(), []);
    assert_eq!(world.pending(10).await, []);
    let record = world.record(&arn(1)).await;
    assert_eq!(record.exception().unwrap().id, "vendor-image");
    assert_eq!(record.act_by(), Some("2027-01-30T00:00:00Z".parse().unwrap()));
    assert_eq!(world.kinds(&arn(1)).await, ["CURRENT", "HISTORY opened", "NOTED excepted"]);

    let again = changed(1, |_| {});
    let (outcome, _, calls) = fresh(&world).handle(&again, "2026-11-21T12:00:00Z").await;
    assert_eq!((outcome, &calls[..]), (Outcome::Excepted, &[Call::Refresh][..]));
    assert_eq!(world.flush("2026-11-21T12:05:00Z").await.unwrap().findings, 0);
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn what_waits_for_a_summary_is_excepted_all_the_same() {
    let mut world = World::new().await;
    world.triage.config.notify = false;
    world.handle(&finding(1, |_| {}), NOON).await.unwrap();
    world.triage.config.notify = true;
    put(&world, &[exception("vendor-image", |_| {})], "2026-11-20T12:01:00Z").await;
    let flushed = world.flush("2026-11-20T12:05:00Z").await.unwrap();
    assert_eq!((flushed.findings, flushed.messages), (0, 0));
    assert_eq!(world.record(&arn(1)).await.exception().unwrap().id, "vendor-image");
    assert_eq!(world.published(), []);
    assert_eq!(world.pending(10).await, []);
}

#[tokio::test]
async fn a_ledger_costs_a_call_where_something_is_told_and_none_where_there_is_none() {
    use Call::{Mark, Permit, Publish, Read, Refresh, Write};
    let world = World::new().await;
    let (_, _, calls) = fresh(&world).handle(&finding(1, |_| {}), NOON).await;
    assert_eq!(calls, [Refresh, Write, Permit, Publish, Mark]);

    put(&world, &[exception("other", |e| e["packages"] = json!(["another"]))], NOON).await;
    world.handle(&finding(2, |_| {}), "2026-11-20T12:01:00Z").await.unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = calls.clone();
    let network = Network::new(
        move |sent| {
            seen.lock().unwrap().push(sent.call);
            Fate::default()
        },
        |_| {},
    );
    let triage = network.triage(&world.emulator, "warm");
    for (number, minute) in [(3, 2), (4, 3)] {
        calls.lock().unwrap().clear();
        let now: Timestamp = format!("2026-11-20T12:0{minute}:00Z").parse().unwrap();
        let event = finding(number, |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(format!("CVE-1-{number}"));
        });
        let event = event.to_string();
        let attempt = Attempt::new("warm", now);
        let work = inspector_triage::lambda::handle(&triage, event.as_bytes(), attempt);
        Box::pin(work).await.unwrap();
    }
    let mut calls = calls.lock().unwrap().clone();
    calls.retain(|call| *call != Call::Listeners);
    assert_eq!(
        calls,
        [Refresh, Write, Read, Permit, Publish, Mark],
        "one more, once that is known"
    );
}

#[tokio::test]
async fn a_cover_ends_with_the_facts_it_was_made_for_and_people_hear_why() {
    type Change = fn(&mut Value);
    let exploit: Change = |f| f["exploitAvailable"] = json!("YES");
    let urgent: Change = |f| f["epss"] = json!({"score": 0.9});
    let fixed: Change = |f| f["fixAvailable"] = json!("YES");
    for (change, why, said) in [
        (exploit, WhyEnded::Exploit, "an exploit is known"),
        (urgent, WhyEnded::PriorityRaised, "at most P3 was accepted"),
        (fixed, WhyEnded::FixAvailable, "there is a fix"),
    ] {
        let mut world = World::new().await;
        let unfixed = |f: &mut Value| {
            f["fixAvailable"] = json!("NO");
            f["packageVulnerabilityDetails"]["vulnerablePackages"][0]["fixedInVersion"] =
                json!("NotAvailable");
            f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
        };
        let terms = |e: &mut Value| {
            e["acceptedPriority"] = json!("P3");
            e["untilFixed"] = json!(true);
        };
        put(&world, &[exception("vendor-image", terms)], "2026-11-20T09:00:00Z").await;
        let (outcome, reason, _) = fresh(&world).handle(&finding(1, unfixed), NOON).await;
        assert_eq!(outcome, Outcome::Excepted, "{why:?}: {reason}");
        let changed = changed(1, |f| {
            unfixed(f);
            change(f);
        });
        let now = "2026-11-21T12:00:00Z";
        fresh(&world).handle(&changed, now).await;
        let record = world.record(&arn(1)).await;
        let end = record.excepted.as_ref().unwrap().ended.unwrap();
        assert_eq!((end.why, end.at), (why, now.parse().unwrap()));
        // Nobody had to act before.
        assert!(record.due_at.unwrap() >= record.by_event.due_at.unwrap());
        world.flush("2026-11-21T12:05:00Z").await.unwrap();
        let published = world.published();
        let [message] = &published[..] else { panic!("{why:?}: {published:#?}") };
        let text = message.message.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains(&format!("The exception vendor-image covers it no more: {said}.")),
            "{text}"
        );
        assert!(
            text.contains("until 2027-01-29 by crm-team (SEC-1310): The vendor updates"),
            "{text}"
        );
        // Told, it is told no more.
        world.flush("2026-11-21T12:10:00Z").await.unwrap();
        assert_eq!(world.published(), []);
    }
}

#[tokio::test]
async fn what_was_told_and_is_then_covered_is_quiet_until_the_ledger_has_it_no_more() {
    let mut world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    put(&world, &[exception("vendor-image", |_| {})], "2026-11-20T09:00:00Z").await;
    // The hour's event finds that another ledger is in force.
    let result = world.daily("2026-11-20T09:10:00Z", json!({})).await;
    assert_eq!(result["parts"]["ledger"], json!({"changed": 2, "excepted": 2}), "{result}");
    world.flush("2026-11-20T09:15:00Z").await.unwrap();
    let published = world.published();
    let [data] = &published[..] else { panic!("programs alone: {published:#?}") };
    let data: Value = serde_json::from_str(&data.message).unwrap();
    assert!(crate::wording::SCHEMA.is_valid(&data), "{data:#}");
    assert_eq!(
        (&data["kind"], &data["findings"][0]["end"]["how"]),
        (&json!("ended"), &json!("excepted"))
    );
    assert_eq!(data["findings"][0]["exception"]["id"], "vendor-image");
    let result = world.daily("2026-11-20T10:10:00Z", json!({})).await;
    assert_eq!(
        result["parts"]["ledger"],
        json!({"changed": 2, "excepted": 2}),
        "it was not done again"
    );
    world.flush("2026-11-20T10:15:00Z").await.unwrap();
    assert_eq!(world.published(), []);

    put(&world, &[], "2026-11-20T11:00:00Z").await;
    world.daily("2026-11-20T11:10:00Z", json!({})).await;
    let record = world.record(&arn(1)).await;
    assert_eq!(record.excepted.as_ref().unwrap().ended.unwrap().why, WhyEnded::Withdrawn);
    world.flush("2026-11-20T12:30:00Z").await.unwrap();
    let published = world.published();
    let people: Vec<_> = published.iter().filter(|one| one.topic == emulator::TOPIC).collect();
    let [message] = &people[..] else { panic!("one summary: {people:#?}") };
    let text = message.message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("taken out of the ledger"), "{text}");
    let data = published.iter().find(|one| one.topic == emulator::DATA_TOPIC).unwrap();
    let data: Value = serde_json::from_str(&data.message).unwrap();
    assert!(crate::wording::SCHEMA.is_valid(&data), "{data:#}");
    assert_eq!(data["findings"][0]["exception"]["endedBecause"], "withdrawn");
    assert_eq!(data["findings"][0]["reason"], "exception-ended");
}

#[tokio::test]
async fn what_comes_back_is_judged_by_the_ledger_of_that_time() {
    let mut world = World::new().await;
    put(&world, &[exception("vendor-image", |_| {})], "2026-11-20T09:00:00Z").await;
    fresh(&world).handle(&finding(1, |_| {}), NOON).await;
    let closed = changed(1, |f| f["status"] = json!("CLOSED"));
    fresh(&world).handle(&closed, "2026-11-20T18:00:00Z").await;
    put(&world, &[], "2026-11-20T19:00:00Z").await;
    let back = finding(1, |f| f["updatedAt"] = json!("2026-11-21T10:00:00.000Z"));
    let (outcome, _, _) = fresh(&world).handle(&back, "2026-11-21T10:00:05Z").await;
    assert_eq!(outcome, Outcome::Announced);
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn what_a_suppression_rule_hides_is_excepted_while_the_ledger_says_why_and_told_when_it_does_not()
 {
    let mut world = after_the_first_round(&[finding(1, |_| {})]).await;
    let hidden = changed(1, |f| f["status"] = json!("SUPPRESSED"));
    world.inspect(std::slice::from_ref(&hidden));
    world.daily(NEXT_DAY, json!({})).await;
    let record = world.record(&arn(1)).await;
    assert!(!record.is_open(), "nobody says why");
    assert_eq!(record.end.unwrap().how, How::Suppressed);

    let until = exception("vendor-image", |e| e["expiresAt"] = json!("2026-11-21"));
    put(&world, &[until], "2026-11-21T09:00:00Z").await;
    let result = world.daily("2026-11-21T09:10:00Z", json!({})).await;
    assert_eq!(result["parts"]["ledger"], json!({"changed": 1, "excepted": 1}), "{result}");
    let record = world.record(&arn(1)).await;
    assert_eq!(record.exception().unwrap().id, "vendor-image");
    assert_eq!((record.is_open(), record.end, record.opening), (true, None, 1));
    let (outcome, _, calls) = fresh(&world).handle(&hidden, "2026-11-21T12:00:00Z").await;
    assert_eq!((outcome, &calls[..]), (Outcome::Excepted, &[Call::Refresh][..]));

    // The rule outlives its reason.
    world.daily("2026-11-22T00:10:00Z", json!({})).await;
    let record = world.record(&arn(1)).await;
    assert_eq!(record.excepted.as_ref().unwrap().ended.unwrap().why, WhyEnded::Expired);
    assert!(record.is_open() && record.due_at > Some("2026-11-22T00:10:00Z".parse().unwrap()));
    world.flush("2026-11-22T02:30:00Z").await.unwrap();
    let published = world.published();
    let [message] = &published[..] else { panic!("one message: {published:#?}") };
    let text = message.message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("it ended with 2026-11-21"), "{text}");
    assert!(text.contains("A suppression rule of Inspector still hides it"), "{text}");
    assert!(world.record(&arn(1)).await.is_open(), "until it is closed, or the ledger says why");

    let closed = finding(1, |f| {
        f["updatedAt"] = json!("2026-11-22T18:00:00.000Z");
        f["status"] = json!("CLOSED");
    });
    let (outcome, _, _) = fresh(&world).handle(&closed, "2026-11-22T18:00:05Z").await;
    assert_eq!(outcome, Outcome::Closed);
    // Hidden again after that, it is hidden as anything else that no exception explains.
    let hidden = finding(1, |f| {
        f["updatedAt"] = json!("2026-11-23T18:00:00.000Z");
        f["status"] = json!("SUPPRESSED");
    });
    let (outcome, _, _) = fresh(&world).handle(&hidden, "2026-11-23T18:00:05Z").await;
    assert_eq!(outcome, Outcome::Closed);
    assert!(!world.record(&arn(1)).await.is_open());
}

#[tokio::test]
async fn a_rule_that_hides_what_an_exception_covers_leaves_it_excepted() {
    let mut world = World::new().await;
    put(&world, &[exception("vendor-image", |_| {})], "2026-11-20T09:00:00Z").await;
    let hidden = |number, change: fn(&mut Value)| {
        changed(number, |f| {
            f["status"] = json!("SUPPRESSED");
            change(f);
        })
    };
    // Covered before, or never heard of: by an event, or in a listing.
    fresh(&world).handle(&finding(1, |_| {}), NOON).await;
    for number in [1, 2] {
        let (outcome, reason, _) =
            fresh(&world).handle(&hidden(number, |_| {}), "2026-11-20T18:00:05Z").await;
        assert_eq!((outcome, number), (Outcome::Excepted, number), "{reason}");
    }
    let other = |f: &mut Value| {
        f["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"] = json!("other");
    };
    world.inspect(&[hidden(1, |_| {}), hidden(2, |_| {}), hidden(3, |_| {}), hidden(4, other)]);
    let result = world.daily(NEXT_DAY, json!({"full": true})).await;
    assert_eq!(result["parts"]["figures"]["excepted"], 3, "{result}");
    for number in [1, 2, 3] {
        let record = world.record(&arn(number)).await;
        assert_eq!(record.exception().unwrap().id, "vendor-image", "{number}");
    }
    assert!(!world.record(&arn(4)).await.is_open(), "no exception says why");
    assert_eq!(world.published(), []);

    // What the rule hides no more stays as it was, and so does its cover.
    let back = finding(2, |f| f["updatedAt"] = json!("2026-11-21T10:00:00.000Z"));
    let (outcome, _, _) = fresh(&world).handle(&back, "2026-11-21T10:00:05Z").await;
    assert_eq!(outcome, Outcome::Excepted);
    // A finding that is gone is gone, hidden or not.
    world.inspect(&[]);
    for day in ["2026-11-22T00:10:00Z", "2026-11-23T00:10:00Z"] {
        let all = json!({"full": true, "believeAbsence": true});
        world.daily(day, all).await;
    }
    assert!(!world.record(&arn(1)).await.is_open());
}

#[tokio::test]
async fn a_cover_ends_in_the_hour_although_inspector_does_not_answer() {
    let world = after_the_first_round(&[finding(1, |_| {})]).await;
    put(&world, &[exception("vendor-image", |_| {})], "2026-11-20T09:00:00Z").await;
    world.daily("2026-11-20T09:10:00Z", json!({})).await;
    put(&world, &[], "2026-11-20T23:30:00Z").await;
    world.emulator.inspector.fleet().trouble = Some(Box::new(|_, _| Some(Trouble::Denied)));
    world.daily(NEXT_DAY, json!({})).await;
    let ended = world.record(&arn(1)).await.excepted.unwrap().ended.unwrap();
    assert_eq!(ended.why, WhyEnded::Withdrawn);
}

#[tokio::test]
async fn a_changed_exception_leaves_its_beginning_in_the_history() {
    let world = after_the_first_round(&[finding(1, |_| {})]).await;
    put(&world, &[exception("vendor-image", |_| {})], "2026-11-20T09:00:00Z").await;
    world.daily("2026-11-20T09:10:00Z", json!({})).await;
    let longer = exception("vendor-image", |e| e["expiresAt"] = json!("2027-02-28"));
    let ledger = Ledger {
        exceptions: vec![longer, exception("other", |e| e["packages"] = json!(["x"]))],
        ..Ledger::default()
    };
    try_to_put(&world.triage.store, &ledger, "2026-11-20T10:00:00Z").await.unwrap();
    world.daily("2026-11-20T10:10:00Z", json!({})).await;
    let record = world.record(&arn(1)).await;
    assert_eq!(record.act_by(), Some("2027-03-01T00:00:00Z".parse().unwrap()));
    let kinds = world.kinds(&arn(1)).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "NOTED excepted").count(), 2, "{kinds:?}");
}

#[tokio::test]
async fn the_first_message_leaves_out_what_is_excepted() {
    let mut world = World::new().await;
    let covers = exception("vendor-image", |e| e["vulnerabilities"] = json!(["CVE-2026-00002"]));
    put(&world, &[covers], "2026-11-19T23:00:00Z").await;
    world.inspect(&[finding(1, |_| {}), finding(2, |_| {}), finding(3, |_| {})]);
    world.daily(FIRST, json!({})).await;
    let published = world.published();
    let [message] = &published[..] else { panic!("{published:#?}") };
    assert!(message.message.contains("had 2 open findings here"), "{}", message.message);
    assert!(!message.message.contains("CVE-2026-00002"), "{}", message.message);
    let record = world.record(&arn(2)).await;
    assert!(record.untold_since(Timestamp::UNIX_EPOCH, None).is_none(), "nor is it told again");
}

#[tokio::test]
async fn a_cover_ends_with_its_last_day_and_when_cisa_lists_the_vulnerability() {
    let world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    let short = exception("short", |e| {
        e["expiresAt"] = json!("2026-11-20");
        e["vulnerabilities"] = json!(["CVE-2026-00001"]);
    });
    let long = exception("long", |e| e["vulnerabilities"] = json!(["CVE-2026-00002"]));
    put(&world, &[short, long], "2026-11-20T09:00:00Z").await;
    world.daily("2026-11-20T23:50:00Z", json!({})).await;
    assert_eq!(
        world.record(&arn(1)).await.exception().unwrap().id,
        "short",
        "to the end of the day"
    );
    world.emulator.inspector.fleet().threats = vec![listed(2)];
    let result = world.daily(NEXT_DAY, json!({})).await;
    let why = async |number| world.record(&arn(number)).await.excepted.unwrap().ended.unwrap().why;
    assert_eq!(
        (why(1).await, why(2).await),
        (WhyEnded::Expired, WhyEnded::KnownExploited),
        "{result}"
    );
    assert_eq!(world.pending(10).await.len(), 2);
}

#[tokio::test]
async fn a_ledger_that_was_to_be_reviewed_stays_in_force_and_rings() {
    let world = after_the_first_round(&[finding(1, |_| {})]).await;
    let due = exception("vendor-image", |e| e["reviewAt"] = json!("2026-11-20"));
    put(&world, &[due], "2026-11-20T09:00:00Z").await;
    let rung = Mutex::new(0);
    let observe = |observation| {
        if let Observation::ReviewDue { by } = observation {
            assert_eq!(by.to_string(), "2026-11-20");
            *rung.lock().unwrap() += 1;
        }
    };
    let review = world.review();
    for (now, expected) in [("2026-11-20T23:50:00Z", false), (NEXT_DAY, true)] {
        let attempt = Attempt { observe: &observe, ..Attempt::new(now, now.parse().unwrap()) };
        Box::pin(review.daily(Ask::default(), attempt)).await.unwrap();
        assert_eq!(*rung.lock().unwrap() > 0, expected, "{now}");
    }
    assert!(world.record(&arn(1)).await.exception().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_death_in_the_middle_of_apply_leaves_one_ledger_or_the_other() {
    let old = [exception("old", |e| e["vulnerabilities"] = json!(["CVE-2026-00001"]))];
    let mut many: Vec<Exception> = (0..120)
        .map(|n| {
            exception(&format!("new-{n}"), |e| {
                e["vulnerabilities"] = json!([format!("CVE-2026-{n:05}")]);
            })
        })
        .collect();
    many.push(exception("new-all", |_| {}));
    let new = Ledger { exceptions: many, ..Ledger::default() };
    let mut seen = BTreeSet::new();
    for at in 0.. {
        let world = World::new().await;
        put(&world, &old, "2026-11-20T08:00:00Z").await;
        let befell = Arc::new(Mutex::new(false));
        let fates = {
            let befell = befell.clone();
            let count = Mutex::new(0);
            move |_| {
                let mut count = count.lock().unwrap();
                *count += 1;
                if *count <= at {
                    return Fate::default();
                }
                *befell.lock().unwrap() = true;
                Fate { fault: Some(Fault::ErrorBefore), ..Fate::default() }
            }
        };
        let network = Network::new(fates, |_| {});
        let store = network.triage(&world.emulator, "apply").store;
        let put = try_to_put(&store, &new, "2026-11-20T09:00:00Z").await;
        let head = world.triage.store.ledger_head().await.unwrap().unwrap();
        let ledger: InForce = world.triage.store.ledger(&head).await.unwrap();
        let has = (ledger.by_vulnerability.len(), ledger.others.len());
        let expected = if head.digest == "old" { (1, 0) } else { (120, 1) };
        assert_eq!(has, expected, "after {at} calls: {put:?}");
        seen.insert(head.digest.clone());
        // Once more, and it is in force.
        try_to_put(&world.triage.store, &new, "2026-11-20T10:00:00Z").await.unwrap();
        let head = world.triage.store.ledger_head().await.unwrap().unwrap();
        assert!(head.digest != "old" && head.retired.is_empty(), "{head:?}");
        if !*befell.lock().unwrap() {
            break;
        }
        assert!(put.is_err());
    }
    assert_eq!(seen.len(), 2, "it died on both sides of the change");
}

#[tokio::test(start_paused = true)]
async fn a_death_in_the_middle_of_a_covers_end_loses_nothing_and_tells_it_once() {
    let start = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    put(&start, &[exception("vendor-image", |_| {})], "2026-11-20T09:00:00Z").await;
    start.daily("2026-11-20T09:10:00Z", json!({})).await;
    put(&start, &[], "2026-11-20T10:00:00Z").await;
    for at in 0.. {
        let mut world = crate::stored::copy_of(&start).await;
        let befell =
            crate::reviewing::round_with(&world, Fault::KilledAfter, at, "2026-11-20T10:10:00Z")
                .await;
        world.daily("2026-11-20T10:20:00Z", json!({})).await;
        world.flush("2026-11-20T12:30:00Z").await.unwrap();
        let published = world.published();
        let [message] = &published[..] else { panic!("at {at}: {published:#?}") };
        assert!(message.message.contains("2 findings"), "{}", message.message);
        for number in [1, 2] {
            let kinds = world.kinds(&arn(number)).await;
            let ended = kinds.iter().filter(|kind| *kind == "NOTED exception-ended").count();
            assert_eq!(ended, 1, "at {at}: {kinds:?}");
        }
        if !befell {
            break;
        }
    }
}

// The file.

fn problems(yaml: &str) -> Vec<String> {
    match ledger::read(yaml.as_bytes()) {
        Ok(source) => {
            let now = NOON.parse().unwrap();
            let checked = ledger::check(&source, &source.policy, now);
            let all = checked.problems.into_iter().chain(checked.ended);
            all.map(|problem: Problem| problem.to_string()).collect()
        }
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

const SOUND: &str = "\
version: 1
policy:
  max_days: { P1: 14, P3: 100 }
  never: [CVE-2021-44228]
  approvers: [ciso]
exceptions:
  - id: vendor-image
    vulnerabilities: [CVE-2026-10001]
    decision: accept
    reason: The vendor updates it in January.
    owner: crm-team
    approved_by: ciso
    created_at: 2026-11-01
    expires_at: 2027-01-29
";

/// What stands in place of something in the sound ledger, and what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    ("    expires_at: 2027-01-29\n", "", "7:5: exceptions[0]: expires_at is missing"),
    (
        "2027-01-29",
        "2027-02-30",
        "14:17: exceptions[0].expires_at: 2027-02-30 is no day; expected one such as 2027-01-29",
    ),
    (
        "2027-01-29",
        "2026-10-29",
        "14:17: exceptions[0].expires_at: 2026-10-29 is before created_at, 2026-11-01",
    ),
    (
        "2027-01-29",
        "2027-01-29T10:00:00Z",
        "14:17: exceptions[0].expires_at: 2027-01-29T10:00:00Z is no day; expected one such as 2027-01-29",
    ),
    (
        "2027-01-29",
        "2027-03-29",
        "14:17: exceptions[0] (vendor-image): 148 days from created_at; at most 100 are allowed where P3 is accepted",
    ),
    (
        "2027-01-29",
        "2026-11-19",
        "14:17: exceptions[0] (vendor-image): ended with 2026-11-19; remove it, or decide anew",
    ),
    (
        "    vulnerabilities: [CVE-2026-10001]\n",
        "",
        "7:5: exceptions[0]: selects nothing; expected one of vulnerabilities, packages and resources at least",
    ),
    (
        "vulnerabilities: [CVE-2026-10001]",
        "vulnerabilities: []",
        "8:22: exceptions[0].vulnerabilities: an empty list selects nothing; leave the key out",
    ),
    (
        "vulnerabilities: [CVE-2026-10001]",
        "resources: {names: ['*']}",
        "8:25: exceptions[0].resources.names: * selects everything",
    ),
    (
        "vulnerabilities: [CVE-2026-10001]",
        "resources: {arns: ['arn:aws:*']}",
        "8:24: exceptions[0].resources.arns: arn:aws:* selects everything",
    ),
    (
        "CVE-2026-10001",
        "cve-2021-44228",
        "8:23: exceptions[0] (vendor-image): no exception may cover CVE-2021-44228: policy.never",
    ),
    (
        "    expires_at: 2027-01-29\n",
        "    expires_at: 2027-01-29\n    ends_if: []\n",
        "14:17: exceptions[0] (vendor-image): 89 days from created_at; at most 14 are allowed where P1 is accepted",
    ),
    (
        "decision: accept",
        "decision: ignore",
        "9:15: exceptions[0].decision: ignore is none of accept, defer, not_affected, false_positive",
    ),
    (
        "decision: accept",
        "decision: not_affected",
        "7:5: exceptions[0]: not_affected needs a justification, one of component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, inline_mitigations_already_exist",
    ),
    (
        "approved_by: ciso",
        "approved_by: crm-team",
        "12:18: exceptions[0].approved_by: crm-team is the owner, who cannot approve it",
    ),
    (
        "approved_by: ciso",
        "approved_by: somebody",
        "12:18: exceptions[0] (vendor-image): somebody may not approve; expected one of ciso",
    ),
    (
        "    approved_by: ciso\n",
        "",
        "7:5: exceptions[0] (vendor-image): approved_by is missing; expected one of ciso",
    ),
    (
        "version: 1",
        "version: 2",
        "1:10: version: 2 is the version of a later program; this one reads version 1",
    ),
    ("version: 1\n", "", "1:1: version is missing"),
    ("  - id:", "\t- id:", "7:2: no YAML: tabs disallowed within this context (block indentation)"),
    (
        "    owner: crm-team\n",
        "    owner: crm-team\n    owner: x\n",
        "12:5: the key owner stands here twice",
    ),
    (
        "expires_at",
        "ignoreUntil",
        "14:5: exceptions[0]: there is no key ignoreUntil; did you mean expires_at?",
    ),
    ("reason", "statement", "10:5: exceptions[0]: there is no key statement; did you mean reason?"),
];

#[test]
fn what_is_wrong_with_a_ledger_is_said_with_its_place_and_what_is_allowed() {
    assert_eq!(problems(SOUND), [""; 0]);
    for (from, to, expected) in WRONG {
        let yaml = SOUND.replacen(from, to, 1);
        let found = problems(&yaml);
        assert!(found.iter().any(|problem| problem == expected), "{to}: {found:#?}");
    }
    let twice = format!("{SOUND}{}", SOUND.split_once("exceptions:\n").unwrap().1);
    assert_eq!(
        problems(&twice),
        [
            "15:5: exceptions[1]: there is another exception with the id vendor-image at exceptions[0]"
        ]
    );
}

#[test]
fn a_file_that_nobody_could_review_is_refused_at_once() {
    let large = format!("{SOUND}# {}", "x".repeat(5_000_000));
    assert!(problems(&large)[0].starts_with("1:1: 5000"), "{:?}", problems(&large));
    let not_utf8 = ledger::read(b"version: 1\nexceptions:\n  - id: \xff\n").unwrap_err();
    assert_eq!(not_utf8[0].to_string(), "3:9: not UTF-8: save the file as UTF-8");
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in "bcdefghijklmnop".chars().zip("abcdefghijklmno".chars()) {
        writeln!(bomb, "{name}: &{name} [*{before}, *{before}, *{before}, *{before}]").unwrap();
    }
    bomb += "version: 1\nexceptions: *p\n";
    assert!(!problems(&bomb).is_empty());
    assert!(problems(&"[".repeat(100_000))[0].contains("no YAML"));
}

#[test]
fn aliases_and_anchors_of_yaml_are_read() {
    let yaml = SOUND
        .replace("owner: crm-team", "owner: &team crm-team")
        .replace("    expires_at", "    ticket: *team\n    expires_at");
    let source = ledger::read(yaml.as_bytes()).unwrap();
    assert_eq!(source.exceptions[0].exception.ticket.as_deref(), Some("crm-team"));
}

#[test]
fn the_command_checks_a_file_and_says_what_has_ended() {
    let folder = common::scratch("ledger-check");
    let file = folder.join("ledger.yaml");
    std::fs::write(&file, SOUND).unwrap();
    let run = |now: &str, more: &[&str]| {
        let mut output = Vec::new();
        let file = file.to_str().unwrap();
        let arguments =
            [&["inspector-triage", "ledger", "check", file, "--now", now], more].concat();
        let verdict = cli::run_on(arguments, || unreachable!(), &b""[..], &mut output).unwrap();
        (verdict, String::from_utf8(output).unwrap())
    };
    let (verdict, said) = run("2027-01-29T23:59:59Z", &[]);
    assert_eq!(verdict, cli::Verdict::Done, "{said}");
    assert!(said.contains("note: exceptions[0] (vendor-image): ends with today"), "{said}");
    let (verdict, said) = run("2027-01-30T00:00:00Z", &[]);
    assert_eq!(verdict, cli::Verdict::FoundWrong);
    assert!(said.ends_with("sound: 1 exception and 0 exclusions; 1 of them has ended\n"), "{said}");

    // The policy of the branch it is to be merged into judges.
    let base = folder.join("base.yaml");
    std::fs::write(&base, "version: 1\npolicy: { never: [CVE-2026-10001] }\n").unwrap();
    let (verdict, said) = run(NOON, &["--base", base.to_str().unwrap()]);
    assert_eq!(verdict, cli::Verdict::FoundWrong);
    assert!(said.contains("no exception may cover CVE-2026-10001"), "{said}");

    let missing = ["inspector-triage", "ledger", "check", "there-is-none.yaml"];
    let error = cli::run_on(missing, || FIRST.parse().unwrap(), &b""[..], &mut Vec::new());
    assert!(error.unwrap_err().to_string().contains("cannot read there-is-none.yaml"));
}

#[test]
fn no_exception_covers_what_the_policy_never_allows() {
    let ledger = Ledger {
        policy: Policy { never: vec![VulnerabilityId::new("CVE-2026-10001")], ..Policy::default() },
        exceptions: vec![exception("by-package", |_| {})],
        exclusions: vec![],
    };
    let event = common::event("2026-11-20T10:00:00Z", |_| {});
    let finding = common::read(&event);
    let situation = inspector_triage::domain::ledger::Situation {
        finding: &finding,
        priority: inspector_triage::domain::assess::Priority::P4,
        known_exploited: false,
        seen_exploited: false,
    };
    let cover = ledger.cover(&situation, NOON.parse().unwrap());
    let inspector_triage::domain::ledger::Cover::None(others) = cover else { panic!("{cover:?}") };
    assert_eq!(others[0].why, WhyEnded::Never);
}
