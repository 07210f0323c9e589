//! Where the time of an event goes: what the servers saw, in the order they saw it.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    figures::{Measured, median, millis},
    run::{Invocation, Picked},
};

const EVENTS: [(&str, Picked); 2] = [
    ("first event", |run| std::slice::from_ref(&run.first)),
    ("warm: new, announced", |run| &run.new),
];

/// A table for each kind of event: medians, in milliseconds.
pub fn tables(measured: &[Measured]) -> Vec<Table> {
    let tables = EVENTS.iter().flat_map(|(event, invocations)| {
        measured.iter().map(move |Measured { program, runs }| {
            let invocations: Vec<&Invocation> = runs.iter().flat_map(invocations).collect();
            table(&format!("{}, {event}", program.name), &invocations)
        })
    });
    tables.collect()
}

fn table(title: &str, invocations: &[&Invocation]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([title, "begun at", "idle before", "in hand"]);
    let deeds = invocations.iter().map(|invocation| invocation.deeds.len()).max().unwrap_or(0);
    for step in 0..deeds {
        let with: Vec<&Invocation> =
            invocations.iter().copied().filter(|i| i.deeds.len() > step).collect();
        let mut names: Vec<&str> = with.iter().map(|i| i.deeds[step].what.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let of = |value: &dyn Fn(&Invocation) -> f64| with.iter().map(|i| value(i)).collect();
        add(
            &mut table,
            &names.join(" or "),
            [
                of(&|i| millis(i.deeds[step].lock - i.handled.lock)),
                of(&|i| millis(idle_before(i, step))),
                of(&|i| millis(i.deeds[step].took())),
            ],
        );
    }
    let of = |value: &dyn Fn(&Invocation) -> f64| invocations.iter().map(|i| value(i)).collect();
    let answered = [
        of(&|i| millis(i.handled.took)),
        of(&|i| millis(idle_before(i, i.deeds.len()))),
        Vec::new(),
    ];
    add(&mut table, "the answer", answered);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// How long the servers had nothing to do before a step.
fn idle_before(invocation: &Invocation, step: usize) -> std::time::Duration {
    let before = invocation.deeds[..step].last().map_or(invocation.handled.lock, |deed| deed.done);
    let end = invocation.handled.lock + invocation.handled.took;
    let lock = invocation.deeds.get(step).map_or(end, |deed| deed.lock);
    lock.saturating_duration_since(before)
}

fn add(table: &mut Table, name: &str, values: [Vec<f64>; 3]) {
    let cell = |values| median(values).map_or_else(String::new, |value| format!("{value:.3}"));
    table.add_row(std::iter::once(name.to_owned()).chain(values.map(cell)));
}
