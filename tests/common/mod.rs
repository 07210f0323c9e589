//! What the tests share: a cloud on this machine, events to send to it, and eyes to look with.

pub mod cloudformation;
pub mod desk;
pub mod network;
pub mod openapi;
pub mod schema;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::PathBuf,
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use inspector_triage::{
    adapters::{
        dynamodb::{self, DynamoDb, keys},
        inspector2::Inspector2,
        s3::{Bucket, S3},
        sns::{Sns, Topics},
    },
    app::{
        Attempt, FlushResult, Queue, RoundLog, Summaries, TakenUp, Triage, TriageConfig,
        TriageResult, review::Review,
    },
    domain::{
        assess::Priority,
        finding::{Finding, Scope},
        record::{Lease, Record},
    },
    emulator::{
        self, Emulator, inspector,
        template::{OWN, Template},
        topic::Published,
    },
    lambda::{self, Response, event},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The ARN of the finding in [`event`].
pub const ARN: &str =
    "arn:aws:inspector2:eu-central-1:111122223333:finding/0000000000000000000000000000000a";

/// Calls to Inspector a second: as many as there are.
pub const RATE: f64 = 1000.0;

/// The schedule's event.
pub const FLUSH: &str = r#"{"source": "inspector-triage", "detail-type": "Triage Flush"}"#;

/// An item of the table.
pub type Item = HashMap<String, AttributeValue>;

/// A store, topics and Inspector, and the triage that uses them.
pub struct World {
    pub emulator: Emulator,
    pub triage: Triage<DynamoDb, Sns>,
    /// Whether the pages of reviews are kept.
    pub has_bucket: bool,
}

impl World {
    pub async fn new() -> Self {
        let template = Template::read(OWN).unwrap();
        let emulator = Emulator::open(&template, None).await.unwrap();
        let triage = triage(emulator.dynamodb(), emulator.sns());
        Self { emulator, triage, has_bucket: false }
    }

    /// Handles an event at a time, as the function does.
    pub async fn handle(&self, event: &Value, now: &str) -> Result<TriageResult, String> {
        let now: Timestamp = now.parse().unwrap();
        let name = format!("test@{now}");
        let attempt = Attempt::new(&name, now);
        let event = event.to_string();
        match lambda::handle(&self.triage, event.as_bytes(), attempt).await {
            Ok(Response::Finding(report)) => Ok(report),
            Ok(Response::Flush(flushed)) => panic!("{flushed:?}"),
            Err(failed) => Err(format!("{failed:?}")),
        }
    }

    /// Sums up what waits at a time, as the schedule has it done.
    pub async fn flush(&self, now: &str) -> Result<FlushResult, String> {
        let now: Timestamp = now.parse().unwrap();
        let name = format!("flush@{now}");
        let attempt = Attempt::new(&name, now);
        match lambda::handle(&self.triage, FLUSH.as_bytes(), attempt).await {
            Ok(Response::Flush(flushed)) => Ok(flushed),
            Ok(Response::Finding(report)) => panic!("{report:?}"),
            Err(failed) => Err(format!("{failed:?}")),
        }
    }

    /// The daily round, over these clients.
    pub fn review(&self) -> Review<DynamoDb, Sns, Inspector2, S3> {
        let inspector = Inspector2::new(self.emulator.inspector2(), RATE);
        let mut triage = triage(self.emulator.dynamodb(), self.emulator.sns());
        triage.publisher = self.triage.publisher.clone();
        triage.config = self.triage.config.clone();
        Review {
            triage,
            inspector,
            archive: archive(&self.emulator, self.has_bucket),
            scope: Scope::default(),
            own_functions: vec!["triage-".to_owned()],
        }
    }

    /// Handles an event of the daily round at a time, which asks for `detail`.
    pub async fn daily(&self, now: &str, detail: Value) -> Value {
        let now: Timestamp = now.parse().unwrap();
        let name = format!("daily@{now}");
        let event = json!({
            "source": "inspector-triage", "detail-type": "Triage Daily", "detail": detail
        });
        let event = event.to_string();
        let attempt = Attempt::new(&name, now);
        let review = self.review();
        let work = lambda::handle_daily(&review, event.as_bytes(), attempt);
        let result = Box::pin(work).await.unwrap();
        serde_json::to_value(&result).unwrap()
    }

    /// Handles the event of the weekly review of a moment, at a time.
    pub async fn weekly(&self, of: &str, now: &str) -> Value {
        let now: Timestamp = now.parse().unwrap();
        let name = format!("weekly@{now}");
        let attempt = Attempt::new(&name, now);
        let review = self.review();
        let event = weekly(of).to_string();
        let work = lambda::handle_daily(&review, event.as_bytes(), attempt);
        let result = Box::pin(work).await.unwrap();
        serde_json::to_value(&result).unwrap()
    }

    /// Has Inspector list these findings, given as events.
    pub fn inspect(&self, events: &[Value]) {
        let findings = events.iter().map(|event| inspector::as_api(event["detail"].clone()));
        self.emulator.inspector.fleet().findings = findings.collect();
    }

    /// Everything that was published since this was last asked.
    pub fn published(&mut self) -> Vec<Published> {
        std::iter::from_fn(|| self.emulator.published.try_recv().ok()).collect()
    }

    /// The same without reminders: what is due soon is no news.
    pub fn news(&mut self) -> Vec<Published> {
        let mut published = self.published();
        published.retain(|message| !has_reason(message, "overdue"));
        published
    }

    /// The findings that wait to be told and since when, those that wait longest first, at most
    /// `most` of them.
    pub async fn pending(&self, most: usize) -> Vec<(Timestamp, String)> {
        let mut all = Vec::new();
        for queue in [Queue::Untold, Queue::PartlyTold] {
            let waiting = self.triage.store.pending(queue, most, None).await.unwrap();
            assert_eq!(waiting.since.len(), waiting.rows.len(), "the index has what the table has");
            let arns = waiting.rows.into_iter().map(|row| row.finding.arn);
            all.extend(waiting.since.into_iter().zip(arns));
        }
        all.sort();
        all.truncate(most);
        all
    }

    /// All items of the table under a finding's key, by their sort key.
    pub async fn items(&self, arn: &str) -> Vec<Item> {
        let answer = Client::from_conf(self.emulator.dynamodb().build())
            .query()
            .table_name(emulator::TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(keys::finding(arn)))
            .send()
            .await
            .unwrap();
        answer.items.unwrap_or_default()
    }

    /// All items of findings: rows and history.
    pub async fn all(&self) -> Vec<Item> {
        let answer = Client::from_conf(self.emulator.dynamodb().build())
            .scan()
            .table_name(emulator::TABLE)
            .filter_expression("begins_with(pk, :finding)")
            .expression_attribute_values(":finding", AttributeValue::S(keys::finding("")))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await;
        answer.unwrap()
    }

    /// The record of a finding, if there is one.
    pub async fn find(&self, arn: &str) -> Option<Record> {
        let mut items = self.items(arn).await;
        items.retain(|item| item["sk"] == AttributeValue::S(keys::CURRENT.to_owned()));
        items.pop().map(|item| dynamodb::record(item).unwrap())
    }

    /// The record of a finding.
    pub async fn record(&self, arn: &str) -> Record {
        self.find(arn).await.expect("the finding is recorded")
    }

    /// The sort keys under a finding's key, without the version or time in them.
    pub async fn kinds(&self, arn: &str) -> Vec<String> {
        let text = |item: &Item, key| {
            item.get(key).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
        };
        let items = self.items(arn).await;
        let kinds = items.iter().map(|item| match text(item, "sk").split_once('#') {
            Some((kind, _)) => format!("{kind} {}", text(item, "what")),
            None => text(item, "sk"),
        });
        kinds.collect()
    }
}

/// The bucket for the pages of reviews, if there is one.
pub fn archive(emulator: &Emulator, has_bucket: bool) -> S3 {
    let bucket = Bucket { name: emulator::BUCKET.to_owned(), owner: emulator::ACCOUNT.to_owned() };
    S3::new(emulator.s3(), has_bucket.then_some(bucket))
}

pub fn triage(
    dynamodb: aws_sdk_dynamodb::config::Builder,
    sns: aws_sdk_sns::config::Builder,
) -> Triage<DynamoDb, Sns> {
    Triage::new(
        DynamoDb::new(dynamodb, emulator::TABLE.to_owned(), 400),
        Sns::new(sns, topics()),
        config(),
    )
}

/// With a message of its own for every finding that there is a token for, and a summary with each flush: who gets which,
/// and when, has tests of its own.
pub fn config() -> TriageConfig {
    let defaults = TriageConfig::default();
    TriageConfig { alone_from: Priority::P4, summary_after: SignedDuration::ZERO, ..defaults }
}

/// How often each finding is in a message for programs.
pub fn told(published: &[Published]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for message in published.iter().filter(|message| message.topic == emulator::DATA_TOPIC) {
        let data: Value = serde_json::from_str(&message.message).unwrap();
        for finding in data["findings"].as_array().unwrap() {
            *told.entry(finding["findingArn"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    told
}

/// Takes the right to go on with the round, as an invocation that is at it has, and does not give it back.
pub async fn hold_the_round(world: &World, now: &str) {
    let now: Timestamp = now.parse().unwrap();
    let until = now + SignedDuration::from_mins(1);
    let lease = Lease { holder: "somebody else".to_owned(), until };
    let taken = world.triage.store.take_up(&lease, now).await.unwrap();
    assert!(matches!(taken, TakenUp::Yes(_)));
}

/// Whether a message is told for this reason, as its attribute says.
pub fn has_reason(message: &Published, reason: &str) -> bool {
    message.attributes.get("reason").is_some_and(|told| told == reason)
}

/// The event of the weekly review of a moment.
pub fn weekly(of: &str) -> Value {
    json!({"source": "inspector-triage", "detail-type": "Triage Weekly", "time": of})
}

/// The topics of all audiences.
pub fn all_topics() -> Topics {
    Topics {
        chat: Some(emulator::CHAT_TOPIC.to_owned()),
        data: Some(emulator::DATA_TOPIC.to_owned()),
        ..topics()
    }
}

/// The topic for e-mail alone.
pub fn topics() -> Topics {
    Topics { email: emulator::TOPIC.to_owned(), chat: None, data: None }
}

/// The ARN of a finding with a number.
pub fn arn(number: usize) -> String {
    format!("arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}")
}

/// The finding in an event.
pub fn read(event: &Value) -> Finding {
    event::finding(event.to_string().as_bytes()).unwrap().finding
}

/// An ordinary event of `updatedAt`, after `change` to its detail.
pub fn event(updated_at: &str, change: impl FnOnce(&mut Value)) -> Value {
    event_of(ARN, updated_at, change)
}

/// An ordinary event of `updatedAt` about a finding, after `change` to its detail.
pub fn event_of(arn: &str, updated_at: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut detail = json!({
        "findingArn": arn,
        "awsAccountId": "111122223333",
        "type": "PACKAGE_VULNERABILITY",
        "status": "ACTIVE",
        "severity": "HIGH",
        "title": "CVE-2026-10001 - libexample",
        "description": "A crafted file makes libexample write past the end of a buffer.",
        "firstObservedAt": "Fri Nov 20 10:00:00.000 UTC 2026",
        "lastObservedAt": updated_at,
        "updatedAt": updated_at,
        "epss": {"score": 0.01},
        "exploitAvailable": "NO",
        "fixAvailable": "YES",
        "packageVulnerabilityDetails": {
            "vulnerabilityId": "CVE-2026-10001",
            "source": "NVD",
            "vendorCreatedAt": "Sun Oct 11 00:00:00.000 UTC 2026",
            "vulnerablePackages": [{"name": "libexample", "version": "1.4.2", "fixedInVersion": "1.4.3"}]
        },
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [{"type": "AWS_EC2_INSTANCE", "id": "i-0123456789abcdef0", "tags": {"Name": "web-1"}}]
    });
    change(&mut detail);
    json!({
        "version": "0", "id": "7c0ba4ce-0000-4000-8000-000000000001", "detail-type": "Inspector2 Finding",
        "source": "aws.inspector2", "account": "111122223333", "time": "2026-11-20T10:00:01Z",
        "region": "eu-central-1", "resources": ["i-0123456789abcdef0"], "detail": detail
    })
}

/// A file of this project.
pub fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder of the test's own.
pub fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
