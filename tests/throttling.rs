//! A table that takes less than it is given: what can be told is told once, and what cannot waits for the next flush.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::common::{
    self, World, event_of,
    network::{Call, Fate, Fault, Network, Sent},
};
use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::{Attempt, FlushOutcome, FlushResult, Outcome},
    domain::announce::Budget,
    emulator,
    lambda::{self, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

/// How long Lambda lets the function run.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request and its answer are on their way, each.
const WAY: Duration = Duration::from_millis(20);

fn topics() -> Topics {
    Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() }
}

/// A world in which so many findings wait, of so many problems.
async fn waiting(findings: usize, problems: usize) -> World {
    let mut world = World::new().await;
    world.triage.publisher = Sns::new(world.emulator.sns(), topics());
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for number in 0..findings {
        let event = event_of(&common::arn(number), "2026-11-20T10:00:00Z", |f| {
            let id = format!("CVE-2026-{}", number % problems);
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id);
        });
        let report = world.handle(&event, "2026-11-20T12:00:00Z").await.unwrap();
        assert_eq!(report.outcome, Outcome::Pending);
    }
    world.published();
    world
}

/// Flushes every five minutes, each time over a network that throttles what `throttles` says, until nothing waits; gives
/// what came of each. A flush that runs into its time-out is killed.
async fn flush_all(
    world: &World,
    fates: impl FnMut(Sent) -> Fate + Clone + Send + 'static,
) -> Vec<Option<FlushResult>> {
    let mut results = Vec::new();
    for number in 1..100 {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let now = now + SignedDuration::from_mins(5 * number);
        let name = format!("flush {number}");
        let triage =
            Network::new(fates.clone(), |_| {}).triage_for(&world.emulator, &name, topics());
        let began = Instant::now();
        let left = move || {
            let left = TIMEOUT.as_secs_f64() - began.elapsed().as_secs_f64();
            SignedDuration::try_from_secs_f64(left).unwrap()
        };
        let attempt = Attempt { left: &left, ..Attempt::new(&name, now) };
        let work = Box::pin(lambda::handle(&triage, common::FLUSH.as_bytes(), attempt));
        let flushed = match tokio::time::timeout(TIMEOUT, work).await {
            Ok(Ok(Response::Flush(flushed))) => Some(flushed),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        results.push(flushed);
        if flushed.is_some_and(|flushed| flushed.outcome == FlushOutcome::NothingPending) {
            return results;
        }
    }
    panic!("something still waits: {results:?}");
}

/// Whether one of a hundred is among the first so many, in an order that looks like chance and is the same each time.
fn by_chance(state: &Mutex<u32>, percent: u32) -> bool {
    let mut state = state.lock().unwrap();
    // A linear congruential generator, with the numbers of Numerical Recipes.
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 16) % 100 < percent
}

#[tokio::test(start_paused = true)]
async fn however_much_of_a_summary_is_throttled_each_finding_is_told_once() {
    const FINDINGS: usize = 1_500;
    for (percent, fault) in
        [(20, Fault::PartThrottled), (40, Fault::Throttled), (67, Fault::PartThrottled)]
    {
        let mut world = waiting(FINDINGS, 40).await;
        let chance = Arc::new(Mutex::new(percent));
        let fates = move |sent: Sent| {
            let is_big = [Call::LeaseAll, Call::Mark, Call::RememberAnnounced];
            let hit = is_big.contains(&sent.call) && by_chance(&chance, percent);
            Fate { there: WAY, fault: hit.then_some(fault), back: WAY }
        };

        let flushed = flush_all(&world, fates).await;

        let what = format!("{percent} % {fault:?}: {flushed:?}");
        let counts = common::told(&world.published());
        assert_eq!(counts.len(), FINDINGS, "{what}");
        assert!(counts.values().all(|count| *count == 1), "{what}");
        let failed = |flushed: &FlushResult| flushed.outcome == FlushOutcome::Failed;
        assert!(!flushed.iter().flatten().any(failed) && flushed.len() <= 5, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_table_is_slow_a_flush_tells_what_it_has_time_to_mark_and_the_next_one_the_rest()
{
    const FINDINGS: usize = 2_000;
    let mut world = waiting(FINDINGS, 40).await;
    let slow = |sent: Sent| {
        let slow = [Call::LeaseAll, Call::Mark].contains(&sent.call);
        let way = if slow { Duration::from_millis(950) } else { WAY };
        Fate { there: way, fault: None, back: way }
    };

    let flushed = flush_all(&world, slow).await;

    assert!(flushed.len() > 2, "it takes more than one: {flushed:?}");
    assert!(flushed.iter().all(Option::is_some), "none is killed: {flushed:?}");
    let counts = common::told(&world.published());
    assert_eq!(counts.len(), FINDINGS);
    assert!(counts.values().all(|count| *count == 1), "{flushed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_throttled_leaves_the_finding_to_the_next_summary() {
    for fault in [Fault::Throttled, Fault::PartThrottled] {
        let mut world = World::new().await;
        let fates = move |sent: Sent| Fate {
            fault: (sent.call == Call::Permit).then_some(fault),
            ..Fate::default()
        };
        let triage = Network::new(fates, |_| {}).triage(&world.emulator, "busy");
        let event = common::event("2026-11-20T10:00:00Z", |_| {}).to_string();
        let attempt = Attempt::new("busy", "2026-11-20T12:00:00Z".parse().unwrap());
        let answer = lambda::handle(&triage, event.as_bytes(), attempt).await.unwrap();
        let Response::Finding(report) = answer else { panic!("{answer:?}") };
        assert_eq!(report.outcome, Outcome::Pending);
        assert_eq!(world.published(), []);
        assert_eq!(world.flush("2026-11-20T12:05:00Z").await.unwrap().findings, 1);
        assert_eq!(world.published().len(), 1);
    }
}
