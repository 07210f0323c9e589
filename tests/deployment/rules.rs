//! What the rules let in, where it goes, and what becomes of what fails on the way.

use std::fs;

use inspector_triage::{
    domain::round::Ask,
    emulator::template::{OWN, Template},
    lambda::event::{self, Scheduled},
};
use quamina::Quamina;
use serde_json::{Value, json};

use super::{default, everything, list};
use crate::common::{self, cloudformation::Stack, event_of, project};

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
            // Or an on-demand scan.
            "03" | "16" | "18" | "19" => &[],
            "27" | "28" | "30" => &["EndedFindingsRule"],
            _ => &["OpenFindingsRule"],
        };
        assert_eq!(standard(&event), expected, "{name}");
        let expected = match &name[..2] {
            "03" => &["MediumFindingsRule"],
            "16" => &["OnDemandFindingsRule"],
            _ => expected,
        };
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
fn every_rule_may_invoke_its_function_and_keeps_what_it_cannot_deliver() {
    let stack = everything();
    let functions = stack.resources("AWS::Lambda::Function");
    let rules = stack.resources("AWS::Events::Rule");
    assert_eq!(rules.len(), 9);
    let permissions = stack.resources("AWS::Lambda::Permission");
    let queue = stack.resource("UndeliveredQueuePolicy");
    let may_send =
        list(&queue["PolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"]);
    // All but the schedules whose events are worth nothing when the next ones come.
    let schedules = ["FlushRule", "DailyRule", "ContinueRule", "TicketsRule"];
    assert_eq!(may_send.len(), rules.len() - schedules.len());
    assert_eq!(permissions.len(), rules.len());
    for (name, rule) in rules {
        let arn = format!(
            "arn:aws:events:eu-central-1:111122223333:rule/{}",
            rule["Name"].as_str().unwrap()
        );
        let target = &rule["Targets"][0];
        let (_, function) = target["Arn"].as_str().unwrap().rsplit_once(':').unwrap();
        assert!(functions.contains_key(function), "{name}: {function}");
        let permission = name.replace("Rule", "Permission");
        let mut before = vec![permission.as_str()];
        assert!(target["RetryPolicy"]["MaximumRetryAttempts"].as_u64().unwrap() > 0);
        if schedules.contains(&name.as_str()) {
            assert_eq!(target["DeadLetterConfig"], Value::Null);
        } else {
            before.push("UndeliveredQueuePolicy");
            assert_eq!(
                target["DeadLetterConfig"]["Arn"],
                "arn:aws:sqs:eu-central-1:111122223333:UndeliveredQueue"
            );
            assert!(may_send.contains(&arn.as_str()), "{name}");
        }
        // An event that comes before the permission is there is lost.
        assert_eq!(list(&stack.raw(&name)["DependsOn"]), before, "{name}");
        let permitted = |permission: &&Value| {
            permission["SourceArn"] == arn
                && permission["FunctionName"] == function
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
fn the_schedules_send_what_the_function_takes_for_its_round() {
    let stack = default();
    for (rule, every, ask) in [
        ("DailyRule", "rate(1 hour)", Ask::default()),
        ("ContinueRule", "rate(5 minutes)", Ask { go_on: true, ..Ask::default() }),
    ] {
        let rule = stack.resource(rule);
        let input = rule["Targets"][0]["Input"].as_str().unwrap();
        let now = "2026-11-23T07:00:00Z".parse().unwrap();
        assert_eq!(event::scheduled(input.as_bytes(), now).unwrap(), Scheduled::Daily(ask));
        assert_eq!(rule["ScheduleExpression"], every);
    }
}

#[test]
fn the_review_of_the_week_is_asked_for_at_the_day_and_hour_that_are_set_or_never() {
    let rule = default().resource("WeeklyRule");
    assert_eq!(rule["ScheduleExpression"], "cron(0 7 ? * MON *)");
    let friday = Stack::new(&[("WeeklyDay", "FRI"), ("WeeklyHour", "16")]);
    assert_eq!(friday.resource("WeeklyRule")["ScheduleExpression"], "cron(0 16 ? * FRI *)");
    let none = Stack::new(&[("WeeklyDay", "never")]);
    assert!(!none.names("AWS::Events::Rule").contains("WeeklyRule"));
    assert!(!none.names("AWS::Lambda::Permission").contains("WeeklyPermission"));

    // What EventBridge makes of it, with the time of the schedule.
    let transformer = &rule["Targets"][0]["InputTransformer"];
    assert_eq!(transformer["InputPathsMap"]["time"], "$.time");
    let template = transformer["InputTemplate"].as_str().unwrap();
    let input = template.replace("<time>", "\"2026-11-23T07:00:00Z\"");
    let now = "2026-11-23T07:00:08Z".parse().unwrap();
    let of = "2026-11-23T07:00:00Z".parse().unwrap();
    assert_eq!(event::scheduled(input.as_bytes(), now).unwrap(), Scheduled::Weekly(of));
}

#[test]
fn what_fails_in_a_function_is_tried_again_and_then_kept() {
    let stack = everything();
    let configs = stack.resources("AWS::Lambda::EventInvokeConfig");
    for function in stack.resources("AWS::Lambda::Function").keys() {
        let mut own = configs.values().filter(|config| config["FunctionName"] == **function);
        let config = own.next().unwrap_or_else(|| panic!("{function} may lose events"));
        assert_eq!(config["MaximumRetryAttempts"], 2, "{function}");
        assert_eq!(
            config["DestinationConfig"]["OnFailure"]["Destination"],
            "arn:aws:sqs:eu-central-1:111122223333:FailureQueue",
            "{function}"
        );
    }
    for (name, queue) in stack.resources("AWS::SQS::Queue") {
        assert_eq!(queue["MessageRetentionPeriod"], 14 * 24 * 60 * 60, "{name}");
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
    }
}
