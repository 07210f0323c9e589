//! The schema that editors use says what the reader of a ledger says, and the sample ledger does what it says.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use inspector_triage::{
    domain::{
        assess::{Policy, assess},
        finding::{Envelope, Finding},
        ledger::{Cover, Situation},
    },
    lambda::event,
    ledger,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let schema = fs::read_to_string(common::project("docs/ledger.schema.json")).unwrap();
    serde_json::from_str(&schema).unwrap()
});

fn is_valid(document: &Value) -> bool {
    static VALIDATOR: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());
    VALIDATOR.is_valid(document)
}

/// A ledger with each key once, in JSON, which is YAML too.
fn everything() -> Value {
    json!({
        "version": 1,
        "policy": {
            "max_days": {"P1": 14, "P2": 90, "P3": 180, "P4": 365},
            "warn_days": [30, 14, 7], "never": ["CVE-2021-44228"], "approvers": ["ciso"],
        },
        "exceptions": [{
            "id": "crm-openssl", "vulnerabilities": ["CVE-2026-10866"],
            "packages": ["openssl", "pkg:deb/ubuntu/libssl3"],
            "resources": {
                "accounts": ["111122223333"], "regions": ["eu-central-1"],
                "types": ["AWS_ECR_CONTAINER_IMAGE"], "names": ["crm/*"],
                "arns": ["arn:aws:ecr:eu-central-1:111122223333:repository/crm/*"],
                "tags": {"stage": ["test", "staging"]},
            },
            "decision": "false_positive", "justification": "component_not_present",
            "reason": "It is not there.", "compensating_controls": ["none"], "ticket": "SEC-1",
            "owner": "crm", "approved_by": "ciso", "created_at": "2026-11-01",
            "expires_at": "2027-01-29", "review_at": "2026-12-31", "until_fixed": true,
            "accepted_priority": "P2", "ends_if": ["exploit"],
        }],
        "exclusions": [{
            "target": {
                "type": "lambda", "function_name": "f",
                "function_arn": "arn:aws:lambda:eu-central-1:111122223333:function:f",
                "scan_type": "standard",
            },
            "tag": {"key": "InspectorExclusion", "value": "LambdaStandardScanning"},
            "reason": {"summary": "s", "ticket": "SEC-2", "compensating_controls": ["c"]},
            "owner": {"team": "t", "approved_by": "ciso", "applied_by": "bot"},
            "dates": {
                "applied_at": "2026-11-01", "expires_at": "2027-01-29",
                "next_review_at": "2026-12-31",
            },
        }],
    })
}

/// What is wrong with a ledger, as the reader says it.
fn problems(document: &Value) -> Vec<String> {
    match ledger::read(document.to_string().as_bytes()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.what).collect(),
    }
}

/// The objects of a ledger, each with the place of its schema.
const OBJECTS: [(&str, &str); 11] = [
    ("", ""),
    ("/policy", "/$defs/policy"),
    ("/policy/max_days", "/$defs/policy/properties/max_days"),
    ("/exceptions/0", "/$defs/exception"),
    ("/exceptions/0/resources", "/$defs/resources"),
    ("/exclusions/0", "/$defs/exclusion"),
    ("/exclusions/0/target", "/$defs/exclusion/properties/target"),
    ("/exclusions/0/tag", "/$defs/exclusion/properties/tag"),
    ("/exclusions/0/reason", "/$defs/exclusion/properties/reason"),
    ("/exclusions/0/owner", "/$defs/exclusion/properties/owner"),
    ("/exclusions/0/dates", "/$defs/exclusion/properties/dates"),
];

#[test]
fn the_keys_of_schema_and_code_are_the_same() {
    assert_eq!(problems(&everything()), [""; 0]);
    for (place, schema) in OBJECTS {
        let mut document = everything();
        document.pointer_mut(place).unwrap()["qqqqqqqq"] = json!(1);
        let said = problems(&document);
        let allowed = said.iter().find_map(|said| said.split_once("allowed are "));
        let of_code: BTreeSet<&str> = allowed.expect(place).1.split(", ").collect();
        let schema = SCHEMA.pointer(schema).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let of_schema: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(of_code, of_schema, "{place}");
        assert_eq!(schema["additionalProperties"], false, "{place}");
        assert!(!is_valid(&document), "{place}");
    }
}

#[test]
fn each_key_is_described_to_who_writes_one() {
    fn described(value: &Value) -> bool {
        let other = value["$ref"].as_str().and_then(|other| SCHEMA.pointer(&other[1..]));
        value["description"].is_string() || other.is_some_and(described)
    }
    for (_, place) in OBJECTS {
        for (key, value) in SCHEMA.pointer(place).unwrap()["properties"].as_object().unwrap() {
            assert!(described(value), "{place}: {key}");
        }
    }
}

#[test]
fn schema_and_code_judge_alike_what_a_schema_can_say() {
    let exception = "/exceptions/0";
    let target = "/exclusions/0/target";
    let gone = || Value::Null;
    let changes: Vec<(&str, &str, Value, bool)> = vec![
        ("", "version", json!("1"), true),
        ("", "version", json!(2), false),
        ("", "version", gone(), false),
        ("", "exceptions", json!([]), true),
        ("", "exceptions", json!({}), false),
        ("", "policy", gone(), true),
        ("/policy", "warn_days", json!([]), false),
        ("/policy", "warn_days", json!([0]), false),
        ("/policy", "warn_days", json!([3650]), true),
        ("/policy/max_days", "P1", json!(4000), false),
        ("/policy", "approvers", json!("ciso"), false),
        (exception, "id", json!("ab"), false),
        (exception, "id", json!("Not-Small"), false),
        (exception, "id", json!("a.b_c-1"), true),
        (exception, "id", gone(), false),
        (exception, "vulnerabilities", json!(["CVE-*"]), false),
        (exception, "vulnerabilities", json!(["CVE-1", "CVE-1"]), false),
        (exception, "vulnerabilities", json!([]), false),
        (exception, "vulnerabilities", gone(), true),
        (exception, "packages", json!(["open*"]), false),
        (exception, "packages", json!(["pkg:deb/ubuntu/libssl3@1"]), false),
        (exception, "packages", json!(["org.springframework:spring-webmvc", "a b"]), true),
        (exception, "decision", json!("ignore"), false),
        (exception, "decision", json!("accept"), false),
        (exception, "decision", json!("not_affected"), true),
        (exception, "justification", gone(), true),
        (exception, "justification", json!("because"), false),
        (exception, "reason", json!(""), false),
        (exception, "reason", json!(" "), false),
        (exception, "reason", json!("x".repeat(1000)), true),
        (exception, "reason", json!("x".repeat(1001)), false),
        (exception, "owner", gone(), false),
        (exception, "owner", json!(["crm"]), false),
        (exception, "ticket", gone(), true),
        (exception, "created_at", json!("2026-13-01"), false),
        (exception, "expires_at", json!("2027-01-29T00:00:00Z"), false),
        (exception, "expires_at", json!("29.1.2027"), false),
        (exception, "expires_at", gone(), false),
        (exception, "until_fixed", json!("yes"), false),
        (exception, "until_fixed", json!(false), true),
        (exception, "accepted_priority", json!("P5"), false),
        (exception, "ends_if", json!([]), true),
        (exception, "ends_if", json!(["fix"]), false),
        (exception, "compensating_controls", json!(vec!["x"; 2]), false),
        (exception, "resources", json!({}), false),
        (exception, "resources", gone(), true),
        ("/exceptions/0/resources", "accounts", json!(["1111"]), false),
        ("/exceptions/0/resources", "regions", json!(["EU"]), false),
        ("/exceptions/0/resources", "types", json!(["LAMBDA"]), false),
        ("/exceptions/0/resources", "names", json!(["*"]), false),
        ("/exceptions/0/resources", "names", json!(["?*"]), false),
        ("/exceptions/0/resources", "names", json!(["a*"]), true),
        ("/exceptions/0/resources", "tags", json!({}), false),
        ("/exceptions/0/resources", "tags", json!({"stage": "test"}), false),
        ("/exclusions/0", "tag", gone(), false),
        (target, "type", json!("ecr"), false),
        (target, "scan_type", gone(), false),
        (target, "scan_type", json!("code"), false),
        (target, "instance_id", json!("i-0"), false),
        (target, "function_name", gone(), true),
        (target, "function_arn", json!("f"), false),
        ("/exclusions/0/tag", "value", json!("x"), false),
        ("/exclusions/0/tag", "value", gone(), false),
        ("/exclusions/0/reason", "summary", gone(), false),
        ("/exclusions/0/owner", "team", gone(), false),
        ("/exclusions/0/dates", "expires_at", gone(), false),
    ];
    for (place, key, value, expected) in changes {
        let mut document = everything();
        let object = document.pointer_mut(place).unwrap().as_object_mut().unwrap();
        let what = format!("{place}/{key} = {value}");
        if value.is_null() {
            object.remove(key);
        } else {
            object.insert(key.to_owned(), value);
        }
        assert_eq!(is_valid(&document), expected, "by the schema: {what}");
        let said = problems(&document);
        assert_eq!(said.is_empty(), expected, "by the code: {what}: {said:?}");
    }
    let instance = json!({
        "version": 1,
        "exclusions": [{
            "target": {"type": "ec2", "instance_id": "i-0a1b2c3d4e5f60718"},
            "tag": {"key": "InspectorEc2Exclusion"}, "reason": {"summary": "s"},
            "owner": {"team": "t"}, "dates": {"expires_at": "2027-01-29"},
        }],
    });
    assert!(is_valid(&instance) && problems(&instance).is_empty(), "{:?}", problems(&instance));
}

/// The sample ledger as it stands in this project.
fn sample() -> ledger::Source {
    let source = fs::read(common::project("security/inspector-exclusions.yaml")).unwrap();
    ledger::read(&source).unwrap()
}

#[test]
fn the_sample_ledger_is_sound_today_and_for_years() {
    let source = sample();
    for now in ["2026-11-20T12:00:00Z", "2036-09-15T00:00:00Z"] {
        let now: Timestamp = now.parse().unwrap();
        let checked = ledger::check(&source, &source.policy, now);
        assert_eq!(checked, ledger::Checked::default(), "{now}");
    }
    let text = fs::read_to_string(common::project("security/inspector-exclusions.yaml")).unwrap();
    assert!(
        text.starts_with("# yaml-language-server: $schema=../docs/ledger.schema.json\n"),
        "editors know the schema"
    );
    let ledger = source.ledger();
    assert_eq!((ledger.exceptions.len(), ledger.exclusions.len()), (2, 1));
}

#[test]
fn the_sample_ledger_covers_exactly_two_of_the_sample_findings() {
    let ledger = sample().ledger();
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let mut covered = BTreeSet::new();
    let mut findings = 0;
    for file in fs::read_dir(common::project("events")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let json: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let read: Vec<Finding> = match json["findings"].as_array() {
            Some(listed) => listed
                .iter()
                .map(|one| Finding::read(one, "", Envelope::default()).unwrap().0)
                .collect(),
            None => vec![event::finding(json.to_string().as_bytes()).unwrap().finding],
        };
        for finding in read {
            findings += 1;
            let priority = assess(&finding, &Policy::default(), Some(now)).priority;
            let situation = Situation {
                finding: &finding,
                priority,
                known_exploited: false,
                seen_exploited: false,
            };
            if let Cover::By(exception) = ledger.cover(&situation, now) {
                assert!(finding.status.is_open(), "{}", file.display());
                assert_eq!(priority.as_str(), "P2", "it would be told alone");
                covered.insert((exception.id.clone(), finding.arn.clone()));
            }
        }
    }
    assert!(findings > 30, "{findings}");
    let ids: Vec<&str> = covered.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["crm-backend-until-spring-release", "partner-upload-no-forms"]);
}
