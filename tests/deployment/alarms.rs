//! Alarms and dashboard look at what is there, and alarms reach people.

use std::collections::BTreeSet;

use inspector_triage::lambda::metrics::{Metric, NAMESPACE};
use serde_json::{Value, json};

use super::{OWN_KEY, default, everything, list};
use crate::common::cloudformation::Stack;

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
