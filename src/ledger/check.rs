//! Whether a ledger keeps to a policy, and what of it has ended or is about to.

use std::fmt;

use jiff::{Timestamp, civil::Date};

use super::{Place, Problem, Source, WrittenException, WrittenExclusion};
use crate::domain::{
    assess::Priority,
    ledger::{Condition, Policy, end_of},
    round::day,
};

/// What there is to say of a ledger that could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What the policy does not allow: the ledger is unsound.
    pub problems: Vec<Problem>,
    /// What has ended. The rest is in force.
    pub ended: Vec<Problem>,
    /// What somebody should know.
    pub notes: Vec<Problem>,
}

impl Checked {
    /// Whether it may be put in force.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Checks a ledger at `now` by a policy: its own, or that of the branch that it is to be merged into.
pub fn check(source: &Source, policy: &Policy, now: Timestamp) -> Checked {
    let mut checked = Checked::default();
    for written in &source.exceptions {
        checked.exception(written, policy, now);
    }
    for written in &source.exclusions {
        checked.exclusion(written, policy, now);
    }
    for list in [&mut checked.problems, &mut checked.ended, &mut checked.notes] {
        list.sort();
    }
    checked
}

impl Checked {
    fn exception(&mut self, written: &WrittenException, policy: &Policy, now: Timestamp) {
        let WrittenException { exception, path, .. } = written;
        let name = format!("{path} ({})", exception.id);
        let named = exception.selectors.vulnerabilities.iter().zip(&written.vulnerabilities);
        for (id, place) in named {
            if policy.never.contains(id) {
                self.wrong(
                    *place,
                    &name,
                    format!("no exception may cover {}: policy.never", id.as_str()),
                );
            }
        }
        self.approver(
            written.place,
            written.approved_by,
            exception.approved_by.as_deref(),
            policy,
            &name,
        );
        let terms = &exception.terms;
        let days = exception.created_at.until(terms.expires_at).map_or(0, |span| span.get_days());
        // What no priority ends is accepted as P1, whatever it says.
        let is_limited = terms.ends_if.contains(&Condition::PriorityRaised);
        let accepted = if is_limited { terms.accepted_priority } else { Priority::P1 };
        if let Some(most) = policy.max_days.get(&accepted).filter(|most| days > **most) {
            let what = format!(
                "{days} days from created_at; at most {most} are allowed where {accepted} is accepted"
            );
            self.wrong(written.expires_at, &name, what);
        }
        if !is_limited {
            let what = "no priority ends it: it covers P1, too".to_owned();
            self.note(written.place, &name, what);
        }
        let dates = Dates {
            expires: (terms.expires_at, written.expires_at),
            review: exception.review_at.zip(written.review_at),
        };
        self.dates(&dates, policy, &name, now);
    }

    fn exclusion(&mut self, written: &WrittenExclusion, policy: &Policy, now: Timestamp) {
        let WrittenExclusion { exclusion, path, .. } = written;
        let name = format!("{path} ({})", exclusion.name());
        self.approver(
            written.place,
            written.approved_by,
            exclusion.approved_by.as_deref(),
            policy,
            &name,
        );
        let dates = Dates {
            expires: (exclusion.expires_at, written.expires_at),
            review: exclusion.review_at.zip(written.review_at),
        };
        self.dates(&dates, policy, &name, now);
    }

    fn approver(
        &mut self,
        entry: Place,
        place: Option<Place>,
        approver: Option<&str>,
        policy: &Policy,
        name: &str,
    ) {
        let Some(approvers) = &policy.approvers else { return };
        let allowed = approvers.join(", ");
        match approver {
            None => self.wrong(
                entry,
                name,
                format!("approved_by is missing; expected one of {allowed}"),
            ),
            Some(approver) if !approvers.iter().any(|allowed| allowed == approver) => {
                let what = format!("{approver} may not approve; expected one of {allowed}");
                self.wrong(place.unwrap_or(entry), name, what);
            }
            Some(_) => {}
        }
    }

    fn dates(&mut self, dates: &Dates, policy: &Policy, name: &str, now: Timestamp) {
        let (expires, place) = dates.expires;
        if now >= end_of(expires) {
            let what = format!("{name}: ended with {expires}; remove it, or decide anew");
            self.ended.push(Problem::at(place, what));
            return;
        }
        let left = day(now).until(expires).map_or(0, |span| span.get_days());
        if policy.warn_days.iter().any(|days| left <= *days) {
            let what = match left {
                0 => "ends with today".to_owned(),
                1 => format!("ends tomorrow, with {expires}"),
                left => format!("ends in {left} days, with {expires}"),
            };
            self.note(place, name, what);
        }
        if let Some((review, place)) = dates.review
            && day(now) >= review
        {
            self.note(place, name, format!("was to be reviewed by {review}"));
        }
    }

    fn wrong(&mut self, place: Place, name: &str, what: impl fmt::Display) {
        self.problems.push(Problem::at(place, format!("{name}: {what}")));
    }

    fn note(&mut self, place: Place, name: &str, what: impl fmt::Display) {
        self.notes.push(Problem::at(place, format!("{name}: {what}")));
    }
}

/// The dates of an entry, and where they stand.
struct Dates {
    expires: (Date, Place),
    review: Option<(Date, Place)>,
}
