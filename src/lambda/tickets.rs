//! The function `tickets`: news of findings from a queue, and what is due every five minutes.

use std::collections::BTreeSet;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use serde::Serialize;

use super::{
    logs,
    metrics::{Measure, Measurements},
    queue::{self, QueuedMessage, TicketsEvent},
    response::FunctionError,
    run::Function,
    settings::TicketsSettings,
};
use crate::{
    adapters::{
        aws::Clients, clock::Since, dynamodb::DynamoDb, secrets::Secrets, trackers::TrackerClient,
    },
    app::{
        Attempt, Clock, Observation, Records, TicketLog, Tracker,
        failure::Failure,
        tickets::{SettleOutcome, SettleResult, Tickets, TicketsConfig, Turns},
    },
};

/// The function, with its clients.
pub struct TicketsFunction(Tickets<DynamoDb, TrackerClient<Secrets>>);

impl Function for TicketsFunction {
    type Settings = TicketsSettings;
    type Response = TicketsResponse;

    fn new(settings: TicketsSettings, clients: &Clients) -> Self {
        let TicketsSettings { storage, style, tracker, projects, from, secret_arn } = settings;
        let secrets = Secrets::new(clients.secrets_manager(), &secret_arn);
        Self(Tickets {
            store: DynamoDb::new(clients.dynamodb(), storage.table, storage.history_days),
            tracker: TrackerClient::new(tracker, secrets).recorded(clients.calls().clone()),
            config: TicketsConfig { projects, from, style },
        })
    }

    async fn handle(
        &self,
        event: &[u8],
        attempt: Attempt<'_>,
    ) -> Result<TicketsResponse, FunctionError> {
        handle(&self.0, &Since::new(attempt.now), event, attempt).await
    }
}

/// What `tickets` answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum TicketsResponse {
    /// To messages of the queue: which of them are to come again.
    Messages(Taken),
    /// To the schedule.
    Settled(SettleResult),
}

/// Which messages are to come again, as SQS takes it.
#[derive(Debug, Serialize)]
pub struct Taken {
    #[serde(flatten)]
    again: SqsBatchResponse,
    /// What is wrong with each, by kind.
    #[serde(skip)]
    failures: Vec<Failure>,
}

impl Taken {
    /// The ids of the messages that are to come again.
    pub fn again(&self) -> Vec<&str> {
        let failures = self.again.batch_item_failures.iter();
        failures.map(|failure| failure.item_identifier.as_str()).collect()
    }
}

impl Measure for TicketsResponse {
    fn measure(&self, measurements: &mut Measurements) {
        if let Self::Messages(Taken { failures, .. }) = self {
            for failure in failures {
                measurements.failure(failure);
            }
        }
    }
}

/// Handles one event.
///
/// # Errors
/// The event cannot be understood, or not all could be noted that is open. What cannot be noted of a message is no error, but
/// has the queue send the message again.
pub async fn handle<S, T, C>(
    tickets: &Tickets<S, T>,
    clock: &C,
    event: &[u8],
    attempt: Attempt<'_>,
) -> Result<TicketsResponse, FunctionError>
where
    S: TicketLog + Records,
    T: Tracker,
    C: Clock + Sync,
{
    let failed = |failure| FunctionError::new(failure, None);
    match queue::read(event).map_err(failed)? {
        TicketsEvent::Messages(messages) => {
            let (taken, turns) = note(tickets, messages, attempt).await;
            settle(tickets, clock, turns, attempt).await;
            Ok(TicketsResponse::Messages(taken))
        }
        TicketsEvent::Scheduled { full } => {
            let is_all = if full {
                let noted = tickets.note_all(attempt).await;
                noted.map_err(|call| failed(Failure::Store(call)))?
            } else {
                true
            };
            let mut result = settle(tickets, clock, Turns::new(), attempt).await;
            if !is_all && result.outcome == SettleOutcome::Done {
                result.outcome = SettleOutcome::Continues;
            }
            Ok(TicketsResponse::Settled(result))
        }
    }
}

/// Notes what messages say. Returns also the tickets whose turn has come by that.
async fn note<S: TicketLog + Records, T: Sync>(
    tickets: &Tickets<S, T>,
    messages: Vec<QueuedMessage>,
    attempt: Attempt<'_>,
) -> (Taken, Turns) {
    let (mut ids, mut arns) = (Vec::new(), BTreeSet::new());
    let mut taken = Taken { again: SqsBatchResponse::default(), failures: Vec::new() };
    for QueuedMessage { id, findings } in messages {
        match findings {
            Ok(findings) => {
                ids.push(id);
                arns.extend(findings);
            }
            Err(failure) => taken.comes_again(id, failure),
        }
    }
    let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
    let turns = tickets.note(&arns, attempt).await.unwrap_or_else(|call| {
        let failure = Failure::Store(call);
        logs::not_done(&failure, None);
        taken.again.batch_item_failures.extend(ids.into_iter().map(item));
        taken.failures.push(failure);
        Turns::new()
    });
    (taken, turns)
}

impl Taken {
    fn comes_again(&mut self, id: String, failure: Failure) {
        tracing::error!(
            message.id = id,
            error.kind = failure.kind(),
            error.message = failure.chain(),
            "a message cannot be taken; the queue sends it again, and puts it aside in the end"
        );
        self.again.batch_item_failures.push(item(id));
        self.failures.push(failure);
    }
}

fn item(id: String) -> BatchItemFailure {
    let mut item = BatchItemFailure::default();
    item.item_identifier = id;
    item
}

/// Deals with the tickets whose turn it is. A failure is none of the event's: the next invocation is its retry.
async fn settle<S: TicketLog + Records, T: Tracker, C: Clock + Sync>(
    tickets: &Tickets<S, T>,
    clock: &C,
    turns: Turns,
    attempt: Attempt<'_>,
) -> SettleResult {
    let result = tickets.settle(attempt, clock, turns).await.unwrap_or_else(|call| {
        let failure = Failure::Store(call);
        (attempt.observe)(Observation::NotDone(failure.kind()));
        logs::not_done(&failure, None);
        SettleResult { outcome: SettleOutcome::Failed, ..SettleResult::default() }
    });
    let SettleResult { outcome, opened, changed, closed, reopened, commented, lost, failed, left } =
        result;
    tracing::info!(
        outcome = outcome.as_str(),
        opened,
        changed,
        closed,
        reopened,
        commented,
        lost,
        failed,
        left,
        "tickets"
    );
    result
}
