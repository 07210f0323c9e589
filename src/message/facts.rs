//! The facts of a message as its templates see them: bounded, harmless, without a language.

use crate::{
    announce::Why,
    assess::Reason,
    finding::{Details, Finding, FixAvailable, Resource},
    record::Record,
};

use super::{advice, links, moment, short};
use crate::text;

/// How many packages, tags or commands are listed before "and n more".
const LISTED: usize = 5;

/// What a message says.
pub struct Facts<'a> {
    /// What the reader is to do.
    pub deed: Deed,
    /// The problem: a vulnerability, a weakness, an open port.
    pub problem: String,
    /// Where.
    pub place: Place,
    /// By when.
    pub due: Option<String>,
    /// Whether the due date is for mitigation, because there is no fix.
    pub mitigate: bool,
    /// Why the reader is told.
    pub why: Why,
    /// Score and priority.
    pub score: u8,
    /// `P1` to `P4`.
    pub priority: &'static str,
    /// Why the score is what it is.
    pub reasons: &'a [Reason],
    /// The packages to update.
    pub packages: Vec<Package>,
    /// How many more packages there are.
    pub more_packages: usize,
    /// Components of an open network path.
    pub path: Vec<String>,
    /// Commands and advice from Inspector, line by line.
    pub advice: Vec<String>,
    /// What the problem is, in the publisher's words.
    pub about: Vec<String>,
    /// Pages to read.
    pub links: Vec<(&'static str, String)>,
    /// The finding's ARN.
    pub arn: String,
    /// The tags of the resource that people set: they name who to talk to.
    pub tags: Vec<String>,
}

/// What the reader is to do.
pub enum Deed {
    /// Install fixed packages, in words `openssl to 3.0.13, …`.
    Update(Vec<Target>),
    /// Do without a fix, for these packages.
    Mitigate(Vec<Target>),
    /// Change code at a place.
    FixCode(Option<String>),
    /// Close a port.
    ClosePort,
    /// Look for oneself.
    Look,
}

/// A package and the version to go to.
#[derive(PartialEq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The fixed version, if there is one.
    pub version: Option<String>,
}

/// Where the problem is.
pub struct Place {
    /// What people call the resource.
    pub name: String,
    /// What kind of thing it is.
    pub kind: String,
    /// Its id or ARN.
    pub id: String,
    /// How many more resources there are.
    pub more: usize,
    /// The account.
    pub account: String,
    /// The Region.
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

impl<'a> Facts<'a> {
    /// What there is to say about a record.
    pub fn new(record: &'a Record, why: Why) -> Self {
        let finding = &record.finding;
        let updates = advice::updates(finding);
        Self {
            deed: deed(finding),
            problem: short(&finding.problem(), 80),
            place: place(finding),
            due: record.due_at.map(|due| moment(due).to_string()),
            mitigate: finding.fix_available == Some(FixAvailable::No),
            why,
            score: record.assessment.score,
            priority: record.assessment.priority.as_str(),
            reasons: &record.assessment.reasons,
            more_packages: updates.len().saturating_sub(LISTED),
            packages: updates
                .into_iter()
                .take(LISTED)
                .map(|package| Package {
                    name: short(package.name.as_deref().unwrap_or("?"), 80),
                    installed: package.installed().map(|version| short(&version, 60)),
                    fixed: package
                        .fixed_in
                        .as_deref()
                        .map(|version| short(version, 60)),
                    at: [&package.file_path, &package.layer]
                        .into_iter()
                        .flatten()
                        .map(|place| short(place, 300))
                        .collect(),
                })
                .collect(),
            path: path(finding),
            advice: given_advice(finding),
            about: about(finding),
            links: links::links(finding),
            arn: short(&finding.arn, 300),
            tags: tags(finding),
        }
    }
}

fn deed(finding: &Finding) -> Deed {
    match &finding.details {
        Details::Code(code) => Deed::FixCode(code.file_path.as_deref().map(|file| {
            let line = code
                .start_line
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            format!("{}{line}", short(file, 80))
        })),
        Details::Network(_) => Deed::ClosePort,
        Details::Package(_) | Details::None => {
            let targets = targets(finding);
            match finding.fix_available {
                _ if targets.is_empty() => Deed::Look,
                Some(FixAvailable::No) => Deed::Mitigate(targets),
                _ => Deed::Update(targets),
            }
        }
    }
}

fn targets(finding: &Finding) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for package in advice::updates(finding) {
        let Some(name) = &package.name else { continue };
        let target = Target {
            name: short(name, 60),
            version: package
                .fixed_in
                .as_deref()
                .map(|version| short(version, 40)),
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

fn place(finding: &Finding) -> Place {
    let resource = finding.resource();
    let text = |text: Option<&str>, most| short(text.unwrap_or_default(), most);
    Place {
        name: short(
            &resource.map(Resource::display_name).unwrap_or_default(),
            100,
        ),
        kind: text(resource.map(|resource| resource.kind.label()), 60),
        id: text(resource.map(|resource| resource.id.as_str()), 512),
        more: finding.resources.len().saturating_sub(1),
        account: finding.account.clone(),
        region: finding.region.as_deref().map(|region| short(region, 40)),
    }
}

fn path(finding: &Finding) -> Vec<String> {
    let Details::Network(network) = &finding.details else {
        return Vec::new();
    };
    let steps = network.path.iter().map(|step| match &step.component {
        Some(component) => format!("{} ({})", short(&step.id, 100), short(component, 60)),
        None => short(&step.id, 100),
    });
    steps.collect()
}

fn given_advice(finding: &Finding) -> Vec<String> {
    let remedies = advice::remedies(finding).into_iter().take(LISTED);
    let mut lines: Vec<String> = Vec::new();
    for text in remedies.chain(finding.recommendation.as_deref()) {
        let paragraph = text::cut_chars(&text::paragraph(text), 1000);
        for line in paragraph.lines().filter(|line| !line.is_empty()) {
            if lines.iter().all(|known| known != line) {
                lines.push(line.to_owned());
            }
        }
    }
    lines
}

fn about(finding: &Finding) -> Vec<String> {
    let text = finding
        .description
        .as_deref()
        .or(finding.title.as_deref())
        .unwrap_or_default();
    text::cut_chars(&text::paragraph(text), 1024)
        .lines()
        .map(str::to_owned)
        .collect()
}

fn tags(finding: &Finding) -> Vec<String> {
    let tags = finding.resource().map(|resource| &resource.tags);
    let own = tags
        .into_iter()
        .flatten()
        .filter(|(key, _)| !key.starts_with("aws:"));
    own.take(2 * LISTED)
        .map(|(key, value)| format!("{} = {}", short(key, 60), short(value, 100)))
        .collect()
}
