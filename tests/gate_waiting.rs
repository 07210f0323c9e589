//! What the gate waits for, by a clock that runs as fast as the work.

use std::time::Duration;

use aws_sdk_ecr::types::ScanStatus;
use aws_sdk_inspector2::types::ScanStatusReason;
use inspector_triage::{
    adapters::{ecr::Ecr, inspector2::Inspector2},
    app::{
        Clock,
        gate::{Asking, Found, Unknown, Waiting},
    },
    domain::gate::CannotTell,
    emulator::{
        inspector::{self, Habits, Request},
        registry,
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    common::World,
    gate::{NOW, REPOSITORY, finding, stage},
};

/// A clock that was at [`NOW`] when it was made.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let now: Timestamp = NOW.parse().unwrap();
        now + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }

    async fn pause(&self, pause: Duration) {
        sleep(pause).await;
    }
}

/// What is found in the image, if one waits for so many minutes, and for how many seconds that took.
async fn found(world: &World, minutes: i64) -> (Result<Found, CannotTell>, u64) {
    let (inspector, registry) =
        (Inspector2::unpaced(world.emulator.inspector2()), Ecr::new(world.emulator.ecr()));
    let clock = TestClock(Instant::now());
    let waiting = Waiting::new(&clock, SignedDuration::from_mins(minutes), &|_| ());
    let asking = Asking { inspector: &inspector, registry: &registry, waiting: &waiting };
    let found =
        asking.image(&"crm/web:1.4".parse().unwrap()).await.map_err(|unknown| match unknown {
            Unknown::CannotTell(why) => why,
            Unknown::Call { failed, service } => CannotTell::Failed {
                why: inspector_triage::app::failure::chain(failed.as_ref()),
                todo: service.to_owned(),
            },
        });
    (found, clock.0.elapsed().as_secs())
}

/// Has Inspector do something at its request with this number for a path, counted from 0.
fn at(
    world: &World,
    path: &'static str,
    change: impl Fn(usize) -> Option<inspector::Trouble> + Send + 'static,
) {
    let mut count = 0;
    world.emulator.inspector.fleet().trouble = Some(Box::new(move |_, request: Request<'_>| {
        if request.path != path {
            return None;
        }
        count += 1;
        change(count - 1)
    }));
}

/// Seconds since 1970 of a moment so many seconds before [`NOW`].
fn ago(seconds: i64) -> i64 {
    let now: Timestamp = NOW.parse().unwrap();
    now.as_second() - seconds
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_old_enough_is_listed_once_and_not_waited_for() {
    let world = stage(|image| vec![finding(1, image, |_| {})]).await;
    let (found, seconds) = found(&world, 0).await;
    assert_eq!((found.unwrap().findings.len(), seconds), (1, 0));
    let requests = world.emulator.inspector.fleet().requests.clone();
    assert_eq!(requests, ["/coverage/list", "/findings/list"]);
}

#[tokio::test(start_paused = true)]
async fn findings_of_a_young_scan_are_listed_until_they_stand_still() {
    let world = stage(|image| vec![finding(1, image, |_| {}), finding(2, image, |_| {})]).await;
    // The second finding comes after the first listing: the second listing differs, and the third does not.
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.coverage[0]["lastScannedAt"] = json!(ago(10));
    }
    let late = world.emulator.inspector.fleet().findings[1]["findingArn"].clone();
    world.emulator.inspector.fleet().hidden.insert(late.as_str().unwrap().to_owned());
    let inspector = world.emulator.inspector.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(20)).await;
        inspector.fleet().hidden.clear();
    });
    let (found, seconds) = found(&world, 15).await;
    assert_eq!((found.unwrap().findings.len(), seconds), (2, 60));
}

#[tokio::test(start_paused = true)]
async fn nothing_found_in_a_young_scan_has_to_stand_still_as_well() {
    let world = stage(|_| vec![]).await;
    world.emulator.inspector.fleet().coverage[0]["lastScannedAt"] = json!(ago(60));
    let (settled, seconds) = found(&world, 1).await;
    assert_eq!((settled.unwrap().findings.len(), seconds), (0, 30));
    let (not_settled, seconds) = found(&world, 0).await;
    assert!(matches!(not_settled, Err(CannotTell::NotSettled { .. })), "{not_settled:?}");
    assert_eq!(seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_was_pushed_a_second_ago_is_waited_for() {
    let world = stage(|image| vec![finding(1, image, |_| {})]).await;
    let row = world.emulator.inspector.fleet().coverage.remove(0);
    let inspector = world.emulator.inspector.clone();
    tokio::spawn(async move {
        let mut waiting = row.clone();
        waiting["scanStatus"]["reason"] = json!("PENDING_INITIAL_SCAN");
        waiting.as_object_mut().unwrap().remove("lastScannedAt");
        sleep(Duration::from_secs(25)).await;
        inspector.fleet().coverage = vec![waiting];
        sleep(Duration::from_mins(1)).await;
        inspector.fleet().coverage = vec![row];
    });
    let (found, seconds) = found(&world, 15).await;
    assert_eq!((found.unwrap().findings.len(), seconds), (1, 90));
}

#[tokio::test(start_paused = true)]
async fn what_never_comes_is_given_up_when_the_time_is_over() {
    let world = stage(|_| vec![]).await;
    world.emulator.inspector.fleet().coverage[0]["scanStatus"]["reason"] =
        json!("SCAN_IN_PROGRESS");
    let (not_yet, seconds) = found(&world, 2).await;
    let Err(CannotTell::NotYet { reason, waited, .. }) = not_yet else { panic!("{not_yet:?}") };
    assert_eq!((reason.as_deref(), waited, seconds), (Some("SCAN_IN_PROGRESS"), 110, 110));
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_throttled_are_repeated_for_a_minute_at_least_and_then_given_up() {
    let world = stage(|image| vec![finding(1, image, |_| {})]).await;
    let throttled = inspector::Trouble::Throttled(7);
    at(&world, "/findings/list", move |count| (count < 3).then_some(throttled));
    let (answered, seconds) = found(&world, 0).await;
    assert_eq!((answered.unwrap().findings.len(), seconds), (1, 21));
    at(&world, "/findings/list", move |_| Some(throttled));
    let (given_up, seconds) = found(&world, 0).await;
    assert!(matches!(given_up, Err(CannotTell::Failed { .. })), "{given_up:?}");
    assert!((50..=60).contains(&seconds), "{seconds}");
    world.emulator.inspector.fleet().trouble = None;
    world.emulator.registry.contents().trouble =
        Some(Box::new(|_, _| Some(registry::Trouble::Throttled(5))));
    let (given_up, seconds) = found(&world, 2).await;
    assert!(matches!(given_up, Err(CannotTell::Failed { .. })), "{given_up:?}");
    assert!((110..=120).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_listing_whose_token_is_not_taken_any_more_is_begun_anew() {
    let world = stage(|image| (1..=7).map(|number| finding(number, image, |_| {})).collect()).await;
    world.emulator.inspector.fleet().habits =
        Habits { page_size: 2, empty_pages: true, token_at_the_end: true, ..Habits::default() };
    at(&world, "/findings/list", |count| (count == 2).then_some(inspector::Trouble::TokenExpired));
    assert_eq!(found(&world, 0).await.0.unwrap().findings.len(), 7);
    at(&world, "/findings/list", |count| {
        (count % 3 == 2).then_some(inspector::Trouble::TokenExpired)
    });
    let (given_up, _) = found(&world, 0).await;
    assert!(matches!(given_up, Err(CannotTell::Failed { .. })), "{given_up:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_off_is_no_answer() {
    let world = stage(|image| vec![finding(1, image, |_| {})]).await;
    for trouble in
        [inspector::Trouble::CutOff, inspector::Trouble::Empty, inspector::Trouble::Error]
    {
        for path in ["/coverage/list", "/findings/list"] {
            at(&world, path, move |_| Some(trouble));
            let (given_up, _) = found(&world, 0).await;
            assert!(matches!(given_up, Err(CannotTell::Failed { .. })), "{given_up:?}");
        }
    }
}

/// What the gate makes of a reason of AWS's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Scanned,
    ScannedOnce,
    Waits,
    Never,
}

/// Every reason of the model, each with its verdict for an image that was scanned since it was pushed, as far as that goes.
fn verdict_on(reason: &str) -> Option<Expected> {
    use Expected::{Never, Scanned, ScannedOnce, Waits};
    Some(match reason {
        "SUCCESSFUL" => Scanned,
        "SCAN_FREQUENCY_SCAN_ON_PUSH" => ScannedOnce,
        "PENDING_INITIAL_SCAN" | "SCAN_IN_PROGRESS" | "PENDING_REVIVAL_SCAN" | "INTERNAL_ERROR" => {
            Waits
        }
        "ACCESS_DENIED"
        | "ACCESS_DENIED_TO_ENCRYPTION_KEY"
        | "AGENTLESS_INSTANCE_COLLECTION_TIME_LIMIT_EXCEEDED"
        | "AGENTLESS_INSTANCE_STORAGE_LIMIT_EXCEEDED"
        | "DEEP_INSPECTION_COLLECTION_TIME_LIMIT_EXCEEDED"
        | "DEEP_INSPECTION_DAILY_SSM_INVENTORY_LIMIT_EXCEEDED"
        | "DEEP_INSPECTION_NO_INVENTORY"
        | "DEEP_INSPECTION_PACKAGE_COLLECTION_LIMIT_EXCEEDED"
        | "EC2_INSTANCE_STOPPED"
        | "EXCLUDED_BY_TAG"
        | "EXTRACTION_COLLECTION_TIME_LIMIT_EXCEEDED"
        | "IMAGE_ARCHIVED"
        | "IMAGE_SIZE_EXCEEDED"
        | "INTEGRATION_CONNECTION_LOST"
        | "INVALID_ARTIFACT"
        | "NO_INVENTORY"
        | "NO_RESOURCES_FOUND"
        | "NO_SCAN_CONFIGURATION_ASSOCIATED"
        | "PENDING_DISABLE"
        | "RESOURCE_STOPPED"
        | "RESOURCE_TERMINATED"
        | "RESOURCE_UNMANAGED"
        | "SCAN_ELIGIBILITY_EXPIRED"
        | "SCAN_FREQUENCY_MANUAL"
        | "STALE_INVENTORY"
        | "STORAGE_LIMIT_EXCEEDED"
        | "UNMANAGED_EC2_INSTANCE"
        | "UNSUPPORTED_CODE_ARTIFACTS"
        | "UNSUPPORTED_CONFIG_FILE"
        | "UNSUPPORTED_LANGUAGE"
        | "UNSUPPORTED_MEDIA_TYPE"
        | "UNSUPPORTED_OS"
        | "UNSUPPORTED_RUNTIME" => Never,
        _ => return None,
    })
}

#[tokio::test(start_paused = true)]
async fn every_reason_of_coverage_has_a_verdict_and_only_a_scan_is_one() {
    let mut missing = Vec::new();
    for reason in ScanStatusReason::values().iter().chain([&"SOMETHING_NEW"]) {
        let expected =
            if *reason == "SOMETHING_NEW" { Some(Expected::Never) } else { verdict_on(reason) };
        let Some(expected) = expected else {
            missing.push(*reason);
            continue;
        };
        let world = stage(|_| vec![]).await;
        world.emulator.inspector.fleet().coverage[0]["scanStatus"]["reason"] = json!(reason);
        let (found, _) = found(&world, 0).await;
        let said = match found {
            Ok(found) if found.notes.is_empty() => Expected::Scanned,
            Ok(_) => Expected::ScannedOnce,
            Err(CannotTell::NotYet { .. }) => Expected::Waits,
            Err(CannotTell::NotScanned { reason: said, .. }) => {
                assert_eq!(said, *reason);
                Expected::Never
            }
            Err(other) => panic!("{reason}: {other:?}"),
        };
        assert_eq!(said, expected, "{reason}");
    }
    assert!(missing.is_empty(), "reasons of the model without a verdict: {missing:?}");
}

#[tokio::test(start_paused = true)]
async fn every_status_of_a_scan_by_ecr_has_a_verdict_where_inspector_knows_nothing() {
    for status in ScanStatus::values() {
        let world = stage(|_| vec![]).await;
        world.emulator.inspector.fleet().coverage.clear();
        world.emulator.registry.contents().repositories.get_mut(REPOSITORY).unwrap()[0].scan =
            Some(((*status).to_owned(), String::new()));
        let waits = match *status {
            "ACTIVE" | "COMPLETE" | "IN_PROGRESS" | "PENDING" => true,
            "FAILED"
            | "FINDINGS_UNAVAILABLE"
            | "IMAGE_ARCHIVED"
            | "IMAGE_SIZE_EXCEEDED"
            | "LIMIT_EXCEEDED"
            | "SCAN_ELIGIBILITY_EXPIRED"
            | "UNSUPPORTED_IMAGE" => false,
            other => panic!("a status of the model without a verdict: {other}"),
        };
        let (unknown, _) = found(&world, 0).await;
        match unknown.unwrap_err() {
            CannotTell::NotYet { reason: None, .. } => assert!(waits, "{status}"),
            CannotTell::RegistryRefused { status: said, .. } => {
                assert!(!waits, "{status}");
                assert_eq!(said, *status);
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_of_before_the_push_is_none_of_what_was_pushed() {
    let world = stage(|_| vec![]).await;
    let before_push = ago(2 * 3600 + 1);
    world.emulator.inspector.fleet().coverage[0]["lastScannedAt"] = json!(before_push);
    let (not_yet, _) = found(&world, 0).await;
    assert!(matches!(not_yet, Err(CannotTell::NotYet { .. })), "{not_yet:?}");
}
