//! The weekly review as it is told: the same numbers to all, once, whatever happens in between.

use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::{Survey, TimeLimit},
    domain::{finding::OwnerTags, record::Audience, review::Review},
    emulator::{self, bucket::Trouble, topic::Published},
};
use serde_json::{Value, json};

use crate::{
    common::{self, World, all_topics, arn, has_reason, network::Fault},
    reminding::with_fault,
    reviewing::{after_the_first_round, finding},
    stored::copy_of,
    wording::{self, SCHEMA, harm_in, nasty},
};
use inspector_triage::{
    domain::review::{Attention, FirstThing, Others, Owner, OwnersFirst, Why},
    render::{Language, Style, message},
};
use proptest::prelude::*;

const MONDAY: &str = "2026-11-23T07:00:00Z";
const THEN: &str = "2026-11-23T07:00:09Z";
const NEXT_MONDAY: &str = "2026-11-30T07:00:00Z";

fn reviews(world: &mut World) -> Vec<Published> {
    let published = world.published().into_iter();
    published.filter(|message| has_reason(message, "review")).collect()
}

fn of_team(number: usize, team: &str) -> Value {
    finding(number, |f| f["resources"][0]["tags"] = json!({"team": team}))
}

async fn world() -> World {
    after_the_first_round(&[of_team(0, "shop"), of_team(1, "shop"), of_team(2, "crm")]).await
}

/// What is told to programs.
fn data(messages: &[Published]) -> Value {
    let of_data = messages.iter().find(|message| message.topic == emulator::DATA_TOPIC);
    serde_json::from_str(&of_data.expect("programs were told").message).unwrap()
}

#[tokio::test]
async fn all_hear_the_same_numbers_once_and_they_are_those_of_the_report() {
    let mut world = world().await;
    world.triage.publisher = Sns::new(world.emulator.sns(), all_topics());
    let result = world.weekly(MONDAY, THEN).await;
    assert_eq!(result["outcome"], "done", "{result}");
    assert_eq!(result["parts"]["review"]["open"], 3);
    assert_eq!(result["parts"]["review"]["messages"], 3);
    let messages = reviews(&mut world);
    assert_eq!(messages.len(), 3, "one a topic");

    let now = THEN.parse().unwrap();
    let since = "2026-11-16T07:00:09Z".parse().unwrap();
    let survey = Survey { now, since, owner_tags: OwnerTags::default() };
    let review: Review =
        survey.of(&world.triage.store, TimeLimit::none(), |_| {}).await.unwrap().unwrap();
    let message = data(&messages);
    assert_eq!(message["review"], serde_json::to_value(&review).unwrap());
    let errors: Vec<_> = SCHEMA.iter_errors(&message).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!((&message["kind"], &message["findings"]), (&json!("review"), &json!([])));
    for text in messages.iter().filter(|message| message.topic != emulator::DATA_TOPIC) {
        for said in ["3 findings open: 3 P2.", "None is overdue.", "shop: 2 open", "crm: 1 open"] {
            assert!(text.message.contains(said), "{said}: {}", text.message);
        }
    }
    for message in &messages {
        assert_eq!(message.attributes["owner"], r#"["crm","shop"]"#);
        assert_eq!(message.attributes["account"], r#"["111122223333"]"#);
        assert!(!message.attributes.contains_key("priority"), "nobody is woken by it");
    }

    world.weekly(MONDAY, "2026-11-23T07:03:00Z").await;
    assert_eq!(reviews(&mut world), [], "the same event once more");
    world.weekly(NEXT_MONDAY, "2026-11-30T07:00:30Z").await;
    let next = data(&reviews(&mut world));
    assert_eq!(next["review"]["since"], THEN, "it goes on where the one before ended");
}

#[tokio::test]
async fn a_quiet_week_reports_too() {
    let mut world = World::new().await;
    world.weekly(MONDAY, THEN).await;
    let messages = reviews(&mut world);
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(message.subject.as_deref(), Some("[Weekly] 0 overdue of 0 open, 0 new, 0 ended"));
    assert!(message.message.contains("Nothing is open."), "{}", message.message);
}

#[tokio::test]
async fn who_listens_later_hears_the_same_numbers_and_who_has_heard_nothing_more() {
    let mut world = world().await;
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    let email = emulator::topic(Audience::Email);
    world.emulator.listen(email, false);
    world.weekly(MONDAY, THEN).await;
    let first = reviews(&mut world);
    assert_eq!(first.len(), 1);
    // Meanwhile one is fixed.
    let closed = finding(0, |f| {
        f["status"] = json!("CLOSED");
        f["updatedAt"] = json!("2026-11-23T08:00:00Z");
    });
    world.handle(&closed, "2026-11-23T08:00:05Z").await.unwrap();
    world.emulator.listen(email, true);
    world.daily("2026-11-23T08:05:00Z", json!({"continue": true})).await;
    assert_eq!(reviews(&mut world), [], "it is asked about once an hour");
    world.daily("2026-11-23T09:10:00Z", json!({})).await;
    let second = reviews(&mut world);
    let [message] = &second[..] else { panic!("{second:?}") };
    assert_eq!(message.topic, emulator::TOPIC);
    assert!(message.message.contains("3 findings open"), "{}", message.message);
}

#[tokio::test]
async fn a_review_that_finds_a_round_under_way_is_made_by_whoever_goes_on_with_that() {
    let mut world = world().await;
    common::hold_the_round(&world, "2026-11-23T06:59:50Z").await;
    let result = world.weekly(MONDAY, THEN).await;
    assert_eq!(result["outcome"], "continues", "{result}");
    assert_eq!(reviews(&mut world), []);
    world.daily("2026-11-23T07:05:00Z", json!({"continue": true})).await;
    assert_eq!(reviews(&mut world).len(), 1);
}

#[tokio::test]
async fn notifications_that_are_off_leave_nothing_owed() {
    let mut world = world().await;
    world.triage.config.notify = false;
    world.weekly(MONDAY, THEN).await;
    world.triage.config.notify = true;
    world.daily("2026-11-23T08:10:00Z", json!({})).await;
    assert_eq!(reviews(&mut world), []);
}

#[tokio::test(start_paused = true)]
async fn a_review_is_told_however_the_function_dies_and_always_with_the_same_numbers() {
    let start = world().await;
    let mut repeated = 0;
    for at in 0.. {
        let mut world = copy_of(&start).await;
        let times = (THEN, "2026-11-23T07:10:00Z");
        let event = common::weekly(MONDAY);
        let befell = with_fault(&world, &event, (Fault::KilledAfter, at), times).await;
        let messages = reviews(&mut world);
        assert!((1..=2).contains(&messages.len()), "at {at}: {messages:?}");
        assert!(messages.iter().all(|message| message.message == messages[0].message), "at {at}");
        repeated += messages.len() - 1;
        world.daily("2026-11-23T08:10:00Z", json!({})).await;
        world.weekly(MONDAY, "2026-11-23T09:10:00Z").await;
        assert_eq!(reviews(&mut world), [], "at {at}");
        if !befell {
            break;
        }
    }
    // Where SNS had taken it, and that was not written down yet.
    assert_eq!(repeated, 1);
    assert!(start.find(&arn(0)).await.is_some());
}

#[tokio::test]
async fn the_page_and_the_data_are_kept_and_the_message_names_the_page() {
    let mut world = world().await;
    world.has_bucket = true;
    world.triage.publisher = Sns::new(world.emulator.sns(), all_topics());
    world.weekly(MONDAY, THEN).await;
    let messages = reviews(&mut world);
    let page = format!("s3://{}/reviews/2026-11-23T07-00-00Z.html", emulator::BUCKET);
    assert_eq!(data(&messages)["page"], page);
    for message in &messages {
        assert!(message.message.contains(&page), "{}", message.message);
        assert!(
            !message.message.contains("X-Amz-Signature"),
            "no link that opens it to whoever has the mail"
        );
    }
    let contents = world.emulator.buckets.contents();
    let object = |key: &str| contents.objects.iter().find(|object| object.key == key).unwrap();
    let html =
        String::from_utf8(object("reviews/2026-11-23T07-00-00Z.html").bytes.clone()).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("CVE-2026-00002"));
    let kept: Value =
        serde_json::from_slice(&object("reviews/2026-11-23T07-00-00Z.json").bytes).unwrap();
    assert_eq!(kept, data(&messages)["review"], "the same numbers");
}

#[tokio::test]
async fn a_review_whose_page_cannot_be_kept_waits_some_hours_and_is_told_without_it() {
    let mut world = world().await;
    world.has_bucket = true;
    world.emulator.buckets.contents().trouble = vec![Trouble::Denied; 6];
    let result = world.weekly(MONDAY, THEN).await;
    assert_eq!(result["outcome"], "continues", "{result}");
    for hour in [8, 9] {
        world.daily(&format!("2026-11-23T0{hour}:10:00Z"), json!({})).await;
        assert_eq!(reviews(&mut world), []);
    }
    world.daily("2026-11-23T10:10:00Z", json!({})).await;
    let messages = reviews(&mut world);
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert!(!message.message.contains("s3://"), "{}", message.message);
}

/// A review with something of everything, in which others have written these names.
fn full(names: [&str; 4]) -> Review {
    let [owner, package, version, reason] = names;
    let counts = |p1: u64, p2: u64, p3: u64, p4: u64| json!({"P1": p1, "P2": p2, "P3": p3, "P4": p4, "total": p1 + p2 + p3 + p4});
    let week = |date: &str, open: u64, overdue: u64| json!({"date": date, "open": open, "overdue": overdue, "byPriority": counts(0, 0, open, 0)});
    let json = json!({
        "asOf": "2026-11-23T07:00:09Z", "since": "2026-11-16T07:00:30Z",
        "open": counts(4, 38, 201, 269), "overdue": counts(1, 6, 10, 0), "excepted": 12, "pending": 2,
        "knownExploited": 3, "new": 31,
        "ended": {"fixed": 30, "gone": 12, "unobserved": 3, "suppressed": 0, "unknown": 0, "total": 45},
        "timeToFixDays": {"median": 6, "max": 41}, "openAgeDays": {"median": 18, "max": 210},
        "dueIn": {
            "overdueOver30": counts(0, 0, 4, 0), "overdueTo30": counts(0, 2, 4, 0), "overdueTo7": counts(1, 4, 2, 0),
            "within7": counts(3, 20, 40, 9), "within30": counts(0, 12, 100, 60), "after30": counts(0, 0, 50, 200),
            "noDate": counts(0, 0, 1, 0)
        },
        "firstThings": [], "owners": [],
        "exceptions": {"active": 12, "ending": 2, "ended": 1, "unused": 1, "attention": []},
        "coverage": {
            "unobserved": 14,
            "byReason": {
                "UNMANAGED_EC2_INSTANCE": 9, "IMAGE_NOT_IN_USE": 3, "NO_INVENTORY": 1, reason: 1
            },
            "off": [["444455556666", "LAMBDA_CODE"]]
        },
        "trend": [
            week("2026-10-05", 620, 31), week("2026-10-12", 611, 30), week("2026-10-19", 590, 33),
            week("2026-10-26", 571, 28), week("2026-11-02", 566, 25), week("2026-11-09", 540, 22),
            week("2026-11-16", 526, 20), week("2026-11-23", 512, 17)
        ]
    });
    let mut review: Review = serde_json::from_value(json).unwrap();
    let first =
        |package: &str, version: Option<&str>, findings, urgent, in_use, owners: &[&str]| {
            FirstThing {
                package: package.to_owned(),
                version: version.map(str::to_owned),
                findings,
                resources: findings / 10,
                urgent,
                in_use,
                owners: owners.iter().map(|owner| (*owner).to_owned()).collect(),
            }
        };
    review.first_things = vec![
        first(package, Some(version), 41, 6, 12, &[owner, "crm"]),
        first("httpd, httpd-core", Some("2.4.67"), 22, 4, 0, &["crm"]),
        first("KB5091377", None, 11, 1, 0, &["a", "b", "c", "d", "e"]),
        first("curl", Some("8.1"), 20, 0, 0, &[]),
        first("glibc", Some("2.39"), 20, 0, 0, &[]),
        first("zlib", Some("1.3.1"), 20, 0, 0, &[]),
    ];
    let mine =
        OwnersFirst { package: package.to_owned(), version: Some(version.to_owned()), findings: 9 };
    let of = |owner: Option<&str>, overdue, open, first_thing: Option<OwnersFirst>| Owner {
        owner: owner.map(str::to_owned),
        open,
        overdue,
        first_thing,
    };
    review.owners = vec![
        of(Some(owner), 12, 80, Some(mine.clone())),
        of(Some("crm"), 4, 31, Some(OwnersFirst { findings: 1, ..mine })),
        of(None, 1, 350, None),
        of(Some("payments"), 0, 20, None),
        of(Some("search"), 0, 15, None),
        of(Some("data"), 0, 10, None),
        of(Some("web"), 0, 5, None),
    ];
    review.other_owners = Some(Others { owners: 2, open: 1, overdue: 0 });
    let attention = |id: &str, until: &str, why| Attention {
        id: id.to_owned(),
        owner: owner.to_owned(),
        expires_at: until.parse().unwrap(),
        why,
    };
    review.exceptions.attention = vec![
        attention("legacy-batch", "2026-11-20", vec![Why::Ended]),
        attention("vendor-image", "2026-12-05", vec![Why::Ending, Why::Unused]),
        attention("kernel", "2027-01-29", vec![Why::ReviewDue]),
    ];
    review
}

/// What is told of a review, as it is published.
fn told(review: &Review, language: Language) -> Vec<Published> {
    let style = Style { language, ..Style::default() };
    let at = THEN.parse().unwrap();
    let page = Some("s3://inspector-triage-reviews/reviews/2026-11-23T07-00-09Z.html");
    [Audience::Email, Audience::Chat, Audience::Data]
        .map(|audience| {
            wording::published(audience, message::review(audience, review, page, at, &style))
        })
        .into()
}

#[test]
fn the_review_reads_as_it_does() {
    let review = full(["shop", "openssl", "3.0.14", "AGENT_OFFLINE"]);
    for (language, code) in [(Language::En, "en"), (Language::Ja, "ja")] {
        let messages = [("review".to_owned(), told(&review, language))];
        insta::assert_snapshot!(
            format!("review.email.{code}"),
            wording::shown(&messages, emulator::TOPIC)
        );
        insta::assert_snapshot!(
            format!("review.chat.{code}"),
            wording::shown(&messages, emulator::CHAT_TOPIC)
        );
    }
    let data = told(&review, Language::En);
    insta::assert_snapshot!(
        "review.data",
        wording::shown(&[("review".to_owned(), data)], emulator::DATA_TOPIC)
    );
}

#[test]
fn a_review_fits_on_a_screen_of_an_e_mail() {
    for language in [Language::En, Language::Ja] {
        let email = told(&full(["shop", "openssl", "3.0.14", "AGENT_OFFLINE"]), language).remove(0);
        let lines: Vec<&str> = email.message.lines().collect();
        assert!(lines.len() <= 64, "{} lines", lines.len());
        assert!(
            lines.iter().all(|line| line.contains("://") || line.chars().count() <= 72),
            "{lines:#?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_strangers_write_is_alive_in_a_review(
        names in prop::array::uniform4(nasty()),
        japanese in any::<bool>(),
    ) {
        let language = if japanese { Language::Ja } else { Language::En };
        let review = full(names.each_ref().map(String::as_str)).within(100_000);
        for message in told(&review, language) {
            prop_assert_eq!(harm_in(&message), None);
        }
    }
}
