//! The function `triage`: findings as they come, and what waits every five minutes.

use super::{
    event::{self, Event, FindingEvent},
    logs,
    response::{FunctionError, Response},
    run::Function,
    settings::TriageSettings,
};
use crate::{
    adapters::{aws::Clients, dynamodb::DynamoDb, sns::Sns},
    app::{
        Alerts, Attempt, Exceptions, FlushFailed, FlushResult, Observation, Publisher, Records,
        Summaries, Triage, TriageConfig, TriageResult,
    },
};

/// The function, with its clients.
pub struct TriageFunction(Triage<DynamoDb, Sns>);

impl Function for TriageFunction {
    type Settings = TriageSettings;
    type Response = Response;

    fn new(settings: TriageSettings, clients: &Clients) -> Self {
        let TriageSettings { storage, delivery, policy, budget, alone_from, summary_after } =
            settings;
        tracing::info!(
            policy.stamp = policy.stamp(),
            policy.sla_days = %policy.sla,
            policy.urgent_tags = %policy.urgent_tags,
            "the policy in effect"
        );
        let config = TriageConfig {
            policy,
            notify: delivery.notify,
            style: delivery.style,
            alone_from,
            summary_after,
            budget,
            email_required: delivery.email_required,
        };
        Self(Triage::new(
            DynamoDb::new(clients.dynamodb(), storage.table, storage.history_days),
            Sns::new(clients.sns(), delivery.topics),
            config,
        ))
    }

    async fn handle(&self, event: &[u8], attempt: Attempt<'_>) -> Result<Response, FunctionError> {
        handle(&self.0, event, attempt).await
    }
}

/// Handles one event.
///
/// # Errors
/// Something was not done that should have been; see [`Failure`](crate::app::failure::Failure). Not so a flush: Lambda
/// would repeat it a minute later, and keep it for a person in the end, while the next flush does what it did not.
pub async fn handle<S: Records + Alerts + Summaries + Exceptions, P: Publisher>(
    triage: &Triage<S, P>,
    event: &[u8],
    attempt: Attempt<'_>,
) -> Result<Response, FunctionError> {
    match event::read(event).map_err(|failure| FunctionError::new(failure, None))? {
        Event::Finding(sent) => finding(triage, *sent, attempt).await.map(Response::Finding),
        Event::Flush => Ok(Response::Flush(flush(triage, attempt).await)),
    }
}

async fn finding<S: Records + Alerts + Exceptions, P: Publisher>(
    triage: &Triage<S, P>,
    sent: FindingEvent,
    attempt: Attempt<'_>,
) -> Result<TriageResult, FunctionError> {
    for oddity in sent.oddities.iter().chain(&sent.finding.date_ahead_of(attempt.now)) {
        tracing::warn!(
            finding.arn = sent.finding.arn,
            field.path = oddity.path,
            field.expected = oddity.expected,
            field.found = oddity.found,
            "a field is not what it should be and is taken as unknown"
        );
    }
    let arn = sent.finding.arn.clone();
    let report = triage
        .finding(sent.finding, attempt)
        .await
        .map_err(|failure| FunctionError::new(failure, Some(&arn)))?;
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

async fn flush<S: Records + Alerts + Summaries + Exceptions, P: Publisher>(
    triage: &Triage<S, P>,
    attempt: Attempt<'_>,
) -> FlushResult {
    let flushed = match triage.flush(attempt).await {
        Ok(flushed) => flushed,
        Err(FlushFailed { failure, result }) => {
            (attempt.observe)(Observation::NotDone(failure.kind()));
            logs::not_done(&failure, None);
            result
        }
    };
    tracing::info!(
        outcome = flushed.outcome.as_str(),
        findings = flushed.findings,
        messages = flushed.messages,
        "flushed"
    );
    flushed
}
