//! What people read: a record put into words.
//!
//! Wording lives in `templates/`, one file a message and language, checked when the program is
//! built. What a template shows is prepared here and has been through [`crate::text`]: nothing
//! that a stranger wrote reaches a reader alive.

mod email;
mod facts;
mod links;
mod subject;

use std::fmt;

use jiff::{Timestamp, tz::Offset};

pub use email::{email, reason};

use crate::{
    finding::Finding,
    record::{Record, Why},
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
    /// One line of printable ASCII, at most 99 characters.
    pub subject: String,
    /// The text.
    pub body: String,
    /// What subscriptions can filter by; at most 10, no empty value.
    pub attributes: Vec<(&'static str, String)>,
}

/// What subscriptions can filter by.
pub(crate) fn attributes(record: &Record, why: Why) -> Vec<(&'static str, String)> {
    let Finding { severity, account, kind, .. } = &record.finding;
    let resource = record.finding.resource();
    let fix = record.finding.fix_available.as_ref().map_or("UNKNOWN", |fix| fix.as_str());
    let region = record.finding.region.as_deref();
    [
        ("priority", record.assessment.priority.as_str()),
        ("severity", severity.as_str()),
        ("account", account),
        ("region", region.unwrap_or_default()),
        ("resource_type", resource.map_or("", |resource| resource.kind.as_str())),
        ("finding_type", kind.as_str()),
        ("fix_available", fix),
        ("reason", why.as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name, text::cut_bytes(&text::line(value), 128)))
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

/// A moment as people read it: `2026-11-21 14:05 UTC`.
pub(crate) fn moment(time: Timestamp) -> impl fmt::Display {
    Offset::UTC.to_datetime(time).strftime("%Y-%m-%d %H:%M UTC")
}

/// One line of a stranger's text, harmless, of at most `max` characters.
pub(crate) fn short(text: &str, max: usize) -> String {
    text::defused(&text::cut_chars(&text::line(text), max))
}
