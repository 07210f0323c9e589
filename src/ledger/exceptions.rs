//! One exception of a file.

use std::collections::BTreeMap;

use wildmatch::WildMatch;

use super::{
    fields::{Object, Placed, Reader},
    read::{WrittenException, priority},
    yaml::Node,
};
use crate::domain::{
    finding::ResourceType,
    ledger::{
        Condition, Decision, Exception, Justification, PackageSelector, PackageUrl, Selectors,
        Terms, VulnerabilityId,
    },
    text,
};

/// The keys of an exception.
const KEYS: [&str; 16] = [
    "id",
    "vulnerabilities",
    "packages",
    "resources",
    "decision",
    "justification",
    "reason",
    "compensating_controls",
    "ticket",
    "owner",
    "approved_by",
    "created_at",
    "expires_at",
    "review_at",
    "until_fixed",
    "accepted_priority",
];
/// The last of them, which stands apart because it has conditions.
const ENDS_IF: &str = "ends_if";
/// The keys that select resources.
const RESOURCE_KEYS: [&str; 6] = ["accounts", "regions", "types", "names", "arns", "tags"];

/// How many characters a name of a team, a person or a ticket may have.
pub const NAME: usize = 128;
/// How many characters the id of a vulnerability may have.
pub const ID: usize = 128;
/// How many characters a reason may have.
pub const REASON: usize = 1_000;
/// How many characters what protects meanwhile may have, each time.
pub const CONTROL: usize = 500;
/// How many things may protect meanwhile.
pub const CONTROLS: usize = 10;
/// How many values a selector may have.
const VALUES: usize = 100;
/// How many tags of a resource an exception may ask for: as many as a resource may have.
const TAGS: usize = 50;
/// How many vulnerabilities one exception may name.
const VULNERABILITIES: usize = 500;
/// How many characters a pattern or a package may have.
const PATTERN: usize = 512;

/// Reads an exception.
pub fn read(reader: &mut Reader, node: &Node, path: String) -> Option<WrittenException> {
    let keys: Vec<&str> = KEYS.into_iter().chain([ENDS_IF]).collect();
    let object = reader.object(node, path, &keys)?;
    let id = id(reader, &object);
    let vulnerabilities = vulnerabilities(reader, &object);
    let selectors = selectors(reader, &object, &vulnerabilities);
    reader.require(&object, "decision");
    let decision = word_of(reader, &object, "decision", Decision::ALL, Decision::as_str);
    let justification =
        word_of(reader, &object, "justification", Justification::ALL, Justification::as_str);
    match decision {
        Some(Decision::NotAffected) if object.get("justification").is_none() => {
            let allowed: Vec<&str> = Justification::ALL.iter().map(|one| one.as_str()).collect();
            let allowed = allowed.join(", ");
            let what = format!("not_affected needs a justification, one of {allowed}");
            reader.wrong(object.place, &object.path, what);
        }
        Some(Decision::Accept | Decision::Defer) if justification.is_some() => {
            let place = object.get("justification").map_or(object.place, |node| node.place);
            let what = "only what is not_affected or a false_positive has a justification";
            reader.wrong(place, &object.path_of("justification"), what);
        }
        _ => {}
    }
    let reason = reader.required(&object, "reason", REASON);
    let controls = reader.texts(&object, "compensating_controls", CONTROLS, CONTROL);
    let ticket = reader.text(&object, "ticket", NAME);
    let owner = reader.required(&object, "owner", NAME);
    let approved_by = reader.text(&object, "approved_by", NAME);
    differ(reader, &object, owner.as_ref(), approved_by.as_ref());
    let created_at = reader.required_day(&object, "created_at");
    let expires_at = reader.required_day(&object, "expires_at");
    let review_at = reader.day(&object, "review_at");
    let path = &object.path;
    if let (Some(created), Some(expires)) = (&created_at, &expires_at)
        && expires.value < created.value
    {
        let what = format!("{} is before created_at, {}", expires.value, created.value);
        reader.wrong(expires.place, &object.path_of("expires_at"), what);
    }
    if let (Some(review), Some(expires)) = (&review_at, &expires_at)
        && review.value > expires.value
    {
        let what = format!("{} is after expires_at, {}", review.value, expires.value);
        reader.wrong(review.place, &object.path_of("review_at"), what);
    }
    let until_fixed = reader.flag(&object, "until_fixed").unwrap_or(false);
    let accepted_priority = priority(reader, &object, "accepted_priority");
    let ends_if = conditions(reader, &object);
    let expires_at = expires_at?;
    Some(WrittenException {
        path: path.clone(),
        place: object.place,
        vulnerabilities: vulnerabilities.iter().map(|said| said.place).collect(),
        approved_by: approved_by.as_ref().map(|said| said.place),
        expires_at: expires_at.place,
        review_at: review_at.as_ref().map(|said| said.place),
        exception: Exception {
            id: id?,
            selectors,
            decision: decision?,
            justification,
            reason: reason?.value,
            compensating_controls: controls.into_iter().map(|said| said.value).collect(),
            ticket: ticket.map(|said| said.value),
            owner: owner?.value,
            approved_by: approved_by.map(|said| said.value),
            created_at: created_at?.value,
            review_at: review_at.map(|said| said.value),
            terms: Terms {
                expires_at: expires_at.value,
                until_fixed,
                accepted_priority: accepted_priority.unwrap_or(Terms::ACCEPTED_PRIORITY),
                ends_if,
            },
        },
    })
}

fn id(reader: &mut Reader, object: &Object<'_>) -> Option<String> {
    let said = reader.required(object, "id", ID)?;
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if (3..=64).contains(&said.value.len()) && said.value.chars().all(is_allowed) {
        return Some(said.value);
    }
    let what = format!("{} is no id; expected 3 to 64 of a-z, 0-9, '.', '_' and '-'", said.value);
    reader.wrong(said.place, &object.path_of("id"), what);
    None
}

/// One of some words in a field.
pub fn word_of<T: Copy>(
    reader: &mut Reader,
    object: &Object<'_>,
    key: &str,
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Option<T> {
    let said = reader.text(object, key, ID)?;
    reader.word(&said, &object.path_of(key), all, word)
}

/// Notes if who agreed is who answers for it.
pub fn differ(
    reader: &mut Reader,
    object: &Object<'_>,
    owner: Option<&Placed<String>>,
    approved_by: Option<&Placed<String>>,
) {
    if let (Some(owner), Some(approver)) = (owner, approved_by)
        && owner.value.to_lowercase() == approver.value.to_lowercase()
    {
        let what = format!("{} is the owner, who cannot approve it", approver.value);
        reader.wrong(approver.place, &object.path_of("approved_by"), what);
    }
}

fn conditions(reader: &mut Reader, object: &Object<'_>) -> Vec<Condition> {
    if object.get(ENDS_IF).is_none() {
        return Terms::ENDS_IF.to_vec();
    }
    let path = object.path_of(ENDS_IF);
    let items = reader.list(object, ENDS_IF);
    // An empty list is a choice here: nothing but its last day ends it.
    if items.is_empty() {
        return Vec::new();
    }
    let said = reader.texts(object, ENDS_IF, Condition::ALL.len(), ID);
    said.iter()
        .filter_map(|said| reader.word(said, &path, Condition::ALL, Condition::as_str))
        .collect()
}

fn vulnerabilities(reader: &mut Reader, object: &Object<'_>) -> Vec<Placed<String>> {
    let said = reader.texts(object, "vulnerabilities", VULNERABILITIES, ID);
    for one in &said {
        if one.value.contains(['*', '?']) || one.value.contains(char::is_whitespace) {
            let what = format!(
                "{} is no id of a vulnerability; expected one such as CVE-2026-10866, without wildcards",
                one.value
            );
            reader.wrong(one.place, &object.path_of("vulnerabilities"), what);
        }
    }
    said
}

fn selectors(
    reader: &mut Reader,
    object: &Object<'_>,
    vulnerabilities: &[Placed<String>],
) -> Selectors {
    let mut selectors = Selectors {
        vulnerabilities: vulnerabilities
            .iter()
            .map(|one| VulnerabilityId::new(&one.value))
            .collect(),
        ..Selectors::default()
    };
    for said in reader.texts(object, "packages", VALUES, PATTERN) {
        let path = object.path_of("packages");
        match package(&said.value) {
            Ok(package) => selectors.packages.push(package),
            Err(what) => reader.wrong(said.place, &path, what),
        }
    }
    if let Some(resources) = reader.object_in(object, "resources", &RESOURCE_KEYS) {
        if resources.entries().is_empty() {
            reader.wrong(resources.place, &resources.path, "selects nothing; leave the key out");
        }
        self::resources(reader, &resources, &mut selectors);
    }
    let keys = ["vulnerabilities", "packages", "resources"];
    if keys.iter().all(|key| object.get(key).is_none()) {
        let what =
            "selects nothing; expected one of vulnerabilities, packages and resources at least";
        reader.wrong(object.place, &object.path, what);
    }
    selectors
}

fn resources(reader: &mut Reader, resources: &Object<'_>, selectors: &mut Selectors) {
    for said in reader.texts(resources, "accounts", VALUES, ID) {
        if said.value.len() == 12 && said.value.bytes().all(|b| b.is_ascii_digit()) {
            selectors.accounts.push(said.value);
        } else {
            let what = format!("{} is no account; expected 12 digits", said.value);
            reader.wrong(said.place, &resources.path_of("accounts"), what);
        }
    }
    for said in reader.texts(resources, "regions", VALUES, ID) {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if said.value.chars().all(is_allowed) {
            selectors.regions.push(said.value);
        } else {
            let what = format!("{} is no Region; expected one such as eu-central-1", said.value);
            reader.wrong(said.place, &resources.path_of("regions"), what);
        }
    }
    for said in reader.texts(resources, "types", VALUES, ID) {
        match ResourceType::from(said.value.as_str()) {
            ResourceType::Other(_) => {
                let allowed = ResourceType::WORDS.join(", ");
                let what =
                    format!("{} is no kind of resource; expected one of {allowed}", said.value);
                reader.wrong(said.place, &resources.path_of("types"), what);
            }
            kind => selectors.types.push(kind),
        }
    }
    let patterns = |reader: &mut Reader, key: &str, probes: &[&str]| {
        let said = reader.texts(resources, key, VALUES, PATTERN);
        for one in &said {
            let pattern = WildMatch::new(&one.value);
            let is_bare = one.value.chars().all(|c| matches!(c, '*' | '?'));
            if is_bare || probes.iter().all(|probe| pattern.matches(probe)) {
                let what = format!("{} selects everything", one.value);
                reader.wrong(one.place, &resources.path_of(key), what);
            }
        }
        said.into_iter().map(|said| said.value).collect()
    };
    selectors.names = patterns(reader, "names", &["a", "9"]);
    selectors.arns = patterns(
        reader,
        "arns",
        &[
            "arn:aws:ecr:eu-central-1:111122223333:repository/a/sha256:0",
            "arn:aws:lambda:us-east-1:444455556666:function:b:$LATEST",
        ],
    );
    let Some(node) = resources.get("tags") else { return };
    let Some(tags) = reader.mapping(node, resources.path_of("tags")) else { return };
    if tags.entries().is_empty() {
        reader.wrong(tags.place, &tags.path, "selects nothing; leave the key out");
    }
    if tags.entries().len() > TAGS {
        let what = format!("{} tags, at most {TAGS} are allowed", tags.entries().len());
        return reader.wrong(tags.place, &tags.path, what);
    }
    let mut selected = BTreeMap::new();
    for entry in tags.entries() {
        let path = tags.path_of(&text::short(&entry.key, 40));
        let values = reader.texts_of(&entry.value, &path, VALUES, PATTERN);
        selected.insert(entry.key.clone(), values.into_iter().map(|said| said.value).collect());
    }
    selectors.tags = selected;
}

/// A package by its name or its package URL, or what is wrong with that.
fn package(said: &str) -> Result<PackageSelector, String> {
    if !said.starts_with("pkg:") {
        return if said.contains(['*', '?']) {
            Err(format!("{said} is no package; wildcards are not taken here"))
        } else {
            Ok(PackageSelector::Name(said.to_owned()))
        };
    }
    let url: packageurl::PackageUrl<'_> =
        said.parse().map_err(|error| format!("{said} is no package URL: {error}"))?;
    let kind = url.ty().to_owned();
    if url.version().is_some() || !url.qualifiers().is_empty() || url.subpath().is_some() {
        return Err(format!(
            "{said} has a version, qualifiers or a path; expected type, namespace and name alone, such as pkg:deb/ubuntu/libssl3"
        ));
    }
    if !PackageUrl::kinds().any(|known| known == kind) {
        let allowed: Vec<&str> = PackageUrl::kinds().collect();
        return Err(format!(
            "{kind} is no type of package that Inspector reports; expected one of {}",
            allowed.join(", ")
        ));
    }
    if matches!(kind.as_str(), "deb" | "rpm" | "apk") && url.namespace().is_none() {
        return Err(format!(
            "{said} names no distribution; expected one such as pkg:deb/ubuntu/libssl3"
        ));
    }
    Ok(PackageSelector::Url(PackageUrl {
        kind,
        namespace: url.namespace().map(str::to_owned),
        name: url.name().to_owned(),
    }))
}
