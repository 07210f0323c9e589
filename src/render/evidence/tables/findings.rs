//! The findings of a period, each once.

use super::{NAME, moment, perhaps, perhaps_at, whole_days, yes};
use crate::{
    domain::{
        evidence::{Entry, Outcome},
        finding::FixAvailable,
    },
    render::{evidence::words, view::safe},
};

pub const COLUMNS: [&str; 42] = [
    "findingArn",
    "problem",
    "title",
    "type",
    "fix",
    "resourceType",
    "resourceId",
    "resource",
    "account",
    "region",
    "owner",
    "firstObservedAt",
    "openedAt",
    "recordedAt",
    "firstToldAt",
    "openAtStart",
    "severity",
    "priority",
    "score",
    "policy",
    "exploitAvailable",
    "knownExploited",
    "inCatalogueSince",
    "fixAvailable",
    "dueAt",
    "state",
    "endedHow",
    "endedWhy",
    "endedAt",
    "endRecordedAt",
    "endExplainedAt",
    "daysOpen",
    "lateDays",
    "late",
    "exception",
    "exceptionDecision",
    "exceptionSince",
    "exceptionExpiresAt",
    "exceptionEndedAt",
    "exceptionEnded",
    "timesOpened",
    "basis",
];

pub fn row(entry: &Entry) -> [String; COLUMNS.len()] {
    let Entry { subject, state, .. } = entry;
    let facts = &state.facts;
    let end = state.end.as_deref();
    let exception = entry.exception.as_ref();
    let listing = subject.listing.as_ref().filter(|_| facts.known_exploited);
    let (state_word, how) = match entry.outcome {
        Outcome::Open => ("open", ""),
        Outcome::Excepted => ("excepted", ""),
        Outcome::Ended(how) => ("ended", how.as_str()),
        Outcome::NeverOpen => ("hidden", ""),
    };
    let name = |text: &str| safe(text, NAME);
    [
        name(&subject.arn),
        name(&subject.problem),
        subject.title.as_deref().map(name).unwrap_or_default(),
        name(&subject.kind),
        name(&subject.fix),
        name(&subject.resource_type),
        name(&subject.resource_id),
        name(&subject.resource),
        name(&subject.account),
        subject.region.as_deref().map(name).unwrap_or_default(),
        subject.owner.as_deref().map(name).unwrap_or_default(),
        perhaps_at(subject.first_observed_at),
        perhaps_at(state.life.and_then(|life| life.opened_at)),
        moment(entry.first_seen_at),
        perhaps_at(entry.first_told_at),
        yes(entry.was_open),
        name(facts.severity.as_str()),
        facts.priority.as_str().to_owned(),
        state.score.to_string(),
        name(&state.policy),
        yes(facts.exploit),
        yes(facts.known_exploited),
        perhaps_at(listing.and_then(|listing| listing.added)),
        facts.fix.as_ref().map(FixAvailable::as_str).map(name).unwrap_or_default(),
        perhaps_at(state.due_at()),
        state_word.to_owned(),
        how.to_owned(),
        end.and_then(|end| end.reason.as_deref()).map(name).unwrap_or_default(),
        perhaps_at(entry.ended_at()),
        perhaps_at(end.map(|end| end.at)),
        perhaps_at(end.and_then(|end| end.explained_at)),
        perhaps(entry.open_for().map(whole_days)),
        perhaps(entry.late_by.map(words::days_begun)),
        words::breach(entry).unwrap_or_default(),
        exception.map(|one| name(&one.id)).unwrap_or_default(),
        perhaps(exception.map(|one| one.decision.as_str())),
        perhaps_at(exception.map(|one| one.since)),
        perhaps(exception.map(|one| one.terms.expires_at)),
        perhaps_at(exception.and_then(|one| one.ended).map(|ended| ended.at)),
        perhaps(exception.and_then(|one| one.ended).map(|ended| ended.why.as_str())),
        perhaps(state.life.map(|life| life.opening)),
        if entry.is_inferred { "later" } else { "history" }.to_owned(),
    ]
}
