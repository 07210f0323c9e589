//! The function: an event in, a report or a diagnostic out.

use std::fmt;

use jiff::Timestamp;
use lambda_runtime::Diagnostic;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    event,
    failure::Failure,
    triage::{Publish, Report, Store, Triage},
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

/// Handles one event as of `now`.
///
/// `attempt` names this attempt of this invocation; no two attempts share a name.
///
/// # Errors
/// Something was not done that should have been; see [`Failure`].
pub async fn handle<S: Store, P: Publish>(
    triage: &Triage<S, P>,
    event: &[u8],
    now: Timestamp,
    attempt: &str,
) -> Result<Report, Failed> {
    let report = async {
        let sent = event::read(event)?;
        for oddity in &sent.oddities {
            tracing::warn!(
                finding.arn = sent.finding.arn,
                field.path = oddity.path,
                field.expected = oddity.expected,
                field.found = oddity.found,
                "a field could not be understood and is taken as unknown"
            );
        }
        triage.finding(sent.finding, now, attempt).await
    }
    .await
    .map_err(Failed)?;
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

/// A [`Failure`] at the edge of the program, where it is shown with all its causes.
pub struct Failed(pub Failure);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The runtime logs an error by its debug form: one line that a person can read.
        write!(f, "{}: {}", self.0.kind(), self.0.chain())
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: failed.0.kind().to_owned(), error_message: failed.0.chain() }
    }
}
