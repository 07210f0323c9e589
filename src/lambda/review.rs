//! The function `review`: the daily round and the weekly review.

use super::{
    event::{self, Scheduled},
    metrics::{Measure, Measurements},
    response::FunctionError,
    run::Function,
    settings::ReviewSettings,
};
use crate::{
    adapters::{aws::Clients, dynamodb::DynamoDb, inspector2::Inspector2, s3::S3, sns::Sns},
    app::{
        Alerts, Archive, Attempt, Exceptions, FigureLog, Gaps, Inspector, Publisher, Records,
        RoundLog, Summaries, Sweep, Threats, Triage, TriageConfig,
        review::{Review, RoundResult},
    },
};

/// The function, with its clients.
pub struct ReviewFunction(Review<DynamoDb, Sns, Inspector2, S3>);

impl Function for ReviewFunction {
    type Settings = ReviewSettings;
    type Response = RoundResult;

    fn new(settings: ReviewSettings, clients: &Clients) -> Self {
        let ReviewSettings {
            storage,
            delivery,
            policy,
            budget,
            scope,
            inspector_rate,
            own_functions,
            bucket,
        } = settings;
        let config = TriageConfig {
            policy,
            notify: delivery.notify,
            style: delivery.style,
            budget,
            email_required: delivery.email_required,
            ..TriageConfig::default()
        };
        let triage = Triage::new(
            DynamoDb::new(clients.dynamodb(), storage.table, storage.history_days),
            Sns::new(clients.sns(), delivery.topics),
            config,
        );
        let inspector = Inspector2::new(clients.inspector2(), inspector_rate);
        let archive = S3::new(clients.s3(), bucket);
        Self(Review { triage, inspector, archive, scope, own_functions })
    }

    async fn handle(
        &self,
        event: &[u8],
        attempt: Attempt<'_>,
    ) -> Result<RoundResult, FunctionError> {
        handle(&self.0, event, attempt).await
    }
}

/// Handles one event.
///
/// # Errors
/// How far the round came could not be written down; see [`Failure`](crate::app::failure::Failure).
pub async fn handle<S, P: Publisher, I: Inspector, A: Archive>(
    review: &Review<S, P, I, A>,
    event: &[u8],
    attempt: Attempt<'_>,
) -> Result<RoundResult, FunctionError>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog + Gaps + Threats + Exceptions + FigureLog,
{
    let failed = |failure| FunctionError::new(failure, None);
    let (result, what) = match event::scheduled(event, attempt.now).map_err(failed)? {
        Scheduled::Daily(ask) => (review.daily(ask, attempt).await, "the daily round"),
        Scheduled::Weekly(asked_at) => {
            (review.weekly_review(asked_at, attempt).await, "the weekly review")
        }
    };
    let result = result.map_err(failed)?;
    let counts = Counts(&result).to_string();
    tracing::info!(outcome = result.outcome.as_str(), counts, "{what}");
    Ok(result)
}

/// What was counted, in a line.
struct Counts<'a>(&'a RoundResult);

impl std::fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut first = true;
        for (part, counts) in &self.0.parts {
            for (what, number) in counts {
                let comma = if first { "" } else { ", " };
                write!(f, "{comma}{} {what} {number}", part.as_str())?;
                first = false;
            }
        }
        Ok(())
    }
}

impl Measure for RoundResult {
    // What is measured of a round is what it tells of itself while it is done.
    fn measure(&self, _: &mut Measurements) {}
}
