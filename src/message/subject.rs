//! The subject line: what matters most first, because mail clients cut it.

use crate::{finding::Finding, record::Record};

use super::{advice, short};

/// SNS takes fewer than 100 characters.
const LONGEST: usize = 99;

/// `[P1] CVE-2026-12345 log4j-core on prod-api: fix 2.17.1`.
pub fn subject(record: &Record) -> String {
    let finding = &record.finding;
    let what = match package_names(finding) {
        Some(packages) => format!("{} {packages}", short(&finding.problem(), 40)),
        None => short(&finding.problem(), 60),
    };
    let place = finding
        .resource()
        .map(|resource| format!(" on {}", short(&resource.display_name(), 30)))
        .unwrap_or_default();
    let fix = advice::fix_in_few_words(finding);
    let line = format!(
        "[{}] {what}{place}: {}",
        record.assessment.priority,
        short(&fix, 24)
    );
    ascii(&line)
}

/// The first package, and how many more there are.
fn package_names(finding: &Finding) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for package in &finding.package()?.packages {
        if let Some(name) = package.name.as_deref().filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    let (first, rest) = names.split_first()?;
    let more = if rest.is_empty() {
        String::new()
    } else {
        format!(" +{}", rest.len())
    };
    Some(format!("{}{more}", short(first, 24)))
}

/// Printable ASCII, cut to what SNS takes. The ellipsis becomes three dots, any other character
/// outside ASCII a question mark.
fn ascii(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '…' => out.push_str("..."),
            ' '..='~' => out.push(c),
            _ => out.push('?'),
        }
    }
    if out.len() > LONGEST {
        out.truncate(LONGEST - 3);
        out.push_str("...");
    }
    out
}
