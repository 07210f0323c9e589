//! What is deployed (SAM's own translation of the template) is what the code needs, and no more.

mod alarms;
mod bucket;
mod permissions;
mod rules;
mod settings;
mod tickets;

use std::{collections::BTreeMap, fs};

use crate::common::{cloudformation::Stack, project};
use inspector_triage::{adapters::dynamodb::keys, lambda::metrics::Metric};
use serde_json::{Value, json};

const OWN_KEY: (&str, &str) =
    ("KmsKeyArn", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab");
const SLACK: [(&str, &str); 2] =
    [("SlackWorkspaceId", "T0123456789"), ("SlackChannelId", "C0123456789")];
const SECRET: (&str, &str) =
    ("TrackerSecretArn", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tracker-AbCdEf");
const JIRA: [(&str, &str); 4] = [
    ("Tracker", "jira"),
    ("TrackerUrl", "https://example.atlassian.net"),
    ("TrackerProjects", "payments=PAY,*=SEC"),
    SECRET,
];

/// With one answer: an e-mail address.
fn default() -> Stack {
    Stack::new(&[("NotificationEmail", "security@example.com")])
}

/// With all that can be had.
fn everything() -> Stack {
    let all = [
        ("NotificationEmail", "security@example.com"),
        ("EnableDataTopic", "true"),
        ("MediumFromEpss", "0.1"),
        ("OnDemandScans", "true"),
        ("EnableTracing", "true"),
        ("LedgerRole", "ledger"),
        ("EnableReviewBucket", "true"),
        ("TeamsTenantId", "00000000-0000-0000-0000-000000000001"),
        ("TeamsTeamId", "00000000-0000-0000-0000-000000000002"),
        ("TeamsChannelId", "19%3aabc%40thread.tacv2"),
        OWN_KEY,
    ];
    Stack::new(&[&all[..], &SLACK, &JIRA].concat())
}

fn list(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().map(|one| one.as_str().unwrap()).collect(),
        other => panic!("neither a text nor a list: {other}"),
    }
}

#[test]
fn the_table_is_what_the_code_uses_and_is_not_lost() {
    let stack = default();
    let table = stack.resource("FindingsTable");
    let keys = |of: &Value| {
        let keys = of["KeySchema"].as_array().unwrap().iter();
        keys.map(|key| key["AttributeName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&table), [keys::PK, keys::SK]);
    let indexes: BTreeMap<String, Vec<String>> = table["GlobalSecondaryIndexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| (index["IndexName"].as_str().unwrap().to_owned(), keys(index)))
        .collect();
    let of = |keys: [&str; 2]| keys.map(str::to_owned).to_vec();
    let expected = BTreeMap::from([
        (keys::OPEN_BY_DUE.to_owned(), of([keys::OPEN_SHARD, keys::DUE_AT])),
        (keys::PENDING_BY_AGE.to_owned(), of([keys::PENDING_SHARD, keys::PENDING_SINCE])),
    ]);
    assert_eq!(indexes, expected);
    assert_eq!(
        table["TimeToLiveSpecification"],
        json!({"AttributeName": "expires_at", "Enabled": true})
    );
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
        assert_eq!(stack.raw("FindingsTable")[policy], "Retain");
    }
}

#[test]
fn topics_are_encrypted_and_refuse_plain_http() {
    for (stack, key) in [(default(), "alias/aws/sns"), (everything(), OWN_KEY.1)] {
        for (name, topic) in stack.resources("AWS::SNS::Topic") {
            let alarms = name == "AlarmsTopic" && key != OWN_KEY.1;
            let expected = if alarms { Value::Null } else { json!(key) };
            assert_eq!(topic["KmsMasterKeyId"], expected, "{name}");
            let policy = stack.resource(&format!("{name}Policy"));
            let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
            let secure = |statement: &&Value| {
                statement["Effect"] == "Deny"
                    && statement["Principal"] == "*"
                    && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
                    && list(&statement["Action"]).contains(&"sns:Publish")
            };
            assert_eq!(statements.iter().filter(secure).count(), 1, "{name}");
        }
    }
}

#[test]
fn a_channel_hears_of_alerts_and_alarms_and_may_do_nothing() {
    let stack = everything();
    for channel in ["SlackChannel", "TeamsChannel"] {
        let channel = stack.resource(channel);
        assert_eq!(channel["GuardrailPolicies"], json!(["arn:aws:iam::aws:policy/AWSDenyAll"]));
        let topics = list(&channel["SnsTopicArns"]);
        assert!(topics[0].ends_with(":ChatTopic") && topics[1].ends_with(":AlarmsTopic"));
    }
    let role = stack.resource("ChatRole");
    assert!(role["Policies"].is_null() && role["ManagedPolicyArns"].is_null());
    assert!(
        Stack::new(&[SLACK[0]]).resources("AWS::Chatbot::SlackChannelConfiguration").is_empty()
    );
}

#[test]
fn with_one_answer_there_is_what_is_needed_and_no_more() {
    let stack = default();
    let count = |kind: &str| stack.resources(kind).len();
    assert_eq!(count("AWS::SNS::Topic"), 2);
    assert_eq!(count("AWS::SNS::Subscription"), 2);
    assert_eq!(count("AWS::IAM::Role"), 2);
    assert_eq!(count("AWS::S3::Bucket"), 0);
    let function = stack.resource("TriageFunction");
    assert_eq!(function["Architectures"], json!(["arm64"]));
    assert_eq!(function["TracingConfig"]["Mode"], "PassThrough");
    // It begins nothing that it could not finish in this time: see triage::CALL.
    assert_eq!(function["Timeout"], 30);
    assert_eq!(stack.resource("TriageLogs")["RetentionInDays"], "90");
}

#[test]
fn the_documents_name_every_parameter_and_every_alarm() {
    let stack = everything();
    let operations = fs::read_to_string(project("docs/OPERATIONS.md")).unwrap();
    for alarm in stack.resources("AWS::CloudWatch::Alarm").values() {
        let name = alarm["AlarmName"].as_str().unwrap().trim_start_matches("inspector-triage-");
        assert!(operations.contains(&format!("`{name}`")), "{name}");
    }
    for metric in Metric::ALL {
        assert!(operations.contains(&format!("`{}`", metric.name())), "{metric:?}");
    }
    for readme in ["README.md", "README.ja.md"] {
        let readme = fs::read_to_string(project(readme)).unwrap();
        for parameter in stack.template()["Parameters"].as_object().unwrap().keys() {
            assert!(readme.contains(&format!("`{parameter}`")), "{parameter}");
        }
    }
}
