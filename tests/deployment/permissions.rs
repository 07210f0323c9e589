//! The role permits what the function calls.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use inspector_triage::{
    adapters::{
        dynamodb::DynamoDb,
        inspector2::Inspector2,
        s3::{Bucket, S3},
        secrets::Secrets,
        sns::Sns,
        trackers::TrackerClient,
    },
    app::{
        Attempt, Clock, Sweep, TimeLimit, Triage,
        review::{Review, RoundOutcome},
        tickets::Tickets,
    },
    domain::{assess::Priority, finding::Scope, record::How, round::Ask, ticket::TrackerKind},
    emulator::{self, inspector::Account},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{JIRA, OWN_KEY, SECRET, default, everything, list};
use crate::{
    common::{
        self, World, all_topics, arn,
        cloudformation::Stack,
        desk::{Desk, TOKEN, settings, tracker_config},
        event_of,
    },
    ledger,
};

/// An action on a resource.
type Permission = (String, String);

/// What a role may do.
fn permissions(stack: &Stack, role: &str) -> BTreeSet<Permission> {
    let role = stack.resource(role);
    let mut permissions = BTreeSet::new();
    let policies = match &role["Policies"] {
        Value::Array(policies) => policies.clone(),
        // It is a policy itself.
        _ => vec![role],
    };
    for policy in &policies {
        for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
            assert_eq!(statement["Effect"], "Allow");
            for action in list(&statement["Action"]) {
                for resource in list(&statement["Resource"]) {
                    permissions.insert((action.to_owned(), resource.to_owned()));
                }
            }
        }
    }
    permissions
}

/// Writes down what the SDK asks of the services, as the permissions it takes.
#[derive(Clone, Debug, Default)]
struct Watch(Arc<Mutex<BTreeSet<Permission>>>);

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.lock().unwrap().extend(needed(context.request()));
        Ok(())
    }
}

fn needed(request: &HttpRequest) -> Vec<Permission> {
    let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/FindingsTable";
    let body = request.body().bytes().unwrap();
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    if let Some((_, path)) = request.uri().split_once("inspector2.eu-central-1.amazonaws.com/") {
        let action = match path {
            "findings/list" => "ListFindings",
            "coverage/list" => "ListCoverage",
            "status/batch/get" => "BatchGetAccountStatus",
            "delegatedadminaccounts/get" => "GetDelegatedAdminAccount",
            "members/list" => "ListMembers",
            "findings/details/batch/get" => "BatchGetFindingDetails",
            "vulnerabilities/search" => "SearchVulnerabilities",
            other => panic!("a call to {other}"),
        };
        return vec![(format!("inspector2:{action}"), "*".to_owned())];
    }
    if let Some((host, path)) = request.uri().split_once(".s3.eu-central-1.amazonaws.com/") {
        assert_eq!((request.method(), host), ("PUT", "https://inspector-triage-reviewbucket"));
        let (folder, _) = path.split_once('/').unwrap();
        return vec![(
            "s3:PutObject".to_owned(),
            format!("arn:aws:s3:::{}/{folder}/*", emulator::BUCKET),
        )];
    }
    let Some((_, operation)) = target.split_once('.') else {
        let fields: BTreeMap<_, _> = form_urlencoded::parse(body).collect();
        let topic = match &*fields["TopicArn"] {
            emulator::TOPIC => "AlertsTopic",
            emulator::CHAT_TOPIC => "ChatTopic",
            emulator::DATA_TOPIC => "DataTopic",
            other => panic!("a message to {other}"),
        };
        let topic = format!("arn:aws:sns:eu-central-1:111122223333:{topic}");
        return vec![(format!("sns:{}", fields["Action"]), topic)];
    };
    let body: Value = serde_json::from_slice(body).unwrap();
    if target.starts_with("secretsmanager.") {
        let secret = body["SecretId"].as_str().unwrap().to_owned();
        return vec![(format!("secretsmanager:{operation}"), secret)];
    }
    match operation {
        // A transaction takes the permissions of its parts.
        "TransactWriteItems" => {
            let parts = body["TransactItems"].as_array().unwrap().iter();
            parts
                .flat_map(|part| part.as_object().unwrap().keys())
                .map(|kind| match kind.as_str() {
                    "ConditionCheck" => "ConditionCheckItem".to_owned(),
                    kind => format!("{kind}Item"),
                })
                .map(|action| (format!("dynamodb:{action}"), table.to_owned()))
                .collect()
        }
        "Query" => {
            let index = body["IndexName"].as_str();
            let index = index.map(|index| format!("/index/{index}")).unwrap_or_default();
            vec![("dynamodb:Query".to_owned(), format!("{table}{index}"))]
        }
        other => vec![(format!("dynamodb:{other}"), table.to_owned())],
    }
}

/// What the daily round does, as permissions.
async fn calls_of_rounds() -> BTreeSet<Permission> {
    let watch = Watch::default();
    let world = World::new().await;
    let dynamodb = world.emulator.dynamodb().interceptor(watch.clone());
    let sns = world.emulator.sns().interceptor(watch.clone());
    let triage = common::triage(dynamodb, sns.clone());
    let triage = Triage::new(triage.store, Sns::new(sns, all_topics()), triage.config);
    let inspector = world.emulator.inspector2().interceptor(watch.clone());
    let inspector = Inspector2::new(inspector, common::RATE);
    let bucket = Bucket { name: emulator::BUCKET.to_owned(), owner: emulator::ACCOUNT.to_owned() };
    let archive = S3::new(world.emulator.s3().interceptor(watch.clone()), Some(bucket));
    let review = Review {
        triage,
        inspector,
        archive,
        scope: Scope::default(),
        own_functions: vec!["triage-".to_owned()],
    };
    let finding = |at: &str| event_of(&arn(1), at, |_| {});
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.administrator = Some("111122223333".to_owned());
        fleet.accounts.push(Account::new("444455556666"));
        fleet.accounts[1].off = vec!["lambda"];
    }
    // One that Inspector does not have.
    let other = event_of(&arn(2), "2026-11-19T10:00:00Z", |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-00002");
    });
    world.handle(&other, "2026-11-19T10:00:05Z").await.unwrap();
    for (day, at, is_heard) in
        [("20", "2026-11-19T10:00:00Z", false), ("21", "2026-11-20T10:00:00Z", true)]
    {
        world.inspect(&[finding(at)]);
        // On the second day what was missing is looked at.
        if is_heard {
            world.emulator.inspector.fleet().accounts[1].off.clear();
        }
        for topic in [emulator::TOPIC, emulator::CHAT_TOPIC, emulator::DATA_TOPIC] {
            world.emulator.listen(topic, is_heard);
        }
        let name = format!("daily {day}");
        let now = format!("2026-11-{day}T00:10:00Z").parse().unwrap();
        let result = Box::pin(review.daily(Ask::default(), Attempt::new(&name, now))).await;
        assert_eq!(result.unwrap().outcome, RoundOutcome::Done);
    }
    // What others change at the same time goes the way of an event.
    let event = event_of(&arn(3), "2026-11-20T10:00:00Z", |_| {});
    let attempt = Attempt::new("race", "2026-11-21T00:10:00Z".parse().unwrap());
    Box::pin(review.triage.finding(common::read(&event), attempt)).await.unwrap();
    let now = "2026-11-23T07:00:05Z".parse().unwrap();
    let weekly = review.weekly_review(now, Attempt::new("weekly", now));
    assert_eq!(Box::pin(weekly).await.unwrap().outcome, RoundOutcome::Done);
    watch.0.lock().unwrap().clone()
}

/// What the function does in the life of findings, as permissions.
async fn all_calls() -> BTreeSet<Permission> {
    let watch = Watch::default();
    let mut world = World::new().await;
    let dynamodb = world.emulator.dynamodb().interceptor(watch.clone());
    let sns = world.emulator.sns().interceptor(watch.clone());
    let triage = common::triage(dynamodb, world.emulator.sns());
    world.triage = Triage::new(triage.store, Sns::new(sns, all_topics()), triage.config);

    let now = "2026-11-20T10:00:10Z";
    let finding = |number: usize, at: &str, status: &str| {
        event_of(&arn(number), at, |f| {
            f["status"] = json!(status);
            f["packageVulnerabilityDetails"]["vulnerabilityId"] =
                json!(format!("CVE-2026-{number:05}"));
        })
    };
    let mut outcomes = BTreeSet::new();
    for number in 1..10 {
        for (at, status) in [
            ("2026-11-20T10:00:00Z", "ACTIVE"),
            ("2026-11-20T10:00:00Z", "ACTIVE"),
            ("2026-11-20T10:00:01Z", "ACTIVE"),
        ] {
            outcomes.insert(world.handle(&finding(number, at, status), now).await.unwrap().outcome);
        }
    }
    let closed = finding(1, "2026-11-20T10:00:02Z", "CLOSED");
    outcomes.insert(world.handle(&closed, now).await.unwrap().outcome);
    let stale = finding(1, "2026-11-20T09:00:00Z", "ACTIVE");
    outcomes.insert(world.handle(&stale, now).await.unwrap().outcome);
    let flushed = world.flush("2026-11-20T10:05:00Z").await.unwrap();
    assert!(flushed.findings > 0, "{flushed:?}");
    ledger::put(&world, &[ledger::exception("libexample", |_| {})], "2026-11-20T10:06:00Z").await;
    // That none is in force is believed for five minutes.
    let excepted = finding(10, "2026-11-20T10:06:00Z", "ACTIVE");
    outcomes.insert(world.handle(&excepted, "2026-11-20T10:11:00Z").await.unwrap().outcome);
    for topic in [emulator::TOPIC, emulator::CHAT_TOPIC, emulator::DATA_TOPIC] {
        world.emulator.listen(topic, false);
    }
    world.flush("2026-11-20T10:15:00Z").await.unwrap();
    assert_eq!(outcomes.len(), 6, "{outcomes:?}");
    watch.0.lock().unwrap().clone()
}

#[tokio::test]
async fn each_role_permits_what_its_function_calls_and_nothing_else() {
    permits("Triage", all_calls().await);
    permits("Review", Box::pin(calls_of_rounds()).await);
}

/// What the function of tickets calls, as permissions.
async fn calls_of_tickets() -> BTreeSet<Permission> {
    let watch = Watch::default();
    let desk = Desk::new(TrackerKind::Jira).await;
    let secrets = desk.world.emulator.secrets_manager().interceptor(watch.clone());
    let token = format!("bot@example.com:{TOKEN}");
    desk.tracker.state().tokens.insert(token);
    let secret = json!({"user": "bot@example.com", "token": TOKEN}).to_string();
    desk.world.emulator.secrets.contents().secrets.insert(SECRET.1.to_owned(), secret);
    let dynamodb = desk.world.emulator.dynamodb().interceptor(watch.clone());
    let tickets = Tickets {
        store: DynamoDb::new(dynamodb, emulator::TABLE.to_owned(), 400),
        tracker: TrackerClient::new(
            tracker_config(TrackerKind::Jira, &desk.url),
            Secrets::new(secrets, SECRET.1),
        ),
        config: settings(TrackerKind::Jira, Priority::P4),
    };
    desk.event(1, |_| {}).await;
    let attempt = |now| Attempt::new("all", now);
    tickets.note_all(attempt(desk.clock.now())).await.unwrap();
    let opened = tickets.settle(attempt(desk.clock.now()), &desk.clock, Vec::new()).await.unwrap();
    assert_eq!(opened.opened, 1);
    desk.end(1, How::Fixed).await;
    tickets.note(&[&arn(1)], attempt(desk.clock.now())).await.unwrap();
    desk.pass(SignedDuration::from_mins(10));
    let closed = tickets.settle(attempt(desk.clock.now()), &desk.clock, Vec::new()).await.unwrap();
    assert_eq!(closed.closed, 1);
    watch.0.lock().unwrap().clone()
}

#[tokio::test]
async fn the_role_of_tickets_permits_what_its_function_calls_and_nothing_else() {
    let queue = "arn:aws:sqs:eu-central-1:111122223333:TicketsQueue";
    let mut expected = Box::pin(calls_of_tickets()).await;
    expected.extend(by_lambda("Tickets"));
    expected.extend(
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
            .map(|action| (action.to_owned(), queue.to_owned())),
    );
    let none_of_it = [("NotificationEmail", "security@example.com")];
    let without_more = Stack::new(&[&none_of_it[..], &JIRA].concat());
    assert_eq!(permissions(&without_more, "TicketsRole"), expected);

    expected.extend(
        [
            ("xray:PutTraceSegments", "*"),
            ("xray:PutTelemetryRecords", "*"),
            ("kms:Decrypt", OWN_KEY.1),
        ]
        .map(|(action, on)| (action.to_owned(), on.to_owned())),
    );
    assert_eq!(permissions(&everything(), "TicketsRole"), expected);
}

#[test]
fn tickets_are_written_and_findings_are_not() {
    let role = everything().resource("TicketsRole");
    let policies = role["Policies"].as_array().unwrap();
    let statements = || {
        let of = |policy: &Value| policy["PolicyDocument"]["Statement"].as_array().unwrap().clone();
        policies.iter().flat_map(of)
    };
    let keys =
        json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["TICKET#*", "TICKETS"]}});
    for statement in statements() {
        let writes = list(&statement["Action"])
            .iter()
            .any(|action| ["dynamodb:UpdateItem", "dynamodb:DeleteItem"].contains(action));
        assert_eq!(statement["Condition"] == keys, writes, "{statement}");
    }
    let key = statements().find(|statement| statement["Action"] == "kms:Decrypt").unwrap();
    let through = json!({"StringEquals": {
        "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com",
        "kms:EncryptionContext:SecretARN": SECRET.1,
    }});
    assert_eq!(key["Condition"], through);
}

#[tokio::test]
async fn a_pipeline_may_put_a_ledger_in_force_and_nothing_else() {
    let watch = Watch::default();
    let world = World::new().await;
    let open = event_of(&arn(1), "2026-11-20T10:00:00Z", |_| {});
    world.handle(&open, "2026-11-20T10:00:05Z").await.unwrap();
    let dynamodb = world.emulator.dynamodb().interceptor(watch.clone());
    let store = common::triage(dynamodb, world.emulator.sns()).store;
    for (id, now) in [("one", "2026-11-20T11:00:00Z"), ("two", "2026-11-20T12:00:00Z")] {
        ledger::put_into(&store, &[ledger::exception(id, |_| {})], now).await;
        store.each_open(TimeLimit::none(), |_| {}).await.unwrap();
    }
    let calls = watch.0.lock().unwrap().clone();
    assert_eq!(permissions(&everything(), "LedgerPolicy"), calls);
    let policy = everything().resource("LedgerPolicy");
    assert_eq!(policy["Roles"], json!(["ledger"]));
    let written = &policy["PolicyDocument"]["Statement"][0];
    let keys = json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["LEDGER", "LEDGER#*"]}});
    assert_eq!(written["Condition"], keys);
}

/// What Lambda does in the name of a function.
fn by_lambda(function: &str) -> [Permission; 3] {
    let arn =
        |service: &str, name: &str| format!("arn:aws:{service}:eu-central-1:111122223333:{name}");
    let logs = arn("logs", &format!("log-group:{function}Logs:*"));
    [
        ("sqs:SendMessage", arn("sqs", "FailureQueue")),
        ("logs:CreateLogStream", logs.clone()),
        ("logs:PutLogEvents", logs),
    ]
    .map(|(action, on)| (action.to_owned(), on))
}

/// The role of a function permits these calls, and what Lambda does in its name.
fn permits(function: &str, calls: BTreeSet<Permission>) {
    let mut expected = calls;
    expected.extend(by_lambda(function));

    let role = &format!("{function}Role");
    let mut all = permissions(&everything(), role);
    let extra = [
        ("xray:PutTraceSegments", "*"),
        ("xray:PutTelemetryRecords", "*"),
        ("kms:Decrypt", OWN_KEY.1),
        ("kms:GenerateDataKey", OWN_KEY.1),
    ];
    for (action, on) in extra {
        assert!(all.remove(&(action.to_owned(), on.to_owned())), "{action}");
    }
    assert_eq!(all, expected);

    expected.retain(|(action, on)| {
        !on.ends_with("ChatTopic") && !on.ends_with("DataTopic") && action != "s3:PutObject"
    });
    assert_eq!(permissions(&default(), role), expected);
    assert_eq!(
        Stack::new(&[]).resource(role).get("ManagedPolicyArns"),
        None,
        "SAM's own policies would allow more"
    );
}

#[test]
fn every_function_has_a_role_and_a_log_group_of_its_own() {
    let stack = everything();
    let functions = stack.resources("AWS::Lambda::Function");
    let (mut roles, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for (name, function) in &functions {
        let (_, role) = function["Role"].as_str().unwrap().rsplit_once('/').unwrap();
        let group = function["LoggingConfig"]["LogGroup"].as_str().unwrap();
        assert_eq!(stack.resource(group)["RetentionInDays"], "90", "{name}");
        let may = permissions(&stack, role);
        for (action, service, resource) in [
            ("logs:PutLogEvents", "logs", format!("log-group:{group}:*")),
            ("sqs:SendMessage", "sqs", "FailureQueue".to_owned()),
        ] {
            let arn = format!("arn:aws:{service}:eu-central-1:111122223333:{resource}");
            assert!(may.contains(&(action.to_owned(), arn)), "{name} lacks {action}");
        }
        roles.insert(role.to_owned());
        groups.insert(group.to_owned());
    }
    assert_eq!(roles.len(), functions.len());
    assert_eq!(groups.len(), functions.len());
}
