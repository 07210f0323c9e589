//! The functions understand the settings that the template gives it.

use std::{cell::RefCell, collections::BTreeSet};

use inspector_triage::lambda::settings::{
    self, BadSetting, ReviewSettings, Settings, TicketsSettings, TriageSettings,
};
use serde_json::{Value, json};

use super::{JIRA, SECRET, default, everything};
use crate::common::cloudformation::Stack;

#[test]
fn each_function_gets_every_variable_that_it_reads_and_no_other() {
    for stack in [default(), everything()] {
        gets_what_it_reads::<TriageSettings>(&stack, "TriageFunction", &[]);
        gets_what_it_reads::<ReviewSettings>(&stack, "ReviewFunction", &[]);
    }
    // What all functions get, and this one tells nobody.
    let of_delivery = ["TOPIC_ARN", "CHAT_TOPIC_ARN", "DATA_TOPIC_ARN", "NOTIFY", "EMAIL_REQUIRED"];
    gets_what_it_reads::<TicketsSettings>(&everything(), "TicketsFunction", &of_delivery);
}

/// The function gets every variable that it reads, and beside them only those of `more`.
fn gets_what_it_reads<S: Settings>(stack: &Stack, function: &str, more: &[&str]) {
    let function = stack.resource(function);
    let set = function["Environment"]["Variables"].as_object().unwrap();
    let read = RefCell::new(BTreeSet::new());
    let read_all = settings::read::<S>(|name| {
        read.borrow_mut().insert(name.to_owned());
        let value = set.get(name).unwrap_or_else(|| panic!("{name} is not set"));
        Some(value.as_str().unwrap().to_owned())
    });
    read_all.unwrap_or_else(|error| panic!("{error}"));
    let mut expected = read.into_inner();
    expected.extend(more.iter().map(|name| (*name).to_owned()));
    assert_eq!(set.keys().cloned().collect::<BTreeSet<_>>(), expected);
}

/// Whether a function takes these variables.
fn takes<S: Settings>(variables: &Value) -> Result<(), BadSetting> {
    settings::read::<S>(|name| variables[name].as_str().map(str::to_owned)).map(drop)
}

#[test]
fn what_the_parameters_allow_the_functions_take() {
    for (parameter, values) in [
        ("Language", ["en", "ja"].as_slice()),
        ("EnableNotify", &["true", "false"]),
        ("LogLevel", &["INFO", "WARN", "ERROR"]),
        ("AlertBudget", &["0,1", "0,8", "3,5", "7,0", "7,1", "1,7"]),
        ("AloneFrom", &["P1", "P2", "P3", "P4"]),
        ("SummaryMinutes", &["0", "60", "1440"]),
        ("OwnerTags", &["owner,team", "cost centre", "a,b,c,d,e,f,g,h,i,j"]),
        ("SlaDays", &["1,1,1,1", "2,7,30,90", "1,10,100,999"]),
        ("Deadlines", &["priority", "bod-26-04"]),
        ("UrgentTags", &["", "stage=prod", "stage=prod,data class=very secret"]),
        ("HistoryDays", &["1", "400", "3650"]),
        ("Severities", &["HIGH,CRITICAL", "CRITICAL,HIGH,MEDIUM,LOW,INFORMATIONAL,UNTRIAGED"]),
        ("MediumFromEpss", &["", "0", "0.1", "1"]),
        ("EnableReviewBucket", &["true", "false"]),
        ("InspectorRate", &["0.1", "2", "1000"]),
    ] {
        for value in values {
            let stack = Stack::new(&[(parameter, value)]);
            for (function, takes) in [
                ("TriageFunction", takes::<TriageSettings> as fn(&Value) -> Result<(), BadSetting>),
                ("ReviewFunction", takes::<ReviewSettings>),
            ] {
                let function = stack.resource(function);
                takes(&function["Environment"]["Variables"])
                    .unwrap_or_else(|error| panic!("{parameter}={value}: {error}"));
            }
        }
    }
    let stack = default();
    let allowed = &stack.template()["Parameters"];
    assert_eq!(allowed["LogLevel"]["AllowedValues"], json!(["INFO", "WARN", "ERROR"]));
    assert_eq!(allowed["Language"]["AllowedValues"], json!(["en", "ja"]));
}

#[test]
fn what_the_parameters_of_tickets_allow_their_function_takes() {
    let github = [("Tracker", "github"), ("TrackerProjects", "*=acme/security"), SECRET];
    let longest = format!("{}=A1,*=A_2", "o".repeat(128));
    for (tracker, parameter, values) in [
        (JIRA.as_slice(), "TrackerUrl", ["https://example.atlassian.net/"].as_slice()),
        (&JIRA, "TrackerProjects", &["*=SEC", "cost centre=CC", &longest]),
        (&JIRA, "TicketsFrom", &["P1", "P2", "P3", "P4"]),
        (&JIRA, "TrackerIssueType", &["Task", "Security bug", "B"]),
        (&JIRA, "TrackerPriorities", &["", "none", "1,2,3,4", "Very high,High,Low,Low"]),
        (&JIRA, "TrackerDueDates", &["true", "false"]),
        (&JIRA, "TrackerLabels", &["", "security", "a,b,c,d,e,f,g,h,i,j"]),
        (&github, "TrackerUrl", &["", "https://github.example.com/api/v3"]),
        (&github, "TrackerProjects", &["payments=acme/payments,*=acme/.github"]),
        (&github, "TrackerLabels", &["from inspector"]),
    ] {
        for value in values {
            let others = tracker.iter().filter(|(name, _)| *name != parameter);
            let all: Vec<_> = others.copied().chain([(parameter, *value)]).collect();
            let function = Stack::new(&all).resource("TicketsFunction");
            takes::<TicketsSettings>(&function["Environment"]["Variables"])
                .unwrap_or_else(|error| panic!("{parameter}={value}: {error}"));
        }
    }
}
