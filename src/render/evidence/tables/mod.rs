//! The evidence as tables: for each its columns, and a row a thing. Whoever writes them takes care that no cell is a formula.

mod coverage;
mod days;
mod exceptions;
mod findings;
mod unread;

use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

use super::fedramp::poam;
use crate::domain::evidence::Evidence;

/// A table.
pub struct Table<'a> {
    /// The name of its file.
    pub name: &'static str,
    /// The names of its columns.
    pub columns: &'static [&'static str],
    /// Its rows, each with a cell a column. Words of strangers are harmless, and bounded.
    pub rows: Box<dyn Iterator<Item = Vec<String>> + 'a>,
}

impl<'a> Table<'a> {
    fn new<T: 'a, const N: usize>(
        name: &'static str,
        columns: &'static [&'static str; N],
        things: impl IntoIterator<Item = T, IntoIter: 'a>,
        row: impl Fn(T) -> [String; N] + 'a,
    ) -> Self {
        let rows = Box::new(things.into_iter().map(move |thing| row(thing).into()));
        Self { name, columns, rows }
    }
}

/// The tables that every evidence has; the last one only where rows could not be read.
pub fn tables(evidence: &Evidence) -> Vec<Table<'_>> {
    let mut all = vec![
        Table::new("findings.csv", &findings::COLUMNS, &evidence.entries, findings::row),
        Table::new("exceptions.csv", &exceptions::COLUMNS, &evidence.exceptions, exceptions::row),
        Table::new("coverage.csv", &coverage::COLUMNS, &evidence.gaps, coverage::row),
        Table::new("reviews/days.csv", &days::COLUMNS, &evidence.days, days::row),
    ];
    if !evidence.unread.is_empty() {
        all.push(Table::new("unread.csv", &unread::COLUMNS, &evidence.unread, unread::row));
    }
    all
}

/// The former plan of action and milestones of FedRAMP.
pub fn poam(evidence: &Evidence) -> Table<'_> {
    let rows = Box::new(poam::rows(evidence));
    Table { name: "poam.csv", columns: &poam::COLUMNS, rows }
}

/// How many characters of a name there is room for.
const NAME: usize = 512;
/// How many characters of what people say there is room for.
const SAID: usize = 1_000;

/// A value, or nothing.
fn perhaps(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A moment, to the second, in UTC.
fn moment(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// A moment, or nothing.
fn perhaps_at(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, moment)
}

/// `yes` or `no`.
fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

/// Days that have passed.
fn whole_days(time: SignedDuration) -> i64 {
    time.as_hours() / 24
}
