//! The real function of tickets, as a process, with a Runtime API, a table, a secret and a tracker around it.

use inspector_triage::{
    adapters::sns::Sns,
    domain::{record::How, ticket::TrackerKind},
    emulator::{self, topic::Published, tracker::Trouble},
};
use serde_json::{Value, json};

use crate::{
    common::{
        self,
        desk::{Desk, TOKEN, project, text},
    },
    function::{Function, borrowed, lines},
};

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tracker-AbCdEf";
const SCHEDULED: &str = r#"{"source": "inspector-triage", "detail-type": "Triage Tickets"}"#;

/// A desk whose triage tells programs.
async fn desk(kind: TrackerKind) -> Desk {
    let mut desk = Desk::new(kind).await;
    desk.world.triage.publisher = Sns::new(desk.world.emulator.sns(), common::all_topics());
    let secret = json!({"user": "bot@example.com", "token": TOKEN}).to_string();
    desk.world.emulator.secrets.contents().secrets.insert(SECRET.to_owned(), secret);
    desk
}

/// The environment of the function that works at a desk.
async fn environment(desk: &Desk, kind: TrackerKind) -> Vec<(&'static str, String)> {
    let mut environment = desk.world.emulator.serve(0).await.unwrap();
    environment.extend([
        ("TRACKER", kind.to_string()),
        ("TRACKER_URL", desk.url.clone()),
        ("TRACKER_SECRET_ARN", SECRET.to_owned()),
        ("TRACKER_PROJECTS", format!("*={}", project(kind))),
        ("TICKETS_FROM", "P4".to_owned()),
    ]);
    environment
}

async fn start(environment: &[(&'static str, String)]) -> Function {
    Function::of(env!("CARGO_BIN_EXE_tickets"), "tickets", &borrowed(environment)).await
}

/// What the queue hands over: these bodies, numbered.
fn queued(bodies: &[String]) -> String {
    let record = |(number, body): (usize, &String)| {
        json!({
            "messageId": format!("message-{number}"), "receiptHandle": "…", "body": body,
            "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:tickets",
            "awsRegion": "eu-central-1",
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    json!({"Records": records}).to_string()
}

/// The messages for programs that were published since this was last asked.
fn told(desk: &mut Desk) -> Vec<String> {
    let data = |message: &Published| message.topic == emulator::DATA_TOPIC;
    let published = desk.world.published().into_iter().filter(data);
    published.map(|message| message.message).collect()
}

/// What SNS puts around a message that it does not deliver raw.
fn enveloped(message: &str) -> String {
    json!({"Type": "Notification", "MessageId": "1", "Message": message}).to_string()
}

#[tokio::test]
async fn what_programs_are_told_becomes_a_ticket_and_its_end_closes_it() {
    for kind in [TrackerKind::Jira, TrackerKind::GitHub] {
        let mut desk = desk(kind).await;
        let mut function = start(&environment(&desk, kind).await).await;
        desk.event(1, |_| {}).await;
        let messages = told(&mut desk);
        assert_eq!(messages.len(), 1);
        let (how, answer) = function.invoke(queued(&messages)).await;
        assert_eq!((how.as_str(), &answer), ("response", &json!({"batchItemFailures": []})));
        assert!(text(&desk.ticket().text).contains("CVE-2026-10001"));
        // The same once more, as SNS envelops it.
        let asked = desk.requests();
        let again: Vec<String> = messages.iter().map(|message| enveloped(message)).collect();
        function.invoke(queued(&again)).await;
        assert_eq!(desk.requests(), asked);
        let (_, settled) = function.invoke(SCHEDULED).await;
        assert_eq!((&settled["outcome"], &settled["closed"]), (&json!("done"), &json!(0)));
        desk.end(1, How::Fixed).await;
        let flushed = desk.clock_text();
        desk.world.flush(&flushed).await.unwrap();
        let messages = told(&mut desk);
        assert!(messages.iter().any(|message| message.contains("\"fixed\"")), "{messages:?}");
        function.invoke(queued(&messages)).await;
        // Changes wait for each other, by the function's own clock: ten minutes are not waited for here.
        let log = function.stop().await;
        let metrics: Vec<Value> = lines(&log).filter(|line| line["Tickets"] == 1).collect();
        assert_eq!(metrics.len(), 1, "{log}");
        assert_eq!(metrics[0]["change"], "opened");
        assert!(lines(&log).any(|line| line["OldestTicketAge"] == 0));
        assert!(lines(&log).any(|line| line.get("TrackerLatency").is_some()));
        assert!(!log.contains(TOKEN) && !log.contains("libexample"), "{log}");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_taken_comes_again_and_the_others_do_not() {
    let mut desk = desk(TrackerKind::Jira).await;
    let mut function = start(&environment(&desk, TrackerKind::Jira).await).await;
    desk.event(1, |_| {}).await;
    let good = told(&mut desk).remove(0);
    let newer = good.replacen("\"version\":\"1\"", "\"version\":\"2\"", 1);
    let review = json!({"version": "1", "kind": "review", "findings": [], "review": {}});
    let bodies = ["findings!".to_owned(), good, newer, "{}".to_owned(), review.to_string()];
    let (how, answer) = function.invoke(queued(&bodies)).await;
    assert_eq!(how, "response");
    let again = ["message-0", "message-2", "message-3"];
    let again: Vec<Value> = again.iter().map(|id| json!({"itemIdentifier": id})).collect();
    assert_eq!(answer, json!({"batchItemFailures": again}));
    assert_eq!(desk.tracker.state().tickets.len(), 1);
    let log = function.stop().await;
    let wrong: Vec<Value> = lines(&log).filter(|line| line["level"] == "ERROR").collect();
    let said: Vec<&str> =
        wrong.iter().map(|line| line["error.message"].as_str().unwrap()).collect();
    assert_eq!(said[0].split(':').next(), Some("the event is not JSON"));
    assert_eq!(said[1], "body.version: expected \"1\", found the string \"2\"");
    assert_eq!(said.len(), 3, "{log}");
    assert!(wrong.iter().all(|line| line["error.kind"] == "MalformedEvent"));
}

#[tokio::test]
async fn a_token_that_has_ended_is_counted_and_what_there_is_to_do_stays() {
    let desk = desk(TrackerKind::GitHub).await;
    desk.tracker.state().tokens.clear();
    let environment = environment(&desk, TrackerKind::GitHub).await;
    let mut function = start(&environment).await;
    desk.event(1, |_| {}).await;
    let full = json!({
        "source": "inspector-triage", "detail-type": "Triage Tickets", "detail": {"full": true}
    });
    let (how, settled) = function.invoke(full.to_string()).await;
    assert_eq!(how, "response");
    assert_eq!(
        (&settled["outcome"], &settled["failed"], &settled["left"]),
        (&json!("stopped"), &json!(1), &json!(1))
    );
    // The secret is changed, and the function fetches it by itself.
    desk.tracker.state().tokens.insert("n3w".to_owned());
    let secret = json!({"token": "n3w"}).to_string();
    desk.world.emulator.secrets.contents().secrets.insert(SECRET.to_owned(), secret);
    let (_, settled) = function.invoke(SCHEDULED).await;
    assert_eq!(settled["opened"], 1);
    let log = function.stop().await;
    assert!(lines(&log).any(|line| line["TrackerRefusals"] == 1), "{log}");
    assert!(lines(&log).any(|line| line["failure"] == "unauthorized"), "{log}");
    assert!(!log.contains(TOKEN) && !log.contains("n3w"), "{log}");
}

#[tokio::test]
async fn all_that_is_open_is_noted_when_that_is_asked_for() {
    let desk = desk(TrackerKind::Jira).await;
    for number in 0..5 {
        desk.event(number, |f| {
            let id = format!("CVE-2026-1000{number}");
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id);
        })
        .await;
    }
    let mut function = start(&environment(&desk, TrackerKind::Jira).await).await;
    let (_, nothing) = function.invoke(SCHEDULED).await;
    assert_eq!(nothing["opened"], 0);
    desk.tracker.state().trouble = [Trouble::None, Trouble::HangsUpAfter].into();
    let full = json!({
        "source": "inspector-triage", "detail-type": "Triage Tickets", "detail": {"full": true}
    });
    let (_, settled) = function.invoke(full.to_string()).await;
    assert_eq!((&settled["opened"], &settled["failed"]), (&json!(4), &json!(1)), "{settled}");
    let (_, again) = function.invoke(full.to_string()).await;
    assert_eq!((&again["opened"], &again["left"]), (&json!(0), &json!(1)), "it is asked later");
    assert_eq!(desk.tracker.state().tickets.len(), 5, "of one nobody knows yet");
}

#[tokio::test]
async fn an_event_of_another_function_is_refused_by_name() {
    let desk = desk(TrackerKind::Jira).await;
    let mut function = start(&environment(&desk, TrackerKind::Jira).await).await;
    for (event, expected) in [
        ("findings!", "the event is not JSON"),
        ("{}", "detail-type: expected a string, found nothing"),
        (
            r#"{"source": "inspector-triage", "detail-type": "Triage Flush"}"#,
            "an event with detail-type \"Triage Flush\" from source \"inspector-triage\" is not known here; \
             expected detail-type \"Triage Tickets\" from source \"inspector-triage\"",
        ),
        (r#"{"Records": 7}"#, "Records: expected messages of SQS, found the number 7"),
    ] {
        let (how, error) = function.invoke(event).await;
        assert_eq!(how, "error", "{event}");
        let said = error["errorMessage"].as_str().unwrap();
        assert!(said.starts_with(expected), "{said}");
    }
}

#[tokio::test]
async fn a_bad_setting_keeps_it_from_starting() {
    let desk = desk(TrackerKind::Jira).await;
    let mut environment = environment(&desk, TrackerKind::Jira).await;
    environment.push(("TRACKER_PROJECTS", "*=sec".to_owned()));
    let (status, log) = start(&environment).await.ends().await;
    assert!(!status.success());
    assert!(
        log.contains("TRACKER_PROJECTS is \\\"*=sec\\\"; expected")
            || log.contains("TRACKER_PROJECTS is \"*=sec\"; expected"),
        "{log}"
    );
}
