//! `ledger compare`: exclusion tags and suppression rules that no entry explains, and entries without their tag.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::{Path, PathBuf},
};

use comfy_table::{ContentArrangement, Table, presets::ASCII_MARKDOWN};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{LedgerFile, SEE_CHECK, sound};
use crate::{
    adapters::{aws, inspector2::Inspector2},
    app::{Inspector, NotAnswered, Page, TimeLimit, failure::BoxError},
    cli::{
        Verdict, advice,
        listing::listed,
        rows::{self, Row},
        values::Format,
    },
    domain::{coverage::Coverage, ledger::Ledger, suppression::SuppressionRule, text},
    ledger::compare::{Asked, Difference, Extent, World, asked, compare},
};

/// Compare exclusion tags on resources and Inspector's suppression rules with the ledger.
///
/// Each difference is a line: a tag that no entry explains, an entry without its tag, a tag or a rule whose entry has ended, a
/// rule that no exception explains or that hides something else. Asks Inspector, in one Region, with AWS credentials that
/// may call inspector2:ListCoverage, inspector2:ListFilters and inspector2:BatchGetAccountStatus, those of the delegated
/// administrator for all accounts; or reads what the AWS CLI prints. What cannot be known is said on stderr. Exit status: 0
/// no difference, 1 some, or an unsound ledger, 2 bad usage.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: LedgerFile,
    /// Files with the output of aws inspector2 list-coverage, those of several accounts and Regions too; Inspector is not
    /// asked then.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    coverage: Vec<PathBuf>,
    /// Files with the output of aws inspector2 list-filters; Inspector is not asked then.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    filters: Vec<PathBuf>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The time to judge by, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// A difference, as programs and spreadsheets get it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    kind: &'static str,
    account: Option<String>,
    region: Option<String>,
    name: String,
    resource: String,
    what: String,
    todo: String,
}

/// How often Inspector is asked, at most, in a second.
const CALLS_A_SECOND: f64 = 2.0;

/// Compares.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let now = arguments.now.unwrap_or_else(clock);
    let Some(source) = sound(&arguments.file.file, now, SEE_CHECK, output)? else {
        return Ok(Verdict::FoundWrong);
    };
    let ledger = source.ledger();
    let (world, mut unknown) = if arguments.coverage.is_empty() && arguments.filters.is_empty() {
        let config = aws::config().load().await;
        ask(&Inspector2::new((&config).into(), CALLS_A_SECOND), &ledger, now).await?
    } else {
        (arguments.read()?, Vec::new())
    };
    let mut compared = compare(&ledger, &world, now);
    if !arguments.filters.is_empty() && arguments.coverage.is_empty() {
        // Without any coverage, nothing about tags is new.
        compared.unknown.clear();
        unknown.push(
            "resources were not listed, so nothing is said of tags; give --coverage".to_owned(),
        );
    }
    for what in unknown.iter().chain(&compared.unknown) {
        writeln!(io::stderr(), "not known: {what}")?;
    }
    let differences = compared.differences.len();
    let shown = compared.differences.into_iter().map(Shown::from);
    rows::show(shown, arguments.format, |shown| for_people(&shown.collect::<Vec<_>>()), output)?;
    Ok(if differences == 0 { Verdict::Done } else { Verdict::FoundWrong })
}

/// Asks Inspector, as far as this account sees in this Region.
async fn ask(
    inspector: &impl Inspector,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<(World, Vec<String>), BoxError> {
    let refused = |error: NotAnswered| advice::on(&error.failed, "Amazon Inspector");
    let limit = TimeLimit::none;
    let mut unread = Vec::new();
    let mut covered: Vec<Coverage> =
        all(async |token| inspector.excluded(token, limit()).await, &mut unread)
            .await
            .map_err(refused)?;
    let own_region = inspector.region().map(str::to_owned);
    let (mut ids, mut names, mut accounts) = (Vec::new(), Vec::new(), BTreeSet::new());
    for asked in asked(ledger, now) {
        match asked {
            Asked::Function(name) => names.push(name),
            Asked::Resource(_, Some((_, region))) if Some(&region) != own_region.as_ref() => {}
            Asked::Resource(id, place) => {
                ids.push(id);
                accounts.extend(place.map(|(account, _)| account));
            }
        }
    }
    for ids in ids.chunks(NAMES_PER_CALL) {
        let listed =
            all(async |token| inspector.coverage_of(ids, token, limit()).await, &mut unread);
        covered.extend(listed.await.map_err(refused)?);
    }
    for names in names.chunks(NAMES_PER_CALL) {
        let listed =
            all(async |token| inspector.functions_called(names, token, limit()).await, &mut unread);
        covered.extend(listed.await.map_err(refused)?);
    }
    // What is not listed is not there only where Inspector is on, and where we see it.
    let mut places = BTreeSet::new();
    let accounts: Vec<String> = accounts.into_iter().collect();
    for accounts in accounts.chunks(ACCOUNTS_PER_CALL) {
        let states = inspector.enabled(accounts, limit()).await.map_err(refused)?;
        let on = states.into_iter().filter(crate::domain::coverage::Enablement::is_on);
        places.extend(on.filter_map(|state| Some((state.account, own_region.clone()?))));
    }
    let rules: Vec<SuppressionRule> =
        all(async |token| inspector.suppression_rules(token, limit()).await, &mut unread)
            .await
            .map_err(refused)?;
    let unread = unread
        .into_iter()
        .map(|why| format!("what Inspector answered in part: {}", text::short(&why, 300)));
    Ok((World { covered, extent: Extent::All(places), rules: Some(rules) }, unread.collect()))
}

/// How many resources Inspector is asked about by name at a time.
const NAMES_PER_CALL: usize = 10;
/// How many accounts Inspector is asked about at a time.
const ACCOUNTS_PER_CALL: usize = 100;

/// Everything on all pages. `unread` gets what could not be read.
async fn all<T>(
    page: impl AsyncFn(Option<&str>) -> Result<Page<T>, NotAnswered>,
    unread: &mut Vec<String>,
) -> Result<Vec<T>, NotAnswered> {
    let (mut items, mut token) = (Vec::new(), None);
    loop {
        let page = page(token.as_deref()).await?;
        items.extend(page.items);
        unread.extend(page.unread);
        token = page.next;
        if token.is_none() {
            return Ok(items);
        }
    }
}

impl Arguments {
    /// The world as the AWS CLI printed it.
    fn read(&self) -> Result<World, BoxError> {
        let mut covered: Vec<Coverage> = Vec::new();
        for file in &self.coverage {
            let listed = listed(file, &["coveredResources"], "aws inspector2 list-coverage")?;
            covered.extend(read(file, "coveredResources", &listed, Coverage::read)?);
        }
        let mut rules = Vec::new();
        for file in &self.filters {
            let listed = listed(file, &["filters"], "aws inspector2 list-filters")?;
            rules.extend(read(file, "filters", &listed, SuppressionRule::read)?);
        }
        let extent = Extent::of(&covered);
        let rules = (!self.filters.is_empty()).then_some(rules);
        Ok(World { covered, extent, rules })
    }
}

fn read<T>(
    file: &Path,
    list: &str,
    items: &[Value],
    read: impl Fn(&Value) -> Result<T, serde_json::Error>,
) -> Result<Vec<T>, BoxError> {
    let named = |(number, item)| {
        read(item).map_err(|error| format!("{}: {list}[{number}]: {error}", file.display()).into())
    };
    items.iter().enumerate().map(named).collect()
}

impl From<Difference> for Shown {
    fn from(difference: Difference) -> Self {
        let known = |said: &str| (!said.is_empty()).then(|| text::line(said));
        Self {
            kind: difference.kind.as_str(),
            account: known(&difference.account),
            region: known(&difference.region),
            name: text::line(&difference.name),
            resource: text::line(&difference.resource),
            what: text::line(&difference.what),
            todo: difference.todo,
        }
    }
}

impl Row for Shown {
    fn texts(&mut self) -> Vec<&mut String> {
        vec![&mut self.name, &mut self.resource, &mut self.what]
    }
}

/// The table, a line a difference, and under it what is wrong and what to do about each.
fn for_people(differences: &[Shown]) -> String {
    if differences.is_empty() {
        return "The ledger says what is there, as far as is known.".to_owned();
    }
    let mut shown = Table::new();
    shown
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["Account", "Region", "What", "Difference"]);
    let or_none = |said: &Option<String>| said.clone().unwrap_or_else(|| "-".to_owned());
    for difference in differences {
        shown.add_row([
            or_none(&difference.account),
            or_none(&difference.region),
            text::short(&difference.name, 40),
            difference.kind.to_owned(),
        ]);
    }
    let mut said = format!("{shown}\n");
    for Shown { name, what, todo, .. } in differences {
        said.extend(["\n", &text::short(name, 40), ": ", what, "; ", todo]);
    }
    said
}
