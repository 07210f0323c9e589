//! `retell`: findings that people were told of in vain, told once more in a summary.

use std::io::Write;

use jiff::Timestamp;

use crate::{
    app::{
        Sweep, TimeLimit, WriteOutcome,
        failure::{BoxError, CallFailed},
    },
    cli::{Verdict, advice, store},
    domain::record::{Audience, Record},
};

/// Have findings told again that people were told of in vain.
///
/// For when messages went out and did not arrive: a chat that was away, a mailbox that was full. The open findings that
/// were told since a time wait to be told again, and come in their next summary: what is urgent in the next one. Needs AWS credentials that may call
/// dynamodb:Query, dynamodb:BatchGetItem and dynamodb:UpdateItem, and a Region.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The table; the stack's output TableName.
    #[arg(long, value_name = "NAME")]
    table: String,
    /// What was told at this time or later, such as 2026-11-20T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Timestamp,
    /// Whom to tell again; by default everybody.
    #[arg(long, value_enum, value_name = "AUDIENCE")]
    to: Option<Audience>,
    /// Only say which findings they are.
    #[arg(long)]
    dry_run: bool,
}

/// Lets the findings wait that were told since then.
pub async fn run(
    arguments: Arguments,
    now: Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let store = store::deployed(&arguments.table).await;
    let mut records: Vec<Record> = Vec::new();
    let keep = |record: Record| records.extend(record.untold_since(arguments.since, arguments.to));
    let failed = |failed: CallFailed| advice::on_table(&failed, &arguments.table);
    store.each_open(TimeLimit::none(), keep).await.map_err(failed)?;
    let (mut waiting, mut changed) = (0, 0);
    for record in &records {
        let outcome = if arguments.dry_run {
            WriteOutcome::Applied
        } else {
            store.untell(record, now).await.map_err(failed)?
        };
        let said = match outcome {
            WriteOutcome::Applied => "waits to be told again",
            WriteOutcome::Conflict => "left: it has changed, or is being told at this moment",
        };
        waiting += usize::from(outcome == WriteOutcome::Applied);
        changed += usize::from(outcome == WriteOutcome::Conflict);
        writeln!(output, "{}: {said}", record.finding.arn)?;
    }
    let what = if arguments.dry_run { "would wait" } else { "wait" };
    let left = if changed > 0 { format!(", {changed} left: run it again") } else { String::new() };
    writeln!(output, "{waiting} findings {what} for their next summary{left}")?;
    output.flush()?;
    Ok(if changed == 0 { Verdict::Done } else { Verdict::FoundWrong })
}
