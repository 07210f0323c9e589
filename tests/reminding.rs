//! Reminders: what is overdue or due soon, told to those whose it is, rarely and for certain.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::Attempt,
    domain::{
        figures::Counts,
        record::Audience,
        reminders::{Notice, NoticeReason, Section},
    },
    emulator::{self, topic::Published},
    lambda,
    render::{
        Language, Style,
        message::{self, Reminded},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    common::{
        World, all_topics, arn, has_reason,
        network::{Call, Fate, Fault, Network, Sent},
    },
    ledger,
    reviewing::{after_the_first_round, finding, handle_with},
    stored::copy_of,
    wording::{self, SCHEMA, harm_in},
};

/// The day after findings of P2 are due that were there when the first round began, and some days after that.
const DUE: &str = "2026-11-28T00:10:00Z";

/// A finding of a team, or of nobody.
fn of(number: usize, team: Option<&str>) -> Value {
    finding(number, |f| {
        f["resources"][0]["tags"] = team.map_or(json!({}), |team| json!({"team": team}));
    })
}

/// A world with a finding of each of these, told of on 2026-11-20 as what was there before, and due a week later.
async fn world(teams: &[Option<&str>]) -> World {
    let events: Vec<Value> =
        teams.iter().enumerate().map(|(number, team)| of(number, *team)).collect();
    after_the_first_round(&events).await
}

/// What was told, by owners: the title of each message, and who can filter for it.
fn told(world: &mut World) -> Vec<(String, Vec<String>)> {
    let reminders = world.published().into_iter().filter(is_reminder);
    reminders
        .map(|message| (message.subject.clone().unwrap_or_default(), owners(&message)))
        .collect()
}

fn is_reminder(message: &Published) -> bool {
    has_reason(message, "overdue")
}

fn owners(message: &Published) -> Vec<String> {
    let owners = message.attributes.get("owner");
    owners.map_or_else(Vec::new, |owners| serde_json::from_str(owners).unwrap())
}

#[tokio::test]
async fn each_owner_hears_once_on_the_day_and_then_after_1_3_7_and_14_days() {
    let mut world = world(&[Some("shop"), Some("shop"), Some("crm"), None]).await;
    world.daily("2026-11-25T00:10:00Z", json!({})).await;
    assert_eq!(told(&mut world), [], "more than a quarter of a week is left");
    let result = world.daily("2026-11-26T00:10:00Z", json!({})).await;
    assert_eq!(result["parts"]["reminders"]["dueSoon"], 4, "{result}");
    let titles: Vec<String> = told(&mut world).into_iter().map(|(title, _)| title).collect();
    assert_eq!(
        titles,
        [
            "[Reminder] shop: 2 due soon",
            "[Reminder] no owner: 1 due soon",
            "[Reminder] crm: 1 due soon"
        ]
    );

    let mut days = Vec::new();
    for day in 27..=30 + 31 {
        let date =
            if day <= 30 { format!("2026-11-{day}") } else { format!("2026-12-{:02}", day - 30) };
        let result = world.daily(&format!("{date}T00:10:00Z"), json!({})).await;
        assert_eq!(result["outcome"], "done", "{result}");
        let messages = told(&mut world);
        assert_eq!(
            world.daily(&format!("{date}T09:10:00Z"), json!({"now": true})).await["outcome"],
            "done"
        );
        assert_eq!(told(&mut world), [], "once a day");
        if !messages.is_empty() {
            assert_eq!(messages.len(), 3);
            assert_eq!(messages[0].1, ["shop"]);
            assert!(messages[1].1.is_empty(), "nobody owns it: no owner to filter by");
            days.push(date);
        }
    }
    let expected = ["2026-11-28", "2026-11-29", "2026-12-02", "2026-12-09", "2026-12-23"];
    assert_eq!(days, expected);
    let kinds = world.kinds(&arn(0)).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "NOTED reminded").count(), 6, "{kinds:?}");
}

#[tokio::test]
async fn of_many_owners_five_hear_alone_and_the_others_share_a_message() {
    let names: Vec<String> = (0..12).map(|number| format!("team-{number:02}")).collect();
    let teams: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let mut world = world(&teams).await;
    world.daily(DUE, json!({})).await;
    let messages = told(&mut world);
    assert_eq!(messages.len(), 6);
    assert_eq!(messages[5].0, "[Overdue] 7 owners: 7 findings overdue");
    let mut all: Vec<String> = messages.into_iter().flat_map(|(_, owners)| owners).collect();
    all.sort();
    assert_eq!(all, names, "each once");
}

#[tokio::test]
async fn nobody_is_reminded_of_what_an_exception_covers_or_has_ended() {
    let mut world = world(&[Some("shop"), Some("shop"), Some("shop")]).await;
    let covers = |e: &mut Value| {
        e["vulnerabilities"] = json!(["CVE-2026-00001"]);
        e["packages"] = json!([]);
    };
    ledger::put(&world, &[ledger::exception("accepted", covers)], "2026-11-20T09:00:00Z").await;
    let closed = finding(2, |f| {
        f["status"] = json!("CLOSED");
        f["updatedAt"] = json!("2026-11-22T10:00:00Z");
    });
    world.handle(&closed, "2026-11-22T10:00:01Z").await.unwrap();
    world.inspect(&[of(0, Some("shop")), of(1, Some("shop"))]);
    world.daily("2026-11-27T00:10:00Z", json!({})).await;
    world.published();
    let result = world.daily(DUE, json!({})).await;
    assert_eq!(result["parts"]["reminders"]["overdue"], 1, "{result}");
    let messages = world.published();
    let [message] = &messages[..] else { panic!("{messages:#?}") };
    assert_eq!(message.subject.as_deref(), Some("[Overdue] shop: 1 finding overdue"));
    assert!(message.message.contains("CVE-2026-00000"), "{}", message.message);
    assert!(!message.message.contains("CVE-2026-00001"), "{}", message.message);
}

#[tokio::test]
async fn who_answers_for_an_exception_hears_that_it_ends() {
    let mut world = world(&[None]).await;
    let ends = |e: &mut Value| e["expiresAt"] = json!("2026-12-05");
    ledger::put(&world, &[ledger::exception("vendor-image", ends)], "2026-11-20T09:00:00Z").await;
    let mut heard = Vec::new();
    for day in 24..=29 {
        world.daily(&format!("2026-11-{day}T00:10:00Z"), json!({})).await;
        for message in world.published().iter().filter(|message| is_reminder(message)) {
            assert_eq!(owners(message), ["crm-team"]);
            assert!(
                message.message.contains("vendor-image ends on 2026-12-05"),
                "{}",
                message.message
            );
            heard.push(day);
        }
    }
    assert_eq!(
        heard,
        [24, 28],
        "two weeks before, with the first round since, and one week before"
    );
}

#[tokio::test]
async fn reminders_wait_for_notifications_to_be_on_and_for_somebody_to_listen() {
    let mut world = world(&[Some("shop")]).await;
    world.triage.config.notify = false;
    world.daily(DUE, json!({})).await;
    assert_eq!(told(&mut world), []);
    world.triage.config.notify = true;
    let topic = emulator::topic(Audience::Email);
    world.emulator.listen(topic, false);
    world.daily("2026-11-29T00:10:00Z", json!({})).await;
    assert_eq!(told(&mut world), []);
    world.emulator.listen(topic, true);
    world.daily("2026-11-30T00:10:00Z", json!({})).await;
    assert_eq!(told(&mut world).len(), 1);
}

/// An event of `review` at a time in which `fault` befalls the request with this number that is no read; then the next hour's.
/// Returns whether it befell any.
pub async fn with_fault(
    world: &World,
    event: &Value,
    (fault, at): (Fault, usize),
    (now, next): (&str, &str),
) -> bool {
    let befell = handle_with(world, event, (fault, at), now).await;
    let last = world.daily(next, json!({})).await;
    assert_eq!(last["outcome"], "done", "{fault:?} at {at}: {last}");
    befell
}

#[tokio::test(start_paused = true)]
async fn a_reminder_is_told_however_a_round_dies_and_twice_only_if_it_died_before_that_was_noted() {
    let start = world(&[Some("shop"), Some("crm")]).await;
    let event = json!({
        "source": "inspector-triage", "detail-type": "Triage Daily", "detail": {"full": true}
    });
    let mut repeated = 0;
    for at in 0.. {
        let mut world = copy_of(&start).await;
        let times = (DUE, "2026-11-28T01:10:00Z");
        let befell = with_fault(&world, &event, (Fault::KilledAfter, at), times).await;
        let messages = told(&mut world);
        let to = |owner: &str| messages.iter().filter(|(_, owners)| owners == &[owner]).count();
        assert!(to("shop") >= 1 && to("crm") >= 1, "at {at}: {messages:?}");
        repeated += messages.len() - 2;
        for number in [0, 1] {
            let reminded = world.record(&arn(number)).await.reminded.unwrap();
            assert_eq!(reminded.times, 1, "at {at}");
        }
        world.daily("2026-11-28T02:10:00Z", json!({"now": true})).await;
        assert_eq!(told(&mut world), [], "at {at}");
        if !befell {
            break;
        }
    }
    // Once for each message: where SNS had taken it, and that was not written down yet.
    assert_eq!(repeated, 2);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_keeps_dying_over_a_message_says_it_twice_and_never_again() {
    let mut world = world(&[Some("shop")]).await;
    for hour in 0..5 {
        let fates = |request: Sent| Fate {
            fault: (request.call == Call::Publish).then_some(Fault::KilledAfter),
            ..Fate::default()
        };
        let network = Network::new(fates, |_| {});
        let now: Timestamp = format!("2026-11-28T0{hour}:10:00Z").parse().unwrap();
        let name = format!("hour {hour}");
        let review = network.review(&world.emulator, &name);
        let event =
            json!({"source": "inspector-triage", "detail-type": "Triage Daily"}).to_string();
        let work = lambda::handle_daily(&review, event.as_bytes(), Attempt::new(&name, now));
        drop(network.until_killed(Box::pin(work)).await);
    }
    assert_eq!(told(&mut world).len(), 2);
    assert_eq!(world.record(&arn(0)).await.reminded.unwrap().times, 1);
}

#[tokio::test]
async fn who_cannot_be_told_is_tried_again_and_the_others_hear_nothing_twice() {
    let mut world = world(&[Some("shop")]).await;
    let missing = Some(emulator::CHAT_TOPIC.replace("chat", "gone"));
    let topics_without_chat = Topics { chat: missing, ..all_topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics_without_chat);
    let result = world.daily(DUE, json!({})).await;
    assert_eq!(result["parts"]["reminders"]["failed"], 1, "{result}");
    let topics = |world: &mut World| {
        let reminders = world.published().into_iter().filter(is_reminder);
        reminders.map(|message| message.topic).collect::<Vec<_>>()
    };
    assert_eq!(topics(&mut world), [emulator::TOPIC, emulator::DATA_TOPIC]);
    assert_eq!(world.record(&arn(0)).await.reminded, None);
    world.triage.publisher = Sns::new(world.emulator.sns(), all_topics());
    world.daily("2026-11-28T01:10:00Z", json!({})).await;
    assert_eq!(topics(&mut world), [emulator::CHAT_TOPIC]);
    assert_eq!(world.record(&arn(0)).await.reminded.unwrap().times, 1);
}

#[tokio::test]
async fn programs_get_the_findings_and_the_totals() {
    let mut world = world(&[Some("shop"), Some("shop"), Some("crm")]).await;
    world.triage.publisher = Sns::new(world.emulator.sns(), all_topics());
    world.daily(DUE, json!({})).await;
    let messages: Vec<Value> = world
        .published()
        .iter()
        .filter(|message| message.topic == emulator::DATA_TOPIC && is_reminder(message))
        .map(|message| serde_json::from_str(&message.message).unwrap())
        .collect();
    assert_eq!(messages.len(), 2);
    for message in &messages {
        let errors: Vec<_> = SCHEMA.iter_errors(message).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(message["kind"], "overdue");
    }
    let shop = &messages[0];
    assert_eq!(shop["findings"].as_array().unwrap().len(), 2);
    assert_eq!(shop["findings"][0]["reason"], "overdue");
    assert_eq!(shop["reminders"][0]["owner"], "shop");
    assert_eq!(shop["reminders"][0]["overdue"]["P2"], 2);
}

/// What is told of three findings of a team, one of which is due soon, and of an exception that ends.
async fn messages(language: Language, change: impl Fn(&mut Value)) -> Vec<Published> {
    let events: Vec<Value> = (0..3)
        .map(|number| {
            finding(number, |f| {
                f["resources"][0]["tags"] = json!({"team": "crm-team"});
                if number == 2 {
                    // P3: a month.
                    f["packageVulnerabilityDetails"]["vendorCreatedAt"] =
                        json!("2024-01-01T00:00:00Z");
                }
                change(f);
            })
        })
        .collect();
    let mut world = after_the_first_round(&events).await;
    let ends = |e: &mut Value| {
        e["expiresAt"] = json!("2026-12-20");
        e["packages"] = json!(["something-else"]);
    };
    ledger::put(&world, &[ledger::exception("vendor-image", ends)], "2026-12-12T09:00:00Z").await;
    world.triage.publisher = Sns::new(world.emulator.sns(), all_topics());
    world.triage.config.style.language = language;
    world.daily("2026-12-13T00:10:00Z", json!({})).await;
    world.published().into_iter().filter(is_reminder).collect()
}

#[tokio::test]
async fn a_reminder_reads_as_it_does() {
    for (language, code) in [(Language::En, "en"), (Language::Ja, "ja")] {
        let messages = [("reminder".to_owned(), messages(language, |_| {}).await)];
        let shown = |topic| wording::shown(&messages, topic);
        insta::assert_snapshot!(format!("reminder.email.{code}"), shown(emulator::TOPIC));
        insta::assert_snapshot!(format!("reminder.chat.{code}"), shown(emulator::CHAT_TOPIC));
    }
}

#[tokio::test]
async fn nothing_that_strangers_write_is_alive_in_a_reminder() {
    let nasty = "<!channel> @here [x](javascript:alert(1)) \u{202e}gnp\u{200b}\r\nBcc: all@example.com `*_~|>#";
    for language in [Language::En, Language::Ja] {
        let messages = messages(language, |f| {
            f["title"] = json!(nasty);
            f["resources"][0]["tags"] = json!({"team": nasty});
            f["resources"][0]["id"] = json!(nasty);
            let package = &mut f["packageVulnerabilityDetails"];
            package["vulnerablePackages"] = json!([{
                "name": nasty, "version": nasty, "fixedInVersion": nasty, "remediation": nasty,
            }]);
        })
        .await;
        assert!(messages.len() >= 3, "{messages:#?}");
        for message in &messages {
            assert_eq!(harm_in(message), None);
        }
    }
}

#[tokio::test]
async fn who_cannot_be_told_at_all_makes_nobody_else_hear_more_often() {
    let mut world = world(&[Some("shop")]).await;
    let missing = Some(emulator::CHAT_TOPIC.replace("chat", "gone"));
    let topics_without_chat = Topics { chat: missing, ..all_topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics_without_chat);
    let mut heard = Vec::new();
    for day in 28..=31 {
        for hour in [0, 1] {
            let date = if day <= 30 { format!("2026-11-{day}") } else { "2026-12-01".to_owned() };
            world.daily(&format!("{date}T0{hour}:10:00Z"), json!({})).await;
            let to_email = |message: &Published| message.topic == emulator::TOPIC;
            let told = world.published().into_iter().filter(is_reminder).filter(to_email).count();
            heard.extend(std::iter::repeat_n((day, hour), told));
        }
    }
    assert_eq!(heard, [(28, 0), (29, 0)], "on the day, and after one more");
    let reminded = world.record(&arn(0)).await.reminded.unwrap();
    assert_eq!((reminded.times, reminded.at.to_string().as_str()), (2, "2026-11-29T00:10:00Z"));
}

#[tokio::test(start_paused = true)]
async fn what_died_before_midnight_is_ended_after_it_and_not_said_once_more() {
    let mut world = world(&[Some("shop")]).await;
    let published = Arc::new(AtomicUsize::new(0));
    // The message is out and that is written down; then it dies before the row knows.
    let fates = move |request: Sent| {
        let notes = usize::from(request.call == Call::Publish);
        let before = published.fetch_add(notes, Ordering::Relaxed);
        let is_after = before > 0 && request.call == Call::Write;
        Fate { fault: is_after.then_some(Fault::KilledBefore), ..Fate::default() }
    };
    let network = Network::new(fates, |_| {});
    let now: Timestamp = "2026-11-28T23:58:00Z".parse().unwrap();
    let review = network.review(&world.emulator, "late");
    let event = json!({"source": "inspector-triage", "detail-type": "Triage Daily"}).to_string();
    let work = lambda::handle_daily(&review, event.as_bytes(), Attempt::new("late", now));
    assert!(network.until_killed(Box::pin(work)).await.is_none(), "it died");
    assert_eq!(told(&mut world).len(), 1);
    world.daily("2026-11-29T00:03:00Z", json!({})).await;
    assert_eq!(told(&mut world), []);
    let reminded = world.record(&arn(0)).await.reminded.unwrap();
    assert_eq!((reminded.times, reminded.at), (1, now));
}

#[test]
fn a_message_that_very_many_share_is_one_that_sns_takes() {
    let sections: Vec<Section> = (0..200)
        .map(|number| Section {
            owner: Some(format!("{number:03} {}", "所".repeat(80))),
            overdue: Counts { p2: 1, total: 1, ..Counts::default() },
            findings: Vec::new(),
            accounts: (0..50).map(|account| format!("{:012}", number * 50 + account)).collect(),
            notices: (0..100)
                .map(|exception| Notice {
                    expires_at: "2026-12-05".parse().unwrap(),
                    id: format!("exception-{exception}"),
                    why: NoticeReason::Ending,
                })
                .collect(),
        })
        .collect();
    let reminded: Vec<Reminded<'_>> =
        sections.iter().map(|section| Reminded { section, most_urgent: &[] }).collect();
    let at = DUE.parse().unwrap();
    for audience in [Audience::Email, Audience::Chat, Audience::Data] {
        for message in message::reminder(audience, &reminded, at, &Style::default()) {
            let message = wording::published(audience, message);
            let attributes =
                message.attributes.iter().map(|(name, value)| name.len() + value.len());
            let size = message.message.len() + attributes.sum::<usize>();
            assert!(size < 262_144, "{audience:?}: {size}");
            assert_eq!(harm_in(&message), None);
        }
    }
}
