//! Events out of a failure queue, to their function once more.

use std::{
    collections::VecDeque,
    process::Output,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};

use crate::{
    command_line::{different, run_in},
    common,
};

/// A failure queue, and a function that accepts everything.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<String>,
    /// The receipt of a message that cannot be deleted.
    stuck: &'static str,
    deleted: Vec<Value>,
    put_back: Vec<Value>,
    /// The functions that events were given to.
    functions: Vec<String>,
}

/// The queue's API.
async fn queue(
    State(Failures(queue)): State<Failures>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let mut queue = queue.lock().unwrap();
    let answer = match headers["x-amz-target"].to_str().unwrap() {
        "AmazonSQS.ReceiveMessage" => {
            let waiting = std::mem::take(&mut queue.waiting).into_iter().enumerate();
            let message = |(number, body): (usize, String)| {
                json!({
                    "MessageId": number.to_string(), "ReceiptHandle": number.to_string(), "Body": body,
                    "Attributes": {"SentTimestamp": "1763632800000"},
                })
            };
            json!({"Messages": waiting.map(message).collect::<Vec<_>>()})
        }
        "AmazonSQS.DeleteMessage" if request["ReceiptHandle"] == queue.stuck => {
            let error = json!({"__type": "com.amazonaws.sqs#ReceiptHandleIsInvalid"});
            return (StatusCode::BAD_REQUEST, Json(error));
        }
        "AmazonSQS.DeleteMessage" => {
            queue.deleted.push(request["ReceiptHandle"].clone());
            json!({})
        }
        "AmazonSQS.ChangeMessageVisibilityBatch" => {
            let entries = request["Entries"].as_array().unwrap();
            queue.put_back.extend(entries.iter().map(|entry| entry["ReceiptHandle"].clone()));
            json!({"Successful": [], "Failed": []})
        }
        other => panic!("{other}"),
    };
    (StatusCode::OK, Json(answer))
}

/// The function's API.
async fn function(
    State(Failures(queue)): State<Failures>,
    name: axum::extract::Path<String>,
) -> StatusCode {
    queue.lock().unwrap().functions.push(name.0);
    StatusCode::ACCEPTED
}

/// Runs `redrive` on the queue.
async fn redrive(failures: &Failures, more: &'static [&str]) -> Output {
    run(failures, move |url| {
        let queue = format!("{url}/111122223333/failures");
        let more = more.iter().map(|&argument| argument.to_owned());
        ["redrive".to_owned(), "--from-queue".to_owned(), queue].into_iter().chain(more).collect()
    })
    .await
}

/// Runs a command with these arguments, to which the address of queue and function is given.
async fn run(
    failures: &Failures,
    arguments: impl FnOnce(&str) -> Vec<String> + Send + 'static,
) -> Output {
    let router = Router::new()
        .route("/", post(queue))
        .route("/2015-03-31/functions/{name}/invocations", post(function))
        .with_state(failures.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    tokio::task::spawn_blocking(move || {
        let environment = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ];
        let arguments = arguments(&url);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run_in(&environment, &arguments, b"")
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_that_fails_puts_back_what_is_left_and_says_what_it_sent() {
    let events = different(3);
    let failures = Failures::default();
    *failures.0.lock().unwrap() = Queue {
        waiting: VecDeque::from([
            events[0].to_string(),
            common::FLUSH.to_owned(),
            "no JSON".to_owned(),
            events[1].to_string(),
            events[2].to_string(),
        ]),
        stuck: "3",
        ..Queue::default()
    };
    let output = redrive(&failures, &["--to", "triage"]).await;
    let (said, error) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    let (said, error) = (said.unwrap(), error.unwrap());
    let arn = events[0]["detail"]["findingArn"].as_str().unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            &format!("{arn}: sent; had failed: unknown"),
            "a flush: sent; had failed: unknown",
            "an event that cannot be triaged: left in the queue: it is not JSON",
            "3 sent to triage, 3 left in the queue",
        ],
        "{error}"
    );
    assert!(error.starts_with("inspector-triage: SQS DeleteMessage http://"), "{error}");
    assert_eq!(output.status.code(), Some(1));
    let queue = failures.0.lock().unwrap();
    assert_eq!(queue.functions, ["triage"; 3]);
    assert_eq!(queue.deleted, [json!("0"), json!("1")]);
    assert_eq!(queue.put_back, ["2", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_back_to_the_function_that_its_record_names() {
    let record = |function: &str| {
        json!({
            "requestContext": {
                "functionArn": format!("arn:aws:lambda:eu-central-1:111122223333:function:{function}:$LATEST"),
                "condition": "RetriesExhausted", "approximateInvokeCount": 3,
            },
            "requestPayload": {"source": "inspector-triage", "detail-type": "Triage Flush"},
        })
        .to_string()
    };
    let nameless = common::FLUSH.to_owned();
    let failures = Failures::default();
    failures.0.lock().unwrap().waiting = VecDeque::from([record("one"), nameless, record("two")]);

    let output = redrive(&failures, &[]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "a flush: sent; had failed: RetriesExhausted after 3 invocations",
            "a flush: left in the queue: it does not say which function it was for; use --to",
            "a flush: sent; had failed: RetriesExhausted after 3 invocations",
            "2 sent, 1 left in the queue",
        ]
    );
    assert_eq!(output.status.code(), Some(1));
    let queue = failures.0.lock().unwrap();
    let arn = |name: &str| format!("arn:aws:lambda:eu-central-1:111122223333:function:{name}");
    assert_eq!(queue.functions, [arn("one"), arn("two")]);
    assert_eq!(queue.put_back, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_only_be_refused_again_can_be_dropped() {
    let events = different(1);
    let failures = Failures::default();
    failures.0.lock().unwrap().waiting = VecDeque::from([
        "no JSON".to_owned(),
        common::FLUSH.to_owned(),
        json!({"detail-type": "EC2 Instance", "source": "aws.ec2"}).to_string(),
        events[0].to_string(),
    ]);

    let output = redrive(&failures, &["--to", "triage", "--drop"]).await;

    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[1], "a flush: dropped: the next flush did what it did not");
    assert!(lines[2].contains("dropped: an event with detail-type \"EC2 Instance\""), "{said}");
    assert_eq!(lines[4], "1 sent to triage, 3 dropped, 0 left in the queue");
    assert_eq!(output.status.code(), Some(0));
    let queue = failures.0.lock().unwrap();
    assert_eq!((queue.functions.len(), queue.deleted.len()), (1, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_of_the_week_is_sent_again_and_a_daily_round_need_not_be() {
    let failures = Failures::default();
    failures.0.lock().unwrap().waiting = VecDeque::from([
        json!({"source": "inspector-triage", "detail-type": "Triage Daily"}).to_string(),
        common::weekly("2026-11-23T07:00:00Z").to_string(),
    ]);

    let output = redrive(&failures, &["--to", "review", "--drop"]).await;

    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "a daily round: dropped: the next event did what it did not");
    assert!(lines[1].starts_with("the review of 2026-11-23T07:00:00Z: sent"), "{said}");
    assert_eq!(lines[2], "1 sent to review, 1 dropped, 0 left in the queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_in_files_are_given_to_the_function_and_what_is_none_is_named() {
    let mut lines: Vec<String> = different(100).iter().map(ToString::to_string).collect();
    lines.insert(50, json!({"detail-type": "EC2 Instance", "source": "aws.ec2"}).to_string());
    let file = common::scratch("give").join("events.ndjson");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let failures = Failures::default();

    let path = file.to_str().unwrap().to_owned();
    let output =
        run(&failures, move |_| ["give", &path, "--to", "triage"].map(str::to_owned).to_vec())
            .await;

    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("events.ndjson:51: not given: an event with detail-type"), "{said}");
    assert_eq!(lines[1], "100 given to triage, 1 are no findings");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(failures.0.lock().unwrap().functions.len(), 100);
}
