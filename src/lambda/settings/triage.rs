//! The settings of the function `triage`.

use jiff::SignedDuration;

use super::{BadSetting, DeliverySettings, Environment, Settings, StorageSettings};
use crate::domain::{
    announce::{Budget, SUMMARY_AFTER},
    assess::{Policy, Priority},
};

/// Everything that can be set of it, but for what it logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriageSettings {
    /// Where records are kept.
    pub storage: StorageSettings,
    /// Who is told.
    pub delivery: DeliverySettings,
    /// How findings are assessed.
    pub policy: Policy,
    /// How many messages there are.
    pub budget: Budget,
    /// `ALONE_FROM`: the lowest priority of findings that get a message of their own, default `P2`.
    pub alone_from: Priority,
    /// `SUMMARY_MINUTES`: how long what is not urgent waits for a summary, 0 to 1440 minutes, default 60.
    pub summary_after: SignedDuration,
}

impl Settings for TriageSettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        Ok(Self {
            storage: StorageSettings::read(environment)?,
            delivery: DeliverySettings::read(environment)?,
            policy: Policy::read(environment)?,
            budget: Budget::read(environment)?,
            alone_from: environment
                .optional("ALONE_FROM", "P1, P2, P3 or P4", |class| class.parse().ok())?
                .unwrap_or(Priority::P2),
            summary_after: environment
                .optional("SUMMARY_MINUTES", MINUTES, read_minutes)?
                .unwrap_or(SUMMARY_AFTER),
        })
    }
}

const MINUTES: &str = "a whole number of minutes from 0 to 1440";

fn read_minutes(text: &str) -> Option<SignedDuration> {
    let minutes: u16 = text.trim().parse().ok()?;
    (minutes <= 1440).then(|| SignedDuration::from_mins(minutes.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        adapters::sns::Topics,
        lambda::settings::{self, LogSettings},
        render::{Language, Style},
    };

    const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:alerts";

    fn read(more: &[(&str, &str)]) -> Result<TriageSettings, BadSetting> {
        read_all(more).map(|(_, settings)| settings)
    }

    fn read_all(more: &[(&str, &str)]) -> Result<(LogSettings, TriageSettings), BadSetting> {
        let base = [("TABLE_NAME", "findings"), ("TOPIC_ARN", TOPIC)];
        let all: Vec<_> = more.iter().chain(&base).collect();
        settings::read(|name| {
            all.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn two_settings_are_enough() {
        let settings = read(&[]).unwrap();
        let topics = Topics { email: TOPIC.to_owned(), chat: None, data: None };
        assert_eq!(
            (settings.storage.table.as_str(), settings.delivery.topics),
            ("findings", topics)
        );
        assert_eq!(settings.budget, Budget { p1: 3, others: 5 });
        assert!(settings.delivery.notify && settings.delivery.email_required);
        assert_eq!(settings.delivery.style, Style::default());
        assert_eq!((settings.alone_from, settings.summary_after.as_mins()), (Priority::P2, 60));
        assert_eq!(settings.policy, Policy::default());
        assert_eq!(settings.storage.history_days, 400);
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read(&[
            ("NOTIFY", "false"),
            ("EMAIL_REQUIRED", "false"),
            ("LANGUAGE", "ja"),
            ("SLA_DAYS", "1,2,3,4"),
            ("HISTORY_DAYS", "30"),
            ("URGENT_TAGS", "stage=prod"),
            ("CHAT_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:chat"),
            ("DATA_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:data"),
            ("ALERT_BUDGET", "1, 0"),
            ("ALONE_FROM", "P4"),
            ("SUMMARY_MINUTES", "0"),
            ("OWNER_TAGS", "squad"),
        ])
        .unwrap();
        let topic = |name: &str| Some(TOPIC.replace("alerts", name));
        assert_eq!(
            (settings.delivery.topics.chat, settings.delivery.topics.data),
            (topic("chat"), topic("data"))
        );
        assert_eq!(settings.budget, Budget { p1: 1, others: 0 });
        assert!(!settings.delivery.notify && !settings.delivery.email_required);
        assert_eq!(settings.delivery.style.language, Language::Ja);
        assert_eq!(settings.delivery.style.owner_tags.to_string(), "squad");
        assert_eq!((settings.alone_from, settings.summary_after.as_mins()), (Priority::P4, 0));
        assert_eq!(settings.policy.sla, "1,2,3,4".parse().unwrap());
        assert_eq!(settings.policy.urgent_tags, "stage=prod".parse().unwrap());
        assert_eq!(settings.storage.history_days, 30);
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
            ("EMAIL_REQUIRED", "no", "EMAIL_REQUIRED is \"no\"; expected true or false"),
            ("LANGUAGE", "fr", "LANGUAGE is \"fr\"; expected en or ja"),
            ("SLA_DAYS", "soon", "SLA_DAYS is \"soon\"; expected four whole numbers"),
            ("CHAT_TOPIC_ARN", "alerts", "CHAT_TOPIC_ARN is \"alerts\"; expected the ARN"),
            ("ALERT_BUDGET", "5,5", "ALERT_BUDGET is \"5,5\"; expected two whole numbers"),
            ("ALERT_BUDGET", "8,0", "ALERT_BUDGET is \"8,0\"; expected two whole numbers"),
            ("ALERT_BUDGET", "0,0", "ALERT_BUDGET is \"0,0\"; expected two whole numbers"),
            ("ALERT_BUDGET", "many", "ALERT_BUDGET is \"many\"; expected two whole numbers"),
            ("ALONE_FROM", "P5", "ALONE_FROM is \"P5\"; expected P1, P2, P3 or P4"),
            ("SUMMARY_MINUTES", "1441", "SUMMARY_MINUTES is \"1441\"; expected a whole number"),
            ("OWNER_TAGS", "a,,b", "OWNER_TAGS is \"a,,b\"; expected at most 10 names of tags"),
            ("URGENT_TAGS", "prod", "URGENT_TAGS is \"prod\"; expected at most 20 tags such as"),
            ("HISTORY_DAYS", "0", "HISTORY_DAYS is \"0\"; expected a whole number of days from 1"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
