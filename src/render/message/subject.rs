//! The subject line: what matters most first, because mail clients cut it.

use crate::domain::{
    finding::{Finding, Remediation, Resource},
    record::Record,
    text,
};

use super::Language;
use crate::render::{view::safe, words::in_brief};

/// SNS takes fewer than 100 characters.
const LONGEST: usize = 99;

/// `[P1] CVE-2026-12345 log4j-core on prod-api: fix 2.17.1`.
///
/// Where the parts do not fit, the longest of them are shortened until they do.
pub fn subject(record: &Record) -> String {
    let mut parts = parts(record).map(|part| ascii(&part));
    loop {
        let line = line(record.priority().as_str(), &parts);
        let Some(excess) = line.len().checked_sub(LONGEST).filter(|excess| *excess > 0) else {
            return line;
        };
        // Down to the second longest at most, so that no part pays for another.
        let mut lengths = parts.each_ref().map(String::len);
        lengths.sort_unstable();
        let [.., second, first] = lengths;
        let room = first.saturating_sub(excess.min((first - second).max(4)));
        if let Some(part) = parts.iter_mut().rev().max_by_key(|part| part.len()) {
            part.truncate(room.saturating_sub(3));
            part.push_str("...");
        }
    }
}

/// The same line where there is room for all of it, and for every script.
pub fn line_of(record: &Record) -> String {
    line(record.priority().as_str(), &parts(record))
}

/// A line as a subject: what does not fit is cut off its end.
pub fn fitting(text: &str) -> String {
    let mut line = ascii(text);
    if line.len() > LONGEST {
        line.truncate(LONGEST - 3);
        line.push_str("...");
    }
    line
}

/// What the line says: the problem, the packages, the resource, what helps.
fn parts(record: &Record) -> [String; 4] {
    let finding = &record.finding;
    let place = finding.resource().map(Resource::display_name).unwrap_or_default();
    let remediation = in_brief(&Remediation::of(finding), Language::En);
    [&finding.problem(), &packages(finding), &place, &remediation].map(|part| safe(part, LONGEST))
}

fn line(priority: &str, [problem, packages, place, deed]: &[String; 4]) -> String {
    let packages = if packages.is_empty() { String::new() } else { format!(" {packages}") };
    let place = if place.is_empty() { String::new() } else { format!(" on {place}") };
    format!("[{priority}] {problem}{packages}{place}: {deed}")
}

/// The first package, and how many more there are.
pub fn packages(finding: &Finding) -> String {
    let mut names: Vec<&str> = Vec::new();
    for package in finding.package().map_or(&[][..], |package| &package.packages) {
        if let Some(name) = package.name.as_deref().filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(1);
    match names.first() {
        None => String::new(),
        Some(first) if more > 0 => format!("{} +{more}", telling_end(first)),
        Some(first) => telling_end(first).to_owned(),
    }
}

/// `github.com/quic-go/quic-go` and `org.springframework:spring-web` say most at their end.
fn telling_end(name: &str) -> &str {
    const LONG: usize = 24;
    if name.len() <= LONG {
        return name;
    }
    name.rsplit(['/', ':']).find(|part| !part.is_empty()).unwrap_or(name)
}

/// Printable ASCII: what SNS takes everywhere.
fn ascii(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for c in part.chars() {
        match c {
            text::ELLIPSIS => out.push_str("..."),
            '‹' => out.push('('),
            '›' => out.push(')'),
            ' '..='~' => out.push(c),
            _ => out.push('?'),
        }
    }
    out
}
