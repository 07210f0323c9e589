//! Tickets: there only if a tracker is named, and fed by the topic for programs and a schedule.

use serde_json::{Value, json};

use super::{JIRA, default, everything, list};
use crate::common::cloudformation::Stack;

#[test]
fn without_a_tracker_there_is_nothing_of_tickets() {
    let stack = default();
    for kind in [
        "AWS::CloudWatch::Alarm",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::SNS::Subscription",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    ] {
        let names = stack.names(kind);
        let of_tickets =
            names.iter().find(|name| name.contains("Ticket") || name.contains("Tracker"));
        assert_eq!(of_tickets, None, "{kind}");
    }
}

#[test]
fn a_tracker_brings_the_topic_for_programs_and_hears_it() {
    let stack = Stack::new(&JIRA);
    let topic = "arn:aws:sns:eu-central-1:111122223333:DataTopic";
    let queue = "arn:aws:sqs:eu-central-1:111122223333:TicketsQueue";
    for function in ["TriageFunction", "ReviewFunction"] {
        let function = stack.resource(function);
        assert_eq!(function["Environment"]["Variables"]["DATA_TOPIC_ARN"], topic);
    }
    let subscription = stack.resource("TicketsSubscription");
    assert_eq!(subscription["TopicArn"], topic);
    assert_eq!(
        (&subscription["Protocol"], &subscription["Endpoint"]),
        (&json!("sqs"), &json!(queue))
    );
    assert_eq!(subscription["RawMessageDelivery"], true);
    assert_eq!(subscription["FilterPolicyScope"], "MessageBody");
    // What SNS may not deliver is lost.
    assert_eq!(list(&stack.raw("TicketsSubscription")["DependsOn"]), ["TicketsQueuePolicy"]);
    let policy = stack.resource("TicketsQueuePolicy");
    let allowed = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!(allowed["Effect"], "Allow");
    assert_eq!(allowed["Principal"], json!({"Service": "sns.amazonaws.com"}));
    assert_eq!(
        (&allowed["Action"], &allowed["Resource"]),
        (&json!("sqs:SendMessage"), &json!(queue))
    );
    assert_eq!(allowed["Condition"], json!({"ArnEquals": {"aws:SourceArn": topic}}));
}

#[test]
fn all_that_programs_are_told_but_the_review_of_the_week_is_heard() {
    let subscription = everything().resource("TicketsSubscription");
    let heard = list(&subscription["FilterPolicy"]["kind"]).into_iter().chain(["review"]);
    let schema = include_str!("../../docs/data-message.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(heard.collect::<Vec<_>>(), list(&schema["properties"]["kind"]["enum"]));
}

#[test]
fn no_queue_of_tickets_takes_anything_in_plain_http() {
    let stack = everything();
    for queue in ["TicketsQueue", "TicketsFailedQueue"] {
        let policy = stack.resource(&format!("{queue}Policy"));
        let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
        let secure = |statement: &&Value| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Action"] == "sqs:*"
                && statement["Resource"] == format!("arn:aws:sqs:eu-central-1:111122223333:{queue}")
                && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
        };
        assert_eq!(statements.iter().filter(secure).count(), 1, "{queue}");
    }
}

#[test]
fn a_message_that_fails_comes_again_when_the_function_has_ended_and_is_kept_at_last() {
    let stack = everything();
    let (function, queue) = (stack.resource("TicketsFunction"), stack.resource("TicketsQueue"));
    let mapping = stack.resource("TicketsMapping");
    let number = |value: &Value| value.as_u64().unwrap();
    let window = number(&mapping["MaximumBatchingWindowInSeconds"]);
    assert_eq!(number(&queue["VisibilityTimeout"]), 6 * number(&function["Timeout"]) + window);
    let failed = "arn:aws:sqs:eu-central-1:111122223333:TicketsFailedQueue";
    let redrive = json!({"deadLetterTargetArn": failed, "maxReceiveCount": 5});
    assert_eq!(queue["RedrivePolicy"], redrive);

    let of_queue = "arn:aws:sqs:eu-central-1:111122223333:TicketsQueue";
    assert_eq!(mapping["EventSourceArn"], of_queue);
    assert_eq!(mapping["FunctionName"], "TicketsFunction");
    assert_eq!(mapping["BatchSize"], 10);
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(mapping["ScalingConfig"]["MaximumConcurrency"], 2);
}

#[test]
fn what_is_due_is_done_every_five_minutes() {
    let rule = everything().resource("TicketsRule");
    let input: Value = serde_json::from_str(rule["Targets"][0]["Input"].as_str().unwrap()).unwrap();
    assert_eq!(input, json!({"source": "inspector-triage", "detail-type": "Triage Tickets"}));
    assert_eq!(rule["ScheduleExpression"], "rate(5 minutes)");
}

#[test]
fn a_tracker_without_what_it_needs_is_refused() {
    let stack = default();
    let rules = &stack.template()["Rules"];
    let asserted = |rule: &str| {
        let assertions = rules[rule]["Assertions"].as_array().unwrap().iter();
        let parameter = |assertion: &Value| {
            let equals = &assertion["Assert"]["Fn::Not"][0]["Fn::Equals"];
            assert_eq!(equals[1], "");
            equals[0]["Ref"].as_str().unwrap().to_owned()
        };
        assertions.map(parameter).collect::<Vec<_>>()
    };
    assert_eq!(asserted("TicketsHaveAPlace"), ["TrackerSecretArn", "TrackerProjects"]);
    assert_eq!(asserted("JiraHasASite"), ["TrackerUrl"]);
    let is_jira = json!({"Fn::Equals": [{"Ref": "Tracker"}, "jira"]});
    assert_eq!(rules["JiraHasASite"]["RuleCondition"], is_jira);
}
