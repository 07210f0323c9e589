//! Every kind of message, for every audience, in every language: word for word, by its schema, and
//! harmless whatever strangers write into a finding.
//!
//! After a change that is meant, `cargo insta review` or `INSTA_UPDATE=always cargo test`.

use std::{fs, sync::LazyLock};

use crate::{
    common::{self, World, all_topics, event, project},
    ledger,
};
use inspector_triage::{
    adapters::sns::Sns,
    app::Outcome,
    domain::{announce::Budget, record::Audience},
    emulator::{self, topic::Published},
    render::{
        Language,
        message::{Attribute, Message},
    },
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

pub static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = fs::read_to_string(project("docs/data-message.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap()
});

/// A world in which all audiences hear.
pub async fn world(language: Language) -> World {
    let mut world = World::new().await;
    world.triage.publisher = Sns::new(world.emulator.sns(), all_topics());
    world.triage.config.style.language = language;
    world
}

type Change = fn(&mut Value);

/// How a finding comes to be told, by the reason that is given: its states, one after the other.
const STORIES: [(&str, &[Change]); 5] = [
    ("new", &[|_| {}]),
    (
        "priority-raised",
        &[
            |f| {
                f["severity"] = json!("LOW");
                f["epss"] = json!({"score": 0.000_1});
                f["exploitAvailable"] = json!("NO");
                f.as_object_mut().unwrap().remove("exploitabilityDetails");
            },
            |f| {
                f["severity"] = json!("CRITICAL");
                f["epss"] = json!({"score": 0.8});
            },
        ],
    ),
    (
        "exploit-seen",
        &[
            |f| {
                f["exploitAvailable"] = json!("NO");
                f.as_object_mut().unwrap().remove("exploitabilityDetails");
            },
            |f| f["exploitAvailable"] = json!("YES"),
        ],
    ),
    ("fix-appeared", &[|f| f["fixAvailable"] = json!("NO"), |f| f["fixAvailable"] = json!("YES")]),
    ("reopened", &[|_| {}, |f| f["status"] = json!("CLOSED"), |f| f["status"] = json!("ACTIVE")]),
];

const KINDS: [(&str, &str); 3] = [
    ("package", "events/01-critical-exploit-and-fix.json"),
    ("code", "events/08-code-vulnerability.json"),
    ("network", "events/10-network-reachability.json"),
];

fn sample(file: &str, number: usize) -> Value {
    let mut event: Value =
        serde_json::from_str(&fs::read_to_string(project(file)).unwrap()).unwrap();
    event["detail"]["findingArn"] = json!(common::arn(number));
    // A problem of its own.
    let detail = &mut event["detail"];
    if let Some(id) = detail.pointer_mut("/packageVulnerabilityDetails/vulnerabilityId") {
        *id = json!(format!("CVE-2026-2000{number}"));
    }
    if let Some(file) = detail.pointer_mut("/codeVulnerabilityDetails/filePath/filePath") {
        *file = json!(format!("src/handler{number}.py"));
    }
    if let Some(port) = detail.pointer_mut("/networkReachabilityDetails/openPortRange") {
        *port = json!({"begin": 5000 + number, "end": 5000 + number});
    }
    event
}

/// All messages: each kind of finding for each reason, then a summary of one of each kind.
async fn all_messages(language: Language) -> Vec<(String, Vec<Published>)> {
    let mut world = world(language).await;
    let mut now: Timestamp = "2026-11-18T00:00:00Z".parse().unwrap();
    let mut messages = Vec::new();
    let mut number = 0;
    for (kind, file) in KINDS {
        for (reason, states) in STORIES {
            number += 1;
            let mut event = sample(file, number);
            for state in states {
                now += SignedDuration::from_hours(1);
                event["detail"]["updatedAt"] = json!(now.to_string());
                state(&mut event["detail"]);
                world.published();
                let report = world.handle(&event, &now.to_string()).await.unwrap();
                if std::ptr::eq(state, states.last().unwrap()) {
                    assert_eq!(report.reason, reason, "{kind}");
                }
            }
            messages.push((format!("{kind}, {reason}"), world.published()));
        }
    }
    messages.push(("package, exception-ended".to_owned(), exception_ended(&mut world, now).await));
    now += SignedDuration::from_hours(2);
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for (number, (_, file)) in KINDS.iter().enumerate() {
        let mut event = sample(file, 100 + number);
        event["detail"]["updatedAt"] = json!(now.to_string());
        world.handle(&event, &now.to_string()).await.unwrap();
    }
    world.triage.config.budget = Budget::default();
    world.flush(&(now + SignedDuration::from_mins(5)).to_string()).await.unwrap();
    messages.push(("summary".to_owned(), world.published()));
    messages
}

/// The messages about a finding that an exception has covered until an exploit was seen.
async fn exception_ended(world: &mut World, now: Timestamp) -> Vec<Published> {
    let exception = ledger::exception("web-servers-until-january", |exception| {
        exception["packages"] = json!(["httpd"]);
    });
    ledger::put(world, &[exception], &now.to_string()).await;
    let mut event = sample(KINDS[0].1, 90);
    for (hours, exploit) in [(1, "NO"), (2, "YES")] {
        let now = (now + SignedDuration::from_hours(hours)).to_string();
        event["detail"]["updatedAt"] = json!(now);
        event["detail"]["exploitAvailable"] = json!(exploit);
        event["detail"].as_object_mut().unwrap().remove("exploitabilityDetails");
        world.published();
        let report = world.handle(&event, &now).await.unwrap();
        assert_eq!(report.outcome == Outcome::Excepted, exploit == "NO", "{report:?}");
    }
    ledger::put(world, &[], &(now + SignedDuration::from_hours(2)).to_string()).await;
    world.published()
}

pub fn shown(messages: &[(String, Vec<Published>)], topic: &str) -> String {
    let mut shown = String::new();
    for (what, published) in messages {
        let mut of_topic = published.iter().filter(|message| message.topic == topic);
        let message = of_topic.next().unwrap_or_else(|| panic!("{what}: no message"));
        assert!(of_topic.next().is_none(), "{what}: one message for each audience");
        let body = match serde_json::from_str::<Value>(&message.message) {
            Ok(json) => format!("{json:#}"),
            Err(_) => message.message.clone(),
        };
        let subject = message.subject.as_deref().unwrap_or("-");
        let attributes: Vec<String> =
            message.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let attributes = attributes.join(" ");
        shown.extend([
            format!("######## {what}\nSubject: {subject}\n"),
            format!("Attributes: {attributes}\n\n{body}\n\n"),
        ]);
    }
    shown
}

#[tokio::test]
async fn every_message_stays_as_it_is_in_english() {
    let messages = all_messages(Language::En).await;
    insta::assert_snapshot!("email.en", shown(&messages, emulator::TOPIC));
    insta::assert_snapshot!("chat.en", shown(&messages, emulator::CHAT_TOPIC));
    insta::assert_snapshot!("data.en", shown(&messages, emulator::DATA_TOPIC));
}

#[tokio::test]
async fn every_message_stays_as_it_is_in_japanese() {
    let messages = all_messages(Language::Ja).await;
    insta::assert_snapshot!("email.ja", shown(&messages, emulator::TOPIC));
    insta::assert_snapshot!("chat.ja", shown(&messages, emulator::CHAT_TOPIC));
    insta::assert_snapshot!("data.ja", shown(&messages, emulator::DATA_TOPIC));
}

#[tokio::test]
async fn subject_and_body_say_the_same_of_what_helps() {
    for (fix, packages, subject, body) in [
        ("YES", json!([]), ": update", "Update the affected package to remove CVE-2026-10001."),
        ("YES", json!([{"version": "1"}]), ": update", "Update the affected package to remove"),
        ("NO", json!([]), ": no fix yet", "Mitigate CVE-2026-10001 in the affected package: there"),
        (
            "NO",
            json!([{"name": "a", "fixedInVersion": "2"}]),
            ": fix 2",
            "Update a to 2 to remove CVE-2026-10001.",
        ),
        (
            "YES",
            json!([{"name": "a", "fixedInVersion": "2"}, {"name": "b"}]),
            ": fix 2",
            "Update a to 2, b to a fixed version to remove CVE-2026-10001.",
        ),
    ] {
        let mut world = World::new().await;
        let event = event("2026-11-20T10:00:00Z", |f| {
            f["fixAvailable"] = json!(fix);
            f["packageVulnerabilityDetails"]["vulnerablePackages"] = packages.clone();
        });
        world.handle(&event, "2026-11-20T12:00:00Z").await.unwrap();
        let published = world.published().remove(0);
        let text = published.message.split_whitespace().collect::<Vec<_>>().join(" ");
        let what = format!("{fix} {packages}: {:?}\n{}", published.subject, published.message);
        assert!(published.subject.is_some_and(|line| line.ends_with(subject)), "{what}");
        assert!(text.starts_with(body), "{what}");
        let is_mitigated = body.starts_with("Mitigate");
        assert_eq!(published.message.contains("there is no fix)"), is_mitigated, "{what}");
    }
}

#[tokio::test]
async fn what_programs_get_follows_its_schema() {
    for (what, published) in all_messages(Language::En).await {
        for message in published.iter().filter(|message| message.topic == emulator::DATA_TOPIC) {
            let data = serde_json::from_str(&message.message).unwrap();
            let errors: Vec<String> =
                SCHEMA.iter_errors(&data).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0], "{what}");
        }
    }
    assert!(!SCHEMA.is_valid(&json!({"version": "2"})), "the schema refuses something");
}

/// What strangers might write.
pub fn nasty() -> impl Strategy<Value = String> {
    let tricks = prop::sample::select(vec![
        "<!channel>",
        "<@U024BE7LH>",
        "@here",
        "@Everyone",
        "<https://evil.example|ok>",
        "[Inspector](https://evil.example)",
        "[x](javascript:alert(1))",
        "![](http://evil.example/p.png)",
        "\u{1b}[31mred\u{1b}[0m",
        "\u{1b}]0;title\u{7}",
        "\u{202e}gnp.exe",
        "a\u{200b}b\u{feff}",
        "line\r\nBcc: all@example.com",
        "\u{2028}",
        "\0",
        "`*_~|>#",
        "{{ it.problem }}",
        "<script>alert(1)</script>",
        "脆弱性の説明",
        "\u{1f4a3}",
    ]);
    let piece = prop_oneof![3 => tricks.prop_map(str::to_owned), 1 => any::<String>()];
    (prop::collection::vec(piece, 0..4), 1..200_usize)
        .prop_map(|(pieces, times)| pieces.concat().repeat(if times > 190 { times } else { 1 }))
}

/// A finding in which strangers wrote everything they can.
fn hostile() -> impl Strategy<Value = Value> {
    (prop::collection::vec(nasty(), 14), prop::sample::select(KINDS.to_vec())).prop_map(
        |(mut text, (_, file))| {
            let mut event = sample(file, 1);
            let f = &mut event["detail"];
            let mut next = || format!("x{}", text.pop().unwrap());
            f["title"] = json!(next());
            f["description"] = json!(next());
            f["severity"] = json!(next());
            f["remediation"] = json!({"recommendation": {"text": next(), "Url": next()}});
            let (key, value) = (next(), next());
            f["resources"][0]["tags"] = json!({key: value});
            f["resources"][0]["id"] = json!(next());
            if let Some(package) = f.get_mut("packageVulnerabilityDetails") {
                package["vulnerabilityId"] = json!(next());
                package["sourceUrl"] = json!(format!("https://{}", next()));
                package["vulnerablePackages"] = json!([{
                    "name": next(), "version": next(), "fixedInVersion": next(), "remediation": next(),
                }]);
            }
            if let Some(code) = f.get_mut("codeVulnerabilityDetails") {
                code["detectorName"] = json!(next());
                code["filePath"] = json!({"filePath": next(), "fileName": next(), "startLine": 1, "endLine": 2});
            }
            event
        },
    )
}

/// Every text in a JSON value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            found.push(key.clone());
            texts(value, found);
        }),
        _ => {}
    }
}

fn calls_everybody(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["@here", "@everyone", "@channel", "@all"].iter().any(|word| {
        let ends = lower.match_indices(word).map(|(at, _)| &lower[at + word.len()..]);
        let mut after = ends.map(|rest| rest.chars().next());
        after.any(|next| !next.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_'))
    })
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A message as the topic of its audience publishes it.
pub fn published(audience: Audience, message: Message) -> Published {
    let attributes = message.attributes.into_iter().map(|(name, value)| {
        let value = match value {
            Attribute::One(value) => value,
            Attribute::Each(values) => json!(values).to_string(),
        };
        (name.to_owned(), value)
    });
    Published {
        topic: emulator::topic(audience).to_owned(),
        subject: message.subject,
        message: message.body,
        attributes: attributes.collect(),
    }
}

/// What in a message could do harm, or is not as its readers take it.
pub fn harm_in(message: &Published) -> Option<String> {
    let mut all = Vec::new();
    match serde_json::from_str::<Value>(&message.message) {
        Ok(json) => texts(&json, &mut all),
        Err(_) => all.push(message.message.clone()),
    }
    // Nobody reads attributes; filters match them.
    let mut shown = all.iter().chain(message.attributes.values());
    if let Some(text) = shown.find(|text| text.contains(is_hidden)) {
        return Some(format!("something hidden in {text}"));
    }
    if message.topic == emulator::DATA_TOPIC {
        let data = serde_json::from_str(&message.message).unwrap();
        return SCHEMA.validate(&data).err().map(|error| error.to_string());
    }
    let is_alive =
        |text: &&String| text.contains('<') || text.contains("](") || calls_everybody(text);
    if let Some(text) = all.iter().find(is_alive) {
        return Some(format!("alive: {text}"));
    }
    if message.topic == emulator::CHAT_TOPIC {
        let chat: Value = serde_json::from_str(&message.message).unwrap();
        let too_long = |(path, most): &(&str, usize)| {
            chat.pointer(path).and_then(Value::as_str).unwrap().chars().count() > *most
        };
        let limits =
            [("/content/title", 250), ("/content/description", 8000), ("/metadata/threadId", 200)];
        return limits.into_iter().find(too_long).map(|(path, _)| format!("{path} is too long"));
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_that_strangers_write_reaches_a_reader_alive(
        event in hostile(),
        japanese in any::<bool>(),
        summed_up in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let published = runtime.block_on(async {
            let language = if japanese { Language::Ja } else { Language::En };
            let mut world = world(language).await;
            if summed_up {
                world.triage.config.budget = Budget { p1: 0, others: 0 };
            }
            world.handle(&event, "2026-11-20T12:00:00Z").await.unwrap();
            world.triage.config.budget = Budget::default();
            world.flush("2026-11-20T12:05:00Z").await.unwrap();
            world.published()
        });
        // The topic itself refuses what SNS would.
        prop_assert_eq!(published.len(), 3);
        for message in &published {
            prop_assert_eq!(harm_in(message), None);
        }
    }
}
