//! `evidence`: what an auditor gets of a period.

mod folder;

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use indicatif::{ProgressBar, ProgressDrawTarget};
use jiff::{Timestamp, civil::Date};

use crate::{
    adapters::dynamodb::DynamoDb,
    app::{evidence, failure::BoxError},
    cli::{Misuse, Verdict, advice, is_broken_pipe, store},
    domain::{
        evidence::{Evidence, Outcome, Period},
        finding::OwnerTags,
        round::day,
        text,
    },
    render::evidence::{Profile, Provenance, Source, fedramp, page, poam, tables},
};
use folder::Folder;

/// Give evidence of a period: every finding, every exception, all that was not looked at, and where it comes from.
///
/// Reads the whole table of a deployment and changes nothing: findings.csv, exceptions.csv, coverage.csv, the reviews of the period,
/// a summary as a page and in Markdown, and provenance.json with the SHA-256 of each file. The same table, period and --now give the
/// same to the byte. Needs AWS credentials that may call dynamodb:DescribeTable and dynamodb:Scan, and a Region.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["table", "db"])))]
pub struct Arguments {
    /// The table; the stack's output TableName.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// A store that `replay --db` has kept, in place of a table.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// The first day, in UTC, such as 2026-07-01.
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last day, in UTC, such as 2026-09-30; today at the latest.
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// Where to write it: a folder that is empty, or is not there yet.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The standard that it is for: pci-dss-4.0.1, soc2 or fedramp. The summary follows its clauses; for fedramp there are two
    /// reports and a POA&M, too.
    #[arg(long, value_name = "STANDARD")]
    profile: Option<Profile>,
    /// The URI of the provider's Certification Package Overview, for the reports of fedramp.
    #[arg(long, value_name = "URI", value_parser = uri)]
    certification_package: Option<String>,
    /// The tags that name the owner of a resource, as the functions have them.
    #[arg(long, value_name = "TAGS", default_value_t)]
    owner_tags: OwnerTags,
    /// The time to look from, such as 2026-10-02T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// Writes the evidence.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let now = arguments.now.unwrap_or_else(clock);
    let period = Period::new(arguments.from, arguments.to, now).map_err(misuse)?;
    if arguments.certification_package.is_some() && arguments.profile != Some(Profile::FedRamp) {
        return Err(misuse("--certification-package is for --profile fedramp alone").into());
    }
    let folder = Folder::empty(&arguments.out)?;
    let (evidence, source) = arguments.collected(period, now).await?;
    let folder = arguments.written(&evidence, &source, folder)?;
    let is_for_fedramp = arguments.profile == Some(Profile::FedRamp);
    warn(&evidence, is_for_fedramp && arguments.certification_package.is_none())?;
    if let Some(owner_tags) = other_owner_tags(&evidence, &arguments.owner_tags) {
        let what = "owners are not told by the tags of the deployment";
        writeln!(io::stderr(), "{what}: give --owner-tags {}", text::line(owner_tags))?;
    }
    let verdict = if evidence.unread.is_empty() { Verdict::Done } else { Verdict::FoundWrong };
    match show(&evidence, &folder, output) {
        // Whoever reads the output has seen enough, and that changes nothing.
        Err(error) if is_broken_pipe(error.as_ref()) => Ok(verdict),
        shown => shown.map(|()| verdict),
    }
}

fn misuse(error: impl fmt::Display) -> Misuse {
    Misuse(error.to_string())
}

impl Arguments {
    /// Reads the table, if it is one of this program that has something of the period.
    async fn collected(
        &self,
        period: Period,
        now: Timestamp,
    ) -> Result<(Evidence, Source), BoxError> {
        let (store, table, arn, _emulator) = match (&self.table, &self.db) {
            (_, Some(db)) => {
                let (store, emulator) = store::kept(db).await?;
                (store, db.display().to_string(), String::new(), Some(emulator))
            }
            (table, None) => {
                let table = table.clone().unwrap_or_default();
                let store = store::deployed(&table).await;
                let arn = own_arn(&store, &table).await?;
                (store, table, arn, None)
            }
        };
        let waiting = waiting();
        let collecting = evidence::collect(&store, period, now, self.owner_tags.clone()).await;
        waiting.finish_and_clear();
        let collected = collecting.map_err(|failed| advice::on_table(&failed, &table))?;
        if !collected.is_own {
            let what = "none of its rows is one that this program writes";
            return Err(misuse(format!("there is no evidence in table {table}: {what}")).into());
        }
        match collected.evidence.first_row_at().map(day) {
            None => {
                Err(misuse(format!("there is no evidence in table {table}: it has no finding yet"))
                    .into())
            }
            Some(first) if period.to < first => {
                let to = period.to;
                Err(misuse(format!("the period ends on {to}, before the first row of table {table}, which is of {first}"))
                    .into())
            }
            Some(_) => {
                let source = Source { table, arn, now };
                Ok((collected.evidence.finish(), source))
            }
        }
    }

    /// Writes all files, and last of all what says which they are.
    fn written(
        &self,
        evidence: &Evidence,
        source: &Source,
        mut folder: Folder,
    ) -> Result<Folder, BoxError> {
        for table in tables(evidence) {
            folder.csv(table)?;
        }
        for review in &evidence.reviews {
            let as_of = review.figures.as_of.to_string().replace(':', "-");
            folder.json(&format!("reviews/{as_of}.json"), review)?;
        }
        if self.profile == Some(Profile::FedRamp) {
            let package = self.certification_package.as_deref();
            let report = fedramp::vulnerability_details(evidence, package);
            folder.json("fedramp-vulnerability-detail-report.json", &report)?;
            let accepted = fedramp::accepted_vulnerabilities(evidence, package);
            folder.json("fedramp-accepted-vulnerability-info.json", &accepted)?;
            folder.csv(poam(evidence))?;
        }
        let summary = page(evidence, source, self.profile);
        folder.text("summary.html", &summary.html())?;
        folder.text("summary.md", &summary.markdown())?;
        let files = folder.files().to_vec();
        let owner_tags = self.owner_tags.to_string();
        let provenance = Provenance::new(evidence, source, self.profile, owner_tags, &files);
        folder.json("provenance.json", &provenance)?;
        folder.keep()
    }
}

/// A URI with a scheme, as the reports of FedRAMP need it.
fn uri(text: &str) -> Result<String, &'static str> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() && !"<>\"{}|\\^`".contains(c));
    if scheme.is_some_and(is_scheme) && is_plain {
        Ok(text.to_owned())
    } else {
        Err("expected a URI such as https://example.com/package.json")
    }
}

/// The ARN of a table that is one of this program.
async fn own_arn(store: &DynamoDb, table: &str) -> Result<String, BoxError> {
    let identity = store.identity().await.map_err(|failed| advice::on_table(&failed, table))?;
    if identity.is_own {
        return Ok(identity.arn);
    }
    let what = "it has not the keys and indexes that this program's tables have";
    Err(misuse(format!("table {table} is one of another program: {what}")).into())
}

/// The tags by which the deployment told owners last, if those are others.
fn other_owner_tags<'a>(evidence: &'a Evidence, given: &OwnerTags) -> Option<&'a str> {
    let (_, rules) = evidence.rules.last()?;
    Some(rules.owner_tags.as_str()).filter(|tags| *tags != given.to_string())
}

/// That the table is being read, for whoever waits at a terminal.
fn waiting() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_message("reading the table");
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// What was written, and what is in it.
fn show(evidence: &Evidence, folder: &Folder, output: &mut impl Write) -> Result<(), BoxError> {
    let count = |outcome| evidence.count(|entry| entry.outcome == outcome);
    let ended = evidence.count(|entry| matches!(entry.outcome, Outcome::Ended(_)));
    let period = evidence.period;
    writeln!(
        output,
        "{} to {}: {} findings, of them {} open at the end, {} excepted, {ended} ended, {} hidden; {} late; {} exceptions; {} gaps",
        period.from,
        period.to,
        evidence.entries.len(),
        count(Outcome::Open),
        count(Outcome::Excepted),
        count(Outcome::NeverOpen),
        evidence.breaches().len(),
        evidence.exceptions.len(),
        evidence.gaps.len(),
    )?;
    let wrong = evidence.checks.iter().filter(|check| !check.agrees()).count();
    let compared = evidence.checks.len();
    writeln!(output, "counted then and now: {compared} compared, {wrong} differ")?;
    let Some(provenance) = folder.files().last() else { return Ok(()) };
    writeln!(
        output,
        "{} files in {}; sha256 of {}: {}",
        folder.files().len(),
        folder.path().display(),
        provenance.name,
        provenance.sha256
    )?;
    Ok(output.flush()?)
}

/// Says what a reader must know before relying on it.
fn warn(evidence: &Evidence, is_without_package: bool) -> Result<(), BoxError> {
    let Evidence { period, reach, unread, .. } = evidence;
    let mut stderr = io::stderr();
    if let (true, Some(whole)) = (reach.is_short_of(period), reach.whole_since) {
        writeln!(
            stderr,
            "the period reaches further back than the history, which is whole since {} (HistoryDays): see the limits in the summary",
            day(whole)
        )?;
    }
    if let Some(first) = reach.begins_in(period) {
        writeln!(stderr, "the first row of the table is of {first}: nothing was recorded before")?;
    }
    if is_without_package {
        writeln!(
            stderr,
            "the reports name no Certification Package Overview: give --certification-package"
        )?;
    }
    if !unread.is_empty() {
        writeln!(stderr, "{} rows of the table could not be read: see unread.csv", unread.len())?;
    }
    Ok(())
}
