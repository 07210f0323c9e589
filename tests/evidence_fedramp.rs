//! The reports of FedRAMP's Consolidated Rules 2026: by their official schemas, with every finding in one of them, harmless
//! whatever strangers write, and silent about what nobody knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{Arc, LazyLock},
};

use inspector_triage::{
    app::evidence::collect,
    domain::{
        assess::Priority,
        coverage::{Gap, Subject as GapSubject},
        evidence::{
            Collecting, Decided, Entry, Evidence, Late, Life, Outcome, Period, State, Subject,
            Unobserved, What,
        },
        finding::{FixAvailable, OwnerTags, Severity, Status},
        ledger::{Decision, Terms, WhyEnded},
        record::{CoverEnd, End, Excepted, Facts, How},
        round::day,
        threat::Listing,
    },
    render::evidence::fedramp::{
        self, ACCEPTED_AFTER_DAYS, NO_PACKAGE, accepted_vulnerabilities, poam,
        vulnerability_details,
    },
};
use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, sample::select};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    common::{World, arn, project},
    evidence::{add_up, give, place},
    ledger,
    reviewing::{self, FIRST, covered},
    threats::listed,
    wording::nasty,
};

const COMMON: &str = "fedramp-common-definitions-schema-2026-06-24.json";
const DETAILS: &str = "fedramp-vulnerability-detail-report-schema-2026-06-24.json";
const ACCEPTED: &str = "fedramp-accepted-vulnerability-info-schema-2026-06-24.json";

fn schema(file: &str) -> Value {
    let path = project("tests/formats/fedramp").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The definitions, under their own name, and each under the one that the reports give it: without `#` before its path.
static REGISTRY: LazyLock<jsonschema::Registry<'static>> = LazyLock::new(|| {
    let common = schema(COMMON);
    let id = common["$id"].as_str().unwrap().to_owned();
    let names: Vec<String> = common["$defs"].as_object().unwrap().keys().cloned().collect();
    let all = jsonschema::Registry::new().add(&id, common).unwrap();
    let all = names.iter().fold(all, |all, name| {
        let definition = json!({"$ref": format!("{id}#/$defs/{name}")});
        all.add(format!("{id}/$defs/{name}"), definition).unwrap()
    });
    all.prepare().unwrap()
});

fn validator(file: &str) -> jsonschema::Validator {
    let options = jsonschema::options().with_registry(&REGISTRY).should_validate_formats(true);
    options.build(&schema(file)).unwrap()
}

static DETAIL_REPORT: LazyLock<jsonschema::Validator> = LazyLock::new(|| validator(DETAILS));
static ACCEPTED_REPORT: LazyLock<jsonschema::Validator> = LazyLock::new(|| validator(ACCEPTED));

fn errors(schema: &jsonschema::Validator, json: &Value) -> Vec<String> {
    schema.iter_errors(json).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Both reports, as they are written.
struct Reports {
    details: Value,
    accepted: Value,
}

impl Reports {
    fn of(evidence: &Evidence) -> Self {
        Self {
            details: written(&vulnerability_details(evidence, None)),
            accepted: written(&accepted_vulnerabilities(evidence, None)),
        }
    }

    fn detailed(&self) -> &Vec<Value> {
        self.details["vulnerabilities"].as_array().unwrap()
    }

    fn accepted(&self) -> &Vec<Value> {
        self.accepted["acceptedVulnerabilities"].as_array().unwrap()
    }

    /// The vulnerabilities of both.
    fn all(&self) -> impl Iterator<Item = &Value> {
        let accepted = self.accepted().iter().map(|one| &one["vulnerabilityDetail"]);
        self.detailed().iter().chain(accepted)
    }

    /// How often each is in them.
    fn ids(&self) -> BTreeMap<&str, usize> {
        let mut ids = BTreeMap::new();
        for one in self.all() {
            *ids.entry(one["providerTrackingId"].as_str().unwrap()).or_default() += 1;
        }
        ids
    }

    /// The one of a finding that is not accepted.
    fn detail(&self, number: usize) -> &Value {
        let found = self.detailed().iter().find(|one| one["providerTrackingId"] == arn(number));
        found.unwrap_or_else(|| panic!("{number} is not in {:#}", self.details))
    }

    /// The one of a finding that is accepted.
    fn accepted_one(&self, number: usize) -> &Value {
        let is_it = |one: &&Value| one["vulnerabilityDetail"]["providerTrackingId"] == arn(number);
        let found = self.accepted().iter().find(is_it);
        found.unwrap_or_else(|| panic!("{number} is not in {:#}", self.accepted))
    }
}

fn written(report: &impl Serialize) -> Value {
    serde_json::from_str(&serde_json::to_string(report).unwrap()).unwrap()
}

/// A finding of a function of its own.
fn finding(number: usize, change: impl FnOnce(&mut Value)) -> Value {
    reviewing::finding(number, |f| {
        f["resources"][0]["type"] = json!("AWS_LAMBDA_FUNCTION");
        f["resources"][0]["id"] = json!(function(number));
        change(f);
    })
}

fn function(number: usize) -> String {
    format!("arn:aws:lambda:eu-central-1:111122223333:function:f-{number}:$LATEST")
}

fn scanned(number: usize) -> Value {
    covered("111122223333", &function(number), "PACKAGE", "ACTIVE", "SUCCESSFUL")
}

fn not_scanned(number: usize, reason: &str) -> Value {
    covered("111122223333", &function(number), "PACKAGE", "INACTIVE", reason)
}

fn closed(number: usize) -> Value {
    finding(number, |f| {
        f["status"] = json!("CLOSED");
        f["updatedAt"] = json!("2026-11-20T18:00:00.000Z");
    })
}

async fn evidence_of(world: &World, from: &str, to: &str, now: &str) -> Evidence {
    let now: Timestamp = now.parse().unwrap();
    let period = Period::new(from.parse().unwrap(), to.parse().unwrap(), now).unwrap();
    let store = &world.triage.store;
    let collected = collect(store, period, now, OwnerTags::default()).await.unwrap();
    collected.evidence.finish()
}

/// Two days with a finding of each kind.
async fn two_days() -> Evidence {
    let world = World::new().await;
    let exception = |number: usize, decision: &str, until: &str| {
        ledger::exception(&format!("about-{number}"), |e| {
            e["vulnerabilities"] = json!([format!("CVE-2026-{number:05}")]);
            e["decision"] = json!(decision);
            e["expiresAt"] = json!(until);
            e["approvedBy"] = json!("the-ciso");
            e["compensatingControls"] = json!(["A proxy filters it.", "Nobody has its key"]);
            if decision == "not_affected" {
                e["justification"] = json!("vulnerable_code_not_in_execute_path");
            }
        })
    };
    let exceptions = [
        exception(2, "accept", "2027-01-29"),
        exception(3, "defer", "2027-01-29"),
        exception(4, "defer", "2027-08-01"),
        exception(5, "not_affected", "2027-01-29"),
        exception(6, "false_positive", "2027-01-29"),
    ];
    ledger::put(&world, &exceptions, "2026-11-19T23:00:00Z").await;
    let old = |f: &mut Value| f["firstObservedAt"] = json!("2026-04-01T10:00:00Z");
    let suppressed = |f: &mut Value| f["status"] = json!("SUPPRESSED");
    let rest = [finding(7, old), finding(8, suppressed), finding(9, |_| {}), finding(10, |_| {})];
    let exposed = finding(11, |f| {
        f["exploitAvailable"] = json!("YES");
        f["resources"][0]["type"] = json!("AWS_EC2_INSTANCE");
        f["resources"][0]["id"] = json!("i-0123456789abcdef0");
        f["resources"][0]["details"] = json!({"awsEc2Instance": {"ipV4Addresses": ["18.184.0.7"]}});
    });
    let first: Vec<Value> = (1..=6).map(|number| finding(number, |_| {})).collect();
    let events = [first, rest.to_vec(), vec![exposed, finding(12, |_| {})]].concat();
    world.inspect(&events);
    let coverage = |changed: Vec<Value>| {
        let there = (1..=12).map(scanned).filter(|one| {
            let is_changed = |other: &Value| other["resourceId"] == one["resourceId"];
            !changed.iter().any(is_changed)
        });
        let all = there.chain(changed.iter().cloned()).collect();
        world.emulator.inspector.fleet().coverage = all;
    };
    coverage(vec![
        not_scanned(21, "EXCLUDED_BY_TAG"),
        not_scanned(22, "UNSUPPORTED_RUNTIME"),
        not_scanned(23, "SCAN_ELIGIBILITY_EXPIRED"),
    ]);
    world.emulator.inspector.fleet().threats = vec![listed(12)];
    world.daily(FIRST, json!({})).await;

    let with_closed = events.into_iter().enumerate().map(|(index, event)| match index + 1 {
        number @ (9 | 10) => closed(number),
        _ => event,
    });
    world.inspect(&with_closed.collect::<Vec<_>>());
    coverage(vec![
        not_scanned(10, "EXCLUDED_BY_TAG"),
        not_scanned(21, "EXCLUDED_BY_TAG"),
        not_scanned(22, "SCAN_ELIGIBILITY_EXPIRED"),
    ]);
    world.daily("2026-11-21T00:10:00Z", json!({})).await;
    evidence_of(&world, "2026-11-20", "2026-11-21", "2026-11-22T12:00:00Z").await
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value:#}"))
}

fn says(text: &str, parts: &[&str]) {
    let missing: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} in {text}");
}

#[tokio::test]
async fn both_reports_are_as_the_official_schemas_have_them() {
    let evidence = two_days().await;
    let reports = Reports::of(&evidence);
    assert_eq!(errors(&DETAIL_REPORT, &reports.details), [""; 0]);
    assert_eq!(errors(&ACCEPTED_REPORT, &reports.accepted), [""; 0]);
    let period = json!({"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T23:59:59.999999999Z"});
    for report in [&reports.details, &reports.accepted] {
        assert_eq!(report["reportPeriod"], period);
        assert_eq!(report["certificationPackageOverviewUri"], NO_PACKAGE);
    }
    let package = "https://provider.example/package";
    let named = written(&vulnerability_details(&evidence, Some(package)));
    assert_eq!(named["certificationPackageOverviewUri"], package);

    // The schemas refuse what is spoiled.
    for (field, value) in [
        ("/certificationPackageOverviewUri", json!("no address")),
        ("/reportPeriod/from", json!("2026-11-20")),
        ("/vulnerabilities/0/detection/detectedAt", json!("yesterday")),
        ("/vulnerabilities/0/overdueStatus", json!({"isOverdue": true})),
        ("/vulnerabilities/0/finalDisposition", json!("Remediated")),
        ("/vulnerabilities/0/providerTrackingId", json!(1)),
    ] {
        let mut spoiled = reports.details.clone();
        let (parent, name) = field.rsplit_once('/').unwrap();
        spoiled.pointer_mut(parent).unwrap()[name] = value;
        assert!(!DETAIL_REPORT.is_valid(&spoiled), "{field}");
    }
    let mut spoiled = reports.accepted.clone();
    spoiled["acceptedVulnerabilities"][0].as_object_mut().unwrap().remove("acceptanceRationale");
    assert!(!ACCEPTED_REPORT.is_valid(&spoiled));
}

#[tokio::test]
async fn every_finding_and_every_gap_is_in_exactly_one_report() {
    let evidence = two_days().await;
    assert_eq!((evidence.entries.len(), evidence.gaps.len()), (12, 5));
    let reports = Reports::of(&evidence);
    let ids = reports.ids();
    assert_eq!(ids.len(), 17);
    assert!(ids.values().all(|times| *times == 1), "{ids:?}");
    let of_findings = (1..=12).map(arn).all(|arn| ids.contains_key(arn.as_str()));
    assert!(of_findings, "{ids:?}");
    let accepted = [2, 4, 7].map(|number| json!(arn(number)));
    let ids =
        reports.accepted().iter().map(|one| &one["vulnerabilityDetail"]["providerTrackingId"]);
    assert!(ids.eq(accepted.iter()), "in the order of the evidence: {:#}", reports.accepted);
}

#[tokio::test]
async fn what_is_accepted_has_its_reason() {
    let reports = Reports::of(&two_days().await);
    let rationale = |number| text(reports.accepted_one(number), "acceptanceRationale");
    assert_eq!(
        rationale(2),
        "Exception about-2 accepts it until 2027-01-29. Reason: The vendor updates it in January. \
         Compensating controls: A proxy filters it; Nobody has its key. Approved by the-ciso."
    );
    says(
        rationale(4),
        &[
            "Exception about-4 defers it until 2027-08-01. Reason: The vendor updates it",
            "It is put off until 256 days after its detection. VER-TFR-MAV counts as accepted",
            "within 192 days",
        ],
    );
    says(rationale(7), &["No decision is recorded. It has been open for 234 days. VER-TFR-MAV"]);
    let open = &reports.accepted_one(7)["vulnerabilityDetail"];
    assert_eq!(open["detection"]["detectedAt"], "2026-04-01T10:00:00Z");
}

#[tokio::test]
async fn what_is_not_accepted_says_how_it_stands() {
    let reports = Reports::of(&two_days().await);
    let more = |number| text(reports.detail(number), "supplementaryRiskInformation");
    let disposition = |number| reports.detail(number)["finalDisposition"].as_str();

    let open = reports.detail(1);
    assert_eq!(open["detection"]["detectionSource"], "Amazon Inspector");
    assert_eq!(open["detection"]["detectedAt"], "2026-11-18T10:01:00.123Z");
    says(text(open, "vulnerabilityDescription"), &["CVE-2026-00001", "libexample", &function(1)]);
    assert_eq!(open["overdueStatus"]["isOverdue"], false, "{open:#}");
    let explanation = text(&open["overdueStatus"], "explanation");
    says(explanation, &["It is due on 20", "the provider's own policy", "A fix is available."]);
    says(more(1), &["Priority P", "score ", "The update that fixes it: libexample 1.4.3."]);
    assert_eq!(disposition(1), None);

    says(more(3), &["Exception about-3 defers it until 2027-01-29. Reason: The vendor updates"]);
    assert_eq!((disposition(3), &reports.detail(3)["overdueStatus"]), (None, &Value::Null));
    says(
        more(5),
        &[
            "Exception about-5 says until 2027-01-29 that it does no harm here.",
            "code not in execute",
        ],
    );
    says(more(6), &["Exception about-6 says until 2027-01-29 that it is not there."]);
    assert_eq!([5, 6].map(disposition), [Some("False Positive"); 2]);

    says(more(8), &["Hidden by a suppression rule of Inspector", "not known to be remediated"]);
    says(more(9), &["Remediated: not detected any more since 2026-11-20, while Inspector still"]);
    says(more(10), &["does not scan the resource any more (EXCLUDED_BY_TAG): it is not known"]);
    assert_eq!([8, 9, 10].map(disposition), [None, Some("Fully Mitigated"), None]);

    let exposed = reports.detail(11);
    assert_eq!(
        (&exposed["isInternetReachable"], &exposed["isLikelyExploitable"]),
        (&json!(true), &json!(true))
    );
    says(more(11), &["An exploit is known."]);
    assert_eq!(reports.detail(12)["isLikelyExploitable"], true);
    says(
        more(12),
        &["CISA's catalogue of known exploited vulnerabilities has it since 2026-11-18"],
    );
    let explanation = text(&reports.detail(12)["overdueStatus"], "explanation");
    says(explanation, &["due on 2026-12-09 by CISA's catalogue"]);
}

#[tokio::test]
async fn what_was_not_looked_at_is_a_vulnerability_too() {
    let reports = Reports::of(&two_days().await);
    let of = |number: usize, from: &str| {
        let id = format!("coverage:111122223333:PACKAGE:{}:{from}", function(number));
        let found = reports.detailed().iter().find(|one| one["providerTrackingId"] == id);
        found.unwrap_or_else(|| panic!("{id} is not in {:#}", reports.details))
    };
    let (first, next) = ("2026-11-20T00:10:00Z", "2026-11-21T00:10:00Z");
    let excluded = of(21, first);
    assert_eq!(
        excluded["detection"],
        json!({"detectedAt": first, "detectionSource": "daily coverage check of inspector-triage"})
    );
    let description = text(excluded, "vulnerabilityDescription");
    says(
        description,
        &["not looked at by the PACKAGE scan", "a tag takes it out of the scan (EXCLUDED_BY_TAG)"],
    );
    says(text(excluded, "supplementaryRiskInformation"), &["What to do: remove the tag"]);
    assert_eq!(excluded["finalDisposition"], Value::Null);

    let closed = of(23, first);
    assert_eq!(closed["finalDisposition"], "Fully Mitigated");
    says(text(closed, "supplementaryRiskInformation"), &["the check of 2026-11-21 did not see it"]);

    let turned = of(22, first);
    assert_eq!(turned["finalDisposition"], Value::Null, "it is still not looked at");
    says(text(turned, "supplementaryRiskInformation"), &["Since 2026-11-21", "another reason"]);
    says(text(of(22, next), "vulnerabilityDescription"), &["SCAN_ELIGIBILITY_EXPIRED"]);
}

#[tokio::test]
async fn the_rows_of_the_plan_are_what_is_open() {
    let evidence = two_days().await;
    let rows: Vec<Vec<String>> = poam::rows(&evidence).collect();
    let column = |name: &str| poam::COLUMNS.iter().position(|column| *column == name).unwrap();
    let cell = |number: usize, name: &str| {
        let row = rows.iter().find(|row| row[0] == arn(number)).unwrap();
        row[column(name)].as_str()
    };
    let ids: Vec<&String> = rows.iter().map(|row| &row[0]).collect();
    let open = [1, 2, 3, 4, 5, 6, 7, 11, 12].map(arn);
    assert_eq!(ids, open.iter().collect::<Vec<_>>());
    for (name, value) in [
        ("Controls", "RA-5"),
        ("Weakness Detector Source", "Amazon Inspector"),
        ("Weakness Source Identifier", "CVE-2026-00001"),
        ("Asset Identifier", &function(1)),
        ("Overall Remediation Plan", "Update: libexample 1.4.3"),
        ("Original Detection Date", "2026-11-18"),
        ("Status Date", "2026-11-21"),
        ("Original Risk Rating", "High"),
        ("Adjusted Risk Rating", ""),
        ("False Positive", "No"),
        ("Deviation Rationale", ""),
        ("Planned Milestones", ""),
        ("Binding Operational Directive 22-01 tracking", "No"),
        ("Binding Operational Directive 22-01 Due Date", ""),
        ("CVE", "CVE-2026-00001"),
    ] {
        assert_eq!(cell(1, name), value, "{name}");
    }
    assert_eq!(cell(3, "Scheduled Completion Date"), "2027-01-29");
    assert_eq!(cell(2, "Scheduled Completion Date"), "");
    assert_eq!([5, 6].map(|number| cell(number, "False Positive")), ["Yes"; 2]);
    assert_eq!(cell(5, "Deviation Rationale"), "The vendor updates it in January.");
    says(cell(2, "Comments"), &["Exception about-2 accepts it until 2027-01-29. Reason:"]);
    assert_eq!(cell(12, "Binding Operational Directive 22-01 tracking"), "Yes");
    assert_eq!(cell(12, "Binding Operational Directive 22-01 Due Date"), "2026-12-09");
    let open = evidence.count(|entry| matches!(entry.outcome, Outcome::Open | Outcome::Excepted));
    assert_eq!(rows.len() as u64, open);
}

fn then() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// Three months that are over, of which nothing is known.
fn nothing() -> Evidence {
    let (from, to) = ("2026-08-01".parse().unwrap(), "2026-10-31".parse().unwrap());
    let period = Period::new(from, to, then()).unwrap();
    Collecting::new(period, then(), OwnerTags::default()).finish()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

const HOW_IT_STANDS: [Outcome; 8] = [
    Outcome::Open,
    Outcome::Excepted,
    Outcome::NeverOpen,
    Outcome::Ended(How::Fixed),
    Outcome::Ended(How::Gone),
    Outcome::Ended(How::Unobserved),
    Outcome::Ended(How::Suppressed),
    Outcome::Ended(How::Unknown),
];

prop_compose! {
    /// A finding that stands in any way, with a name of its own to be given, and strangers' words everywhere.
    fn entries()(
        texts in prop::collection::vec(nasty(), 11),
        outcome in select(&HOW_IT_STANDS[..]),
        decision in select(Decision::ALL),
        ages in (0..400_i64, prop::option::of(0..500_i64)),
        (due_in, exception_for) in (prop::option::of(-300..300_i64), -5..300_i64),
        opening in 1..3_u32,
        flags in prop::array::uniform6(any::<bool>()),
        listed in prop::option::of(-40..40_i64),
        fix in select(vec![None, Some(FixAvailable::Yes), Some(FixAvailable::No)]),
        severity in select(&["CRITICAL", "MEDIUM", "<b>"][..]),
    ) -> Entry {
        let [problem, title, id, resource, account, region, owner, fixes, reason, policy, why] =
            texts.try_into().unwrap();
        let [exploit, known_exploited, is_exposed, was_covered, has_title, is_inferred] = flags;
        let as_of = nothing().period.as_of;
        let (first_seen_at, first_observed_at) =
            (as_of - days(ages.0), ages.1.map(|age| as_of - days(age)));
        let due_at = due_in.map(|due_in| as_of + days(due_in));
        let cover = |ended| Excepted {
            id: reason.clone(),
            decision,
            reason: reason.clone(),
            owner: owner.clone(),
            ticket: None,
            terms: Terms {
                expires_at: day(as_of + days(exception_for)),
                until_fixed: false,
                accepted_priority: Priority::P1,
                ends_if: Vec::new(),
            },
            since: first_seen_at,
            changed_at: None,
            ended,
            hidden: false,
            told: false,
        };
        let is_covered = outcome == Outcome::Excepted;
        let end = CoverEnd { at: as_of, why: WhyEnded::Withdrawn };
        let exception = (is_covered || was_covered).then(|| cover((!is_covered).then_some(end)));
        let ended = match outcome {
            Outcome::Ended(how) => Some(Box::new(End {
                at: as_of, how, reason: Some(why), due_at, by_absence: false, explained_at: None, told: None,
            })),
            _ => None,
        };
        let status = match outcome {
            Outcome::Open | Outcome::Excepted => Status::Active,
            Outcome::NeverOpen | Outcome::Ended(How::Suppressed) => Status::Suppressed,
            Outcome::Ended(_) => Status::Closed,
        };
        let is_hidden = outcome == Outcome::NeverOpen;
        let life = Life {
            opening: if is_hidden { 0 } else { opening },
            opened_at: (!is_hidden).then_some(first_seen_at),
            ended_at: ended.as_ref().map(|_| as_of),
            due_at: due_at.filter(|_| ended.is_none()),
        };
        let state = State {
            facts: Facts {
                status, severity: Severity::from(severity), priority: Priority::P2, exploit, fix, known_exploited,
            },
            score: 61,
            policy,
            end: ended,
            excepted: exception.clone().map(Box::new),
            life: Some(life),
        };
        let is_overdue = outcome == Outcome::Open && due_at.is_some_and(|due| due < as_of);
        let is_late = due_at.filter(|due| *due < as_of && outcome != Outcome::NeverOpen);
        let late = is_late.map(|due_at| {
            let from = due_at.max(first_seen_at);
            Late { due_at, from, until: as_of, recorded_until: as_of, then: outcome }
        });
        let subject = Subject {
            arn: String::new(),
            problem,
            title: has_title.then_some(title),
            kind: "PACKAGE_VULNERABILITY".to_owned(),
            vulnerability: Some(id),
            fix: fixes,
            resource_type: resource.clone(),
            resource_id: resource.clone(),
            resource,
            account,
            region: Some(region),
            owner: Some(owner),
            first_observed_at,
            listing: listed.map(|due| Listing {
                added: Some(as_of), due: Some(as_of + days(due)), action: Some(reason.clone()),
            }),
            is_exposed,
        };
        let (subject, exception) = (Box::new(subject), exception.map(Box::new));
        Entry {
            subject, state, first_seen_at, first_told_at: None, was_open: true, outcome,
            is_overdue, late, exception, is_inferred,
        }
    }
}

prop_compose! {
    fn unobserved()(
        texts in prop::collection::vec(nasty(), 5),
        of_account in any::<bool>(),
        is_partial in any::<bool>(),
        age in 1..400_i64,
        closed in any::<bool>(),
    ) -> Unobserved {
        let [account, scan, reason, kind, id] = texts.try_into().unwrap();
        let as_of = nothing().period.as_of;
        let from = as_of - days(age);
        let subject = if of_account { GapSubject::Account } else { GapSubject::Resource { kind, id } };
        let gap = Gap {
            account, subject, scan, reason, is_partial, since: from, reason_since: None, tags: BTreeMap::new(),
        };
        Unobserved { gap, from, until: closed.then_some(as_of) }
    }
}

prop_compose! {
    fn evidence()(
        entries in prop::collection::vec(entries(), 0..6),
        gaps in prop::collection::vec(unobserved(), 0..3),
    ) -> Evidence {
        let named = entries.into_iter().enumerate().map(|(number, mut entry)| {
            entry.subject.arn = arn(number);
            entry
        });
        // Each is something else, so that each has a name of its own.
        let gaps = gaps.into_iter().enumerate().map(|(number, mut gap)| {
            gap.gap.account = format!("{number}{}", gap.gap.account);
            gap
        });
        let entries: Vec<Entry> = named.collect();
        let exceptions = entries.iter().filter_map(|entry| entry.exception.as_deref()).map(in_ledger);
        Evidence { exceptions: exceptions.collect(), entries, gaps: gaps.collect(), ..nothing() }
    }
}

/// An exception as a ledger had it.
fn in_ledger(excepted: &Excepted) -> Decided {
    let said = &excepted.reason;
    let exception = ledger::exception(&excepted.id, |e| {
        e["compensatingControls"] = json!(vec![said; 30]);
        e["approvedBy"] = json!(said);
        e["justification"] = json!("component_not_present");
    });
    Decided {
        what: What::Ledger(Arc::new(exception)),
        from: excepted.since,
        until: None,
        ended: None,
        commit: None,
        by: None,
        ledger: None,
        findings: 1,
        covering: 1,
    }
}

/// Whether a finding is to be accepted, by the rules as somebody would read them.
fn should_be_accepted(entry: &Entry, as_of: Timestamp) -> bool {
    let came_back = entry.state.life.is_some_and(|life| life.opening > 1);
    let observed_at = entry.subject.first_observed_at.unwrap_or(entry.first_seen_at);
    let since = if came_back { entry.first_seen_at } else { observed_at.min(entry.first_seen_at) };
    let limit = since + days(ACCEPTED_AFTER_DAYS);
    match entry.outcome {
        Outcome::Excepted => {
            let exception = entry.state.exception().unwrap();
            match exception.decision {
                Decision::Accept => true,
                Decision::Defer => exception.terms.end() > limit || as_of > limit,
                Decision::NotAffected | Decision::FalsePositive => false,
            }
        }
        Outcome::Open | Outcome::NeverOpen | Outcome::Ended(How::Suppressed) => as_of > limit,
        Outcome::Ended(_) => false,
    }
}

/// The properties that the schema of a vulnerability has, and what of them nobody knows here.
static PROPERTIES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let common = schema(COMMON);
    let properties = &common["$defs"]["vulnerabilityDetail"]["properties"];
    properties.as_object().unwrap().keys().cloned().collect()
});
const UNKNOWN: [&str; 4] =
    ["evaluationCompletedAt", "potentialAgencyImpact", "currentRating", "projectedNextReduction"];

/// Whether a text is one line, bounded, without anything that is hidden or alive.
fn harm(text: &str) -> Option<String> {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let is_alive = text.contains(['<', '>']) || text.contains("](") || text.contains("://");
    let is_long = text.chars().count() > 4_000;
    (text.contains(is_hidden) || is_alive || is_long).then(|| text.to_owned())
}

fn harm_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => harm(text),
        Value::Array(items) => items.iter().find_map(harm_in),
        Value::Object(fields) => fields.values().find_map(harm_in),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn however_it_stands_and_whatever_strangers_write_the_reports_are_whole_and_harmless(
        evidence in evidence(),
    ) {
        let reports = Reports::of(&evidence);
        prop_assert_eq!(errors(&DETAIL_REPORT, &reports.details), [""; 0]);
        prop_assert_eq!(errors(&ACCEPTED_REPORT, &reports.accepted), [""; 0]);
        prop_assert_eq!(harm_in(&reports.details), None);
        prop_assert_eq!(harm_in(&reports.accepted), None);

        let ids = reports.ids();
        prop_assert_eq!(ids.len(), evidence.entries.len() + evidence.gaps.len());
        prop_assert!(ids.values().all(|times| *times == 1), "{:?}", ids);
        let as_of = evidence.period.as_of;
        for (number, entry) in evidence.entries.iter().enumerate() {
            let is_accepted = fedramp::is_accepted(entry, &evidence.period);
            prop_assert_eq!(is_accepted, should_be_accepted(entry, as_of), "{:#?}", entry);
            let told = if is_accepted {
                &reports.accepted_one(number)["vulnerabilityDetail"]
            } else {
                reports.detail(number)
            };
            let has = |field: &str| told.get(field).is_some();
            prop_assert_eq!(has("isInternetReachable"), entry.subject.is_exposed);
            prop_assert!(told["isLikelyExploitable"] != json!(false));
            prop_assert!(!has("overdueStatus") || entry.outcome == Outcome::Open);
            let is_over = matches!(entry.outcome, Outcome::Ended(How::Fixed | How::Gone));
            prop_assert_eq!(told["finalDisposition"] == "Fully Mitigated", is_over);
            if entry.is_overdue {
                prop_assert_eq!(&told["overdueStatus"]["isOverdue"], &json!(true));
            }
        }
        for one in reports.all() {
            let is_wrong = |key: &&String| !PROPERTIES.contains(*key) || UNKNOWN.contains(&key.as_str());
            prop_assert_eq!(one.as_object().unwrap().keys().find(is_wrong), None);
        }

        let rows: Vec<Vec<String>> = poam::rows(&evidence).collect();
        let is_open = |entry: &Entry| matches!(entry.outcome, Outcome::Open | Outcome::Excepted);
        prop_assert_eq!(rows.len() as u64, evidence.count(is_open));
        prop_assert!(rows.iter().all(|row| row.len() == poam::COLUMNS.len()));
        prop_assert_eq!(rows.iter().flatten().find_map(|cell| harm(cell)), None);
    }
}

#[test]
fn what_has_been_there_for_the_days_is_accepted_on_the_next() {
    let period = nothing().period;
    let at_age = |hours: i64| {
        let mut evidence = nothing();
        let since = period.as_of - SignedDuration::from_hours(hours);
        let gap = Gap {
            account: "111122223333".to_owned(),
            subject: GapSubject::Account,
            scan: String::new(),
            reason: "DISABLED".to_owned(),
            is_partial: false,
            since,
            reason_since: None,
            tags: BTreeMap::new(),
        };
        evidence.gaps.push(Unobserved { gap, from: since, until: None });
        Reports::of(&evidence)
    };
    let border = 24 * ACCEPTED_AFTER_DAYS;
    assert_eq!(at_age(border).detailed().len(), 1);
    let accepted = at_age(border + 1);
    let [one] = &accepted.accepted()[..] else { panic!("{:#}", accepted.accepted) };
    says(text(one, "acceptanceRationale"), &["not been looked at for 192 days"]);
    let id = text(&one["vulnerabilityDetail"], "providerTrackingId");
    says(id, &["coverage:111122223333:all:2026-04-2"]);
}

#[tokio::test]
async fn the_files_of_the_command_are_valid_and_name_the_package_that_was_given() {
    let world = World::new().await;
    let accepted = ledger::exception("about-2", |one| {
        one["vulnerabilities"] = json!(["CVE-2026-00002"]);
    });
    ledger::put(&world, &[accepted], "2026-11-20T11:00:00Z").await;
    for number in 1..=4 {
        world.handle(&finding(number, |_| {}), "2026-11-20T12:00:00Z").await.unwrap();
    }
    let days = ["2026-11-20", "2026-11-20"];
    let with = ["--profile", "fedramp", "--now", "2026-11-21T00:00:00Z"];
    let given = give(&world, days, &place("fedramp"), &with).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    assert!(given.error.contains("--certification-package"), "{}", given.error);
    add_up(&given);
    let [details, accepted] =
        ["fedramp-vulnerability-detail-report.json", "fedramp-accepted-vulnerability-info.json"]
            .map(|name| given.json(name));
    assert_eq!(errors(&DETAIL_REPORT, &details), [""; 0]);
    assert_eq!(errors(&ACCEPTED_REPORT, &accepted), [""; 0]);
    assert_eq!(details["certificationPackageOverviewUri"], NO_PACKAGE);
    let findings = given.rows("findings.csv").len();
    let both = [&details["vulnerabilities"], &accepted["acceptedVulnerabilities"]];
    let both = both.map(|list| list.as_array().unwrap().len());
    assert_eq!((both, findings), ([3, 1], 4), "each in one of them, and no gaps");
    let summary = given.text("summary.md");
    assert!(summary.contains(&format!("has {} finding", both[0])), "{summary}");
    let open = given.rows("findings.csv").into_iter().filter(|row| row["state"] != "ended");
    assert_eq!(given.rows("poam.csv").len(), open.count());

    let package = "https://example.com/package.json";
    let with = [&with[..], &["--certification-package", package]].concat();
    let named = give(&world, days, &place("fedramp-named"), &with).await;
    assert_eq!((named.status, named.error.as_str()), (Some(0), ""));
    let report = named.json("fedramp-accepted-vulnerability-info.json");
    assert_eq!(report["certificationPackageOverviewUri"], package);
    let with = ["--profile", "fedramp", "--certification-package", "package.json"];
    let refused = give(&world, days, &place("fedramp-refused"), &with).await;
    assert_eq!(refused.status, Some(2), "{}", refused.error);
}
