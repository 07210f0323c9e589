//! What became of a finding, in words. English, as the command line is.

use jiff::SignedDuration;

use crate::{
    domain::{
        evidence::{Entry, Outcome},
        finding::FixAvailable,
        record::How,
    },
    render::{
        view::safe,
        words::{Day, number_of, why_uncovered},
    },
};

/// Days of 24 hours that have begun: an hour late is one day late.
pub fn days_begun(time: SignedDuration) -> i64 {
    let hours = time.as_hours() + i64::from(time > SignedDuration::from_hours(time.as_hours()));
    hours / 24 + i64::from(hours % 24 > 0)
}

/// The same in words.
pub fn days_late(time: SignedDuration) -> String {
    number_of(days_begun(time).unsigned_abs(), "day")
}

/// That a finding was open after its due date, for how long, and what is known of why; none if it was not.
pub fn breach(entry: &Entry) -> Option<String> {
    let late = entry.late?;
    let days = days_late(late.by());
    let until = match late.then {
        Outcome::Open if entry.is_overdue => "still open",
        Outcome::Open => "then given more time",
        Outcome::Excepted => "then accepted",
        Outcome::NeverOpen => "then hidden",
        Outcome::Ended(how) => how_ended(how),
    };
    let fix = fix(entry.state.facts.fix.as_ref());
    Some(format!("{days} late, {until}; {fix}; {}", cover(entry)))
}

/// Whether there was a fix.
fn fix(fix: Option<&FixAvailable>) -> &'static str {
    match fix {
        Some(FixAvailable::Yes) => "there was a fix",
        Some(FixAvailable::Partial) => "there was a fix for some of the packages",
        Some(FixAvailable::No) => "there was no fix",
        Some(FixAvailable::Other(_)) | None => "whether there was a fix is not known",
    }
}

/// How a finding ended, in few words.
pub fn how_ended(how: How) -> &'static str {
    match how {
        How::Fixed => "then fixed",
        How::Gone => "then its resource was gone",
        How::Unobserved => "then no longer looked at",
        How::Suppressed => "then hidden by a suppression rule",
        How::Unknown => "then closed, nobody knows how",
    }
}

/// What the exception said that covered it.
fn cover(entry: &Entry) -> String {
    let Some(one) = &entry.exception else { return "no exception covered it".to_owned() };
    let id = safe(&one.id, 64);
    match one.ended {
        None => format!("exception {id} covered it from {} on", Day(&one.since)),
        Some(ended) => {
            let why = why_uncovered(ended.why);
            format!("exception {id} covered it until {}: {why}", Day(&ended.at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_has_begun_counts() {
        let days = |seconds| days_begun(SignedDuration::from_secs(seconds));
        assert_eq!([days(0), days(1), days(86_400), days(86_401)], [0, 1, 1, 2]);
    }
}
