//! What people read: a record put into words.
//!
//! Wording lives in `templates/`, one file a message and language, checked when the program is
//! built. What a template shows is prepared here and has been through [`crate::domain::text`]: nothing
//! that a stranger wrote reaches a reader alive.

mod chat;
mod data;
mod deed;
mod email;
mod facts;
mod links;
mod lists;
mod reason;
mod remedy;
mod subject;
mod summary;

use std::{fmt, ops::Range};

use jiff::{Timestamp, tz::Offset};

pub use reason::reason;

use deed::deed;
use email::fit;
use summary::Summary;

use crate::domain::{
    finding::Finding,
    record::{Audience, Record, Why},
    text,
};

/// The languages messages come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// A message as it is handed to SNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line of printable ASCII, at most 99 characters, for e-mail.
    pub subject: Option<String>,
    /// The text.
    pub body: String,
    /// What subscriptions can filter by; at most 10, no empty value.
    pub attributes: Vec<(&'static str, String)>,
}

/// The message that announces `record` to `audience` at `at`, for the reason `why`.
pub fn alert(
    audience: Audience,
    record: &Record,
    why: Why,
    at: Timestamp,
    language: Language,
) -> Message {
    match audience {
        Audience::Email => email::alert(record, why, language),
        Audience::Chat => chat::alert(record, why, at, language),
        Audience::Data => data::alert(record, why, at, language),
    }
}

/// The messages that sum `news` up for `audience`, as of `at`, each with the places in `news` of the
/// findings that it has. One, but for programs, which get every finding, however many that are.
pub fn summary(
    audience: Audience,
    news: &[(&Record, Why)],
    at: Timestamp,
    language: Language,
) -> Vec<(Message, Range<usize>)> {
    let summary = &Summary::new(news, at);
    match audience {
        Audience::Email => vec![(summary::email(summary, language), 0..news.len())],
        Audience::Chat => vec![(chat::summary(summary, language), 0..news.len())],
        Audience::Data => data::summary(summary, language),
    }
}

/// What subscriptions can filter by.
fn attributes(record: &Record, why: Why) -> Vec<(&'static str, String)> {
    let (priority, severity) = (record.assessment.priority.as_str(), &record.finding.severity);
    filters(priority, severity.as_str(), properties(&record.finding), why.as_str())
}

/// What a finding has that several can have in common.
type Properties<'a> = [(&'static str, &'a str); 5];

fn properties(finding: &Finding) -> Properties<'_> {
    let resource = finding.resource();
    let fix = finding.fix_available.as_ref();
    [
        ("account", &finding.account),
        ("region", finding.region.as_deref().unwrap_or_default()),
        ("resource_type", resource.map_or("", |resource| resource.kind.as_str())),
        ("finding_type", finding.kind.as_str()),
        ("fix_available", fix.map_or("UNKNOWN", |fix| fix.as_str())),
    ]
}

/// Attributes that SNS takes: short lines, none empty.
fn filters(
    priority: &str,
    severity: &str,
    properties: Properties<'_>,
    reason: &str,
) -> Vec<(&'static str, String)> {
    let urgency = [("priority", priority), ("severity", severity)];
    let all = urgency.into_iter().chain(properties).chain([("reason", reason)]);
    all.map(|(name, value)| (name, text::cut_bytes(&text::line(value), 128)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// A moment as people read it: `2026-11-21 14:05 UTC`.
pub(crate) fn moment(time: Timestamp) -> impl fmt::Display {
    Offset::UTC.to_datetime(time).strftime("%Y-%m-%d %H:%M UTC")
}

/// One line of a stranger's text, harmless, of at most `max` characters.
pub(crate) fn safe(text: &str, max: usize) -> String {
    text::defused(&text::short(text, max))
}
