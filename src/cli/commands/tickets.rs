//! `tickets`: what the function would do in the tracker.

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use comfy_table::{ContentArrangement, Table, presets::ASCII_MARKDOWN};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use crate::{
    app::{
        failure::BoxError,
        tickets::{Plan, Planned, TicketChange, Tickets, TicketsConfig},
    },
    cli::{
        Verdict, advice, events,
        rows::{self, Row},
        store,
        values::Format,
    },
    domain::{assess::Priority, finding::OwnerTags, text, ticket::Projects},
    render::{Language, Style, ticket::markdown},
};

/// Show which tickets the function would open and change, if all that is open were noted and every ticket had its turn.
///
/// From events, handled as the function does; from the store that `replay --db` has kept; or from the table of a
/// deployment, which needs AWS credentials that may call dynamodb:Query and dynamodb:BatchGetItem, and a Region. Asks no
/// tracker and writes nothing: a ticket that a person has closed meanwhile is taken for open.
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
    /// Only show it. Required: tickets are the function's to write.
    #[arg(long, required = true)]
    dry_run: bool,
    /// Which project gets the tickets of an owner, as TRACKER_PROJECTS has it; required with --table, else by default *=SEC.
    #[arg(long, value_name = "OWNER=PROJECT,…", required_unless_present_any = ["paths", "db"])]
    projects: Option<Projects>,
    /// The lowest priority that opens a ticket.
    #[arg(long, value_enum, value_name = "P", default_value_t = Priority::P2)]
    from: Priority,
    /// The tags that name the owner of a resource, as the function has them.
    #[arg(long, value_name = "TAGS", default_value_t)]
    owner_tags: OwnerTags,
    /// The language of the tickets.
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// How to show them; as JSON with the text of each ticket, in Markdown.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A ticket, as programs and spreadsheets get it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    change: &'static str,
    ticket: Option<String>,
    project: String,
    priority: Priority,
    due: Option<Date>,
    open: usize,
    owner: Option<String>,
    title: String,
    text: String,
}

impl Row for Listed {
    fn texts(&mut self) -> Vec<&mut String> {
        let texts = [&mut self.title, &mut self.text, &mut self.project];
        texts.into_iter().chain(&mut self.owner).chain(&mut self.ticket).collect()
    }
}

/// Shows what would be done.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let language = arguments.language;
    let style = Style { language, owner_tags: arguments.owner_tags.clone(), ..Style::default() };
    let from = arguments.from;
    let projects = match &arguments.projects {
        Some(projects) => projects.clone(),
        None => "*=SEC".parse()?,
    };
    let config = TicketsConfig { projects, from, style };
    let mut verdict = Verdict::Done;
    let plan = if let Some(table) = &arguments.table {
        let tickets = Tickets { store: store::deployed(table).await, tracker: (), config };
        tickets.plan().await.map_err(|failed| advice::on_table(&failed, table))?
    } else {
        let (store, mut emulator) = match &arguments.db {
            Some(db) => store::kept(db).await?,
            None => store::opened(None).await?,
        };
        let paths = &arguments.paths;
        let taken = events::take(paths, &mut emulator, clock, None, async |_, _| Ok(())).await?;
        verdict = taken.verdict;
        Tickets { store, tracker: (), config }.plan().await?
    };
    let rows = plan.planned.iter().map(listed);
    rows::show(rows, arguments.format, |rows| for_people(rows, &plan, from), output)?;
    Ok(verdict)
}

fn listed(planned: &Planned) -> Listed {
    Listed {
        change: planned.change.as_str(),
        ticket: planned.key.as_deref().map(text::line),
        project: text::line(&planned.project),
        priority: planned.priority(),
        due: planned.due(),
        open: planned.open,
        owner: planned.owner.as_deref().map(text::line),
        title: planned.card.title.clone(),
        text: markdown(&planned.card.text),
    }
}

fn for_people(rows: impl Iterator<Item = Listed>, plan: &Plan, from: Priority) -> String {
    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["Change", "Ticket", "Prio", "Due", "Open", "Owner", "Title"]);
    let mut counts: BTreeMap<TicketChange, usize> = BTreeMap::new();
    for planned in &plan.planned {
        *counts.entry(planned.change).or_default() += 1;
    }
    for row in rows {
        let ticket = row.ticket.unwrap_or_else(|| format!("new in {}", row.project));
        table.add_row([
            row.change.to_owned(),
            text::short(&ticket, 24),
            row.priority.to_string(),
            row.due.map_or_else(|| "-".to_owned(), |due| due.to_string()),
            row.open.to_string(),
            row.owner.map_or_else(|| "-".to_owned(), |owner| text::short(&owner, 16)),
            text::short(&row.title, 60),
        ]);
    }
    let counts: Vec<String> =
        counts.iter().map(|(change, count)| format!("{count} {}", change.as_str())).collect();
    let mut lines = vec![if counts.is_empty() {
        "No ticket would be opened or changed.".to_owned()
    } else {
        format!("{table}\nWould be: {}.", counts.join(", "))
    }];
    if plan.without_project > 0 {
        let count = plan.without_project;
        lines.push(format!("Problems whose owner has no project, which get none: {count}."));
    }
    if plan.below > 0 {
        lines.push(format!("Open findings below {from}, which open none: {}.", plan.below));
    }
    lines.join("\n")
}
