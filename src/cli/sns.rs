//! A topic on this machine: takes what is published, checks it as AWS does, and hands it on.
//!
//! It speaks as much of the SNS query protocol as publishing needs, and is strict where AWS is,
//! so that a message that passes here is one that AWS takes.

use std::collections::BTreeMap;

use axum::{
    Form, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::{net::TcpListener, sync::mpsc::UnboundedSender};

use super::Problem;

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The ARN of the topic.
    pub topic: String,
    /// The subject, if it has one.
    pub subject: Option<String>,
    /// The text.
    pub message: String,
    /// The attributes.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone)]
struct Topic {
    arn: String,
    published: UnboundedSender<Published>,
}

/// Serves the topic `arn` on `listener` for ever; what is published goes to `published`.
pub async fn serve(
    listener: TcpListener,
    arn: String,
    published: UnboundedSender<Published>,
) -> Result<(), Problem> {
    let router = Router::new().route("/", post(call)).with_state(Topic { arn, published });
    Ok(axum::serve(listener, router).await?)
}

async fn call(State(topic): State<Topic>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    let action = form.get("Action").map_or("", String::as_str);
    if action != "Publish" {
        return refusal("InvalidAction", &format!("this topic can only Publish, not {action}"));
    }
    let published = match read(&form, &topic.arn) {
        Ok(published) => published,
        Err((code, reason)) => return refusal(code, &reason),
    };
    // If nobody listens any more, the program is about to end.
    let _ = topic.published.send(published);
    let id = "00000000-0000-0000-0000-000000000000";
    xml(
        StatusCode::OK,
        format!(
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
             <MessageId>{id}</MessageId></PublishResult><ResponseMetadata><RequestId>{id}\
             </RequestId></ResponseMetadata></PublishResponse>"
        ),
    )
}

/// A message as AWS would take it, or the code and the reason of the refusal.
/// Rules: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
fn read(form: &BTreeMap<String, String>, arn: &str) -> Result<Published, (&'static str, String)> {
    let invalid = |reason: String| ("InvalidParameter", format!("Invalid parameter: {reason}"));
    let topic = form.get("TopicArn").map_or("", String::as_str);
    if topic != arn {
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

fn refusal(code: &str, reason: &str) -> Response {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    xml(
        StatusCode::BAD_REQUEST,
        format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender\
             </Type><Code>{code}</Code><Message>{reason}</Message></Error><RequestId>0</RequestId>\
             </ErrorResponse>"
        ),
    )
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "text/xml")], body).into_response()
}
