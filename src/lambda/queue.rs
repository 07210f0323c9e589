//! What the queue on the data topic hands over: messages that say of which findings there is news.

use aws_lambda_events::event::sqs::SqsEvent;
use serde::Deserialize;
use serde_json::Value;

use super::event::{asks, malformed, one_of};
use crate::{app::failure::Failure, domain::finding::Malformed};

/// The detail-type and the source of the event that has the tickets dealt with whose turn it is.
pub const TICKETS: (&str, &str) = ("Triage Tickets", "inspector-triage");

/// The version of data messages that is read here: another one would mean something else by the same fields.
const VERSION: &str = "1";

/// An event of the function `tickets`.
#[derive(Debug)]
pub enum TicketsEvent {
    /// Messages of the queue.
    Messages(Vec<QueuedMessage>),
    /// It is time to deal with the tickets whose turn it is.
    Scheduled {
        /// Whether to note all that is open first, such as what was there before there were tickets.
        full: bool,
    },
}

/// A message of the queue.
#[derive(Debug)]
pub struct QueuedMessage {
    /// Its id, by which the queue is told that it is to come again.
    pub id: String,
    /// The ARNs of the findings that it names.
    pub findings: Result<Vec<String>, Failure>,
}

/// What is read of a data message. All else is in the table, and newer there.
#[derive(Deserialize)]
struct DataMessage {
    version: String,
    findings: Vec<DataFinding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataFinding {
    finding_arn: String,
}

/// What SNS puts around a message, where it does not deliver it raw.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enveloped {
    message: String,
}

/// Reads an event of the function `tickets`.
///
/// # Errors
/// [`Failure::NotJson`], [`Failure::Malformed`] or [`Failure::NotScheduled`].
pub fn read(event: &[u8]) -> Result<TicketsEvent, Failure> {
    let event: Value = serde_json::from_slice(event).map_err(Failure::NotJson)?;
    if event.get("Records").is_none() {
        return scheduled(&event);
    }
    let records = SqsEvent::deserialize(&event)
        .map_err(|_| malformed("Records", "messages of SQS", event.get("Records")))?
        .records;
    let message = |(index, record): (usize, aws_lambda_events::event::sqs::SqsMessage)| {
        let id = record
            .message_id
            .ok_or_else(|| malformed(&format!("Records[{index}].messageId"), "a string", None))?;
        let findings = findings(record.body.as_deref().unwrap_or_default());
        Ok(QueuedMessage { id, findings })
    };
    let messages = records.into_iter().enumerate().map(message);
    Ok(TicketsEvent::Messages(messages.collect::<Result<_, Malformed>>()?))
}

/// The findings that a message names, raw or as SNS envelops it.
fn findings(body: &str) -> Result<Vec<String>, Failure> {
    let enveloped: Option<Enveloped> = serde_json::from_str(body).ok();
    let text = enveloped.as_ref().map_or(body, |enveloped| &enveloped.message);
    let value: Value = serde_json::from_str(text).map_err(Failure::NotJson)?;
    let message = DataMessage::deserialize(&value)
        .map_err(|_| malformed("body", "a data message with version and findings", Some(&value)))?;
    if message.version != VERSION {
        return Err(malformed("body.version", "\"1\"", value.get("version")).into());
    }
    Ok(message.findings.into_iter().map(|finding| finding.finding_arn).collect())
}

fn scheduled(event: &Value) -> Result<TicketsEvent, Failure> {
    one_of(event, &[TICKETS])?;
    Ok(TicketsEvent::Scheduled { full: asks(event, "full")? })
}
