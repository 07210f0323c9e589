//! What a tracker answers, and what that means.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::http::Request;
use crate::{
    app::{TrackerFailed, Trouble},
    domain::text,
};

/// The longest time that a tracker is left alone for, whatever it says: it says it again if need be.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(24);
/// How much of what a tracker says is passed on, in characters.
const MAX_SAID: usize = 300;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// For how long the tracker wants to be left alone.
    retry_after: Option<SignedDuration>,
    /// Whether a 403 is about how much was asked.
    is_limit: bool,
    /// Jira answers who has a wrong token as it does anybody, with no word of it but a header.
    is_anonymous: bool,
    body: Vec<u8>,
}

/// What a tracker said instead of doing something.
#[derive(Debug, thiserror::Error)]
#[error("HTTP {status}: {said}")]
struct Refused {
    status: u16,
    said: String,
}

impl Answer {
    /// An answer with the headers `retry-after`, `date`, `x-ratelimit-remaining`, `x-ratelimit-reset` and
    /// `x-seraph-loginreason`.
    pub fn new(status: u16, headers: [Option<String>; 5], body: Vec<u8>) -> Self {
        let [retry_after, date, remaining, reset, login] = headers;
        let now = date.as_deref().and_then(moment);
        let until = |moment: Timestamp| now.map(|now| moment.duration_since(now));
        let is_exhausted = remaining.as_deref() == Some("0");
        let asked = retry_after.as_deref().and_then(|text| match text.trim().parse() {
            Ok(seconds) => Some(SignedDuration::from_secs(seconds)),
            Err(_) => moment(text).and_then(until),
        });
        let renewed = || {
            let reset = reset.filter(|_| is_exhausted)?.parse().ok()?;
            Timestamp::from_second(reset).ok().and_then(until)
        };
        let wait = asked.or_else(renewed);
        Self {
            status,
            retry_after: wait.map(|wait| wait.clamp(SignedDuration::ZERO, MAX_WAIT)),
            is_limit: retry_after.is_some() || is_exhausted,
            is_anonymous: login.is_some_and(|why| why.contains("FAILED") || why.contains("DENIED")),
            body,
        }
    }

    /// Whether the token was not taken.
    pub fn is_unauthorized(&self) -> bool {
        self.status == 401 || self.is_anonymous
    }

    /// The answer, if what was asked was done.
    pub fn done(self, request: &Request<'_>) -> Result<Self, TrackerFailed> {
        match self.trouble() {
            None => Ok(self),
            Some(trouble) => Err(self.refused(request, trouble)),
        }
    }

    /// The failure of a request that has this answer.
    pub fn refused(&self, request: &Request<'_>, trouble: Trouble) -> TrackerFailed {
        request.failed(trouble, Refused { status: self.status, said: self.said() })
    }

    /// What the answer means, if it does not say that something was done.
    fn trouble(&self) -> Option<Trouble> {
        Some(match self.status {
            _ if self.is_unauthorized() => Trouble::Unauthorized,
            200..300 => return None,
            429 => Trouble::Busy(self.retry_after),
            403 if self.is_limit || self.said().contains("rate limit") => {
                Trouble::Busy(self.retry_after)
            }
            403 | 404 | 410 => Trouble::Forbidden,
            // The server has waited for the request, or will not say whether it has come before.
            408 | 425 => Trouble::Unknown,
            300..500 => Trouble::Refused,
            _ => Trouble::Unknown,
        })
    }

    /// What is in the answer.
    pub fn json<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T, TrackerFailed> {
        serde_json::from_slice(&self.body).map_err(|error| request.failed(Trouble::Unknown, error))
    }

    /// The fields that are wrong with a request, where nothing else is: `errors` of Jira.
    pub fn wrong_fields(&self) -> Vec<String> {
        let body = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let is_more = body["errorMessages"].as_array().is_some_and(|all| !all.is_empty());
        let errors = body["errors"].as_object().filter(|_| !is_more);
        errors.into_iter().flat_map(|errors| errors.keys().cloned()).collect()
    }

    /// What a tracker says is wrong, made harmless: `errorMessages` and `errors` of Jira, `message` and `errors` of GitHub.
    fn said(&self) -> String {
        let body = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let mut said = Vec::new();
        said.extend(body["message"].as_str().map(str::to_owned));
        for field in ["errorMessages", "errors"] {
            match &body[field] {
                Value::Array(all) => {
                    said.extend(all.iter().map(|one| match one.as_str() {
                        Some(text) => text.to_owned(),
                        None => one.to_string(),
                    }));
                }
                Value::Object(all) => {
                    let text = |one: &Value| one.as_str().unwrap_or_default().to_owned();
                    said.extend(all.iter().map(|(field, one)| format!("{field}: {}", text(one))));
                }
                _ => {}
            }
        }
        if said.is_empty() {
            return "it does not say why".to_owned();
        }
        text::short(&said.join("; "), MAX_SAID)
    }
}

/// A moment as HTTP writes it.
fn moment(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let names = [
            "retry-after",
            "date",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "x-seraph-loginreason",
        ];
        let header = |name: &str| {
            headers.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned())
        };
        Answer::new(status, names.map(header), body.as_bytes().to_vec())
    }

    fn trouble(status: u16, headers: &[(&str, &str)]) -> Option<Trouble> {
        answer(status, headers, "").trouble()
    }

    const DATE: (&str, &str) = ("date", "Sat, 28 Nov 2026 03:00:00 GMT");

    #[test]
    fn each_status_has_its_meaning() {
        for status in [200, 201, 204] {
            assert_eq!(trouble(status, &[]), None);
        }
        assert_eq!(trouble(401, &[]), Some(Trouble::Unauthorized));
        for status in [403, 404, 410] {
            assert_eq!(trouble(status, &[]), Some(Trouble::Forbidden), "{status}");
        }
        for status in [301, 302, 307, 308, 400, 405, 409, 413, 422] {
            assert_eq!(trouble(status, &[]), Some(Trouble::Refused), "{status}");
        }
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(trouble(status, &[]), Some(Trouble::Unknown), "{status}");
        }
        assert_eq!(trouble(429, &[]), Some(Trouble::Busy(None)));
    }

    #[test]
    fn a_tracker_says_in_three_ways_for_how_long_it_wants_to_be_left_alone() {
        let busy = |seconds| Some(Trouble::Busy(Some(SignedDuration::from_secs(seconds))));
        assert_eq!(trouble(429, &[("retry-after", "30")]), busy(30));
        let date = ("retry-after", "Sat, 28 Nov 2026 03:02:00 GMT");
        assert_eq!(trouble(429, &[date, DATE]), busy(120));
        assert_eq!(trouble(429, &[date]), Some(Trouble::Busy(None)), "by no clock");
        let (none, reset) = (("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795836600"));
        assert_eq!(trouble(403, &[none, reset, DATE]), busy(1800));
        assert_eq!(
            trouble(403, &[("x-ratelimit-remaining", "7"), reset, DATE]),
            Some(Trouble::Forbidden)
        );
        assert_eq!(trouble(403, &[("retry-after", "60")]), busy(60));
        let past = ("retry-after", "Sat, 28 Nov 2026 02:02:00 GMT");
        assert_eq!(trouble(429, &[past, DATE]), busy(0));
        assert_eq!(trouble(429, &[("retry-after", "100000")]), busy(86_400));
        assert_eq!(trouble(429, &[("retry-after", "soon")]), Some(Trouble::Busy(None)));
        let said = answer(403, &[], r#"{"message": "You have exceeded a secondary rate limit."}"#);
        assert_eq!(said.trouble(), Some(Trouble::Busy(None)));
    }

    #[test]
    fn who_is_taken_for_nobody_has_no_token() {
        let login = ("x-seraph-loginreason", "AUTHENTICATED_FAILED");
        for status in [200, 404] {
            assert_eq!(trouble(status, &[login]), Some(Trouble::Unauthorized));
        }
        assert_eq!(trouble(200, &[("x-seraph-loginreason", "OK")]), None);
    }

    #[test]
    fn what_a_tracker_says_is_harmless_and_short() {
        let jira =
            r#"{"errorMessages": ["no\u001b[31m"], "errors": {"duedate": "not on\nthe screen"}}"#;
        assert_eq!(answer(400, &[], jira).said(), "no; duedate: not on the screen");
        let github = r#"{"message": "Validation Failed", "errors": [{"field": "title"}, "b"]}"#;
        assert_eq!(answer(422, &[], github).said(), r#"Validation Failed; {"field":"title"}; b"#);
        assert_eq!(answer(502, &[], "<html>").said(), "it does not say why");
        let long = format!(r#"{{"message": "{}"}}"#, "x".repeat(900));
        assert_eq!(answer(400, &[], &long).said().chars().count(), MAX_SAID);
    }
}
