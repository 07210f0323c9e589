//! What people read: a record put into words, for each audience.

mod attributes;
mod chat;
mod data;
mod email;
mod plain;
mod reminder;
mod review;
mod subject;
mod summary;

use std::{collections::BTreeMap, ops::Range};

use jiff::Timestamp;

pub use attributes::Attribute;
use email::fit;
pub use plain::{plain, plain_records};
pub use reminder::{Reminded, reminder};
pub use review::review;
pub(super) use subject::packages;
use summary::Summary;

use super::{Language, Style};
use crate::domain::{
    assess::Priority,
    record::{AlertReason, Audience, Record},
    round::Owed,
};

/// A message as it is handed to SNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line of printable ASCII, at most 99 characters, for e-mail.
    pub subject: Option<String>,
    /// The text.
    pub body: String,
    /// What subscriptions can filter by; at most 10, no empty value.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// The message that announces `record` to `audience` at `at`, for the reason `why`.
pub fn alert(
    audience: Audience,
    record: &Record,
    why: AlertReason,
    at: Timestamp,
    style: &Style,
) -> Message {
    match audience {
        Audience::Email => email::alert(record, why, style),
        Audience::Chat => chat::alert(record, why, at, style),
        Audience::Data => data::alert(record, why, at, style),
    }
}

/// The messages about very many findings at once, `by_priority`, with the most urgent of them, as of `at`: all that were there
/// before anybody was told of any, or all that a new model of EPSS has moved. One, but for programs, which get each finding of
/// the most urgent.
pub fn of_very_many(
    what: Owed,
    audience: Audience,
    by_priority: &BTreeMap<Priority, usize>,
    most_urgent: &[&Record],
    at: Timestamp,
    style: &Style,
) -> Vec<Message> {
    let why = match what {
        Owed::First => AlertReason::New,
        Owed::NewModel => AlertReason::PriorityRaised,
    };
    let news: Vec<_> = most_urgent.iter().map(|record| (*record, why)).collect();
    let summary = &Summary::new(&news, at).of_all(what, by_priority);
    match audience {
        Audience::Email => vec![summary::email(summary, style)],
        Audience::Chat => vec![chat::summary(summary, style)],
        Audience::Data => {
            data::summary(summary, style).into_iter().map(|(message, _)| message).collect()
        }
    }
}

/// The messages that tell programs how findings ended, as of `at`, each with the places in `records` of those that it has.
pub fn ended(records: &[&Record], at: Timestamp, style: &Style) -> Vec<(Message, Range<usize>)> {
    data::ended(records, at, style)
}

/// The messages that sum `news` up for `audience`, as of `at`, each with the places in `news` of the
/// findings that it has. One, but for programs, which get every finding, however many that are.
pub fn summary(
    audience: Audience,
    news: &[(&Record, AlertReason)],
    at: Timestamp,
    style: &Style,
) -> Vec<(Message, Range<usize>)> {
    let summary = &Summary::new(news, at);
    match audience {
        Audience::Email => vec![(summary::email(summary, style), 0..news.len())],
        Audience::Chat => vec![(chat::summary(summary, style), 0..news.len())],
        Audience::Data => data::summary(summary, style),
    }
}
