//! A ledger compared with the world: exclusion tags on resources, and Inspector's own suppression rules.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::rules::{self, Rules};
use crate::domain::{
    coverage::Coverage,
    ledger::{Exclusion, ExclusionTag, Ledger, ScanType, Target, end_of},
    round::day,
    suppression::SuppressionRule,
};

/// What is known of the world.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Resources as Inspector's coverage has them.
    pub covered: Vec<Coverage>,
    /// What of the world they are.
    pub extent: Extent,
    /// Inspector's suppression rules, if they are known.
    pub rules: Option<Vec<SuppressionRule>>,
}

/// How far it can be said that something is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Not at all: only resources that a tag excludes were listed, so that one that is not there may have lost its tag, or be
    /// somewhere else.
    #[default]
    ExcludedAlone,
    /// In these accounts and Regions, of which everything was listed.
    All(BTreeSet<(String, String)>),
}

impl Extent {
    /// What a listing of resources covers: if it has one that no tag excludes, everything of the accounts and Regions in it.
    pub fn of(covered: &[Coverage]) -> Self {
        if covered.iter().all(|row| row.reason == EXCLUDED) {
            return Self::ExcludedAlone;
        }
        let places = covered.iter().filter_map(|row| place(&row.resource));
        Self::All(places.collect())
    }
}

const EXCLUDED: &str = "EXCLUDED_BY_TAG";

/// Account and Region in an ARN.
fn place(arn: &str) -> Option<(String, String)> {
    let mut parts = arn.strip_prefix("arn:")?.split(':').skip(2);
    let (region, account) = (parts.next()?, parts.next()?);
    (!region.is_empty() && !account.is_empty()).then(|| (account.to_owned(), region.to_owned()))
}

/// Where ledger and world differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The account; empty where it is not known.
    pub account: String,
    /// The Region; empty where it is not known.
    pub region: String,
    /// The resource, or the ARN of the rule.
    pub resource: String,
    /// What people call it.
    pub name: String,
    /// What kind of difference it is.
    pub kind: Kind,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub todo: String,
}

/// Kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A tag excludes a resource, and no entry says so.
    TagWithoutEntry,
    /// An entry says that a tag excludes a resource, and none does.
    EntryWithoutTag,
    /// An entry has ended, and the tag is still there.
    EndedEntry,
    /// A suppression rule is there, and no entry says so.
    RuleWithoutEntry,
    /// The entry of a suppression rule has ended, and the rule is still there.
    EndedRule,
    /// A suppression rule hides something else than its entry says.
    ChangedRule,
}

impl Kind {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TagWithoutEntry => "tag-without-entry",
            Self::EntryWithoutTag => "entry-without-tag",
            Self::EndedEntry => "ended-entry",
            Self::RuleWithoutEntry => "rule-without-entry",
            Self::EndedRule => "ended-rule",
            Self::ChangedRule => "changed-rule",
        }
    }
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Where ledger and world differ.
    pub differences: Vec<Difference>,
    /// What could not be known.
    pub unknown: Vec<String>,
}

/// What of a resource is not scanned because of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excluded {
    Function(ScanType),
    Instance,
}

/// Compares a ledger with the world at `now`.
pub fn compare(ledger: &Ledger, world: &World, now: Timestamp) -> Compared {
    let mut compared = Compared::default();
    compared.tags(ledger, world, now);
    compared.entries(ledger, world, now);
    match &world.rules {
        Some(rules) => compared.rules(ledger, rules, now),
        None => compared.unknown.push(
            "suppression rules were not listed, so nothing is said of them; give --filters"
                .to_owned(),
        ),
    }
    compared.differences.sort();
    compared.differences.dedup();
    compared
}

impl Compared {
    /// Tags without an entry that is in force.
    fn tags(&mut self, ledger: &Ledger, world: &World, now: Timestamp) {
        for row in &world.covered {
            for excluded in exclusions_of(row) {
                let entries: Vec<&Exclusion> = ledger
                    .exclusions
                    .iter()
                    .filter(|entry| is_about(entry, row, excluded))
                    .collect();
                if entries.iter().any(|entry| is_in_force(entry, now)) {
                    continue;
                }
                let tag = tag(excluded);
                let last = entries.iter().filter(|entry| has_begun(entry, now));
                let (kind, what, todo) = match last.max_by_key(|entry| entry.expires_at) {
                    Some(entry) => (
                        Kind::EndedEntry,
                        format!(
                            "the entry of {} ended with {}, and the tag {tag} is still there",
                            entry.owner, entry.expires_at
                        ),
                        "remove the tag, or decide anew in the ledger".to_owned(),
                    ),
                    None => (
                        Kind::TagWithoutEntry,
                        match entries.first().and_then(|entry| entry.applied_at) {
                            Some(begins) => format!(
                                "the tag {tag} keeps it out of scans, and its entry begins with {begins}"
                            ),
                            None => format!(
                                "the tag {tag} keeps it out of scans, and no entry says why"
                            ),
                        },
                        "remove the tag, or add an entry under exclusions".to_owned(),
                    ),
                };
                self.differences.push(of_resource(row, kind, what, todo));
            }
        }
    }

    /// Entries in force without their tag, as far as that can be known.
    fn entries(&mut self, ledger: &Ledger, world: &World, now: Timestamp) {
        for entry in ledger.exclusions.iter().filter(|entry| is_in_force(entry, now)) {
            let excluded = excluded_by(entry);
            let tag = tag(excluded);
            let rows: Vec<&Coverage> =
                world.covered.iter().filter(|row| is_same(entry, row)).collect();
            let has_tag = |row: &&Coverage| exclusions_of(row).contains(&excluded);
            if rows.iter().any(has_tag) {
                continue;
            }
            // What Inspector has of the scan itself knows best; a row of another scan has the same tags.
            if let Some(row) = rows.iter().find(|row| is_scan(row, excluded)).or(rows.first()) {
                let what = format!(
                    "an entry of {} says that the tag {tag} is there, and it is not",
                    entry.owner
                );
                let todo = "put the tag there, or remove the entry".to_owned();
                self.differences.push(of_resource(row, Kind::EntryWithoutTag, what, todo));
                continue;
            }
            let arn = match &entry.target {
                Target::Lambda { arn, .. } => arn.as_deref(),
                Target::Ec2(id) => Some(id.as_str()),
            };
            let place = arn.and_then(place);
            let is_listed = match (&world.extent, &place) {
                (Extent::ExcludedAlone, _) => false,
                (Extent::All(places), Some(place)) => places.contains(place),
                // Without an ARN nobody knows where it is; somewhere in what was listed it should be.
                (Extent::All(_), None) => true,
            };
            let name = entry.name();
            if !is_listed {
                let what = match &world.extent {
                    Extent::ExcludedAlone => format!(
                        "whether {name} has its tag {tag}: only what a tag excludes was listed"
                    ),
                    Extent::All(_) => format!(
                        "whether {name} has its tag {tag}: nothing of its account and Region was listed"
                    ),
                };
                self.unknown.push(what);
                continue;
            }
            let (account, region) = place.unwrap_or_default();
            self.differences.push(Difference {
                account,
                region,
                resource: arn.unwrap_or(name).to_owned(),
                name: name.to_owned(),
                kind: Kind::EntryWithoutTag,
                what: format!("an entry of {} says that the tag {tag} is there, and Inspector does not know the resource", entry.owner),
                todo: "remove the entry if the resource is gone; else give its ARN, and list its account and Region".to_owned(),
            });
        }
    }

    /// Suppression rules without an entry that is in force, or that hide something else.
    fn rules(&mut self, ledger: &Ledger, rules: &[SuppressionRule], now: Timestamp) {
        let made = rules::rules(ledger, now);
        for rule in rules.iter().filter(|rule| rule.suppresses()) {
            let named = rules::id_in(&rule.description).unwrap_or(&rule.name);
            let exception = ledger.exceptions.iter().find(|exception| exception.id == named);
            let difference = |kind, what: String, todo: &str| Difference {
                account: rule.owner_id.clone(),
                region: rule.region().unwrap_or_default().to_owned(),
                resource: rule.arn.clone(),
                name: rule.name.clone(),
                kind,
                what,
                todo: todo.to_owned(),
            };
            let Some(exception) = exception else {
                let what =
                    "a suppression rule hides findings from everybody, and no exception says why";
                let todo = "add an exception and make the rule from it with ledger filters, or delete the rule, which publishes what it hid again";
                self.differences.push(difference(Kind::RuleWithoutEntry, what.to_owned(), todo));
                continue;
            };
            let expires = exception.terms.expires_at;
            if now >= end_of(expires) {
                let what = format!(
                    "the exception {} of {} ended with {expires}, and its rule is still there",
                    exception.id, exception.owner
                );
                let todo = "delete the rule, which publishes what it hid again, or decide anew in the ledger";
                self.differences.push(difference(Kind::EndedRule, what, todo));
            } else if day(now) < exception.created_at {
                let what = format!(
                    "the exception {} begins with {}, and its rule is there already",
                    exception.id, exception.created_at
                );
                self.differences.push(difference(
                    Kind::RuleWithoutEntry,
                    what,
                    "delete the rule until then",
                ));
            } else if !is_made(rule, &exception.id, &made) {
                let what = format!(
                    "the rule does not hide what the exception {} of {} says",
                    exception.id, exception.owner
                );
                let todo = "make the rules anew with ledger filters, and deploy them";
                self.differences.push(difference(Kind::ChangedRule, what, todo));
            }
        }
    }
}

/// Whether a rule hides what one of the rules of an exception hides.
fn is_made(rule: &SuppressionRule, id: &str, made: &Rules) -> bool {
    let criteria = ordered(&rule.criteria);
    let is_here = |regions: &[String]| {
        regions.is_empty() || rule.region().is_none_or(|here| regions.iter().any(|one| one == here))
    };
    let own = made.rules.iter().filter(|one| one.id == id && is_here(&one.regions));
    own.into_iter().any(|one| ordered(&one.criteria) == criteria)
}

/// The same with lists in order, for the order of values means nothing, and without what is empty.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(ordered).collect();
            values.sort_by_key(ToString::to_string);
            Value::Array(values)
        }
        Value::Object(fields) => {
            let is_something = |value: &Value| {
                !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
            };
            let fields = fields.iter().filter(|(_, value)| is_something(value));
            Value::Object(fields.map(|(key, value)| (key.clone(), ordered(value))).collect())
        }
        other => other.clone(),
    }
}

fn of_resource(row: &Coverage, kind: Kind, what: String, todo: String) -> Difference {
    let region = place(&row.resource).map(|(_, region)| region).unwrap_or_default();
    Difference {
        account: row.account.clone(),
        region,
        resource: row.resource.clone(),
        name: name(row).to_owned(),
        kind,
        what,
        todo,
    }
}

/// What of a resource is not scanned because of its tags. Where Inspector does not say the tags, it is the scan of the row.
fn exclusions_of(row: &Coverage) -> Vec<Excluded> {
    let has = |(key, value): (&str, &str)| row.tags.get(key).is_some_and(|found| found == value);
    let mut excluded: Vec<Excluded> = Vec::new();
    if is_function(row) {
        let scans = ScanType::ALL.iter().copied();
        excluded.extend(
            scans.filter(|scan| has(ExclusionTag::of_lambda(*scan))).map(Excluded::Function),
        );
    } else if row.tags.contains_key(ExclusionTag::EC2) {
        excluded.push(Excluded::Instance);
    }
    if excluded.is_empty() && row.reason == EXCLUDED {
        excluded.push(match (is_function(row), row.scan.as_str()) {
            (true, "CODE") => Excluded::Function(ScanType::Code),
            (true, _) => Excluded::Function(ScanType::Standard),
            (false, _) => Excluded::Instance,
        });
    }
    excluded
}

fn is_function(row: &Coverage) -> bool {
    row.kind == "AWS_LAMBDA_FUNCTION"
}

fn is_scan(row: &Coverage, excluded: Excluded) -> bool {
    match excluded {
        Excluded::Function(ScanType::Code) => row.scan == "CODE",
        Excluded::Function(ScanType::Standard) | Excluded::Instance => row.scan == "PACKAGE",
    }
}

fn excluded_by(entry: &Exclusion) -> Excluded {
    match &entry.target {
        Target::Lambda { scan, .. } => Excluded::Function(*scan),
        Target::Ec2(_) => Excluded::Instance,
    }
}

fn tag(excluded: Excluded) -> String {
    match excluded {
        Excluded::Function(scan) => {
            let (key, value) = ExclusionTag::of_lambda(scan);
            format!("{key}={value}")
        }
        Excluded::Instance => ExclusionTag::EC2.to_owned(),
    }
}

/// Whether an entry says that this of a resource is not scanned.
fn is_about(entry: &Exclusion, row: &Coverage, excluded: Excluded) -> bool {
    excluded_by(entry) == excluded && is_same(entry, row)
}

/// Whether the target of an entry is this resource: by its ARN if it has one, else by its name.
fn is_same(entry: &Exclusion, row: &Coverage) -> bool {
    match &entry.target {
        Target::Lambda { arn: Some(arn), .. } => {
            is_function(row) && unversioned(&row.resource) == unversioned(arn)
        }
        Target::Lambda { name: Some(called), .. } => is_function(row) && name(row) == called,
        Target::Lambda { .. } => false,
        Target::Ec2(id) => !is_function(row) && (row.resource == *id || name(row) == instance(id)),
    }
}

/// What people call a resource: the name of a function, the id of an instance.
fn name(row: &Coverage) -> &str {
    if is_function(row) {
        unversioned(&row.resource).rsplit(':').next().unwrap_or(&row.resource)
    } else {
        instance(&row.resource)
    }
}

fn instance(id: &str) -> &str {
    id.rsplit_once(":instance/").map_or(id, |(_, id)| id)
}

/// The ARN of a function without its version.
fn unversioned(arn: &str) -> &str {
    match arn.match_indices(':').nth(6) {
        Some((end, _)) => &arn[..end],
        None => arn,
    }
}

fn has_begun(entry: &Exclusion, now: Timestamp) -> bool {
    entry.applied_at.is_none_or(|applied| day(now) >= applied)
}

fn is_in_force(entry: &Exclusion, now: Timestamp) -> bool {
    has_begun(entry, now) && now < end_of(entry.expires_at)
}

/// What Inspector is asked about an entry, to know whether its resource has the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A resource by its id, with the account and the Region that it is in, where they are known.
    Resource(String, Option<(String, String)>),
    /// A function by its name.
    Function(String),
}

/// What Inspector is asked about the entries in force at `now`.
pub fn asked(ledger: &Ledger, now: Timestamp) -> Vec<Asked> {
    let in_force = ledger.exclusions.iter().filter(|entry| is_in_force(entry, now));
    let asked = in_force.filter_map(|entry| match &entry.target {
        Target::Lambda { arn: Some(arn), .. } => {
            Some(Asked::Resource(format!("{}:$LATEST", unversioned(arn)), place(arn)))
        }
        Target::Lambda { name, .. } => name.clone().map(Asked::Function),
        Target::Ec2(id) => Some(Asked::Resource(instance(id).to_owned(), place(id))),
    });
    asked.collect()
}
