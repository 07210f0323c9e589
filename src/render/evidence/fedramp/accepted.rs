//! What is an accepted vulnerability, and why.

use jiff::{SignedDuration, Timestamp};

use super::{
    ACCEPTED_AFTER_DAYS,
    entry::open_since,
    sentences::{Sentences, days},
};
use crate::{
    domain::{
        evidence::{Entry, Evidence, Outcome, Period, What},
        ledger::{Decision, Exception},
        record::{Excepted, How},
    },
    render::view::safe,
};

/// How many compensating controls are named.
const CONTROLS: usize = 10;

/// Why a finding is an accepted vulnerability.
#[derive(Debug, PartialEq)]
pub enum Acceptance<'a> {
    /// The risk was taken.
    Decided(&'a Excepted),
    /// It was put off until so many days after it was detected, or has been put off for as long.
    Deferred(&'a Excepted, i64),
    /// Nobody has decided, and it has been there for so many days.
    Undecided(Outcome, i64),
}

impl<'a> Acceptance<'a> {
    /// Why a finding of a period is accepted; none if it is not.
    pub fn of(entry: &'a Entry, period: &Period) -> Option<Self> {
        let days_until = |until: Timestamp| too_long(open_since(entry), until);
        let exception = entry.state.exception().filter(|_| entry.outcome == Outcome::Excepted);
        match (entry.outcome, exception) {
            (Outcome::Excepted, Some(exception)) => match exception.decision {
                Decision::Accept => Some(Self::Decided(exception)),
                Decision::Defer => {
                    let days = days_until(exception.terms.end().max(period.as_of))?;
                    Some(Self::Deferred(exception, days))
                }
                Decision::NotAffected | Decision::FalsePositive => None,
            },
            // Of what Inspector does not look at any more, nobody knows whether it is there.
            (Outcome::Ended(How::Fixed | How::Gone | How::Unobserved | How::Unknown), _) => None,
            (outcome, _) => Some(Self::Undecided(outcome, days_until(period.as_of)?)),
        }
    }

    /// The reason, in words.
    pub fn rationale(&self, decisions: &Decisions<'_>) -> String {
        let mut text = Sentences::default();
        match self {
            Self::Decided(exception) => decisions.tell(exception, &mut text),
            Self::Deferred(exception, days) => {
                decisions.tell(exception, &mut text);
                text.add(format!("It is put off until {days} days after its detection"));
                text.add(by_rule());
            }
            Self::Undecided(outcome, days) => {
                text.add("No decision is recorded");
                let how =
                    if *outcome == Outcome::Open { "open" } else { "hidden, not remediated," };
                text.add(format!("It has been {how} for {days} days"));
                text.add(by_rule());
            }
        }
        text.text()
    }
}

/// How many days there are from one moment to another, if there are more than what is there may have without being accepted.
pub fn too_long(since: Timestamp, until: Timestamp) -> Option<i64> {
    let time = until.duration_since(since);
    (time > SignedDuration::from_hours(24 * ACCEPTED_AFTER_DAYS)).then(|| days(time))
}

/// By which rule what is there for long counts as accepted.
pub fn by_rule() -> String {
    format!(
        "VER-TFR-MAV counts as accepted what is not remediated within {ACCEPTED_AFTER_DAYS} days of its evaluation; when it \
         was evaluated is not recorded, so the days are counted from its detection, or from when it came back"
    )
}

/// What the ledger says of exceptions.
pub struct Decisions<'a>(&'a Evidence);

impl<'a> Decisions<'a> {
    /// Those of the evidence.
    pub fn of(evidence: &'a Evidence) -> Self {
        Self(evidence)
    }

    /// The exception as it was in force when it covered the finding that says so.
    fn in_ledger(&self, excepted: &Excepted) -> Option<&'a Exception> {
        match &self.0.decided(excepted)?.what {
            What::Ledger(exception) => Some(exception),
            What::Finding(_) => None,
        }
    }

    /// Tells what was decided, until when, why, what protects meanwhile, and who agreed.
    pub fn tell(&self, exception: &Excepted, text: &mut Sentences) {
        let (id, until) = (safe(&exception.id, 64), exception.terms.expires_at);
        text.add(match exception.decision {
            Decision::Accept => format!("Exception {id} accepts it until {until}"),
            Decision::Defer => format!("Exception {id} defers it until {until}"),
            Decision::NotAffected => {
                format!("Exception {id} says until {until} that it does no harm here")
            }
            Decision::FalsePositive => {
                format!("Exception {id} says until {until} that it is not there")
            }
        });
        text.add(format!("Reason: {}", safe(&exception.reason, 1_000)));
        let Some(in_ledger) = self.in_ledger(exception) else { return };
        let word = in_ledger.justification.map(|why| why.as_str().replace('_', " "));
        text.add_if(word.map(|word| format!("Justification: {word}")));
        let controls = in_ledger.compensating_controls.iter().take(CONTROLS);
        let controls: Vec<String> =
            controls.map(|control| safe(control, 200).trim_end_matches('.').to_owned()).collect();
        if !controls.is_empty() {
            text.add(format!("Compensating controls: {}", controls.join("; ")));
        }
        let approved_by = in_ledger.approved_by.as_deref();
        text.add_if(approved_by.map(|name| format!("Approved by {}", safe(name, 80))));
    }
}
