//! The exceptions that were in force, each as it was decided.

use super::{NAME, SAID, moment, perhaps, perhaps_at, yes};
use crate::{
    domain::{
        evidence::{Decided, What, WhyOver},
        ledger::{Justification, Selectors, Terms, VulnerabilityId},
    },
    render::view::safe,
};

pub const COLUMNS: [&str; 26] = [
    "id",
    "decision",
    "justification",
    "reason",
    "compensatingControls",
    "owner",
    "approvedBy",
    "ticket",
    "createdAt",
    "reviewAt",
    "expiresAt",
    "untilFixed",
    "acceptedPriority",
    "endsIf",
    "vulnerabilities",
    "packages",
    "resources",
    "inForceFrom",
    "inForceUntil",
    "ended",
    "commit",
    "appliedBy",
    "ledger",
    "findings",
    "covering",
    "source",
];

pub fn row(decided: &Decided) -> [String; COLUMNS.len()] {
    let name = |text: &str| safe(text, NAME);
    let said = |text: &str| safe(text, SAID);
    let perhaps_name = |text: Option<&String>| text.map(|text| name(text)).unwrap_or_default();
    let exception = match &decided.what {
        What::Ledger(exception) => Some(exception),
        What::Finding(_) => None,
    };
    let (decision, reason, owner, ticket, terms) = match &decided.what {
        What::Ledger(one) => {
            (one.decision, &one.reason, &one.owner, one.ticket.as_ref(), &one.terms)
        }
        What::Finding(one) => {
            (one.decision, &one.reason, &one.owner, one.ticket.as_ref(), &one.terms)
        }
    };
    let Terms { expires_at, until_fixed, accepted_priority, ends_if } = terms;
    let ends_if: Vec<&str> = ends_if.iter().map(|condition| condition.as_str()).collect();
    let selectors = exception.map(|one| &one.selectors);
    let controls = exception.map(|one| one.compensating_controls.join("; ")).unwrap_or_default();
    [
        name(decided.what.id()),
        decision.as_str().to_owned(),
        perhaps(exception.and_then(|one| one.justification).map(Justification::as_str)),
        said(reason),
        said(&controls),
        name(owner),
        perhaps_name(exception.and_then(|one| one.approved_by.as_ref())),
        perhaps_name(ticket),
        perhaps(exception.map(|one| one.created_at)),
        perhaps(exception.and_then(|one| one.review_at)),
        expires_at.to_string(),
        yes(*until_fixed),
        accepted_priority.as_str().to_owned(),
        ends_if.join(", "),
        said(&selectors.map(vulnerabilities).unwrap_or_default()),
        said(&selectors.map(packages).unwrap_or_default()),
        said(&selectors.map(resources).unwrap_or_default()),
        moment(decided.from),
        perhaps_at(decided.until),
        perhaps(decided.ended.map(WhyOver::as_str)),
        perhaps_name(decided.commit.as_ref()),
        perhaps_name(decided.by.as_ref()),
        perhaps_name(decided.ledger.as_ref()),
        decided.findings.to_string(),
        decided.covering.to_string(),
        if exception.is_some() { "ledger" } else { "findings" }.to_owned(),
    ]
}

fn vulnerabilities(selectors: &Selectors) -> String {
    let ids: Vec<&str> = selectors.vulnerabilities.iter().map(VulnerabilityId::as_str).collect();
    ids.join(", ")
}

fn packages(selectors: &Selectors) -> String {
    let packages: Vec<String> = selectors.packages.iter().map(ToString::to_string).collect();
    packages.join(", ")
}

/// The other selectors, each as the ledger has it: `accounts: 111122223333; tags: stage=test`.
fn resources(selectors: &Selectors) -> String {
    let Selectors { accounts, regions, types, names, arns, tags, .. } = selectors;
    let types: Vec<String> = types.iter().map(ToString::to_string).collect();
    let tags: Vec<String> = tags
        .iter()
        .flat_map(|(key, values)| values.iter().map(move |value| format!("{key}={value}")))
        .collect();
    let all = [
        ("accounts", accounts),
        ("regions", regions),
        ("types", &types),
        ("names", names),
        ("arns", arns),
        ("tags", &tags),
    ];
    let given = all.iter().filter(|(_, values)| !values.is_empty());
    let given: Vec<String> =
        given.map(|(key, values)| format!("{key}: {}", values.join(", "))).collect();
    given.join("; ")
}
