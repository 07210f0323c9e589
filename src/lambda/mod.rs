//! The function: an event in, a report or a diagnostic out.

pub mod event;
pub mod logs;
pub mod metrics;
pub mod settings;

use std::{
    fmt,
    io::Write,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp, Unit};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{
    adapters::calls::CallRecorder,
    app::{
        Alerts, Attempt, FlushResult, Publisher, Records, Summaries, Triage, TriageResult,
        failure::Failure,
    },
    lambda::{
        event::{Event, FindingEvent},
        metrics::Measurements,
    },
};

/// An event as it came. Reading it never fails, so that what is not JSON is refused by us, with a
/// name and a reason, like every other event that cannot be triaged.
#[derive(Debug)]
pub struct Payload(Result<Box<RawValue>, serde_json::Error>);

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer).map_err(serde::de::Error::custom)))
    }
}

impl Payload {
    /// The JSON text of the event.
    ///
    /// # Errors
    /// [`Failure::NotJson`].
    pub fn json(self) -> Result<Box<RawValue>, Failure> {
        self.0.map_err(Failure::NotJson)
    }
}

/// How long an invocation may still run at `now`, given the deadline that Lambda sets it, in
/// milliseconds since 1970.
///
/// `started` is when it began: a deadline before that is none. `cargo lambda watch` sends such a
/// one.
pub fn time_left(deadline_ms: u64, started: Timestamp, now: Timestamp) -> SignedDuration {
    i64::try_from(deadline_ms)
        .ok()
        .and_then(|deadline| Timestamp::from_millisecond(deadline).ok())
        .filter(|deadline| *deadline > started)
        .map_or(SignedDuration::MAX, |deadline| deadline.duration_since(now))
}

/// What the function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To a finding.
    Finding(TriageResult),
    /// To the schedule.
    Flush(FlushResult),
}

/// Deals with one invocation of the function: handles its event, logs and measures.
///
/// `calls` hears of the calls that the clients of `triage` make; the metrics go to `metrics`.
///
/// # Errors
/// As [`handle`].
pub async fn invoke<S: Records + Alerts + Summaries, P: Publisher>(
    triage: &Triage<S, P>,
    invocation: LambdaEvent<Payload>,
    calls: &CallRecorder,
    clock: impl Fn() -> Timestamp + Send + Sync,
    mut metrics: impl Write,
) -> Result<Response, FunctionError> {
    let LambdaEvent { payload, context } = invocation;
    let began = clock();
    let measured = Mutex::new(Measurements::default());
    let measuring = || measured.lock().unwrap_or_else(PoisonError::into_inner);
    let attempt = Attempt {
        name: &format!("{}@{began}", context.request_id),
        // As fine as Inspector's own times, and as people like to read them.
        now: began.round(Unit::Millisecond).unwrap_or(began),
        left: &|| time_left(context.deadline, began, clock()),
        observe: &|observation| measuring().observe(observation),
    };
    let answer = match payload.json() {
        Ok(event) => handle(triage, event.get().as_bytes(), attempt).await,
        Err(failure) => Err(failed(failure, None)),
    };
    let mut measured = measuring();
    measured.calls(&calls.take());
    measured.ended(answer.as_ref().map_err(|FunctionError(failure)| failure));
    if let Err(error) = measured.write(&context.env_config.function_name, clock(), &mut metrics) {
        // What was done is done: an invocation does not fail because it could not be counted.
        tracing::warn!(error.message = %error, "the metrics could not be written");
    }
    answer
}

/// Handles one event.
///
/// # Errors
/// Something was not done that should have been; see [`Failure`].
pub async fn handle<S: Records + Alerts + Summaries, P: Publisher>(
    triage: &Triage<S, P>,
    event: &[u8],
    attempt: Attempt<'_>,
) -> Result<Response, FunctionError> {
    match event::read(event).map_err(|failure| failed(failure, None))? {
        Event::Finding(sent) => finding(triage, *sent, attempt).await.map(Response::Finding),
        Event::Flush => flush(triage, attempt).await.map(Response::Flush),
    }
}

async fn finding<S: Records + Alerts + Summaries, P: Publisher>(
    triage: &Triage<S, P>,
    sent: FindingEvent,
    attempt: Attempt<'_>,
) -> Result<TriageResult, FunctionError> {
    for oddity in &sent.oddities {
        tracing::warn!(
            finding.arn = sent.finding.arn,
            field.path = oddity.path,
            field.expected = oddity.expected,
            field.found = oddity.found,
            "a field could not be understood and is taken as unknown"
        );
    }
    let arn = sent.finding.arn.clone();
    let report = triage
        .finding(sent.finding, attempt)
        .await
        .map_err(|failure| failed(failure, Some(&arn)))?;
    tracing::info!(
        finding.arn = report.finding_arn,
        finding.priority = report.priority.as_str(),
        finding.score = report.score,
        outcome = report.outcome.as_str(),
        reason = report.reason,
        "triaged"
    );
    Ok(report)
}

async fn flush<S: Records + Alerts + Summaries, P: Publisher>(
    triage: &Triage<S, P>,
    attempt: Attempt<'_>,
) -> Result<FlushResult, FunctionError> {
    let flushed = triage.flush(attempt).await.map_err(|failure| failed(failure, None))?;
    tracing::info!(
        outcome = flushed.outcome.as_str(),
        findings = flushed.findings,
        messages = flushed.messages,
        "flushed"
    );
    Ok(flushed)
}

/// Takes a failure to the edge, with a line in the log.
fn failed(failure: Failure, arn: Option<&str>) -> FunctionError {
    tracing::error!(
        finding.arn = arn,
        error.kind = failure.kind(),
        error.message = failure.chain(),
        "not done"
    );
    FunctionError(failure)
}

/// A [`Failure`] at the edge of the program, where it is shown with all its causes.
pub struct FunctionError(pub Failure);

impl fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What shows an error by its debug form shows a line that a person can read.
        write!(f, "{}: {}", self.0.kind(), self.0.chain())
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(failed: FunctionError) -> Self {
        Self { error_type: failed.0.kind().to_owned(), error_message: failed.0.chain() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_what_lambda_gives_and_a_deadline_of_the_past_is_none() {
        let started: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let now: Timestamp = "2026-11-20T12:00:25Z".parse().unwrap();
        let deadline = |time: &str| {
            let time: Timestamp = time.parse().unwrap();
            u64::try_from(time.as_millisecond()).unwrap()
        };
        let left = |deadline| time_left(deadline, started, now);
        assert_eq!(left(deadline("2026-11-20T12:00:30Z")), SignedDuration::from_secs(5));
        assert_eq!(left(deadline("2026-11-20T12:00:20Z")), SignedDuration::from_secs(-5));
        for none in [0, 600_000, u64::MAX] {
            assert_eq!(left(none), SignedDuration::MAX);
        }
    }
}
