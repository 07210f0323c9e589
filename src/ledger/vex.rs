//! A ledger as VEX, which other tools read: OpenVEX and CycloneDX.
//!
//! An accepted risk is never `not_affected`: the vulnerability is there, and somebody lives with it. Nothing here depends on
//! anything but the ledger and the time, so that the same ledger gives the same document to the byte.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::rules::Said;
use crate::domain::{
    finding::ResourceType,
    ledger::{
        Condition, Decision, Exception, Justification, Ledger, PackageSelector, PackageUrl,
        VulnerabilityId, end_of,
    },
    round::day,
};

/// What can be said as VEX, and what cannot.
#[derive(Clone, Debug, Default)]
pub struct Vex<'a> {
    /// The exceptions in force.
    exceptions: Vec<&'a Exception>,
    /// The time of the document.
    now: Timestamp,
    /// What is left out, and why.
    pub notes: Vec<Said>,
}

/// What a statement is about: products, and what of them.
struct Scope {
    products: Vec<Product>,
    /// What of the selection no product says, in words.
    rest: Option<String>,
}

/// A product: a resource, a package, or whatever an exception selects.
struct Product {
    id: String,
    name: String,
    kind: &'static str,
    purl: Option<String>,
    /// Package URLs of what in it is meant.
    parts: Vec<String>,
}

impl<'a> Vex<'a> {
    /// What the exceptions say that are in force at `now`.
    pub fn of(ledger: &'a Ledger, now: Timestamp) -> Self {
        let mut vex = Self { exceptions: Vec::new(), now, notes: Vec::new() };
        for exception in &ledger.exceptions {
            let expires = exception.terms.expires_at;
            let why = if now >= end_of(expires) {
                Some(format!("left out: it ended with {expires}"))
            } else if day(now) < exception.created_at {
                Some(format!("left out: it begins with {}", exception.created_at))
            } else if exception.selectors.vulnerabilities.is_empty() {
                Some("left out: VEX is about vulnerabilities, and it names none".to_owned())
            } else {
                None
            };
            match why {
                Some(what) => vex.notes.push(Said { id: exception.id.clone(), what }),
                None => vex.exceptions.push(exception),
            }
        }
        vex
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.exceptions.is_empty()
    }

    /// The document as OpenVEX: <https://github.com/openvex/spec>, version 0.2.0.
    pub fn openvex(&self, author: &str) -> Value {
        let statements: Vec<Value> =
            self.statements().map(|(exception, id)| statement(exception, id)).collect();
        let mut document = json!({
            "@context": "https://openvex.dev/ns/v0.2.0",
            "author": author,
            "timestamp": self.now.to_string(),
            "version": 1,
            "tooling": "inspector-triage ledger vex",
            "statements": statements,
        });
        document["@id"] = json!(format!("urn:inspector-triage:vex:{}", hex(&digest(&document))));
        document
    }

    fn statements(&self) -> impl Iterator<Item = (&'a Exception, &'a VulnerabilityId)> {
        self.exceptions.iter().flat_map(|exception| {
            exception.selectors.vulnerabilities.iter().map(move |id| (*exception, id))
        })
    }

    /// The document as CycloneDX: <https://cyclonedx.org/docs/1.6/json/>.
    pub fn cyclonedx(&self) -> Value {
        // Each product once, with all of its parts that a statement is about.
        let mut components: BTreeMap<String, (Value, BTreeSet<String>)> = BTreeMap::new();
        let mut vulnerabilities = Vec::new();
        for (exception, id) in self.statements() {
            let scope = Scope::of(exception);
            for product in &scope.products {
                let component = components.entry(product.id.clone());
                let (_, parts) =
                    component.or_insert_with(|| (product.cyclonedx(), BTreeSet::new()));
                parts.extend(product.parts.iter().cloned());
            }
            vulnerabilities.push(vulnerability(exception, id, &scope));
        }
        let components = components.into_iter().map(|(id, (mut component, parts))| {
            if !parts.is_empty() {
                component["components"] = parts.iter().map(|purl| part(&id, purl)).collect();
            }
            component
        });
        let mut document = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "timestamp": self.now.to_string(),
                "tools": {"components": [{"type": "application", "name": "inspector-triage"}]},
            },
            "components": components.collect::<Vec<_>>(),
            "vulnerabilities": vulnerabilities,
        });
        document["serialNumber"] = json!(format!("urn:uuid:{}", uuid(digest(&document))));
        document
    }
}

/// What OpenVEX says of one vulnerability.
fn statement(exception: &Exception, id: &VulnerabilityId) -> Value {
    let scope = Scope::of(exception);
    let products: Vec<Value> = scope.products.iter().map(Product::openvex).collect();
    let since = beginning(exception.created_at);
    let mut statement = json!({
        "vulnerability": {"name": id.as_str()},
        "products": products,
        "timestamp": since,
        "status_notes": notes(exception, scope.rest.as_deref()),
    });
    match exception.decision {
        Decision::Accept | Decision::Defer => {
            statement["status"] = json!("affected");
            statement["action_statement"] = json!(action(exception));
            statement["action_statement_timestamp"] = json!(since);
        }
        Decision::NotAffected | Decision::FalsePositive => {
            statement["status"] = json!("not_affected");
            statement["impact_statement"] = json!(exception.reason);
            if let Some(justification) = exception.justification {
                statement["justification"] = json!(justification.as_str());
            }
        }
    }
    statement
}

/// What CycloneDX says of one vulnerability.
fn vulnerability(exception: &Exception, id: &VulnerabilityId, scope: &Scope) -> Value {
    let mut detail = format!("{} {}", exception.reason, notes(exception, scope.rest.as_deref()));
    let (state, response): (&str, Vec<&str>) = match exception.decision {
        // There is no fix yet, or it is not wanted.
        Decision::Accept if exception.terms.until_fixed => ("exploitable", vec!["can_not_fix"]),
        Decision::Accept => ("exploitable", vec!["will_not_fix"]),
        Decision::Defer => ("exploitable", vec!["update"]),
        Decision::NotAffected => ("not_affected", Vec::new()),
        Decision::FalsePositive => ("false_positive", Vec::new()),
    };
    let mut response = response;
    if !exception.compensating_controls.is_empty() && !response.is_empty() {
        response.push("workaround_available");
    }
    if let Some(justification) = exception.justification {
        detail.extend([" Justification: ", justification.as_str(), "."]);
    }
    let since = beginning(exception.created_at);
    let mut analysis = json!({"state": state, "detail": detail, "firstIssued": since});
    if !response.is_empty() {
        analysis["response"] = json!(response);
    }
    if let (Decision::NotAffected, Some(justification)) =
        (exception.decision, exception.justification)
    {
        analysis["justification"] = json!(in_cyclonedx(justification));
    }
    // A product is meant as a whole, or what is named in it is: never a package wherever else it may be.
    let mut refs: Vec<String> = Vec::new();
    for product in &scope.products {
        if product.parts.is_empty() {
            refs.push(product.id.clone());
        }
        refs.extend(product.parts.iter().map(|purl| part_of(&product.id, purl)));
    }
    let mut properties = vec![
        ("exception", exception.id.clone()),
        ("decision", exception.decision.as_str().to_owned()),
        ("owner", exception.owner.clone()),
        ("expires_at", exception.terms.expires_at.to_string()),
    ];
    properties.extend(exception.approved_by.clone().map(|by| ("approved_by", by)));
    properties.extend(exception.ticket.clone().map(|ticket| ("ticket", ticket)));
    let properties = properties
        .into_iter()
        .map(|(name, value)| json!({"name": format!("inspector-triage:{name}"), "value": value}));
    let mut vulnerability = json!({
        "bom-ref": format!("urn:inspector-triage:exception:{}:{}", exception.id, id.as_str()),
        "id": id.as_str(),
        "analysis": analysis,
        "affects": refs.into_iter().map(|id| json!({"ref": id})).collect::<Vec<_>>(),
        "properties": properties.collect::<Vec<_>>(),
    });
    if !exception.compensating_controls.is_empty() {
        vulnerability["workaround"] = json!(exception.compensating_controls.join("; "));
    }
    vulnerability
}

/// What is done about a vulnerability that is there.
fn action(exception: &Exception) -> String {
    let expires = exception.terms.expires_at;
    let decided = match exception.decision {
        Decision::Defer => format!("To be fixed by the end of {expires} (UTC)"),
        _ => format!("Accepted to the end of {expires} (UTC)"),
    };
    let mut said = format!("{decided}: {}", exception.reason);
    if exception.terms.until_fixed {
        said.push_str(" To be updated as soon as there is a fix.");
    }
    if !exception.compensating_controls.is_empty() {
        said.extend([" Meanwhile: ", &exception.compensating_controls.join("; "), "."]);
    }
    said
}

/// Whose an exception is, and when it ends.
fn notes(exception: &Exception, rest: Option<&str>) -> String {
    let Exception { id, owner, approved_by, ticket, terms, compensating_controls, .. } = exception;
    let mut said =
        vec![format!("Exception {id} of {owner}, to the end of {} (UTC).", terms.expires_at)];
    said.extend(approved_by.as_ref().map(|by| format!("Approved by {by}.")));
    said.extend(ticket.as_ref().map(|ticket| format!("Ticket {ticket}.")));
    if !compensating_controls.is_empty() {
        said.push(format!("Compensating controls: {}.", compensating_controls.join("; ")));
    }
    let mut ends: Vec<String> = Vec::new();
    if terms.until_fixed {
        ends.push("there is a fix".to_owned());
    }
    ends.extend(terms.ends_if.iter().map(|condition| match condition {
        Condition::Exploit => "an exploit is known".to_owned(),
        Condition::KnownExploited => "CISA lists it as exploited".to_owned(),
        Condition::PriorityRaised => format!("its priority is above {}", terms.accepted_priority),
    }));
    if !ends.is_empty() {
        said.push(format!("It ends earlier if {}.", ends.join(", or ")));
    }
    said.extend(rest.map(|rest| format!("It is about {rest} alone.")));
    said.join(" ")
}

impl Scope {
    fn of(exception: &Exception) -> Self {
        let selectors = &exception.selectors;
        let mut parts: Vec<String> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for package in &selectors.packages {
            match package {
                PackageSelector::Url(url) => parts.push(encoded(url)),
                PackageSelector::Name(name) => names.push(name),
            }
        }
        let mut rest: Vec<String> = Vec::new();
        let mut say = |what: &str, values: &[String]| {
            if !values.is_empty() {
                rest.push(format!("{what} {}", values.join(" or ")));
            }
        };
        let owned =
            |values: &[&str]| values.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        say("packages", &owned(&names));
        say("accounts", &selectors.accounts);
        say("Regions", &selectors.regions);
        let types: Vec<&str> = selectors.types.iter().map(ResourceType::as_str).collect();
        say("resources of the kind", &owned(&types));
        say("resources called", &selectors.names);
        let is_one = |arn: &&String| !arn.contains(['*', '?']) && arn.starts_with("arn:");
        let ones: Vec<&String> = selectors.arns.iter().filter(is_one).collect();
        let are_exact = !ones.is_empty() && ones.len() == selectors.arns.len();
        if !are_exact {
            say("resources", &selectors.arns);
        }
        for (key, values) in &selectors.tags {
            say(&format!("resources with the tag {key} of"), values);
        }
        let products = if are_exact {
            let product = |arn: &String| Product {
                id: arn.clone(),
                name: arn.clone(),
                kind: if arn.contains(":ecr:") { "container" } else { "application" },
                purl: None,
                parts: parts.clone(),
            };
            ones.into_iter().map(product).collect()
        } else if rest.is_empty() && !parts.is_empty() {
            // About these packages wherever they are.
            parts.iter().map(|purl| Product::package(purl)).collect()
        } else {
            let id = &exception.id;
            let product = Product {
                id: format!("urn:inspector-triage:exception:{id}"),
                name: format!("what the exception {id} is about"),
                kind: "application",
                purl: None,
                parts,
            };
            vec![product]
        };
        let rest = (!rest.is_empty()).then(|| rest.join(", and "));
        Self { products, rest }
    }
}

impl Product {
    fn package(purl: &str) -> Self {
        Self {
            id: purl.to_owned(),
            name: purl.rsplit('/').next().unwrap_or(purl).to_owned(),
            kind: "library",
            purl: Some(purl.to_owned()),
            parts: Vec::new(),
        }
    }

    fn openvex(&self) -> Value {
        let mut product = json!({"@id": self.id});
        if let Some(purl) = &self.purl {
            product["identifiers"] = json!({"purl": purl});
        }
        if !self.parts.is_empty() {
            let parts = self.parts.iter();
            product["subcomponents"] =
                parts.map(|purl| json!({"@id": purl, "identifiers": {"purl": purl}})).collect();
        }
        product
    }

    fn cyclonedx(&self) -> Value {
        let mut component = json!({"type": self.kind, "bom-ref": self.id, "name": self.name});
        if let Some(purl) = &self.purl {
            component["purl"] = json!(purl);
        }
        component
    }
}

/// A package URL as its specification writes it, `@` and the like encoded.
fn encoded(url: &PackageUrl) -> String {
    let PackageUrl { kind, namespace, name } = url;
    let encoded = packageurl::PackageUrl::new(kind.as_str(), name.as_str());
    let encoded = encoded.ok().and_then(|mut encoded| {
        if let Some(namespace) = namespace {
            encoded.with_namespace(namespace.as_str()).ok()?;
        }
        Some(encoded.to_string())
    });
    encoded.unwrap_or_else(|| PackageSelector::Url(url.clone()).to_string())
}

/// A package in a product, as CycloneDX has it.
fn part(product: &str, purl: &str) -> Value {
    let mut component = Product::package(purl).cyclonedx();
    component["bom-ref"] = json!(part_of(product, purl));
    component
}

/// What CycloneDX knows a package in a product by.
fn part_of(product: &str, purl: &str) -> String {
    format!("{product}#{purl}")
}

/// CycloneDX's word for why a vulnerability does no harm; OpenVEX's stands in the detail.
fn in_cyclonedx(justification: Justification) -> &'static str {
    match justification {
        Justification::ComponentNotPresent | Justification::VulnerableCodeNotPresent => {
            "code_not_present"
        }
        Justification::VulnerableCodeNotInExecutePath => "code_not_reachable",
        Justification::VulnerableCodeCannotBeControlledByAdversary => "requires_environment",
        Justification::InlineMitigationsAlreadyExist => "protected_by_mitigating_control",
    }
}

/// The first moment of a day.
fn beginning(day: Date) -> String {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX).to_string()
}

fn digest(document: &Value) -> [u8; 32] {
    Sha256::digest(document.to_string()).into()
}

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(u32::from);
    bytes.iter().flat_map(digits).filter_map(|digit| char::from_digit(digit, 16)).collect()
}

/// A UUID of version 8 (RFC 9562) that says what these bytes say.
fn uuid(mut bytes: [u8; 32]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes[..16]);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
