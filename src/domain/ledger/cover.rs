//! Whether a finding is excepted.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{
    Exception, Ledger, Situation, VulnerabilityId, WhyEnded, beginning_of, selector::ids_of,
};

/// Whether a finding is excepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover<'a> {
    /// It is, by this exception.
    By(&'a Exception),
    /// It is not. The exceptions that are about it, each with why it does not cover it (any more).
    None(Vec<Uncovered<'a>>),
}

/// An exception that is about a finding, and does not cover it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uncovered<'a> {
    /// The exception.
    pub exception: &'a Exception,
    /// Why it does not.
    pub why: WhyEnded,
}

impl Ledger {
    /// Whether this ledger excepts a finding at `now`.
    pub fn cover<'a>(&'a self, situation: &Situation<'_>, now: Timestamp) -> Cover<'a> {
        Cover::of(&self.exceptions, &self.policy.never, situation, now)
    }
}

impl<'a> Cover<'a> {
    /// Whether one of these exceptions covers a finding at `now`, unless it has one of the vulnerabilities in `never`. Of
    /// several the one that ends last.
    pub fn of(
        exceptions: impl IntoIterator<Item = &'a Exception>,
        never: &[VulnerabilityId],
        situation: &Situation<'_>,
        now: Timestamp,
    ) -> Self {
        let is_never = ids_of(situation.finding).any(|id| never.iter().any(|never| never.is(id)));
        let mut covering: Vec<&Exception> = Vec::new();
        let mut others = Vec::new();
        for exception in exceptions {
            if !exception.selectors.select(situation.finding) {
                continue;
            }
            let why = if is_never {
                Some(WhyEnded::Never)
            } else if now < beginning_of(exception.created_at) {
                Some(WhyEnded::NotBegun)
            } else {
                exception.terms.ended(situation, now)
            };
            match why {
                Some(why) => others.push(Uncovered { exception, why }),
                None => covering.push(exception),
            }
        }
        let last =
            |exception: &&Exception| (exception.terms.expires_at, Reverse(exception.id.clone()));
        match covering.into_iter().max_by_key(last) {
            Some(exception) => Self::By(exception),
            None => Self::None(others),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::vec,
        option,
        prelude::*,
        sample::{select, subsequence},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        assess::Priority,
        finding::{Finding, sample},
        ledger::{Condition, Decision, InForce, PackageSelector, Policy, Selectors, Terms},
    };

    const IDS: [&str; 4] = ["CVE-2026-1", "CVE-2026-2", "GHSA-aaaa", "GHSA-bbbb"];
    const PACKAGES: [&str; 3] = ["openssl", "libssl3", "curl"];
    const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
    const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
    const NAMES: [&str; 3] = ["crm/web", "crm/api", "shop"];
    const STAGES: [&str; 2] = ["prod", "test"];
    const PATTERNS: [&[&str]; 4] = [&[], &["crm/*"], &["shop"], &["s?op", "crm/a*"]];

    fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
        subsequence(of, 0..of.len()).prop_map(|some| some.into_iter().map(str::to_owned).collect())
    }

    prop_compose! {
        fn findings()(
            ids in subsequence(&IDS[..], 1..4),
            packages in subsequence(&PACKAGES[..], 1..3),
            account in select(&ACCOUNTS[..]),
            region in select(&REGIONS[..]),
            name in select(&NAMES[..]),
            stage in option::of(select(&STAGES[..])),
            fix in select(&["YES", "PARTIAL", "NO"][..]),
            exploit in any::<bool>(),
        ) -> Finding {
            sample::with(|f| {
                f["awsAccountId"] = json!(account);
                f["fixAvailable"] = json!(fix);
                f["exploitAvailable"] = json!(if exploit { "YES" } else { "NO" });
                let details = &mut f["packageVulnerabilityDetails"];
                details["vulnerabilityId"] = json!(ids[0]);
                details["relatedVulnerabilities"] = json!(ids[1..]);
                let package = |name: &&str| json!({"name": name, "packageManager": "OS"});
                details["vulnerablePackages"] = packages.iter().map(package).collect::<Value>();
                let tags = stage.map_or(json!({"Name": name}), |stage| json!({"Name": name, "stage": stage}));
                f["resources"] = json!([{
                    "type": "AWS_EC2_INSTANCE", "id": format!("i-{name}"), "region": region, "tags": tags,
                }]);
            })
        }
    }

    prop_compose! {
        fn exceptions()(
            (ids, packages, accounts, regions) in (some(&IDS), some(&PACKAGES), some(&ACCOUNTS), some(&REGIONS)),
            names in select(&PATTERNS[..]),
            stages in some(&STAGES),
            created in 1_i8..=28,
            expires in 1_i8..=28,
            until_fixed in any::<bool>(),
            accepted in select(&Priority::ALL[..]),
            ends_if in subsequence(Condition::ALL, 0..=3),
            id in "[a-c]",
        ) -> Exception {
            let tags = if stages.is_empty() { vec![] } else { vec![("stage".to_owned(), stages)] };
            Exception {
                id,
                selectors: Selectors {
                    vulnerabilities: ids.iter().map(|id| VulnerabilityId::new(id)).collect(),
                    packages: packages.into_iter().map(PackageSelector::Name).collect(),
                    accounts,
                    regions,
                    types: vec![],
                    names: names.iter().map(|name| (*name).to_owned()).collect(),
                    arns: vec![],
                    tags: tags.into_iter().collect(),
                },
                decision: Decision::Accept,
                justification: None,
                reason: "a reason".to_owned(),
                compensating_controls: vec![],
                ticket: None,
                owner: "owner".to_owned(),
                approved_by: None,
                created_at: jiff::civil::date(2026, 11, created),
                review_at: None,
                terms: Terms {
                    expires_at: jiff::civil::date(2026, 12, expires),
                    until_fixed,
                    accepted_priority: accepted,
                    ends_if,
                },
            }
        }
    }

    prop_compose! {
        fn ledgers()(
            exceptions in vec(exceptions(), 0..6),
            never in option::of(select(&IDS[..])),
        ) -> Ledger {
            let never = never.into_iter().map(VulnerabilityId::new).collect();
            Ledger { policy: Policy { never, ..Policy::default() }, exceptions, exclusions: vec![] }
        }
    }

    fn moments() -> impl Strategy<Value = Timestamp> {
        let first = "2026-10-25T00:00:00Z".parse::<Timestamp>().unwrap().as_second();
        let last = "2027-01-05T00:00:00Z".parse::<Timestamp>().unwrap().as_second();
        (first..last).prop_map(|second| Timestamp::from_second(second).unwrap())
    }

    fn situation(finding: &Finding, priority: Priority, known_exploited: bool) -> Situation<'_> {
        Situation { finding, priority, known_exploited, seen_exploited: false }
    }

    /// What an exception is about, said once more in other words.
    fn is_about(exception: &Exception, finding: &Finding) -> bool {
        let package = finding.package().unwrap();
        let resource = finding.resource().unwrap();
        let Selectors { vulnerabilities, packages, accounts, regions, names, tags, .. } =
            &exception.selectors;
        let ids = package.id.iter().chain(&package.related);
        let name = resource.tags["Name"].as_str();
        let like = |pattern: &str| match pattern {
            "crm/*" => name.starts_with("crm/"),
            "crm/a*" => name == "crm/api",
            "s?op" | "shop" => name == "shop",
            other => panic!("{other}"),
        };
        let installed: Vec<&str> =
            package.packages.iter().filter_map(|package| package.name.as_deref()).collect();
        (vulnerabilities.is_empty()
            || ids.clone().any(|id| vulnerabilities.contains(&VulnerabilityId::new(id))))
            && (packages.is_empty()
                || packages.iter().any(|package| installed.contains(&package.to_string().as_str())))
            && (accounts.is_empty() || accounts.contains(&finding.account))
            && (regions.is_empty() || regions.contains(resource.region.as_ref().unwrap()))
            && (names.is_empty() || names.iter().any(|pattern| like(pattern)))
            && tags.iter().all(|(key, values)| {
                resource.tags.get(key).is_some_and(|value| values.contains(value))
            })
    }

    proptest! {
        #[test]
        fn an_exception_covers_what_its_selectors_say_between_its_days_and_nothing_else(
            finding in findings(),
            ledger in ledgers(),
            priority in select(&Priority::ALL[..]),
            now in moments(),
        ) {
            let situation = situation(&finding, priority, false);
            match ledger.cover(&situation, now) {
                Cover::By(exception) => {
                    prop_assert!(is_about(exception, &finding));
                    prop_assert!(beginning_of(exception.created_at) <= now && now < exception.terms.end());
                    prop_assert!(!ledger.policy.never.iter().any(|never| ids_of(&finding).any(|id| never.is(id))));
                }
                Cover::None(others) => {
                    let about = ledger.exceptions.iter().filter(|one| is_about(one, &finding)).count();
                    prop_assert_eq!(others.len(), about);
                }
            }
            // Whoever looks at a part of the ledger sees the same.
            let in_force = InForce::from(&ledger);
            let id = |cover: Cover<'_>| match cover {
                Cover::By(exception) => Some(exception.clone()),
                Cover::None(_) => None,
            };
            let same = id(in_force.cover(&situation, now)).map(|one| one.terms.expires_at);
            prop_assert_eq!(same, id(ledger.cover(&situation, now)).map(|one| one.terms.expires_at));
        }

        #[test]
        fn a_fact_that_gets_worse_and_a_day_that_passes_never_extend_a_cover(
            finding in findings(),
            ledger in ledgers(),
            priorities in (select(&Priority::ALL[..]), select(&Priority::ALL[..])),
            now in moments(),
            worse in (any::<bool>(), any::<bool>()),
        ) {
            let is_covered = |situation: &Situation<'_>, now| {
                matches!(ledger.cover(situation, now), Cover::By(_))
            };
            let (low, high) = (priorities.0.min(priorities.1), priorities.0.max(priorities.1));
            let before = situation(&finding, low, worse.0 && worse.1);
            let mut attacked = finding.clone();
            attacked.exploit_available = Some(worse.1 || finding.exploit_known());
            let after = situation(&attacked, high, worse.0);
            prop_assert!(!is_covered(&after, now) || is_covered(&before, now));
            let past_all = "2027-01-01T00:00:00Z".parse().unwrap();
            prop_assert!(!is_covered(&before, past_all));
        }
    }
}
