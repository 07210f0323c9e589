//! `replay`: events through the function's handler, and what people would read.

use std::{
    collections::BTreeMap,
    fs,
    io::{IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use quamina::Quamina;

use super::{
    Format, Problem, Replay, Verdict,
    cloud::{self, Cloud},
    input::{self, Input},
    queue::Queue,
    sns::Published,
    table,
    template::{OWN, Template},
};
use crate::{
    assess::Policy,
    aws, event, lambda,
    publish::Sns,
    settings::HISTORY_DAYS,
    store::DynamoDb,
    text,
    triage::{Attempt, Outcome, Triage},
};

/// Handles all events, shows each message, then what was recorded.
pub async fn run(
    replay: Replay,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, Problem> {
    // There is one audience so far, and its messages are all that is published.
    let Format::Email = replay.format;
    let rules = replay.rule.as_deref().map(Rules::read).transpose()?;
    let files = input::files(&replay.paths)?;
    let cloud = Cloud::open(&Template::read(OWN)?, replay.db.as_deref()).await?;
    let mut session = Session {
        triage: Triage {
            store: DynamoDb::new(cloud.dynamodb(), cloud::TABLE.to_owned(), HISTORY_DAYS),
            publisher: Sns::new(cloud.sns(), cloud::TOPIC.to_owned()),
            policy: Policy::default(),
            notify: true,
            language: replay.language,
        },
        rules,
        clock,
        tally: Tally::default(),
        progress: progress(),
        cloud,
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
    let Session { cloud, tally, .. } = session;
    let client = aws_sdk_dynamodb::Client::from_conf(cloud.dynamodb().build());
    let rows = table::read(&client, cloud::TABLE, replay.rows).await?;
    writeln!(output, "{rows}\n\n{}", tally.sentence(files.len(), queued))?;
    output.flush()?;
    Ok(if tally.refused == 0 { Verdict::Done } else { Verdict::FoundWrong })
}

/// A replay under way.
struct Session<'a, W> {
    triage: Triage<DynamoDb, Sns>,
    rules: Option<Rules>,
    clock: fn() -> Timestamp,
    tally: Tally,
    progress: ProgressBar,
    cloud: Cloud,
    output: &'a mut W,
}

impl<W: Write> Session<'_, W> {
    async fn handle(&mut self, input: Input) -> Result<(), Problem> {
        self.progress.inc(1);
        let origin = &input.origin;
        let through = self.rules.as_ref().map(|rules| rules.let_through(&input.event));
        if let Some(Ok(false)) = through {
            writeln!(self.output, "{origin}: no rule would have let this through\n")?;
        }
        let now = event::read(&input.event)
            .ok()
            .and_then(|sent| sent.finding.own_time())
            .unwrap_or_else(self.clock);
        self.tally.events += 1;
        let name = format!("replay-{}", self.tally.events);
        let attempt = Attempt { name: &name, now, left: &|| SignedDuration::MAX };
        match lambda::handle(&self.triage, &input.event, attempt).await {
            Ok(report) => {
                *self.tally.outcomes.entry(report.outcome).or_default() += 1;
                let (outcome, reason) = (report.outcome.as_str(), text::line(&report.reason));
                writeln!(self.output, "{origin}: {outcome}: {reason}\n")?;
            }
            Err(failed) => {
                self.tally.refused += 1;
                writeln!(self.output, "{origin}: not handled: {}\n", failed.0.chain())?;
            }
        }
        // Everything that was published has been taken in by now: publishing waits for it.
        while let Ok(published) = self.cloud.published.try_recv() {
            show(&published, self.output)?;
        }
        self.output.flush()?;
        Ok(())
    }
}

/// Shows a message as its reader sees it.
pub fn show(published: &Published, output: &mut impl Write) -> Result<(), Problem> {
    let rule = "─".repeat(72);
    let subject = published.subject.as_deref().unwrap_or_default();
    writeln!(output, "{rule}\nSubject: {subject}\n\n{}\n{rule}\n", published.message.trim_end())?;
    Ok(())
}

/// What became of the events.
#[derive(Default)]
struct Tally {
    events: usize,
    refused: usize,
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
        format!("{} event{} in {sources}: {parts}", self.events, s(self.events))
    }
}

/// The event patterns of a template's rules.
struct Rules(Quamina);

impl Rules {
    fn read(file: &std::path::Path) -> Result<Self, Problem> {
        let cannot = |error: Problem| format!("cannot use {}: {error}", file.display());
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
    fn let_through(&self, event: &[u8]) -> Result<bool, Problem> {
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
