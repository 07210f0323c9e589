//! What is deployed (SAM's own translation of the template) is what the code needs, and no more.

#![cfg(feature = "cli")]

mod common;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use common::{World, arn, cloudformation::Stack, event_of, project};
use inspector_triage::{
    adapters::{
        dynamodb::keys,
        sns::{Sns, Topics},
    },
    app::Triage,
    emulator::{
        self,
        template::{OWN, Template},
    },
    lambda::{
        event,
        metrics::{Metric, NAMESPACE},
        settings::Settings,
    },
};
use quamina::Quamina;
use serde_json::{Value, json};

const OWN_KEY: (&str, &str) =
    ("KmsKeyArn", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab");
const SLACK: [(&str, &str); 2] =
    [("SlackWorkspaceId", "T0123456789"), ("SlackChannelId", "C0123456789")];

/// With one answer: an e-mail address.
fn default() -> Stack {
    Stack::new(&[("NotificationEmail", "security@example.com")])
}

/// With all that can be had.
fn everything() -> Stack {
    Stack::new(&[
        ("NotificationEmail", "security@example.com"),
        ("EnableDataTopic", "true"),
        ("MediumFromEpss", "0.1"),
        ("EnableTracing", "true"),
        ("TeamsTenantId", "00000000-0000-0000-0000-000000000001"),
        ("TeamsTeamId", "00000000-0000-0000-0000-000000000002"),
        ("TeamsChannelId", "19%3aabc%40thread.tacv2"),
        OWN_KEY,
        SLACK[0],
        SLACK[1],
    ])
}

fn list(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().map(|one| one.as_str().unwrap()).collect(),
        other => panic!("neither a text nor a list: {other}"),
    }
}

/// An action on a resource.
type Permission = (String, String);

/// What the role of the function may do.
fn permissions(stack: &Stack) -> BTreeSet<Permission> {
    let role = stack.resource("TriageRole");
    let mut permissions = BTreeSet::new();
    for policy in role["Policies"].as_array().unwrap() {
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
            let index = body["IndexName"].as_str().unwrap();
            vec![("dynamodb:Query".to_owned(), format!("{table}/index/{index}"))]
        }
        other => vec![(format!("dynamodb:{other}"), table.to_owned())],
    }
}

/// What the function does in the life of findings, as permissions.
async fn all_calls() -> BTreeSet<Permission> {
    let watch = Watch::default();
    let mut world = World::new().await;
    let topics = Topics {
        email: emulator::TOPIC.to_owned(),
        chat: Some(emulator::CHAT_TOPIC.to_owned()),
        data: Some(emulator::DATA_TOPIC.to_owned()),
    };
    let dynamodb = world.emulator.dynamodb().interceptor(watch.clone());
    let sns = world.emulator.sns().interceptor(watch.clone());
    let triage = common::triage(dynamodb, world.emulator.sns());
    world.triage = Triage { publisher: Sns::new(sns, topics), ..triage };

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
    assert_eq!(outcomes.len(), 5, "{outcomes:?}");
    watch.0.lock().unwrap().clone()
}

#[tokio::test]
async fn the_role_permits_what_the_function_calls_and_nothing_else() {
    let arn =
        |service: &str, name: &str| format!("arn:aws:{service}:eu-central-1:111122223333:{name}");
    let by_lambda = [
        ("sqs:SendMessage", arn("sqs", "FailureQueue")),
        ("logs:CreateLogStream", arn("logs", "log-group:TriageLogs:*")),
        ("logs:PutLogEvents", arn("logs", "log-group:TriageLogs:*")),
    ];
    let by_lambda = by_lambda.map(|(action, on)| (action.to_owned(), on));
    let mut expected = all_calls().await;
    expected.extend(by_lambda);

    let mut all = permissions(&everything());
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

    expected.retain(|(_, on)| !on.ends_with("ChatTopic") && !on.ends_with("DataTopic"));
    assert_eq!(permissions(&default()), expected);
    assert_eq!(
        Stack::new(&[]).resource("TriageRole").get("ManagedPolicyArns"),
        None,
        "SAM's own policies would allow more"
    );
}

#[test]
fn the_function_gets_every_variable_that_it_reads_and_no_other() {
    for stack in [default(), everything()] {
        let function = stack.resource("TriageFunction");
        let set = function["Environment"]["Variables"].as_object().unwrap();
        let read = RefCell::new(BTreeSet::new());
        let settings = Settings::read(|name| {
            read.borrow_mut().insert(name.to_owned());
            Some(set[name].as_str().unwrap().to_owned())
        });
        settings.unwrap();
        assert_eq!(set.keys().cloned().collect::<BTreeSet<_>>(), read.into_inner());
    }
}

#[test]
fn what_the_parameters_allow_the_function_takes() {
    for (parameter, values) in [
        ("Language", ["en", "ja"].as_slice()),
        ("EnableNotify", &["true", "false"]),
        ("LogLevel", &["INFO", "WARN", "ERROR"]),
        ("AlertBudget", &["0,1", "0,8", "3,5", "7,0", "7,1", "1,7"]),
        ("SlaDays", &["1,1,1,1", "2,7,30,90", "1,10,100,999"]),
        ("UrgentTags", &["", "stage=prod", "stage=prod,data class=very secret"]),
        ("HistoryDays", &["1", "400", "3650"]),
    ] {
        for value in values {
            let function = Stack::new(&[(parameter, value)]).resource("TriageFunction");
            let variables = &function["Environment"]["Variables"];
            let read = Settings::read(|name| variables[name].as_str().map(str::to_owned));
            read.unwrap_or_else(|error| panic!("{parameter}={value}: {error}"));
        }
    }
    let stack = default();
    let allowed = &stack.template()["Parameters"];
    assert_eq!(allowed["LogLevel"]["AllowedValues"], json!(["INFO", "WARN", "ERROR"]));
    assert_eq!(allowed["Language"]["AllowedValues"], json!(["en", "ja"]));
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

/// The names of the rules that a stack has for events, and those that match one.
fn rules(stack: &Stack) -> impl Fn(&[u8]) -> Vec<String> + use<> {
    let mut patterns = Quamina::new();
    for (name, rule) in stack.resources("AWS::Events::Rule") {
        let pattern = match &rule["EventPattern"] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            pattern => pattern.to_string(),
        };
        patterns.add_pattern(name, &pattern).unwrap();
    }
    move |event| {
        let mut matches: Vec<String> = patterns.matches_for_event(event).unwrap();
        matches.sort();
        matches
    }
}

#[test]
fn the_rules_let_through_the_samples_they_must_and_no_others() {
    let (standard, medium) = (rules(&default()), rules(&everything()));
    let mut seen = 0;
    for file in fs::read_dir(project("events")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        seen += 1;
        let event = fs::read(&path).unwrap();
        let expected: &[&str] = match &name[..2] {
            // MEDIUM; the API's form, which is no event; a severity that AWS does not use.
            "03" | "18" | "19" => &[],
            "27" | "28" | "30" => &["EndedFindingsRule"],
            _ => &["OpenFindingsRule"],
        };
        assert_eq!(standard(&event), expected, "{name}");
        let expected = if name.starts_with("03") { &["MediumFindingsRule"] } else { expected };
        assert_eq!(medium(&event), expected, "{name}");
    }
    assert_eq!(seen, 30);
}

#[test]
fn ends_of_every_severity_come_in_and_open_findings_of_the_chosen_ones_alone() {
    let of = |status: &str, severity: &str, epss: f64| {
        event_of(common::ARN, "2026-11-20T10:00:00Z", |f| {
            f["status"] = json!(status);
            f["severity"] = json!(severity);
            f["epss"]["score"] = json!(epss);
        })
        .to_string()
    };
    let matching = rules(&everything());
    let matches =
        |status, severity, epss| matching(of(status, severity, epss).as_bytes()).join(" ");
    for severity in ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED"] {
        for status in ["CLOSED", "SUPPRESSED"] {
            assert_eq!(matches(status, severity, 0.0), "EndedFindingsRule", "{status} {severity}");
        }
    }
    assert_eq!(matches("ACTIVE", "CRITICAL", 0.0), "OpenFindingsRule");
    assert_eq!(matches("ACTIVE", "HIGH", 0.9), "OpenFindingsRule");
    assert_eq!(matches("ACTIVE", "MEDIUM", 0.0999), "");
    assert_eq!(matches("ACTIVE", "MEDIUM", 0.1), "MediumFindingsRule");
    assert_eq!(matches("ACTIVE", "LOW", 0.9), "");
    let other = json!({"source": "aws.ec2", "detail-type": "Inspector2 Finding", "detail": {
        "status": "ACTIVE", "severity": "HIGH"}});
    assert_eq!(matching(other.to_string().as_bytes()), [""; 0]);

    let chosen = rules(&Stack::new(&[("Severities", "CRITICAL,LOW")]));
    assert_eq!(chosen(of("ACTIVE", "LOW", 0.0).as_bytes()), ["OpenFindingsRule"]);
    assert_eq!(chosen(of("ACTIVE", "HIGH", 0.0).as_bytes()), [""; 0]);
}

#[test]
fn the_rules_of_the_template_and_of_its_translation_are_the_same() {
    let own = Template::read(OWN).unwrap().rules().unwrap();
    let deployed = default().resources("AWS::Events::Rule");
    let deployed = deployed.into_iter().filter(|(_, rule)| !rule["EventPattern"].is_null());
    let deployed: Vec<_> =
        deployed.map(|(name, rule)| (name, rule["EventPattern"].clone())).collect();
    let mut own = own;
    own.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(own, deployed);
}

#[test]
fn other_regions_forward_what_the_home_region_triages() {
    let yaml = fs::read_to_string(project("regions/template-forwarder.yaml")).unwrap();
    let [forwarded, triaged] =
        [yaml.as_str(), OWN].map(|yaml| Template::read(yaml).unwrap().rules().unwrap());
    assert_eq!(forwarded, triaged);
}

#[test]
fn every_rule_may_invoke_the_function_and_keeps_what_it_cannot_deliver() {
    let stack = everything();
    let rules = stack.resources("AWS::Events::Rule");
    assert_eq!(rules.len(), 4);
    let permissions = stack.resources("AWS::Lambda::Permission");
    let queue = stack.resource("UndeliveredQueuePolicy");
    let may_send =
        list(&queue["PolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"]);
    assert_eq!(may_send.len(), rules.len());
    assert_eq!(permissions.len(), rules.len());
    for (name, rule) in rules {
        let arn = format!("arn:aws:events:eu-central-1:111122223333:rule/{name}");
        let target = &rule["Targets"][0];
        assert_eq!(
            target["Arn"],
            "arn:aws:lambda:eu-central-1:111122223333:function:TriageFunction"
        );
        assert_eq!(
            target["DeadLetterConfig"]["Arn"],
            "arn:aws:sqs:eu-central-1:111122223333:UndeliveredQueue"
        );
        assert!(target["RetryPolicy"]["MaximumRetryAttempts"].as_u64().unwrap() > 0);
        assert!(may_send.contains(&arn.as_str()), "{name}");
        let permitted = |permission: &&Value| {
            permission["SourceArn"] == arn
                && permission["Principal"] == "events.amazonaws.com"
                && permission["Action"] == "lambda:InvokeFunction"
        };
        assert_eq!(permissions.values().filter(permitted).count(), 1, "{name}");
    }
}

#[test]
fn the_schedule_sends_what_the_function_takes_for_a_flush() {
    let rule = default().resource("FlushRule");
    let input = rule["Targets"][0]["Input"].as_str().unwrap().to_owned();
    assert!(matches!(event::read(input.as_bytes()).unwrap(), event::Event::Flush));
    assert_eq!(rule["ScheduleExpression"], "rate(5 minutes)");
}

#[test]
fn what_fails_in_the_function_is_tried_again_and_then_kept() {
    let config = default().resource("TriageFunctionEventInvokeConfig");
    assert_eq!(config["MaximumRetryAttempts"], 2);
    assert_eq!(
        config["DestinationConfig"]["OnFailure"]["Destination"],
        "arn:aws:sqs:eu-central-1:111122223333:FailureQueue"
    );
    for queue in ["FailureQueue", "UndeliveredQueue"] {
        let queue = default().resource(queue);
        assert_eq!(queue["MessageRetentionPeriod"], 14 * 24 * 60 * 60);
        assert_eq!(queue["SqsManagedSseEnabled"], true);
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

/// The metrics that something refers to: namespace, name, and names of dimensions.
fn check_own_metric(name: &Value, dimensions: &[&str]) {
    let name = name.as_str().unwrap();
    let metric = Metric::ALL.into_iter().find(|metric| metric.name() == name);
    let metric = metric.unwrap_or_else(|| panic!("the function has no metric {name}"));
    assert_eq!(metric.dimensions(), dimensions, "{name}");
}

#[test]
fn every_alarm_reaches_people_and_says_what_to_do() {
    let other = "arn:aws:sns:eu-central-1:999999999999:on-call";
    let own = "arn:aws:sns:eu-central-1:111122223333:AlarmsTopic";
    let alerts = "arn:aws:sns:eu-central-1:111122223333:AlertsTopic";
    for (stack, count, topic) in [
        (default(), 10, own),
        (everything(), 12, own),
        (Stack::new(&[("AlarmTopic", "alerts"), OWN_KEY]), 10, alerts),
        (Stack::new(&[("AlarmTopic", other)]), 10, other),
    ] {
        let alarms = stack.resources("AWS::CloudWatch::Alarm");
        assert_eq!(alarms.len(), count);
        for (name, alarm) in alarms {
            assert_eq!(alarm["AlarmActions"], json!([topic]), "{name}");
            assert_eq!(alarm["OKActions"], json!([topic]), "{name}");
            let description = alarm["AlarmDescription"].as_str().unwrap();
            let asks = ["See that", "Look at", "look for", "Raise", "docs/OPERATIONS.md"];
            assert!(asks.iter().any(|ask| description.contains(ask)), "{name}: {description}");
            let missing = if name == "FlushAlarm" { "breaching" } else { "notBreaching" };
            assert_eq!(alarm["TreatMissingData"], missing, "{name}");
            if alarm["Namespace"] == NAMESPACE {
                assert_eq!(
                    alarm["Dimensions"],
                    json!([{"Name": "function", "Value": "TriageFunction"}])
                );
                check_own_metric(&alarm["MetricName"], &[]);
            }
            if topic == other {
                continue;
            }
            // CloudWatch may publish there, for alarms of these names.
            let policy = stack.resource(&format!("{}Policy", topic.rsplit(':').next().unwrap()));
            let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
            let allows = statements
                .iter()
                .find(|statement| statement["Principal"]["Service"] == "cloudwatch.amazonaws.com");
            let allowed = &allows.unwrap()["Condition"]["ArnLike"]["aws:SourceArn"];
            let prefix = allowed.as_str().unwrap().trim_end_matches('*');
            let arn = format!(
                "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:{}",
                alarm["AlarmName"].as_str().unwrap()
            );
            assert!(arn.starts_with(prefix), "{arn} {prefix}");
        }
    }
}

#[test]
fn the_dashboard_shows_metrics_and_alarms_that_are_there() {
    let stack = default();
    let dashboard = stack.resource("Dashboard");
    let body: Value = serde_json::from_str(dashboard["DashboardBody"].as_str().unwrap()).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let alarms = list(&widgets[0]["properties"]["alarms"]);
    assert_eq!(alarms.len(), stack.resources("AWS::CloudWatch::Alarm").len());
    let mut shown = BTreeSet::new();
    for widget in widgets {
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            if let Some(search) = metric[0]["expression"].as_str() {
                let (_, schema) = search.split_once("SEARCH('{").unwrap();
                let (schema, rest) = schema.split_once('}').unwrap();
                let mut dimensions: Vec<&str> = schema.split(',').collect();
                assert_eq!(dimensions.remove(0), NAMESPACE);
                dimensions.retain(|dimension| *dimension != "function");
                let name = rest.split('"').nth(1).unwrap();
                check_own_metric(&json!(name), &dimensions);
                shown.insert(name.to_owned());
            } else if metric[0] == NAMESPACE {
                assert_eq!([&metric[2], &metric[3]], ["function", "TriageFunction"]);
                check_own_metric(&metric[1], &[]);
                shown.insert(metric[1].as_str().unwrap().to_owned());
            }
        }
    }
    let unseen = Metric::ALL.into_iter().filter(|metric| !shown.contains(metric.name()));
    assert_eq!(unseen.collect::<Vec<_>>(), [Metric::Flushes], "which has an alarm");
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
    assert_eq!(count("AWS::IAM::Role"), 1);
    let function = stack.resource("TriageFunction");
    assert_eq!(function["Architectures"], json!(["arm64"]));
    assert_eq!(function["TracingConfig"]["Mode"], "PassThrough");
    // It begins nothing that it could not finish in this time: see triage::CALL.
    assert_eq!(function["Timeout"], 30);
    assert_eq!(stack.resource("TriageLogs")["RetentionInDays"], "90");
}
