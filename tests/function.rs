//! The real function, as a process, with a Runtime API, a store and a topic around it.

use std::{
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use crate::common::{self, ARN, World, event, event_of};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue},
    response::IntoResponse,
    routing::{get, post},
};
use inspector_triage::emulator;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, Command},
    sync::{
        Mutex,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
};

/// What the function says of an invocation: the path it answered on, and the body.
type Response = (String, Value);

#[derive(Clone)]
struct RuntimeApi {
    events: Arc<Mutex<UnboundedReceiver<Vec<u8>>>>,
    answers: UnboundedSender<Response>,
}

/// A function under test.
pub struct Function {
    process: Child,
    events: UnboundedSender<Vec<u8>>,
    answers: UnboundedReceiver<Response>,
}

impl Function {
    async fn start(environment: &[(&str, &str)]) -> Self {
        Self::of(env!("CARGO_BIN_EXE_triage"), "triage", environment).await
    }

    /// The function of this program.
    pub async fn of(program: &str, name: &str, environment: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, waiting) = unbounded_channel();
        let (sender, answers) = unbounded_channel();
        let api = RuntimeApi { events: Arc::new(Mutex::new(waiting)), answers: sender };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
            .with_state(api);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let process = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { process, events, answers }
    }

    /// Gives it an event and waits for the answer.
    pub async fn invoke(&mut self, event: impl Into<Vec<u8>>) -> Response {
        self.events.send(event.into()).unwrap();
        self.answers.recv().await.expect("the runtime API runs as long as the test")
    }

    /// What it wrote by the time it ended of its own accord.
    pub async fn ends(mut self) -> (ExitStatus, String) {
        let mut log = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut log).await.unwrap();
        self.process.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        (self.process.wait().await.unwrap(), log)
    }

    /// What it had written when it was stopped.
    pub async fn stop(mut self) -> String {
        self.process.start_kill().unwrap();
        self.ends().await.1
    }
}

async fn next(State(api): State<RuntimeApi>) -> impl IntoResponse {
    let Some(event) = api.events.lock().await.recv().await else {
        return std::future::pending().await;
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:111122223333:function:triage",
        ),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    (headers, event)
}

async fn answer(
    State(api): State<RuntimeApi>,
    Path((_, kind)): Path<(String, String)>,
    body: Bytes,
) {
    let body =
        serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)));
    let _ = api.answers.send((kind, body));
}

async fn world() -> (World, Vec<(&'static str, String)>) {
    let world = World::new().await;
    let environment = world.emulator.serve(0).await.unwrap();
    (world, environment)
}

pub fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test]
async fn the_function_announces_a_finding_and_says_what_it_did() {
    let (mut world, environment) = world().await;
    let mut function = Function::start(&borrowed(&environment)).await;
    let event = event("2026-11-20T10:00:00Z", |_| {}).to_string();

    let (kind, report) = function.invoke(event.clone()).await;
    assert_eq!(kind, "response", "{report}");
    assert_eq!(report["findingArn"], ARN);
    assert_eq!(report["outcome"], "announced");
    assert_eq!(report["reason"], "new");
    assert!(report["priority"].as_str().is_some_and(|p| p.starts_with('P')), "{report}");
    assert!(report["score"].as_u64().is_some_and(|score| score <= 100), "{report}");
    assert!(report["dueAt"].as_str().is_some_and(|due| due.ends_with('Z')), "{report}");
    assert_eq!(report.as_object().unwrap().len(), 6);
    assert_eq!(world.published().len(), 1);

    let (kind, report) = function.invoke(event).await;
    assert_eq!((kind.as_str(), &report["outcome"]), ("response", &json!("unchanged")));
    assert_eq!(world.published(), []);
}

#[tokio::test]
async fn the_schedule_has_what_waits_summed_up() {
    let (mut world, mut environment) = world().await;
    environment.push(("ALERT_BUDGET", "1,1".to_owned()));
    environment.push(("DATA_TOPIC_ARN", emulator::DATA_TOPIC.to_owned()));
    let mut function = Function::start(&borrowed(&environment)).await;
    let flush = || common::FLUSH.to_owned();

    let (_, nothing) = function.invoke(flush()).await;
    assert_eq!(nothing, json!({"outcome": "nothing-pending", "findings": 0, "messages": 0}));

    for (number, outcome) in [(1, "announced"), (2, "pending"), (3, "pending")] {
        let event = event_of(&common::arn(number), "2026-11-20T10:00:00Z", |f| {
            let id = format!("CVE-2026-{number}");
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id);
        });
        let (_, report) = function.invoke(event.to_string()).await;
        assert_eq!(report["outcome"], outcome, "{report}");
    }
    assert_eq!(world.published().len(), 2);

    let (_, flushed) = function.invoke(flush()).await;
    assert_eq!(flushed, json!({"outcome": "flushed", "findings": 2, "messages": 2}));
    assert_eq!(world.published().len(), 2);
    let (_, nothing) = function.invoke(flush()).await;
    assert_eq!(nothing["outcome"], "nothing-pending");
}

#[tokio::test]
async fn what_cannot_be_triaged_fails_by_name_and_leaves_nothing_behind() {
    let (mut world, environment) = world().await;
    let mut function = Function::start(&borrowed(&environment)).await;
    let inspector =
        |detail_type: &str| json!({"detail-type": detail_type, "source": "aws.inspector2"});
    let without_arn = event("2026-11-20T10:00:00Z", |f| {
        f.as_object_mut().unwrap().remove("findingArn");
    });
    for (event, error_type, message) in [
        ("findings!".to_owned(), "MalformedEvent", "the event is not JSON: "),
        ("7".to_owned(), "MalformedEvent", "event: expected an object, found the number 7"),
        (
            inspector("Inspector2 Scan").to_string(),
            "UnsupportedEvent",
            "an event with detail-type \"Inspector2 Scan\" from source \"aws.inspector2\" is not \
             triaged; expected detail-type \"Inspector2 Finding\"",
        ),
        (
            inspector("Inspector2 Finding").to_string(),
            "MalformedEvent",
            "detail: expected an object, found nothing",
        ),
        (
            json!({"source": "aws.inspector2", "detail": {}}).to_string(),
            "MalformedEvent",
            "detail-type: expected a string, found nothing",
        ),
        (
            without_arn.to_string(),
            "MalformedEvent",
            "detail.findingArn: expected a non-empty string, found nothing",
        ),
    ] {
        let (kind, error) = function.invoke(event.clone()).await;
        assert_eq!(kind, "error", "{event}: {error}");
        assert_eq!(error["errorType"], error_type, "{event}");
        let said = error["errorMessage"].as_str().unwrap();
        assert!(said.starts_with(message), "{event}: {said}");
    }
    assert_eq!(world.published(), []);
    assert_eq!(world.items(ARN).await, []);
    let log = function.stop().await;
    assert!(!log.contains("libexample"), "no part of an event belongs in the log: {log}");
    let failures: Vec<Value> = lines(&log).filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(failures.len(), 6, "one line a failure: {log}");
    assert_eq!(failures[0]["error.kind"], "MalformedEvent");
}

/// The lines of a log, each of which is an object: one of ours, or metrics.
pub fn lines(log: &str) -> impl Iterator<Item = Value> {
    log.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        if line.get("_aws").is_none() {
            let at = line["timestamp"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
            assert!(at.is_some(), "Lambda would not see its level: {line}");
        }
        line
    })
}

#[tokio::test]
async fn each_invocation_is_measured_in_a_line_that_cloudwatch_takes() {
    let (world, mut environment) = world().await;
    environment.push(("ALERT_BUDGET", "1,1".to_owned()));
    let mut function = Function::start(&borrowed(&environment)).await;
    for (number, id) in ["CVE-2026-10001", "CVE-2026-10002"].into_iter().enumerate() {
        let event = event_of(&common::arn(number), "2026-11-20T10:00:00Z", |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id);
        });
        function.invoke(event.to_string()).await;
    }
    function.invoke(common::FLUSH).await;
    function.invoke("{}").await;
    let log = function.stop().await;
    drop(world);

    let mut metrics = lines(&log).filter(|line| line.get("_aws").is_some());
    let mut next = || {
        let line = metrics.next().unwrap();
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "InspectorTriage");
            for dimension in directive["Dimensions"][0].as_array().unwrap() {
                assert!(line[dimension.as_str().unwrap()].is_string(), "{dimension}: {line}");
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                let value = &line[metric["Name"].as_str().unwrap()];
                let numbers = value.as_array().is_some_and(|all| all.iter().all(Value::is_number));
                assert!(value.is_number() || numbers, "{metric}: {line}");
            }
        }
        assert_eq!(line["function"], "triage");
        line
    };
    let announced = next();
    assert_eq!([&announced["outcome"], &announced["Findings"]], [&json!("announced"), &json!(1)]);
    assert_eq!(announced["Announcements"], 1);
    assert!(announced["AnnouncementDelay"].as_u64().is_some_and(|delay| delay > 0));
    assert_eq!(announced["DynamoDBLatency"].as_array().unwrap().len(), 4, "{announced}");
    // Whether somebody listens was asked, and then the finding was published.
    assert_eq!(announced["SNSLatency"].as_array().unwrap().len(), 2, "{announced}");
    let listeners = next();
    assert_eq!([&listeners["audience"], &listeners["Listeners"]], [&json!("email"), &json!(1)]);
    let pending = next();
    assert_eq!(pending["outcome"], "pending");
    assert_eq!(pending.get("Announcements"), None);
    let flushed = next();
    assert_eq!([&flushed["Flushes"], &flushed["Pending"]], [1, 1]);
    assert!(flushed["OldestPendingAge"].is_number());
    assert_eq!(next()["Listeners"], 1);
    let failed = next();
    assert_eq!([&failed["Failures"], &failed["failure"]], [&json!(1), &json!("MalformedEvent")]);
    assert_eq!(metrics.next(), None);
}

#[tokio::test]
async fn at_no_level_an_event_is_logged() {
    for (level, says) in [("ERROR", false), ("WARN", false), ("INFO", true)] {
        let (_world, mut environment) = world().await;
        environment.push(("LOG_LEVEL", level.to_owned()));
        // The runtime's and the SDK's own switches open nothing.
        environment.push(("RUST_LOG", "trace".to_owned()));
        environment.push(("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned()));
        let mut function = Function::start(&borrowed(&environment)).await;
        function.invoke(event("2026-11-20T10:00:00Z", |_| {}).to_string()).await;
        let log = function.stop().await;
        assert!(!log.contains("libexample"), "{level}: {log}");
        let mut lines = lines(&log).filter(|line| line.get("_aws").is_none());
        let started = lines.any(|line| line["message"] == "the policy in effect");
        let triaged =
            lines.any(|line| line["message"] == "triaged" && line["outcome"] == "announced");
        assert_eq!((started, triaged), (says, says), "{level}: {log}");
    }
}

#[tokio::test]
async fn a_call_that_fails_is_one_line_with_the_finding_in_it() {
    let (world, mut environment) = world().await;
    environment.push(("TABLE_NAME", "another-table".to_owned()));
    let mut function = Function::start(&borrowed(&environment)).await;
    let (_, error) = function.invoke(event("2026-11-20T10:00:00Z", |_| {}).to_string()).await;
    assert_eq!(error["errorType"], "StoreFailed");
    let log = function.stop().await;
    drop(world);
    let failures: Vec<Value> = lines(&log).filter(|line| line["level"] == "ERROR").collect();
    let [failure] = &failures[..] else { panic!("one line: {log}") };
    assert_eq!(failure["finding.arn"], ARN);
    assert_eq!(failure["error.kind"], "StoreFailed");
    assert!(
        failure["error.message"].as_str().unwrap().contains("DynamoDB UpdateItem"),
        "{failure}"
    );
    assert_eq!(failure["span"]["requestId"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
}

#[tokio::test]
async fn strange_but_whole_findings_are_recorded_as_they_are() {
    let (world, environment) = world().await;
    let mut function = Function::start(&borrowed(&environment)).await;

    let huge = event("2026-11-20T10:00:00Z", |f| {
        f["description"] = json!("ä".repeat(500_000));
    });
    function.invoke(huge.to_string()).await;
    let stored = format!("{:?}", world.items(ARN).await);
    assert!(stored.len() < 10_000 && stored.contains("ää…"), "{}", stored.len());

    let ten = event("2026-11-20T11:00:00Z", |f| {
        f["resources"] =
            (0..10).map(|n| json!({"type": "AWS_EC2_INSTANCE", "id": format!("i-{n}")})).collect();
    });
    function.invoke(ten.to_string()).await;
    let stored = format!("{:?}", world.items(ARN).await);
    assert!((0..10).all(|n| stored.contains(&format!("i-{n}\\"))), "{stored}");

    let unknown = event("2026-11-20T12:00:00Z", |f| {
        f["severity"] = json!("SEVERE");
        f["type"] = json!("SUPPLY_CHAIN");
        f["resources"][0]["type"] = json!("AWS_QUANTUM_COMPUTER");
    });
    let (kind, report) = function.invoke(unknown.to_string()).await;
    assert_eq!(kind, "response", "{report}");
    let stored = format!("{:?}", world.items(ARN).await);
    for word in ["SEVERE", "SUPPLY_CHAIN", "AWS_QUANTUM_COMPUTER"] {
        assert!(stored.contains(word), "{word}");
    }
}

#[tokio::test]
async fn a_bad_setting_keeps_the_function_from_starting_and_is_named() {
    let (_world, environment) = world().await;
    for (name, value, expected) in [
        ("TABLE_NAME", "", "TABLE_NAME is not set; expected the name of a DynamoDB table"),
        ("TOPIC_ARN", "alerts", "TOPIC_ARN is \"alerts\"; expected the ARN of an SNS topic"),
        ("TOPIC_ARN", "", "TOPIC_ARN is not set; expected the ARN of an SNS topic"),
        ("CHAT_TOPIC_ARN", "chat", "CHAT_TOPIC_ARN is \"chat\"; expected the ARN of an SNS topic"),
        (
            "DATA_TOPIC_ARN",
            "arn:aws:sqs:a:1:b",
            "DATA_TOPIC_ARN is \"arn:aws:sqs:a:1:b\"; expected",
        ),
        ("LANGUAGE", "fr", "LANGUAGE is \"fr\"; expected en or ja"),
        ("ALERT_BUDGET", "0", "ALERT_BUDGET is \"0\"; expected two whole numbers such as 3,5"),
        ("ALERT_BUDGET", "0,0", "ALERT_BUDGET is \"0,0\"; expected two whole numbers"),
        ("SLA_DAYS", "a,b,c,d", "SLA_DAYS is \"a,b,c,d\"; expected"),
        ("SLA_DAYS", "7,2,30,90", "SLA_DAYS is \"7,2,30,90\"; expected"),
        ("DEADLINES", "cisa", "DEADLINES is \"cisa\"; expected priority or bod-26-04"),
        ("URGENT_TAGS", "prod", "URGENT_TAGS is \"prod\"; expected"),
        (
            "HISTORY_DAYS",
            "0",
            "HISTORY_DAYS is \"0\"; expected a whole number of days from 1 to 3650",
        ),
        ("NOTIFY", "yes", "NOTIFY is \"yes\"; expected true or false"),
        ("LOG_LEVEL", "TRACE", "LOG_LEVEL is \"TRACE\"; expected ERROR, WARN or INFO"),
    ] {
        let mut environment = borrowed(&environment);
        environment.retain(|(other, _)| *other != name);
        environment.push((name, value));
        let (status, log) = Function::start(&environment).await.ends().await;
        assert!(!status.success());
        assert!(log.starts_with(&format!("Error: {expected}")), "{log}");
        assert_eq!(log.trim().lines().count(), 1, "{log}");
    }
}
