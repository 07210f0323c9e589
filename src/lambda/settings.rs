//! The settings of the function, read once at start from its environment.

use std::fmt;

use tracing::level_filters::LevelFilter;

use crate::{
    adapters::sns::Topics,
    domain::{
        announce::Budget,
        assess::{Policy, Sla, UrgentTags},
    },
    render::Language,
};

/// How many days history is kept by default.
pub const HISTORY_DAYS: u16 = 400;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`: the table of records. Required.
    pub table: String,
    /// `TOPIC_ARN`, required: the topic for e-mail. `CHAT_TOPIC_ARN` and `DATA_TOPIC_ARN`: those for
    /// a chat and for programs, by default none.
    pub topics: Topics,
    /// `NOTIFY`: `true` (default) or `false`: record, but tell nobody.
    pub notify: bool,
    /// `LANGUAGE`: `en` (default) or `ja`.
    pub language: Language,
    /// `SLA_DAYS`: the days P1 to P4 may stay open, default `2,7,30,90`. `URGENT_TAGS`: tags of
    /// resources that matter more than others, default none.
    pub policy: Policy,
    /// `HISTORY_DAYS`: how long history is kept, default 400.
    pub history_days: u16,
    /// `ALERT_BUDGET`: messages at once about P1 and about all others, default `3,5`.
    pub budget: Budget,
    /// `LOG_LEVEL`: the least important line that is logged: `ERROR`, `WARN` or `INFO` (default).
    pub log_level: LevelFilter,
}

/// A setting that keeps the function from starting.
#[derive(PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// A required one is missing or empty.
    #[error("{name} is not set; expected {expected}")]
    Missing {
        /// The environment variable.
        name: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
    /// One cannot be understood.
    #[error("{name} is \"{value}\"; expected {expected}")]
    Malformed {
        /// The environment variable.
        name: &'static str,
        /// What stands there.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
}

// A program that ends with an error shows it by its debug form: a line that a person can read.
impl fmt::Debug for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const A_TABLE: &str = "the name of a DynamoDB table: 3 to 255 letters, digits, '_', '-' or '.'";
const A_TOPIC: &str =
    "the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:111122223333:alerts";

impl Settings {
    /// Reads the settings with `lookup`, which gives the value of an environment variable.
    ///
    /// # Errors
    /// [`BadSetting`] names the variable, what stands there, and what is allowed.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        let value = |name| lookup(name).filter(|value| !value.trim().is_empty());
        let required = |name, expected, allowed: fn(&str) -> bool| {
            let value = value(name).ok_or(BadSetting::Missing { name, expected })?;
            if allowed(&value) { Ok(value) } else { Err(malformed(name, &value, expected)) }
        };
        let optional = |name, expected, allowed: fn(&str) -> bool| match value(name) {
            Some(_) => required(name, expected, allowed).map(Some),
            None => Ok(None),
        };

        let mut policy = Policy::default();
        if let Some(days) = value("SLA_DAYS") {
            policy.sla =
                days.parse::<Sla>().map_err(|_| malformed("SLA_DAYS", &days, Sla::EXPECTED))?;
        }
        if let Some(tags) = value("URGENT_TAGS") {
            policy.urgent_tags =
                tags.parse().map_err(|_| malformed("URGENT_TAGS", &tags, UrgentTags::EXPECTED))?;
        }
        let mut history_days = HISTORY_DAYS;
        if let Some(days) = value("HISTORY_DAYS") {
            let allowed = |days: &u16| (1..=3650).contains(days);
            history_days = days.parse().ok().filter(allowed).ok_or_else(|| {
                malformed("HISTORY_DAYS", &days, "a whole number of days from 1 to 3650")
            })?;
        }
        Ok(Self {
            table: required("TABLE_NAME", A_TABLE, is_table)?,
            topics: Topics {
                email: required("TOPIC_ARN", A_TOPIC, is_topic)?,
                chat: optional("CHAT_TOPIC_ARN", A_TOPIC, is_topic)?,
                data: optional("DATA_TOPIC_ARN", A_TOPIC, is_topic)?,
            },
            notify: match value("NOTIFY").as_deref() {
                None | Some("true") => true,
                Some("false") => false,
                Some(other) => return Err(malformed("NOTIFY", other, "true or false")),
            },
            language: match value("LANGUAGE").as_deref() {
                None | Some("en") => Language::En,
                Some("ja") => Language::Ja,
                Some(other) => return Err(malformed("LANGUAGE", other, "en or ja")),
            },
            policy,
            history_days,
            budget: match value("ALERT_BUDGET") {
                None => Budget::default(),
                Some(budget) => read_budget(&budget)
                    .ok_or_else(|| malformed("ALERT_BUDGET", &budget, A_BUDGET))?,
            },
            log_level: match value("LOG_LEVEL").as_deref() {
                Some("ERROR") => LevelFilter::ERROR,
                Some("WARN") => LevelFilter::WARN,
                None | Some("INFO") => LevelFilter::INFO,
                Some(other) => return Err(malformed("LOG_LEVEL", other, "ERROR, WARN or INFO")),
            },
        })
    }
}

const A_BUDGET: &str = "two whole numbers such as 3,5: messages at once about P1, at most 7, and about all others, \
     together 1 to 8";

fn read_budget(text: &str) -> Option<Budget> {
    let (p1, others) = text.split_once(',')?;
    let (p1, others): (u8, u8) = (p1.trim().parse().ok()?, others.trim().parse().ok()?);
    // A summary may go out beside them.
    let allowed =
        p1 < Budget::MOST_AT_ONCE && (1..=Budget::MOST_AT_ONCE).contains(&p1.checked_add(others)?);
    allowed.then_some(Budget { p1, others })
}

fn malformed(name: &'static str, value: &str, expected: &'static str) -> BadSetting {
    let value = crate::domain::text::short(value, 60);
    BadSetting::Malformed { name, value, expected }
}

fn is_table(name: &str) -> bool {
    // A table's ARN is a name, too: the API takes it.
    (3..=1024).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b))
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    // The name of a FIFO topic ends in .fifo, and e-mail cannot subscribe to it.
    matches!(parts[..], ["arn", partition, "sns", region, account, name]
        if partition.starts_with("aws")
            && !region.is_empty()
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:alerts";

    fn read(more: &[(&str, &str)]) -> Result<Settings, BadSetting> {
        let base = [("TABLE_NAME", "findings"), ("TOPIC_ARN", TOPIC)];
        let all: Vec<_> = more.iter().chain(&base).collect();
        Settings::read(|name| {
            all.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn two_settings_are_enough() {
        let settings = read(&[]).unwrap();
        let topics = Topics { email: TOPIC.to_owned(), chat: None, data: None };
        assert_eq!((settings.table.as_str(), settings.topics), ("findings", topics));
        assert_eq!(settings.budget, Budget { p1: 3, others: 5 });
        assert!(settings.notify);
        assert_eq!(settings.language, Language::En);
        assert_eq!(settings.policy, Policy::default());
        assert_eq!(settings.history_days, 400);
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read(&[
            ("NOTIFY", "false"),
            ("LANGUAGE", "ja"),
            ("SLA_DAYS", "1,2,3,4"),
            ("HISTORY_DAYS", "30"),
            ("URGENT_TAGS", "stage=prod"),
            ("CHAT_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:chat"),
            ("DATA_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:data"),
            ("ALERT_BUDGET", "1, 0"),
        ])
        .unwrap();
        let topic = |name: &str| Some(TOPIC.replace("alerts", name));
        assert_eq!((settings.topics.chat, settings.topics.data), (topic("chat"), topic("data")));
        assert_eq!(settings.budget, Budget { p1: 1, others: 0 });
        assert!(!settings.notify);
        assert_eq!(settings.language, Language::Ja);
        assert_eq!(settings.policy.sla, "1,2,3,4".parse().unwrap());
        assert_eq!(settings.policy.urgent_tags, "stage=prod".parse().unwrap());
        assert_eq!(settings.history_days, 30);
    }

    #[test]
    fn a_bad_setting_is_named_with_its_value_and_what_is_allowed() {
        for (name, value, expected) in [
            ("TABLE_NAME", "", "TABLE_NAME is not set; expected the name of a DynamoDB table"),
            (
                "TABLE_NAME",
                "a b c",
                "TABLE_NAME is \"a b c\"; expected the name of a DynamoDB table",
            ),
            ("TOPIC_ARN", "", "TOPIC_ARN is not set; expected the ARN of an SNS topic"),
            ("TOPIC_ARN", "alerts", "TOPIC_ARN is \"alerts\"; expected the ARN of an SNS topic"),
            ("TOPIC_ARN", "arn:aws:sqs:eu-central-1:111122223333:q", "TOPIC_ARN is"),
            ("TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:alerts.fifo", "TOPIC_ARN is"),
            ("NOTIFY", "yes", "NOTIFY is \"yes\"; expected true or false"),
            ("LANGUAGE", "fr", "LANGUAGE is \"fr\"; expected en or ja"),
            ("SLA_DAYS", "soon", "SLA_DAYS is \"soon\"; expected four whole numbers"),
            ("CHAT_TOPIC_ARN", "alerts", "CHAT_TOPIC_ARN is \"alerts\"; expected the ARN"),
            ("ALERT_BUDGET", "5,5", "ALERT_BUDGET is \"5,5\"; expected two whole numbers"),
            ("ALERT_BUDGET", "8,0", "ALERT_BUDGET is \"8,0\"; expected two whole numbers"),
            ("ALERT_BUDGET", "0,0", "ALERT_BUDGET is \"0,0\"; expected two whole numbers"),
            ("ALERT_BUDGET", "many", "ALERT_BUDGET is \"many\"; expected two whole numbers"),
            ("URGENT_TAGS", "prod", "URGENT_TAGS is \"prod\"; expected at most 20 tags such as"),
            ("HISTORY_DAYS", "0", "HISTORY_DAYS is \"0\"; expected a whole number of days from 1"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
