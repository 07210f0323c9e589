//! The settings of the function `review`.

use super::{BadSetting, DeliverySettings, Environment, Settings, StorageSettings};
use crate::domain::{
    announce::Budget,
    assess::Policy,
    finding::{Scope, Severity},
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
    }

    #[test]
    fn what_is_recorded_can_be_set_as_the_rules_have_it() {
        let more = [("SEVERITIES", "CRITICAL, MEDIUM"), ("MEDIUM_FROM_EPSS", "0.25")];
        let scope = read(&more).unwrap().scope;
        assert_eq!(scope.severities, [Severity::Critical, Severity::Medium]);
        assert_eq!(scope.medium_from_epss, Some(0.25));
    }

    #[test]
    fn a_bad_setting_is_named_with_its_value_and_what_is_allowed() {
        for (name, value, expected) in [
            ("SEVERITIES", "SEVERE", "SEVERITIES is \"SEVERE\"; expected severities such as"),
            ("MEDIUM_FROM_EPSS", "10", "MEDIUM_FROM_EPSS is \"10\"; expected a number from 0"),
            ("INSPECTOR_RATE", "0", "INSPECTOR_RATE is \"0\"; expected a number of calls"),
            ("INSPECTOR_RATE", "fast", "INSPECTOR_RATE is \"fast\"; expected a number of calls"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
