//! What the function logs: a JSON object a line, as CloudWatch Logs Insights can search it.
//!
//! A field has a dotted name (`finding.arn`, `error.kind`). Each line has `level` and `timestamp`,
//! without which Lambda takes it for one of level INFO.

use std::panic;

use tracing::{level_filters::LevelFilter, subscriber::SetGlobalDefaultError};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry,
};

use crate::{
    app::{Observation, failure::Failure},
    domain::text,
};

/// Starts logging to `writer`, our own lines down to `level`.
///
/// Others' lines are cut off at WARN, at any `level`: the runtime logs whole events at TRACE, and
/// the SDK whole requests. A release build has no lines below INFO at all (see `tracing` in
/// `Cargo.toml`).
///
/// # Errors
/// This was done before in this process.
pub fn start(
    level: LevelFilter,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> Result<(), SetGlobalDefaultError> {
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), level)
        // The span with the id of the request.
        .with_target("lambda_runtime", LevelFilter::INFO)
        // Logs once more what failed.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(targets);
    tracing::subscriber::set_global_default(registry().with(lines))?;
    panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(
            error.kind = "Panic",
            error.message = text::short(message, 300),
            error.place = panic.location().map(ToString::to_string),
            "a defect of this program: report it"
        );
    }));
    Ok(())
}

/// Logs that something was not done; `arn` is the finding that it befell, if any.
pub fn not_done(failure: &Failure, arn: Option<&str>) {
    tracing::error!(
        finding.arn = arn,
        error.kind = failure.kind(),
        error.message = failure.chain(),
        "not done"
    );
}

/// Logs what a person should know of an attempt's work and the answer does not say.
pub fn observed(observation: &Observation) {
    match observation {
        Observation::Listener { audience, listens: false } => tracing::warn!(
            audience = audience.as_str(),
            "nobody listens: the topic has no confirmed subscription"
        ),
        Observation::AudienceFailed { audience, reason } => tracing::warn!(
            audience = audience.as_str(),
            error.message = reason,
            "an audience could not be told; what it missed waits"
        ),
        Observation::Warning { what, reason } => {
            tracing::warn!(error.message = reason, "{what}");
        }
        Observation::PartFailed { part, reason } => tracing::error!(
            part = part.as_str(),
            error.kind = "PartFailed",
            error.message = reason,
            "a part of the daily round could not be done; the next event tries it again"
        ),
        Observation::SwitchedOff { account, scan, status } => tracing::warn!(
            account,
            scan,
            status,
            "Inspector was switched off here: nothing of it is scanned any more"
        ),
        Observation::TooManyAbsent { account, absent, open } => tracing::error!(
            account,
            absent,
            open,
            error.kind = "TooManyAbsent",
            error.message = format!(
                "Inspector lists {absent} of {open} open findings of account {account} no more; none is ended"
            ),
            "too much is absent to be believed"
        ),
        Observation::ReviewDue { by } => tracing::warn!(
            by = %by,
            "an exception of the ledger in force was to be reviewed by then"
        ),
        Observation::TicketFailed { problem, trouble, reason } => tracing::error!(
            ticket.problem = problem,
            error.kind = "TicketFailed",
            trouble = trouble.as_str(),
            error.message = reason,
            "the tracker did not do what it was asked; the ticket has its turn again"
        ),
        Observation::Announced { .. }
        | Observation::TicketChanged(_)
        | Observation::OldestTicket(_)
        | Observation::RoundCompleted
        | Observation::Pending { .. }
        | Observation::Listener { .. }
        | Observation::NotDone(_) => {}
    }
}
