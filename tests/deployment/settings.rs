//! The function understands the settings that the template gives it.

use std::{cell::RefCell, collections::BTreeSet};

use inspector_triage::lambda::settings::{self, TriageSettings};
use serde_json::json;

use super::{default, everything};
use crate::common::cloudformation::Stack;

#[test]
fn the_function_gets_every_variable_that_it_reads_and_no_other() {
    for stack in [default(), everything()] {
        let function = stack.resource("TriageFunction");
        let set = function["Environment"]["Variables"].as_object().unwrap();
        let read = RefCell::new(BTreeSet::new());
        let read_all = settings::read::<TriageSettings>(|name| {
            read.borrow_mut().insert(name.to_owned());
            Some(set[name].as_str().unwrap().to_owned())
        });
        read_all.unwrap();
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
        ("AloneFrom", &["P1", "P2", "P3", "P4"]),
        ("SummaryMinutes", &["0", "60", "1440"]),
        ("OwnerTags", &["owner,team", "cost centre", "a,b,c,d,e,f,g,h,i,j"]),
        ("SlaDays", &["1,1,1,1", "2,7,30,90", "1,10,100,999"]),
        ("UrgentTags", &["", "stage=prod", "stage=prod,data class=very secret"]),
        ("HistoryDays", &["1", "400", "3650"]),
    ] {
        for value in values {
            let function = Stack::new(&[(parameter, value)]).resource("TriageFunction");
            let variables = &function["Environment"]["Variables"];
            let read = settings::read::<TriageSettings>(|name| {
                variables[name].as_str().map(str::to_owned)
            });
            read.unwrap_or_else(|error| panic!("{parameter}={value}: {error}"));
        }
    }
    let stack = default();
    let allowed = &stack.template()["Parameters"];
    assert_eq!(allowed["LogLevel"]["AllowedValues"], json!(["INFO", "WARN", "ERROR"]));
    assert_eq!(allowed["Language"]["AllowedValues"], json!(["en", "ja"]));
}
