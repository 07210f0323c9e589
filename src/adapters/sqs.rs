//! The queues in which events end that were not dealt with.
//!
//! Two services fill them, each in its own way: EventBridge puts the event there that it could not
//! hand over, and says why in attributes of the message; Lambda puts a record there that has the
//! event inside, and what became of it.

use std::fmt;

use aws_config::{Region, SdkConfig};
use aws_sdk_sqs::{
    Client,
    types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

#[cfg(feature = "redrive")]
use super::failed;
use crate::{app::failure::BoxError, app::failure::CallFailed, domain::text};

/// An event that was not dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedEvent {
    /// Its JSON text.
    pub event: String,
    /// Why not, if that is known: one line.
    pub why: Option<String>,
    /// The ARN of the function that it was for, if that is known.
    pub function: Option<String>,
}

/// What Lambda sends to a destination on failure, as far as it matters here. See
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    request_payload: Box<RawValue>,
    request_context: Context,
    response_payload: Option<Response>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    condition: String,
    function_arn: Option<String>,
    approximate_invoke_count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl FailedEvent {
    /// The event in the body of a message.
    pub fn of_body(body: &str) -> Self {
        match serde_json::from_str::<Invocation>(body) {
            Ok(invocation) => Self {
                why: Some(text::short(&invocation.to_string(), LONGEST)),
                function: invocation.request_context.function(),
                event: invocation.request_payload.get().to_owned(),
            },
            Err(_) => Self { event: body.to_owned(), why: None, function: None },
        }
    }

    /// The event in a message.
    fn of(message: &Message) -> Self {
        let failed = Self::of_body(message.body().unwrap_or_default());
        let attribute =
            |name: &str| message.message_attributes()?.get(name)?.string_value().map(str::to_owned);
        let said: Vec<String> =
            ["ERROR_CODE", "ERROR_MESSAGE"].into_iter().filter_map(attribute).collect();
        let said = (!said.is_empty()).then(|| text::short(&said.join(": "), LONGEST));
        Self {
            why: failed.why.or(said),
            function: failed.function.or_else(|| attribute("TARGET_ARN")),
            ..failed
        }
    }
}

impl Context {
    /// The function without the version, which is never but the latest.
    fn function(&self) -> Option<String> {
        let arn = self.function_arn.as_deref()?;
        Some(arn.strip_suffix(":$LATEST").unwrap_or(arn).to_owned())
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.request_context.condition)?;
        if let Some(count) = self.request_context.approximate_invoke_count {
            write!(f, " after {count} invocation{}", if count == 1 { "" } else { "s" })?;
        }
        let Some(response) = &self.response_payload else { return Ok(()) };
        for part in [&response.error_type, &response.error_message].into_iter().flatten() {
            write!(f, ": {part}")?;
        }
        Ok(())
    }
}

/// As long as a reason may be.
const LONGEST: usize = 300;

/// A queue of such events.
pub struct Queue {
    client: Client,
    url: String,
}

/// An event in a queue, taken for a while.
pub struct QueuedEvent {
    /// The event.
    pub failed: FailedEvent,
    /// When it came into the queue.
    pub since: Option<Timestamp>,
    /// What it is known by in the queue.
    pub id: String,
    receipt: String,
}

/// For how many seconds nobody else gets a message that was taken.
const VISIBILITY_TIMEOUT: i32 = 300;

impl Queue {
    /// The queue at `url`, in the Region that this says.
    pub fn open(config: &SdkConfig, url: String) -> Self {
        let there = aws_sdk_sqs::config::Builder::from(config);
        let there = match region_of(&url) {
            Some(region) => there.region(Region::new(region.to_owned())),
            None => there,
        };
        Self { client: Client::from_conf(there.build()), url }
    }

    /// Some of the events in the queue; none if there are no more.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub async fn take(&self) -> Result<Vec<QueuedEvent>, BoxError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(VISIBILITY_TIMEOUT)
            // With a wait, all of SQS's servers are asked and not just some.
            .wait_time_seconds(1)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await
            .map_err(|error| self.failed("SQS ReceiveMessage", error.into()))?;
        let taken = answer.messages().iter().map(|message| QueuedEvent {
            failed: FailedEvent::of(message),
            since: message
                .attributes()
                .and_then(|attributes| attributes.get(&MessageSystemAttributeName::SentTimestamp))
                .and_then(|millis| Timestamp::from_millisecond(millis.parse().ok()?).ok()),
            id: message.message_id().unwrap_or_default().to_owned(),
            receipt: message.receipt_handle().unwrap_or_default().to_owned(),
        });
        Ok(taken.collect())
    }

    /// Takes an event off the queue for good.
    ///
    /// # Errors
    /// The call failed; the event may come again.
    pub async fn delete(&self, taken: &QueuedEvent) -> Result<(), BoxError> {
        self.client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&taken.receipt)
            .send()
            .await
            .map_err(|error| self.failed("SQS DeleteMessage", error.into()))?;
        Ok(())
    }

    /// Puts events back, for whoever takes them next.
    ///
    /// # Errors
    /// The call failed; the events come back by themselves after five minutes.
    pub async fn put_back(&self, taken: &[QueuedEvent]) -> Result<(), BoxError> {
        for some in taken.chunks(10) {
            let mut call = self.client.change_message_visibility_batch().queue_url(&self.url);
            for (number, taken) in some.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&taken.receipt)
                    .visibility_timeout(0);
                call = call.entries(entry.build()?);
            }
            call.send()
                .await
                .map_err(|error| self.failed("SQS ChangeMessageVisibility", error.into()))?;
        }
        Ok(())
    }

    /// About how many events are in the queue, those included that somebody has taken.
    ///
    /// # Errors
    /// The call failed.
    #[cfg(feature = "redrive")]
    pub async fn count(&self) -> Result<u64, CallFailed> {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
        };
        let counts = [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible];
        let call = self.client.get_queue_attributes().queue_url(&self.url);
        let call = call.set_attribute_names(Some(counts.to_vec()));
        let operation = "SQS GetQueueAttributes";
        let answer =
            call.send().await.map_err(|error| failed::call(operation, &self.url, error))?;
        let found = answer.attributes();
        let count = |name| found.and_then(|found| found.get(name)?.parse::<u64>().ok());
        counts.iter().map(count).sum::<Option<u64>>().ok_or_else(|| CallFailed {
            operation,
            object: self.url.clone(),
            source: "the answer has no counts".into(),
        })
    }

    fn failed(&self, operation: &'static str, source: BoxError) -> BoxError {
        CallFailed { operation, object: self.url.clone(), source }.into()
    }
}

/// The Region in the URL of a queue, in either of AWS's forms: `https://sqs.eu-central-1.amazonaws.com/…`, and
/// `https://eu-central-1.queue.amazonaws.com/…`.
fn region_of(url: &str) -> Option<&str> {
    let host = url.strip_prefix("https://")?.split('/').next()?;
    let (first, rest) = host.split_once('.')?;
    if first == "sqs" {
        rest.split_once(".amazonaws.").or(rest.split_once(".api.aws")).map(|(region, _)| region)
    } else {
        rest.starts_with("queue.amazonaws.").then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_queue_says_where_it_is() {
        for (url, region) in [
            ("https://sqs.us-east-1.amazonaws.com/111122223333/q", Some("us-east-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", Some("cn-north-1")),
            ("https://eu-west-1.queue.amazonaws.com/111122223333/q", Some("eu-west-1")),
            ("http://127.0.0.1:4566/111122223333/q", None),
        ] {
            assert_eq!(region_of(url), region, "{url}");
        }
    }

    #[test]
    fn the_event_is_found_in_what_lambda_keeps_with_the_reason() {
        let body = r#"{"version": "1.0", "timestamp": "2026-11-20T12:03:11.000Z",
            "requestContext": {"requestId": "1", "functionArn": "arn:aws:lambda:eu-central-1:111122223333:function:triage:$LATEST",
                "condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": {"detail-type":  "Inspector2 Finding"},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorType": "StoreFailed", "errorMessage": "a call\nto the table failed"}}"#;
        let failed = FailedEvent::of_body(body);
        assert_eq!(failed.event, r#"{"detail-type":  "Inspector2 Finding"}"#);
        assert_eq!(
            failed.why.as_deref(),
            Some("RetriesExhausted after 3 invocations: StoreFailed: a call to the table failed")
        );
        assert_eq!(
            failed.function.as_deref(),
            Some("arn:aws:lambda:eu-central-1:111122223333:function:triage")
        );
    }

    #[test]
    fn an_event_that_was_never_invoked_for_has_its_condition_alone() {
        let body = r#"{"requestContext": {"condition": "EventAgeExceeded"}, "requestPayload": {}}"#;
        assert_eq!(FailedEvent::of_body(body).why.as_deref(), Some("EventAgeExceeded"));
    }

    #[test]
    fn what_eventbridge_keeps_is_the_event_with_the_reason_beside_it() {
        let attribute = |text: &str| {
            aws_sdk_sqs::types::MessageAttributeValue::builder()
                .data_type("String")
                .string_value(text)
                .build()
                .unwrap()
        };
        let message = Message::builder()
            .body(r#"{"detail-type": "Inspector2 Finding"}"#)
            .message_attributes("ERROR_CODE", attribute("NO_PERMISSIONS"))
            .message_attributes("ERROR_MESSAGE", attribute("not authorized"))
            .message_attributes("TARGET_ARN", attribute("arn:aws:lambda:function"))
            .build();
        let failed = FailedEvent::of(&message);
        assert_eq!(failed.event, r#"{"detail-type": "Inspector2 Finding"}"#);
        assert_eq!(failed.why.as_deref(), Some("NO_PERMISSIONS: not authorized"));
        assert_eq!(failed.function.as_deref(), Some("arn:aws:lambda:function"));
    }
}
