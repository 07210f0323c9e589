//! The topics: the only place that speaks to SNS.

use aws_sdk_sns::{
    Client, config,
    error::{ProvideErrorMetadata, SdkError},
    operation::publish::PublishError,
    types::{MessageAttributeValue, Subscription},
};

#[cfg(feature = "redrive")]
use super::failed;
use crate::{
    app::{NotPublished, Publisher, failure::CallFailed},
    domain::record::Audience,
    render::message::{Attribute, Message},
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

    async fn publish(&self, audience: Audience, message: &Message) -> Result<(), NotPublished> {
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
            let (data_type, value) = match value {
                Attribute::One(value) => ("String", value.clone()),
                Attribute::Each(values) => ("String.Array", serde_json::json!(values).to_string()),
            };
            let value = MessageAttributeValue::builder()
                .data_type(data_type)
                .string_value(value)
                .build()
                .map_err(|error| NotPublished::Refused(failed(error.into())))?;
            call = call.message_attributes(*name, value);
        }
        call.send().await.map(drop).map_err(|error| {
            let is_refused = is_about_message(&error);
            let failed = failed(error.into());
            if is_refused { NotPublished::Refused(failed) } else { NotPublished::Failed(failed) }
        })
    }

    async fn has_listener(&self, audience: Audience) -> Result<bool, CallFailed> {
        let topic = self.topic(audience);
        let failed = |source| CallFailed {
            operation: "SNS GetTopicAttributes",
            object: format!("of {}", topic.map_or("no topic", String::as_str)),
            source,
        };
        let call = self.client.get_topic_attributes().set_topic_arn(topic.cloned());
        let answer = call.send().await.map_err(|error| failed(error.into()))?;
        let confirmed = answer.attributes().and_then(|all| all.get("SubscriptionsConfirmed"));
        let count: Option<u64> = confirmed.and_then(|count| count.parse().ok());
        match count {
            // A count lags behind, and nobody is silenced for that.
            Some(0) => Ok(self.lists_a_listener(topic.cloned()).await),
            Some(_) => Ok(true),
            None => {
                let found =
                    format!("expected a number as SubscriptionsConfirmed, found {confirmed:?}");
                Err(failed(found.into()))
            }
        }
    }
}

impl Sns {
    /// Whether there is a confirmed subscription among those of a topic; not if they cannot be listed.
    async fn lists_a_listener(&self, topic: Option<String>) -> bool {
        let list = self.client.list_subscriptions_by_topic().set_topic_arn(topic);
        let mut subscriptions = list.into_paginator().items().send();
        while let Some(Ok(subscription)) = subscriptions.next().await {
            if is_confirmed(&subscription) {
                return true;
            }
        }
        false
    }
}

/// Who subscribed to a topic.
#[cfg(feature = "redrive")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// How many are confirmed.
    pub confirmed: usize,
    /// Where those would go that nobody has confirmed yet.
    pub unconfirmed: Vec<String>,
}

/// Who subscribed to `topic`, an ARN.
///
/// # Errors
/// A call failed.
#[cfg(feature = "redrive")]
pub async fn subscriptions(
    config: &aws_config::SdkConfig,
    topic: &str,
) -> Result<Subscriptions, CallFailed> {
    let list = Client::new(config).list_subscriptions_by_topic().topic_arn(topic);
    let mut listed = list.into_paginator().items().send();
    let mut subscriptions = Subscriptions::default();
    while let Some(subscription) = listed.next().await {
        let subscription = subscription
            .map_err(|error| failed::call("SNS ListSubscriptionsByTopic", topic, error))?;
        if is_confirmed(&subscription) {
            subscriptions.confirmed += 1;
        } else {
            subscriptions.unconfirmed.extend(subscription.endpoint);
        }
    }
    Ok(subscriptions)
}

/// One that waits for its confirmation has no ARN.
fn is_confirmed(subscription: &Subscription) -> bool {
    subscription.subscription_arn().is_some_and(|arn| arn.starts_with("arn:"))
}

/// Whether SNS refused a message for what is in it: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
fn is_about_message(error: &SdkError<PublishError>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    let codes =
        ["InvalidParameter", "ParameterValueInvalid", "InvalidParameterValue", "ValidationError"];
    let is_about = |what: &str| {
        error
            .as_service_error()
            .and_then(ProvideErrorMetadata::message)
            .is_some_and(|m| m.contains(what))
    };
    // A topic of another Region, or none, is an invalid parameter, too.
    code.is_some_and(|code| codes.contains(&code.trim_end_matches("Exception")))
        && !is_about("TopicArn")
}
