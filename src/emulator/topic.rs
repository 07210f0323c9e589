//! A topic on this machine: takes what is published, checks it as AWS does, and hands it on.
//!
//! It speaks as much of the SNS query protocol as publishing needs, and is strict where AWS is,
//! so that a message that passes here is one that AWS takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::post,
};
use tokio::{net::TcpListener, sync::mpsc::UnboundedSender};

use crate::app::failure::BoxError;

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The ARN of the topic.
    pub topic: String,
    /// The subject, if it has one.
    pub subject: Option<String>,
    /// The text.
    pub message: String,
    /// The attributes; one that is a list as its JSON.
    pub attributes: BTreeMap<String, String>,
}

/// Topics that hand on what is published.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Their ARNs.
    pub arns: Vec<&'static str>,
    /// Where messages go.
    pub published: UnboundedSender<Published>,
    /// The ARNs of those without a confirmed subscription. What is published to them goes on all the same, for whoever
    /// looks at it.
    pub deaf: Arc<Mutex<BTreeSet<String>>>,
}

impl Topic {
    /// Serves the topic on `listener` for ever.
    pub async fn serve(self, listener: TcpListener) -> Result<(), BoxError> {
        let router = Router::new().route("/", post(call)).with_state(self);
        Ok(axum::serve(listener, router).await?)
    }

    /// Performs a call, given as the body of a request: the status and the body of the answer.
    pub fn perform(&self, body: &[u8]) -> (u16, String) {
        let form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let action = form.get("Action").map_or("", String::as_str);
        match action {
            "Publish" => {}
            "GetTopicAttributes" => return self.attributes(&form),
            // Asked of a topic without a confirmed subscription alone.
            "ListSubscriptionsByTopic" => return (200, NO_SUBSCRIPTIONS.to_owned()),
            _ => {
                let reason =
                    format!("this topic can only Publish and GetTopicAttributes, not {action}");
                return refusal("InvalidAction", &reason);
            }
        }
        let published = match read(&form, &self.arns) {
            Ok(published) => published,
            Err((code, reason)) => return refusal(code, &reason),
        };
        // If nobody listens any more, the program is about to end.
        let _ = self.published.send(published);
        let id = "00000000-0000-0000-0000-000000000000";
        let answer = format!(
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
             <MessageId>{id}</MessageId></PublishResult><ResponseMetadata><RequestId>{id}\
             </RequestId></ResponseMetadata></PublishResponse>"
        );
        (200, answer)
    }

    /// How many confirmed subscriptions a topic has: one, unless it is [deaf](Self::deaf).
    fn attributes(&self, form: &BTreeMap<String, String>) -> (u16, String) {
        let topic = form.get("TopicArn").map_or("", String::as_str);
        if !self.arns.contains(&topic) {
            return refusal("NotFound", "Topic does not exist");
        }
        let deaf = self.deaf.lock().unwrap_or_else(PoisonError::into_inner);
        let confirmed = u8::from(!deaf.contains(topic));
        let answer = format!(
            "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
             <GetTopicAttributesResult><Attributes><entry><key>SubscriptionsConfirmed</key>\
             <value>{confirmed}</value></entry></Attributes></GetTopicAttributesResult>\
             <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>\
             </GetTopicAttributesResponse>"
        );
        (200, answer)
    }
}

const NO_SUBSCRIPTIONS: &str = "<ListSubscriptionsByTopicResponse \
    xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><ListSubscriptionsByTopicResult><Subscriptions/>\
    </ListSubscriptionsByTopicResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>\
    </ListSubscriptionsByTopicResponse>";

async fn call(State(topic): State<Topic>, body: Bytes) -> impl IntoResponse {
    let (status, answer) = topic.perform(&body);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "text/xml")], answer)
}

/// A message as AWS would take it, or the code and the reason of the refusal.
/// Rules: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
fn read(
    form: &BTreeMap<String, String>,
    arns: &[&str],
) -> Result<Published, (&'static str, String)> {
    let invalid = |reason: String| ("InvalidParameter", format!("Invalid parameter: {reason}"));
    let topic = form.get("TopicArn").map_or("", String::as_str);
    if !arns.contains(&topic) {
        return Err(("NotFound", format!("Topic does not exist: {topic}")));
    }
    let message = form.get("Message").filter(|message| !message.is_empty());
    let message = message.ok_or_else(|| invalid("Empty message".to_owned()))?;
    let subject = form.get("Subject");
    if let Some(subject) = subject {
        let fits = (1..100).contains(&subject.chars().count());
        let plain =
            subject.bytes().all(|b| (b' '..=b'~').contains(&b)) && !subject.starts_with(' ');
        if !(fits && plain) {
            return Err(invalid("Subject".to_owned()));
        }
    }
    let mut attributes = BTreeMap::new();
    for entry in 1.. {
        let field = |name: &str| form.get(&format!("MessageAttributes.entry.{entry}.{name}"));
        let Some(name) = field("Name") else { break };
        let value = field("Value.StringValue").filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| invalid(format!("attribute {name} has no value")))?;
        let is_list =
            || serde_json::from_str::<Vec<String>>(value).is_ok_and(|all| !all.is_empty());
        match field("Value.DataType").map_or("", String::as_str) {
            "String" => {}
            "String.Array" if is_list() => {}
            other => return Err(invalid(format!("attribute {name} is no {other}"))),
        }
        attributes.insert(name.clone(), value.clone());
    }
    let size = message.len() + attributes.iter().map(|(k, v)| k.len() + v.len() + 6).sum::<usize>();
    if size > 262_144 {
        return Err(invalid("Message too long".to_owned()));
    }
    // A subscription with raw delivery to a queue discards messages with more.
    if attributes.len() > 10 {
        return Err(invalid("more than 10 attributes".to_owned()));
    }
    Ok(Published {
        topic: topic.to_owned(),
        subject: subject.cloned(),
        message: message.clone(),
        attributes,
    })
}

fn refusal(code: &str, reason: &str) -> (u16, String) {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    let answer = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender\
         </Type><Code>{code}</Code><Message>{reason}</Message></Error><RequestId>0</RequestId>\
         </ErrorResponse>"
    );
    (400, answer)
}
