//! The settings of the function `review`.

use super::{BadSetting, DeliverySettings, Environment, Settings, StorageSettings};
use crate::{
    adapters::s3::Bucket,
    domain::{
        announce::Budget,
        assess::Policy,
        finding::{Scope, Severity},
    },
};

/// Everything that can be set of it, but for what it logs.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewSettings {
    /// Where records are kept.
    pub storage: StorageSettings,
    /// Who is told.
    pub delivery: DeliverySettings,
    /// How findings are assessed.
    pub policy: Policy,
    /// How many messages there are: what this function tells takes a token of the same buckets.
    pub budget: Budget,
    /// `SEVERITIES` and `MEDIUM_FROM_EPSS`: which findings are recorded that no event brought, as the rules have it for
    /// events. Defaults `HIGH,CRITICAL` and none.
    pub scope: Scope,
    /// `INSPECTOR_RATE`: calls to Inspector a second, 0.1 to 1000, default 2.
    pub inspector_rate: f64,
    /// `OWN_FUNCTIONS`: what the names of the functions of this deployment begin with, default none. That their code is not
    /// scanned is no gap.
    pub own_functions: Vec<String>,
    /// `REVIEW_BUCKET`: the bucket for the weekly review's page, default none. `REVIEW_BUCKET_OWNER`: the id of the account
    /// that it belongs to, required with a bucket.
    pub bucket: Option<Bucket>,
}

impl Settings for ReviewSettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let Scope { severities, medium_from_epss } = Scope::default();
        Ok(Self {
            storage: StorageSettings::read(environment)?,
            delivery: DeliverySettings::read(environment)?,
            policy: Policy::read(environment)?,
            budget: Budget::read(environment)?,
            scope: Scope {
                severities: environment
                    .optional("SEVERITIES", SEVERITIES, read_severities)?
                    .unwrap_or(severities),
                medium_from_epss: environment
                    .optional("MEDIUM_FROM_EPSS", PROBABILITY, read_probability)?
                    .or(medium_from_epss),
            },
            inspector_rate: environment
                .optional("INSPECTOR_RATE", RATE, read_rate)?
                .unwrap_or(INSPECTOR_RATE),
            own_functions: environment
                .optional("OWN_FUNCTIONS", "names of Lambda functions", |names| {
                    Some(names.split(',').map(|name| name.trim().to_owned()).collect())
                })?
                .unwrap_or_default(),
            bucket: read_bucket(environment)?,
        })
    }
}

/// Calls a second, because AWS publishes no rate for Inspector: the slowest that a service of AWS was seen to allow.
const INSPECTOR_RATE: f64 = 2.0;

const SEVERITIES: &str =
    "severities such as HIGH,CRITICAL, of CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL and UNTRIAGED";

fn read_severities(text: &str) -> Option<Vec<Severity>> {
    let known = |word: &str| match Severity::from(word.trim()) {
        Severity::Other(_) => None,
        severity => Some(severity),
    };
    text.split(',').map(known).collect()
}

const PROBABILITY: &str = "a number from 0 to 1, such as 0.1";

fn read_probability(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number| (0.0..=1.0).contains(number))
}

const RATE: &str = "a number of calls a second from 0.1 to 1000";

fn read_rate(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|rate| (0.1..=1000.0).contains(rate))
}

const A_BUCKET: &str = "the name of an S3 bucket: 3 to 63 lowercase letters, digits, '-' or '.'";
const AN_ACCOUNT: &str = "the id of the account that the bucket belongs to: 12 digits";

fn read_bucket(environment: &Environment<'_>) -> Result<Option<Bucket>, BadSetting> {
    let name = environment
        .optional("REVIEW_BUCKET", A_BUCKET, |name| is_bucket(name).then(|| name.to_owned()))?;
    let owner = environment
        .optional("REVIEW_BUCKET_OWNER", AN_ACCOUNT, |id| is_account(id).then(|| id.to_owned()))?;
    let Some(name) = name else { return Ok(None) };
    let missing = BadSetting::Missing { name: "REVIEW_BUCKET_OWNER", expected: AN_ACCOUNT };
    Ok(Some(Bucket { name, owner: owner.ok_or(missing)? }))
}

/// Rules: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>. What else AWS keeps for itself it
/// refuses when it is asked.
fn is_bucket(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_ended_well = |byte: Option<&u8>| byte.is_some_and(|byte| is_plain(*byte));
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| is_plain(*byte) || b"-.".contains(byte))
        && is_ended_well(bytes.first())
        && is_ended_well(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::settings;

    fn read(more: &[(&str, &str)]) -> Result<ReviewSettings, BadSetting> {
        let topic = "arn:aws:sns:eu-central-1:111122223333:alerts";
        let base = [("TABLE_NAME", "findings"), ("TOPIC_ARN", topic)];
        let all: Vec<_> = more.iter().chain(&base).collect();
        let lookup = |name: &str| {
            all.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        settings::read(lookup).map(|(_, settings)| settings)
    }

    #[test]
    fn the_defaults_suit_most() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.scope, Scope::default());
        assert_eq!(settings.budget, Budget::default());
        assert!((settings.inspector_rate - 2.0).abs() < f64::EPSILON);
        assert_eq!(settings.bucket, None);
    }

    #[test]
    fn what_is_recorded_can_be_set_as_the_rules_have_it() {
        let more = [("SEVERITIES", "CRITICAL, MEDIUM"), ("MEDIUM_FROM_EPSS", "0.25")];
        let scope = read(&more).unwrap().scope;
        assert_eq!(scope.severities, [Severity::Critical, Severity::Medium]);
        assert_eq!(scope.medium_from_epss, Some(0.25));
    }

    fn bucket(name: &str, owner: &str) -> Result<Option<Bucket>, BadSetting> {
        let settings = read(&[("REVIEW_BUCKET", name), ("REVIEW_BUCKET_OWNER", owner)]);
        settings.map(|settings| settings.bucket)
    }

    #[test]
    fn a_bucket_is_named_with_the_account_that_it_belongs_to() {
        let owner = "111122223333";
        let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
        for name in ["abc", "team-reviews.example", "0-1", &longest] {
            let expected = Bucket { name: name.to_owned(), owner: owner.to_owned() };
            assert_eq!(bucket(name, owner), Ok(Some(expected)));
        }
        // The template says whose it would be, whether there is one or not.
        for none in ["", " "] {
            assert_eq!(bucket(none, owner), Ok(None));
        }
        let bad =
            ["ab", &too_long, "Ab1", "-ab", "ab-", "a..b", "a_b", "10.0.0.1", "arn:aws:s3:::a"];
        for name in bad {
            let error = bucket(name, owner).unwrap_err().to_string();
            assert!(error.ends_with(&format!("\"; expected {A_BUCKET}")), "{error}");
        }
        let error = bucket("abc", "").unwrap_err().to_string();
        assert!(error.starts_with("REVIEW_BUCKET_OWNER is not set; expected the id of"), "{error}");
    }

    #[test]
    fn a_bad_setting_is_named_with_its_value_and_what_is_allowed() {
        for (name, value, expected) in [
            ("SEVERITIES", "SEVERE", "SEVERITIES is \"SEVERE\"; expected severities such as"),
            ("MEDIUM_FROM_EPSS", "10", "MEDIUM_FROM_EPSS is \"10\"; expected a number from 0"),
            ("INSPECTOR_RATE", "0", "INSPECTOR_RATE is \"0\"; expected a number of calls"),
            (
                "REVIEW_BUCKET",
                "Reviews",
                "REVIEW_BUCKET is \"Reviews\"; expected the name of an S3",
            ),
            ("REVIEW_BUCKET_OWNER", "1234", "REVIEW_BUCKET_OWNER is \"1234\"; expected the id of"),
            ("INSPECTOR_RATE", "fast", "INSPECTOR_RATE is \"fast\"; expected a number of calls"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
