//! What other tools are told to ignore, as exceptions of a ledger.
//!
//! Nothing is dropped in silence, and nothing gets wider: what a ledger asks for and was not there, or cannot be said in a
//! ledger, stands in the result as a TODO that `ledger check` refuses.

use std::{collections::HashMap, fmt::Write, rc::Rc};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
};
use packageurl::PackageUrl;
use toml_edit::{Document, Item, TableLike};

use super::{
    Problem,
    yaml::{self, Entry as Field, Node, Place, Value},
};
use crate::domain::{round::day, text};

/// The forms that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Trivy's `.trivyignore.yaml`: <https://trivy.dev/latest/docs/configuration/filtering/>.
    TrivyYaml,
    /// Trivy's `.trivyignore`.
    Trivy,
    /// osv-scanner's `osv-scanner.toml`: <https://google.github.io/osv-scanner/configuration/>.
    OsvScanner,
    /// The `.inspector-ignore` of Amazon Inspector's action for GitHub:
    /// <https://github.com/aws-actions/vulnerability-scan-github-action-for-amazon-inspector>.
    InspectorIgnore,
}

/// A ledger made from what another tool ignores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The ledger, as YAML.
    pub yaml: String,
    /// What somebody has to complete or to know, with where it stood.
    pub notes: Vec<Problem>,
}

/// Something that another tool ignores.
#[derive(Default)]
struct Ignored {
    place: Place,
    vulnerabilities: Vec<String>,
    packages: Vec<String>,
    /// Selectors that are to be completed, and why.
    todo: Vec<(&'static str, String)>,
    reason: Option<String>,
    /// Its last day, or what is said instead of one.
    end: Option<Result<Date, String>>,
    until_fixed: bool,
}

/// Reads what another tool ignores.
///
/// # Errors
/// The file is not of that form.
pub fn import(
    source: &str,
    form: Form,
    owner: Option<&str>,
    now: Timestamp,
) -> Result<Imported, Vec<Problem>> {
    let source = source.trim_start_matches('\u{feff}');
    let mut notes = Vec::new();
    let ignored = match form {
        Form::TrivyYaml => trivy_yaml(source, &mut notes)?,
        Form::OsvScanner => osv_scanner(source, &mut notes)?,
        Form::Trivy | Form::InspectorIgnore => lines(source, form, &mut notes),
    };
    let yaml = written(&ignored, owner, now, &mut notes);
    notes.sort();
    Ok(Imported { yaml, notes })
}

/// The day before: these tools stop to ignore at the beginning of a day, and a ledger at its end. A time within a day ends
/// with the day before, too, so that nothing is ignored for longer.
fn before(said: &str) -> Result<Date, String> {
    let until = if let Ok(moment) = said.parse::<Timestamp>() {
        Some(day(moment))
    } else if said.len() == 10 {
        said.parse::<Date>().ok()
    } else {
        said.parse::<DateTime>().ok().map(DateTime::date)
    };
    let last = until.and_then(|until| until.checked_sub(1.day()).ok());
    last.ok_or_else(|| text::short(said, 40))
}

fn trivy_yaml(source: &str, notes: &mut Vec<Problem>) -> Result<Vec<Ignored>, Vec<Problem>> {
    let root = yaml::read(source)?;
    let sections = match &root.value {
        Value::Mapping(sections) => sections.as_slice(),
        Value::Nothing => &[],
        other => {
            let what = format!("expected a mapping with vulnerabilities, found {}", other.kind());
            return Err(vec![Problem::at(root.place, what)]);
        }
    };
    let mut ignored = Vec::new();
    let mut problems = Vec::new();
    for Field { key, place, value } in sections {
        let items: &[Rc<Node>] = match &value.value {
            Value::List(items) => items,
            Value::Nothing => &[],
            other => {
                let what =
                    format!("{}: expected a list, found {}", text::short(key, 40), other.kind());
                problems.push(Problem::at(*place, what));
                continue;
            }
        };
        if key != "vulnerabilities" {
            let key = text::short(key, 40);
            notes.extend(items.iter().map(|item| {
                Problem::at(
                    item.place,
                    format!("left out: {key} are nothing that Inspector reports"),
                )
            }));
            continue;
        }
        for item in items {
            match trivy_item(item, notes) {
                Ok(one) => ignored.push(one),
                Err(problem) => problems.push(problem),
            }
        }
    }
    if problems.is_empty() { Ok(ignored) } else { Err(problems) }
}

fn trivy_item(item: &Node, notes: &mut Vec<Problem>) -> Result<Ignored, Problem> {
    let Value::Mapping(fields) = &item.value else {
        let what = format!("expected a mapping with an id, found {}", item.value.kind());
        return Err(Problem::at(item.place, what));
    };
    let mut ignored = Ignored { place: item.place, ..Ignored::default() };
    for Field { key, place, value } in fields {
        let said = texts(value, notes);
        match key.as_str() {
            "id" => ignored.vulnerabilities = said,
            "purls" => ignored.packages = said,
            "statement" => ignored.reason = said.into_iter().next(),
            "expired_at" => ignored.end = said.first().map(|said| before(said)),
            "paths" if !said.is_empty() => {
                let said = said.join(", ");
                ignored.todo.push((
                    "resources",
                    format!("it was about the paths {said} alone, which a ledger does not know: say which resources have them"),
                ));
            }
            "paths" => {}
            other => {
                let what =
                    format!("left out: {} is nothing that a ledger has", text::short(other, 40));
                notes.push(Problem::at(*place, what));
            }
        }
    }
    if ignored.vulnerabilities.is_empty() {
        return Err(Problem::at(item.place, "it has no id".to_owned()));
    }
    Ok(ignored)
}

/// The texts in a value: one, or those of a list. Lists in lists are none that Trivy reads, and may be few on disk and many
/// when they are followed.
fn texts(node: &Node, notes: &mut Vec<Problem>) -> Vec<String> {
    let items = match &node.value {
        Value::Text(said) => return vec![text::line(said)],
        Value::Nothing => return Vec::new(),
        Value::List(items) => items.as_slice(),
        Value::Mapping(_) => {
            notes.push(Problem::at(
                node.place,
                "left out: a mapping where a text is read".to_owned(),
            ));
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    for item in items {
        match &item.value {
            Value::Text(said) => texts.push(text::line(said)),
            other => {
                let what = format!("left out: {} where a text is read", other.kind());
                notes.push(Problem::at(item.place, what));
            }
        }
    }
    texts
}

fn osv_scanner(source: &str, notes: &mut Vec<Problem>) -> Result<Vec<Ignored>, Vec<Problem>> {
    let document = Document::parse(source).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![Problem::at(place_at(source, at), format!("no TOML: {}", text::line(error.message())))]
    })?;
    let mut ignored = Vec::new();
    for (key, item) in document.iter() {
        let place =
            item.span().map_or(Place { line: 1, column: 1 }, |span| place_at(source, span.start));
        match key {
            "IgnoredVulns" | "PackageOverrides" => {
                let tables = tables(item).ok_or_else(|| {
                    vec![Problem::at(
                        place,
                        format!("{key}: expected tables, found {}", item.type_name()),
                    )]
                })?;
                for (table, at) in tables {
                    let place = at.map_or(place, |at| place_at(source, at));
                    let one = if key == "IgnoredVulns" {
                        Some(osv_ignored(table, place, notes)?)
                    } else {
                        osv_override(table, place, notes)
                    };
                    ignored.extend(one);
                }
            }
            other => {
                let what =
                    format!("left out: {} is nothing that a ledger has", text::short(other, 40));
                notes.push(Problem::at(place, what));
            }
        }
    }
    Ok(ignored)
}

/// The tables of an array, however it is written, each with where it begins.
fn tables(item: &Item) -> Option<Vec<(&dyn TableLike, Option<usize>)>> {
    if let Some(tables) = item.as_array_of_tables() {
        let each = tables.iter();
        return Some(each.map(|one| (one as _, one.span().map(|span| span.start))).collect());
    }
    let each = item.as_array()?.iter();
    each.map(|one| Some((one.as_inline_table()? as _, one.span().map(|span| span.start)))).collect()
}

fn said(table: &dyn TableLike, key: &str) -> Option<String> {
    let item = table.get(key)?;
    let said = match (item.as_str(), item.as_datetime()) {
        (Some(said), _) => said.to_owned(),
        (None, Some(moment)) => moment.to_string(),
        (None, None) => return None,
    };
    Some(text::line(&said)).filter(|said| !said.is_empty())
}

fn is_set(table: &dyn TableLike, key: &str) -> bool {
    table.get(key).and_then(Item::as_bool).unwrap_or(false)
}

fn osv_ignored(
    table: &dyn TableLike,
    place: Place,
    notes: &mut Vec<Problem>,
) -> Result<Ignored, Vec<Problem>> {
    unknown(table, &["id", "ignoreUntil", "reason"], place, notes);
    let id = said(table, "id");
    let id = id.ok_or_else(|| vec![Problem::at(place, "IgnoredVulns: it has no id".to_owned())])?;
    Ok(Ignored {
        place,
        vulnerabilities: vec![id],
        reason: said(table, "reason"),
        end: said(table, "ignoreUntil").map(|said| before(&said)),
        ..Ignored::default()
    })
}

fn osv_override(table: &dyn TableLike, place: Place, notes: &mut Vec<Problem>) -> Option<Ignored> {
    let known = [
        "name",
        "version",
        "ecosystem",
        "group",
        "nameIsRegex",
        "ignore",
        "vulnerability",
        "license",
        "effectiveUntil",
        "reason",
    ];
    unknown(table, &known, place, notes);
    let vulnerability = table.get("vulnerability").and_then(Item::as_table_like);
    if !is_set(table, "ignore") && !vulnerability.is_some_and(|table| is_set(table, "ignore")) {
        let what = "left out: it ignores no vulnerability".to_owned();
        notes.push(Problem::at(place, what));
        return None;
    }
    if table.contains_key("license") {
        notes.push(Problem::at(
            place,
            "left out: license is nothing that Inspector reports".to_owned(),
        ));
    }
    let mut ignored = Ignored {
        place,
        reason: said(table, "reason"),
        end: said(table, "effectiveUntil").map(|said| before(&said)),
        ..Ignored::default()
    };
    let (name, ecosystem) = (said(table, "name"), said(table, "ecosystem"));
    match (name, ecosystem) {
        (Some(name), _) if is_set(table, "nameIsRegex") => {
            let what = format!("its name was the pattern {name}; a ledger takes names alone");
            ignored.todo.push(("packages", what));
        }
        (Some(name), None) => match said(table, "version") {
            None => ignored.packages.push(name),
            Some(version) => {
                let what =
                    format!("it was about {name} {version} alone; a ledger knows no versions");
                ignored.todo.push(("packages", what));
            }
        },
        (Some(name), Some(ecosystem)) => {
            match package(&ecosystem, &name, said(table, "version").as_deref()) {
                Some(url) => ignored.packages.push(url),
                None => ignored.todo.push((
                    "packages",
                    format!("it was about {name} of {ecosystem}, which Inspector does not report as such"),
                )),
            }
        }
        (None, _) => {
            let what = "it named no package".to_owned();
            ignored.todo.push(("packages", what));
        }
    }
    if let Some(group) = said(table, "group") {
        let what = format!(
            "it was about the group {group} of dependencies alone, which Inspector does not know"
        );
        ignored.todo.push(("resources", what));
    }
    Some(ignored)
}

/// Notes keys that are not understood.
fn unknown(table: &dyn TableLike, known: &[&str], place: Place, notes: &mut Vec<Problem>) {
    for (key, _) in table.iter().filter(|(key, _)| !known.contains(key)) {
        let what = format!("left out: {} is nothing that a ledger has", text::short(key, 40));
        notes.push(Problem::at(place, what));
    }
}

/// The package URL of a package as osv-scanner names it. With a version, which `ledger check` refuses, where it has one.
fn package(ecosystem: &str, name: &str, version: Option<&str>) -> Option<String> {
    let base = ecosystem.split(':').next().unwrap_or(ecosystem);
    let (kind, namespace, name) = match base {
        "npm" | "Packagist" | "Go" => {
            let kind = match base {
                "npm" => "npm",
                "Packagist" => "composer",
                _ => "golang",
            };
            match name.rsplit_once('/') {
                Some((namespace, name)) => (kind, Some(namespace), name),
                None => (kind, None, name),
            }
        }
        "Maven" => {
            let (group, artifact) = name.split_once(':')?;
            ("maven", Some(group), artifact)
        }
        "PyPI" => ("pypi", None, name),
        "crates.io" => ("cargo", None, name),
        "RubyGems" => ("gem", None, name),
        "NuGet" => ("nuget", None, name),
        "Debian" => ("deb", Some("debian"), name),
        "Ubuntu" => ("deb", Some("ubuntu"), name),
        "Alpine" => ("apk", Some("alpine"), name),
        "Red Hat" => ("rpm", Some("redhat"), name),
        _ => return None,
    };
    let mut url = PackageUrl::new(kind, name).ok()?;
    if let Some(namespace) = namespace {
        url.with_namespace(namespace).ok()?;
    }
    if let Some(version) = version {
        url.with_version(version).ok()?;
    }
    Some(url.to_string())
}

/// One id a line, with comments.
fn lines(source: &str, form: Form, notes: &mut Vec<Problem>) -> Vec<Ignored> {
    let mut ignored = Vec::new();
    // Comments above ids are about them, to the next empty line.
    let mut above: Vec<String> = Vec::new();
    let mut was_comment = false;
    for (number, line) in source.lines().enumerate() {
        let place = Place { line: number + 1, column: 1 };
        let (said, comment) = match line.split_once('#') {
            Some((said, comment)) => (said.trim(), Some(text::line(comment))),
            None => (line.trim(), None),
        };
        if said.is_empty() {
            if !was_comment {
                above.clear();
            }
            match comment {
                Some(comment) => above.extend(Some(comment).filter(|comment| !comment.is_empty())),
                None => above.clear(),
            }
            was_comment = comment_begins(line);
            continue;
        }
        was_comment = false;
        let mut words = said.split_whitespace();
        let Some(id) = words.next() else { continue };
        if form == Form::Trivy && !is_vulnerability(id) {
            let id = text::short(id, 40);
            let what = format!("left out: {id} is no vulnerability that Inspector reports");
            notes.push(Problem::at(place, what));
            continue;
        }
        let mut one =
            Ignored { place, vulnerabilities: vec![text::line(id)], ..Ignored::default() };
        for word in words {
            match word.strip_prefix("exp:").filter(|_| form == Form::Trivy) {
                Some(until) => one.end = Some(before(until)),
                None => notes.push(Problem::at(
                    place,
                    format!(
                        "left out: {} is nothing that is understood here",
                        text::short(word, 40)
                    ),
                )),
            }
        }
        let mut reason = above.join(" ");
        if let Some(comment) = comment {
            let comment =
                if form == Form::InspectorIgnore { snoozed(&comment, &mut one) } else { comment };
            if !comment.is_empty() {
                reason = comment;
            }
        }
        one.reason = Some(reason).filter(|reason| !reason.is_empty());
        ignored.push(one);
    }
    ignored
}

fn comment_begins(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// Takes what says until when something is ignored out of a comment: `SNOOZE:2026-12-31,until-fixed`. Its day is the last.
fn snoozed(comment: &str, one: &mut Ignored) -> String {
    let mut rest = Vec::new();
    for word in comment.split_whitespace() {
        let Some(until) = word.strip_prefix("SNOOZE:") else {
            rest.push(word);
            continue;
        };
        for part in until.split(',').filter(|part| !part.is_empty()) {
            if part == "until-fixed" {
                one.until_fixed = true;
            } else {
                let day = part.parse::<Date>().ok().filter(|_| part.len() == 10);
                one.end = Some(day.ok_or_else(|| text::short(part, 40)));
            }
        }
    }
    rest.join(" ")
}

/// Whether an id of Trivy's is that of a vulnerability, and not of a check, a secret or a licence.
fn is_vulnerability(id: &str) -> bool {
    let known = [
        "CVE-",
        "GHSA-",
        "ALAS",
        "RHSA-",
        "ELSA-",
        "DSA-",
        "DLA-",
        "USN-",
        "GO-",
        "PYSEC-",
        "RUSTSEC-",
        "TEMP-",
        "OSV-",
        "MAL-",
        "SUSE-",
        "openSUSE-",
        "CGA-",
        "NSWG-",
    ];
    known.iter().any(|begin| id.starts_with(begin))
}

/// Where a byte of a text stands.
fn place_at(source: &str, at: usize) -> Place {
    let before = source.get(..at).unwrap_or(source);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place { line: 1 + before.matches('\n').count(), column: 1 + line.chars().count() }
}

/// The ledger, with a note for each TODO in it.
fn written(
    ignored: &[Ignored],
    owner: Option<&str>,
    now: Timestamp,
    notes: &mut Vec<Problem>,
) -> String {
    let mut yaml = String::from(
        "# Made by inspector-triage ledger import. What says TODO was not there, and ledger check refuses it until it is.\n\
         # Other tools do not say what was decided: it is accept here. See whether that is so.\n\
         version: 1\n\n",
    );
    if ignored.is_empty() {
        yaml.push_str("exceptions: []\n");
        return yaml;
    }
    yaml.push_str("exceptions:\n");
    let mut ids = HashMap::new();
    let today = day(now);
    for (n, one) in ignored.iter().enumerate() {
        let id = id(one, &mut ids);
        if n > 0 {
            yaml.push('\n');
        }
        let mut line = |text: String| {
            // A text that is written to memory.
            let _ = writeln!(yaml, "    {text}");
        };
        line(format!("id: {id}"));
        let mut todo = |key: &str, why: &str| {
            notes.push(Problem::at(one.place, format!("{id}: TODO {key}: {why}")));
            format!("{key}: # TODO: {why}")
        };
        if !one.vulnerabilities.is_empty() {
            line(format!("vulnerabilities: {}", list(&one.vulnerabilities)));
        }
        if !one.packages.is_empty() {
            let has_version = one.packages.iter().any(|package| is_too_exact(package));
            let comment = if has_version {
                let why = "a ledger takes package URLs without version, qualifiers and path: say what is meant";
                format!(" {}", todo("packages", why).trim_start_matches("packages: "))
            } else {
                String::new()
            };
            line(format!("packages: {}{comment}", list(&one.packages)));
        }
        for (key, why) in &one.todo {
            line(todo(key, why));
        }
        line("decision: accept".to_owned());
        line(match &one.reason {
            Some(reason) => format!("reason: {}", quoted(reason)),
            None => todo("reason", "why it is accepted"),
        });
        line(match owner {
            Some(owner) => format!("owner: {}", quoted(&text::line(owner))),
            None => todo("owner", "who answers for it"),
        });
        let created = match &one.end {
            Some(Ok(last)) if *last < today => *last,
            _ => today,
        };
        line(format!("created_at: {created}"));
        line(match &one.end {
            Some(Ok(last)) => {
                if *last < today {
                    let what = format!("{id}: it ended with {last}: remove it, or decide anew");
                    notes.push(Problem::at(one.place, what));
                }
                format!("expires_at: {last}")
            }
            Some(Err(said)) => {
                todo("expires_at", &format!("its last day, which {said} does not say"))
            }
            None => todo("expires_at", "its last day, such as 2027-01-29"),
        });
        if one.until_fixed {
            line("until_fixed: true".to_owned());
        }
    }
    // Each begins a list's item.
    yaml.replace("    id: ", "  - id: ")
}

/// Whether a package is said with more than a ledger takes.
fn is_too_exact(package: &str) -> bool {
    package.parse::<PackageUrl<'_>>().is_ok_and(|url| {
        url.version().is_some() || !url.qualifiers().is_empty() || url.subpath().is_some()
    })
}

/// An id for an exception, once in the ledger.
fn id(one: &Ignored, ids: &mut HashMap<String, usize>) -> String {
    let named = one.vulnerabilities.first().or(one.packages.first());
    let named = named.map_or("ignored", String::as_str).to_lowercase();
    let named = named.strip_prefix("pkg:").unwrap_or(&named);
    let mut id: String = named
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .take(56)
        .collect();
    while id.len() < 3 {
        id.push('-');
    }
    loop {
        let count = ids.entry(id.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            return id;
        }
        let count = *count;
        id = format!("{id}-{count}");
    }
}

/// A list of texts.
fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| plain(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text, in quotes only where it needs them.
fn plain(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && !matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false" | "yes" | "no");
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// A text in quotes, as JSON and YAML both have it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
