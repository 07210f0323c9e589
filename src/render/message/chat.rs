//! The message for a chat: a custom notification of Amazon Q Developer in chat applications.
//!
//! Its form: <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>. What does
//! not have it is dropped without a word. Limits that clients of it keep to: a title of 250
//! characters, a description of 8,000, a next step of 350, a keyword of 75.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Language, Message, Style,
    attributes::{self, Attribute},
    subject,
    summary::{self, Summary},
};
use crate::{
    domain::{
        announce,
        finding::Finding,
        ledger::{Decision, WhyEnded},
        record::{AlertReason, Record},
        text,
    },
    render::{
        view::{AlertView, Page, safe},
        words::{self, what_to_do, wording},
    },
};

/// We stay below them, because making text harmless can make it longer.
const TITLE: usize = 200;
const DESCRIPTION: usize = 7_500;
const STEP: usize = 300;
const STEPS: usize = 5;
const KEYWORD: usize = 60;
/// No limit is known; a thread's name has to be the same for the same problem, and short.
const THREAD: usize = 100;

/// The notification.
#[derive(Serialize)]
struct Notification<'a> {
    version: &'static str,
    source: &'static str,
    id: String,
    content: Content<'a>,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    text_type: &'static str,
    title: &'a str,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next_steps: Vec<String>,
    keywords: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    thread_id: String,
    summary: &'a str,
    event_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_resources: Vec<String>,
    additional_context: BTreeMap<&'static str, String>,
}

wording! {
    fn in_words<'a>(alert: &'a AlertView) by "en/chat.txt", "ja/chat.txt"
}

/// The notification that announces a record, for the reason `why`. Findings of one problem share a
/// thread.
pub fn alert(record: &Record, why: AlertReason, at: Timestamp, style: &Style) -> Message {
    let language = style.language;
    let alert = &AlertView::new(record, why, style);
    let finding = &record.finding;
    let title = &fitting(&subject::line_of(record), TITLE);
    let description = in_words(alert, language);
    let steps = std::iter::once(what_to_do(alert, language)).chain(alert.advice.iter().cloned());
    let words = [alert.priority, finding.severity.as_str(), why.as_str(), &finding.account];
    let keywords = std::iter::once(alert.problem.clone()).chain(words.map(str::to_owned));
    let content = Content {
        next_steps: steps.take(STEPS).map(|step| fitting(&step, STEP)).collect(),
        keywords: keywords.map(|word| safe(&word, KEYWORD)).collect(),
        ..Content::new(title, &description)
    };
    let metadata = Metadata {
        thread_id: thread(finding),
        summary: title,
        event_type: "finding",
        related_resources: finding.resources.iter().map(|r| safe(&r.id, TITLE)).collect(),
        additional_context: BTreeMap::from([
            ("account", alert.place.account.clone()),
            ("findingArn", alert.arn.clone()),
            ("priority", alert.priority.to_owned()),
            ("score", alert.score.to_string()),
        ]),
    };
    let id = format!("{} {} {at}", alert.arn, why.as_str());
    notification(id, content, metadata, attributes::alert(record, why, style))
}

/// The notification that sums findings up.
pub fn summary(summary: &Summary<'_>, style: &Style) -> Message {
    let title = &fitting(&summary.title(), TITLE);
    let content = Content {
        keywords: vec![summary.priority().to_owned(), "summary".to_owned()],
        ..Content::new(title, &summary.text(style.language, summary::SHOWN_IN_CHAT))
    };
    let metadata = Metadata {
        thread_id: "summaries".to_owned(),
        summary: title,
        event_type: "summary",
        related_resources: Vec::new(),
        additional_context: BTreeMap::from([("findings", summary.count().to_string())]),
    };
    let id = format!("summary {}", summary.at);
    notification(id, content, metadata, attributes::summary(summary.news, style))
}

/// The notification that has `text` under a title, about more than some findings: what `kind` of message it is, and the thread
/// that it belongs to.
pub fn report(
    id: String,
    thread: &str,
    kind: &'static str,
    title: &str,
    text: &str,
    attributes: Vec<(&'static str, Attribute)>,
) -> Message {
    let title = &fitting(title, TITLE);
    let content = Content { keywords: vec![kind.to_owned()], ..Content::new(title, text) };
    let metadata = Metadata {
        thread_id: thread.to_owned(),
        summary: title,
        event_type: kind,
        related_resources: Vec::new(),
        additional_context: BTreeMap::new(),
    };
    notification(id, content, metadata, attributes)
}

impl<'a> Content<'a> {
    fn new(title: &'a str, description: &str) -> Self {
        Self {
            text_type: "client-markdown",
            title,
            description: fitting(description.trim_end(), DESCRIPTION),
            next_steps: Vec::new(),
            keywords: Vec::new(),
        }
    }
}

/// Text that fits. What is cut in two is looked at once more: `@here-maps` can become `@here…`.
fn fitting(text: &str, most: usize) -> String {
    text::strip_markup(&text::cut_chars(text, most))
}

/// What names the thread of a finding's problem.
fn thread(finding: &Finding) -> String {
    safe(&announce::problem_key(finding), THREAD)
}

fn notification(
    id: String,
    content: Content<'_>,
    metadata: Metadata<'_>,
    attributes: Vec<(&'static str, Attribute)>,
) -> Message {
    let notification = Notification { version: "1.0", source: "custom", id, content, metadata };
    // Strings, and maps with keys that are strings: this cannot fail.
    let body = serde_json::to_string(&notification).unwrap_or_default();
    Message { subject: None, body, attributes }
}
