//! The table of what was recorded.

use std::{cmp::Reverse, collections::BTreeSet};

use comfy_table::{ContentArrangement, Table, presets::ASCII_MARKDOWN};
use jiff::{Timestamp, tz::Offset};

use crate::{
    adapters::dynamodb::DynamoDb,
    app::failure::BoxError,
    domain::{finding::Resource, record::Record, text::short},
};

/// A row, by urgency: what sorts first is shown first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    order: (bool, Reverse<u8>, Timestamp, String),
    cells: [String; 8],
}

/// Reads the store and shows the `most` urgent records.
///
/// Holds no more than that many rows at a time, however large the store is.
pub async fn read(store: &DynamoDb, most: usize) -> Result<String, BoxError> {
    let mut rows: BTreeSet<Row> = BTreeSet::new();
    let mut records = 0;
    let each = |record: &Record| {
        records += 1;
        rows.insert(row(record));
        if rows.len() > most {
            rows.pop_last();
        }
    };
    store.scan(each).await?;
    let shown = shown(&rows.iter().collect::<Vec<_>>());
    let more = records - rows.len();
    let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
    Ok(format!("{shown}{more}"))
}

/// The table of these records, in their order.
pub fn of(records: &[Record]) -> String {
    let rows: Vec<Row> = records.iter().map(row).collect();
    shown(&rows.iter().collect::<Vec<_>>()).to_string()
}

fn shown(rows: &[&Row]) -> Table {
    let mut shown = Table::new();
    shown
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["Prio", "Score", "Due", "Problem", "Resource", "Account", "Fix", "Status"]);
    for row in rows {
        shown.add_row(&row.cells);
    }
    shown
}

fn row(record: &Record) -> Row {
    let finding = &record.finding;
    let due = record.exception().map(|exception| exception.terms.expires_at.to_string());
    let due =
        due.or_else(|| record.due_at.map(|due| Offset::UTC.to_datetime(due).date().to_string()));
    let resource = finding.resource().map(Resource::display_name).unwrap_or_default();
    let fix = finding.fix_available.as_ref().map_or("-", |fix| fix.as_str());
    let told = match (record.is_open(), record.exception(), record.announced.is_some()) {
        (true, Some(_), _) => ", excepted",
        (true, None, false) => ", pending",
        _ => "",
    };
    Row {
        order: (
            !record.is_open(),
            Reverse(record.score()),
            record.due_at.unwrap_or(Timestamp::MAX),
            finding.arn.clone(),
        ),
        cells: [
            record.priority().to_string(),
            record.score().to_string(),
            due.unwrap_or_else(|| "-".to_owned()),
            short(&finding.problem(), 32),
            short(&resource, 28),
            finding.account.clone(),
            short(fix, 12),
            format!("{}{told}", short(finding.status.as_str(), 12)),
        ],
    }
}
