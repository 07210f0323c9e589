//! What is known of attacks: looked up by the round, known to findings, told to people.

use std::sync::{Arc, Mutex};

use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::{Outcome, Records, Threats},
    domain::{
        assess::{Deadlines, Priority},
        record::Transition,
        threat::Catalogue,
    },
    emulator::{self, inspector::Trouble, topic::Published},
};
use serde_json::{Value, json};

use crate::{
    common::{
        self, World, arn,
        network::{Call, Fate, Fault, Network},
    },
    reviewing::{FIRST, NEXT_DAY, after_the_first_round, changed, finding, round_with},
    stored::{copy_of, rows},
};

const THIRD_DAY: &str = "2026-11-22T00:10:00Z";

/// The vulnerability of the finding with a number.
fn id(number: usize) -> String {
    format!("CVE-2026-{number:05}")
}

/// What Inspector knows of a vulnerability that CISA lists.
pub fn listed(number: usize) -> Value {
    json!({
        "id": id(number), "epssScore": 0.4, "epss": {"score": 0.4},
        "cisaData": {
            "dateAdded": 1_795_000_000, "dateDue": 1_796_800_000,
            "action": "Apply updates per vendor instructions, see https://example.com/advice.",
        },
    })
}

fn know(world: &World, threats: Vec<Value>) {
    world.emulator.inspector.fleet().threats = threats;
}

fn asked(world: &World, path: &str) -> usize {
    world.emulator.inspector.fleet().requests.iter().filter(|one| *one == path).count()
}

const DETAILS: &str = "/findings/details/batch/get";
const SEARCH: &str = "/vulnerabilities/search";

#[tokio::test]
async fn a_vulnerability_is_asked_about_once_a_day_whatever_its_findings() {
    let world = World::new().await;
    let events: Vec<Value> = (0..60)
        .map(|number| {
            finding(number, |f| {
                f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id(number % 25));
            })
        })
        .collect();
    world.inspect(&events);
    know(&world, vec![listed(7)]);
    let result = world.daily(FIRST, json!({})).await;
    let threat = json!({"vulnerabilities": 25, "knownExploited": 1, "changed": 3});
    assert_eq!(result["parts"]["threat"], threat);
    assert_eq!((asked(&world, DETAILS), asked(&world, SEARCH)), (3, 0), "ten at a time");
    world.daily("2026-11-20T01:10:00Z", json!({})).await;
    assert_eq!(asked(&world, DETAILS), 3);
    let threats = world.triage.store.threats(&[&id(7), &id(8), "CVE-2020-0001"]).await.unwrap();
    assert_eq!(threats.len(), 2);
    assert!(threats[&id(7)].listing().is_some());
    assert_eq!(threats[&id(8)].catalogue, Catalogue::NotListed);
    assert_eq!(threats[&id(8)].checked_at, FIRST.parse().unwrap());
}

#[tokio::test]
async fn what_cisa_lists_is_told_once_in_all_its_resources_and_said_to_be_why() {
    let same = |number: usize| {
        finding(number, |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-77777");
        })
    };
    let mut world = after_the_first_round(&[same(1), same(2), finding(3, |_| {})]).await;
    let mut known = listed(0);
    known["id"] = json!("CVE-2026-77777");
    know(&world, vec![known]);
    let result = world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(result["parts"]["threat"]["changed"], 2, "{result}");
    assert_eq!(world.news(), [], "the round leaves it to the flush");
    assert_eq!(world.flush("2026-11-21T00:15:00Z").await.unwrap().findings, 2);
    let published = world.news();
    let [message] = &published[..] else { panic!("one message: {published:#?}") };
    let text = &message.message;
    assert!(text.contains("CISA lists it as exploited."), "{text}");
    assert!(text.contains("CISA lists it as exploited since 2026-11-18"), "{text}");
    assert!(
        text.contains("https[:]//example.com/advice"),
        "a stranger's address is defused: {text}"
    );
    assert_eq!(message.attributes["known_exploited"], r#"["true"]"#);

    world.daily(THIRD_DAY, json!({})).await;
    world.flush("2026-11-22T00:15:00Z").await.unwrap();
    assert_eq!(world.news(), [], "once");
    let kinds = world.kinds(&arn(1)).await;
    assert_eq!(
        kinds,
        [
            "ANNOUNCED known-exploited",
            "CURRENT",
            "HISTORY opened",
            "NOTED threat",
            "NOTED reminded"
        ]
    );
    // An event knows nothing of it, and takes nothing away.
    let again = changed(1, |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-77777");
        f["exploitAvailable"] = json!("NO");
    });
    world.handle(&again, "2026-11-22T10:00:00Z").await.unwrap();
    assert!(world.record(&arn(1)).await.is_known_exploited());
    assert_eq!(world.news(), []);
}

#[tokio::test]
async fn what_was_listed_when_we_came_is_part_of_the_first_message() {
    let mut world = World::new().await;
    world.inspect(&[finding(1, |_| {}), finding(2, |_| {})]);
    know(&world, vec![listed(1)]);
    world.daily(FIRST, json!({})).await;
    let published = world.news();
    assert_eq!(published.len(), 1);
    assert!(
        published[0].message.contains("CISA lists it as exploited since"),
        "{}",
        published[0].message
    );
    world.flush("2026-11-20T00:15:00Z").await.unwrap();
    world.daily(NEXT_DAY, json!({})).await;
    world.flush("2026-11-21T00:15:00Z").await.unwrap();
    assert_eq!(world.news(), []);
}

/// That Inspector says so of the probability of a vulnerability, and knows of no attacks.
fn likely(number: usize, epss: f64) -> Value {
    json!({"id": id(number), "epssScore": epss, "epss": {"score": epss}})
}

#[tokio::test]
async fn a_probability_that_moves_a_finding_into_a_higher_class_is_told_and_one_that_does_not_is_not()
 {
    let mut world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    let before = world.record(&arn(2)).await;
    know(&world, vec![likely(1, 0.6), likely(2, 0.012)]);
    let result = world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(result["parts"]["threat"]["changed"], 1, "{result}");
    assert_eq!(world.record(&arn(2)).await, before, "nothing is written for a drift");
    let record = world.record(&arn(1)).await;
    assert_eq!((record.by_event.priority, record.priority()), (Priority::P2, Priority::P1));
    assert_eq!(record.due_at, Some("2026-11-23T00:10:00Z".parse().unwrap()), "sooner");
    world.flush("2026-11-21T00:15:00Z").await.unwrap();
    let published = world.news();
    let [message] = &published[..] else { panic!("one message: {published:#?}") };
    assert!(message.message.contains("60 % chance of exploitation"), "{}", message.message);

    // A repetition, which says what was, takes nothing back, and its row shows what counts.
    let again = changed(1, |f| f["updatedAt"] = json!("2026-11-20T12:00:00.000Z"));
    world.handle(&again, "2026-11-21T01:00:00Z").await.unwrap();
    let record = world.record(&arn(1)).await;
    assert_eq!(record.priority(), Priority::P1);
    let row = &rows(&world)[&format!("FINDING#{} CURRENT", arn(1))];
    assert_eq!(row["score"]["N"], record.score().to_string());
    assert_eq!(row["priority"]["S"], "P1");

    // It goes on, inside its class, and falls: nobody hears of that.
    for (day, epss) in [(THIRD_DAY, 0.64), ("2026-11-23T00:10:00Z", 0.001)] {
        know(&world, vec![likely(1, epss), likely(2, 0.012)]);
        world.daily(day, json!({})).await;
        world.flush(&day.replace("00:10", "00:20")).await.unwrap();
        assert_eq!(world.news(), [], "{day}");
    }
    assert_eq!(world.record(&arn(1)).await.priority(), Priority::P2);
}

#[tokio::test]
async fn a_day_on_which_very_many_rise_is_told_as_one_message_and_they_count_as_told() {
    let findings: Vec<Value> = (0..60).map(|number| finding(number, |_| {})).collect();
    let mut world = after_the_first_round(&findings).await;
    let mut threats: Vec<Value> = (0..30).map(|number| likely(number, 0.6)).collect();
    threats.push(listed(40));
    know(&world, threats.clone());
    world.daily(NEXT_DAY, json!({})).await;
    let published = world.news();
    let [message] = &published[..] else { panic!("one message: {published:#?}") };
    let text = message.message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.starts_with("30 findings are more urgent since EPSS has changed its estimates of very many at once: 30 P1."),
        "{text}"
    );
    // What CISA lists is no matter of a model.
    assert_eq!(world.flush("2026-11-21T00:15:00Z").await.unwrap().findings, 1);
    let published = world.news();
    assert!(published[0].message.contains("CISA lists it as exploited."), "{published:#?}");
    for hour in ["2026-11-21T01:10:00Z", THIRD_DAY] {
        world.daily(hour, json!({})).await;
        world.flush(&hour.replace(":10:", ":20:")).await.unwrap();
        assert_eq!(world.news(), [], "once");
    }
    // A few that rise are told like anything else.
    know(&world, (30..35).map(|number| likely(number, 0.6)).chain(threats).collect());
    world.daily("2026-11-23T00:10:00Z", json!({})).await;
    assert_eq!(world.news(), []);
    assert_eq!(world.flush("2026-11-23T00:15:00Z").await.unwrap().findings, 5);
}

#[tokio::test]
async fn a_message_about_a_new_model_that_cannot_be_told_is_owed_further() {
    let findings: Vec<Value> = (0..60).map(|number| finding(number, |_| {})).collect();
    let mut world = after_the_first_round(&findings).await;
    know(&world, (0..30).map(|number| likely(number, 0.6)).collect());
    world.triage.config.notify = false;
    world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(world.news(), []);
    world.triage.config.notify = true;
    world.daily("2026-11-21T01:10:00Z", json!({})).await;
    let published = world.news();
    let [message] = &published[..] else { panic!("one message: {published:#?}") };
    assert!(
        message.message.contains("30 findings are more urgent since EPSS"),
        "{}",
        message.message
    );
    world.flush("2026-11-21T01:15:00Z").await.unwrap();
    assert_eq!(world.news(), []);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_killed_on_a_day_of_a_new_model_tells_the_one_message_all_the_same() {
    let findings: Vec<Value> = (0..25).map(|number| finding(number, |_| {})).collect();
    let first = after_the_first_round(&findings).await;
    know(&first, (0..22).map(|number| likely(number, 0.6)).collect());
    let mut most = 0;
    for at in 0.. {
        let mut world = copy_of(&first).await;
        let befell = round_with(&world, Fault::KilledAfter, at, NEXT_DAY).await;
        world.flush("2026-11-21T09:00:00Z").await.unwrap();
        let told = world.news();
        let is_it =
            |one: &&Published| one.message.contains("22 findings are more urgent since EPSS");
        // One that was told and not noted is told again.
        let count = told.iter().filter(is_it).count();
        assert!((1..=2).contains(&count) && told.len() == count, "request {at}: {told:#?}");
        most += usize::from(count == 2);
        if !befell {
            break;
        }
    }
    assert!(most <= 1, "but for the call that told it");
}

/// Inspector's word that a vulnerability was seen exploited.
fn attacked(number: usize) -> Value {
    json!({"id": id(number), "exploitObserved": {"firstSeen": 1_700_000_000, "lastSeen": 1_700_000_000}})
}

#[tokio::test]
async fn what_an_event_moves_only_together_with_what_is_known_waits_to_be_told_all_the_same() {
    // By itself it stays P3; with the attacks that were seen it becomes P2.
    let before = |f: &mut Value| {
        f["epss"] = json!({"score": 0.001});
        f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2026-03-24T00:00:00Z");
    };
    let after = |f: &mut Value| {
        before(f);
        f["epss"] = json!({"score": 0.012});
    };
    for by_listing in [false, true] {
        let mut world = after_the_first_round(&[finding(1, before)]).await;
        know(&world, vec![attacked(1)]);
        world.daily(NEXT_DAY, json!({})).await;
        world.flush("2026-11-21T02:00:00Z").await.unwrap();
        world.news();
        let record = world.record(&arn(1)).await;
        assert_eq!((record.by_event.priority, record.priority()), (Priority::P3, Priority::P3));
        let risen = finding(1, |f| {
            after(f);
            f["updatedAt"] = json!("2026-11-21T10:00:00.000Z");
        });
        if by_listing {
            world.inspect(&[risen]);
            world.daily(THIRD_DAY, json!({})).await;
        } else {
            world.triage.config.notify = false;
            world.handle(&risen, "2026-11-21T10:00:05Z").await.unwrap();
            world.triage.config.notify = true;
        }
        let record = world.record(&arn(1)).await;
        assert_eq!((record.by_event.priority, record.priority()), (Priority::P3, Priority::P2));
        assert_eq!(world.pending(10).await.len(), 1, "by listing: {by_listing}");
        assert_eq!(rows(&world)[&format!("FINDING#{} CURRENT", arn(1))]["priority"]["S"], "P2");
        world.flush("2026-11-22T02:00:00Z").await.unwrap();
        assert_eq!(world.news().len(), 1);
    }
}

#[tokio::test]
async fn a_new_formula_is_no_news_about_what_was_known_before() {
    let mut world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    know(&world, vec![listed(1), attacked(2)]);
    world.daily(NEXT_DAY, json!({})).await;
    world.flush("2026-11-21T02:00:00Z").await.unwrap();
    world.news();
    // As the version before has told it: CISA's list moved no class, and attacks were no exploit.
    for number in [1, 2] {
        let mut record = world.record(&arn(number)).await;
        record.by_event.policy = "2".to_owned();
        let told = record.announced.as_mut().unwrap();
        (told.facts.priority, told.facts.exploit) = (Priority::P2, false);
        record.revision += 1;
        world.triage.store.write(&record, Transition::Reassessed).await.unwrap();
    }
    let again = |number| finding(number, |f| f["updatedAt"] = json!("2026-11-21T10:00:00.000Z"));
    for number in [1, 2] {
        world.handle(&again(number), "2026-11-21T10:00:05Z").await.unwrap();
    }
    world.inspect(&[again(1), again(2)]);
    world.daily(THIRD_DAY, json!({})).await;
    world.flush("2026-11-22T02:00:00Z").await.unwrap();
    assert_eq!(world.news(), []);
    assert_eq!(world.record(&arn(1)).await.priority(), Priority::P1);
}

#[tokio::test]
async fn who_has_had_the_first_message_hears_of_what_is_new_though_others_have_not() {
    let mut world = World::new().await;
    // A topic that nobody listens to keeps the first message owed.
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    world.emulator.listen(emulator::DATA_TOPIC, false);
    world.inspect(&[finding(1, |_| {})]);
    world.daily(FIRST, json!({})).await;
    assert_eq!(world.news().len(), 1);
    know(&world, vec![listed(1)]);
    world.daily(NEXT_DAY, json!({})).await;
    world.flush("2026-11-21T00:20:00Z").await.unwrap();
    let published = world.news();
    assert!(
        published.iter().any(|one| one.message.contains("CISA lists it as exploited.")),
        "{published:#?}"
    );
}

#[tokio::test]
async fn by_the_directive_what_is_to_wait_for_the_next_upgrade_has_no_date_once_that_is_known() {
    let mut world = after_the_first_round(&[finding(1, |_| {})]).await;
    world.triage.config.policy.deadlines = Deadlines::Bod2604;
    know(&world, vec![likely(1, 0.01), likely(2, 0.01)]);
    world.daily(NEXT_DAY, json!({})).await;
    // Private, and hard to attack: another finding of the same vulnerability.
    let private = finding(9, |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id(1));
        f["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"] = json!("another");
        f["resources"][0]["id"] = json!("another");
        f["resources"][0]["details"] =
            json!({"awsEc2Instance": {"platform": "X", "ipV4Addresses": ["10.0.0.7"]}});
        f["inspectorScoreDetails"]["adjustedCvss"]["scoringVector"] =
            json!("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:H/I:H/A:H");
    });
    // Whoever does not know yet that a round has looked asks when it is about to tell.
    world.handle(&private, "2026-11-21T12:00:00Z").await.unwrap();
    let text = world.news().pop().unwrap().message;
    assert!(!text.contains("nobody knows"), "{text}");
    let record = world.record(&arn(9)).await;
    assert_eq!(record.due_at, None, "as people were told");
    let result = world.daily("2026-11-21T13:10:00Z", json!({"now": true})).await;
    assert_eq!(result["parts"]["threat"].get("changed"), None, "{result}");
    assert_eq!(world.record(&arn(9)).await.due_at, None);
}

#[tokio::test]
async fn by_the_directive_a_date_that_rested_on_nothing_is_corrected_and_one_that_grows_urgent_moves()
 {
    let mut world = World::new().await;
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    world.triage.config.policy.deadlines = Deadlines::Bod2604;
    world.triage.config.style.deadlines = Deadlines::Bod2604;
    let easy = |number| {
        finding(number, |f| {
            f["inspectorScoreDetails"]["adjustedCvss"]["scoringVector"] =
                json!("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
        })
    };
    world.inspect(&[easy(1)]);
    // On the evening before the first round nobody knows whether CISA lists it.
    world.handle(&easy(1), "2026-11-19T12:00:00Z").await.unwrap();
    let due = async |world: &World| world.record(&arn(1)).await.due_at.unwrap().to_string();
    assert_eq!(due(&world).await, "2026-11-22T12:00:00Z");
    let published = world.news();
    let mail = published.iter().find(|one| one.topic == emulator::TOPIC).unwrap();
    let text = mail.message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("By CISA's BOD 26-04 it is due within 3 days"), "{text}");
    assert!(text.contains("known exploited: yes (not known, so counted as yes)"), "{text}");
    assert!(text.contains("impact: partial (by its CVSS vector)"), "{text}");
    let data = published.iter().find(|one| one.topic == emulator::DATA_TOPIC).unwrap();
    let data: Value = serde_json::from_str(&data.message).unwrap();
    assert!(crate::wording::SCHEMA.is_valid(&data), "{data:#}");
    let deadline = &data["findings"][0]["deadline"];
    assert_eq!(
        (&deadline["days"], &deadline["knownExploited"]["basis"]),
        (&json!(3), &json!("unknown"))
    );

    // It does not.
    know(&world, vec![likely(1, 0.01)]);
    world.daily(FIRST, json!({})).await;
    let not_listed = due(&world).await;
    assert_eq!(not_listed, "2026-12-03T12:00:00Z", "14 days from the same moment on");
    world.daily(NEXT_DAY, json!({})).await;
    assert_eq!(due(&world).await, not_listed, "once");

    know(&world, vec![listed(1)]);
    world.daily(THIRD_DAY, json!({})).await;
    assert_eq!(due(&world).await, "2026-11-25T00:10:00Z", "three days from then on");
}

/// How often each kind of call was made while a function that has just started handled an event.
async fn calls_for(world: &World, event: &Value, now: &str) -> Vec<Call> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let network = {
        let calls = calls.clone();
        Network::new(
            move |sent| {
                calls.lock().unwrap().push(sent.call);
                Fate::default()
            },
            |_| {},
        )
    };
    let triage = network.triage(&world.emulator, now);
    let attempt = inspector_triage::app::Attempt::new(now, now.parse().unwrap());
    let event = event.to_string();
    let work = inspector_triage::lambda::handle(&triage, event.as_bytes(), attempt);
    Box::pin(work).await.unwrap();
    // A second event of this environment.
    let second = finding(901, |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id(1));
        f["resources"][0]["id"] = json!("another");
        f["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"] = json!("another");
    });
    calls.lock().unwrap().clear();
    let second = second.to_string();
    let work = inspector_triage::lambda::handle(&triage, second.as_bytes(), attempt);
    Box::pin(work).await.unwrap();
    let calls = calls.lock().unwrap().clone();
    calls.into_iter().filter(|call| *call != Call::Listeners).collect()
}

#[tokio::test]
async fn what_is_told_looks_once_more_where_a_round_has_looked_and_only_there() {
    use Call::{Mark, Permit, Publish, Read, Refresh, Write};
    let world = World::new().await;
    let calls = calls_for(&world, &finding(900, |_| {}), "2026-11-19T12:00:00Z").await;
    assert_eq!(calls, [Refresh, Write, Permit, Publish, Mark]);

    let mut world = after_the_first_round(&[finding(1, |_| {})]).await;
    know(&world, vec![listed(1)]);
    world.daily(NEXT_DAY, json!({})).await;
    let calls = calls_for(&world, &finding(900, |_| {}), "2026-11-21T12:00:00Z").await;
    assert_eq!(calls, [Refresh, Write, Read, Permit, Publish, Mark]);
    let published = world.news();
    let text = &published.last().unwrap().message;
    assert!(
        text.contains("CISA lists it as exploited since"),
        "a new finding of it says so at once: {text}"
    );
    assert!(world.record(&arn(901)).await.is_known_exploited());
    assert!(world.record(&arn(901)).await.announced.unwrap().facts.known_exploited);
}

#[tokio::test]
async fn what_is_not_listed_is_said_as_of_a_date_and_what_nobody_knows_is_not() {
    let mut world = after_the_first_round(&[finding(1, |_| {}), finding(2, |_| {})]).await;
    let event = |number: usize, of: usize| {
        finding(number, |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id(of));
            f["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"] = json!("another");
        })
    };
    world.handle(&event(800, 1), "2026-11-20T12:00:00Z").await.unwrap();
    world.handle(&event(801, 777), "2026-11-20T12:00:00Z").await.unwrap();
    let published = world.news();
    let [known, unknown] = &published[..] else { panic!("{published:#?}") };
    let said = "Not in CISA's catalogue of known exploited vulnerabilities as of";
    assert!(known.message.contains(said), "{}", known.message);
    assert_eq!(known.attributes["known_exploited"], "false");
    assert!(!unknown.message.contains("CISA"), "{}", unknown.message);
    assert_eq!(unknown.attributes.get("known_exploited"), None);
}

#[tokio::test]
async fn what_is_listed_is_known_to_findings_of_other_regions_too() {
    let world = World::new().await;
    let elsewhere = arn(1).replace("eu-central-1", "eu-west-1");
    let event = common::event_of(&elsewhere, "Thu Nov 19 10:00:00.000 UTC 2026", |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id(1));
    });
    world.handle(&event, "2026-11-19T10:00:05Z").await.unwrap();
    know(&world, vec![listed(1)]);
    world.daily(FIRST, json!({})).await;
    assert_eq!((asked(&world, DETAILS), asked(&world, SEARCH)), (0, 1));
    assert!(world.record(&elsewhere).await.is_known_exploited());
}

#[tokio::test]
async fn where_a_finding_has_no_details_the_list_of_vulnerabilities_is_asked() {
    let world = World::new().await;
    // Another function has them, and Inspector lists them no more.
    for (number, name) in [(1, id(1)), (2, id(2)), (3, "GHSA-xxxx-yyyy-zzzz".to_owned())] {
        let event = finding(number, |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(name);
        });
        world.handle(&event, "2026-11-19T10:00:05Z").await.unwrap();
    }
    know(&world, vec![listed(1)]);
    world.daily(FIRST, json!({})).await;
    assert_eq!(asked(&world, SEARCH), 2, "it takes no other ids");
    let ids = [id(1), id(2), "GHSA-xxxx-yyyy-zzzz".to_owned()];
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let threats = world.triage.store.threats(&ids).await.unwrap();
    assert!(threats[ids[0]].listing().is_some());
    assert_eq!(threats[ids[1]].catalogue, Catalogue::Unknown);
    assert_eq!(threats[ids[2]].catalogue, Catalogue::Unknown);
    assert!(world.record(&arn(1)).await.is_known_exploited());
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_no_news() {
    let mut world = after_the_first_round(&[finding(1, |_| {})]).await;
    know(&world, vec![listed(1)]);
    world.daily(NEXT_DAY, json!({})).await;
    world.flush("2026-11-21T00:15:00Z").await.unwrap();
    world.news();
    world.emulator.inspector.fleet().trouble =
        Some(Box::new(|_, request| (request.path == DETAILS).then_some(Trouble::Denied)));
    let result = world.daily(THIRD_DAY, json!({})).await;
    assert_eq!(result["parts"]["threat"]["failed"], 1, "{result}");
    assert!(result["parts"]["coverage"].get("failed").is_none(), "the other parts go on");
    assert!(world.record(&arn(1)).await.is_known_exploited());
    world.emulator.inspector.fleet().trouble = None;
    // CISA takes an entry out: it is known no more, and told to nobody.
    know(&world, vec![]);
    world.daily("2026-11-22T01:10:00Z", json!({})).await;
    assert!(!world.record(&arn(1)).await.is_known_exploited());
    world.flush("2026-11-22T01:15:00Z").await.unwrap();
    assert_eq!(world.news(), []);
}

#[tokio::test]
async fn programs_get_what_is_known_by_the_schema() {
    let mut world = after_the_first_round(&[finding(1, |_| {})]).await;
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    know(&world, vec![listed(1)]);
    world.daily(NEXT_DAY, json!({})).await;
    world.flush("2026-11-21T00:15:00Z").await.unwrap();
    let published = world.news();
    let data = published.iter().find(|one| one.topic == emulator::DATA_TOPIC).unwrap();
    let data: Value = serde_json::from_str(&data.message).unwrap();
    assert!(crate::wording::SCHEMA.is_valid(&data), "{data:#}");
    let finding = &data["findings"][0];
    assert_eq!(finding["reason"], "known-exploited");
    assert_eq!(
        (&finding["knownExploited"], &finding["attacks"]["listedAt"]),
        (&json!(true), &json!("2026-11-18T11:06:40Z"))
    );
}

#[tokio::test]
async fn an_event_of_what_is_known_to_be_exploited_is_refreshed_with_one_call() {
    let world = after_the_first_round(&[finding(1, |_| {})]).await;
    know(&world, vec![listed(1)]);
    world.daily(NEXT_DAY, json!({})).await;
    world.flush("2026-11-21T00:15:00Z").await.unwrap();
    let before = world.record(&arn(1)).await;
    let report = world.handle(&changed(1, |_| {}), "2026-11-21T10:00:00Z").await.unwrap();
    assert_eq!(report.outcome, Outcome::Unchanged);
    let after = world.record(&arn(1)).await;
    assert_eq!(after.revision, before.revision + 1);
    assert_eq!(after.threat, before.threat);
}
