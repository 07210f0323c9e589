//! `coverage`: what Amazon Inspector does not look at.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use comfy_table::{ContentArrangement, Table, presets::ASCII_MARKDOWN};
use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::failure::BoxError,
    cli::{
        Verdict, advice,
        listing::listed,
        rows::{self, Row},
        store,
        values::Format,
    },
    domain::{
        coverage::{Coverage, Gap, Subject},
        finding::OwnerTags,
        text,
    },
    render::words,
};

/// Show what Amazon Inspector does not look at, why, and what to do.
///
/// From the table of a deployment, whose daily round keeps it, with the first day of each; or from what
/// `aws inspector2 list-coverage` prints. Changes nothing. The table needs AWS credentials that may call dynamodb:Query,
/// and a Region. What passes by itself is shown after a day.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The table; the stack's output TableName.
    #[arg(long, value_name = "NAME", required_unless_present = "coverage")]
    table: Option<String>,
    /// A file with the output of aws inspector2 list-coverage.
    #[arg(long, value_name = "FILE", conflicts_with = "table")]
    coverage: Option<PathBuf>,
    /// The tags that name the owner of a resource, as the functions have them.
    #[arg(long, value_name = "TAGS", default_value_t)]
    owner_tags: OwnerTags,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The time to judge by, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// A gap, as programs and spreadsheets get it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    account: String,
    resource_type: Option<String>,
    resource: Option<String>,
    scan: String,
    reason: String,
    partial: bool,
    meaning: &'static str,
    todo: &'static str,
    since: Option<Timestamp>,
    owner: Option<String>,
}

/// Shows gaps, those of whole accounts first.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let now = arguments.now.unwrap_or_else(clock);
    let (mut gaps, is_dated) = match (&arguments.table, &arguments.coverage) {
        (Some(table), _) => {
            let store = store::deployed(table).await;
            let gaps = store.all_gaps().await;
            (gaps.map_err(|failed| advice::on_table(&failed, table))?, true)
        }
        (None, Some(file)) => (read(file, now)?, false),
        (None, None) => (Vec::new(), false),
    };
    gaps.retain(|gap| gap.is_due(now));
    gaps.sort_by(|a, b| (&a.subject, &a.account, &a.scan).cmp(&(&b.subject, &b.account, &b.scan)));
    let shown = gaps.iter().map(|gap| arguments.shown(gap, is_dated));
    rows::show(shown, arguments.format, |shown| for_people(&shown.collect::<Vec<_>>()), output)?;
    Ok(Verdict::Done)
}

/// The gaps in what the AWS CLI printed. Nobody knows since when they are there, so that they have lasted for a day.
fn read(file: &Path, now: Timestamp) -> Result<Vec<Gap>, BoxError> {
    let since = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    let mut gaps = Vec::new();
    for (number, covered) in resources(file)?.iter().enumerate() {
        let named = |error| format!("{}: coveredResources[{number}]: {error}", file.display());
        gaps.extend(Coverage::read(covered).map_err(named)?.gap(since));
    }
    Ok(gaps)
}

/// The resources that the AWS CLI printed.
pub fn resources(file: &Path) -> Result<Vec<Value>, BoxError> {
    listed(file, &["coveredResources"], "aws inspector2 list-coverage")
}

impl Arguments {
    fn shown(&self, gap: &Gap, is_dated: bool) -> Shown {
        let words = words::coverage::gap(gap);
        let (resource_type, resource) = match &gap.subject {
            Subject::Account => (None, None),
            Subject::Resource { kind, id } => (Some(text::line(kind)), Some(text::line(id))),
        };
        Shown {
            account: text::line(&gap.account),
            resource_type,
            resource,
            scan: text::line(&gap.scan),
            reason: text::line(&gap.reason),
            partial: gap.is_partial,
            meaning: words.meaning,
            todo: words.todo,
            since: is_dated.then_some(gap.since),
            owner: self.owner_tags.owner_in(&gap.tags).map(text::line),
        }
    }
}

impl Row for Shown {
    fn texts(&mut self) -> Vec<&mut String> {
        [&mut self.resource, &mut self.owner].into_iter().flatten().collect()
    }
}

/// The table, a line a gap, and under it what to do about each reason.
fn for_people(gaps: &[Shown]) -> String {
    if gaps.is_empty() {
        return "Inspector looks at everything that it knows.".to_owned();
    }
    let mut shown = Table::new();
    shown
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["Account", "What", "Scan", "Reason", "Since", "Owner"]);
    let mut todos: Vec<(&str, &str, &str)> = Vec::new();
    for gap in gaps {
        let day = |since| Offset::UTC.to_datetime(since).date().to_string();
        let what = gap.resource.as_deref().unwrap_or("the account");
        shown.add_row([
            gap.account.clone(),
            text::short(name(what), 40),
            if gap.partial { format!("{} in part", gap.scan) } else { gap.scan.clone() },
            text::short(&gap.reason, 28),
            gap.since.map_or_else(|| "-".to_owned(), day),
            text::short(gap.owner.as_deref().unwrap_or("-"), 16),
        ]);
        let todo = (gap.reason.as_str(), gap.meaning, gap.todo);
        if !todos.contains(&todo) {
            todos.push(todo);
        }
    }
    let mut text = format!("{shown}\n");
    for (reason, meaning, todo) in todos {
        text.extend(["\n", reason, ": ", meaning, "; ", todo]);
    }
    text
}

/// What people call a resource: what stands after the account in its ARN.
fn name(resource: &str) -> &str {
    resource.splitn(6, ':').nth(5).unwrap_or(resource).trim_end_matches(":$LATEST")
}
