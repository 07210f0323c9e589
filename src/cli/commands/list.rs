//! `list`: the findings in the deployed table.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    app::{Sweep, TimeLimit, failure::BoxError},
    cli::{
        Verdict, advice,
        rows::{self, Row},
        store, table,
        values::Format,
    },
    domain::{
        assess::Priority,
        finding::{FixAvailable, OwnerTags, Resource},
        record::Record,
        text,
    },
};

/// List the findings in a deployed table.
///
/// Reads the table of a deployment and changes nothing. Needs AWS credentials that may call dynamodb:Query and
/// dynamodb:BatchGetItem, and a Region.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The table; the stack's output TableName.
    #[arg(long, value_name = "NAME")]
    table: String,
    /// Only findings whose due date has passed.
    #[arg(long, conflicts_with_all = ["pending", "excepted"])]
    overdue: bool,
    /// Only findings that wait to be told.
    #[arg(long, conflicts_with = "excepted")]
    pending: bool,
    /// Only findings that an exception of the ledger covers.
    #[arg(long)]
    excepted: bool,
    /// Only findings of this priority.
    #[arg(long, value_enum, value_name = "P")]
    priority: Option<Priority>,
    /// Only findings on resources of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// The tags that name the owner of a resource, as the function has them.
    #[arg(long, value_name = "TAGS", default_value_t)]
    owner_tags: OwnerTags,
    /// How to show them.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The time to judge due dates by, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// A finding, as programs and spreadsheets get it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    finding_arn: String,
    priority: Priority,
    score: u8,
    due_at: Option<Timestamp>,
    overdue: bool,
    status: String,
    severity: String,
    problem: String,
    resource: String,
    resource_id: String,
    account: String,
    region: Option<String>,
    owner: Option<String>,
    fix_available: Option<String>,
    exploit_available: bool,
    opened_at: Option<Timestamp>,
    announced_at: Option<Timestamp>,
    pending_since: Option<Timestamp>,
    exception: Option<String>,
    excepted_until: Option<Timestamp>,
}

/// Lists findings, the most urgent first.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let now = arguments.now.unwrap_or_else(clock);
    let store = store::deployed(&arguments.table).await;
    let mut records: Vec<Record> = Vec::new();
    let keep = |record: Record| {
        if arguments.wants(&record, now) {
            records.push(record);
        }
    };
    let read = if arguments.pending {
        store.pending_records(keep).await
    } else {
        store.each_open(TimeLimit::none(), keep).await.map(drop)
    };
    read.map_err(|failed| advice::on_table(&failed, &arguments.table))?;
    records.sort_by(|a, b| a.urgency().cmp(&b.urgency()));
    let listed = records.iter().map(|one| arguments.listed(one, now));
    rows::show(listed, arguments.format, |_| table::of(&records), output)?;
    Ok(Verdict::Done)
}

impl Arguments {
    fn wants(&self, record: &Record, now: Timestamp) -> bool {
        let priority = self.priority.is_none_or(|priority| record.priority() == priority);
        let is_owner =
            |owner: &String| record.finding.owner(&self.owner_tags) == Some(owner.trim());
        let owner = self.owner.as_ref().is_none_or(is_owner);
        let excepted = !self.excepted || record.exception().is_some();
        priority && owner && excepted && (!self.overdue || record.is_overdue(now))
    }

    fn listed(&self, record: &Record, now: Timestamp) -> Listed {
        let finding = &record.finding;
        let resource = finding.resource();
        Listed {
            finding_arn: text::line(&finding.arn),
            priority: record.priority(),
            score: record.score(),
            due_at: record.due_at,
            overdue: record.is_overdue(now),
            status: text::line(finding.status.as_str()),
            severity: text::line(finding.severity.as_str()),
            problem: text::line(&finding.problem()),
            resource: resource
                .map(Resource::display_name)
                .map_or_else(String::new, |r| text::line(&r)),
            resource_id: resource.map_or_else(String::new, |resource| text::line(&resource.id)),
            account: finding.account.clone(),
            region: finding.region.as_deref().map(text::line),
            owner: finding.owner(&self.owner_tags).map(text::line),
            fix_available: finding.fix_available.as_ref().map(FixAvailable::as_str).map(text::line),
            exploit_available: finding.exploit_known(),
            opened_at: record.opened_at,
            announced_at: record.announced.as_ref().map(|announced| announced.at),
            pending_since: record.pending_since,
            exception: record.exception().map(|exception| text::line(&exception.id)),
            excepted_until: record.exception().map(|exception| exception.terms.end()),
        }
    }
}

impl Row for Listed {
    fn texts(&mut self) -> Vec<&mut String> {
        let texts = [
            &mut self.finding_arn,
            &mut self.status,
            &mut self.severity,
            &mut self.problem,
            &mut self.resource,
            &mut self.resource_id,
        ];
        let perhaps =
            [&mut self.region, &mut self.owner, &mut self.fix_available, &mut self.exception];
        texts.into_iter().chain(perhaps.into_iter().flatten()).collect()
    }
}
