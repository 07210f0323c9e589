//! The subject line: what matters most first, because mail clients cut it.

use crate::{
    finding::{Details, Finding, FixAvailable, Resource},
    record::Record,
    text,
};

use super::{facts::is_windows_update, short};

/// SNS takes fewer than 100 characters.
const LONGEST: usize = 99;

/// `[P1] CVE-2026-12345 log4j-core on prod-api: fix 2.17.1`.
///
/// Where the parts do not fit, the longest of them are shortened until they do.
pub fn subject(record: &Record) -> String {
    let finding = &record.finding;
    let place = finding.resource().map(Resource::display_name).unwrap_or_default();
    let mut parts = [&finding.problem(), &packages(finding), &place, &deed(finding)]
        .map(|part| ascii(&short(part, LONGEST)));
    loop {
        let line = line(record.assessment.priority.as_str(), &parts);
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

fn line(priority: &str, [problem, packages, place, deed]: &[String; 4]) -> String {
    let packages = if packages.is_empty() { String::new() } else { format!(" {packages}") };
    let place = if place.is_empty() { String::new() } else { format!(" on {place}") };
    format!("[{priority}] {problem}{packages}{place}: {deed}")
}

/// The first package, and how many more there are.
fn packages(finding: &Finding) -> String {
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

/// What to do: `fix 2.17.1`, `no fix yet`.
fn deed(finding: &Finding) -> String {
    let package = match &finding.details {
        Details::Code(_) => return "fix the code".to_owned(),
        Details::Network(_) => return "close or restrict".to_owned(),
        Details::None => return "look into it".to_owned(),
        Details::Package(package) => package,
    };
    if package.id.as_deref().is_some_and(is_windows_update) {
        return "install it".to_owned();
    }
    let version = package.packages.iter().find_map(|package| package.fixed_in.as_deref());
    match (version, &finding.fix_available) {
        (Some(version), _) => format!("fix {version}"),
        (None, Some(FixAvailable::Yes | FixAvailable::Partial)) => "update".to_owned(),
        (None, Some(FixAvailable::No)) => "no fix yet".to_owned(),
        (None, _) => "fix unknown".to_owned(),
    }
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
