//! `replay`: events through the function's handler, and what people would read.

use std::{
    collections::BTreeMap,
    fs,
    io::{IsTerminal, Write},
    path::PathBuf,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use quamina::Quamina;

use crate::{
    adapters::{aws, dynamodb::DynamoDb, sns::Sns, sqs::Queue},
    app::failure::BoxError,
    app::{Attempt, FlushFailed, FlushOutcome, FlushResult, Outcome, Triage, TriageConfig},
    cli::{
        Verdict,
        commands::ledger::apply,
        input::{self, Input},
        store, table,
    },
    domain::{
        assess::{Deadlines, Policy},
        record::Audience,
        text,
    },
    emulator::{self, Emulator, template::Template, topic::Published},
    lambda::{self, Response, event},
    render::{Language, Style},
};

/// Run events through the function's handler and show what people would read.
///
/// The events are handled in the order given, by the same code and through the same SDK calls as
/// in the function, against a store in memory. *Now* is each event's own time.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files, folders (their .json, .jsonl and .ndjson files, in the order of their names), or -.
    ///
    /// A file holds one event, a JSON array, one event a line, or what `aws inspector2
    /// list-findings` or `aws sqs receive-message` prints.
    #[arg(required_unless_present = "from_queue")]
    paths: Vec<PathBuf>,
    /// Take the events in this queue, too, and leave them there. Needs AWS credentials and a Region.
    #[arg(long, value_name = "URL")]
    from_queue: Option<String>,
    /// Whose messages to show.
    #[arg(long, value_enum, default_value_t = Audience::Email)]
    format: Audience,
    /// The language of the messages.
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// Sum up at the end what got no message of its own, as the schedule does every five minutes.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    flush: bool,
    /// Keep the store in this file; by default it is gone at the end.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// The rule for due dates: priority or bod-26-04.
    #[arg(long, value_name = "RULE", default_value_t)]
    deadlines: Deadlines,
    /// The ledger of exceptions that is in force.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Say which events the rules in this template would not have let through.
    #[arg(long, value_name = "TEMPLATE")]
    rule: Option<PathBuf>,
    /// Show at most this many rows of the table, the most urgent ones.
    #[arg(long, value_name = "N", default_value_t = 50)]
    rows: usize,
}

/// Handles all events, shows each message, then what was recorded.
pub async fn run(
    replay: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let rules = replay.rule.as_deref().map(Rules::read).transpose()?;
    let files = input::files(&replay.paths)?;
    let deadlines = replay.deadlines;
    let style = Style { language: replay.language, deadlines, ..Style::default() };
    let policy = Policy { deadlines, ..Policy::default() };
    let (store, emulator) = store::opened(replay.db.as_deref()).await?;
    if let Some(ledger) = &replay.ledger {
        apply::in_store(ledger, &store, clock()).await?;
    }
    let mut session = Session {
        triage: Triage::new(
            store,
            Sns::new(emulator.sns(), emulator::topics(replay.format)),
            TriageConfig { policy, style, ..TriageConfig::default() },
        ),
        rules,
        format: replay.format,
        clock,
        latest: None,
        tally: Tally::default(),
        progress: progress(),
        emulator,
        output,
    };
    for file in &files {
        input::events(file, async |event| session.handle(event).await).await?;
    }
    let queued = replay.from_queue.is_some();
    if let Some(url) = replay.from_queue {
        let queue = Queue::open(&aws::config().load().await, url);
        input::queued(&queue, async |event| session.handle(event).await).await?;
    }
    session.progress.finish_and_clear();
    if replay.flush {
        session.flush().await?;
    }
    let Session { triage, tally, .. } = session;
    let rows = table::read(&triage.store, replay.rows).await?;
    writeln!(output, "{rows}\n\n{}", tally.sentence(files.len(), queued))?;
    output.flush()?;
    Ok(if tally.refused == 0 { Verdict::Done } else { Verdict::FoundWrong })
}

/// A replay under way.
struct Session<'a, W> {
    triage: Triage<DynamoDb, Sns>,
    rules: Option<Rules>,
    format: Audience,
    clock: fn() -> Timestamp,
    /// The latest time of an event.
    latest: Option<Timestamp>,
    tally: Tally,
    progress: ProgressBar,
    emulator: Emulator,
    output: &'a mut W,
}

impl<W: Write> Session<'_, W> {
    async fn handle(&mut self, input: Input) -> Result<(), BoxError> {
        self.progress.inc(1);
        let origin = &input.origin;
        let through = self.rules.as_ref().map(|rules| rules.let_through(&input.event));
        if let Some(Ok(false)) = through {
            writeln!(self.output, "{origin}: no rule would have let this through\n")?;
        }
        let now = event::finding(&input.event)
            .ok()
            .and_then(|sent| sent.finding.own_time())
            .unwrap_or_else(self.clock);
        self.latest = self.latest.max(Some(now));
        self.tally.events += 1;
        let name = format!("replay-{}", self.tally.events);
        let attempt = Attempt::new(&name, now);
        match lambda::handle(&self.triage, &input.event, attempt).await {
            Ok(Response::Finding(report)) => {
                *self.tally.outcomes.entry(report.outcome).or_default() += 1;
                let (outcome, reason) = (report.outcome.as_str(), text::line(&report.reason));
                writeln!(self.output, "{origin}: {outcome}: {reason}\n")?;
            }
            Ok(Response::Flush(flushed)) => self.flushed(&origin.to_string(), flushed)?,
            Err(failed) => {
                self.tally.refused += 1;
                writeln!(self.output, "{origin}: not handled: {}\n", failed.0.chain())?;
            }
        }
        self.show_published()
    }

    /// What the schedule does, until nothing waits any more.
    async fn flush(&mut self) -> Result<(), BoxError> {
        let Some(latest) = self.latest else { return Ok(()) };
        for number in 1_i64.. {
            // The schedule's pace.
            let now = latest.saturating_add(SignedDuration::from_mins(5 * number))?;
            let name = format!("replay-flush-{number}");
            let attempt = Attempt::new(&name, now);
            let flushed = match self.triage.flush(attempt).await {
                Ok(flushed) => flushed,
                Err(FlushFailed { failure, .. }) => {
                    self.tally.refused += 1;
                    writeln!(self.output, "flush: not handled: {}\n", failure.chain())?;
                    break;
                }
            };
            if flushed.outcome == FlushOutcome::NothingPending {
                break;
            }
            // The turn of what waits has not come.
            if flushed.messages > 0 {
                self.flushed("flush", flushed)?;
            }
            self.show_published()?;
        }
        Ok(())
    }

    fn flushed(&mut self, origin: &str, flushed: FlushResult) -> Result<(), BoxError> {
        let FlushResult { outcome, findings, messages, ended } = flushed;
        self.tally.summed_up += findings;
        self.tally.refused += usize::from(outcome == FlushOutcome::Failed);
        let ends = if ended > 0 { format!(", ends: {ended}") } else { String::new() };
        let counted = format!("findings: {findings}, messages: {messages}{ends}");
        writeln!(self.output, "{origin}: {}: {counted}\n", outcome.as_str())?;
        Ok(())
    }

    /// Shows everything that was published; publishing waits until it is taken in.
    fn show_published(&mut self) -> Result<(), BoxError> {
        while let Ok(published) = self.emulator.published.try_recv() {
            if published.topic == emulator::topic(self.format) {
                show(&published, self.output)?;
            }
        }
        self.output.flush()?;
        Ok(())
    }
}

/// Shows a message as its reader sees it.
pub fn show(published: &Published, output: &mut impl Write) -> Result<(), BoxError> {
    let rule = "─".repeat(72);
    let body = match serde_json::from_str::<serde_json::Value>(&published.message) {
        Ok(json) => format!("{json:#}"),
        Err(_) => published.message.trim_end().to_owned(),
    };
    match &published.subject {
        Some(subject) => writeln!(output, "{rule}\nSubject: {subject}\n\n{body}\n{rule}\n")?,
        None => writeln!(output, "{rule}\n{body}\n{rule}\n")?,
    }
    Ok(())
}

/// What became of the events.
#[derive(Default)]
struct Tally {
    events: usize,
    refused: usize,
    /// How many findings were told of in a summary.
    summed_up: usize,
    outcomes: BTreeMap<Outcome, usize>,
}

impl Tally {
    fn sentence(&self, files: usize, queued: bool) -> String {
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let files = (files > 0).then(|| format!("{files} file{}", s(files)));
        let sources: Vec<String> =
            files.into_iter().chain(queued.then(|| "the queue".to_owned())).collect();
        let sources = sources.join(" and ");
        let outcomes = self.outcomes.iter().map(|(outcome, n)| format!("{n} {}", outcome.as_str()));
        let refused = (self.refused > 0).then(|| format!("{} not handled", self.refused));
        let parts: Vec<String> = outcomes.chain(refused).collect();
        let parts = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
        let summed_up = match self.summed_up {
            0 => String::new(),
            one_or_more => format!("\ntold in summaries: {one_or_more}"),
        };
        format!("{} event{} in {sources}: {parts}{summed_up}", self.events, s(self.events))
    }
}

/// The event patterns of a template's rules.
struct Rules(Quamina);

impl Rules {
    fn read(file: &std::path::Path) -> Result<Self, BoxError> {
        let cannot = |error: BoxError| format!("cannot use {}: {error}", file.display());
        let yaml = fs::read_to_string(file).map_err(|error| cannot(error.into()))?;
        let rules = Template::read(&yaml).and_then(|template| template.rules()).map_err(cannot)?;
        let mut patterns = Quamina::new();
        for (name, pattern) in rules {
            patterns.add_pattern(name, &pattern.to_string()).map_err(|error| {
                cannot(format!("its event pattern cannot be understood: {error}").into())
            })?;
        }
        Ok(Self(patterns))
    }

    /// Whether a rule matches; an error if the event cannot be read at all.
    fn let_through(&self, event: &[u8]) -> Result<bool, BoxError> {
        Ok(self.0.has_matches(event)?)
    }
}

/// A count of events on stderr, if that is a terminal and the work takes long enough to see it.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} events, {per_sec}, {elapsed}");
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
