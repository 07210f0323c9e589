//! What can be installed, and what goes with it: many findings are few updates.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::domain::{
    assess::Priority,
    finding::{Finding, Remediation},
    record::Record,
};

/// An update of packages to a version, or of Windows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Update {
    /// The packages that one version fixes; of an update of Windows its name. A stranger's words.
    pub packages: Vec<String>,
    /// The version to update to; `None` for an update of Windows.
    pub version: Option<String>,
}

impl Update {
    /// The updates that a finding needs: none if Inspector names none.
    pub fn all_of(finding: &Finding) -> Vec<Self> {
        match Remediation::of(finding) {
            Remediation::InstallUpdate(name) => vec![Self { packages: vec![name], version: None }],
            Remediation::Update { targets, .. } => targets
                .into_iter()
                .filter(|target| target.version.is_some() && !target.packages.is_empty())
                .map(|target| Self { packages: target.packages, version: target.version })
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.packages.join(", "))?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, " {version}"))
    }
}

/// An update, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worth {
    /// The update.
    pub update: Update,
    /// How many findings need it. One in several packages goes with the last of their updates, and counts with each.
    pub findings: u64,
    /// How many of them are P1 or P2.
    pub urgent: u64,
    /// How many of them are in images that running workloads use.
    pub in_use: u64,
    /// On how many resources.
    pub resources: u64,
    /// Whose resources these are, and how many of the findings are theirs, most first; none for those that nobody owns.
    pub owners: Vec<(Option<String>, u64)>,
}

/// What goes with each update, counted finding by finding. What it needs of memory grows with the updates and their
/// resources, by some bytes each.
#[derive(Clone, Debug, Default)]
pub struct Updates(BTreeMap<Update, Goes>);

#[derive(Clone, Debug, Default)]
struct Goes {
    findings: u64,
    urgent: u64,
    in_use: u64,
    /// Each by a number, which takes less room than its name.
    resources: HashSet<u64>,
    owners: BTreeMap<Option<String>, u64>,
}

impl Updates {
    /// Takes an open finding into account, on resources of `owner`.
    pub fn add(&mut self, record: &Record, owner: Option<&str>) {
        for update in Update::all_of(&record.finding) {
            let goes = self.0.entry(update).or_default();
            goes.findings += 1;
            goes.urgent += u64::from(record.priority() >= Priority::P2);
            goes.in_use += u64::from(record.finding.in_use().is_some());
            goes.resources.extend(record.finding.resources.iter().map(|one| number(&one.id)));
            *goes.owners.entry(owner.map(str::to_owned)).or_default() += 1;
        }
    }

    /// The updates, that with which most urgent findings go first; of equal ones that of which most is in use, then that with
    /// which most findings go.
    pub fn ranked(self) -> Vec<Worth> {
        let worth = |(update, goes): (Update, Goes)| {
            let mut owners: Vec<(Option<String>, u64)> = goes.owners.into_iter().collect();
            // Stable: of equal ones by name.
            owners.sort_by_key(|(_, findings)| Reverse(*findings));
            Worth {
                update,
                findings: goes.findings,
                urgent: goes.urgent,
                in_use: goes.in_use,
                resources: goes.resources.len().try_into().unwrap_or(u64::MAX),
                owners,
            }
        };
        let mut ranked: Vec<Worth> = self.0.into_iter().map(worth).collect();
        // Stable, too: by name.
        ranked.sort_by_key(|worth| Reverse((worth.urgent, worth.in_use, worth.findings)));
        ranked
    }
}

fn number(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
