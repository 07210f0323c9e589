//! Findings a second: `score` and `replay`, by the code of the command line, from bytes to bytes.

#[path = "common/mod.rs"]
mod common;

use std::{fs, path::PathBuf};

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use inspector_triage::cli::{self, Verdict};
use jiff::Timestamp;

/// The command line's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many findings are handled in one go.
const FINDINGS: usize = 1000;

fn main() {
    divan::main();
}

/// On one core: `score` has no other.
#[divan::bench(args = ["3.6 KB each", "0.4 KB each"])]
fn score(bencher: Bencher, size: &str) {
    let event = if size.starts_with("3.6") { common::event } else { common::small };
    let events = lines(event);
    bencher
        .counter(ItemsCount::new(FINDINGS))
        .counter(BytesCount::of_slice(events.as_bytes()))
        .bench(|| run(&["score"], black_box(events.as_bytes())));
}

/// With the store in memory, the messages and the table at the end.
#[divan::bench(sample_count = 10)]
fn replay(bencher: Bencher) {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("throughput.ndjson");
    let events = lines(common::event);
    fs::write(&file, &events).expect("the target folder can be written to");
    let file = file.to_str().expect("the target folder has a plain name");
    bencher
        .counter(ItemsCount::new(FINDINGS))
        .counter(BytesCount::of_slice(events.as_bytes()))
        .bench(|| run(&["replay", file], &[]));
}

fn lines(event: fn(usize) -> String) -> String {
    (0..FINDINGS).map(|number| event(number) + "\n").collect()
}

/// What the command line writes.
fn run(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let arguments = [&["inspector-triage"], arguments].concat();
    let verdict = cli::run_on(arguments, || Timestamp::UNIX_EPOCH, input, &mut output);
    assert_eq!(verdict.expect("the work can be done"), Verdict::Done);
    output
}
