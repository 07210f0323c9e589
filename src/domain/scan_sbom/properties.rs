//! What holds for any answer.

use jiff::Timestamp;
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::{NotAScan, SbomScan, Scanned, sample};
use crate::domain::assess::{self, Assessment, Policy};

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn judged(scanned: &Scanned) -> Assessment {
    let (finding, threat) = (&scanned.finding, scanned.threat.as_ref());
    assess::judge(finding, threat, &Policy::default(), Some(now()))
}

/// Puts `value` at a place of the document that `index` chooses.
fn mutate(document: &mut Value, index: Index, value: &Value) {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(fields) => fields.values().map(count).sum(),
            _ => 0,
        }
    }
    fn put(at: &mut Value, rest: &mut usize, value: &Value) -> bool {
        if *rest == 0 {
            *at = value.clone();
            return true;
        }
        *rest -= 1;
        match at {
            Value::Array(items) => items.iter_mut().any(|item| put(item, rest, value)),
            Value::Object(fields) => fields.values_mut().any(|field| put(field, rest, value)),
            _ => false,
        }
    }
    let mut rest = index.index(count(document));
    put(document, &mut rest, value);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{"id": 1}], null, "x"])),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(pkg:|CVSS:)?[a-z]{0,4}[/@%?:0-9-]{0,8}".prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(
        form in 0usize..3,
        changes in proptest::collection::vec((any::<Index>(), any_value()), 1..4),
        name in proptest::option::of("[a-z/:@.0-9]{0,40}"),
    ) {
        let mut answer = sample::forms()[form].clone();
        for (index, value) in changes {
            mutate(&mut answer, index, &value);
        }
        if let Ok(scan) = SbomScan::read(&answer, name.as_deref(), now()) {
            prop_assert_ne!(scan.scanned, Some(0));
            for one in &scan.found {
                judged(one);
            }
        }
    }

    #[test]
    fn what_is_left_out_of_the_list_is_missed(form in 0usize..3, index in any::<Index>()) {
        let mut answer = sample::forms()[form].clone();
        let list = sample::vulnerabilities(&mut answer);
        list.remove(index.index(list.len()));
        prop_assert!(matches!(SbomScan::read(&answer, None, now()), Err(NotAScan::NotWhole { .. })), "form {form}");
    }

    #[test]
    fn a_vulnerability_scores_the_same_in_each_form(
        nvd in any_rating(),
        distribution in proptest::option::of(any_rating()),
        epss in proptest::option::of(0u32..=100_000),
        kev in any::<bool>(),
        exploit in proptest::option::of(any::<bool>()),
        seen in proptest::option::of(0i64..900),
        age in proptest::option::of(0i64..3_000),
        fixed in any::<bool>(),
    ) {
        let facts = sample::Facts {
            ratings: [Some(("NVD", nvd)), distribution.map(|rating| ("Ubuntu Linux", rating))]
                .into_iter()
                .flatten()
                .collect(),
            epss: epss.map(|epss| f64::from(epss) / 1e5),
            kev,
            exploit,
            seen: seen.map(days_ago),
            created: age.map(days_ago),
            fixed,
        };
        let [cyclonedx, inspector, alt] = facts.forms().map(|answer| {
            let scan = SbomScan::read(&answer, None, now()).unwrap();
            (judged(&scan.found[0]), scan.found[0].finding.severity.clone())
        });
        prop_assert_eq!(&cyclonedx, &inspector);
        prop_assert_eq!(&cyclonedx, &alt);
    }
}

fn days_ago(days: i64) -> String {
    (now() - jiff::SignedDuration::from_hours(24 * days)).to_string()
}

fn any_rating() -> impl Strategy<Value = sample::Rated> {
    let vectors = [
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:N/I:N/A:H",
        "no vector",
    ];
    let severities = ["critical", "high", "medium", "low", "info", "unknown"];
    (
        proptest::sample::select(severities.to_vec()),
        0u32..=100,
        proptest::sample::select(vectors.to_vec()),
    )
        .prop_map(|(severity, score, vector)| (severity, f64::from(score) / 10.0, vector))
}
