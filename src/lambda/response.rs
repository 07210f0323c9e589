//! What a function answers, and how it fails.

use std::fmt;

use lambda_runtime::Diagnostic;
use serde::Serialize;

use super::{
    logs,
    metrics::{Measure, Measurements},
};
use crate::app::{FlushOutcome, FlushResult, TriageResult, failure::Failure};

/// What `triage` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To a finding.
    Finding(TriageResult),
    /// To the schedule.
    Flush(FlushResult),
}

impl Measure for Response {
    fn measure(&self, measurements: &mut Measurements) {
        match self {
            Self::Finding(result) => measurements.finding(result.outcome, result.priority),
            // A failed one was counted as what it failed with.
            Self::Flush(result) if result.outcome == FlushOutcome::Failed => {}
            Self::Flush(_) => measurements.flush(),
        }
    }
}

/// A [`Failure`] at the edge of the program, where it is shown with all its causes.
pub struct FunctionError(pub Failure);

impl FunctionError {
    /// A failure at the edge, with a line in the log. `arn` is the finding that it befell, if any.
    pub fn new(failure: Failure, arn: Option<&str>) -> Self {
        logs::not_done(&failure, arn);
        Self(failure)
    }
}

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
