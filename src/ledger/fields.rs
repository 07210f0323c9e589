//! Fields of a mapping, each read once, and everything that is wrong with them.

use std::rc::Rc;

use jiff::civil::Date;

use super::{
    Problem,
    yaml::{Entry, Node, Place, Value},
};
use crate::domain::text;

/// What other tools, and other habits, call what a ledger has.
const OTHER_NAMES: [(&str, &[&str]); 12] = [
    (
        "expires_at",
        &[
            "end",
            "effective_until",
            "expiration",
            "expiration_date",
            "expired_at",
            "expires",
            "expires_on",
            "expiry",
            "expiry_date",
            "ignore_until",
            "snooze",
            "until",
            "valid_until",
        ],
    ),
    ("created_at", &["created", "created_on", "date", "ignored_at", "start", "starts_at"]),
    ("review_at", &["next_review_at", "review", "review_by", "review_date"]),
    (
        "reason",
        &[
            "comment",
            "description",
            "impact_statement",
            "justify",
            "note",
            "rationale",
            "statement",
        ],
    ),
    (
        "vulnerabilities",
        &["cve", "cves", "findings", "ids", "ignore", "vulnerability", "vulnerability_id"],
    ),
    ("packages", &["component", "components", "package", "pkg", "purl", "purls"]),
    ("resources", &["resource", "scope", "target", "targets"]),
    ("decision", &["action", "state", "status", "vex_status"]),
    ("approved_by", &["approval", "approver"]),
    ("owner", &["responsible", "team"]),
    ("compensating_controls", &["controls", "mitigation", "mitigations"]),
    ("until_fixed", &["expired_on_fix", "fixed", "ignore_unfixed", "until_fix"]),
];

/// What is wrong with a ledger, as far as it was read.
#[derive(Default)]
pub struct Reader {
    pub problems: Vec<Problem>,
}

/// A mapping, with its path for people, such as `exceptions[0]`.
pub struct Object<'a> {
    pub path: String,
    pub place: Place,
    entries: &'a [Entry],
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    pub value: T,
    pub place: Place,
}

impl<'a> Object<'a> {
    pub fn get(&self, key: &str) -> Option<&'a Rc<Node>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// The path of a field.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl Reader {
    /// Notes what is wrong at a place.
    pub fn wrong(&mut self, place: Place, path: &str, what: impl std::fmt::Display) {
        let what = if path.is_empty() { what.to_string() } else { format!("{path}: {what}") };
        self.problems.push(Problem::at(place, what));
    }

    /// A mapping with these keys alone.
    pub fn object<'a>(
        &mut self,
        node: &'a Node,
        path: String,
        known: &[&str],
    ) -> Option<Object<'a>> {
        let object = self.mapping(node, path)?;
        for entry in object.entries {
            if !known.contains(&entry.key.as_str()) {
                let key = text::short(&entry.key, 40);
                let hint = match meant(&entry.key, known) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("allowed are {}", known.join(", ")),
                };
                self.wrong(entry.place, &object.path, format!("there is no key {key}; {hint}"));
            }
        }
        Some(object)
    }

    /// A mapping with whatever keys.
    pub fn mapping<'a>(&mut self, node: &'a Node, path: String) -> Option<Object<'a>> {
        match &node.value {
            Value::Mapping(entries) => Some(Object { path, place: node.place, entries }),
            other => {
                self.wrong(
                    node.place,
                    &path,
                    format!("expected a mapping, found {}", other.kind()),
                );
                None
            }
        }
    }

    /// A mapping with these keys alone in a field, if there is that field.
    pub fn object_in<'a>(
        &mut self,
        object: &Object<'a>,
        key: &str,
        known: &[&str],
    ) -> Option<Object<'a>> {
        let node = object.get(key)?;
        self.object(node, object.path_of(key), known)
    }

    /// The items of a list, each with its path.
    pub fn list<'a>(&mut self, object: &Object<'a>, key: &str) -> Vec<(String, &'a Rc<Node>)> {
        let Some(node) = object.get(key) else { return Vec::new() };
        let path = object.path_of(key);
        match &node.value {
            Value::List(items) => {
                items.iter().enumerate().map(|(n, item)| (format!("{path}[{n}]"), item)).collect()
            }
            other => {
                self.wrong(node.place, &path, format!("expected a list, found {}", other.kind()));
                Vec::new()
            }
        }
    }

    /// A text of at most `most` characters, on one line.
    fn text_of(&mut self, node: &Node, path: &str, most: usize) -> Option<Placed<String>> {
        let Value::Text(said) = &node.value else {
            self.wrong(node.place, path, format!("expected a text, found {}", node.value.kind()));
            return None;
        };
        let said = text::line(said);
        if said.is_empty() {
            self.wrong(node.place, path, "expected a text, found an empty one");
            return None;
        }
        let length = said.chars().count();
        if length > most {
            self.wrong(
                node.place,
                path,
                format!("{length} characters, at most {most} are allowed"),
            );
            return None;
        }
        Some(Placed { value: said, place: node.place })
    }

    /// A text of at most `most` characters in a field.
    pub fn text(&mut self, object: &Object<'_>, key: &str, most: usize) -> Option<Placed<String>> {
        self.text_of(object.get(key)?, &object.path_of(key), most)
    }

    /// A text that has to be there.
    pub fn required(
        &mut self,
        object: &Object<'_>,
        key: &str,
        most: usize,
    ) -> Option<Placed<String>> {
        self.require(object, key);
        self.text(object, key, most)
    }

    /// Notes a field that is missing.
    pub fn require(&mut self, object: &Object<'_>, key: &str) {
        if object.get(key).is_none() {
            self.wrong(object.place, &object.path, format!("{key} is missing"));
        }
    }

    /// At least one and at most `most_items` texts in a field, if there is that field; no text twice.
    pub fn texts(
        &mut self,
        object: &Object<'_>,
        key: &str,
        most_items: usize,
        most: usize,
    ) -> Vec<Placed<String>> {
        let Some(node) = object.get(key) else { return Vec::new() };
        self.texts_of(node, &object.path_of(key), most_items, most)
    }

    /// The same of a list that was found.
    pub fn texts_of(
        &mut self,
        node: &Node,
        path: &str,
        most_items: usize,
        most: usize,
    ) -> Vec<Placed<String>> {
        let Value::List(items) = &node.value else {
            self.wrong(node.place, path, format!("expected a list, found {}", node.value.kind()));
            return Vec::new();
        };
        if items.is_empty() {
            self.wrong(node.place, path, "an empty list selects nothing; leave the key out");
        }
        if items.len() > most_items {
            let what = format!("{} items, at most {most_items} are allowed", items.len());
            self.wrong(node.place, path, what);
            return Vec::new();
        }
        let mut texts: Vec<Placed<String>> = Vec::with_capacity(items.len());
        for (n, item) in items.iter().enumerate() {
            let path = format!("{path}[{n}]");
            let Some(said) = self.text_of(item, &path, most) else { continue };
            if texts.iter().any(|other| other.value == said.value) {
                self.wrong(said.place, &path, format!("{} stands here twice", said.value));
                continue;
            }
            texts.push(said);
        }
        texts
    }

    /// A day in a field.
    pub fn day(&mut self, object: &Object<'_>, key: &str) -> Option<Placed<Date>> {
        let said = self.text(object, key, 100)?;
        // A day and nothing else: what has a time as well would be cut to the day in silence.
        let is_day = said.value.len() == 10 && said.value.is_ascii();
        let day = said.value.parse().ok().filter(|_| is_day);
        if day.is_none() {
            let what = format!("{} is no day; expected one such as 2027-01-29", said.value);
            self.wrong(said.place, &object.path_of(key), what);
        }
        Some(Placed { value: day?, place: said.place })
    }

    /// A day that has to be there.
    pub fn required_day(&mut self, object: &Object<'_>, key: &str) -> Option<Placed<Date>> {
        self.require(object, key);
        self.day(object, key)
    }

    /// Yes or no in a field.
    pub fn flag(&mut self, object: &Object<'_>, key: &str) -> Option<bool> {
        let said = self.text(object, key, 100)?;
        match said.value.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let what = format!("expected true or false, found {other}");
                self.wrong(said.place, &object.path_of(key), what);
                None
            }
        }
    }

    /// One of some words.
    pub fn word<T: Copy>(
        &mut self,
        said: &Placed<String>,
        path: &str,
        all: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.iter().find(|one| word(**one) == said.value).copied();
        if found.is_none() {
            let allowed: Vec<&str> = all.iter().map(|one| word(*one)).collect();
            let allowed = allowed.join(", ");
            self.wrong(said.place, path, format!("{} is none of {allowed}", said.value));
        }
        found
    }
}

/// Which of the known keys somebody meant who wrote `key`.
fn meant<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut snake = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(if matches!(c, '-' | ' ') { '_' } else { c.to_ascii_lowercase() });
    }
    let same = known.iter().find(|known| **known == snake);
    let other = || {
        let (name, _) = OTHER_NAMES.iter().find(|(_, others)| others.contains(&snake.as_str()))?;
        known.iter().find(|known| *known == name)
    };
    let alike = || {
        let likeness = |known: &&str| strsim::jaro_winkler(known, &snake);
        let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
        (likeness(best) > 0.85).then_some(best)
    };
    same.or_else(other).or_else(alike).copied()
}
