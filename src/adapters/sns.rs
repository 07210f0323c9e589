//! The topics: the only place that speaks to SNS.

use aws_sdk_sns::{Client, config, types::MessageAttributeValue};

use crate::{
    app::{Publisher, failure::CallFailed},
    domain::record::Audience,
    render::message::Message,
};

/// A topic for each audience.
#[derive(Clone, Debug)]
pub struct Sns {
    client: Client,
    audiences: Vec<Audience>,
    topics: Topics,
}

/// The ARNs of the topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// For people who read e-mail.
    pub email: String,
    /// For a chat.
    pub chat: Option<String>,
    /// For programs.
    pub data: Option<String>,
}

impl Sns {
    /// These topics.
    pub fn new(config: config::Builder, topics: Topics) -> Self {
        let chat = topics.chat.as_ref().map(|_| Audience::Chat);
        let data = topics.data.as_ref().map(|_| Audience::Data);
        let audiences = [Some(Audience::Email), chat, data].into_iter().flatten().collect();
        Self { client: Client::from_conf(config.build()), audiences, topics }
    }

    fn topic(&self, audience: Audience) -> Option<&String> {
        match audience {
            Audience::Email => Some(&self.topics.email),
            Audience::Chat => self.topics.chat.as_ref(),
            Audience::Data => self.topics.data.as_ref(),
        }
    }
}

impl Publisher for Sns {
    fn audiences(&self) -> &[Audience] {
        &self.audiences
    }

    async fn publish(&self, audience: Audience, message: &Message) -> Result<(), CallFailed> {
        let topic = self.topic(audience);
        let failed = |source| CallFailed {
            operation: "SNS Publish",
            object: format!("to {}", topic.map_or("no topic", String::as_str)),
            source,
        };
        let mut call = self
            .client
            .publish()
            .set_topic_arn(topic.cloned())
            .set_subject(message.subject.clone())
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
