//! Somebody listens, or it is not told.

use crate::common::{
    self, World, event_of,
    network::{Call, Fate, Network},
};
use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::{Attempt, FlushOutcome, Outcome},
    domain::announce::Budget,
    emulator::{self, topic::Published},
    lambda,
};
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T12:00:00Z";
const FLUSHED: &str = "2026-11-20T12:05:00Z";
const LATER: &str = "2026-11-20T12:10:00Z";

/// An event about a problem of its own.
fn found(number: usize) -> Value {
    event_of(&common::arn(number), "2026-11-20T10:00:00Z", |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(format!("CVE-2026-{number}"));
    })
}

fn email_and_data() -> Topics {
    Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() }
}

/// A world with an audience more, in which nobody reads e-mail.
async fn nobody_reads_email() -> World {
    let mut world = World::new().await;
    world.triage.publisher = Sns::new(world.emulator.sns(), email_and_data());
    world.emulator.listen(emulator::TOPIC, false);
    world
}

/// How many messages went to each of the two.
fn counts(published: &[Published]) -> [usize; 2] {
    [emulator::TOPIC, emulator::DATA_TOPIC]
        .map(|topic| published.iter().filter(|message| message.topic == topic).count())
}

#[tokio::test]
async fn what_comes_before_anybody_listens_is_told_by_the_first_flush_after() {
    let mut world = World::new().await;
    world.emulator.listen(emulator::TOPIC, false);
    for number in 0..10 {
        let report = world.handle(&found(number), NOW).await.unwrap();
        assert_eq!(report.outcome, Outcome::Pending);
        assert!(report.reason.contains("nobody listens"), "{}", report.reason);
    }
    let flushed = world.flush(FLUSHED).await.unwrap();
    assert_eq!((flushed.outcome, flushed.messages), (FlushOutcome::Flushed, 0));
    assert_eq!(world.published(), []);

    world.emulator.listen(emulator::TOPIC, true);
    let flushed = world.flush(LATER).await.unwrap();

    assert_eq!((flushed.findings, flushed.messages), (10, 1));
    assert_eq!(world.published().len(), 1);
    // No token was spent meanwhile.
    for number in 10..14 {
        let report = world.handle(&found(number), LATER).await.unwrap();
        assert_eq!(report.outcome, Outcome::Announced);
    }
}

#[tokio::test]
async fn the_others_are_told_as_always_and_nobody_twice() {
    let mut world = nobody_reads_email().await;
    for number in 0..3 {
        assert_eq!(world.handle(&found(number), NOW).await.unwrap().outcome, Outcome::Announced);
    }
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for number in 3..6 {
        assert_eq!(world.handle(&found(number), NOW).await.unwrap().outcome, Outcome::Pending);
    }
    assert_eq!(counts(&world.published()), [0, 3]);
    let again = world.handle(&found(0), NOW).await.unwrap();
    assert_eq!(again.outcome, Outcome::Pending);

    assert_eq!(world.flush(FLUSHED).await.unwrap().findings, 3);
    assert_eq!(counts(&world.published()), [0, 1]);
    // What waits for e-mail alone is in nobody's way, and still waits.
    let flushed = world.flush("2026-11-20T12:07:00Z").await.unwrap();
    assert_eq!((flushed.outcome, flushed.findings), (FlushOutcome::Flushed, 0));
    assert_eq!(world.pending(10).await.len(), 6);

    world.emulator.listen(emulator::TOPIC, true);
    assert_eq!(world.flush(LATER).await.unwrap().findings, 6);
    assert_eq!(counts(&world.published()), [1, 0]);
    assert_eq!(world.pending(10).await, []);
    let again = world.handle(&found(0), LATER).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn an_e_mail_topic_that_is_meant_to_have_no_listener_is_left_out_and_told_once_it_has_one() {
    let mut world = nobody_reads_email().await;
    world.triage.config.email_required = false;
    assert_eq!(world.handle(&found(0), NOW).await.unwrap().outcome, Outcome::Announced);
    assert_eq!(world.handle(&found(0), NOW).await.unwrap().outcome, Outcome::Unchanged);
    assert_eq!(world.pending(10).await, []);
    assert_eq!(counts(&world.published()), [0, 1]);

    // A flush finds out, and the invocation after it is told so by the table.
    world.emulator.listen(emulator::TOPIC, true);
    world.flush(FLUSHED).await.unwrap();
    assert_eq!(world.handle(&found(1), FLUSHED).await.unwrap().outcome, Outcome::Announced);
    assert_eq!(counts(&world.published()), [1, 1]);

    // Where nobody listens at all, there is nobody to leave it to.
    world.emulator.listen(emulator::TOPIC, false);
    world.emulator.listen(emulator::DATA_TOPIC, false);
    world.flush(LATER).await.unwrap();
    assert_eq!(world.handle(&found(2), LATER).await.unwrap().outcome, Outcome::Pending);
    assert_eq!(counts(&world.published()), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_a_flush_finds_out_stops_other_functions_and_what_they_find_out_themselves_too() {
    let mut world = World::new().await;
    let other = Network::new(|_| Fate::default(), |_| {}).triage(&world.emulator, "other");
    let handle = async |number: usize, now: &str| {
        let (event, name) = (found(number).to_string(), format!("{number}@{now}"));
        let attempt = Attempt::new(&name, now.parse().unwrap());
        match lambda::handle(&other, event.as_bytes(), attempt).await.unwrap() {
            lambda::Response::Finding(report) => report.outcome,
            lambda::Response::Flush(flushed) => panic!("{flushed:?}"),
        }
    };
    assert_eq!(handle(0, NOW).await, Outcome::Announced);
    world.published();

    // The one that reads e-mail unsubscribes. The other function does not ask again, but is told.
    world.emulator.listen(emulator::TOPIC, false);
    world.flush("2026-11-20T12:00:10Z").await.unwrap();
    assert_eq!(handle(1, "2026-11-20T12:00:20Z").await, Outcome::Pending);
    assert_eq!(world.published(), []);

    // Then somebody subscribes. After a minute it asks.
    world.emulator.listen(emulator::TOPIC, true);
    assert_eq!(handle(2, "2026-11-20T12:00:40Z").await, Outcome::Pending);
    assert_eq!(handle(3, "2026-11-20T12:01:30Z").await, Outcome::Announced);
    assert_eq!(world.published().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn doubt_silences_nobody() {
    let mut world = World::new().await;
    let fates = |sent: common::network::Sent| Fate {
        fault: (sent.call == Call::Listeners).then_some(common::network::Fault::ErrorBefore),
        ..Fate::default()
    };
    let triage = Network::new(fates, |_| {}).triage(&world.emulator, "in doubt");
    let attempt = Attempt::new("in doubt", NOW.parse().unwrap());
    lambda::handle(&triage, found(0).to_string().as_bytes(), attempt).await.unwrap();
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn where_e_mail_is_optional_and_all_there_is_what_nobody_hears_still_waits() {
    let mut world = World::new().await;
    world.triage.config.email_required = false;
    world.emulator.listen(emulator::TOPIC, false);
    assert_eq!(world.handle(&found(0), NOW).await.unwrap().outcome, Outcome::Pending);
    let flushed = world.flush(FLUSHED).await.unwrap();
    assert_eq!((flushed.outcome, flushed.findings), (FlushOutcome::Flushed, 0));
    assert_eq!(world.pending(10).await.len(), 1);

    world.emulator.listen(emulator::TOPIC, true);
    assert_eq!(world.flush(LATER).await.unwrap().findings, 1);
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn what_is_owed_to_an_audience_alone_is_not_sent_before_it_was_asked_whether_it_listens() {
    let mut world = World::new().await;
    world.triage.publisher = Sns::new(world.emulator.sns(), email_and_data());
    // This one believes that both listen.
    let other = world.triage.clone();
    let event = found(9).to_string();
    let attempt = Attempt::new("before", NOW.parse().unwrap());
    lambda::handle(&other, event.as_bytes(), attempt).await.unwrap();
    world.published();

    let fresh = common::triage(world.emulator.dynamodb(), world.emulator.sns());
    world.triage = inspector_triage::app::Triage::new(
        fresh.store,
        Sns::new(world.emulator.sns(), email_and_data()),
        fresh.config,
    );
    world.emulator.listen(emulator::DATA_TOPIC, false);
    assert_eq!(world.handle(&found(0), NOW).await.unwrap().outcome, Outcome::Announced);
    assert_eq!(counts(&world.published()), [1, 0]);

    let event = found(0).to_string();
    let attempt = Attempt::new("after", FLUSHED.parse().unwrap());
    lambda::handle(&other, event.as_bytes(), attempt).await.unwrap();
    assert_eq!(counts(&world.published()), [0, 0]);
    world.emulator.listen(emulator::DATA_TOPIC, true);
    assert_eq!(world.flush(LATER).await.unwrap().findings, 1);
    assert_eq!(counts(&world.published()), [0, 1]);
}
