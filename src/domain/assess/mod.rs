//! How urgent a finding is, by when to act, and why. Pure: the same input gives the same output.

pub mod bod_26_04;
mod policy;
mod priority;
mod score;
mod vector;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use policy::{Deadlines, NotAnSla, NotDeadlines, NotTags, Policy, Sla, UrgentTags};
pub use priority::{NotAPriority, Priority};
pub use score::{Factor, Reason};
pub(crate) use vector::preferred;

use crate::domain::{finding::Finding, threat::Threat};

/// What we make of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assessment {
    /// 0 to 100, the higher the more urgent: the sum of the reasons' points.
    pub score: u8,
    /// The class of the score.
    pub priority: Priority,
    /// By when to act; `None` if the finding has ended, if nobody will ever end it because an on-demand scan found it, or
    /// if *now* is unknown.
    pub due_at: Option<Timestamp>,
    /// Why the score is what it is.
    pub reasons: Vec<Reason>,
    /// The policy that was applied: [`Policy::stamp`].
    pub policy: String,
}

/// Assesses `finding` as of `now`. Without a `now` a vulnerability counts as new, and there is no
/// due date.
pub fn assess(finding: &Finding, policy: &Policy, now: Option<Timestamp>) -> Assessment {
    let reasons = score::reasons(finding, policy, now);
    let score = reasons.iter().map(|reason| reason.points).sum();
    let priority = class(score);
    let due_at = due_at(finding, None, priority, policy, now);
    Assessment { score, priority, due_at, reasons, policy: policy.stamp() }
}

/// By when to act on a finding that is open; none without a `now`.
fn due_at(
    finding: &Finding,
    threat: Option<&Threat>,
    priority: Priority,
    policy: &Policy,
    now: Option<Timestamp>,
) -> Option<Timestamp> {
    let now = now.filter(|_| finding.status.is_open())?;
    policy.due_at(finding, threat, priority, now)
}

/// Assesses `finding` as of `now` by all that is known: by itself, and by `threat`, what is known of attacks on its
/// vulnerability.
pub fn judge(
    finding: &Finding,
    threat: Option<&Threat>,
    policy: &Policy,
    now: Option<Timestamp>,
) -> Assessment {
    let alone = assess(finding, policy, now);
    let Some(threat) = threat else { return alone };
    let judged = alone.knowing(finding, threat, now);
    let due_at = due_at(finding, Some(threat), judged.priority, policy, now);
    Assessment { due_at, ..judged }
}

impl Assessment {
    /// The assessment of `finding` as of `now` that this is by the finding alone, once `threat` is known of its vulnerability.
    /// By when to act stays as it was. One of an earlier version of the formula stays as it is, until the finding is assessed
    /// again.
    #[must_use]
    pub fn knowing(&self, finding: &Finding, threat: &Threat, now: Option<Timestamp>) -> Self {
        if !Policy::is_stamp_of_this_version(&self.policy) {
            return self.clone();
        }
        let reasons = score::knowing(&self.reasons, finding, threat, now);
        let score = reasons.iter().map(|reason| reason.points).sum();
        Self { score, priority: class(score), reasons, ..self.clone() }
    }

    /// The class of a finding that has so many points besides those for its `probability`, once `threat` is known.
    pub fn class_with(others: u8, probability: Option<f64>, threat: &Threat) -> Priority {
        class(others.saturating_add(score::likelihood(probability, threat).points))
    }
}

/// The class of a score. Of the HIGH and CRITICAL vulnerabilities, P1 takes less than one in twenty
/// and P1 and P2 together less than one in five, on average over two years; `docs/SCORING.md` has the figures.
fn class(score: u8) -> Priority {
    match score {
        33.. => Priority::P1,
        21..33 => Priority::P2,
        13..21 => Priority::P3,
        ..13 => Priority::P4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::finding::{Envelope, FindingType, sample};

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn score(finding: &Finding) -> u8 {
        assess(finding, &Policy::default(), NOW.parse().ok()).score
    }

    const SEVERITIES: [&str; 5] = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
    const VECTORS: [&str; 6] = [
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.0/AV:L/AC:L/PR:L/UI:R/S:U/C:N/I:N/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N",
        "AV:N/AC:M/Au:N/C:P/I:P/A:P",
        "not a vector",
        "",
    ];

    /// A finding of any kind, with any of the facts that the score looks at, or without them.
    fn any_finding() -> impl Strategy<Value = Value> {
        (
            select(vec![
                "PACKAGE_VULNERABILITY",
                "CODE_VULNERABILITY",
                "NETWORK_REACHABILITY",
                "X",
            ]),
            select([&SEVERITIES[..], &["UNTRIAGED", "SEVERE"]].concat()),
            proptest::option::of(0.0..=1.0f64),
            select(VECTORS.to_vec()),
            proptest::option::of(0i64..4000),
            proptest::option::of(0i64..4000),
            proptest::option::of(select(vec!["YES", "NO"])),
            proptest::option::of(select(vec!["YES", "NO", "PARTIAL", "PERHAPS"])),
            select(vec!["10.0.0.7", "198.51.100.7", "100.64.0.1", "junk"]),
        )
            .prop_map(
                |(kind, severity, epss, vector, age, seen, exploit, fix, address)| {
                    let days_ago = |days: i64| {
                        let now: Timestamp = NOW.parse().unwrap();
                        json!((now - jiff::SignedDuration::from_hours(24 * days)).to_string())
                    };
                    let mut f = sample::json();
                    f["type"] = json!(kind);
                    f["severity"] = json!(severity);
                    f["epss"] = json!({ "score": epss });
                    f["inspectorScoreDetails"]["adjustedCvss"]["scoringVector"] = json!(vector);
                    f["packageVulnerabilityDetails"]["vendorCreatedAt"] = age.map(days_ago).into();
                    f["exploitabilityDetails"] =
                        json!({ "lastKnownExploitAt": seen.map(days_ago) });
                    f["exploitAvailable"] = json!(exploit);
                    f["fixAvailable"] = json!(fix);
                    f["resources"][0]["details"]["awsEc2Instance"]["ipV4Addresses"] =
                        json!([address]);
                    f
                },
            )
    }

    fn read(json: &Value) -> Finding {
        Finding::read(json, "detail", Envelope::default()).unwrap().0
    }

    fn changed(json: &Value, change: impl FnOnce(&mut Value)) -> Finding {
        let mut json = json.clone();
        change(&mut json);
        read(&json)
    }

    proptest! {
        #[test]
        fn the_points_add_up_to_the_score_which_is_at_most_100(f in any_finding()) {
            let assessment = assess(&read(&f), &Policy::default(), NOW.parse().ok());
            let sum: u32 = assessment.reasons.iter().map(|r| u32::from(r.points)).sum();
            prop_assert_eq!(sum, u32::from(assessment.score));
            prop_assert!(sum <= 100);
        }

        #[test]
        fn the_same_finding_always_scores_the_same(f in any_finding()) {
            prop_assert_eq!(
                assess(&read(&f), &Policy::default(), NOW.parse().ok()),
                assess(&read(&f), &Policy::default(), NOW.parse().ok())
            );
        }

        #[test]
        fn more_severe_is_never_less_urgent(f in any_finding(), lower in 0usize..4) {
            let low = changed(&f, |f| f["severity"] = json!(SEVERITIES[lower]));
            let high = changed(&f, |f| f["severity"] = json!(SEVERITIES[lower + 1]));
            prop_assert!(score(&low) <= score(&high));
        }

        #[test]
        fn more_likely_to_be_exploited_is_never_less_urgent(f in any_finding(), a in 0.0..=1.0f64, b in 0.0..=1.0f64) {
            let low = changed(&f, |f| f["epss"] = json!({"score": a.min(b)}));
            let high = changed(&f, |f| f["epss"] = json!({"score": a.max(b)}));
            prop_assert!(score(&low) <= score(&high));
        }

        #[test]
        fn an_unknown_epss_never_ranks_below_a_known_low_one(f in any_finding(), low in 0.0..=0.02f64) {
            let known = changed(&f, |f| f["epss"] = json!({"score": low}));
            let unknown = changed(&f, |f| f["epss"] = Value::Null);
            prop_assert!(score(&known) <= score(&unknown));
        }

        #[test]
        fn a_known_exploit_never_makes_it_less_urgent(f in any_finding()) {
            let without = changed(&f, |f| {
                f["exploitAvailable"] = json!("NO");
                f["exploitabilityDetails"] = Value::Null;
            });
            let with = changed(&f, |f| f["exploitAvailable"] = json!("YES"));
            prop_assert!(score(&without) <= score(&with));
        }

        #[test]
        fn fresher_is_never_less_urgent(f in any_finding(), age in 0i64..4000, younger in 0i64..4000) {
            let at = |age: i64| {
                let now: Timestamp = NOW.parse().unwrap();
                let then = now - jiff::SignedDuration::from_hours(24 * age);
                changed(&f, |f| f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!(then.to_string()))
            };
            prop_assert!(score(&at(age.max(younger))) <= score(&at(age.min(younger))));
        }

        #[test]
        fn a_fix_never_makes_it_less_urgent(f in any_finding()) {
            let none = changed(&f, |f| f["fixAvailable"] = json!("NO"));
            let unknown = changed(&f, |f| f["fixAvailable"] = Value::Null);
            let fix = changed(&f, |f| f["fixAvailable"] = json!("YES"));
            prop_assert!(score(&none) <= score(&fix));
            prop_assert!(score(&unknown) <= score(&fix));
        }
    }

    fn checked(threat: &Value) -> Threat {
        Threat::read(threat, NOW.parse().unwrap())
    }

    /// The assessment of a finding once `threat` is known.
    fn knowing(finding: &Finding, threat: &Threat) -> Assessment {
        let now = NOW.parse().ok();
        assess(finding, &Policy::default(), now).knowing(finding, threat, now)
    }

    proptest! {
        #[test]
        fn what_cisa_lists_is_p1_by_itself_and_the_points_add_up(
            f in any_finding(),
            seen in proptest::option::of(1_600_000_000i64..1_795_000_000),
        ) {
            let finding = read(&f);
            let seen = seen.map(|at| json!({"lastSeen": at}));
            let listed = checked(&json!({"cisaData": {}, "exploitObserved": seen}));
            let known = knowing(&finding, &listed);
            prop_assert_eq!(known.reasons.iter().map(|r| u32::from(r.points)).sum::<u32>(), u32::from(known.score));
            prop_assert!(known.score <= 100 && known.score >= score(&finding));
            let has_epss = matches!(finding.kind, FindingType::PackageVulnerability | FindingType::Other(_));
            prop_assert!(!has_epss || known.priority == Priority::P1);
            let names = |a: &Assessment| a.reasons.iter().filter(|r| r.factor.name() == "exploit").count();
            prop_assert!(names(&known) <= 1);
        }

        #[test]
        fn an_exploit_that_was_seen_never_makes_it_less_urgent(f in any_finding(), at in 1_600_000_000i64..1_795_000_000) {
            let finding = read(&f);
            let seen = checked(&json!({"exploitObserved": {"firstSeen": 1_500_000_000, "lastSeen": at}}));
            prop_assert!(knowing(&finding, &seen).score >= score(&finding));
        }

        #[test]
        fn to_know_nothing_changes_nothing(f in any_finding()) {
            let finding = read(&f);
            let alone = assess(&finding, &Policy::default(), NOW.parse().ok());
            prop_assert_eq!(knowing(&finding, &Threat::unknown(NOW.parse().unwrap())), alone.clone());
            prop_assert_eq!(knowing(&finding, &checked(&json!({}))), alone);
        }
    }

    #[test]
    fn the_newer_probability_counts() {
        let finding = sample::with(|f| f["epss"] = json!({"score": 0.01}));
        let points = |as_of: &str| {
            let threat = Threat::read(&json!({"epssScore": 0.25}), as_of.parse().unwrap());
            let now = NOW.parse().ok();
            let alone = assess(&finding, &Policy::default(), now);
            alone.knowing(&finding, &threat, now).reasons[0].points
        };
        assert_eq!([points("2026-11-19T00:00:00Z"), points("2026-11-20T12:00:00Z")], [4, 18]);
    }

    #[test]
    fn an_assessment_of_an_earlier_formula_stays_as_it_is() {
        let finding = sample::finding();
        let earlier = Assessment {
            policy: "2".to_owned(),
            ..assess(&finding, &Policy::default(), NOW.parse().ok())
        };
        let listed = checked(&json!({"cisaData": {}}));
        assert_eq!(earlier.knowing(&finding, &listed, NOW.parse().ok()), earlier);
    }

    #[test]
    fn the_worst_there_can_be_scores_98() {
        let worst = sample::with(|f| {
            f["severity"] = json!("CRITICAL");
            f["epss"] = json!({"score": 1.0});
            f["inspectorScoreDetails"]["adjustedCvss"]["scoringVector"] = json!(VECTORS[0]);
            f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!(NOW);
            f["exploitAvailable"] = json!("YES");
            f["exploitabilityDetails"] = json!({"lastKnownExploitAt": NOW});
            f["resources"][0]["details"]["awsEc2Instance"]["ipV4Addresses"] =
                json!(["198.51.100.7"]);
        });
        assert_eq!(score(&worst), 98);
    }

    #[test]
    fn classes_begin_where_they_are_said_to_begin() {
        use Priority::{P1, P2, P3, P4};
        assert_eq!([12, 13, 20, 21, 32, 33, 100].map(class), [P4, P3, P3, P2, P2, P1, P1]);
    }

    #[test]
    fn the_due_date_counts_from_now_and_an_ended_finding_has_none() {
        let policy = Policy::default();
        let open = assess(&sample::finding(), &policy, NOW.parse().ok());
        assert_eq!(open.priority, Priority::P2);
        assert_eq!(open.due_at, "2026-11-27T12:00:00Z".parse().ok());
        let closed = sample::with(|f| f["status"] = json!("CLOSED"));
        assert_eq!(assess(&closed, &policy, NOW.parse().ok()).due_at, None);
        assert_eq!(assess(&sample::finding(), &policy, None).due_at, None);
    }
}
