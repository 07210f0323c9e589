//! The file as a whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Place, Problem,
    exceptions::{self, word_of},
    exclusions,
    fields::{Object, Placed, Reader},
    yaml::{self, Node},
};
use crate::domain::{
    assess::Priority,
    ledger::{Exception, Exclusion, Ledger, Policy, VulnerabilityId},
};

/// A file of this size or more is none that people review.
pub const MAX_BYTES: usize = 5_000_000;
/// The version of the format.
const VERSION: &str = "1";
/// For how many days an exception may be allowed to last: ten years.
const MAX_DAYS: i32 = 3_650;

/// A ledger, and where everything of it stands.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// What an exception may be.
    pub policy: Policy,
    /// The exceptions.
    pub exceptions: Vec<WrittenException>,
    /// The exclusions.
    pub exclusions: Vec<WrittenExclusion>,
}

/// An exception, and where it stands.
#[derive(Clone, Debug)]
pub struct WrittenException {
    /// The exception.
    pub exception: Exception,
    /// Its path, such as `exceptions[0]`.
    pub path: String,
    /// Where it begins.
    pub place: Place,
    /// Where its vulnerabilities stand, in their order.
    pub vulnerabilities: Vec<Place>,
    /// Where it says who agreed.
    pub approved_by: Option<Place>,
    /// Where its last day stands.
    pub expires_at: Place,
    /// Where it says when somebody looks at it again.
    pub review_at: Option<Place>,
}

/// An exclusion, and where it stands.
#[derive(Clone, Debug)]
pub struct WrittenExclusion {
    /// The exclusion.
    pub exclusion: Exclusion,
    /// Its path, such as `exclusions[0]`.
    pub path: String,
    /// Where it begins.
    pub place: Place,
    /// Where it says who agreed.
    pub approved_by: Option<Place>,
    /// Where its last day stands.
    pub expires_at: Place,
    /// Where it says when somebody looks at it again.
    pub review_at: Option<Place>,
}

impl Source {
    /// The ledger alone.
    pub fn ledger(&self) -> Ledger {
        Ledger {
            policy: self.policy.clone(),
            exceptions: self.exceptions.iter().map(|one| one.exception.clone()).collect(),
            exclusions: self.exclusions.iter().map(|one| one.exclusion.clone()).collect(),
        }
    }
}

/// Reads a ledger.
///
/// # Errors
/// Everything that is wrong with the file itself. Whether it keeps to its policy is for [`check()`](super::check()) to say.
pub fn read(bytes: &[u8]) -> Result<Source, Vec<Problem>> {
    let beginning = Place { line: 1, column: 1 };
    if bytes.len() >= MAX_BYTES {
        let what = format!(
            "{} bytes; a ledger has fewer than {MAX_BYTES}, so that people can review it",
            bytes.len()
        );
        return Err(vec![Problem::at(beginning, what)]);
    }
    let source = match std::str::from_utf8(bytes) {
        Ok(source) => source.trim_start_matches('\u{feff}'),
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let last = before.rsplit('\n').next().unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            let place = Place { line, column: 1 + last.chars().count() };
            return Err(vec![Problem::at(place, "not UTF-8: save the file as UTF-8".to_owned())]);
        }
    };
    let root = yaml::read(source)?;
    let mut reader = Reader::default();
    let source = document(&mut reader, &root);
    if reader.problems.is_empty() {
        return Ok(source);
    }
    reader.problems.sort();
    Err(reader.problems)
}

fn document(reader: &mut Reader, root: &Node) -> Source {
    let keys = ["version", "policy", "exceptions", "exclusions"];
    let Some(object) = reader.object(root, String::new(), &keys) else {
        return Source::default();
    };
    reader.require(&object, "version");
    if let Some(version) = reader.text(&object, "version", 20)
        && version.value != VERSION
    {
        let what = match version.value.parse::<u32>() {
            Ok(number) if number > 1 => format!(
                "{number} is the version of a later program; this one reads version {VERSION}"
            ),
            _ => format!("{} is no version; expected {VERSION}", version.value),
        };
        reader.wrong(version.place, "version", what);
        // Nothing else would be understood.
        return Source::default();
    }
    let policy = policy(reader, &object);
    let exceptions: Vec<_> = reader
        .list(&object, "exceptions")
        .into_iter()
        .filter_map(|(path, node)| exceptions::read(reader, node, path))
        .collect();
    let mut first: HashMap<&str, &WrittenException> = HashMap::new();
    for one in &exceptions {
        let id = one.exception.id.as_str();
        if let Some(other) = first.get(id) {
            let what = format!("there is another exception with the id {id} at {}", other.path);
            reader.wrong(one.place, &one.path, what);
        } else {
            first.insert(id, one);
        }
    }
    let exclusions: Vec<_> = reader
        .list(&object, "exclusions")
        .into_iter()
        .filter_map(|(path, node)| exclusions::read(reader, node, path))
        .collect();
    let mut targets = HashSet::new();
    for one in &exclusions {
        if !targets.insert((one.exclusion.name(), &one.exclusion.tag.key)) {
            let what = format!("{} is excluded twice from the same scan", one.exclusion.name());
            reader.wrong(one.place, &one.path, what);
        }
    }
    Source { policy, exceptions, exclusions }
}

fn policy(reader: &mut Reader, document: &Object<'_>) -> Policy {
    let mut policy = Policy::default();
    let keys = ["max_days", "warn_days", "never", "approvers"];
    let Some(object) = reader.object_in(document, "policy", &keys) else { return policy };
    let priorities = Priority::ALL.map(Priority::as_str);
    if let Some(limits) = reader.object_in(&object, "max_days", &priorities) {
        let mut max_days = BTreeMap::new();
        for priority in Priority::ALL {
            if let Some(said) = reader.text(&limits, priority.as_str(), 20) {
                let path = limits.path_of(priority.as_str());
                if let Some(days) = number_of_days(reader, &said, &path) {
                    max_days.insert(priority, days);
                }
            }
        }
        policy.max_days = max_days;
    }
    if object.get("warn_days").is_some() {
        let path = object.path_of("warn_days");
        let said = reader.texts(&object, "warn_days", 10, 20);
        let mut days: Vec<i32> =
            said.iter().filter_map(|said| number_of_days(reader, said, &path)).collect();
        days.sort_unstable_by(|a, b| b.cmp(a));
        policy.warn_days = days;
    }
    let never = reader.texts(&object, "never", 1_000, exceptions::ID);
    policy.never = never.iter().map(|said| VulnerabilityId::new(&said.value)).collect();
    if object.get("approvers").is_some() {
        let approvers = reader.texts(&object, "approvers", 100, exceptions::NAME);
        policy.approvers = Some(approvers.into_iter().map(|said| said.value).collect());
    }
    policy
}

fn number_of_days(reader: &mut Reader, said: &Placed<String>, path: &str) -> Option<i32> {
    let days = said.value.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    if days.is_none() {
        let what = format!("expected a number of days from 1 to {MAX_DAYS}, found {}", said.value);
        reader.wrong(said.place, path, what);
    }
    days
}

/// A priority in a field.
pub(super) fn priority(reader: &mut Reader, object: &Object<'_>, key: &str) -> Option<Priority> {
    word_of(reader, object, key, &Priority::ALL, Priority::as_str)
}
