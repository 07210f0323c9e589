//! `redrive`: events out of a failure queue, to their function once more. Behind the feature `redrive`.

use std::io::Write;

use jiff::Timestamp;

use crate::{
    adapters::{
        aws,
        lambda::Functions,
        sqs::{Queue, QueuedEvent},
    },
    app::failure::BoxError,
    cli::Verdict,
    domain::text,
    lambda::event::{self, Event, Scheduled},
};

/// Give the events in a failure queue to their function once more.
///
/// An event that the function has accepted is taken off the queue; what cannot be sent stays.
/// To look at the events first: `replay --from-queue`. Needs AWS credentials. The queue and the
/// function may be in different Regions, if the function is named by its ARN.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The URL of the queue.
    #[arg(long, value_name = "URL")]
    from_queue: String,
    /// The name or the ARN of the function, instead of the one that each event failed in.
    #[arg(long, value_name = "FUNCTION")]
    to: Option<String>,
    /// Delete, instead of sending it, what the function would only refuse again, and flushes, which the next one replaces.
    #[arg(long)]
    drop: bool,
}

/// Gives each event that is in the queue now to its function, and takes it off the queue once Lambda
/// has it.
pub async fn run(
    arguments: Arguments,
    now: Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let config = aws::config().load().await;
    let queue = Queue::open(&config, arguments.from_queue);
    let functions = Functions::open(&config);
    let (mut sent, mut dropped, mut left) = (0_usize, 0_usize, Vec::new());
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
            if arguments.drop
                && let Some(why) = why_hopeless(&taken)
            {
                done = match queue.delete(&taken).await {
                    Ok(()) => {
                        dropped += 1;
                        say(output, &format!("{name}: dropped: {why}"))
                    }
                    Err(problem) => {
                        left.push(taken);
                        Err(problem)
                    }
                };
                if done.is_err() {
                    break;
                }
                continue;
            }
            if serde_json::from_str::<serde::de::IgnoredAny>(&taken.failed.event).is_err() {
                done = say(output, &format!("{name}: left in the queue: it is not JSON"));
                left.push(taken);
                continue;
            }
            let Some(function) = arguments.to.as_ref().or(taken.failed.function.as_ref()) else {
                let why = "left in the queue: it does not say which function it was for; use --to";
                done = say(output, &format!("{name}: {why}"));
                left.push(taken);
                continue;
            };
            if let Err(failed) = functions.invoke(function, &taken.failed.event).await {
                done = Err(failed.into());
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
    let to = arguments.to.map(|function| format!(" to {function}")).unwrap_or_default();
    let dropped = if dropped > 0 { format!(", {dropped} dropped") } else { String::new() };
    let tally = format!("{sent} sent{to}{dropped}, {} left in the queue", left.len());
    let said = say(output, &tally);
    outcome.and(put_back).and(said)?;
    Ok(if left.is_empty() { Verdict::Done } else { Verdict::FoundWrong })
}

/// Says a line at once.
fn say(output: &mut impl Write, line: &str) -> Result<(), BoxError> {
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// Why it is of no use to send an event again, if it is not.
fn why_hopeless(taken: &QueuedEvent) -> Option<String> {
    let event = taken.failed.event.as_bytes();
    // What the other function takes. Its daily round comes by itself each hour, and the review of the week does not.
    if let Ok(scheduled) = event::scheduled(event, Timestamp::MAX) {
        return match scheduled {
            Scheduled::Daily(_) => Some("the next event did what it did not".to_owned()),
            Scheduled::Weekly(_) => None,
        };
    }
    match event::read(event) {
        Ok(Event::Finding(_)) => None,
        Ok(Event::Flush) => Some("the next flush did what it did not".to_owned()),
        Err(failure) => Some(failure.chain()),
    }
}

/// What a person knows an event by.
fn name(taken: &QueuedEvent) -> String {
    let event = taken.failed.event.as_bytes();
    match event::scheduled(event, Timestamp::MAX) {
        Ok(Scheduled::Daily(_)) => return "a daily round".to_owned(),
        Ok(Scheduled::Weekly(of)) => return format!("the review of {of}"),
        Err(_) => {}
    }
    match event::read(event) {
        Ok(Event::Finding(sent)) => text::line(&sent.finding.arn),
        Ok(Event::Flush) => "a flush".to_owned(),
        Err(_) => "an event that cannot be triaged".to_owned(),
    }
}
