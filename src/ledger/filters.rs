//! Suppression rules as a template of CloudFormation.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::rules::{MOST_RULES, Rule, Rules};
use crate::domain::digest;

/// What whoever deploys the rules has to know.
const HEAD: [&str; 5] = [
    "Made by inspector-triage ledger filters from the ledger of exceptions. Do not edit: change the ledger, and make it anew.",
    "A rule that is deleted publishes everything that it hid as ACTIVE again, to EventBridge and Security Hub. So does an update that takes a rule out, and the deletion of this stack. Take out a few at a time.",
    "A rule outlives the facts: it has no end, and goes on hiding what becomes worse. Make this template anew whenever the ledger changes, and each day on which an exception ends. inspector-triage ledger compare says which rules are left.",
    "Only a standalone account or the delegated administrator may have rules; those of the administrator hide findings of all members, and suppressed findings do not reach Security Hub. Deploy it there, once in each Region.",
    "A Region may have 500 rules at most, those of others included.",
];

/// The template of these rules.
pub fn template(rules: &Rules) -> Value {
    let mut resources = Map::new();
    let mut conditions = Map::new();
    for rule in &rules.rules {
        let mut resource = json!({
            "Type": "AWS::InspectorV2::Filter",
            "Metadata": {
                "Exception": rule.id,
                "Owner": rule.owner,
                "EndsAfter": rule.expires_at.to_string(),
                "NotSaidByTheRule": rule.not_said,
            },
            "Properties": {
                "Name": rule.name,
                "Description": rule.description,
                "FilterAction": "SUPPRESS",
                "FilterCriteria": capitalized(&rule.criteria),
            },
        });
        if !rule.regions.is_empty() {
            let (name, condition) = condition(&rule.regions);
            resource["Condition"] = json!(name);
            conditions.insert(name, condition);
        }
        resources.insert(logical_id(rule), resource);
    }
    if resources.is_empty() {
        // A template has a resource at least; this one does nothing.
        let nothing = json!({"Type": "AWS::CloudFormation::WaitConditionHandle"});
        resources.insert("NoException".to_owned(), nothing);
    }
    let count = rules.rules.len();
    let mut template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!(
            "Suppression rules of Amazon Inspector, {count} of at most {MOST_RULES}. Deleting one publishes everything that it hid again: see Metadata."
        ),
        "Metadata": {"ReadFirst": HEAD},
    });
    if !conditions.is_empty() {
        template["Conditions"] = Value::Object(conditions);
    }
    template["Resources"] = Value::Object(resources);
    template
}

/// The condition that a stack is in one of these Regions, by its name.
fn condition(regions: &[String]) -> (String, Value) {
    let sorted: BTreeSet<&str> = regions.iter().map(String::as_str).collect();
    let name = sorted.iter().map(|region| camel(region)).collect::<String>();
    let name = if name.len() > 200 { format!("Regions{:016x}", digest::long(&name)) } else { name };
    let here = |region: &&str| json!({"Fn::Equals": [{"Ref": "AWS::Region"}, region]});
    let mut each: Vec<Value> = sorted.iter().map(here).collect();
    // CloudFormation joins ten at most.
    while each.len() > 1 {
        let joined = |part: &[Value]| match part {
            [one] => one.clone(),
            several => json!({"Fn::Or": several}),
        };
        each = each.chunks(10).map(joined).collect();
    }
    (format!("In{name}"), each.pop().unwrap_or_default())
}

/// The name of a rule within the template, which stays the same as long as the rule's does.
fn logical_id(rule: &Rule) -> String {
    format!("{}{:08X}", camel(&rule.name), digest::of(&rule.name))
}

fn camel(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

/// The same with keys as CloudFormation writes them.
fn capitalized(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (camel(key), capitalized(value)));
            Value::Object(fields.collect())
        }
        Value::Array(values) => values.iter().map(capitalized).collect(),
        other => other.clone(),
    }
}
