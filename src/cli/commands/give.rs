//! `give`: findings out of files, to the function. Behind the feature `redrive`.

use std::{io::Write, path::PathBuf};

use futures_util::future::join_all;

use crate::{
    adapters::{aws, lambda::Functions},
    app::failure::BoxError,
    cli::{
        Verdict, advice,
        input::{self, Input, Origin},
    },
    lambda::event,
};

/// Give findings in files to the function, such as those whose events were lost.
///
/// For when events were lost: get the findings anew with `aws inspector2 list-findings`, and give them to the function.
/// What it knows already changes nothing, so the same files can be given twice. Needs AWS credentials that may call
/// lambda:InvokeFunction, and a Region, or that of the function's ARN.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files, folders or -, in any form that `replay` takes.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The name or the ARN of the function; the stack's output FunctionName.
    #[arg(long, value_name = "FUNCTION")]
    to: String,
}

/// How many events are on their way at once.
const AT_ONCE: usize = 32;

/// Gives all events to the function.
pub async fn run(arguments: Arguments, output: &mut impl Write) -> Result<Verdict, BoxError> {
    let files = input::files(&arguments.paths)?;
    let config = aws::config().load().await;
    let mut giving = Giving {
        functions: Functions::open(&config),
        to: arguments.to,
        events: Vec::with_capacity(AT_ONCE),
        given: 0,
        refused: 0,
        output,
    };
    let mut outcome = Ok(());
    for file in &files {
        outcome = input::events(file, async |event| giving.take(event).await).await.map(drop);
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok() {
        outcome = giving.give().await;
    }
    let Giving { given, refused, to, output, .. } = giving;
    let not = if refused > 0 { format!(", {refused} are no findings") } else { String::new() };
    writeln!(output, "{given} given to {to}{not}")?;
    output.flush()?;
    outcome?;
    Ok(if refused == 0 { Verdict::Done } else { Verdict::FoundWrong })
}

struct Giving<'a, W> {
    functions: Functions,
    to: String,
    events: Vec<(Origin, String)>,
    given: usize,
    refused: usize,
    output: &'a mut W,
}

impl<W: Write> Giving<'_, W> {
    async fn take(&mut self, input: Input) -> Result<(), BoxError> {
        let Input { origin, event } = input;
        match (event::finding(&event), String::from_utf8(event)) {
            (Ok(_), Ok(event)) => self.events.push((origin, event)),
            (Err(failure), _) => {
                self.refused += 1;
                writeln!(self.output, "{origin}: not given: {}", failure.chain())?;
            }
            (Ok(_), Err(error)) => {
                self.refused += 1;
                writeln!(self.output, "{origin}: not given: {error}")?;
            }
        }
        if self.events.len() == AT_ONCE { self.give().await } else { Ok(()) }
    }

    /// Gives those that were taken.
    async fn give(&mut self) -> Result<(), BoxError> {
        let events = std::mem::take(&mut self.events);
        let giving = events.iter().map(|(_, event)| self.functions.invoke(&self.to, event));
        let mut outcome = Ok(());
        for (done, (origin, _)) in join_all(giving).await.into_iter().zip(&events) {
            match done {
                Ok(()) => self.given += 1,
                Err(failed) => {
                    writeln!(self.output, "{origin}: not given")?;
                    outcome = Err(advice::on(&failed, &format!("function {}", self.to)));
                }
            }
        }
        outcome
    }
}
