//! The facts of a message as its templates see them: bounded, harmless, without a language.

mod links;

use std::fmt;

use jiff::{Timestamp, tz::Offset};

pub use links::Page;
#[cfg(feature = "cli")]
pub use links::links;

use super::Style;

use crate::domain::{
    assess::{Assessment, Factor, Priority, Reason, bod_26_04::Verdict},
    finding::{
        Details, Finding, PackageVulnerability, Remediation, Resource, ResourceType,
        VulnerablePackage,
    },
    ledger::{Decision, WhyEnded},
    record::{AlertReason, Record},
    text,
    threat::{Catalogue, Threat},
};

/// How many packages, resources or commands are listed before "and n more".
const LISTED: usize = 5;

/// What a message says.
pub struct AlertView {
    /// What helps.
    pub remediation: Remediation,
    /// The problem: a vulnerability, a weakness, an open port.
    pub problem: String,
    /// Where.
    pub place: Place,
    /// By when.
    pub due: Option<String>,
    /// Whether there is no fix, so that the due date is for mitigation.
    pub mitigate: bool,
    /// Why the reader is told.
    pub why: AlertReason,
    /// The priority the reader was told before, if it was lower.
    pub raised_from: Option<&'static str>,
    /// 0 to 100.
    pub score: u8,
    /// `P1` to `P4`.
    pub priority: &'static str,
    /// What is known of attacks.
    pub attacks: Attacks,
    /// What the rule for due dates says, if it says more than the priority does.
    pub deadline: Option<Verdict>,
    /// The exception that covered it until now.
    pub exception: Option<EndedException>,
    /// Why the score is what it is.
    pub reasons: Vec<Reason>,
    /// The packages to update.
    pub packages: Vec<Package>,
    /// How many more packages there are.
    pub more_packages: usize,
    /// Components of an open network path.
    pub path: Vec<String>,
    /// Commands and advice from Inspector, line by line.
    pub advice: Vec<String>,
    /// Whether the resource is an image, which is not updated but built anew.
    pub rebuild: bool,
    /// How many running workloads use the image.
    pub in_use: Option<u64>,
    /// What the problem is, in the publisher's words.
    pub about: Vec<String>,
    /// Other identifiers of the problem.
    pub aliases: String,
    /// The CVSS base scores, where they differ, with who gave them.
    pub scores: String,
    /// Pages to read.
    pub links: Vec<(Page, String)>,
    /// The finding's ARN.
    pub arn: String,
    /// The tags of the resource that people set: they name who to talk to.
    pub tags: Vec<String>,
}

/// What is known of attacks on the problem.
#[derive(Default)]
pub struct Attacks {
    /// CISA's entry, if its catalogue has the problem.
    pub listing: Option<Listed>,
    /// When its catalogue had it not.
    pub not_listed_as_of: Option<String>,
    /// When an attack was last seen.
    pub seen: Option<String>,
}

/// An entry of CISA's catalogue.
pub struct Listed {
    /// Since when.
    pub since: Option<String>,
    /// What CISA says to do.
    pub action: Option<String>,
}

impl Attacks {
    fn new(threat: &Threat) -> Self {
        let listing = threat.listing().map(|listing| Listed {
            since: listing.added.map(day),
            action: listing.action.as_deref().map(|action| safe(action, 300)),
        });
        let not_listed = threat.catalogue == Catalogue::NotListed;
        Self {
            listing,
            not_listed_as_of: not_listed.then(|| day(threat.checked_at)),
            seen: threat.observed.as_ref().and_then(|seen| seen.last).map(day),
        }
    }

    /// What of it the reasons for the score do not say.
    fn besides(self, assessment: &Assessment) -> Self {
        let is_said = |reason: &Reason| matches!(reason.factor, Factor::KnownExploited { .. });
        let is_said = assessment.reasons.iter().any(is_said);
        Self { listing: self.listing.filter(|_| !is_said), ..self }
    }
}

/// An exception that covers a finding no more.
pub struct EndedException {
    /// Its id.
    pub id: String,
    /// Why it covers it no more.
    pub why: WhyEnded,
    /// What was decided.
    pub decision: Decision,
    /// The highest priority that was accepted.
    pub accepted: &'static str,
    /// Its last day.
    pub until: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it is followed up.
    pub ticket: Option<String>,
    /// Why it was decided.
    pub reason: String,
    /// Whether a suppression rule hides the finding all the same.
    pub hidden: bool,
}

impl EndedException {
    fn of(record: &Record) -> Option<Self> {
        let told_at = record.announced.as_ref().map(|told| told.at);
        let exception = record.ended_exception(told_at)?;
        Some(Self {
            id: safe(&exception.id, 64),
            why: exception.ended?.why,
            decision: exception.decision,
            accepted: exception.terms.accepted_priority.as_str(),
            until: exception.terms.expires_at.to_string(),
            owner: safe(&exception.owner, 80),
            ticket: exception.ticket.as_deref().map(|ticket| safe(ticket, 80)),
            reason: safe(&exception.reason, 300),
            hidden: exception.hidden,
        })
    }
}

/// Where the problem is.
pub struct Place {
    /// What people call the resource.
    pub name: String,
    /// What kind of thing it is.
    pub kind: Option<ResourceType>,
    /// Its id or ARN.
    pub id: String,
    /// The other resources.
    pub others: Vec<String>,
    /// The subscription or project at another provider.
    pub owner: Option<String>,
    /// The AWS account.
    pub account: String,
    /// The Region, or another provider's word for it.
    pub region: Option<String>,
}

/// A package as installed and as it should be.
pub struct Package {
    /// Its name.
    pub name: String,
    /// The installed version.
    pub installed: Option<String>,
    /// The fixed version.
    pub fixed: Option<String>,
    /// Where it is: a file, a layer.
    pub at: Vec<String>,
}

impl AlertView {
    /// What there is to say about a record.
    pub fn new(record: &Record, why: AlertReason, style: &Style) -> Self {
        let finding = &record.finding;
        let packages =
            finding.package().map(PackageVulnerability::distinct_packages).unwrap_or_default();
        let remediation = Remediation::of(finding).map(|text| safe(text, 80));
        let told = record.announced.as_ref().map(|announced| announced.facts.priority);
        let assessment = record.assessment().into_owned();
        let priority = assessment.priority;
        let resource = finding.resource();
        Self {
            mitigate: matches!(remediation, Remediation::Mitigate(_)),
            remediation,
            problem: safe(&finding.problem(), 80),
            place: place(finding),
            due: record.due_at.map(|due| moment(due).to_string()),
            why,
            raised_from: told.filter(|told| *told < priority).map(Priority::as_str),
            score: assessment.score,
            priority: priority.as_str(),
            attacks: record
                .threat
                .as_ref()
                .map(Attacks::new)
                .unwrap_or_default()
                .besides(&assessment),
            deadline: style.deadlines.verdict(finding, record.threat.as_ref()),
            exception: EndedException::of(record),
            reasons: assessment.reasons,
            more_packages: packages.len().saturating_sub(LISTED),
            packages: packages.into_iter().take(LISTED).map(Package::new).collect(),
            path: path(finding),
            advice: advice(finding),
            rebuild: matches!(finding.details, Details::Package(_))
                && resource.is_some_and(|resource| is_image(&resource.kind)),
            in_use: resource.and_then(|resource| resource.in_use).filter(|count| *count > 0),
            about: about(finding),
            aliases: aliases(finding),
            scores: scores(finding),
            links: links::links(finding),
            arn: safe(&finding.arn, 512),
            tags: tags(finding),
        }
    }

    /// Whether there is nothing to say about what to do.
    pub fn is_without_advice(&self) -> bool {
        self.packages.is_empty() && self.path.is_empty() && self.advice.is_empty() && !self.mitigate
    }
}

impl Package {
    fn new(package: &VulnerablePackage) -> Self {
        let places = [&package.file_path, &package.layer].into_iter().flatten();
        Self {
            name: safe(package.name.as_deref().unwrap_or("?"), 80),
            installed: package.installed().map(|version| safe(&version, 60)),
            fixed: package.fixed_in.as_deref().map(|version| safe(version, 60)),
            at: places.map(|place| safe(place, 512)).collect(),
        }
    }
}

fn is_image(kind: &ResourceType) -> bool {
    matches!(
        kind,
        ResourceType::EcrContainerImage
            | ResourceType::AzureContainerImage
            | ResourceType::GcpDockerImage
            | ResourceType::MachineImage
    )
}

fn place(finding: &Finding) -> Place {
    let resource = finding.resource();
    let name = |resource: &Resource| safe(&resource.display_name(), 100);
    let others = finding.resources.iter().skip(1).map(|other| match name(other) {
        name if name == other.id => name,
        name => format!("{name} ({})", safe(&other.id, 512)),
    });
    let region = resource.and_then(|resource| resource.region.as_ref());
    let owner = resource.and_then(|resource| resource.account.as_deref());
    Place {
        name: resource.map(name).unwrap_or_default(),
        kind: resource.map(|resource| harmless(&resource.kind)),
        id: resource.map(|resource| safe(&resource.id, 512)).unwrap_or_default(),
        others: others.collect(),
        owner: owner.filter(|owner| *owner != finding.account).map(|owner| safe(owner, 60)),
        account: finding.account.clone(),
        region: region.or(finding.region.as_ref()).map(|region| safe(region, 40)),
    }
}

/// A kind of resource; a word that AWS has added is a stranger's.
fn harmless(kind: &ResourceType) -> ResourceType {
    match kind {
        ResourceType::Other(word) => ResourceType::Other(safe(word, 60)),
        known => known.clone(),
    }
}

fn path(finding: &Finding) -> Vec<String> {
    let Details::Network(network) = &finding.details else {
        return Vec::new();
    };
    let steps = network.path.iter().map(|step| match &step.component {
        Some(component) => format!("{} ({})", safe(&step.id, 100), safe(component, 60)),
        None => safe(&step.id, 100),
    });
    steps.collect()
}

/// What Inspector says to do: the commands for the packages, then its recommendation.
fn advice(finding: &Finding) -> Vec<String> {
    let packages = finding.package().map_or(&[][..], |package| &package.packages);
    let remedies = packages.iter().filter_map(|package| package.remediation.as_deref());
    let mut lines: Vec<String> = Vec::new();
    // Inspector's own words: its addresses may be clicked. Those of an on-demand scan can be anybody's.
    let harmless = if finding.is_on_demand() { text::defang } else { text::strip_markup };
    for text in remedies.chain(finding.recommendation.as_deref()) {
        let paragraph = text::cut_chars(&text::paragraph(&text::plain_links(text)), 1000);
        for line in paragraph.lines().filter(|line| !line.is_empty()) {
            let line = harmless(line);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.truncate(4 * LISTED);
    lines
}

fn about(finding: &Finding) -> Vec<String> {
    let text = finding.description.as_deref().or(finding.title.as_deref()).unwrap_or_default();
    let text = text::cut_chars(&text::paragraph(text), 1024);
    text.lines().map(text::defang).collect()
}

fn aliases(finding: &Finding) -> String {
    let Some(package) = finding.package() else {
        return String::new();
    };
    let others = package.related.iter().filter(|other| Some(*other) != package.id.as_ref());
    let others: Vec<String> = others.take(2 * LISTED).map(|other| safe(other, 40)).collect();
    others.join(", ")
}

/// `NVD 9.8, VENDOR 6.5`, the highest first; nothing where all agree. Versions 2, 3 and 4 of CVSS
/// are scales of their own: only scores of one of them can contradict each other.
fn scores(finding: &Finding) -> String {
    let entries = finding.package().map_or(&[][..], |package| &package.cvss);
    let of_version = |version: char| {
        let of_version = entries.iter().filter(move |entry| {
            entry.version.as_deref().is_some_and(|text| text.starts_with(version))
        });
        let mut scores: Vec<(f64, &str)> = of_version
            .filter_map(|entry| Some((entry.score?, entry.source.as_deref().unwrap_or("?"))))
            .collect();
        scores.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        scores.dedup();
        scores
    };
    let differ = |scores: &Vec<(f64, &str)>| match &scores[..] {
        // A tenth is no contradiction: 3.0 and 3.1 round differently.
        [(highest, _), .., (lowest, _)] => highest - lowest > 0.15,
        _ => false,
    };
    let scores = ['4', '3', '2'].map(of_version).into_iter().find(differ).unwrap_or_default();
    let shown = scores.iter().take(LISTED);
    shown.map(|(score, by)| format!("{} {score:.1}", safe(by, 30))).collect::<Vec<_>>().join(", ")
}

fn tags(finding: &Finding) -> Vec<String> {
    let tags = finding.resource().map(|resource| &resource.tags);
    let own = tags.into_iter().flatten().filter(|(key, _)| !key.starts_with("aws:"));
    own.take(2 * LISTED)
        .map(|(key, value)| format!("{} = {}", safe(key, 60), safe(value, 100)))
        .collect()
}

/// A moment as people read it: `2026-11-21 14:05 UTC`.
pub fn moment(time: Timestamp) -> impl fmt::Display {
    Offset::UTC.to_datetime(time).strftime("%Y-%m-%d %H:%M UTC")
}

/// A day in UTC.
fn day(time: Timestamp) -> String {
    Offset::UTC.to_datetime(time).date().to_string()
}

/// A line of text in a cell or a line of Markdown. An underscore between letters is none of Markdown's.
pub fn md(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(['|', '`', '*', '[', ']', '#'], " ");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut is_within = false;
    while let Some(c) = rest.next() {
        let goes_on = is_within && rest.peek().is_some_and(|next| next.is_alphanumeric());
        out.push(if c == '_' && !goes_on { ' ' } else { c });
        is_within = c.is_alphanumeric();
    }
    out
}

/// One line of a stranger's text, harmless, of at most `max` characters.
pub fn safe(text: &str, max: usize) -> String {
    text::defang(&text::short(text, max))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::finding::sample;

    #[test]
    fn an_underscore_within_a_word_stays_in_markdown() {
        assert_eq!(md("EXCLUDED_BY_TAG _x_ __y a_b _"), "EXCLUDED_BY_TAG  x    y a_b  ");
        assert_eq!(md(r"a|b\c #1"), r"a b\\c  1");
    }

    #[test]
    fn scores_that_contradict_each_other_are_shown_with_who_gave_them() {
        let scores = |entries: &[(&str, &str, f64)]| {
            scores(&sample::with(|f| {
                f["packageVulnerabilityDetails"]["cvss"] = entries
                    .iter()
                    .map(|(source, version, score)| {
                        json!({"source": source, "version": version, "baseScore": score})
                    })
                    .collect();
            }))
        };
        assert_eq!(scores(&[("NVD", "3.1", 9.8), ("VENDOR", "3.1", 6.5)]), "NVD 9.8, VENDOR 6.5");
        assert_eq!(scores(&[("NVD", "3.1", 7.5), ("NVD", "2.0", 5.0)]), "");
        assert_eq!(scores(&[("NVD", "3.0", 7.4), ("VENDOR", "3.1", 7.5)]), "");
        assert_eq!(scores(&[]), "");
    }
}
