//! `ledger apply`: puts a sound ledger in force.

use std::{
    collections::{BTreeMap, HashSet},
    io::Write,
};

use comfy_table::{Table, presets::ASCII_MARKDOWN};
use jiff::Timestamp;

use super::{LedgerFile, counted, read_sound, sound};
use crate::{
    adapters::dynamodb::DynamoDb,
    app::{
        Exceptions, LedgerHead, PutInForce, Sweep, TimeLimit,
        failure::{BoxError, CallFailed},
    },
    cli::{Misuse, Verdict, advice, store},
    domain::{
        assess::{Policy, Priority},
        digest,
        ledger::{Cover, InForce, Ledger, Uncovered, WhyEnded},
        record::{EndQueue, Record},
    },
    ledger::{self, Source},
};

/// Put a sound ledger in force, and say what it covers.
///
/// All or nothing: an unsound ledger, or one that cannot be written whole, leaves the one in force that is. What has ended is left
/// out. The functions take it up within minutes, and the daily round tells within the hour what is not covered any more. Needs AWS
/// credentials that may read the table and write the ledger's part of it, and a Region.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: LedgerFile,
    /// The table; the stack's output TableName.
    #[arg(long, value_name = "NAME")]
    table: String,
    /// The commit that the ledger comes from.
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    /// Who puts it in force.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Say what would become covered and what would not be any more, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The time to judge by, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// Puts it in force, or says what that would change.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let now = arguments.now.unwrap_or_else(clock);
    let stays = "nothing was written, and the ledger in force stays";
    let Some(source) = sound(&arguments.file.file, now, stays, output)? else {
        return Ok(Verdict::FoundWrong);
    };
    let (ledger, left_out) = in_force_at(&source, now);
    let store = store::deployed(&arguments.table).await;
    let advised = |failed: CallFailed| advice::on_table(&failed, &arguments.table);
    let before = store.ledger_head().await.map_err(advised)?;
    // Whatever it is judged by, it is put in force now.
    let head = head(&ledger, before.as_ref(), clock())?;
    let head =
        LedgerHead { commit: arguments.commit.clone(), applied_by: arguments.by.clone(), ..head };
    let is_new = before.as_ref().is_none_or(|before| before.digest != head.digest);
    let change = Change::of(&store, &ledger, now).await.map_err(advised)?;
    for id in &left_out {
        writeln!(output, "left out, because it has ended: {id}")?;
    }
    change.show(output)?;
    let holds = counted(ledger.exceptions.len(), "exception");
    if arguments.dry_run {
        let would = if is_new { "would be put in force" } else { "is in force already" };
        writeln!(output, "{holds}; ledger {} {would}; nothing was written", head.digest)?;
        return Ok(Verdict::Done);
    }
    if !is_new && before.as_ref().is_none_or(|before| before.retired.is_empty()) {
        writeln!(
            output,
            "no change: ledger {} is in force already; nothing was written",
            head.digest
        )?;
        return Ok(Verdict::Done);
    }
    let put = store.put_in_force(&ledger, &head, before.as_ref(), TimeLimit::none()).await;
    match put.map_err(advised)? {
        PutInForce::Done => {
            writeln!(output, "in force: {holds}, as ledger {}", head.digest)?;
            Ok(Verdict::Done)
        }
        PutInForce::Conflict => {
            let what = "another ledger was put in force at the same time, and is; see which one is right, and apply again";
            Err(what.into())
        }
    }
}

/// What of a ledger has not ended at `now`, and the ids of the exceptions that have.
fn in_force_at(source: &Source, now: Timestamp) -> (Ledger, Vec<String>) {
    let ledger = source.ledger();
    let (ended, exceptions): (Vec<_>, Vec<_>) =
        ledger.exceptions.into_iter().partition(|exception| now >= exception.terms.end());
    let ended = ended.into_iter().map(|exception| exception.id).collect();
    (Ledger { exceptions, ..ledger }, ended)
}

/// The head of a ledger that takes the place of `before` at `now`.
pub(in crate::cli) fn head(
    ledger: &Ledger,
    before: Option<&LedgerHead>,
    now: Timestamp,
) -> Result<LedgerHead, BoxError> {
    // An entry that moves within the file changes nothing.
    let mut exceptions: Vec<_> = ledger.exceptions.iter().collect();
    exceptions.sort_by(|a, b| a.id.cmp(&b.id));
    let mut never = ledger.policy.never.clone();
    never.sort();
    let digest = digest::hex(serde_json::to_vec(&(exceptions, &never))?);
    let mut retired = before.map(|before| before.retired.clone()).unwrap_or_default();
    retired.extend(before.map(|before| before.digest.clone()));
    retired.retain(|other| *other != digest);
    Ok(LedgerHead {
        digest,
        commit: None,
        applied_by: None,
        applied_at: now,
        exceptions: ledger.exceptions.len(),
        never,
        retired,
    })
}

/// What a ledger changes of what is open, by exception.
#[derive(Default)]
struct Change {
    covered: BTreeMap<String, BTreeMap<Priority, usize>>,
    uncovered: BTreeMap<String, BTreeMap<Priority, usize>>,
    /// Of exceptions that are about findings and cover none of them, why not.
    useless: BTreeMap<String, BTreeMap<WhyEnded, usize>>,
    total: usize,
}

impl Change {
    async fn of(store: &DynamoDb, ledger: &Ledger, now: Timestamp) -> Result<Self, CallFailed> {
        let (ledger, policy) = (InForce::from(ledger), Policy::default());
        let mut change = Self::default();
        let mut useful: HashSet<String> = HashSet::new();
        let each = |record: Record| {
            match ledger.cover(&record.situation(), now) {
                Cover::By(exception) => drop(useful.insert(exception.id.clone())),
                Cover::None(others) => {
                    for Uncovered { exception, why } in others {
                        let of = change.useless.entry(exception.id.clone()).or_default();
                        *of.entry(why).or_default() += 1;
                    }
                }
            }
            let Some((after, _)) = record.under(&ledger, &policy, now) else {
                change.total += usize::from(record.exception().is_some());
                return;
            };
            let (before, after) = (record.exception(), after.exception());
            change.total += usize::from(after.is_some());
            let (list, id) = match (before, after) {
                (None, Some(after)) => (&mut change.covered, &after.id),
                (Some(before), None) => (&mut change.uncovered, &before.id),
                // By another exception, or by the same on other terms.
                _ => return,
            };
            *list.entry(id.clone()).or_default().entry(record.priority()).or_default() += 1;
        };
        // What a suppression rule hides becomes open where an exception explains it.
        let hidden = [EndQueue::Untold, EndQueue::Hidden];
        store.each_open_and_ended(&hidden, None, TimeLimit::none(), each).await?;
        change.useless.retain(|id, _| !useful.contains(id));
        Ok(change)
    }

    /// Shows what becomes covered and what does not any more, by exception and priority.
    fn show(&self, output: &mut impl Write) -> Result<(), BoxError> {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header([
            "Becomes",
            "Exception",
            "P1",
            "P2",
            "P3",
            "P4",
        ]);
        for (becomes, list) in [("covered", &self.covered), ("uncovered", &self.uncovered)] {
            for (id, by_priority) in list {
                let count = |priority| by_priority.get(&priority).copied().unwrap_or_default();
                let counts = Priority::ALL.map(|priority| count(priority).to_string());
                let cells = [becomes.to_owned(), id.clone()].into_iter().chain(counts);
                table.add_row(cells);
            }
        }
        if !table.is_empty() {
            writeln!(output, "{table}")?;
        }
        for (id, why) in &self.useless {
            let why: Vec<String> =
                why.iter().map(|(why, count)| format!("{} {count}", why.as_str())).collect();
            writeln!(
                output,
                "covers none of the findings that it is about: {id} ({})",
                why.join(", ")
            )?;
        }
        let sum = |list: &BTreeMap<String, BTreeMap<Priority, usize>>| -> usize {
            list.values().flat_map(BTreeMap::values).sum()
        };
        let (covered, uncovered) = (sum(&self.covered), sum(&self.uncovered));
        writeln!(
            output,
            "open findings: {} covered, {covered} of them new; {uncovered} not covered any more",
            self.total
        )?;
        Ok(())
    }
}

/// Puts the ledger in a file in force in a store of this machine, with all that it has: what has ended is judged by the time of
/// each event.
pub(in crate::cli) async fn in_store(
    file: &std::path::Path,
    store: &DynamoDb,
    now: Timestamp,
) -> Result<(), BoxError> {
    let unsound = |problems: Vec<ledger::Problem>| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        Misuse(format!("{}:{first}; see inspector-triage ledger check", file.display()))
    };
    let source = read_sound(file, now)?.map_err(unsound)?;
    let ledger = source.ledger();
    let before = store.ledger_head().await?;
    let head = head(&ledger, before.as_ref(), now)?;
    match store.put_in_force(&ledger, &head, before.as_ref(), TimeLimit::none()).await? {
        PutInForce::Done => Ok(()),
        PutInForce::Conflict => Err("another ledger was put in force at the same time".into()),
    }
}
