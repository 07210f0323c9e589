//! The formats of the gate: word for word, by their schemas, with the same counts in each, and harmless whatever strangers
//! write into a finding.
//!
//! After a change that is meant, `cargo insta review` or `INSTA_UPDATE=always cargo test`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use inspector_triage::{
    domain::{
        assess::{Policy, Priority},
        finding::{Envelope, Finding},
        gate::{
            Baseline, Candidate, CannotTell, Gate, Judging, Note, Rules, Scan, Subject, Threshold,
            Unchecked, judge,
        },
        ledger::{Decision, Exception, Ledger, Selectors, Terms, VulnerabilityId},
        threat::Threat,
    },
    render::gate::{Outcome, SarifOptions},
};
use jiff::Timestamp;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T12:00:00Z";
const LAYER: &str = "sha256:8e1f22fd5b9477e1a4f0c8f0d6c1a3b5d7e9f1a2b3c4d5e6f708192a3b4c5d6e";

fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn schema(file: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&fs::read_to_string(project(file)).unwrap()).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

static OURS: LazyLock<jsonschema::Validator> = LazyLock::new(|| schema("docs/gate.schema.json"));
static SARIF: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| schema("tests/formats/sarif-schema-2.1.0.json"));

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A finding of a package in an image.
fn package_finding(number: usize, id: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut finding = json!({
        "findingArn": format!("arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}"),
        "awsAccountId": "111122223333",
        "type": "PACKAGE_VULNERABILITY",
        "status": "ACTIVE",
        "severity": "HIGH",
        "title": format!("{id} - openssl, libssl3t64"),
        "description": "A crafted certificate makes openssl read past the end of a buffer.",
        "firstObservedAt": "2026-11-19T10:00:00Z",
        "lastObservedAt": "2026-11-19T10:00:00Z",
        "updatedAt": "2026-11-19T10:00:00Z",
        "epss": {"score": 0.91},
        "exploitAvailable": "YES",
        "fixAvailable": "YES",
        "inspectorScore": 8.1,
        "inspectorScoreDetails": {"adjustedCvss": {
            "score": 8.1, "scoreSource": "NVD", "version": "3.1",
            "scoringVector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
        }},
        "packageVulnerabilityDetails": {
            "vulnerabilityId": id,
            "source": "NVD",
            "sourceUrl": format!("https://nvd.nist.gov/vuln/detail/{id}"),
            "vendorCreatedAt": "2026-11-10T00:00:00Z",
            "cvss": [{"baseScore": 9.1, "scoringVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N", "version": "3.1", "source": "UBUNTU_CVE"}],
            "vulnerablePackages": [
                {
                    "name": "openssl", "version": "3.0.13", "epoch": 0, "release": "0ubuntu3.7", "arch": "AMD64",
                    "packageManager": "OS", "fixedInVersion": "0:3.0.13-0ubuntu3.9", "sourceLayerHash": LAYER
                },
                {
                    "name": "libssl3t64", "version": "3.0.13", "epoch": 0, "release": "0ubuntu3.7", "arch": "AMD64",
                    "packageManager": "OS", "fixedInVersion": "0:3.0.13-0ubuntu3.9", "sourceLayerHash": LAYER
                }
            ]
        },
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [{
            "type": "AWS_ECR_CONTAINER_IMAGE",
            "id": "arn:aws:ecr:eu-central-1:111122223333:repository/crm/web/sha256:0f1e",
            "partition": "aws", "region": "eu-central-1", "tags": {},
            "details": {"awsEcrContainerImage": {
                "repositoryName": "crm/web", "imageTags": ["1.4"], "imageHash": "sha256:0f1e",
                "registry": "111122223333", "platform": "UBUNTU_24_04", "architecture": "amd64"
            }}
        }]
    });
    change(&mut finding);
    finding
}

fn harmless(finding: &mut Value) {
    finding["severity"] = json!("LOW");
    finding["epss"] = json!({"score": 0.0002});
    finding["exploitAvailable"] = json!("NO");
    finding["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2024-02-01T00:00:00Z");
}

/// One package, in a file if there is one.
fn package(finding: &mut Value, name: &str, version: &str, fixed: &str, file: Option<&str>) {
    let title = format!(
        "{} - {name}",
        finding["packageVulnerabilityDetails"]["vulnerabilityId"].as_str().unwrap()
    );
    finding["title"] = json!(title);
    finding["packageVulnerabilityDetails"]["vulnerablePackages"] = json!([{
        "name": name, "version": version, "epoch": 0, "packageManager": "OS", "fixedInVersion": fixed,
        "filePath": file, "sourceLayerHash": LAYER
    }]);
}

fn code_finding(number: usize, line: u64) -> Value {
    package_finding(number, "none", |f| {
        f.as_object_mut().unwrap().remove("packageVulnerabilityDetails");
        f["type"] = json!("CODE_VULNERABILITY");
        f["title"] = json!("CWE-78 - OS command injection");
        f["codeVulnerabilityDetails"] = json!({
            "cwes": ["CWE-78", "CWE-88"], "detectorId": "python/os-command-injection@v1.0",
            "detectorName": "OS command injection",
            "filePath": {"fileName": "app.py", "filePath": "src/app.py", "startLine": line, "endLine": line + 2}
        });
    })
}

fn network_finding(number: usize) -> Value {
    package_finding(number, "none", |f| {
        f.as_object_mut().unwrap().remove("packageVulnerabilityDetails");
        f["type"] = json!("NETWORK_REACHABILITY");
        f["title"] = json!("Port 22 is reachable from an Internet Gateway");
        f["networkReachabilityDetails"] = json!({
            "openPortRange": {"begin": 22, "end": 22}, "protocol": "TCP",
            "networkPath": {"steps": [{"componentId": "igw-1", "componentType": "AWS::EC2::InternetGateway"}]}
        });
    })
}

fn candidate(finding: &Value, threat: Option<&Value>) -> Candidate {
    let (finding, _) = Finding::read(finding, "", Envelope::default()).unwrap();
    Candidate { finding, threat: threat.map(|threat| Threat::read(threat, now())) }
}

fn exception(id: &str, vulnerability: &str, last_day: &str) -> Exception {
    Exception {
        id: id.to_owned(),
        selectors: Selectors {
            vulnerabilities: vec![VulnerabilityId::new(vulnerability)],
            ..Selectors::default()
        },
        decision: Decision::Accept,
        justification: None,
        reason: "Only the proxy can reach it.".to_owned(),
        compensating_controls: Vec::new(),
        ticket: Some("CRM-4711".to_owned()),
        owner: "team-crm".to_owned(),
        approved_by: None,
        created_at: "2026-10-01".parse().unwrap(),
        review_at: None,
        terms: Terms {
            expires_at: last_day.parse().unwrap(),
            until_fixed: false,
            accepted_priority: Priority::P1,
            ends_if: Vec::new(),
        },
    }
}

fn judged(
    subject: Subject,
    candidates: Vec<Candidate>,
    exceptions: Vec<Exception>,
    rules: Rules,
    baseline: Option<&Baseline>,
    notes: Vec<Note>,
) -> Gate {
    let ledger = Ledger { exceptions, ..Ledger::default() };
    let policy = Policy::default();
    let judging = Judging { rules, policy: &policy, ledger: &ledger, baseline, now: now() };
    let new_since = baseline.map(|_| "crm/web:1.3".to_owned());
    Gate { subject, new_since, judgement: judge(candidates, &judging), notes }
}

fn image() -> Subject {
    let scan = |digit: char, platform: &str, at: &str| Scan {
        of: format!("sha256:{}", digit.to_string().repeat(64)),
        platform: Some(platform.to_owned()),
        at: at.parse().unwrap(),
    };
    Subject {
        name: "crm/web:1.4".to_owned(),
        stable_name: "crm/web".to_owned(),
        scans: vec![
            scan('0', "linux/amd64", "2026-11-20T11:41:07Z"),
            scan('1', "linux/arm64", "2026-11-20T11:43:52Z"),
        ],
    }
}

/// A gate that is closed: by what is known to be exploited, by what has an update, and by what has no fix and had an exception.
/// Something is excepted for some days more, and something for long.
fn closed() -> Gate {
    let kev =
        json!({"cisaData": {"dateAdded": "2026-11-02T00:00:00Z", "action": "Apply updates."}});
    let candidates = vec![
        candidate(&package_finding(1, "CVE-2026-21001", |_| {}), Some(&kev)),
        candidate(&package_finding(2, "CVE-2026-21002", harmless), None),
        candidate(
            &package_finding(3, "CVE-2026-21003", |f| {
                package(
                    f,
                    "org.apache.logging.log4j:log4j-core",
                    "2.17.0",
                    "2.17.1",
                    Some("app/lib/log4j-core-2.17.0.jar"),
                );
                f["severity"] = json!("CRITICAL");
            }),
            None,
        ),
        candidate(
            &package_finding(4, "CVE-2026-21004", |f| {
                package(f, "libxml2", "2.9.14", "NotAvailable", None);
                f["fixAvailable"] = json!("NO");
            }),
            None,
        ),
        candidate(
            &package_finding(5, "CVE-2026-21005", |f| package(f, "curl", "8.5.0", "8.5.1", None)),
            None,
        ),
        candidate(
            &package_finding(6, "CVE-2026-21006", |f| package(f, "perl", "5.38.2", "5.38.3", None)),
            None,
        ),
        candidate(
            &package_finding(7, "CVE-2026-21007", |f| {
                package(f, "tar", "1.35", "1.36", None);
                f["status"] = json!("SUPPRESSED");
            }),
            None,
        ),
    ];
    let exceptions = vec![
        exception("xml-from-our-own-files", "CVE-2026-21004", "2026-11-15"),
        exception("curl-until-december", "CVE-2026-21005", "2026-11-24"),
        exception("no-perl-at-run-time", "CVE-2026-21006", "2027-03-31"),
    ];
    let notes = vec![
        Note::ScannedOnce {
            of: "crm/web:1.4".to_owned(),
            at: "2026-11-20T11:41:07Z".parse().unwrap(),
        },
        Note::EndsSoon {
            exception: "curl-until-december".to_owned(),
            on: "2026-11-24".parse().unwrap(),
        },
    ];
    judged(image(), candidates, exceptions, Rules::default(), None, notes)
}

fn open() -> Gate {
    judged(image(), Vec::new(), Vec::new(), Rules::default(), None, Vec::new())
}

/// Weaknesses of code and network, two of them in one file.
fn own_weaknesses() -> Gate {
    let findings = [code_finding(1, 17), code_finding(2, 40), network_finding(3)];
    let candidates = findings.iter().map(|finding| candidate(finding, None)).collect();
    let subject = Subject {
        name: "crm/web at 0f1e2d3c".to_owned(),
        stable_name: "crm/web".to_owned(),
        scans: vec![Scan { of: "0f1e2d3c".to_owned(), platform: None, at: now() }],
    };
    let rules = Rules { fail_on: Threshold::Priority(Priority::P3), ..Rules::default() };
    judged(subject, candidates, Vec::new(), rules, None, Vec::new())
}

fn not_scanned() -> CannotTell {
    CannotTell::NotScanned {
        of: "crm/web:1.4".to_owned(),
        kind: "AWS_ECR_CONTAINER_IMAGE".to_owned(),
        scan: "PACKAGE".to_owned(),
        reason: "UNSUPPORTED_OS".to_owned(),
    }
}

fn sarif(gate: &Gate, with_excepted: bool) -> String {
    Outcome::Judged(gate).sarif(SarifOptions { with_excepted }).unwrap().unwrap()
}

#[test]
fn each_format_of_a_closed_gate_stays_as_it_is() {
    let gate = closed();
    let outcome = Outcome::Judged(&gate);
    assert_eq!(outcome.exit_status(), 1);
    insta::assert_snapshot!("closed.txt", outcome.table());
    insta::assert_snapshot!("closed.md", outcome.markdown());
    insta::assert_snapshot!("closed.json", outcome.json().unwrap());
    insta::assert_snapshot!("closed.xml", outcome.junit().unwrap());
    insta::assert_snapshot!("closed.sarif", sarif(&gate, true));
}

#[test]
fn each_format_of_no_judgement_stays_as_it_is() {
    let why = not_scanned();
    let outcome = Outcome::CannotTell { subject: "crm/web:1.4", why: &why };
    assert_eq!(outcome.exit_status(), 3);
    insta::assert_snapshot!("cannot-tell.txt", outcome.table());
    insta::assert_snapshot!("cannot-tell.md", outcome.markdown());
    insta::assert_snapshot!("cannot-tell.json", outcome.json().unwrap());
    insta::assert_snapshot!("cannot-tell.xml", outcome.junit().unwrap());
    assert_eq!(errors(&OURS, &outcome.json().unwrap()), [""; 0]);
    assert_eq!(outcome.sarif(SarifOptions::default()).unwrap(), None);
    let texts =
        [outcome.table(), outcome.markdown(), outcome.json().unwrap(), outcome.junit().unwrap()];
    assert!(texts.iter().all(|text| is_ended(text)), "{texts:?}");
}

#[test]
fn an_open_gate_says_that_there_was_a_scan() {
    let gate = open();
    let outcome = Outcome::Judged(&gate);
    assert_eq!(outcome.exit_status(), 0);
    insta::assert_snapshot!("open.txt", outcome.table());
    insta::assert_snapshot!("open.xml", outcome.junit().unwrap());
    assert_eq!(agree(&gate), Ok(()));
}

#[test]
fn weaknesses_of_code_have_their_lines() {
    let gate = own_weaknesses();
    assert_eq!(agree(&gate), Ok(()));
    let log: Value = serde_json::from_str(&sarif(&gate, false)).unwrap();
    let regions: Vec<&Value> = results(&log)
        .iter()
        .map(|result| &result["locations"][0]["physicalLocation"]["region"]["startLine"])
        .collect();
    assert!(regions.contains(&&json!(17)) && regions.contains(&&json!(40)), "{regions:?}");
    let fingerprints: BTreeSet<String> =
        results(&log).iter().map(|result| result["partialFingerprints"].to_string()).collect();
    assert_eq!(fingerprints.len(), 3);
    insta::assert_snapshot!("code.txt", Outcome::Judged(&gate).table());
}

/// What `.ci/gate.py` hands to the validators of others, and the rest to look at.
#[test]
#[ignore = "writes files"]
fn examples_for_the_validators_of_others() {
    let folder = project("target/gate");
    fs::create_dir_all(&folder).unwrap();
    let hostile = hostile_gate();
    let gates =
        [("closed", closed()), ("open", open()), ("code", own_weaknesses()), ("hostile", hostile)];
    for (name, gate) in &gates {
        let write = |ending: &str, text: &str| {
            fs::write(folder.join(format!("{name}.{ending}")), text).unwrap();
        };
        write("sarif", &sarif(gate, false));
        write("all.sarif", &sarif(gate, true));
        let outcome = Outcome::Judged(gate);
        write("xml", &outcome.junit().unwrap());
        write("json", &outcome.json().unwrap());
        write("md", &outcome.markdown());
        write("txt", &outcome.table());
    }
    let why = not_scanned();
    let outcome = Outcome::CannotTell { subject: "crm/web:1.4", why: &why };
    fs::write(folder.join("cannot-tell.xml"), outcome.junit().unwrap()).unwrap();
}

/// Begins whatever strangers write.
const MARK: char = 'Ж';

const TRICKS: [&str; 22] = [
    "\n::error::x",
    "::error file=a::x",
    "##[error]x",
    "##vso[task.complete]",
    "#",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{202e}gnp.exe",
    "a\u{200b}b\u{feff}",
    "](javascript:alert(1))",
    "![x](http://evil.example/p.png)",
    "https://evil.example www.evil.example",
    "<script>alert(1)</script>",
    "<!-- ",
    "]]>",
    "\0\u{8}\u{b}\u{fffe}\u{ffff}",
    "| a | b |\n|---|---|",
    "`*_~$x$ `` ```",
    "@here @user #123 !7",
    "\\{0}%2e%2e/../",
    "\r\n\u{2028}\u{2029}- x",
    "\u{1f4a3}脆弱性",
];

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => select(&TRICKS[..]).prop_map(str::to_owned), 1 => any::<String>()];
    (prop::collection::vec(piece, 0..4), 1..40_usize).prop_map(|(pieces, times)| {
        format!("{MARK}{}", pieces.concat().repeat(if times > 38 { times } else { 1 }))
    })
}

/// All tricks in each place.
fn hostile_gate() -> Gate {
    let findings = TRICKS.iter().enumerate().map(|(number, trick)| {
        let text = vec![format!("{MARK}{trick}"); TEXTS];
        let finding = with_texts(number, number % 3, text);
        let kev = (number % 4 == 0).then(|| json!({"cisaData": {"action": trick}}));
        candidate(&finding, kev.as_ref())
    });
    let subject = Subject {
        name: format!("{MARK}{}", TRICKS.concat()),
        stable_name: TRICKS.concat(),
        scans: Vec::new(),
    };
    let candidates: Vec<Candidate> = findings.collect();
    let exceptions =
        vec![hostile_exception(&candidates[0].finding.problem(), &TRICKS.concat(), "2026-11-24")];
    judged(subject, candidates, exceptions, Rules::default(), None, Vec::new())
}

fn hostile_exception(problem: &str, text: &str, last_day: &str) -> Exception {
    Exception {
        id: text.to_owned(),
        owner: text.to_owned(),
        reason: text.to_owned(),
        ticket: Some(text.to_owned()),
        ..exception("x", problem, last_day)
    }
}

/// How many texts a finding takes.
const TEXTS: usize = 12;

/// A finding of one of three kinds in which strangers wrote everything they can.
fn with_texts(number: usize, kind: usize, mut texts: Vec<String>) -> Value {
    let mut next = || texts.pop().unwrap();
    let mut finding = match kind {
        0 => package_finding(number, &next(), |f| {
            f["packageVulnerabilityDetails"]["sourceUrl"] = json!(format!("https://{}", next()));
            f["packageVulnerabilityDetails"]["vulnerablePackages"] = json!([
                {"name": next(), "version": next(), "fixedInVersion": next(), "filePath": next(), "packageManager": next()},
                {"name": next(), "version": next(), "sourceLayerHash": next()},
            ]);
        }),
        1 => {
            let mut finding = code_finding(number, 17);
            let details = &mut finding["codeVulnerabilityDetails"];
            details["filePath"]["filePath"] = json!(next());
            details["cwes"] = json!([next()]);
            details["detectorName"] = json!(next());
            finding
        }
        _ => network_finding(number),
    };
    if kind > 0 {
        finding["resources"][0]["id"] = json!(next());
        finding["resources"][0]["details"] = json!({});
        finding["resources"][0]["type"] = json!(next());
        finding["title"] = json!(next());
        finding["severity"] = json!(next());
        finding["description"] = json!(next());
    }
    finding
}

prop_compose! {
    fn findings()(
        kind in 0..3_usize,
        texts in prop::collection::vec(hostile_text(), TEXTS),
        severity in prop::option::of(select(&["CRITICAL", "LOW", "UNTRIAGED"][..])),
        status in select(&["ACTIVE", "ACTIVE", "ACTIVE", "SUPPRESSED", "CLOSED"][..]),
        fix in select(&["YES", "NO", "PARTIAL", "?"][..]),
        epss in select(&[0.0001, 0.9][..]),
        listed in prop::bool::weighted(0.2),
        last_day in prop::option::of(select(&["2026-11-19", "2026-11-20", "2026-12-01", "2027-06-01"][..])),
        is_old in prop::bool::weighted(0.2),
    ) -> (Value, bool, Option<&'static str>, bool) {
        let mut finding = with_texts(0, kind, texts);
        if let Some(severity) = severity {
            finding["severity"] = json!(severity);
        }
        finding["status"] = json!(status);
        finding["fixAvailable"] = json!(fix);
        finding["epss"] = json!({"score": epss});
        (finding, listed, last_day, is_old)
    }
}

prop_compose! {
    fn gates()(
        findings in prop::collection::vec(findings(), 0..9),
        fail_on in select(vec![
            Threshold::Priority(Priority::P1), Threshold::Priority(Priority::P2),
            Threshold::Priority(Priority::P4), Threshold::Score(50),
        ]),
        only_fixable in any::<bool>(),
        since_baseline in any::<bool>(),
        texts in prop::collection::vec(hostile_text(), 4),
        scanned in any::<bool>(),
    ) -> Gate {
        let (mut candidates, mut exceptions, mut old) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (mut finding, listed, last_day, is_old)) in findings.into_iter().enumerate() {
            finding["findingArn"] = json!(format!("arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}"));
            let threat = listed.then(|| json!({"cisaData": {"dateAdded": "2026-11-02T00:00:00Z", "action": texts[0]}}));
            let candidate = candidate(&finding, threat.as_ref());
            if let Some(last_day) = last_day {
                exceptions.push(hostile_exception(
                    &candidate.finding.problem(),
                    &format!("{}{number}", texts[number % texts.len()]),
                    last_day,
                ));
            }
            if is_old {
                old.push(candidate.finding.clone());
            }
            candidates.push(candidate);
        }
        let [name, stable_name, of, why] = &texts[..] else { unreachable!() };
        let scan = Scan { of: of.clone(), platform: Some(name.clone()), at: now() };
        let subject = Subject {
            name: name.clone(),
            stable_name: stable_name.clone(),
            scans: if scanned { vec![scan] } else { Vec::new() },
        };
        let notes = vec![
            Note::ScannedOnce { of: of.clone(), at: now() },
            Note::Skipped { components: 2, first: of.clone(), why: why.clone() },
            Note::Unchecked { vulnerabilities: 1, why: Unchecked::Failed(why.clone()) },
            Note::EndsSoon { exception: name.clone(), on: "2026-11-24".parse().unwrap() },
            Note::HiddenThoughExploited { problem: of.clone() },
        ];
        let baseline = Baseline::of(&old);
        let baseline = since_baseline.then_some(&baseline);
        judged(subject, candidates, exceptions, Rules { fail_on, only_fixable }, baseline, notes)
    }
}

fn errors(schema: &jsonschema::Validator, json: &str) -> Vec<String> {
    let json = serde_json::from_str(json).unwrap();
    schema.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

type Counted = BTreeMap<String, u64>;

/// The counts of a judgement, by the names of the data.
fn counted(gate: &Gate) -> Counted {
    let counts = &gate.judgement.counts;
    let number = |name: &str, number: usize| (name.to_owned(), number as u64);
    let of_class = Priority::ALL
        .map(|priority| number(priority.as_str(), gate.judgement.of_priority(priority)));
    let by_standing = [
        number("total", counts.total),
        number("closing", counts.closing()),
        number("knownExploited", counts.known_exploited),
        number("urgent", counts.urgent),
        number("excepted", counts.excepted),
        number("lessUrgent", counts.less_urgent),
        number("notNew", counts.not_new),
        number("notFixable", counts.not_fixable),
    ];
    by_standing.into_iter().chain(of_class).collect()
}

/// The counts in the line that has them.
fn counts_said(text: &str) -> Counted {
    let line =
        text.lines().find(|line| line.contains(". Not excepted: P1: ")).expect("a line of counts");
    let (line, classes) = line.split_once(". Not excepted: ").unwrap();
    let line = line.replace(['(', ')'], ", ");
    let words = [
        ("finding", "total"),
        ("close", "closing"),
        ("known", "knownExploited"),
        ("urgent", "urgent"),
        ("excepted", "excepted"),
        ("less", "lessUrgent"),
        ("there", "notNew"),
        ("without", "notFixable"),
    ];
    let mut said: Counted = words.iter().map(|(_, name)| ((*name).to_owned(), 0)).collect();
    for part in line.split(", ").map(str::trim).filter(|part| !part.is_empty()) {
        let (number, word) = part.split_once(' ').unwrap();
        let (_, name) = words.iter().find(|(begin, _)| word.starts_with(begin)).unwrap();
        said.insert((*name).to_owned(), number.parse().unwrap());
    }
    let classes = classes.split(", ").map(|class| class.split_once(": ").unwrap());
    said.extend(classes.map(|(class, number)| (class.to_owned(), number.parse().unwrap())));
    said
}

fn counts_of(json: &Value) -> Counted {
    let by_priority = json["byPriority"].as_object().unwrap();
    let numbers = json.as_object().unwrap().iter().chain(by_priority);
    numbers.filter_map(|(name, number)| Some((name.clone(), number.as_u64()?))).collect()
}

/// Whether a text ends with one end of a line.
fn is_ended(text: &str) -> bool {
    text.trim_end().len() + 1 == text.len()
}

/// Whether all formats have the same counts, and each is as it has to be.
fn agree(gate: &Gate) -> Result<(), String> {
    let outcome = Outcome::Judged(gate);
    let expected = counted(gate);
    let of = |name: &str| expected[name];
    let same = |what: &str, found: Counted| {
        if found == expected {
            Ok(())
        } else {
            Err(format!("{what}: {found:?} instead of {expected:?}"))
        }
    };
    let (table, markdown) = (outcome.table(), outcome.markdown());
    same("table", counts_said(&table))?;
    same("Markdown", counts_said(&markdown))?;
    let texts = [&table, &markdown, &outcome.json().unwrap(), &outcome.junit().unwrap()];
    if !texts.into_iter().chain([&sarif(gate, true)]).all(|text| is_ended(text)) {
        return Err("ends with another number of line ends than one".to_owned());
    }
    harm_in_log(&table)?;
    harm_in_markdown(&markdown)?;

    let text = outcome.json().unwrap();
    let wrong = errors(&OURS, &text);
    let json: Value = serde_json::from_str(&text).unwrap();
    if !wrong.is_empty() {
        return Err(format!("JSON: {wrong:?}"));
    }
    same("JSON", counts_of(&json["counts"]))?;
    let listed = json["findings"].as_array().unwrap();
    let standing = |words: &[&str]| {
        listed.iter().filter(|one| words.contains(&one["standing"].as_str().unwrap())).count()
            as u64
    };
    let by_list =
        [standing(&["known-exploited", "urgent"]), standing(&["excepted"]), listed.len() as u64];
    if by_list != [of("closing"), of("excepted"), of("total")] {
        return Err(format!("the list in JSON: {by_list:?}"));
    }

    for with_excepted in [false, true] {
        let text = sarif(gate, with_excepted);
        let wrong = errors(&SARIF, &text);
        if !wrong.is_empty() {
            return Err(format!("SARIF: {wrong:?}"));
        }
        let log: Value = serde_json::from_str(&text).unwrap();
        same("SARIF", counts_of(&log["runs"][0]["properties"]["counts"]))?;
        let left_out = if with_excepted { 0 } else { of("excepted") };
        if results(&log).len() as u64 + left_out != of("total") {
            return Err("SARIF: another number of results".to_owned());
        }
        unlike_github(&log)?;
    }

    let junit = outcome.junit().unwrap();
    let document =
        roxmltree::Document::parse(&junit).map_err(|error| format!("JUnit: {error}\n{junit}"))?;
    let found =
        |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count() as u64;
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let attribute = |name: &str| suite.attribute(name).unwrap().parse::<u64>().unwrap();
    let properties =
        document.descendants().filter(|node| node.has_tag_name("property")).map(|node| {
            (
                node.attribute("name").unwrap().to_owned(),
                node.attribute("value").unwrap().parse().unwrap(),
            )
        });
    same("JUnit", properties.collect())?;
    for (name, element, expected) in [
        ("tests", "testcase", of("total") + 1),
        ("failures", "failure", of("closing")),
        ("skipped", "skipped", of("excepted")),
        ("errors", "error", 0),
    ] {
        if attribute(name) != expected || found(element) != expected {
            return Err(format!("JUnit: {name} is {}, with {}", attribute(name), found(element)));
        }
    }
    let names = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let names: BTreeSet<&str> = names.map(|node| node.attribute("name").unwrap()).collect();
    if names.len() as u64 != of("total") + 1 {
        return Err(format!("JUnit: two tests of one name: {names:?}"));
    }
    Ok(())
}

/// What GitHub asks of SARIF beyond the schema.
fn unlike_github(log: &Value) -> Result<(), String> {
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        let severity: f64 =
            rule["properties"]["security-severity"].as_str().unwrap().parse().unwrap();
        let tags = rule["properties"]["tags"].as_array().unwrap();
        let is_link = rule["helpUri"].as_str().is_none_or(|uri| uri.starts_with("https://"));
        if severity <= 0.0
            || severity > 10.0
            || tags.len() > 20
            || !tags.contains(&json!("security"))
            || !is_link
        {
            return Err(format!("a rule: {rule}"));
        }
    }
    for result in results(log) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        let uri =
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        let is_address = uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b));
        let is_relative =
            !uri.is_empty() && !uri.starts_with('/') && !uri.split('/').any(|step| step == "..");
        let text = result["message"]["text"].as_str().unwrap();
        let is_plain = !text
            .replace("\\\\", "")
            .replace("\\[", "")
            .replace("\\]", "")
            .contains(['[', ']', '{', '}']);
        if rule["id"] != result["ruleId"] || !is_address || !is_relative || !is_plain {
            return Err(format!("a result: {result}"));
        }
    }
    let id = run["automationDetails"]["id"].as_str().unwrap();
    if !id.starts_with("inspector-triage/")
        || !id.ends_with('/')
        || id.contains(char::is_whitespace)
    {
        return Err(format!("a category: {id}"));
    }
    Ok(())
}

fn hidden(text: &str) -> Option<char> {
    text.chars().find(|&c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}

fn harm_in_log(text: &str) -> Result<(), String> {
    let ours = [
        "open: ",
        "closed: ",
        "| ",
        "|-",
        "- ",
        "and ",
        "What to do:",
        "Excepted:",
        "Not excepted any more:",
        "To know:",
        "Scanned: ",
    ];
    let is_ours = |line: &str| {
        line.is_empty()
            || ours.iter().any(|ours| line.starts_with(ours))
            || line.starts_with(|c: char| c.is_ascii_digit())
    };
    if let Some(line) = text.lines().find(|line| !is_ours(line) || line.contains("##")) {
        return Err(format!("a line of the table: {line}"));
    }
    hidden(text).map_or(Ok(()), |c| Err(format!("hidden in the table: {c:?}")))
}

fn harm_in_markdown(text: &str) -> Result<(), String> {
    let ours = ["## Gate ", "### ", "| ", "|-", "- ", "and ", "Scanned: "];
    for line in text.lines() {
        let is_ours = line.is_empty()
            || ours.iter().any(|ours| line.starts_with(ours))
            || line.starts_with(|c: char| c.is_ascii_digit());
        // What is not code.
        let outside: String = line.split('`').step_by(2).collect();
        let is_alive = outside.contains([MARK, '<', '[', ']', '@', '$', '~', '\\'])
            || outside.contains("http")
            || line.matches('`').count() % 2 == 1;
        if !is_ours || is_alive {
            return Err(format!("a line of the Markdown: {line}"));
        }
        if line.starts_with("| ") && ![9, 8].contains(&line.matches('|').count()) {
            return Err(format!("a row with another number of cells: {line}"));
        }
    }
    hidden(text).map_or(Ok(()), |c| Err(format!("hidden in the Markdown: {c:?}")))
}

#[test]
fn the_example_says_the_same_in_all_formats() {
    assert_eq!(agree(&closed()), Ok(()));
    assert_eq!(agree(&hostile_gate()), Ok(()));
    assert!(!SARIF.is_valid(&json!({"version": "2.1.0"})), "the schema of SARIF refuses something");
    assert!(!OURS.is_valid(&json!({"version": "1", "verdict": "open"})), "so does ours");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn all_formats_have_the_same_counts_and_nothing_of_strangers_alive(gate in gates()) {
        prop_assert_eq!(agree(&gate), Ok(()));
    }
}

#[test]
fn a_summary_has_room_for_any_number_of_findings() {
    let long = "\u{1f4a3}".repeat(300);
    let candidates = (0..1500).map(|number| {
        let text = vec![format!("{number}{long}"); TEXTS];
        candidate(&with_texts(number, 0, text), None)
    });
    let candidates: Vec<Candidate> = candidates.collect();
    let excepted = candidates.iter().step_by(3).enumerate();
    let exceptions = excepted
        .map(|(number, one)| {
            hostile_exception(&one.finding.problem(), &format!("{number}{long}"), "2026-11-24")
        })
        .collect();
    let notes = vec![Note::Skipped { components: 2, first: long.clone(), why: long.clone() }; 200];
    let scan = Scan { of: long.clone(), platform: Some(long.clone()), at: now() };
    let subject = Subject { name: long.clone(), stable_name: long, scans: vec![scan; 50] };
    let gate = judged(subject, candidates, exceptions, Rules::default(), None, notes);
    let markdown = Outcome::Judged(&gate).markdown();
    assert!(markdown.len() < 900_000, "{}", markdown.len());
    assert!(markdown.len() > 400_000, "as much as there is room for: {}", markdown.len());
    assert!(markdown.contains("\nand 700 more\n"), "1000 close the gate, and 300 are shown");
}
