//! What the runs come to: medians in a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::ASCII_MARKDOWN};

use crate::{
    function::programs::{Program, Size},
    run::{Invocation, Picked, Run},
};

/// A program and all its runs.
pub struct Measured {
    /// It.
    pub program: Program,
    /// They.
    pub runs: Vec<Run>,
}

/// A line of the table: what it says, to how many places, and the values in one run.
type Figure = (&'static str, usize, fn(&Run) -> Vec<f64>);

const FIGURES: [Figure; 17] = [
    ("start until the first `next`, ms", 2, |run| vec![millis(run.start.0)]),
    ("first event: new, announced, ms", 2, |run| vec![millis(run.first.handled.took)]),
    ("  less the servers' time, ms", 2, |run| vec![millis(run.first.own_time())]),
    ("start and first event, ms", 2, |run| vec![millis(run.start.0 + run.first.handled.took)]),
    ("  less the servers' time, ms", 2, |run| vec![millis(run.start.0 + run.first.own_time())]),
    ("warm: new, announced, ms", 2, |run| each(&run.new, |i| millis(i.handled.took))),
    ("  less the servers' time, ms", 2, |run| each(&run.new, |i| millis(i.own_time()))),
    ("warm: repetition, ms", 2, |run| each(&run.repetition, |i| millis(i.handled.took))),
    ("  less the servers' time, ms", 2, |run| each(&run.repetition, |i| millis(i.own_time()))),
    ("warm: closed, ms", 2, |run| each(&run.closed, |i| millis(i.handled.took))),
    ("  less the servers' time, ms", 2, |run| each(&run.closed, |i| millis(i.own_time()))),
    ("CPU: start, ms", 2, |run| vec![millis(run.start.1)]),
    ("CPU: first event, ms", 2, |run| vec![millis(run.first.handled.cpu)]),
    ("CPU: new, warm, ms", 2, |run| each(&run.new, |i| millis(i.handled.cpu))),
    ("  an AWS call, ms", 3, |run| each(&run.new, |i| millis(i.handled.cpu) / calls(i))),
    ("CPU: repetition, warm, ms", 2, |run| each(&run.repetition, |i| millis(i.handled.cpu))),
    ("peak memory, MiB", 1, |run| vec![f64::from(run.peak_memory) / 1024.0]),
];

/// The events whose calls are counted.
const EVENTS: [(&str, Picked); 3] = [
    ("AWS calls: new", |run| &run.new),
    ("AWS calls: repetition", |run| &run.repetition),
    ("AWS calls: closed", |run| &run.closed),
];

/// The table of `measured`: the function first, the floor second, then what else there may be.
///
/// The function is compared with the floor, and what else there is with the function.
pub fn table(measured: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    let names: Vec<&str> = measured.iter().map(|measured| measured.program.name).collect();
    let ratios = names.iter().enumerate().skip(1).map(|(column, name)| match column {
        1 => format!("{} ÷ {name}", names[0]),
        _ => format!("{name} ÷ {}", names[0]),
    });
    let names = names.iter().map(|name| (*name).to_owned());
    table.set_header(std::iter::once("median".to_owned()).chain(names).chain(ratios));
    for (name, places, values) in FIGURES {
        let medians =
            measured.iter().map(|measured| median(measured.runs.iter().flat_map(values).collect()));
        row(&mut table, name, places, &medians.collect::<Vec<_>>());
    }
    let sizes = |of: fn(&Size) -> u32| -> Vec<Option<f64>> {
        measured.iter().map(|m| m.program.size.as_ref().map(|size| of(size).into())).collect()
    };
    row(&mut table, "binary, bytes", 0, &sizes(|size| size.binary));
    row(&mut table, "zip, bytes", 0, &sizes(|size| size.zip));
    for (name, invocations) in EVENTS {
        let calls = measured.iter().map(|m| kinds(m.runs.iter().flat_map(invocations)));
        table.add_row(std::iter::once(name.to_owned()).chain(calls));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A row with its ratios.
fn row(table: &mut Table, name: &str, places: usize, values: &[Option<f64>]) {
    let cell = |value: Option<f64>, places| match value {
        Some(value) => format!("{value:.places$}"),
        None => "-".to_owned(),
    };
    let ratios = (1..values.len()).map(|column| {
        let (over, under) = if column == 1 { (0, 1) } else { (column, 0) };
        cell(Option::zip(values[over], values[under]).map(|(over, under)| over / under), 2)
    });
    let values = values.iter().map(|value| cell(*value, places));
    table.add_row(std::iter::once(name.to_owned()).chain(values).chain(ratios));
}

/// How many calls of which kind were made for each of `invocations`; all that differ.
fn kinds<'a>(invocations: impl Iterator<Item = &'a Invocation>) -> String {
    let of_one = |invocation: &Invocation| {
        let mut kinds = BTreeMap::new();
        for call in invocation.calls() {
            *kinds.entry(call.what.as_str()).or_insert(0) += 1;
        }
        kinds.iter().map(|(kind, calls)| format!("{calls} {kind}")).collect::<Vec<_>>().join("\n")
    };
    let all: BTreeSet<String> = invocations.map(of_one).collect();
    all.into_iter().collect::<Vec<_>>().join("\nor\n")
}

/// The middle one of `values`, if there are any.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let lower = if values.len().is_multiple_of(2) { values[middle - 1] } else { upper };
    Some(f64::midpoint(lower, upper))
}

/// A time in milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn each(invocations: &[Invocation], value: fn(&Invocation) -> f64) -> Vec<f64> {
    invocations.iter().map(value).collect()
}

fn calls(invocation: &Invocation) -> f64 {
    invocation.calls().map(|_| 1.0).sum()
}
