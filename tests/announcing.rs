//! What people hear when much happens at once: messages are few, and every finding is in one.

use std::collections::BTreeSet;

use crate::common::{self, World, arn, event_of};
use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::{FlushOutcome, FlushResult, Outcome, TriageConfig},
    domain::{announce::Budget, assess::Priority},
    emulator::{self, topic::Published},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const BEGIN: &str = "2026-11-20T12:00:00Z";
const DAY: &str = "2026-11-20T10:00:00Z";

/// A world in which programs hear, too: their messages have every ARN.
async fn world() -> World {
    let mut world = World::new().await;
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    world
}

fn after(seconds: i64) -> String {
    let begin: Timestamp = BEGIN.parse().unwrap();
    (begin + SignedDuration::from_secs(seconds)).to_string()
}

/// The events of a vulnerability each, of one image.
fn image(number: usize) -> Value {
    event_of(&arn(number), DAY, |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(format!("CVE-2026-{number}"));
        f["resources"] = json!([{
            "type": "AWS_ECR_CONTAINER_IMAGE",
            "id": "arn:aws:ecr:eu-central-1:111122223333:repository/shop/sha256:0a0a",
            "details": {"awsEcrContainerImage": {"repositoryName": "shop", "imageTags": ["v1"]}},
        }]);
    })
}

fn on<'a>(topic: &'a str, published: &'a [Published]) -> impl Iterator<Item = &'a Published> {
    published.iter().filter(move |message| message.topic == topic)
}

#[tokio::test]
async fn four_hundred_findings_of_one_image_are_a_few_messages_and_each_is_in_one_of_them() {
    let mut world = world().await;
    let mut published = Vec::new();
    let mut times = Vec::new();
    for number in 0..400_usize {
        // Fifty a second.
        let now = after(i64::try_from(number / 50).unwrap());
        world.handle(&image(number), &now).await.unwrap();
        for message in world.published() {
            times.push(now.clone());
            published.push(message);
        }
    }
    for now in [after(9), after(309)] {
        world.flush(&now).await.unwrap();
        for message in world.published() {
            times.push(now.clone());
            published.push(message);
        }
    }
    let emails = on(emulator::TOPIC, &published).count();
    assert!(emails <= 20, "{emails}");
    for second in times.iter().collect::<BTreeSet<_>>() {
        let within = published
            .iter()
            .zip(&times)
            .filter(|(message, time)| message.topic == emulator::TOPIC && *time == second);
        assert!(within.count() <= 8, "at {second}");
    }
    let told = common::told(&published);
    assert_eq!(told.len(), 400);
    assert!(told.values().all(|count| *count == 1));
    assert_eq!(world.pending(1).await, []);
    // Programs get all of them, in messages that SNS takes.
    assert!(published.iter().all(|message| message.message.len() < 256 * 1024));
}

#[tokio::test]
async fn one_vulnerability_on_five_hundred_resources_is_one_message_and_one_line_with_counts() {
    let mut world = world().await;
    for number in 0..500 {
        let event = event_of(&arn(number), DAY, |f| {
            f["awsAccountId"] = json!(format!("1111222233{:02}", number % 20));
            f["resources"][0]["id"] = json!(format!("i-{number:017x}"));
        });
        world.handle(&event, &after(0)).await.unwrap();
    }
    let flushed = world.flush(&after(60)).await.unwrap();
    assert_eq!(flushed.findings, 499);
    let published = world.published();
    let emails: Vec<_> = on(emulator::TOPIC, &published).collect();
    assert_eq!(emails.len(), 2);
    assert_eq!(
        emails[1].subject.as_deref(),
        Some("[P2] 499 findings: CVE-2026-10001 libexample on 499 resources")
    );
    assert!(
        emails[1].message.starts_with(
            "499 findings without a message of their own: 499 P2.\n\
         1 problem on 499 resources in 20 accounts.\n\
         The first is due by 2026-11-27 12:00 UTC.\n"
        ),
        "{}",
        emails[1].message
    );
    assert!(emails[1].message.contains("499 resources in 20 accounts"), "{}", emails[1].message);
    let accounts: Vec<String> = serde_json::from_str(&emails[1].attributes["account"]).unwrap();
    assert_eq!(accounts.len(), 20);
    assert_eq!(emails[1].attributes["priority"], "P2");
    assert_eq!(emails[1].attributes["reason"], "summary");
    assert_eq!(common::told(&published).len(), 500);
}

#[tokio::test]
async fn what_is_sent_again_in_other_words_is_no_message_and_no_history() {
    let mut world = world().await;
    let vulnerability = |number: usize| json!(format!("CVE-2026-{number}"));
    for number in 0..300 {
        let event = event_of(&arn(number), DAY, |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = vulnerability(number);
            f["resources"][0]["tags"] = json!({"Name": "web-1", "team": "shop"});
        });
        world.handle(&event, &after(0)).await.unwrap();
    }
    world.flush(&after(60)).await.unwrap();
    world.published();
    let before = world.all().await.len();
    for (round, epss) in [(1, 0.011), (2, 0.009), (3, 0.012)] {
        for number in 0..300 {
            let event = event_of(&arn(number), &format!("2026-11-20T1{round}:30:00Z"), |f| {
                f["packageVulnerabilityDetails"]["vulnerabilityId"] = vulnerability(number);
                f["resources"][0]["tags"] = json!({"team": "shop", "Name": "web-1"});
                f["epss"] = json!({"score": epss});
                f["fixAvailable"] = json!("Yes");
            });
            let report = world.handle(&event, &after(3600 * round)).await.unwrap();
            assert_eq!(report.outcome, Outcome::Unchanged);
        }
    }
    assert_eq!(world.flush(&after(14_400)).await.unwrap().outcome, FlushOutcome::NothingPending);
    assert_eq!(world.published(), []);
    assert_eq!(world.all().await.len(), before);
}

#[tokio::test]
async fn a_p1_in_a_storm_of_others_is_announced_at_once() {
    let mut world = world().await;
    for number in 0..60 {
        world.handle(&image(number), &after(0)).await.unwrap();
    }
    world.published();
    let urgent = event_of(&arn(1000), DAY, |f| {
        f["severity"] = json!("CRITICAL");
        f["epss"] = json!({"score": 0.9});
        f["exploitAvailable"] = json!("YES");
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-99999");
    });
    let report = world.handle(&urgent, &after(0)).await.unwrap();
    assert_eq!((report.priority.as_str(), report.outcome), ("P1", Outcome::Announced));
    let published = world.published();
    assert!(published[0].subject.as_ref().unwrap().starts_with("[P1] CVE-2026-99999 "));
}

#[tokio::test]
async fn a_new_image_of_a_repository_is_no_news_by_itself() {
    let world = world().await;
    let built = |number: usize, digest: &str| {
        let mut event = image(7);
        event["detail"]["findingArn"] = json!(arn(number));
        event["detail"]["resources"][0]["id"] =
            json!(format!("arn:aws:ecr:eu-central-1:111122223333:repository/shop/sha256:{digest}"));
        event
    };
    let first = world.handle(&built(1, "aaaa"), &after(0)).await.unwrap();
    assert_eq!(first.outcome, Outcome::Announced);
    // Three days later, long after the vulnerability would be told on another resource.
    let three_days = 3 * 24 * 3600;
    let second = world.handle(&built(2, "bbbb"), &after(three_days)).await.unwrap();
    assert_eq!(
        (second.outcome, second.reason.as_str()),
        (
            Outcome::Pending,
            "the same problem was announced not long ago; the next summary has this one"
        )
    );
    let elsewhere = event_of(&arn(3), DAY, |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-7");
    });
    let third = world.handle(&elsewhere, &after(three_days)).await.unwrap();
    assert_eq!(third.outcome, Outcome::Announced);
}

#[tokio::test]
async fn what_people_know_from_a_summary_is_known() {
    let mut world = world().await;
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for number in 0..30 {
        world.handle(&image(number), &after(0)).await.unwrap();
    }
    assert_eq!(world.flush(&after(60)).await.unwrap().findings, 30);
    world.triage.config.budget = Budget::default();
    world.published();
    // The next build of the image has the same vulnerabilities, and one more.
    for number in 0..=30 {
        let mut event = image(number);
        event["detail"]["findingArn"] = json!(arn(1000 + number));
        event["detail"]["resources"][0]["id"] =
            json!("arn:aws:ecr:eu-central-1:111122223333:repository/shop/sha256:0b0b");
        let report = world.handle(&event, &after(3600)).await.unwrap();
        let expected = if number == 30 { Outcome::Announced } else { Outcome::Pending };
        assert_eq!(report.outcome, expected, "{number}: {}", report.reason);
    }
    assert_eq!(world.flush(&after(3700)).await.unwrap().findings, 30);
}

#[tokio::test]
async fn a_summary_makes_nobody_forget_how_urgent_a_problem_is() {
    let mut world = world().await;
    let none = Budget { p1: 0, others: 0 };
    let found = |number: usize, vulnerability: &'static str, epss: f64| {
        event_of(&arn(number), DAY, |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(vulnerability);
            f["resources"][0]["id"] = json!(format!("i-{number:017x}"));
            f["epss"] = json!({"score": epss});
        })
    };
    let handled = async |world: &World, event: Value, now: i64| {
        let report = world.handle(&event, &after(now)).await.unwrap();
        (report.priority.as_str(), report.outcome)
    };
    // One problem was told as P1. A summary has it as P2, and another one for the first time.
    let first = handled(&world, found(1, "CVE-2026-1", 0.9), 0).await;
    assert_eq!(first, ("P1", Outcome::Announced));
    world.triage.config.budget = none;
    for (number, vulnerability) in [(2, "CVE-2026-1"), (3, "CVE-2026-3")] {
        let later = handled(&world, found(number, vulnerability, 0.01), 0).await;
        assert_eq!(later, ("P2", Outcome::Pending));
    }
    assert_eq!(world.flush(&after(60)).await.unwrap().findings, 2);
    world.triage.config.budget = Budget::default();
    let known = handled(&world, found(4, "CVE-2026-1", 0.9), 120).await;
    assert_eq!(known, ("P1", Outcome::Pending));
    let known = handled(&world, found(5, "CVE-2026-3", 0.01), 120).await;
    assert_eq!(known, ("P2", Outcome::Pending));

    // What a summary has as more urgent is known as that.
    world.triage.config.budget = none;
    let raised = handled(&world, found(6, "CVE-2026-3", 0.9), 120).await;
    assert_eq!(raised, ("P1", Outcome::Pending));
    assert_eq!(world.flush(&after(360)).await.unwrap().findings, 3);
    world.triage.config.budget = Budget::default();
    let known = handled(&world, found(7, "CVE-2026-3", 0.9), 420).await;
    assert_eq!(known, ("P1", Outcome::Pending));
}

#[tokio::test]
async fn what_some_heard_in_a_summary_is_not_sent_to_the_others_one_by_one() {
    let mut world = world().await;
    let working = world.triage.publisher.clone();
    let broken = Topics {
        data: Some("arn:aws:sns:eu-central-1:111122223333:gone".to_owned()),
        ..common::topics()
    };
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for number in 0..30 {
        world.handle(&image(number), &after(0)).await.unwrap();
    }
    world.triage.publisher = Sns::new(world.emulator.sns(), broken);
    assert_eq!(world.flush(&after(60)).await.unwrap().findings, 30);
    world.triage.publisher = working;
    world.published();
    for number in 0..30 {
        let mut event = image(number);
        event["detail"]["severity"] = json!("MEDIUM");
        event["detail"]["updatedAt"] = json!("2026-11-20T11:00:00Z");
        let report = world.handle(&event, &after(120)).await.unwrap();
        assert_eq!(report.outcome, Outcome::Pending);
    }
    let flushed = world.flush(&after(300)).await.unwrap();
    assert_eq!((flushed.findings, flushed.messages), (30, 1));
    // They grew milder meanwhile, which is no news for those who had heard.
    assert_eq!(world.published()[0].topic, emulator::DATA_TOPIC);
}

#[tokio::test]
async fn a_flush_with_nothing_to_tell_says_nothing() {
    let mut world = world().await;
    let nothing =
        FlushResult { outcome: FlushOutcome::NothingPending, findings: 0, messages: 0, ended: 0 };
    assert_eq!(world.flush(&after(0)).await.unwrap(), nothing);
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn with_no_budget_at_all_everything_is_in_summaries() {
    let mut world = world().await;
    world.triage.config.budget = Budget { p1: 1, others: 0 };
    for (number, now) in [(1, 0), (2, 400)] {
        let report = world.handle(&image(number), &after(now)).await.unwrap();
        assert_eq!(report.outcome, Outcome::Pending);
        let flushed = world.flush(&after(now)).await.unwrap();
        assert_eq!((flushed.findings, flushed.messages), (1, 2));
    }
    assert_eq!(world.published().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_summary_waits_for_the_second_after_other_messages() {
    let mut world = world().await;
    for number in 0..6 {
        world.handle(&image(number), &after(0)).await.unwrap();
    }
    assert_eq!(on(emulator::TOPIC, &world.published()).count(), 5);
    let began = tokio::time::Instant::now();
    let flushed = world.flush(&after(0)).await.unwrap();
    assert_eq!((flushed.findings, flushed.messages), (1, 2));
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn of_two_flushes_at_once_one_works() {
    let mut world = world().await;
    for number in 0..40 {
        world.handle(&image(number), &after(0)).await.unwrap();
    }
    world.published();
    let now = after(60);
    let (one, other) = tokio::join!(world.flush(&now), world.flush(&now));
    let told: Vec<usize> = [one, other].map(|flushed| flushed.unwrap().findings).to_vec();
    assert_eq!(told.iter().sum::<usize>(), 35, "{told:?}");
    let published = world.published();
    assert_eq!(on(emulator::TOPIC, &published).count(), 1);
}

#[tokio::test]
async fn a_topic_that_fails_gets_later_what_it_missed_and_the_others_do_not_hear_twice() {
    let mut world = world().await;
    let broken = Topics {
        data: Some("arn:aws:sns:eu-central-1:111122223333:gone".to_owned()),
        ..common::topics()
    };
    let working = world.triage.publisher.clone();
    world.triage.publisher = Sns::new(world.emulator.sns(), broken.clone());
    let failure = world.handle(&image(0), &after(0)).await.unwrap_err();
    assert!(failure.starts_with("PublishFailed: "), "{failure}");
    let failure = world.handle(&image(0), &after(61)).await.unwrap_err();
    assert!(failure.starts_with("PublishFailed: "), "{failure}");
    assert_eq!(world.published().len(), 1, "the e-mail went out once");

    world.triage.publisher = working.clone();
    let report = world.handle(&image(0), &after(122)).await.unwrap();
    assert_eq!(report.outcome, Outcome::Announced);
    let published = world.published();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].topic, emulator::DATA_TOPIC);

    // The same with a summary.
    for number in 1..10 {
        world.handle(&image(number), &after(130)).await.unwrap();
    }
    world.published();
    world.triage.publisher = Sns::new(world.emulator.sns(), broken);
    let flushed = world.flush(&after(200)).await.unwrap();
    assert_eq!((flushed.outcome, flushed.messages), (FlushOutcome::Flushed, 1));
    assert_eq!(world.published().len(), 1);
    world.triage.publisher = working;
    let flushed = world.flush(&after(500)).await.unwrap();
    let published = world.published();
    assert_eq!(flushed.messages, 1);
    assert_eq!(published[0].topic, emulator::DATA_TOPIC);
    assert_eq!(common::told(&published).len(), flushed.findings);
}

/// The defaults: P1 and P2 get messages of their own, what is not urgent waits for an hour.
fn with_defaults(world: &mut World) {
    let config = TriageConfig::default();
    world.triage.config.alone_from = config.alone_from;
    world.triage.config.summary_after = config.summary_after;
}

/// A finding of priority P4.
fn mild(number: usize) -> Value {
    event_of(&arn(number), DAY, |f| {
        f["epss"] = json!({"score": 0.0003});
        f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(format!("CVE-2020-{number}"));
    })
}

#[tokio::test]
async fn what_is_not_urgent_waits_for_an_hour_and_comes_in_one_summary() {
    let mut world = world().await;
    with_defaults(&mut world);
    for (number, minute) in (0..10).enumerate() {
        let report = world.handle(&mild(number), &after(60 * minute)).await.unwrap();
        assert_eq!((report.outcome, report.priority), (Outcome::Pending, Priority::P4));
    }
    for minute in (10..60).step_by(5) {
        let flushed = world.flush(&after(60 * minute)).await.unwrap();
        assert_eq!((flushed.outcome, flushed.messages), (FlushOutcome::Flushed, 0), "{minute}");
    }
    let flushed = world.flush(&after(60 * 60)).await.unwrap();
    assert_eq!(flushed.findings, 10);
    assert_eq!(on(emulator::TOPIC, &world.published()).count(), 1);
}

#[tokio::test]
async fn what_is_urgent_and_found_no_token_takes_all_others_with_it_in_the_next_summary() {
    let mut world = world().await;
    with_defaults(&mut world);
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    world.handle(&mild(1), &after(0)).await.unwrap();
    let urgent = event_of(&arn(2), DAY, |_| {});
    assert_eq!(world.handle(&urgent, &after(0)).await.unwrap().priority, Priority::P2);
    let flushed = world.flush(&after(300)).await.unwrap();
    assert_eq!((flushed.outcome, flushed.findings), (FlushOutcome::Flushed, 2));
}

#[tokio::test]
async fn fifty_images_a_day_with_the_same_problems_are_one_summary_an_hour_at_most() {
    let mut world = world().await;
    with_defaults(&mut world);
    let mut messages: Vec<i64> = Vec::new();
    let mut images = 0..;
    for minute in (0..24 * 60).step_by(5) {
        // An image every half an hour, with the problem of the one before.
        if minute % 30 == 0 {
            let number = images.next().unwrap();
            let build = event_of(&arn(number), DAY, |f| {
                let id = format!(
                    "arn:aws:ecr:eu-central-1:111122223333:repository/shop/sha256:{number:064x}"
                );
                let details = json!({"awsEcrContainerImage": {"repositoryName": "shop"}});
                let kind = "AWS_ECR_CONTAINER_IMAGE";
                f["resources"] = json!([{"type": kind, "id": id, "details": details}]);
            });
            let report = world.handle(&build, &after(60 * minute)).await.unwrap();
            let expected = if minute == 0 { Outcome::Announced } else { Outcome::Pending };
            assert_eq!(report.outcome, expected, "{minute}: {}", report.reason);
        }
        if world.flush(&after(60 * minute + 1)).await.unwrap().messages > 0 {
            messages.push(minute);
        }
    }
    assert!(messages.len() <= 24, "{messages:?}");
    assert!(messages.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{messages:?}");
}
