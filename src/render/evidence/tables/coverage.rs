//! What was not looked at.

use super::{NAME, moment, perhaps_at, yes};
use crate::{
    domain::{coverage::Subject, evidence::Unobserved},
    render::{view::safe, words},
};

pub const COLUMNS: [&str; 11] = [
    "account",
    "resourceType",
    "resource",
    "scan",
    "reason",
    "meaning",
    "partly",
    "firstSeenAt",
    "from",
    "until",
    "tags",
];

pub fn row(unobserved: &Unobserved) -> [String; COLUMNS.len()] {
    let gap = &unobserved.gap;
    let name = |text: &str| safe(text, NAME);
    let (kind, id) = match &gap.subject {
        Subject::Account => ("ACCOUNT", &gap.account),
        Subject::Resource { kind, id } => (kind.as_str(), id),
    };
    let tags: Vec<String> = gap.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    [
        name(&gap.account),
        name(kind),
        name(id),
        name(if gap.scan.is_empty() { "all" } else { &gap.scan }),
        name(&gap.reason),
        words::coverage::gap(gap).meaning.to_owned(),
        yes(gap.is_partial),
        moment(gap.since),
        moment(unobserved.from),
        perhaps_at(unobserved.until),
        name(&tags.join(", ")),
    ]
}
