//! Who is told.

use super::{BadSetting, Environment, Settings};
use crate::{adapters::sns::Topics, render::Style};

/// The topics, and whether and how they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettings {
    /// `TOPIC_ARN`, required: the topic for e-mail. `CHAT_TOPIC_ARN` and `DATA_TOPIC_ARN`: those for
    /// a chat and for programs, by default none.
    pub topics: Topics,
    /// `NOTIFY`: `true` (default) or `false`: record, but tell nobody.
    pub notify: bool,
    /// `EMAIL_REQUIRED`: `true` (default): what there is to tell waits until somebody has confirmed a subscription to the
    /// topic for e-mail. `false`: where nobody has, e-mail is left out.
    pub email_required: bool,
    /// How messages are made.
    pub style: Style,
}

const A_TOPIC: &str =
    "the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:111122223333:alerts";

impl Settings for DeliverySettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let topic = |arn: &str| is_topic(arn).then(|| arn.to_owned());
        Ok(Self {
            topics: Topics {
                email: environment.required("TOPIC_ARN", A_TOPIC, topic)?,
                chat: environment.optional("CHAT_TOPIC_ARN", A_TOPIC, topic)?,
                data: environment.optional("DATA_TOPIC_ARN", A_TOPIC, topic)?,
            },
            notify: environment
                .optional("NOTIFY", "true or false", |notify| notify.parse().ok())?
                .unwrap_or(true),
            email_required: environment
                .optional("EMAIL_REQUIRED", "true or false", |required| required.parse().ok())?
                .unwrap_or(true),
            style: Style::read(environment)?,
        })
    }
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
