//! Findings that conform to the service model of Inspector: every optional field there or not, any
//! text in texts, any date form, any word in the vocabularies.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

type Json = BoxedStrategy<Value>;

/// A finding, in an envelope or as the API returns it.
pub fn conforming() -> impl Strategy<Value = Value> {
    (finding(), any::<bool>()).prop_map(|(finding, bare)| {
        if bare {
            return finding;
        }
        json!({
            "detail-type": "Inspector2 Finding", "source": "aws.inspector2",
            "time": "2026-11-20T10:00:00Z", "detail": finding
        })
    })
}

fn finding() -> Json {
    let arn = "arn:aws:inspector2:[a-z]{2}-[a-z]{4,7}-[1-9]:[0-9]{12}:finding/[a-f0-9]{32}";
    let adjusted = object(vec![("scoringVector", vector()), ("score", number(10.0))]);
    let recommendation = object(vec![("text", maybe(text())), ("Url", maybe(text()))]);
    object(vec![
        ("findingArn", arn.prop_map(Value::from).boxed()),
        ("awsAccountId", "[0-9]{12}".prop_map(Value::from).boxed()),
        ("type", word(&["NETWORK_REACHABILITY", "PACKAGE_VULNERABILITY", "CODE_VULNERABILITY"])),
        ("status", word(&["ACTIVE", "SUPPRESSED", "CLOSED"])),
        ("severity", word(&["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNTRIAGED"])),
        ("description", text()),
        ("title", maybe(text())),
        ("firstObservedAt", date()),
        ("lastObservedAt", date()),
        ("updatedAt", maybe(date())),
        ("remediation", object(vec![("recommendation", maybe(recommendation))])),
        ("resources", list(resource(), 1, 10)),
        ("epss", maybe(object(vec![("score", maybe(number(1.0)))]))),
        ("inspectorScore", maybe(number(10.0))),
        ("inspectorScoreDetails", maybe(object(vec![("adjustedCvss", maybe(adjusted))]))),
        ("exploitAvailable", maybe(word(&["YES", "NO"]))),
        ("exploitabilityDetails", maybe(object(vec![("lastKnownExploitAt", maybe(date()))]))),
        ("fixAvailable", maybe(word(&["YES", "NO", "PARTIAL"]))),
        ("packageVulnerabilityDetails", maybe(package_details())),
        ("codeVulnerabilityDetails", maybe(code_details())),
        ("networkReachabilityDetails", maybe(network_details())),
    ])
}

fn package_details() -> Json {
    let cvss = object(vec![
        ("baseScore", number(10.0)),
        ("scoringVector", vector()),
        ("version", word(&["2.0", "3.0", "3.1", "4.0"])),
        ("source", text()),
    ]);
    let package = object(vec![
        ("name", text()),
        ("version", text()),
        ("release", maybe(text())),
        ("epoch", maybe(whole(9))),
        ("packageManager", maybe(word(&["OS", "JAR", "GO", "PYTHON"]))),
        ("filePath", maybe(text())),
        ("fixedInVersion", maybe(text())),
        ("remediation", maybe(text())),
    ]);
    object(vec![
        ("vulnerabilityId", text()),
        ("source", text()),
        ("sourceUrl", maybe(text())),
        ("vendorSeverity", maybe(text())),
        ("vendorCreatedAt", maybe(date())),
        ("cvss", maybe(list(cvss, 0, 3))),
        ("referenceUrls", maybe(list(text(), 0, 3))),
        ("relatedVulnerabilities", maybe(list(text(), 0, 3))),
        ("vulnerablePackages", maybe(list(package, 0, 4))),
    ])
}

fn code_details() -> Json {
    let file = object(vec![
        ("fileName", text()),
        ("filePath", text()),
        ("startLine", whole(999)),
        ("endLine", whole(999)),
    ]);
    object(vec![
        ("filePath", file),
        ("detectorId", text()),
        ("detectorName", text()),
        ("cwes", list(text(), 1, 3)),
    ])
}

fn network_details() -> Json {
    let step = object(vec![("componentId", text()), ("componentType", text())]);
    object(vec![
        ("openPortRange", object(vec![("begin", whole(65535)), ("end", whole(65535))])),
        ("protocol", word(&["TCP", "UDP"])),
        ("networkPath", object(vec![("steps", maybe(list(step, 1, 5)))])),
    ])
}

fn resource() -> Json {
    let machine = object(vec![
        ("platform", maybe(text())),
        ("ipV4Addresses", maybe(list(word(&["10.0.0.1", "198.51.100.7"]), 0, 3))),
        ("launchedAt", maybe(date())),
    ]);
    let image = object(vec![
        ("repositoryName", text()),
        ("imageHash", text()),
        ("registry", text()),
        ("imageTags", maybe(list(text(), 0, 3))),
    ]);
    let function = object(vec![("functionName", text()), ("runtime", text())]);
    let details = object(vec![
        ("awsEc2Instance", maybe(machine.clone())),
        ("vm", maybe(machine)),
        ("awsEcrContainerImage", maybe(image)),
        ("awsLambdaFunction", maybe(function)),
        ("codeRepository", maybe(object(vec![("projectName", maybe(text()))]))),
    ]);
    let tags = prop::collection::btree_map("\\PC{1,20}", "\\PC{0,20}", 0..5);
    object(vec![
        (
            "type",
            word(&[
                "AWS_EC2_INSTANCE",
                "AWS_ECR_CONTAINER_IMAGE",
                "AWS_LAMBDA_FUNCTION",
                "CODE_REPOSITORY",
                "MACHINE_IMAGE",
                "Microsoft.Web/sites",
                "compute.googleapis.com/Instance",
            ]),
        ),
        ("id", text()),
        ("region", maybe(text())),
        ("partition", maybe(text())),
        ("tags", maybe(tags.prop_map(|tags| json!(tags)).boxed())),
        ("details", maybe(details)),
    ])
}

fn vector() -> Json {
    word(&[
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N",
        "AV:N/AC:M/Au:N/C:P/I:P/A:P",
        "a vector of a version to come",
    ])
}

fn date() -> Json {
    select(vec![
        json!("Mar 20, 2023, 6:08:05 PM"),
        json!("Wed Sep 04 16:59:44.356 UTC 2024"),
        json!("2024-09-04T16:59:44.356Z"),
        json!("2024-09-04 16:59:44.356000+02:00"),
        json!(1.678_220_584_098E9),
        json!(1_678_220_584),
    ])
    .boxed()
}

/// Any text with a letter in it.
fn text() -> Json {
    "[a-z]\\PC{0,40}".prop_map(Value::from).boxed()
}

fn word(words: &'static [&'static str]) -> Json {
    select(words).prop_map(Value::from).boxed()
}

fn number(most: f64) -> Json {
    (0.0..=most).prop_map(Value::from).boxed()
}

fn whole(most: u32) -> Json {
    (0..=most).prop_map(Value::from).boxed()
}

fn list(item: Json, least: usize, most: usize) -> Json {
    prop::collection::vec(item, least..=most).prop_map(Value::from).boxed()
}

/// There three times in four.
fn maybe(value: Json) -> Json {
    prop_oneof![3 => value, 1 => Just(Value::Null)].boxed()
}

/// An object of these fields, without those that are null.
fn object(fields: Vec<(&'static str, Json)>) -> Json {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    values
        .prop_map(move |values| {
            let fields = names.iter().map(|name| (*name).to_owned()).zip(values);
            Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
        })
        .boxed()
}
