//! What subscriptions can filter by.

use std::collections::BTreeSet;

use super::Style;
use crate::domain::{
    finding::Severity,
    record::{AlertReason, Record},
    review::Review,
    text,
    threat::Catalogue,
};

/// The value of an attribute: short lines, none empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// One.
    One(String),
    /// All that is in a summary. A filter matches if it has one of them.
    Each(Vec<String>),
}

/// What an alert can be filtered by.
pub fn alert(record: &Record, why: AlertReason, style: &Style) -> Vec<(&'static str, Attribute)> {
    let (priority, severity) = (record.priority().as_str(), &record.finding.severity);
    let urgency = [("priority", priority), ("severity", severity.as_str())];
    let properties = properties(record, style);
    let all = urgency.into_iter().chain(properties).chain([("reason", why.as_str())]);
    all.filter_map(|(name, value)| Some((name, Attribute::One(short(value)?)))).collect()
}

/// What a summary can be filtered by: the highest priority and severity in it, and each value of what its findings can
/// have in common. So a filter hears of exactly those summaries that have something of it.
pub fn summary(news: &[(&Record, AlertReason)], style: &Style) -> Vec<(&'static str, Attribute)> {
    let records = || news.iter().map(|(record, _)| *record);
    let priority = records().map(Record::priority).max();
    let severities = records().map(|record| &record.finding.severity);
    let severity = severities.max_by_key(|severity| severity.rank());
    let urgency = [
        ("priority", priority.map_or("", |priority| priority.as_str())),
        ("severity", severity.map_or("", Severity::as_str)),
        ("reason", "summary"),
    ];
    let one = |(name, value)| Some((name, Attribute::One(short(value)?)));
    let mut attributes: Vec<_> = urgency.into_iter().filter_map(one).collect();
    attributes.extend(in_common(records(), style));
    attributes
}

/// What a message about ends can be filtered by. It has no priority: what has ended is urgent to nobody.
pub fn ended(records: &[&Record], style: &Style) -> Vec<(&'static str, Attribute)> {
    let reason = ("reason", Attribute::One("ended".to_owned()));
    let in_common = in_common(records.iter().copied(), style);
    [reason].into_iter().chain(in_common).collect()
}

/// What a review can be filtered by: who has something open or answers for an exception to look at, and where. It has no
/// priority, so that nobody who is on call is woken by it.
pub fn review(review: &Review) -> Vec<(&'static str, Attribute)> {
    let owners = review.owners.iter().filter_map(|owner| owner.owner.as_deref());
    let answering = review.exceptions.attention.iter().map(|one| one.owner.as_str());
    let accounts = review.accounts.iter().map(String::as_str);
    told_to("review", owners.chain(answering), accounts)
}

/// What a message can be filtered by that is for these owners, about something in these accounts.
pub fn told_to<'a>(
    reason: &str,
    owners: impl Iterator<Item = &'a str>,
    accounts: impl Iterator<Item = &'a str>,
) -> Vec<(&'static str, Attribute)> {
    let each = |values: BTreeSet<String>| Attribute::Each(values.into_iter().collect());
    let owners: BTreeSet<String> = owners.filter_map(short).collect();
    let accounts: BTreeSet<String> = accounts.filter_map(short).take(MOST_ACCOUNTS).collect();
    let all = [("owner", owners), ("account", accounts)];
    let all = all.into_iter().filter(|(_, values)| !values.is_empty());
    let reason = ("reason", Attribute::One(reason.to_owned()));
    [reason].into_iter().chain(all.map(|(name, values)| (name, each(values)))).collect()
}

/// How many accounts a message names in its attributes: SNS takes 256 KiB with these.
const MOST_ACCOUNTS: usize = 1_000;

/// Each value of what findings can have in common.
fn in_common<'a>(
    records: impl Iterator<Item = &'a Record>,
    style: &Style,
) -> Vec<(&'static str, Attribute)> {
    let all: Vec<_> = records.map(|record| properties(record, style)).collect();
    let mut attributes = Vec::new();
    for place in 0..PROPERTIES {
        let values: BTreeSet<String> =
            all.iter().filter_map(|properties| short(properties[place].1)).collect();
        if let (Some(first), false) = (all.first(), values.is_empty()) {
            attributes.push((first[place].0, Attribute::Each(values.into_iter().collect())));
        }
    }
    attributes
}

/// Whether CISA's catalogue has the vulnerability, as far as is known.
pub fn known_exploited(record: &Record) -> Option<bool> {
    match &record.threat.as_ref()?.catalogue {
        Catalogue::Listed(_) => Some(true),
        Catalogue::NotListed => Some(false),
        Catalogue::Unknown => None,
    }
}

const PROPERTIES: usize = 7;

/// What a finding has that several can have in common; empty where that is not known.
fn properties<'a>(record: &'a Record, style: &Style) -> [(&'static str, &'a str); PROPERTIES] {
    let finding = &record.finding;
    let known_exploited = match known_exploited(record) {
        Some(true) => "true",
        Some(false) => "false",
        None => "",
    };
    let resource = finding.resource();
    let fix = finding.fix_available.as_ref();
    [
        ("account", &finding.account),
        ("region", finding.region.as_deref().unwrap_or_default()),
        ("owner", finding.owner(&style.owner_tags).unwrap_or_default()),
        ("resource_type", resource.map_or("", |resource| resource.kind.as_str())),
        ("finding_type", finding.kind.as_str()),
        ("fix_available", fix.map_or("UNKNOWN", |fix| fix.as_str())),
        ("known_exploited", known_exploited),
    ]
}

/// A value as SNS takes it, unless there is none.
fn short(value: &str) -> Option<String> {
    Some(text::cut_bytes(&text::line(value), 128)).filter(|value| !value.is_empty())
}
