//! `redrive`: events out of a failure queue, to the function once more.

use std::io::Write;

use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};
use jiff::Timestamp;

use crate::{
    adapters::{
        aws,
        sqs::{Queue, QueuedEvent},
    },
    app::failure::BoxError,
    app::failure::CallFailed,
    cli::Verdict,
    domain::text,
    lambda::event::{self, Event},
};

/// An event that the function has accepted is taken off the queue; what cannot be sent stays.
/// To look at the events first: `replay --from-queue`. Needs AWS credentials and a Region.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The URL of the queue.
    #[arg(long, value_name = "URL")]
    from_queue: String,
    /// The name or the ARN of the function.
    #[arg(long, value_name = "FUNCTION")]
    to: String,
}

/// Gives each event that is in the queue now to the function, and takes it off the queue once Lambda
/// has it.
pub async fn run(
    redrive: Arguments,
    now: Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let config = aws::config().load().await;
    let queue = Queue::open(&config, redrive.from_queue);
    let lambda = Client::new(&config);
    let (mut sent, mut left) = (0_usize, Vec::new());
    let outcome = loop {
        let some = match queue.take().await {
            Ok(some) if some.is_empty() => break Ok(()),
            Ok(some) => some,
            Err(problem) => break Err(problem),
        };
        let mut some = some.into_iter();
        let mut done = Ok(());
        for taken in some.by_ref() {
            // What came back since we began has failed again. Once is enough.
            if taken.since.is_some_and(|since| since >= now) {
                left.push(taken);
                continue;
            }
            let name = name(&taken);
            if serde_json::from_str::<serde::de::IgnoredAny>(&taken.failed.event).is_err() {
                done = say(output, &format!("{name}: left in the queue: it is not JSON"));
                left.push(taken);
            } else if let Err(problem) = send(&lambda, &redrive.to, &taken).await {
                done = Err(problem);
                left.push(taken);
            } else {
                sent += 1;
                if let Err(problem) = queue.delete(&taken).await {
                    done = Err(problem);
                    left.push(taken);
                } else {
                    let why = taken.failed.why.as_deref().unwrap_or("unknown");
                    done = say(output, &format!("{name}: sent; had failed: {why}"));
                }
            }
            if done.is_err() {
                break;
            }
        }
        left.extend(some);
        if done.is_err() {
            break done;
        }
    };
    // What is left goes back whatever happened, and what was sent is said.
    let put_back = queue.put_back(&left).await;
    let tally = format!("{sent} sent to {}, {} left in the queue", redrive.to, left.len());
    let said = say(output, &tally);
    outcome.and(put_back).and(said)?;
    Ok(if left.is_empty() { Verdict::Done } else { Verdict::FoundWrong })
}

/// Gives an event to the function, as EventBridge would.
async fn send(lambda: &Client, function: &str, taken: &QueuedEvent) -> Result<(), BoxError> {
    let failed =
        |source| CallFailed { operation: "Lambda Invoke", object: function.to_owned(), source };
    let answer = lambda
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(taken.failed.event.as_bytes()))
        .send()
        .await
        .map_err(|error| failed(error.into()))?;
    if let Some(error) = answer.function_error() {
        return Err(failed(error.to_owned().into()).into());
    }
    Ok(())
}

/// Says a line at once.
fn say(output: &mut impl Write, line: &str) -> Result<(), BoxError> {
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// What a person knows an event by.
fn name(taken: &QueuedEvent) -> String {
    match event::read(taken.failed.event.as_bytes()) {
        Ok(Event::Finding(sent)) => text::line(&sent.finding.arn),
        Ok(Event::Flush) => "a flush".to_owned(),
        Err(_) => "an event that cannot be triaged".to_owned(),
    }
}
