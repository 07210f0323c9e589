//! The topics: the only place that speaks to SNS.

use aws_sdk_sns::{Client, config, types::MessageAttributeValue};

use crate::{failure::CallFailed, message::Message, triage::Publish};

/// The topic people subscribe to.
#[derive(Clone, Debug)]
pub struct Sns {
    client: Client,
    topic: String,
}

impl Sns {
    /// The topic with the ARN `topic`.
    pub fn new(config: config::Builder, topic: String) -> Self {
        Self { client: Client::from_conf(config.build()), topic }
    }
}

impl Publish for Sns {
    async fn publish(&self, message: &Message) -> Result<(), CallFailed> {
        let failed = |source| CallFailed {
            operation: "SNS Publish",
            object: format!("to {}", self.topic),
            source,
        };
        let mut call = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(&message.subject)
            .message(&message.body);
        for (name, value) in &message.attributes {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|error| failed(error.into()))?;
            call = call.message_attributes(*name, value);
        }
        call.send().await.map(drop).map_err(|error| failed(error.into()))
    }
}
