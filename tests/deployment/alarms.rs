//! Alarms and dashboard look at what is there, and alarms reach people.

use std::collections::BTreeSet;

use inspector_triage::lambda::metrics::{Metric, NAMESPACE};
use serde_json::{Value, json};

use super::{OWN_KEY, default, everything, list};
use crate::common::cloudformation::Stack;

/// A metric of AWS: how it is called, how an alarm reads it, and the resources that have it.
struct OfAws {
    namespace: &'static str,
    name: &'static str,
    dimension: &'static str,
    statistic: &'static str,
    resources: &'static str,
}

/// The metrics of AWS that have alarms, each for every resource that has it.
const OF_AWS: [OfAws; 8] = [
    of_functions("Errors", "Sum"),
    of_functions("Throttles", "Sum"),
    of_functions("DestinationDeliveryFailures", "Sum"),
    of_functions("Duration", "Maximum"),
    OfAws {
        namespace: "AWS/Events",
        name: "InvocationsFailedToBeSentToDlq",
        dimension: "RuleName",
        statistic: "Sum",
        resources: "AWS::Events::Rule",
    },
    OfAws {
        namespace: "AWS/SQS",
        name: "NumberOfMessagesSent",
        dimension: "QueueName",
        statistic: "Sum",
        resources: "AWS::SQS::Queue",
    },
    OfAws {
        namespace: "AWS/SQS",
        name: "ApproximateNumberOfMessagesVisible",
        dimension: "QueueName",
        statistic: "Maximum",
        resources: "AWS::SQS::Queue",
    },
    OfAws {
        namespace: "AWS/SNS",
        name: "NumberOfNotificationsFailed",
        dimension: "TopicName",
        statistic: "Sum",
        resources: "AWS::SNS::Topic",
    },
];

/// Metrics of AWS that the alarm about silence and the dashboard look at.
const LOOKED_AT: [OfAws; 2] = [
    OfAws {
        namespace: "AWS/Events",
        name: "MatchedEvents",
        dimension: "RuleName",
        statistic: "Sum",
        resources: "AWS::Events::Rule",
    },
    OfAws {
        namespace: "AWS/DynamoDB",
        name: "TransactionConflict",
        dimension: "TableName",
        statistic: "Sum",
        resources: "AWS::DynamoDB::Table",
    },
];

const fn of_functions(name: &'static str, statistic: &'static str) -> OfAws {
    OfAws {
        namespace: "AWS/Lambda",
        name,
        dimension: "FunctionName",
        statistic,
        resources: "AWS::Lambda::Function",
    }
}

/// A metric that an alarm watches.
struct Watched<'a> {
    /// In metric math; else empty.
    id: &'a str,
    namespace: &'a str,
    name: &'a str,
    dimension: &'a str,
    /// The names of the dimensions beside that.
    others: Vec<&'a str>,
    /// The value of the dimension.
    resource: &'a str,
    statistic: &'a str,
    period: u64,
}

impl<'a> Watched<'a> {
    /// All that an alarm watches.
    fn by(alarm: &'a Value) -> Vec<Self> {
        let Some(queries) = alarm["Metrics"].as_array() else {
            return vec![Self::read("", alarm, &alarm["Statistic"], &alarm["Period"])];
        };
        let metrics = queries.iter().filter(|query| query.get("MetricStat").is_some());
        metrics
            .map(|query| {
                let of = &query["MetricStat"];
                Self::read(text(&query["Id"]), &of["Metric"], &of["Stat"], &of["Period"])
            })
            .collect()
    }

    fn read(id: &'a str, metric: &'a Value, statistic: &'a Value, period: &Value) -> Self {
        let dimensions = metric["Dimensions"].as_array().unwrap();
        // Only our own metrics have more than one, and what they are of is the first.
        let is_own = metric["Namespace"] == NAMESPACE;
        assert!(dimensions.len() == 1 || is_own, "{metric}");
        Self {
            id,
            namespace: text(&metric["Namespace"]),
            name: text(&metric["MetricName"]),
            dimension: text(&dimensions[0]["Name"]),
            others: dimensions[1..].iter().map(|other| text(&other["Name"])).collect(),
            resource: text(&dimensions[0]["Value"]),
            statistic: text(statistic),
            period: period.as_u64().unwrap(),
        }
    }

    fn is(&self, metric: &OfAws) -> bool {
        (self.namespace, self.name, self.dimension)
            == (metric.namespace, metric.name, metric.dimension)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The metric math of an alarm, and the ids in it whose value the alarm does not look at.
fn expressions(alarm: &Value) -> (Vec<&str>, Vec<&str>) {
    let queries = || alarm["Metrics"].as_array().into_iter().flatten();
    let expressions = queries().filter_map(|query| query["Expression"].as_str());
    let hidden = queries().filter(|query| query["ReturnData"] == false);
    (expressions.collect(), hidden.map(|query| text(&query["Id"])).collect())
}

#[test]
fn every_alarm_watches_what_is_there() {
    for stack in [default(), everything()] {
        for (name, alarm) in stack.resources("AWS::CloudWatch::Alarm") {
            let watched = Watched::by(&alarm);
            assert!(!watched.is_empty(), "{name}");
            for metric in watched {
                let kind = if metric.namespace == NAMESPACE {
                    assert_eq!(metric.dimension, "function", "{name}");
                    check_own_metric(metric.name, &metric.others);
                    "AWS::Lambda::Function"
                } else {
                    let known = OF_AWS.iter().chain(&LOOKED_AT).find(|known| metric.is(known));
                    let known = known.unwrap_or_else(|| panic!("{name}: no {}", metric.name));
                    assert_eq!(metric.statistic, known.statistic, "{name}");
                    known.resources
                };
                let there = stack.names(kind).contains(metric.resource);
                assert!(there, "{name}: no {}", metric.resource);
            }
        }
    }
}

#[test]
fn every_function_rule_queue_and_topic_is_watched() {
    for stack in [default(), everything()] {
        let alarms = stack.resources("AWS::CloudWatch::Alarm");
        for metric in OF_AWS {
            let watched = alarms.values().flat_map(Watched::by).filter(|one| one.is(&metric));
            let mut watched: Vec<_> = watched.map(|one| one.resource.to_owned()).collect();
            watched.sort();
            // Nobody would hear of an alarm about the topic of alarms, nothing is lost with an event of a schedule, and daily
            // rounds and tickets take what time there is. What waits for a function is no failure, and what SQS moves out of there
            // it does not count as sent.
            let schedules = ["-flush", "-daily", "-continue", "-tickets"];
            let is_watched = |name: &String| {
                !["AlarmsTopic", "TicketsQueue"].contains(&name.as_str())
                    && !schedules.iter().any(|schedule| name.ends_with(schedule))
                    && (metric.name != "Duration"
                        || !["ReviewFunction", "TicketsFunction"].contains(&name.as_str()))
                    && (metric.name != "NumberOfMessagesSent" || name != "TicketsFailedQueue")
            };
            let resources = stack.names(metric.resources).into_iter().filter(is_watched);
            assert_eq!(watched, resources.collect::<Vec<_>>(), "{}", metric.name);
        }
    }
}

#[test]
fn metric_math_is_what_cloudwatch_takes_for_an_alarm() {
    for stack in [default(), everything()] {
        for (name, alarm) in stack.resources("AWS::CloudWatch::Alarm") {
            let Some(queries) = alarm["Metrics"].as_array() else {
                continue;
            };
            assert!(alarm.get("MetricName").is_none(), "{name}");
            let watched = Watched::by(&alarm);
            assert!(watched.len() <= 10, "{name}");
            assert!(watched.iter().all(|metric| metric.period == watched[0].period), "{name}");
            let ids: BTreeSet<_> = queries.iter().map(|query| text(&query["Id"])).collect();
            assert_eq!(ids.len(), queries.len(), "{name}: an id stands twice");
            for id in ids {
                let rest = id.trim_start_matches(|c: char| c.is_ascii_lowercase());
                let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
                assert!(rest.len() < id.len() && rest.chars().all(allowed), "{name}: {id}");
            }
            // One is looked at, and all others are in its value.
            let (expressions, hidden) = expressions(&alarm);
            assert_eq!(hidden.len() + 1, queries.len(), "{name}");
            let words: BTreeSet<_> = expressions
                .iter()
                .flat_map(|expression| expression.split(|c: char| c != '_' && !c.is_alphanumeric()))
                .collect();
            assert!(!words.contains("SEARCH"), "{name}");
            let all = expressions.iter().any(|expression| expression.contains("METRICS()"));
            for id in hidden {
                let by_all = all && watched.iter().any(|metric| metric.id == id);
                assert!(by_all || words.contains(id), "{name}: {id} is not used");
            }
        }
    }
}

#[test]
fn the_alarm_about_durations_knows_each_time_out() {
    let stack = everything();
    let alarm = stack.resource("DurationAlarm");
    assert_eq!(alarm["Threshold"], 80);
    let (expressions, _) = expressions(&alarm);
    for metric in Watched::by(&alarm) {
        let milliseconds = stack.resource(metric.resource)["Timeout"].as_u64().unwrap() * 1000;
        let share = format!("100 * {} / {milliseconds}", metric.id);
        assert!(expressions.iter().any(|expression| expression.contains(&share)), "{share}");
    }
}

/// The function has the metric, with these dimensions beside its own name.
fn check_own_metric(name: &str, dimensions: &[&str]) {
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
        (default(), 18, own),
        (everything(), 23, own),
        (Stack::new(&[("AlarmTopic", "alerts"), OWN_KEY]), 18, alerts),
        (Stack::new(&[("AlarmTopic", other)]), 18, other),
        (Stack::new(&[("SilenceDays", "0")]), 17, own),
    ] {
        let alarms = stack.resources("AWS::CloudWatch::Alarm");
        assert_eq!(alarms.len(), count);
        for (name, alarm) in alarms {
            assert_eq!(alarm["AlarmActions"], json!([topic]), "{name}");
            assert_eq!(alarm["OKActions"], json!([topic]), "{name}");
            let description = alarm["AlarmDescription"].as_str().unwrap();
            let asks = ["See that", "Look at", "look for", "Raise", "docs/OPERATIONS.md"];
            assert!(asks.iter().any(|ask| description.contains(ask)), "{name}: {description}");
            // A line that is folded after a hyphen gets a space: `--from- queue`.
            assert!(!description.contains("- "), "{name}: {description}");
            let of_nothing = ["FlushAlarm", "OldestTicketAlarm", "RoundAlarm", "SilenceAlarm"];
            let of_nothing = of_nothing.contains(&name.as_str());
            let missing = if of_nothing { "breaching" } else { "notBreaching" };
            assert_eq!(alarm["TreatMissingData"], missing, "{name}");
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
    let of_tickets = [
        Metric::Tickets,
        Metric::TicketFailures,
        Metric::TrackerRefusals,
        Metric::OldestTicketAge,
        Metric::TrackerLatency,
    ];
    shows_what_is_there(&default(), &of_tickets);
    shows_what_is_there(&everything(), &[]);
}

/// The dashboard of a stack that has no function with the metrics `without`.
fn shows_what_is_there(stack: &Stack, without: &[Metric]) {
    let dashboard = stack.resource("Dashboard");
    let body: Value = serde_json::from_str(text(&dashboard["DashboardBody"])).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let alarms: BTreeSet<_> = list(&widgets[0]["properties"]["alarms"]).into_iter().collect();
    let alarms_there = stack.resources("AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), alarms_there.len());
    for alarm in alarms_there.values() {
        let name = text(&alarm["AlarmName"]);
        let arn = format!("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:{name}");
        assert!(alarms.contains(arn.as_str()), "{name}");
    }
    let functions = stack.resources("AWS::Lambda::Function");
    // Names of metrics, and what they are about.
    let mut shown = BTreeSet::new();
    for widget in widgets {
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            if let Some(search) = metric[0]["expression"].as_str() {
                let (_, schema) = search.split_once("SEARCH('{").unwrap();
                let (schema, rest) = schema.split_once('}').unwrap();
                let mut dimensions: Vec<&str> = schema.split(',').collect();
                let namespace = dimensions.remove(0);
                if namespace == "AWS/DynamoDB" {
                    assert_eq!(dimensions, ["Operation", "TableName"]);
                    assert!(rest.contains("TableName=\"FindingsTable\""), "{rest}");
                    continue;
                }
                assert_eq!(namespace, NAMESPACE);
                dimensions.retain(|dimension| *dimension != "function");
                let quoted: Vec<_> = rest.split('"').collect();
                check_own_metric(quoted[1], &dimensions);
                shown.insert((quoted[1].to_owned(), quoted[3].to_owned()));
                continue;
            }
            let [namespace, name, dimension, resource] =
                [0, 1, 2, 3].map(|index| text(&metric[index]));
            if namespace == NAMESPACE {
                assert_eq!(dimension, "function");
                check_own_metric(name, &[]);
                assert!(functions.contains_key(resource), "{name} of {resource}");
            } else {
                let known = OF_AWS.iter().chain(&LOOKED_AT).find(|known| {
                    (known.namespace, known.name, known.dimension) == (namespace, name, dimension)
                });
                let kind = known.unwrap_or_else(|| panic!("there is no {name}")).resources;
                assert!(stack.names(kind).contains(resource), "{name} of {resource}");
            }
            shown.insert((name.to_owned(), resource.to_owned()));
        }
    }
    let of = |metric: &str, resource: &str| (metric.to_owned(), resource.to_owned());
    let own = Metric::ALL.into_iter();
    let is_shown = |metric: &Metric| {
        functions.keys().any(|function| shown.contains(&of(metric.name(), function)))
    };
    let unseen: Vec<_> = own.filter(|metric| !is_shown(metric)).collect();
    assert_eq!(unseen, [&[Metric::Flushes], without].concat(), "the first of which has an alarm");
    for function in functions.keys() {
        for metric in ["Throttles", "Duration"] {
            assert!(shown.contains(&of(metric, function)), "{metric} of {function}");
        }
    }
    for queue in stack.resources("AWS::SQS::Queue").keys() {
        assert!(shown.contains(&of("ApproximateNumberOfMessagesVisible", queue)), "{queue}");
    }
    let query = widgets.iter().find_map(|widget| widget["properties"]["query"].as_str()).unwrap();
    for logs in stack.resources("AWS::Logs::LogGroup").keys() {
        assert!(query.contains(&format!("SOURCE '{logs}'")), "{logs}");
    }
}
