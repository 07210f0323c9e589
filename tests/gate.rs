//! The gate, as a pipeline asks it: the real command line, with stand-ins for Inspector and ECR.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use inspector_triage::emulator::{
    inspector::{self, Request},
    registry,
};
use serde_json::{Value, json};

use crate::{
    command_line::run_in,
    common::{self, World, scratch},
};

pub const NOW: &str = "2026-11-20T12:00:00Z";
pub const REPOSITORY: &str = "crm/web";
pub const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An hour before [`NOW`].
const SCANNED: f64 = 1_795_172_400.0;

/// An image that was pushed two hours before [`NOW`].
pub fn image(number: usize) -> registry::Image {
    let manifest = json!({"schemaVersion": 2, "config": {"number": number}, "layers": []});
    registry::Image::new(OCI, &manifest.to_string())
}

pub fn arn(image: &registry::Image) -> String {
    format!("arn:aws:ecr:eu-central-1:111122223333:repository/{REPOSITORY}/{}", image.digest)
}

/// What Inspector's coverage has of an image.
pub fn covered(image: &registry::Image, status: &str, reason: &str, at: Option<f64>) -> Value {
    let mut row = json!({
        "accountId": "111122223333", "resourceId": arn(image), "resourceType": "AWS_ECR_CONTAINER_IMAGE",
        "scanType": "PACKAGE", "scanStatus": {"statusCode": status, "reason": reason},
    });
    if let Some(at) = at {
        row["lastScannedAt"] = json!(at);
    }
    row
}

/// A finding in an image, as Inspector lists it, as harmless as they come.
pub fn finding(number: usize, image: &registry::Image, change: impl FnOnce(&mut Value)) -> Value {
    let event = common::event("2026-11-20T10:30:00Z", |f| {
        f["findingArn"] =
            json!(format!("arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}"));
        f["severity"] = json!("LOW");
        f["epss"] = json!({"score": 0.0001});
        f["exploitAvailable"] = json!("NO");
        let details = &mut f["packageVulnerabilityDetails"];
        details["vulnerabilityId"] = json!(format!("CVE-2026-{}", 20_000 + number));
        details["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
        f["resources"] = json!([{
            "type": "AWS_ECR_CONTAINER_IMAGE", "id": arn(image), "region": "eu-central-1",
            "details": {"awsEcrContainerImage": {
                "repositoryName": REPOSITORY, "imageHash": image.digest, "imageTags": ["1.4"],
                "registry": "111122223333",
            }},
        }]);
        change(f);
    });
    inspector::as_api(event["detail"].clone())
}

/// Makes a finding one of P1.
pub fn urgent(f: &mut Value) {
    f["severity"] = json!("CRITICAL");
    f["epss"] = json!({"score": 0.9});
    f["exploitAvailable"] = json!("YES");
}

fn has_images(world: &World, images: Vec<registry::Image>) {
    world.emulator.registry.contents().repositories.insert(REPOSITORY.to_owned(), images);
}

/// An image that is scanned, with these findings in it.
pub async fn stage(findings: impl FnOnce(&registry::Image) -> Vec<Value>) -> World {
    let world = World::new().await;
    let image = image(1).tagged("1.4");
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.coverage = vec![covered(&image, "ACTIVE", "SUCCESSFUL", Some(SCANNED))];
        fleet.findings = findings(&image);
    }
    has_images(&world, vec![image]);
    world
}

/// What the command line says, and with which status.
struct Said {
    out: String,
    error: String,
    status: Option<i32>,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Runs the gate without any service.
fn offline(arguments: &[&str], input: &[u8]) -> Said {
    said(&[], arguments, input)
}

fn said(environment: &[(&str, &str)], arguments: &[&str], input: &[u8]) -> Said {
    let now = if arguments.contains(&"--now") { &[][..] } else { &["--now", NOW] };
    let arguments = [&["gate"], now, arguments].concat();
    let output = run_in(environment, &arguments, input);
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code(),
    }
}

/// Runs the gate against the stand-ins.
async fn ask(world: &World, arguments: &[&str]) -> Said {
    let environment = world.emulator.serve(0).await.unwrap();
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    let run = move || {
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        said(&environment, &arguments, b"")
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

const IMAGE: [&str; 4] = ["--image", "crm/web:1.4", "--format", "json"];

async fn judged(world: &World, more: &[&str]) -> Said {
    ask(world, &[&IMAGE[..], more].concat()).await
}

/// A sample event.
fn sample(name: &str) -> Value {
    let file = common::project("events").join(name);
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn file(folder: &str, name: &str, content: &str) -> PathBuf {
    let file = scratch(&format!("gate-{folder}")).join(name);
    fs::write(&file, content).unwrap();
    file
}

#[tokio::test]
async fn an_image_that_is_scanned_and_in_which_nothing_was_found_passes() {
    let world = stage(|_| vec![]).await;
    let passed = judged(&world, &[]).await;
    assert_eq!(passed.status, Some(0), "{}", passed.error);
    let json = passed.json();
    assert_eq!((&json["verdict"], &json["counts"]["total"]), (&json!("open"), &json!(0)));
}

#[tokio::test]
async fn an_urgent_finding_closes_the_gate_and_says_what_to_do() {
    let world = stage(|image| vec![finding(1, image, urgent), finding(2, image, |_| {})]).await;
    let closed = judged(&world, &[]).await;
    assert_eq!(closed.status, Some(1), "{}", closed.error);
    let json = closed.json();
    let counts = json!([2, 1, 1]);
    let said = ["total", "closing", "lessUrgent"].map(|count| json["counts"][count].clone());
    assert_eq!(json!(said), counts);
    assert_eq!(json["findings"][0]["problem"], "CVE-2026-20001");
    assert_eq!(json["updates"].as_array().map(Vec::len), Some(1), "{json}");
    // With another threshold it is the same finding that passes.
    let open = judged(&world, &["--fail-on", "100"]).await;
    assert_eq!((open.status, open.json()["counts"]["lessUrgent"].clone()), (Some(0), json!(2)));
    assert_eq!(judged(&world, &["--fail-on", "0"]).await.json()["counts"]["closing"], 2);
}

#[tokio::test]
async fn a_tag_is_looked_up_once_and_what_is_listed_is_of_its_digest() {
    let world = stage(|image| vec![finding(1, image, urgent)]).await;
    assert_eq!(judged(&world, &[]).await.status, Some(1));
    let requests = world.emulator.registry.contents().requests.clone();
    assert_eq!(requests.len(), 1, "{requests:?}");
    // The same image in another account's repository may be excepted otherwise.
    let digest = world.emulator.registry.contents().repositories[REPOSITORY][0].digest.clone();
    {
        let mut fleet = world.emulator.inspector.fleet();
        let other = format!("arn:aws:ecr:eu-central-1:444455556666:repository/crm/web/{digest}");
        fleet.findings[0]["resources"][0]["id"] = json!(other);
    }
    assert_eq!(judged(&world, &[]).await.status, Some(0));
    let by_digest = format!("crm/web@{digest}");
    assert_eq!(ask(&world, &["--image", &by_digest]).await.status, Some(0));
}

#[tokio::test]
async fn what_cisa_lists_closes_the_gate_and_is_asked_only_where_that_matters() {
    let world = stage(|image| {
        (1..=12)
            .map(|number| finding(number, image, |_| {}))
            .chain([finding(13, image, urgent)])
            .collect()
    })
    .await;
    let details = |world: &World| {
        let requests = &world.emulator.inspector.fleet().requests;
        requests.iter().filter(|path| *path == "/findings/details/batch/get").count()
    };
    assert_eq!(judged(&world, &["--fail-on", "P1"]).await.json()["counts"]["closing"], 1);
    assert_eq!(details(&world), 2, "of twelve, ten a call");
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.findings.pop();
        fleet.threats =
            vec![json!({"id": "CVE-2026-20007", "cisaData": {"dateAdded": 1_795_000_000}})];
    }
    let closed = judged(&world, &["--fail-on", "P1", "--only-fixable"]).await;
    assert_eq!(closed.status, Some(1), "{}", closed.error);
    assert_eq!(closed.json()["counts"]["knownExploited"], 1);
}

const LEDGER: &str = "version: 1
exceptions:
  - id: web-behind-proxy
    vulnerabilities: [CVE-2026-20001]
    resources: { names: [crm/web] }
    decision: accept
    reason: Behind a proxy that takes no such requests.
    owner: crm-team
    created_at: 2026-11-01
    expires_at: 2026-11-30
    accepted_priority: P1
    ends_if: [known_exploited]
";

#[tokio::test]
async fn an_exception_opens_the_gate_and_is_shown_with_its_end() {
    let world = stage(|image| vec![finding(1, image, urgent)]).await;
    let ledger = file("ledger", "ledger.yaml", LEDGER);
    let ledger = ["--ledger", ledger.to_str().unwrap()];
    let open = judged(&world, &ledger).await;
    assert_eq!(open.status, Some(0), "{}", open.error);
    let json = open.json();
    assert_eq!(json["counts"]["excepted"], 1);
    assert_eq!(json["exceptions"][0]["id"], "web-behind-proxy");
    let table = ask(&world, &[&["--image", "crm/web:1.4"], &ledger[..]].concat()).await;
    assert!(
        table.out.contains("web-behind-proxy") && table.out.contains("2026-11-30"),
        "{}",
        table.out
    );
    // The facts end it, as they would in production.
    world.emulator.inspector.fleet().threats =
        vec![json!({"id": "CVE-2026-20001", "cisaData": {"dateAdded": 1_795_000_000}})];
    let closed = judged(&world, &ledger).await;
    assert_eq!(closed.status, Some(1), "{}", closed.error);
    assert_eq!(closed.json()["findings"][0]["uncovered"][0]["why"], "known-exploited");
}

#[tokio::test]
async fn what_inspector_suppresses_is_listed_as_excepted() {
    let world = stage(|image| {
        vec![finding(1, image, |f| {
            urgent(f);
            f["status"] = json!("SUPPRESSED");
        })]
    })
    .await;
    let open = judged(&world, &[]).await;
    assert_eq!(open.status, Some(0), "{}", open.error);
    let json = open.json();
    assert_eq!((&json["counts"]["total"], &json["counts"]["excepted"]), (&json!(1), &json!(1)));
}

/// An index of two images, of which Inspector has scanned as many as are given.
async fn index_of_two(scanned: usize) -> World {
    let world = World::new().await;
    let images = [image(1), image(2)];
    let entry = |(image, architecture): (&registry::Image, &str)| {
        json!({
            "mediaType": OCI, "digest": image.digest, "size": 500,
            "platform": {"os": "linux", "architecture": architecture},
        })
    };
    let entries: Vec<Value> = images.iter().zip(["amd64", "arm64"]).map(entry).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    let index = registry::Image::new(INDEX, &index.to_string()).tagged("1.4");
    {
        let mut fleet = world.emulator.inspector.fleet();
        let rows = images.iter().take(scanned);
        fleet.coverage =
            rows.map(|image| covered(image, "ACTIVE", "SUCCESSFUL", Some(SCANNED))).collect();
        fleet.findings = vec![finding(1, &images[1], urgent)];
    }
    has_images(&world, images.into_iter().chain([index]).collect());
    world
}

#[tokio::test]
async fn an_index_is_judged_by_the_images_of_all_its_platforms() {
    let world = index_of_two(2).await;
    let closed = judged(&world, &[]).await;
    assert_eq!(closed.status, Some(1), "{}", closed.error);
    let scans = closed.json()["subject"]["scans"].clone();
    let platforms: Vec<&Value> =
        scans.as_array().unwrap().iter().map(|one| &one["platform"]).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    // One that was not scanned is enough for not knowing.
    let unknown = judged(&index_of_two(1).await, &["--wait", "0"]).await;
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    assert!(unknown.error.contains("linux/arm64"), "{}", unknown.error);
}

#[tokio::test]
async fn what_was_there_before_lets_the_gate_be() {
    let world = stage(|image| vec![finding(1, image, urgent), finding(2, image, urgent)]).await;
    let base = image(7).tagged("base");
    let listing = {
        let mut fleet = world.emulator.inspector.fleet();
        let row = covered(&base, "ACTIVE", "SUCCESSFUL", Some(SCANNED));
        fleet.coverage.push(row);
        let old = finding(3, &base, |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-20002");
        });
        fleet.findings.push(old.clone());
        json!({"findings": [old]}).to_string()
    };
    has_images(&world, vec![image(1).tagged("1.4"), base]);
    let before = file("before", "before.json", &listing);
    for before in ["crm/web:base", before.to_str().unwrap()] {
        let closed = judged(&world, &["--new-since", before]).await;
        assert_eq!(closed.status, Some(1), "{}", closed.error);
        let counts = closed.json()["counts"].clone();
        assert_eq!((&counts["closing"], &counts["notNew"]), (&json!(1), &json!(1)), "{counts}");
    }
    let unknown = judged(&world, &["--new-since", "crm/web:nothing"]).await;
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    let misuse = judged(&world, &["--new-since", "no/such/file"]).await;
    assert_eq!(misuse.status, Some(2), "{}", misuse.error);
}

/// Asks about an image of which something is not as it should be. It cannot be told, and that is said, with what to do.
async fn unknown(change: impl FnOnce(&World), image: &str, expected: &str) {
    let world = stage(|image| vec![finding(1, image, |_| {})]).await;
    change(&world);
    let unknown = ask(&world, &["--image", image, "--wait", "0", "--format", "json"]).await;
    assert_eq!(unknown.status, Some(3), "{expected}: {}", unknown.error);
    let line = unknown.error.lines().last().unwrap_or_default();
    assert!(line.contains(expected) && line.contains(';'), "{expected}: {line}");
    assert_eq!(unknown.json()["verdict"], "cannot-tell");
    assert_eq!(unknown.json()["exitStatus"], 3);
}

fn with_reason(reason: &'static str) -> impl FnOnce(&World) {
    move |world| {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.coverage[0]["scanStatus"] = json!({"statusCode": "INACTIVE", "reason": reason});
    }
}

fn without_coverage(world: &World) {
    world.emulator.inspector.fleet().coverage.clear();
}

fn refused_by_ecr(trouble: registry::Trouble) -> impl FnOnce(&World) {
    move |world| {
        world.emulator.registry.contents().trouble = Some(Box::new(move |_, _| Some(trouble)));
    }
}

fn refused_by_inspector(path: &'static str, trouble: inspector::Trouble) -> impl FnOnce(&World) {
    move |world| {
        let fate = move |_, request: Request<'_>| (request.path == path).then_some(trouble);
        world.emulator.inspector.fleet().trouble = Some(Box::new(fate));
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_no_verdict_and_says_why() {
    const TAG: &str = "crm/web:1.4";
    unknown(|_| {}, "crm/wbe:1.4", "no repository crm/wbe").await;
    unknown(|_| {}, "crm/web:1.5", "no image crm/web:1.5").await;
    let archive = |world: &World| {
        let repositories = &mut world.emulator.registry.contents().repositories;
        repositories.get_mut(REPOSITORY).unwrap()[0].status = Some("ARCHIVED".to_owned());
    };
    unknown(archive, TAG, "archive").await;
    // Pushed a second ago.
    unknown(without_coverage, TAG, "crm/web@sha256:").await;
    let basic = |world: &World| {
        without_coverage(world);
        world.emulator.registry.contents().scanning = json!({"scanType": "BASIC", "rules": []});
    };
    unknown(basic, TAG, "enhanced").await;
    let other_rule = |world: &World| {
        without_coverage(world);
        let filter = json!({"filter": "shop/*", "filterType": "WILDCARD"});
        let rule = json!({"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [filter]});
        world.emulator.registry.contents().scanning =
            json!({"scanType": "ENHANCED", "rules": [rule]});
    };
    unknown(other_rule, TAG, "rule of the registry").await;
    let failed = |status: &'static str| {
        move |world: &World| {
            without_coverage(world);
            let repositories = &mut world.emulator.registry.contents().repositories;
            repositories.get_mut(REPOSITORY).unwrap()[0].scan =
                Some((status.to_owned(), "the scan did not end".to_owned()));
        }
    };
    unknown(failed("FAILED"), TAG, "FAILED").await;
    unknown(failed("UNSUPPORTED_IMAGE"), TAG, "UNSUPPORTED_IMAGE").await;
    for reason in [
        "IMAGE_SIZE_EXCEEDED",
        "UNSUPPORTED_OS",
        "SCAN_ELIGIBILITY_EXPIRED",
        "PENDING_INITIAL_SCAN",
    ] {
        unknown(with_reason(reason), TAG, reason).await;
    }
    let young = |world: &World| {
        let minutes_ago = SCANNED + 57.0 * 60.0;
        world.emulator.inspector.fleet().coverage[0]["lastScannedAt"] = json!(minutes_ago);
    };
    unknown(young, TAG, "2026-11-20").await;
    unknown(refused_by_ecr(registry::Trouble::Denied), TAG, "these credentials may").await;
    unknown(refused_by_ecr(registry::Trouble::TokenExpired), TAG, "log in again").await;
    let denied = inspector::Trouble::Denied;
    for path in ["/coverage/list", "/findings/list", "/findings/details/batch/get"] {
        unknown(refused_by_inspector(path, denied), TAG, "these credentials may").await;
    }
    let strange = |world: &World| {
        world.emulator.inspector.fleet().findings[0]["awsAccountId"] = json!("42");
    };
    unknown(strange, TAG, "awsAccountId").await;
}

#[test]
fn a_ledger_that_is_unsound_opens_nothing() {
    let ledger = file("unsound", "ledger.yaml", "version: 1\nexceptions: [{id: abc}]\n");
    let event = sample("01-critical-exploit-and-fix.json").to_string();
    let arguments = ["--findings", "-", "--ledger", ledger.to_str().unwrap()];
    let unknown = offline(&arguments, event.as_bytes());
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    assert!(unknown.error.contains("ledger.yaml:2:14: exceptions[0]"), "{}", unknown.error);
    let missing = offline(&["--findings", "-", "--ledger", "no/such.yaml"], event.as_bytes());
    assert_eq!(missing.status, Some(2), "{}", missing.error);
}

#[test]
fn findings_in_files_are_judged_offline_in_every_form() {
    let event = sample("01-critical-exploit-and-fix.json");
    let listing = json!({"findings": [event["detail"]]});
    for form in
        [event.to_string(), event["detail"].to_string(), listing.to_string(), format!("[{event}]")]
    {
        let closed = offline(&["--findings", "-", "--format", "json"], form.as_bytes());
        assert_eq!(closed.status, Some(1), "{}", closed.error);
        assert_eq!(closed.json()["counts"]["closing"], 1);
    }
    // What CISA says may stand beside a finding.
    let mut harmless = sample("02-high-no-fix.json");
    let open = offline(&["--findings", "-", "--fail-on", "P1"], harmless.to_string().as_bytes());
    assert_eq!(open.status, Some(0), "{}", open.error);
    harmless["intelligence"] = json!({"cisaData": {"dateAdded": "2026-11-01T00:00:00Z"}});
    let closed = offline(&["--findings", "-", "--fail-on", "P1"], harmless.to_string().as_bytes());
    assert_eq!(closed.status, Some(1), "{}", closed.error);
}

#[test]
fn a_file_that_is_not_whole_or_no_finding_opens_nothing() {
    let event = sample("02-high-no-fix.json");
    let listing = json!({"findings": [event["detail"]], "nextToken": "more"}).to_string();
    let mut closed = event.clone();
    closed["detail"]["status"] = json!("CLOSED");
    closed["detail"]["updatedAt"] = json!("2026-11-20T11:00:00Z");
    let closed = closed.to_string();
    for (name, content, expected) in [
        ("empty listing", r#"{"findings": []}"#, "--coverage"),
        ("empty array", "[]", "--coverage"),
        ("all closed", &closed, "--coverage"),
        ("closed in the end", &format!("{event}\n{closed}\n"), "--coverage"),
        ("nothing", "", "not JSON"),
        ("no JSON", "<html>", "JSON"),
        ("another object", r#"{"coveredResources": []}"#, "detail-type"),
        ("half a listing", &listing, "next token"),
        ("one of two", &format!("{event}\n{{\"a\": 1}}\n"), "detail-type"),
    ] {
        let unknown = offline(&["--findings", "-"], content.as_bytes());
        assert_eq!(unknown.status, Some(3), "{name}: {}", unknown.error);
        assert!(unknown.error.contains(expected), "{name}: {}", unknown.error);
        assert!(unknown.out.starts_with("cannot tell"), "{name}: {}", unknown.out);
    }
    let file = common::project("events/02-high-no-fix.json");
    let unknown = offline(&["--findings", file.to_str().unwrap(), "-"], br#"{"findings": []}"#);
    assert_eq!(unknown.status, Some(3), "one of two files has nothing: {}", unknown.error);
    let pages = json!({"findings": [event["detail"]]}).to_string();
    let whole =
        offline(&["--findings", "-", "--fail-on", "P1"], format!("{listing}\n{pages}").as_bytes());
    assert_eq!(whole.status, Some(0), "{}", whole.error);
}

#[test]
fn coverage_says_that_nothing_found_means_scanned() {
    let image = image(1);
    let coverage = |reason: &str| {
        let row = covered(&image, "ACTIVE", reason, Some(SCANNED));
        file("coverage", &format!("{reason}.json"), &json!({"coveredResources": [row]}).to_string())
    };
    for (reason, status) in [("SUCCESSFUL", 0), ("UNSUPPORTED_OS", 3), ("SCAN_IN_PROGRESS", 3)] {
        let coverage = coverage(reason);
        let arguments = ["--findings", "-", "--coverage", coverage.to_str().unwrap()];
        let said = offline(&arguments, br#"{"findings": []}"#);
        assert_eq!(said.status, Some(status), "{reason}: {}", said.error);
    }
    let none = file("coverage", "none.json", r#"{"coveredResources": []}"#);
    let arguments = ["--findings", "-", "--coverage", none.to_str().unwrap()];
    assert_eq!(offline(&arguments, br#"{"findings": []}"#).status, Some(3));
}

#[test]
fn coverage_is_of_what_the_findings_are_of_and_whole() {
    let image = image(1);
    let harmless = json!({"findings": [finding(1, &image, |_| {})]}).to_string();
    let other = json!({"findings": [finding(1, &self::image(2), |_| {})]}).to_string();
    let row = covered(&image, "ACTIVE", "SUCCESSFUL", Some(SCANNED));
    let mut ports = row.clone();
    ports["scanType"] = json!("NETWORK");
    let whole = json!({"coveredResources": [row]});
    let part = json!({"coveredResources": [row], "nextToken": "more"});
    let ports = json!({"coveredResources": [ports]});
    for (coverage, findings, status, expected) in [
        (&whole, &harmless, 0, ""),
        (&whole, &other, 3, "--coverage says nothing"),
        (&part, &harmless, 3, "next token"),
        (&ports, &harmless, 3, "not know"),
    ] {
        let coverage = file("whole", "coverage.json", &coverage.to_string());
        let arguments = ["--findings", "-", "--coverage", coverage.to_str().unwrap()];
        let said = offline(&arguments, findings.as_bytes());
        assert_eq!(said.status, Some(status), "{coverage:?}: {}", said.error);
        assert!(said.error.contains(expected), "{expected}: {}", said.error);
    }
}

#[test]
fn a_page_that_goes_on_is_followed_by_the_next_or_is_not_the_whole() {
    let event = sample("02-high-no-fix.json");
    let open = |token: Option<&str>| {
        let mut page = json!({"findings": [event["detail"]]});
        if let Some(token) = token {
            page["nextToken"] = json!(token);
        }
        page.to_string()
    };
    for (lines, status) in [
        (vec![open(Some("more")), open(None)], 0),
        (vec![open(Some("more")), event.to_string()], 3),
        (vec![open(None), event.to_string()], 0),
    ] {
        let said = offline(&["--findings", "-", "--fail-on", "P1"], lines.join("\n").as_bytes());
        assert_eq!(said.status, Some(status), "{}", said.error);
    }
    let both = json!({"findings": [event["detail"]], "Messages": []}).to_string();
    assert_eq!(offline(&["--findings", "-"], both.as_bytes()).status, Some(3));
}

#[tokio::test]
async fn what_was_there_before_is_not_what_is_judged() {
    let world = stage(|image| vec![finding(1, image, urgent)]).await;
    has_images(&world, vec![image(1).tagged("1.4").tagged("latest")]);
    let misuse = judged(&world, &["--new-since", "crm/web:latest"]).await;
    assert_eq!(misuse.status, Some(2), "{}", misuse.error);
    let same = file("same", "same.json", &sample("02-high-no-fix.json").to_string());
    let same = same.to_str().unwrap();
    assert_eq!(offline(&["--findings", same, "--new-since", same], b"").status, Some(2));
}

#[tokio::test]
async fn details_that_are_refused_are_no_details_that_there_are_none_of() {
    let world = stage(|image| vec![finding(1, image, |_| {})]).await;
    let arn = world.emulator.inspector.fleet().findings[0]["findingArn"].clone();
    let arn = arn.as_str().unwrap().to_owned();
    world.emulator.inspector.fleet().refused.insert(arn.clone(), "ACCESS_DENIED");
    let unknown = judged(&world, &[]).await;
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    assert!(unknown.error.contains("ACCESS_DENIED"), "{}", unknown.error);
    world.emulator.inspector.fleet().refused.insert(arn, "FINDING_DETAILS_NOT_FOUND");
    let open = judged(&world, &[]).await;
    assert_eq!(
        (open.status, open.json()["notes"][0]["kind"].clone()),
        (Some(0), json!("unchecked"))
    );
}

#[tokio::test]
async fn a_rule_that_hides_what_cisa_lists_is_pointed_at() {
    let hidden = |f: &mut Value| f["status"] = json!("SUPPRESSED");
    let world = stage(|image| vec![finding(1, image, hidden)]).await;
    world.emulator.inspector.fleet().threats =
        vec![json!({"id": "CVE-2026-20001", "cisaData": {"dateAdded": 1_795_000_000}})];
    let open = judged(&world, &[]).await;
    assert_eq!(open.status, Some(0), "{}", open.error);
    assert_eq!(open.json()["notes"][0]["kind"], "hidden-though-exploited");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it is young by the clock of the program")]
async fn the_time_to_judge_by_does_not_make_a_young_scan_old() {
    let world = stage(|_| vec![]).await;
    let now = jiff::Timestamp::now().as_second();
    world.emulator.inspector.fleet().coverage[0]["lastScannedAt"] = json!(now);
    let unknown = judged(&world, &["--wait", "0", "--now", "2036-01-01T00:00:00Z"]).await;
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
}

#[test]
fn what_an_earlier_run_has_written_is_gone_when_a_later_one_cannot_tell() {
    let folder = scratch("gate-stale");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (sarif, other) = (path("gate.sarif"), path("./gate.sarif"));
    fs::write(&sarif, "stale").unwrap();
    let missing = ["--findings", "no/such.json", "--format", "sarif", "--out", &sarif];
    assert_eq!(offline(&missing, b"").status, Some(2));
    assert!(!fs::exists(&sarif).unwrap());
    // Nor is there half of a judgement.
    let event = sample("02-high-no-fix.json").to_string();
    let nowhere = path("no/such/gate.xml");
    let half = [
        "--findings",
        "-",
        "--format",
        "sarif",
        "--out",
        &sarif,
        "--format",
        "junit",
        "--out",
        &nowhere,
    ];
    assert_eq!(offline(&half, event.as_bytes()).status, Some(3));
    assert!(!fs::exists(&sarif).unwrap());
    let twice = [
        "--findings",
        "-",
        "--format",
        "sarif",
        "--out",
        &sarif,
        "--format",
        "junit",
        "--out",
        &other,
    ];
    fs::write(&sarif, "stale").unwrap();
    assert_eq!(offline(&twice, event.as_bytes()).status, Some(2));
    let findings = path("findings.json");
    fs::write(&findings, &event).unwrap();
    assert_eq!(offline(&["--findings", &findings, "--out", &findings], b"").status, Some(2));
    assert_eq!(fs::read_to_string(&findings).unwrap(), event);
}

#[test]
fn no_argument_becomes_a_command_of_who_reads_the_log() {
    for arguments in [["--image", "crm/web\n::error::x:1"], ["--findings", "x\u{1b}[2J"]] {
        let refused = offline(&arguments, b"");
        assert_eq!(refused.status, Some(2));
        assert_eq!(refused.error.lines().count(), 1, "{}", refused.error);
        assert!(!refused.error.contains('\u{1b}'));
    }
}

#[test]
fn several_formats_go_to_several_files_and_what_cannot_be_told_leaves_no_sarif() {
    let folder = scratch("gate-formats");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (sarif, junit, markdown) = (path("gate.sarif"), path("gate.xml"), path("gate.md"));
    let arguments = [
        "--findings",
        "-",
        "--format",
        "sarif",
        "--out",
        &sarif,
        "--format",
        "table",
        "--format",
        "junit",
        "--out",
        &junit,
        "--format",
        "markdown",
        "--out",
        &markdown,
    ];
    let event = sample("01-critical-exploit-and-fix.json").to_string();
    let closed = offline(&arguments, event.as_bytes());
    assert_eq!(closed.status, Some(1), "{}", closed.error);
    assert!(closed.out.starts_with("closed"), "{}", closed.out);
    assert!(fs::read_to_string(&sarif).unwrap().contains("2.1.0"));
    assert!(fs::read_to_string(&junit).unwrap().contains("<failure"));
    let unknown = offline(&arguments, b"{}");
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    assert!(!fs::exists(&sarif).unwrap(), "an upload of it would say that all is fixed");
    assert!(fs::read_to_string(&junit).unwrap().contains("<error"));
    assert!(fs::read_to_string(&markdown).unwrap().contains("annot tell"));
    // A judgement that nobody can read is none.
    let nowhere = path("no/such/folder/gate.sarif");
    let unwritten =
        offline(&["--findings", "-", "--format", "sarif", "--out", &nowhere], event.as_bytes());
    assert_eq!(unwritten.status, Some(3), "{}", unwritten.error);
}

#[test]
fn arguments_that_make_no_sense_are_bad_usage() {
    for arguments in [
        &[][..],
        &["--image", "crm/web"],
        &["--image", "docker.io/library/nginx:1"],
        &["--image", "crm/web:1", "--findings", "-"],
        &["--findings", "-", "--fail-on", "HIGH"],
        &["--findings", "no/such/file.json"],
        &["--findings", "-", "--coverage", "no/such/file.json"],
        &["--scan", "no/such/file.json"],
        &["--findings", "-", "--format", "sarif", "--format", "table"],
        &["--findings", "-", "--out", "x", "--format", "sarif", "--format", "table"],
        &["--image", "crm/web:1", "--wait", "-1"],
        &["--findings", "-", "--commit", "abc1234"],
        &["--code-repository", "acme/shop", "--commit", ""],
        &["--code-repository", "acme/shop", "--commit", "main"],
    ] {
        let misuse = offline(arguments, b"");
        assert_eq!(misuse.status, Some(2), "{arguments:?}: {}", misuse.error);
        assert!(misuse.out.is_empty(), "{arguments:?}: {}", misuse.out);
    }
}

/// A code repository, as Inspector's coverage has it.
fn project(commit: &str, reason: &str) -> Value {
    json!({
        "accountId": "111122223333", "resourceId": "arn:aws:inspector2:eu-central-1:111122223333:codesecurity/project-1",
        "resourceType": "CODE_REPOSITORY", "scanType": "CODE",
        "scanStatus": {"statusCode": "ACTIVE", "reason": reason}, "lastScannedAt": SCANNED,
        "resourceMetadata": {"codeRepository": {"projectName": "acme/shop", "lastScannedCommitId": commit}},
    })
}

#[tokio::test]
async fn a_code_repository_is_judged_by_the_scan_of_its_commit() {
    let world = World::new().await;
    {
        let mut fleet = world.emulator.inspector.fleet();
        fleet.coverage = vec![project("abc1234def", "SUCCESSFUL")];
        fleet.findings = vec![sample("09-code-repository.json")["detail"].clone()];
        fleet.findings[0]["resources"][0]["details"]["codeRepository"]["projectName"] =
            json!("acme/shop");
        fleet.findings = fleet.findings.iter().cloned().map(inspector::as_api).collect();
    }
    let arguments = ["--code-repository", "acme/shop", "--wait", "0", "--format", "json"];
    let judged = ask(&world, &arguments).await;
    assert!(matches!(judged.status, Some(0 | 1)), "{}", judged.error);
    assert_eq!(judged.json()["counts"]["total"], 1);
    for (commit, status) in [("abc1234", judged.status), ("0000000", Some(3))] {
        let said = ask(&world, &[&arguments[..], &["--commit", commit]].concat()).await;
        assert_eq!(said.status, status, "{}", said.error);
    }
    let unknown = ask(&world, &["--code-repository", "acme/shpo", "--wait", "0"]).await;
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    world.emulator.inspector.fleet().coverage = vec![project("abc", "INTEGRATION_CONNECTION_LOST")];
    assert_eq!(ask(&world, &arguments).await.status, Some(3));
}

#[test]
fn an_answer_of_scan_sbom_is_judged_in_each_of_its_forms() {
    for form in ["cyclonedx", "inspector", "inspector-alt"] {
        let file = format!("events/scan-sbom/{form}.json");
        let judged = offline(&["--scan", &file, "--format", "json"], b"");
        assert_eq!(judged.status, Some(1), "{form}: {}", judged.error);
        assert!(judged.json()["counts"]["knownExploited"].as_u64() > Some(0), "{form}");
    }
    let sbom = br#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}"#;
    for input in [&sbom[..], b"{}", b"[]", b"<html>", br#"{"message": "expired"}"#] {
        let unknown = offline(&["--scan", "-"], input);
        assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    }
}

#[test]
fn a_system_without_advisories_opens_nothing() {
    let count = |severity: &str| {
        let name = format!("amazon:inspector:sbom_scanner:{severity}_vulnerabilities");
        json!({"name": name, "value": "0"})
    };
    let counts = ["critical", "high", "medium", "low", "other"].map(count);
    let said = |name: &str, value: &str| json!([{"name": format!("amazon:inspector:sbom_scanner:{name}"), "value": value}]);
    let mut system =
        json!({"bom-ref": "1", "type": "operating-system", "name": "ubuntu", "version": "14.04"});
    let answer = |system: &Value| {
        let package = json!({
            "bom-ref": "2", "type": "library", "name": "bash", "version": "4.3", "purl": "pkg:deb/ubuntu/bash@4.3",
            "properties": said("info", "Component scanned: no vulnerabilities found."),
        });
        let sbom = json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"properties": counts},
            "components": [system, package], "vulnerabilities": [],
        });
        json!({"sbom": sbom}).to_string()
    };
    let open = offline(&["--scan", "-"], answer(&system).as_bytes());
    assert_eq!(open.status, Some(0), "{}", open.error);
    system["properties"] = said("end_of_life", "2024-04-01T00:00:00Z");
    let unknown = offline(&["--scan", "-"], answer(&system).as_bytes());
    assert_eq!(unknown.status, Some(3), "{}", unknown.error);
    assert!(unknown.error.contains("14.04"), "{}", unknown.error);
}

/// The exit status where stdout is something else than a file.
fn status_with(stdout: Stdio, drop_it: bool) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_inspector-triage"))
        .args(["gate", "--now", NOW, "--findings", "-"])
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    if drop_it {
        drop(child.stdout.take());
    }
    let event = sample("01-critical-exploit-and-fix.json").to_string();
    child.stdin.take().unwrap().write_all(event.as_bytes()).unwrap();
    child.wait().unwrap().code()
}

#[test]
fn who_has_seen_enough_does_not_open_a_gate_that_is_closed() {
    assert_eq!(status_with(Stdio::piped(), true), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_judgement_that_cannot_be_written_is_none() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(status_with(full.into(), false), Some(3));
}
