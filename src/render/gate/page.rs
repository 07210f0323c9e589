//! What people are shown of a judgement, for a log and for a summary: the same parts, of each as much as there is room for.

use std::collections::BTreeMap;

use super::{
    quote::{Quote, end_of},
    words::{self, NAME, distinct, few},
};
use crate::{
    domain::{
        assess::Priority,
        finding::{Details, Remediation, Resource, VulnerablePackage},
        gate::{CoveredBy, Covering, Gate, Judged},
        ledger::WhyEnded,
    },
    render::words::why_uncovered,
};

/// How much of each part there is room for.
#[derive(Clone, Copy)]
pub struct Room {
    /// Findings that close the gate.
    pub findings: usize,
    /// Updates.
    pub updates: usize,
    /// What findings are excepted by.
    pub exceptions: usize,
    /// Exceptions that cover something no more.
    pub uncovered: usize,
    /// Notes.
    pub notes: usize,
    /// Scans.
    pub scans: usize,
    /// Characters of a name in a table.
    pub name: usize,
    /// Characters of a place in a table.
    pub place: usize,
}

/// The first of something, and how many more there are.
pub struct Part<T> {
    /// The first.
    pub shown: Vec<T>,
    /// How many more.
    pub more: usize,
}

impl<T> Part<T> {
    fn of<O>(all: &[O], room: usize, show: impl Fn(&O) -> T) -> Self {
        let shown = all.iter().take(room).map(show).collect();
        Self { shown, more: all.len().saturating_sub(room) }
    }
}

/// What people are shown of a judgement.
pub struct Page {
    /// The verdict in a line.
    pub verdict: String,
    /// What closes the gate, by [`FINDING`].
    pub findings: Part<[String; 8]>,
    /// What to do.
    pub todo: Part<String>,
    /// What findings are excepted by, by [`EXCEPTION`].
    pub exceptions: Part<[String; 7]>,
    /// Exceptions that cover something no more.
    pub uncovered: Part<String>,
    /// What else is to know.
    pub notes: Part<String>,
    /// How many findings stand how.
    pub counts: String,
    /// How urgent they are.
    pub priorities: String,
    /// What was scanned when.
    pub scans: Part<String>,
}

/// The columns of what closes the gate.
pub const FINDING: [&str; 8] =
    ["Prio", "Score", "Problem", "Package", "Installed", "Fixed in", "Where", "Why"];
/// The columns of what findings are excepted by.
pub const EXCEPTION: [&str; 7] =
    ["Exception", "Decision", "Findings", "Owner", "Ticket", "Last day", "Days left"];

impl Page {
    /// What there is to show, with what strangers wrote as a format takes it.
    pub fn new(gate: &Gate, room: &Room, quote: Quote) -> Self {
        let judgement = &gate.judgement;
        let closing: Vec<&Judged> =
            judgement.findings.iter().filter(|one| one.standing.closes()).collect();
        let mut todo = Part::of(&judgement.updates, room.updates, |one| words::update(one, quote));
        todo.shown.extend(words::without_update(&judgement.findings, quote));
        let of_class = |priority| format!("{priority}: {}", judgement.of_priority(priority));
        Self {
            verdict: words::verdict(gate, quote),
            findings: Part::of(&closing, room.findings, |one| finding(one, room, quote)),
            todo,
            exceptions: Part::of(&judgement.covering, room.exceptions, |one| {
                exception(one, room, quote)
            }),
            uncovered: Part::of(&uncovered(&closing), room.uncovered, |(id, why, problems)| {
                let problems = few(problems.iter().map(String::as_str), 3, NAME, quote);
                let no_more = if *why == WhyEnded::NotBegun { "not yet" } else { "no more" };
                let why = why_uncovered(*why);
                format!("The exception {} covers {problems} {no_more}: {why}", quote(id, NAME))
            }),
            notes: Part::of(&gate.notes, room.notes, |note| words::quoted_note(note, quote)),
            counts: words::counts(&judgement.counts),
            priorities: Priority::ALL.map(of_class).join(", "),
            scans: Part::of(&gate.subject.scans, room.scans, |scan| words::scan(scan, quote)),
        }
    }
}

fn dash() -> String {
    "-".to_owned()
}

/// Something that findings are excepted by as a row.
fn exception(covering: &Covering, room: &Room, quote: Quote) -> [String; 7] {
    let exception = covering.exception.as_ref();
    let text = |text: Option<&str>| match text.map(|text| quote(text, room.name)) {
        Some(text) if !text.is_empty() => text,
        _ => dash(),
    };
    [
        match &covering.by {
            CoveredBy::Exception(id) => quote(id, NAME),
            CoveredBy::Rule => "a suppression rule".to_owned(),
        },
        covering.decision().map_or_else(dash, |decision| words::decision(decision).to_owned()),
        covering.findings.to_string(),
        text(exception.map(|one| one.owner.as_str())),
        text(exception.and_then(|one| one.ticket.as_deref())),
        covering.last_day().map_or_else(dash, |day| day.to_string()),
        words::days_left(covering),
    ]
}

/// A finding that closes the gate as a row.
fn finding(one: &Judged, room: &Room, quote: Quote) -> [String; 8] {
    let finding = &one.finding;
    let packages = finding.package().map_or(&[][..], |package| &package.packages);
    // Of `group:artifact` and `example.com/module` the end says most.
    let is_path = |name: &str| name.contains(['/', ':']);
    let name = |name: &str| if is_path(name) { end_of(name, room.name) } else { name.to_owned() };
    let names: Vec<String> = words::packages(finding).into_iter().map(name).collect();
    let installed = distinct(packages.iter().filter_map(VulnerablePackage::installed));
    let fixed = distinct(packages.iter().filter_map(|package| package.fixed_in.as_deref()));
    let several = |texts: Vec<&str>| {
        let text = few(texts, 2, room.name, quote);
        if text.is_empty() { dash() } else { text }
    };
    let fixed = match (&fixed[..], Remediation::of(finding)) {
        ([_, ..], _) => several(fixed),
        ([], Remediation::Mitigate(_)) => "no fix yet".to_owned(),
        ([], Remediation::InstallUpdate(update)) => quote(&update, room.name),
        ([], Remediation::Update { .. }) => "a newer version".to_owned(),
        ([], Remediation::CheckForUpdate(_)) => "not known".to_owned(),
        ([], _) => dash(),
    };
    [
        one.assessment.priority.to_string(),
        one.assessment.score.to_string(),
        quote(&finding.problem(), room.name.max(28)),
        several(names.iter().map(String::as_str).collect()),
        several(installed.iter().map(AsRef::as_ref).collect()),
        fixed,
        place(one, room, quote),
        words::why(one, quote),
    ]
}

fn place(one: &Judged, room: &Room, quote: Quote) -> String {
    let finding = &one.finding;
    let places: Vec<String> = match &finding.details {
        Details::Package(package) => {
            distinct(package.packages.iter().filter_map(|one| words::place(one, room.place)))
        }
        Details::Code(code) => {
            let line = code.start_line.map(|line| format!(":{line}")).unwrap_or_default();
            let file = code.file_path.iter();
            file.map(|file| format!("{}{line}", end_of(file, room.place))).collect()
        }
        Details::Network(_) | Details::None => Vec::new(),
    };
    let place = few(places.iter().map(String::as_str), 1, room.place + 24, quote);
    if !place.is_empty() {
        return place;
    }
    let resource = finding.resource().map(Resource::display_name).unwrap_or_default();
    let resource = quote(&resource, room.place);
    if resource.is_empty() { dash() } else { resource }
}

/// The exceptions that are about findings that close the gate and cover them no more, each with why and with their problems.
fn uncovered(closing: &[&Judged]) -> Vec<(String, WhyEnded, Vec<String>)> {
    let mut all: BTreeMap<(&str, WhyEnded), Vec<String>> = BTreeMap::new();
    for one in closing {
        for (id, why) in &one.uncovered {
            let problems = all.entry((id, *why)).or_default();
            let problem = one.finding.problem();
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    all.into_iter().map(|((id, why), problems)| (id.to_owned(), why, problems)).collect()
}
