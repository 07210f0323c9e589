//! `report`: the whole as of one moment, as a page, as Markdown, or for programs.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};

use crate::{
    adapters::dynamodb::DynamoDb,
    app::{FigureLog, Survey, TimeLimit, failure::BoxError},
    cli::{
        Misuse, Verdict, advice,
        commands::ledger::apply,
        events::{self, Taken},
        rows::defuse,
        store,
    },
    domain::{
        assess::Policy,
        finding::{OwnerTags, Scope},
        record::Audience,
        review::Review,
        round::day,
        rules::Rules,
    },
    emulator::Emulator,
    render::{
        Language, Style, message,
        report::{Line, Report},
    },
};

/// Show the whole: what to do first, what is overdue and whose, what came and went.
///
/// From events, handled as the function does; from the store that `replay --db` has kept; or from the table of a
/// deployment, which needs AWS credentials that may call dynamodb:Query and dynamodb:BatchGetItem, and a Region.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["paths", "table", "db"])))]
pub struct Arguments {
    /// Files and folders of events, as `replay` takes them.
    paths: Vec<PathBuf>,
    /// The table of a deployment; the stack's output TableName.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// A store that `replay --db` has kept.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Where to write it; - for stdout.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// As what.
    #[arg(long, value_enum, default_value_t = Form::Html)]
    format: Form,
    /// Since when to count what is new and what has ended; by default for a week.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// The moment as of which it is; by default now, or the time of the latest event.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// The language.
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// The tags that name the owner of a resource, as the function has them.
    #[arg(long, value_name = "TAGS", default_value_t)]
    owner_tags: OwnerTags,
    /// The ledger of exceptions that is in force; only with events.
    #[arg(long, value_name = "FILE", requires = "paths")]
    ledger: Option<PathBuf>,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A page: one file, readable without scripts
    Html,
    /// For an issue or a wiki
    Markdown,
    /// For spreadsheets: the findings that are open
    Csv,
    /// For programs: the review
    Json,
    /// The message of the week, as e-mail has it
    Email,
}

/// A table, and where it comes from.
struct Source {
    store: DynamoDb,
    name: String,
    /// The time of the latest event.
    latest: Option<Timestamp>,
    /// Whether events could not be handled, which has been said.
    verdict: Verdict,
    /// What the store lives in.
    _emulator: Option<Emulator>,
}

/// Writes the report.
pub async fn run(
    report: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let source = Box::pin(report.source(clock)).await?;
    let now = report.now.or(source.latest).unwrap_or_else(clock);
    let week = SignedDuration::from_hours(7 * 24);
    let since = report.since.map_or_else(|| now.saturating_sub(week), Ok)?;
    if since > now {
        return Err(Misuse(format!("--since {since} is after {now}")).into());
    }
    let owner_tags = report.owner_tags.clone();
    let survey = Survey { now, since, owner_tags };
    let mut open = Vec::new();
    let wants_lines = !matches!(report.format, Form::Json | Form::Email);
    let each = |record: &crate::domain::record::Record| {
        if wants_lines {
            open.push(Line::new(record, &report.owner_tags, now));
        }
    };
    let review = survey.of(&source.store, TimeLimit::none(), each).await;
    let review = review.map_err(|failed| advice::on_table(&failed, &source.name))?;
    let review = review.ok_or("the table was not read to its end")?;
    open.sort_by(Line::by_urgency);
    let made = report.made(&review, open, &source.name)?;
    if report.out == Path::new("-") {
        output.write_all(&made)?;
        output.flush()?;
    } else {
        let cannot = |error: io::Error| format!("cannot write {}: {error}", report.out.display());
        fs::write(&report.out, made).map_err(cannot)?;
    }
    Ok(source.verdict)
}

impl Arguments {
    async fn source(&self, clock: fn() -> Timestamp) -> Result<Source, BoxError> {
        if let Some(table) = &self.table {
            let store = store::deployed(table).await;
            let (name, verdict) = (table.clone(), Verdict::Done);
            return Ok(Source { store, name, latest: None, verdict, _emulator: None });
        }
        let (store, mut emulator) = match &self.db {
            Some(db) => store::kept(db).await?,
            None => store::opened(None).await?,
        };
        if let Some(ledger) = &self.ledger {
            apply::in_store(ledger, &store, clock()).await?;
        }
        let day_over = async |store: &DynamoDb, now| self.remember(store, now).await;
        let taken = events::take(&self.paths, &mut emulator, clock, self.now, day_over).await?;
        let Taken { latest, verdict } = taken;
        let names = self.paths.iter().chain(&self.db).map(|path| path.display().to_string());
        let name = names.collect::<Vec<_>>().join(", ");
        Ok(Source { store, name, latest, verdict, _emulator: Some(emulator) })
    }

    /// Remembers the figures of a day that is over, as of its last event.
    async fn remember(&self, store: &DynamoDb, now: Timestamp) -> Result<(), BoxError> {
        let survey = Survey { now, since: now, owner_tags: self.owner_tags.clone() };
        if let Some(review) = survey.of(store, TimeLimit::none(), |_| {}).await? {
            let rules = Rules::of(&Policy::default(), &Scope::default(), &self.owner_tags);
            store.remember_figures(day(now), &review.figures, &rules, &[]).await?;
        }
        Ok(())
    }

    fn made(&self, review: &Review, lines: Vec<Line>, source: &str) -> Result<Vec<u8>, BoxError> {
        let report = Report { review, lines: &lines, left_out: 0, source, language: self.language };
        Ok(match self.format {
            Form::Html => report.html().into_bytes(),
            Form::Markdown => report.markdown().into_bytes(),
            Form::Json => {
                let mut json = serde_json::to_vec_pretty(review)?;
                json.push(b'\n');
                json
            }
            Form::Email => {
                let (language, owner_tags) = (self.language, self.owner_tags.clone());
                let style = Style { language, owner_tags, ..Style::default() };
                let now = review.figures.as_of;
                let message = message::review(Audience::Email, review, None, now, &style);
                let subject = message.subject.unwrap_or_default();
                format!("Subject: {subject}\n\n{}", message.body).into_bytes()
            }
            Form::Csv => {
                let mut csv = csv::Writer::from_writer(Vec::new());
                for mut line in lines {
                    line.texts().into_iter().for_each(defuse);
                    csv.serialize(line)?;
                }
                csv.into_inner()?
            }
        })
    }
}
