//! The functions understand the settings that the template gives it.

use std::{cell::RefCell, collections::BTreeSet};

use inspector_triage::lambda::settings::{
    self, BadSetting, ReviewSettings, Settings, TriageSettings,
};
use serde_json::{Value, json};

use super::{default, everything};
use crate::common::cloudformation::Stack;

#[test]
fn each_function_gets_every_variable_that_it_reads_and_no_other() {
    for stack in [default(), everything()] {
        gets_what_it_reads::<TriageSettings>(&stack, "TriageFunction");
        gets_what_it_reads::<ReviewSettings>(&stack, "ReviewFunction");
    }
}

fn gets_what_it_reads<S: Settings>(stack: &Stack, function: &str) {
    let function = stack.resource(function);
    let set = function["Environment"]["Variables"].as_object().unwrap();
    let read = RefCell::new(BTreeSet::new());
    let read_all = settings::read::<S>(|name| {
        read.borrow_mut().insert(name.to_owned());
        let value = set.get(name).unwrap_or_else(|| panic!("{name} is not set"));
        Some(value.as_str().unwrap().to_owned())
    });
    read_all.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(set.keys().cloned().collect::<BTreeSet<_>>(), read.into_inner());
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
