//! A ledger compared with the world, and carried on to Inspector's own rules, to VEX, and from other tools.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::{
    command_line::run_in,
    common::{self, World, scratch},
};
use inspector_triage::{
    emulator::inspector::{Account, Habits},
    ledger,
};
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T12:00:00Z";

/// Runs `ledger …`: stdout, stderr and the status.
fn run(arguments: &[&str]) -> (String, String, Option<i32>) {
    answer(&[], &[&["ledger"], arguments].concat())
}

fn answer(environment: &[(&str, &str)], arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = run_in(environment, arguments, b"");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// Runs a command of the ledger on one that is written in YAML.
fn on(name: &str, yaml: &str, command: &[&str]) -> (String, String, Option<i32>) {
    let file = write(name, "ledger.yaml", yaml);
    run(&[&[command[0], file.to_str().unwrap()], &command[1..], &["--now", NOW]].concat())
}

fn write(name: &str, file: &str, content: &str) -> PathBuf {
    let file = scratch(name).join(file);
    fs::write(&file, content).unwrap();
    file
}

/// An exception in YAML, with more keys.
fn exception(id: &str, more: &str) -> String {
    format!(
        "  - {{id: {id}, decision: accept, reason: why, owner: crm, created_at: 2026-11-01, {more}}}\n"
    )
}

fn exceptions(list: &[String]) -> String {
    format!("version: 1\nexceptions:\n{}", list.concat())
}

const END: &str = "expires_at: 2027-01-29";

/// An exclusion of a function in YAML.
fn exclusion(target: &str, scan: &str, expires: &str) -> String {
    let tag = match scan {
        "code" => "{key: InspectorCodeExclusion, value: LambdaCodeScanning}",
        _ => "{key: InspectorExclusion, value: LambdaStandardScanning}",
    };
    format!(
        "  - {{target: {{type: lambda, {target}, scan_type: {scan}}}, tag: {tag}, reason: {{summary: why}}, owner: {{team: shop}}, dates: {{expires_at: {expires}}}}}\n"
    )
}

fn exclusions(list: &[String]) -> String {
    format!("version: 1\nexclusions:\n{}", list.concat())
}

fn arn(function: &str) -> String {
    format!("arn:aws:lambda:eu-central-1:111122223333:function:{function}")
}

/// A function as Inspector's coverage has it.
fn function(name: &str, scan: &str, reason: &str, tags: &Value) -> Value {
    json!({
        "resourceType": "AWS_LAMBDA_FUNCTION", "resourceId": format!("{}:$LATEST", arn(name)),
        "accountId": "111122223333", "scanType": scan,
        "scanStatus": {
            "statusCode": if reason == "SUCCESSFUL" { "ACTIVE" } else { "INACTIVE" },
            "reason": reason,
        },
        "resourceMetadata": {"lambdaFunction": {
            "functionName": name, "functionTags": tags, "runtime": "NODEJS_20_X",
        }},
    })
}

fn excluded(name: &str) -> Value {
    let tags = json!({"InspectorExclusion": "LambdaStandardScanning"});
    function(name, "PACKAGE", "EXCLUDED_BY_TAG", &tags)
}

fn scanned(name: &str) -> Value {
    function(name, "PACKAGE", "SUCCESSFUL", &json!({}))
}

/// A suppression rule as Inspector lists it.
fn rule(name: &str, description: &str, criteria: &Value) -> Value {
    json!({
        "arn": format!("arn:aws:inspector2:eu-central-1:111122223333:owner/111122223333/filter/{name}"),
        "name": name, "description": description, "action": "SUPPRESS", "ownerId": "111122223333",
        "criteria": criteria, "createdAt": 1.0, "updatedAt": 1.0,
    })
}

/// Compares a ledger with what was listed: kinds and names of the differences, and stderr.
fn compared(name: &str, yaml: &str, coverage: &[Value], rules: &[Value]) -> (Vec<String>, String) {
    let file = write(name, "ledger.yaml", yaml);
    let folder = file.parent().unwrap();
    let (listed, filters) = (folder.join("coverage.json"), folder.join("filters.json"));
    fs::write(&listed, json!({"coveredResources": coverage}).to_string()).unwrap();
    fs::write(&filters, json!({"filters": rules}).to_string()).unwrap();
    let [file, listed, filters] = [&file, &listed, &filters].map(|path| path.to_str().unwrap());
    let (said, error, status) = run(&[
        "compare",
        file,
        "--coverage",
        listed,
        "--filters",
        filters,
        "--now",
        NOW,
        "--format",
        "json",
    ]);
    let differences = found(&said);
    assert_eq!(status, Some(i32::from(!differences.is_empty())), "{said}{error}");
    (differences, error)
}

fn found(json: &str) -> Vec<String> {
    let differences: Vec<Value> = serde_json::from_str(json).expect(json);
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    differences.iter().map(|one| format!("{} {}", text(one, "kind"), text(one, "name"))).collect()
}

#[test]
fn a_tag_without_an_entry_differs_and_one_with_an_entry_does_not() {
    let ledger = exclusions(&[exclusion("function_name: known", "standard", "2027-01-01")]);
    let coverage = [excluded("known"), excluded("unknown"), scanned("other")];
    let (differences, error) = compared("tag", &ledger, &coverage, &[]);
    assert_eq!(differences, ["tag-without-entry unknown"]);
    assert_eq!(error, "");
    let code = exclusions(&[exclusion("function_name: known", "code", "2027-01-01")]);
    let (differences, _) = compared("tag-of-another-scan", &code, &[excluded("known")], &[]);
    assert_eq!(differences, ["tag-without-entry known", "entry-without-tag known"]);
}

#[test]
fn an_ended_entry_whose_tag_is_still_there_differs() {
    let ended = exclusion("function_name: f", "standard", "2026-11-19");
    let (differences, _) = compared("ended", &exclusions(&[ended]), &[excluded("f")], &[]);
    assert_eq!(differences, ["ended-entry f"]);
    let last_day = exclusion("function_name: f", "standard", "2026-11-20");
    let (differences, _) = compared("last-day", &exclusions(&[last_day]), &[excluded("f")], &[]);
    assert_eq!(differences, [""; 0]);
    let ended = exclusion("function_name: f", "standard", "2026-11-19");
    let (differences, _) = compared("ended-and-gone", &exclusions(&[ended]), &[scanned("f")], &[]);
    assert_eq!(differences, [""; 0], "check says that it has ended");
}

#[test]
fn an_entry_without_its_tag_differs_where_that_can_be_known() {
    let by_arn = |name: &str| {
        exclusion(&format!("function_arn: \"{}\"", arn(name)), "standard", "2027-01-01")
    };
    let ledger = exclusions(&[by_arn("scanned"), by_arn("gone"), by_arn("excluded")]);
    let coverage = [scanned("scanned"), excluded("excluded")];
    let (differences, _) = compared("entry", &ledger, &coverage, &[]);
    let gone = format!("entry-without-tag {}", arn("gone"));
    let mut expected = vec![gone, "entry-without-tag scanned".to_owned()];
    expected.sort();
    let mut found = differences;
    found.sort();
    assert_eq!(found, expected);

    let (differences, error) = compared("entry-unknown", &ledger, &[excluded("excluded")], &[]);
    assert_eq!(differences, [""; 0], "only what is excluded was listed");
    assert!(
        error.contains("not known: whether") && error.contains("only what a tag excludes"),
        "{error}"
    );

    let elsewhere = exclusion(
        "function_arn: \"arn:aws:lambda:us-east-1:444455556666:function:f\"",
        "standard",
        "2027-01-01",
    );
    let (differences, error) =
        compared("entry-elsewhere", &exclusions(&[elsewhere]), &[scanned("f")], &[]);
    assert_eq!(differences, [""; 0]);
    assert!(error.contains("nothing of its account and Region was listed"), "{error}");
}

#[test]
fn instances_are_excluded_by_a_tag_of_any_value() {
    let instance = |id: &str, tags: Value| {
        json!({
            "resourceType": "AWS_EC2_INSTANCE", "resourceId": id, "accountId": "111122223333",
            "scanType": "PACKAGE", "resourceMetadata": {"ec2": {"tags": tags}},
            "scanStatus": {"statusCode": "INACTIVE", "reason": "EXCLUDED_BY_TAG"},
        })
    };
    let ledger = "version: 1\nexclusions:\n  - {target: {type: ec2, instance_id: i-0a}, tag: {key: InspectorEc2Exclusion}, reason: {summary: why}, owner: {team: shop}, dates: {expires_at: 2027-01-01}}\n";
    let coverage = [
        instance("i-0a", json!({"InspectorEc2Exclusion": "yes"})),
        instance("i-0b", json!({"InspectorEc2Exclusion": ""})),
    ];
    let (differences, _) = compared("instances", ledger, &coverage, &[]);
    assert_eq!(differences, ["tag-without-entry i-0b"]);
}

#[test]
fn a_suppression_rule_needs_an_exception_that_is_in_force_and_says_the_same() {
    let ids = "vulnerabilities: [CVE-2026-1]";
    let ended = "expires_at: 2026-11-19";
    let ledger = exceptions(&[
        exception("in-force", &format!("{ids}, {END}, ends_if: []")),
        exception("widened", &format!("{ids}, {END}, ends_if: []")),
        exception("over", &format!("{ids}, {ended}")),
    ]);
    let criteria = json!({"vulnerabilityId": [{"comparison": "EQUALS", "value": "CVE-2026-1"}]});
    let wide = json!({"vulnerabilityId": [{"comparison": "PREFIX", "value": "CVE-2026"}]});
    let mut hides_nothing = rule("a-view", "", &wide);
    hides_nothing["action"] = json!("NONE");
    let rules = [
        rule("any-name", "inspector-triage exception in-force, until 2027-01-29: why", &criteria),
        rule("in-force", "no mark, but the name", &criteria),
        rule("widened", "", &wide),
        rule("over", "", &criteria),
        rule("by-hand", "quick fix", &wide),
        hides_nothing,
    ];
    let (differences, _) = compared("rules", &ledger, &[], &rules);
    assert_eq!(
        differences,
        ["rule-without-entry by-hand", "ended-rule over", "changed-rule widened"]
    );
}

#[test]
fn the_rules_that_filters_makes_are_explained() {
    let many: Vec<String> = (0..23).map(|n| format!("CVE-2026-{n}")).collect();
    let more = format!(
        "vulnerabilities: [{}], packages: [openssl], resources: {{accounts: [\"111122223333\"]}}, until_fixed: true, {END}",
        many.join(", ")
    );
    let ledger = exceptions(&[exception("many", &more)]);
    let (said, _, status) = on("explained", &ledger, &["filters"]);
    assert_eq!(status, Some(0), "{said}");
    let template: Value = serde_json::from_str(&said).unwrap();
    let made = template["Resources"].as_object().unwrap();
    let as_listed = |resource: &Value| {
        let properties = &resource["Properties"];
        let criteria = small(&properties["FilterCriteria"]);
        let text = |key: &str| properties[key].as_str().unwrap();
        rule(text("Name"), text("Description"), &criteria)
    };
    let rules: Vec<Value> = made.values().map(as_listed).collect();
    assert_eq!(rules.len(), 3, "ten values a criterion");
    let (differences, _) = compared("explained", &ledger, &[], &rules);
    assert_eq!(differences, [""; 0]);
}

/// Keys as the API has them.
fn small(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key[..1].to_lowercase() + &key[1..], small(value)))
            .collect(),
        Value::Array(values) => values.iter().map(small).collect(),
        other => other.clone(),
    }
}

#[test]
fn pages_one_after_the_other_and_several_files_are_one_listing() {
    let folder = scratch("pages");
    let page = |name: &str| json!({"coveredResources": [excluded(name)], "nextToken": "t"});
    let ledger = folder.join("ledger.yaml");
    fs::write(&ledger, "version: 1\n").unwrap();
    let (one, two) = (folder.join("one.json"), folder.join("two.json"));
    fs::write(&one, format!("{:#}\n{}", page("a"), page("b"))).unwrap();
    fs::write(&two, page("c").to_string()).unwrap();
    let [ledger, one, two] = [&ledger, &one, &two].map(|path| path.to_str().unwrap());
    let command = ["compare", ledger, "--coverage", one, two, "--now", NOW];
    let (said, error, status) = run(&[&command[..], &["--format", "csv"]].concat());
    assert_eq!(status, Some(1), "{error}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "kind,account,region,name,resource,what,todo");
    assert!(lines[3].starts_with("tag-without-entry,111122223333,eu-central-1,c,"), "{said}");
    assert!(error.contains("suppression rules were not listed"), "{error}");
    let (table, ..) = run(&command);
    assert!(
        table.contains("| 111122223333 | eu-central-1 | a    | tag-without-entry |"),
        "{table}"
    );
    assert!(table.contains("\na: the tag InspectorExclusion=LambdaStandardScanning keeps it out of scans, and no entry says why; remove the tag, or add"), "{table}");
}

#[test]
fn what_strangers_wrote_reaches_no_terminal_and_no_spreadsheet_as_it_is() {
    let folder = scratch("strangers");
    let (ledger, filters) = (folder.join("ledger.yaml"), folder.join("filters.json"));
    fs::write(&ledger, "version: 1\n").unwrap();
    let name = "=cmd()\u{1b}[2J\n| P1 |";
    fs::write(&filters, json!({"filters": [rule(name, name, &json!({}))]}).to_string()).unwrap();
    let [ledger, filters] = [&ledger, &filters].map(|path| path.to_str().unwrap());
    let command = ["compare", ledger, "--filters", filters, "--now", NOW];
    for format in ["table", "csv", "json"] {
        let (said, error, status) = run(&[&command[..], &["--format", format]].concat());
        assert_eq!(status, Some(1), "{error}");
        assert!(!said.contains('\u{1b}') && !said.contains("\n| P1"), "{said}");
        assert_eq!(said.contains(",'=cmd()"), format == "csv", "{said}");
        assert!(error.contains("not known: resources were not listed"), "{error}");
    }
}

#[test]
fn an_alias_that_is_many_when_it_is_followed_is_not_followed() {
    let doubled = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1));
    let bomb = format!(
        "a0: &a0 [x, x]\n{}vulnerabilities: [{{id: CVE-2026-1, purls: *a39}}]\n",
        doubled.collect::<String>()
    );
    let (_, notes, _) = imported("bomb.yaml", &bomb, "trivy", true);
    assert!(notes.contains("left out: a list of 2 where a text is read"), "{notes}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = scratch("unreadable");
    let ledger = folder.join("ledger.yaml");
    fs::write(&ledger, "version: 1\n").unwrap();
    let ledger = ledger.to_str().unwrap();
    for (name, content, expected) in [
        ("broken.json", r#"{"coveredResources": ["#, "EOF while parsing"),
        (
            "other.json",
            r#"{"findings": []}"#,
            "expected coveredResources, as aws inspector2 list-coverage",
        ),
        ("empty.json", "", "it is empty; expected coveredResources"),
        (
            "half.json",
            r#"{"coveredResources": [{"accountId": "1"}]}"#,
            "coveredResources[0]: missing field",
        ),
    ] {
        let file = folder.join(name);
        fs::write(&file, content).unwrap();
        let (said, error, status) = run(&["compare", ledger, "--coverage", file.to_str().unwrap()]);
        assert_eq!((status, said.as_str()), (Some(1), ""), "{name}");
        assert!(error.contains(name) && error.contains(expected), "{error}");
    }
    for command in [
        vec!["compare", "no/ledger.yaml", "--coverage", "no/such.json"],
        vec!["compare", ledger, "--coverage", "no/such.json"],
        vec!["filters", "no/ledger.yaml"],
        vec!["vex", "no/ledger.yaml"],
        vec!["import", "no/such.toml", "--from", "osv-scanner"],
        vec!["vex", ledger, "--format", "csaf"],
    ] {
        assert_eq!(run(&command).2, Some(2), "{command:?}");
    }
    for command in [vec!["filters"], vec!["vex"], vec!["compare", "--coverage", "no/such.json"]] {
        let (said, _, status) = on("unsound", "version: 1\nexceptions: [{id: abc}]\n", &command);
        assert_eq!(status, Some(1), "{command:?}");
        assert!(said.contains("ledger.yaml:2:14: exceptions[0]"), "{said}");
        assert!(said.ends_with("unsound: see inspector-triage ledger check\n"), "{said}");
    }
}

#[tokio::test]
async fn inspector_itself_is_asked_page_by_page() {
    let world = World::new().await;
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.habits = Habits { page_size: 2, empty_pages: true, ..Habits::default() };
        fleet.accounts = vec![Account::new("111122223333")];
        fleet.coverage = ["a", "b", "c", "d", "e"].map(excluded).to_vec();
        fleet.coverage.extend([scanned("tagless"), scanned("by-name")]);
        let criteria = json!({"severity": [{"comparison": "EQUALS", "value": "LOW"}]});
        fleet.rules = ["r1", "r2", "r3"].map(|name| rule(name, "", &criteria)).to_vec();
    }
    let by_arn =
        |arn: String| exclusion(&format!("function_arn: \"{arn}\""), "standard", "2027-01-01");
    let ledger = exclusions(&[
        exclusion("function_name: a", "standard", "2027-01-01"),
        exclusion("function_name: by-name", "standard", "2027-01-01"),
        by_arn(arn("tagless")),
        by_arn(arn("gone")),
        by_arn("arn:aws:lambda:eu-central-1:999999999999:function:of-others".to_owned()),
        by_arn("arn:aws:lambda:us-east-1:111122223333:function:far".to_owned()),
    ]);
    let file = write("asked", "ledger.yaml", &ledger);
    let environment = world.emulator.serve(0).await.unwrap();
    let compare = move || {
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let arguments =
            ["ledger", "compare", file.to_str().unwrap(), "--now", NOW, "--format", "json"];
        answer(&environment, &arguments)
    };
    let (said, error, status) = tokio::task::spawn_blocking(compare).await.unwrap();
    assert_eq!(status, Some(1), "{error}");
    let found: BTreeSet<String> = found(&said).into_iter().collect();
    let mut expected: BTreeSet<String> = ["b", "c", "d", "e"]
        .map(|name| format!("tag-without-entry {name}"))
        .into_iter()
        .chain(["r1", "r2", "r3"].map(|name| format!("rule-without-entry {name}")))
        .collect();
    expected.extend([
        "entry-without-tag by-name".to_owned(),
        "entry-without-tag tagless".to_owned(),
        format!("entry-without-tag {}", arn("gone")),
    ]);
    assert_eq!(found, expected);
    assert!(error.contains("of-others") && error.contains("function:far"), "{error}");
}

#[test]
fn a_rule_says_whose_it_is_when_it_ends_and_what_it_does_not_say() {
    let more = format!(
        "vulnerabilities: [CVE-2026-1], packages: [openssl], until_fixed: true, ticket: SEC-1, {END}, resources: {{types: [AWS_ECR_CONTAINER_IMAGE], names: [crm/api], accounts: [\"111122223333\"], regions: [eu-central-1, eu-west-1], tags: {{stage: [test, dev]}}}}"
    );
    let (said, error, status) =
        on("one-rule", &exceptions(&[exception("crm-openssl", &more)]), &["filters"]);
    assert_eq!(status, Some(0), "{said}");
    let template: Value = serde_json::from_str(&said).unwrap();
    let head = template["Metadata"]["ReadFirst"].to_string();
    for said in ["publishes everything", "outlives the facts", "delegated administrator", "500"] {
        assert!(head.contains(said), "{head}");
    }
    let (_, resource) = template["Resources"].as_object().unwrap().iter().next().unwrap();
    let properties = &resource["Properties"];
    assert_eq!(properties["Name"], "crm-openssl");
    assert_eq!(
        properties["Description"],
        "inspector-triage exception crm-openssl, until 2027-01-29, crm, SEC-1: why"
    );
    let is = |value: &str| json!([{"Comparison": "EQUALS", "Value": value}]);
    let tag = |value: &str| json!({"Comparison": "EQUALS", "Key": "stage", "Value": value});
    assert_eq!(
        properties["FilterCriteria"],
        json!({
            "VulnerabilityId": is("CVE-2026-1"),
            "VulnerablePackages": [{"Name": {"Comparison": "EQUALS", "Value": "openssl"}}],
            "AwsAccountId": is("111122223333"), "ResourceType": is("AWS_ECR_CONTAINER_IMAGE"),
            "EcrImageRepositoryName": is("crm/api"), "ResourceTags": [tag("test"), tag("dev")],
            "FixAvailable": is("NO"), "ExploitAvailable": is("NO"),
        })
    );
    let condition = resource["Condition"].as_str().unwrap();
    let here = |region: &str| json!({"Fn::Equals": [{"Ref": "AWS::Region"}, region]});
    assert_eq!(
        template["Conditions"][condition],
        json!({"Fn::Or": [here("eu-central-1"), here("eu-west-1")]})
    );
    for said in ["has no end", "what CISA lists", "more urgent than P3", "does not know aliases"] {
        assert!(
            error.contains(&format!(
                "note: crm-openssl: {}",
                error
                    .split("note: crm-openssl: ")
                    .find(|one| one.contains(said))
                    .unwrap()
                    .lines()
                    .next()
                    .unwrap()
            )),
            "{error}"
        );
        assert!(resource["Metadata"]["NotSaidByTheRule"].to_string().contains(said), "{said}");
    }
}

#[test]
fn a_rule_that_would_be_wider_than_its_exception_is_refused() {
    let id = "vulnerabilities: [CVE-2026-1]";
    for (more, expected) in [
        (format!("{id}, resources: {{arns: [\"arn:aws:ecr:*\"]}}"), "wildcards"),
        (
            format!("{id}, resources: {{types: [AWS_LAMBDA_FUNCTION], names: [\"crm-*\"]}}"),
            "wildcards",
        ),
        (format!("{id}, resources: {{names: [crm]}}"), "if that is the one of resources.types"),
        (format!("{id}, packages: [\"pkg:deb/ubuntu/libssl3\"]"), "a rule knows names alone"),
        (format!("{id}, resources: {{tags: {{a: [x], b: [y]}}}}"), "any of its tags"),
        ("vulnerabilities: [CWE-89]".to_owned(), "no criterion of a rule is a CWE"),
    ] {
        let ledger = exceptions(&[
            exception("fine", &format!("{id}, {END}")),
            exception("too-much", &format!("{more}, {END}")),
        ]);
        let (said, _, status) = on("refused", &ledger, &["filters"]);
        assert_eq!(status, Some(1), "{more}: {said}");
        assert!(said.contains("too-much: ") && said.contains(expected), "{more}: {said}");
        assert!(!said.contains("fine: ") && !said.contains("AWS::InspectorV2"), "{said}");
    }
    let never = format!(
        "version: 1\npolicy: {{never: [CVE-2021-44228]}}\nexceptions:\n{}",
        exception("by-package", &format!("packages: [openssl], {END}"))
    );
    let (said, _, status) = on("refused-never", &never, &["filters"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("policy.never"), "{said}");
    let all: Vec<String> =
        (0..501).map(|n| exception(&format!("one-{n}"), &format!("{id}, {END}"))).collect();
    let (said, _, status) = on("too-many", &exceptions(&all), &["filters"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("501 rules, and a Region may have 500"), "{said}");
}

#[test]
fn what_is_not_in_force_is_no_rule_and_no_statement() {
    let id = "vulnerabilities: [CVE-2026-1]";
    let ledger = exceptions(&[
        exception("over", &format!("{id}, expires_at: 2026-11-19")),
        exception("now", &format!("{id}, {END}")),
        exception("later", &format!("{id}, {END}")).replace("2026-11-01", "2026-12-01"),
    ]);
    for command in [vec!["filters"], vec!["vex"], vec!["vex", "--format", "cyclonedx"]] {
        let (said, error, status) = on("in-force", &ledger, &command);
        assert_eq!(status, Some(0), "{error}");
        assert!(!said.contains("exception over") && !said.contains("exception later"), "{said}");
        assert!(error.contains("note: over: left out: it ended with 2026-11-19"), "{error}");
        assert!(error.contains("note: later: left out: it begins with 2026-12-01"), "{error}");
    }
}

/// A ledger with each decision.
fn decisions() -> String {
    let id = "vulnerabilities: [CVE-2026-1, GHSA-7q2v-m4xh-9c3p]";
    let with = |id: &str, decision: &str, more: &str| {
        exception(id, &format!("{more}, {END}")).replace("decision: accept", decision)
    };
    exceptions(&[
        with(
            "accepted",
            "decision: accept",
            &format!("{id}, compensating_controls: [the WAF], approved_by: ciso, ticket: SEC-1"),
        ),
        with(
            "until-fixed",
            "decision: accept",
            &format!(
                "{id}, until_fixed: true, resources: {{arns: [\"arn:aws:ecr:eu-central-1:111122223333:repository/crm\"]}}"
            ),
        ),
        with(
            "deferred",
            "decision: defer",
            &format!("{id}, packages: [\"pkg:npm/%40scope/form-data\", openssl]"),
        ),
        with(
            "unaffected",
            "decision: not_affected, justification: vulnerable_code_not_in_execute_path",
            &format!("{id}, packages: [\"pkg:npm/form-data\"]"),
        ),
        with(
            "mistaken",
            "decision: false_positive",
            &format!("{id}, resources: {{names: [\"crm-*\"]}}"),
        ),
        with("by-package", "decision: accept", "packages: [openssl]"),
    ])
}

#[test]
fn an_accepted_risk_is_never_not_affected_in_openvex() {
    let (said, error, status) =
        on("openvex", &decisions(), &["vex", "--author", "security@example.com"]);
    assert_eq!(status, Some(0), "{error}");
    assert!(error.contains("note: by-package: left out: VEX is about vulnerabilities"), "{error}");
    let document: Value = serde_json::from_str(&said).unwrap();
    keys(
        &document,
        &["@context", "@id", "author", "timestamp", "version", "tooling", "statements"],
    );
    assert_eq!(document["@context"], "https://openvex.dev/ns/v0.2.0");
    assert_eq!(document["author"], "security@example.com");
    assert_eq!((&document["timestamp"], &document["version"]), (&json!(NOW), &json!(1)));
    let statements = document["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 10);
    for statement in statements {
        // What the specification asks of each: a vulnerability with a name, products that are named, a status, and what the
        // status needs.
        keys(
            statement,
            &[
                "vulnerability",
                "products",
                "timestamp",
                "status_notes",
                "status",
                "action_statement",
                "action_statement_timestamp",
                "impact_statement",
                "justification",
            ],
        );
        assert!(statement["vulnerability"]["name"].is_string());
        let products = statement["products"].as_array().unwrap();
        assert!(!products.is_empty());
        for product in products {
            keys(product, &["@id", "identifiers", "subcomponents"]);
            assert!(product["@id"].as_str().unwrap().contains(':'), "an IRI: {product}");
        }
        let notes = statement["status_notes"].as_str().unwrap();
        assert!(notes.contains("of crm, to the end of 2027-01-29 (UTC)."), "{notes}");
        let is_decided = ["accepted", "until-fixed", "deferred"]
            .iter()
            .any(|id| notes.starts_with(&format!("Exception {id} ")));
        if is_decided {
            assert_eq!(statement["status"], "affected", "{notes}");
            assert!(statement["action_statement"].as_str().unwrap().contains("why"));
            assert!(
                statement.get("justification").is_none()
                    && statement.get("impact_statement").is_none()
            );
        } else {
            assert_eq!(statement["status"], "not_affected", "{notes}");
            assert_eq!(statement["impact_statement"], "why");
        }
    }
    assert_eq!(
        statements[0]["action_statement"],
        "Accepted to the end of 2027-01-29 (UTC): why Meanwhile: the WAF."
    );
    assert!(statements[0]["status_notes"].as_str().unwrap().contains("Approved by ciso. Ticket SEC-1. Compensating controls: the WAF. It ends earlier if an exploit is known, or CISA lists it as exploited, or its priority is above P3."));
    assert_eq!(
        statements[2]["products"],
        json!([{"@id": "arn:aws:ecr:eu-central-1:111122223333:repository/crm"}])
    );
    assert!(
        statements[4]["action_statement"]
            .as_str()
            .unwrap()
            .starts_with("To be fixed by the end of 2027-01-29")
    );
    assert!(
        statements[4]["status_notes"]
            .as_str()
            .unwrap()
            .ends_with("It is about packages openssl alone.")
    );
    assert_eq!(statements[6]["justification"], "vulnerable_code_not_in_execute_path");
    assert_eq!(
        statements[6]["products"],
        json!([{"@id": "pkg:npm/form-data", "identifiers": {"purl": "pkg:npm/form-data"}}])
    );
    assert!(statements[8].get("justification").is_none());
    assert_eq!(
        on("openvex-again", &decisions(), &["vex", "--author", "security@example.com"]).0,
        said,
        "the same to the byte"
    );
    let id = document["@id"].as_str().unwrap();
    assert!(id.starts_with("urn:inspector-triage:vex:") && id.len() == 25 + 64, "{id}");
}

#[test]
fn an_accepted_risk_is_exploitable_in_cyclonedx() {
    let (said, error, status) = on("cyclonedx", &decisions(), &["vex", "--format", "cyclonedx"]);
    assert_eq!(status, Some(0), "{error}");
    let document: Value = serde_json::from_str(&said).unwrap();
    keys(
        &document,
        &[
            "bomFormat",
            "specVersion",
            "serialNumber",
            "version",
            "metadata",
            "components",
            "vulnerabilities",
        ],
    );
    assert_eq!(
        (&document["bomFormat"], &document["specVersion"]),
        (&json!("CycloneDX"), &json!("1.6"))
    );
    let uuid: Vec<&str> = document["serialNumber"].as_str().unwrap().split(['-', ':']).collect();
    let lengths: Vec<usize> = uuid[2..].iter().map(|part| part.len()).collect();
    assert_eq!((&uuid[..2], &lengths[..]), (&["urn", "uuid"][..], &[8, 4, 4, 4, 12][..]));
    let components = document["components"].as_array().unwrap();
    let parts = components.iter().filter_map(|component| component["components"].as_array());
    let components: Vec<&Value> = components.iter().chain(parts.flatten()).collect();
    let known: BTreeSet<&str> =
        components.iter().map(|component| component["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(known.len(), components.len(), "each once");
    for component in components {
        keys(component, &["type", "bom-ref", "name", "purl", "components"]);
        assert!(
            ["application", "container", "library"].contains(&component["type"].as_str().unwrap())
        );
    }
    let vulnerabilities = document["vulnerabilities"].as_array().unwrap();
    let refs: BTreeSet<&str> =
        vulnerabilities.iter().map(|one| one["bom-ref"].as_str().unwrap()).collect();
    assert_eq!((vulnerabilities.len(), refs.len()), (10, 10));
    for one in vulnerabilities {
        keys(one, &["bom-ref", "id", "analysis", "affects", "properties", "workaround"]);
        keys(&one["analysis"], &["state", "detail", "firstIssued", "response", "justification"]);
        for affected in one["affects"].as_array().unwrap() {
            assert!(known.contains(affected["ref"].as_str().unwrap()), "{affected}");
        }
        let properties = one["properties"].to_string();
        assert!(properties.contains("2027-01-29") && properties.contains("crm"), "{properties}");
    }
    let analysis = |number: usize| {
        let analysis = &vulnerabilities[number]["analysis"];
        (analysis["state"].clone(), analysis["response"].clone(), analysis["justification"].clone())
    };
    let nothing = || Value::Null;
    assert_eq!(
        analysis(0),
        (json!("exploitable"), json!(["will_not_fix", "workaround_available"]), nothing())
    );
    assert_eq!(analysis(2), (json!("exploitable"), json!(["can_not_fix"]), nothing()));
    assert_eq!(analysis(4), (json!("exploitable"), json!(["update"]), nothing()));
    assert_eq!(analysis(6), (json!("not_affected"), nothing(), json!("code_not_reachable")));
    assert_eq!(analysis(8), (json!("false_positive"), nothing(), nothing()));
    assert_eq!(vulnerabilities[0]["workaround"], "the WAF");
    let deferred = "urn:inspector-triage:exception:deferred#pkg:npm/%40scope/form-data";
    assert_eq!(
        vulnerabilities[4]["affects"],
        json!([{"ref": deferred}]),
        "in what it is about, not wherever it is"
    );
    assert_eq!(on("cyclonedx-again", &decisions(), &["vex", "--format", "cyclonedx"]).0, said);
}

/// Asserts that an object has no keys but these, as the schemas of both forms ask.
fn keys(object: &Value, allowed: &[&str]) {
    for key in object.as_object().unwrap().keys() {
        assert!(allowed.contains(&key.as_str()), "{key} in {object}");
    }
}

#[test]
fn a_ledger_that_names_no_vulnerability_is_no_vex() {
    let ledger = exceptions(&[exception("by-package", &format!("packages: [openssl], {END}"))]);
    for form in ["openvex", "cyclonedx"] {
        let (said, error, status) = on("no-vex", &ledger, &["vex", "--format", form]);
        assert_eq!((said.as_str(), status), ("", Some(1)));
        assert!(error.contains("there is nothing to say"), "{error}");
    }
}

/// Imports a file: the ledger, the notes, and what `ledger check` says of it.
fn imported(name: &str, content: &str, from: &str, owner: bool) -> (String, String, String) {
    let file = write("imported", name, content);
    let command = ["import", file.to_str().unwrap(), "--from", from, "--now", NOW];
    let owner: &[&str] = if owner { &["--owner", "crm"] } else { &[] };
    let (yaml, notes, status) = run(&[&command[..], owner].concat());
    assert_eq!(status, Some(0), "{yaml}{notes}");
    let ledger = write("imported-ledger", "ledger.yaml", &yaml);
    let (checked, ..) = run(&["check", ledger.to_str().unwrap(), "--now", NOW]);
    (yaml, notes, checked)
}

/// The exceptions of a sound ledger.
fn read(yaml: &str) -> Vec<Value> {
    let ledger = ledger::read(yaml.as_bytes()).unwrap().ledger();
    ledger.exceptions.iter().map(|exception| serde_json::to_value(exception).unwrap()).collect()
}

#[test]
fn what_trivy_ignores_becomes_exceptions() {
    let trivy = "vulnerabilities:\n  - id: CVE-2026-1\n    purls: [\"pkg:deb/debian/libssl3\"]\n    expired_at: 2027-01-30\n    statement: \"not: reached\"\n  - id: GHSA-7q2v-m4xh-9c3p\n    expired_at: 2027-01-30T12:00:00Z\n    statement: it waits\n";
    let (yaml, notes, checked) = imported(".trivyignore.yaml", trivy, "trivy", true);
    assert_eq!(checked, "sound: 2 exceptions and 0 exclusions\n", "{yaml}");
    assert_eq!(notes, "");
    let read = read(&yaml);
    assert_eq!(
        read[0]["expiresAt"], "2027-01-29",
        "Trivy's day is the first on which it does not ignore"
    );
    assert_eq!(read[1]["expiresAt"], "2027-01-29", "never longer");
    assert_eq!((&read[0]["reason"], &read[0]["owner"]), (&json!("not: reached"), &json!("crm")));
    assert_eq!(read[0]["createdAt"], "2026-11-20");

    let partly = "vulnerabilities:\n  - id: CVE-2026-1\n    paths: [\"usr/lib/**\"]\n  - id: CVE-2026-1\n    purls: [\"pkg:npm/a@1.0\"]\n    expired_at: soon\n    until: x\nmisconfigurations:\n  - id: AVD-AWS-0175\nsecrets:\n  - id: aws-access-key-id\n";
    let (yaml, notes, checked) = imported("trivy.yml", partly, "trivy", false);
    for said in [
        "cve-2026-1: TODO resources: it was about the paths usr/lib/** alone",
        "cve-2026-1: TODO owner",
        "cve-2026-1: TODO reason",
        "cve-2026-1: TODO expires_at",
        "cve-2026-1-2: TODO packages: a ledger takes package URLs without version",
        "cve-2026-1-2: TODO expires_at: its last day, which soon does not say",
        "left out: until is nothing that a ledger has",
        "left out: misconfigurations are nothing that Inspector reports",
        "left out: secrets are",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    assert!(checked.starts_with("") && checked.contains("unsound: "), "{checked}");
    let line = |key: &str, id: &str| {
        let lines: Vec<&str> = yaml.lines().collect();
        let begin = lines.iter().position(|line| line.ends_with(&format!("id: {id}"))).unwrap();
        let at = lines[begin..].iter().position(|line| line.trim_start().starts_with(key));
        begin + at.expect(key) + 1
    };
    // Each TODO is refused where it stands.
    for (key, id) in [
        ("resources:", "cve-2026-1"),
        ("owner:", "cve-2026-1"),
        ("expires_at:", "cve-2026-1"),
        ("reason:", "cve-2026-1"),
        ("packages:", "cve-2026-1-2"),
        ("expires_at:", "cve-2026-1-2"),
    ] {
        assert!(
            checked.contains(&format!("ledger.yaml:{}:", line(key, id))),
            "{key} {id}: {checked}\n{yaml}"
        );
    }
}

#[test]
fn lines_of_trivy_and_of_inspectors_action_become_exceptions() {
    let trivy = "# Accepted until the new base image\nCVE-2026-1 exp:2027-01-30\nCVE-2026-2 # the parser is not used\n\nAVD-DS-0002\nCVE-2026-3\n";
    let (yaml, notes, checked) = imported(".trivyignore", trivy, "trivy", true);
    assert!(yaml.contains("reason: \"Accepted until the new base image\"\n"), "{yaml}");
    assert!(yaml.contains("reason: \"the parser is not used\"\n"), "{yaml}");
    assert!(
        notes.contains(".trivyignore:5:1: note: left out: AVD-DS-0002 is no vulnerability"),
        "{notes}"
    );
    assert!(
        notes.contains("cve-2026-3: TODO reason") && notes.contains("cve-2026-2: TODO expires_at"),
        "{notes}"
    );
    assert!(checked.contains("unsound: "), "{checked}");

    let action = "# Waits for the vendor\nCVE-2026-1 # SNOOZE:2027-01-29,until-fixed no fix yet\nGHSA-7q2v-m4xh-9c3p # SNOOZE:2026-11-01\n";
    let (yaml, notes, checked) = imported(".inspector-ignore", action, "inspector-ignore", true);
    let read = read(&yaml);
    assert_eq!(
        (&read[0]["expiresAt"], &read[0]["untilFixed"]),
        (&json!("2027-01-29"), &json!(true)),
        "the last day"
    );
    assert_eq!(
        (&read[0]["reason"], &read[1]["reason"]),
        (&json!("no fix yet"), &json!("Waits for the vendor"))
    );
    assert!(notes.contains("ghsa-7q2v-m4xh-9c3p: it ended with 2026-11-01"), "{notes}");
    assert!(
        checked.ends_with("sound: 2 exceptions and 0 exclusions; 1 of them has ended\n"),
        "{checked}"
    );
}

#[test]
fn what_osv_scanner_ignores_becomes_exceptions() {
    let osv = "[[IgnoredVulns]]\nid = \"GO-2026-0968\"\nignoreUntil = 2027-01-30 # ours\nreason = \"No ssh servers are connected to\"\n\n[[PackageOverrides]]\nname = \"@scope/lib\"\necosystem = \"npm\"\nignore = true\neffectiveUntil = 2027-01-30T00:00:00Z\nreason = \"abc\"\n\n[[PackageOverrides]]\nname = \"org.apache:log\"\necosystem = \"Maven\"\nvulnerability.ignore = true\neffectiveUntil = 2027-01-30T09:00:00+09:00\nreason = \"abc\"\n";
    let (yaml, notes, checked) = imported("osv-scanner.toml", osv, "osv-scanner", true);
    assert_eq!(
        (checked.as_str(), notes.as_str()),
        ("sound: 3 exceptions and 0 exclusions\n", ""),
        "{yaml}"
    );
    let read = read(&yaml);
    assert!(read.iter().all(|one| one["expiresAt"] == "2027-01-29"), "{yaml}");
    assert_eq!(read[1]["packages"], json!([{"type": "npm", "namespace": "@scope", "name": "lib"}]));
    assert_eq!(
        read[2]["packages"],
        json!([{"type": "maven", "namespace": "org.apache", "name": "log"}])
    );

    let partly = "GoVersionOverride = \"1.20\"\n[[PackageOverrides]]\nname = \"^lib\"\nnameIsRegex = true\nignore = true\n[[PackageOverrides]]\nname = \"x\"\nlicense.override = [\"MIT\"]\n[[PackageOverrides]]\nname = \"x\"\nversion = \"1.0\"\necosystem = \"Go\"\ngroup = \"dev\"\nignore = true\n";
    let (yaml, notes, checked) = imported("partly.toml", partly, "osv-scanner", true);
    for said in [
        "left out: GoVersionOverride",
        "its name was the pattern ^lib",
        "left out: it ignores no vulnerability",
        "TODO packages: a ledger takes package URLs without version",
        "the group dev of dependencies",
    ] {
        assert!(notes.contains(said), "{said}: {notes}\n{yaml}");
    }
    assert!(checked.contains("unsound: "), "{checked}");
}

#[test]
fn a_file_of_another_form_is_refused_with_its_place() {
    for (name, content, from, expected) in [
        ("a.toml", "[[IgnoredVulns]\n", "osv-scanner", "a.toml:1:"),
        (
            "b.toml",
            "IgnoredVulns = 1\n",
            "osv-scanner",
            "b.toml:1:16: IgnoredVulns: expected tables",
        ),
        (
            "c.toml",
            "[[IgnoredVulns]]\nreason = \"x\"\n",
            "osv-scanner",
            "c.toml:1:1: IgnoredVulns: it has no id",
        ),
        (
            "d.yaml",
            "- CVE-2026-1\n",
            "trivy",
            "d.yaml:1:1: expected a mapping with vulnerabilities",
        ),
        (
            "e.yaml",
            "vulnerabilities:\n  - CVE-2026-1\n",
            "trivy",
            "e.yaml:2:5: expected a mapping with an id",
        ),
        ("f.yaml", "vulnerabilities: [", "trivy", "f.yaml:"),
    ] {
        let file = write("forms", name, content);
        let (said, error, status) = run(&["import", file.to_str().unwrap(), "--from", from]);
        assert_eq!(status, Some(1), "{name}: {error}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    let nothing = write("forms", ".inspector-ignore", "# nothing\n");
    let (said, _, status) =
        run(&["import", nothing.to_str().unwrap(), "--from", "inspector-ignore"]);
    assert_eq!(status, Some(0));
    assert!(said.ends_with("exceptions: []\n"), "{said}");
}

#[test]
fn the_sample_ledger_says_what_inspector_excludes() {
    let (ledger, coverage) = (
        common::project("security/inspector-exclusions.yaml"),
        common::project("events/inspector/coverage.json"),
    );
    let (said, _, status) = run(&[
        "compare",
        ledger.to_str().unwrap(),
        "--coverage",
        coverage.to_str().unwrap(),
        "--now",
        NOW,
    ]);
    assert_eq!(status, Some(0), "{said}");
}
