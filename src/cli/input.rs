//! Events from files, folders and stdin, in each of the forms people have them in.

use std::{
    collections::HashSet,
    fmt, fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Misuse;
use crate::{
    adapters::sqs::{FailedEvent, Queue},
    app::failure::BoxError,
};

/// Where an event came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file; `-` for stdin.
    pub file: String,
    /// The line it begins in, where there are several events in a file.
    pub line: Option<usize>,
    /// Its number in a list, from 1.
    pub item: Option<usize>,
    /// Why it failed before, if it comes from a failure queue.
    pub failed: Option<String>,
}

impl Origin {
    /// Something as a whole.
    pub fn of(file: String) -> Self {
        Self { file, line: None, item: None, failed: None }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(item) = self.item {
            write!(f, " [{item}]")?;
        }
        if let Some(failed) = &self.failed {
            write!(f, " (had failed: {failed})")?;
        }
        Ok(())
    }
}

/// An event, or the bytes that should have been one.
pub struct Input {
    /// Where it came from.
    pub origin: Origin,
    /// Its JSON text.
    pub event: Vec<u8>,
}

/// All files that `paths` stand for, in order.
///
/// # Errors
/// A path that does not exist or cannot be looked into, or a folder without events.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Misuse> {
    let mut files = Vec::new();
    for path in paths {
        let cannot = |error| Misuse(format!("cannot read {}: {error}", path.display()));
        if path.as_os_str() == "-" || !fs::metadata(path).map_err(cannot)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(cannot)? {
            let file = entry.map_err(cannot)?.path();
            let is_events = file.extension().is_some_and(|extension| {
                ["json", "jsonl", "ndjson"]
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known))
            });
            if is_events && file.is_file() {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            let folder = path.display();
            return Err(Misuse(format!("no .json, .jsonl or .ndjson file in {folder}")));
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

/// Whether what was read is all that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It is, as far as it says.
    Whole,
    /// The last listing in it says that it goes on.
    GoesOn,
}

impl Extent {
    /// Whether a page is the last, by what it says of the next.
    pub fn by_token(token: Option<&str>) -> Self {
        if token.is_some_and(|token| !token.is_empty()) { Self::GoesOn } else { Self::Whole }
    }
}

/// Gives each event in `file` to `each`, which may be in any of the forms `replay` takes. A part
/// that is no JSON is given as it is, for whoever reads it to refuse it by name.
///
/// # Errors
/// The file cannot be read, or `each` gave up.
pub async fn events(
    file: &Path,
    each: impl AsyncFnMut(Input) -> Result<(), BoxError>,
) -> Result<Extent, BoxError> {
    let name = file.display().to_string();
    let cannot = |error: io::Error| format!("cannot read {name}: {error}");
    if name == "-" {
        return events_in(name, BufReader::new(io::stdin()), each).await;
    }
    let opened = fs::File::open(file).map_err(cannot)?;
    events_in(name, BufReader::with_capacity(1 << 16, opened), each).await
}

/// The same for what is called `name` and was opened before.
///
/// # Errors
/// As [`events`].
pub async fn events_in(
    name: String,
    mut reader: impl BufRead,
    mut each: impl AsyncFnMut(Input) -> Result<(), BoxError>,
) -> Result<Extent, BoxError> {
    let cannot = |error: io::Error| format!("cannot read {name}: {error}");
    let mut extent = Extent::Whole;
    // If the first line that is not blank is a whole JSON value, so is every line.
    let mut number = 0;
    let mut line = Vec::new();
    while line.trim_ascii().is_empty() {
        line.clear();
        number += 1;
        if reader.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
            each(Input { origin: Origin::of(name), event: Vec::new() }).await?;
            return Ok(Extent::Whole);
        }
    }
    if serde_json::from_slice::<&RawValue>(&line).is_err() {
        let mut whole = line;
        reader.read_to_end(&mut whole).map_err(cannot)?;
        if !are_lines_after_a_broken_one(&whole) {
            several(Origin::of(name), whole, &mut extent, &mut each).await?;
            return Ok(extent);
        }
        for (index, line) in whole.split(|byte| *byte == b'\n').enumerate() {
            if !line.trim_ascii().is_empty() {
                let line_number = Some(number + index);
                let origin = Origin { line: line_number, ..Origin::of(name.clone()) };
                let line = line.trim_ascii_end().to_vec();
                several(origin, line, &mut extent, &mut each).await?;
            }
        }
        return Ok(extent);
    }
    loop {
        let mut next = Vec::new();
        let end = reader.read_until(b'\n', &mut next).map_err(cannot)? == 0;
        // A file of one line needs no line number.
        let only = end && number == 1;
        if !line.trim_ascii().is_empty() {
            let origin = Origin { line: (!only).then_some(number), ..Origin::of(name.clone()) };
            let line = line.trim_ascii_end().to_vec();
            several(origin, line, &mut extent, &mut each).await?;
        }
        if end {
            return Ok(extent);
        }
        number += 1;
        line = next;
    }
}

/// Whether `whole`, whose first line is no JSON value, has one event a line all the same: it is no
/// value as a whole either, and a later line is.
fn are_lines_after_a_broken_one(whole: &[u8]) -> bool {
    let mut later = whole.split(|byte| *byte == b'\n').skip(1);
    serde_json::from_slice::<&RawValue>(whole).is_err()
        && later
            .any(|line| line.starts_with(b"{") && serde_json::from_slice::<&RawValue>(line).is_ok())
}

/// Gives each event in a queue to `each`, and leaves it there.
///
/// # Errors
/// The queue cannot be read, or `each` gave up.
pub async fn queued(
    queue: &Queue,
    mut each: impl AsyncFnMut(Input) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    loop {
        // What was taken comes back after a while, and a large queue takes longer than that.
        let mut some = queue.take().await?;
        some.retain(|taken| seen.insert(taken.id.clone()));
        if some.is_empty() {
            return queue.put_back(&all).await;
        }
        for taken in some {
            let origin = Origin {
                item: Some(all.len() + 1),
                failed: taken.failed.why.clone(),
                ..Origin::of("queue".to_owned())
            };
            each(Input { origin, event: taken.failed.event.clone().into_bytes() }).await?;
            all.push(taken);
        }
    }
}

/// The lists of events that tools print: `aws inspector2 list-findings`, `aws sqs receive-message`.
#[derive(Deserialize)]
struct Listing {
    findings: Option<Vec<Box<RawValue>>>,
    #[serde(rename = "Messages")]
    messages: Option<Vec<Body>>,
    #[serde(rename = "nextToken", alias = "NextToken")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "Body")]
    body: String,
}

/// Gives each event in one JSON value: the value itself, or the items of a list. `extent` becomes that of the list, if it is one.
async fn several(
    origin: Origin,
    value: Vec<u8>,
    extent: &mut Extent,
    each: &mut impl AsyncFnMut(Input) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let Some((list, of_list)) = list(&value) else {
        return each(input(origin, value)).await;
    };
    *extent = of_list;
    drop(value);
    for (index, item) in list.into_iter().enumerate() {
        let origin = Origin { item: Some(index + 1), ..origin.clone() };
        each(input(origin, item.into_bytes())).await?;
    }
    Ok(())
}

/// The items of a list, if `value` is one, and whether it goes on.
fn list(value: &[u8]) -> Option<(Vec<String>, Extent)> {
    let texts = |items: Vec<Box<RawValue>>| {
        items.into_iter().map(|item| Box::<str>::from(item).into_string()).collect()
    };
    if value.trim_ascii().first() == Some(&b'[') {
        return Some((serde_json::from_slice(value).ok().map(texts)?, Extent::Whole));
    }
    let listing: Listing = serde_json::from_slice(value).ok()?;
    let extent = Extent::by_token(listing.next_token.as_deref());
    let items = match (listing.messages, listing.findings) {
        // Nothing prints both, and one of them would be left out.
        (Some(_), Some(_)) | (None, None) => return None,
        (Some(messages), None) => messages.into_iter().map(|message| message.body).collect(),
        (None, Some(findings)) => texts(findings),
    };
    Some((items, extent))
}

/// The field of what Lambda keeps of an invocation that has the event.
const KEPT: &[u8] = b"\"requestPayload\"";

/// An event, or the one inside what Lambda keeps of a failed invocation.
fn input(origin: Origin, event: Vec<u8>) -> Input {
    let is_kept = event.windows(KEPT.len()).any(|part| part == KEPT);
    match str::from_utf8(&event) {
        Ok(body) if is_kept => {
            let FailedEvent { event, why, .. } = FailedEvent::of_body(body);
            Input { origin: Origin { failed: why, ..origin }, event: event.into_bytes() }
        }
        _ => Input { origin, event },
    }
}
