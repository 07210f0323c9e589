//! What helps against a finding. Subject, message, summary and every other output ask here, so that none says
//! "update" where another says "no fix".

use super::{Details, Finding, FixAvailable, PackageVulnerability};

/// What helps against a finding, with names and versions as Inspector sent them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remediation {
    /// A Windows update, such as `KB5023697`.
    InstallUpdate(String),
    /// Newer packages.
    Update {
        /// Versions to update to, in the order of the event; at least one.
        targets: Vec<Target>,
        /// Packages without a fixed version.
        unfixed: Vec<String>,
    },
    /// Perhaps newer packages: Inspector does not say whether a fix exists.
    CheckForUpdate(Vec<String>),
    /// Nothing but mitigation: no fix exists for these packages.
    Mitigate(Vec<String>),
    /// A change of one's own code.
    FixCode {
        /// The file.
        file: Option<String>,
        /// The line in it, from 1.
        line: Option<u64>,
    },
    /// A port to close or restrict.
    ClosePort,
    /// A person's own judgement: the finding has no details.
    Investigate,
}

/// A version, and the packages that it fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The fixed version; `None` if a fix exists and Inspector names no version.
    pub version: Option<String>,
    /// The packages; empty if Inspector does not name them.
    pub packages: Vec<String>,
}

impl Remediation {
    /// What helps against `finding`.
    ///
    /// A fixed version that is named exists, even where `fixAvailable` says `NO`. Where it says `YES`, every package
    /// can be updated, also one without a version.
    pub fn of(finding: &Finding) -> Self {
        match &finding.details {
            Details::Code(code) => {
                Self::FixCode { file: code.file_path.clone(), line: code.start_line }
            }
            Details::Network(_) => Self::ClosePort,
            Details::None => Self::Investigate,
            Details::Package(package) => match &package.id {
                Some(update) if is_windows_update(update) => Self::InstallUpdate(update.clone()),
                _ => Self::of_packages(package, finding.fix_available.as_ref()),
            },
        }
    }

    fn of_packages(package: &PackageVulnerability, fix: Option<&FixAvailable>) -> Self {
        let mut targets: Vec<Target> = Vec::new();
        for package in package.distinct_packages() {
            let version = &package.fixed_in;
            let index = targets.iter().position(|target| target.version == *version);
            let index = index.unwrap_or_else(|| {
                targets.push(Target { version: version.clone(), packages: Vec::new() });
                targets.len() - 1
            });
            let names = &mut targets[index].packages;
            names.extend(package.name.clone().filter(|name| !names.contains(name)));
        }
        let unversioned = targets.iter().position(|target| target.version.is_none());
        let unversioned = unversioned.map(|index| targets.remove(index).packages);
        let is_versioned = !targets.is_empty();
        match fix {
            Some(FixAvailable::Yes) if unversioned.is_some() || !is_versioned => {
                let packages = unversioned.unwrap_or_default();
                targets.push(Target { version: None, packages });
                Self::Update { targets, unfixed: Vec::new() }
            }
            _ if is_versioned => Self::Update { targets, unfixed: unversioned.unwrap_or_default() },
            Some(FixAvailable::Partial) => {
                let packages = unversioned.unwrap_or_default();
                let targets = vec![Target { version: None, packages }];
                Self::Update { targets, unfixed: Vec::new() }
            }
            Some(FixAvailable::No) => Self::Mitigate(unversioned.unwrap_or_default()),
            _ => Self::CheckForUpdate(unversioned.unwrap_or_default()),
        }
    }

    /// The first version to update to, if Inspector names one.
    pub fn fixed_version(&self) -> Option<&str> {
        match self {
            Self::Update { targets, .. } => targets.first()?.version.as_deref(),
            _ => None,
        }
    }

    /// The same with each text, which is a stranger's, put through `change`.
    #[must_use]
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        let all = |texts: Vec<String>| texts.iter().map(|text| change(text)).collect();
        match self {
            Self::InstallUpdate(update) => Self::InstallUpdate(change(&update)),
            Self::Update { targets, unfixed } => Self::Update {
                targets: targets
                    .into_iter()
                    .map(|target| Target {
                        version: target.version.map(|version| change(&version)),
                        packages: all(target.packages),
                    })
                    .collect(),
                unfixed: all(unfixed),
            },
            Self::CheckForUpdate(packages) => Self::CheckForUpdate(all(packages)),
            Self::Mitigate(packages) => Self::Mitigate(all(packages)),
            Self::FixCode { file, line } => {
                Self::FixCode { file: file.map(|file| change(&file)), line }
            }
            Self::ClosePort | Self::Investigate => self,
        }
    }
}

/// Whether an identifier such as `KB5023697` is an update of Windows, which solves several problems, and not a problem.
fn is_windows_update(id: &str) -> bool {
    id.strip_prefix("KB").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::finding::sample;

    fn of(fix: Value, packages: Value) -> Remediation {
        Remediation::of(&sample::with(|f| {
            f["fixAvailable"] = fix;
            f["packageVulnerabilityDetails"]["vulnerablePackages"] = packages;
        }))
    }

    fn update(targets: &[(Option<&str>, &[&str])], unfixed: &[&str]) -> Remediation {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let targets = targets.iter().map(|(version, packages)| Target {
            version: version.map(str::to_owned),
            packages: owned(packages),
        });
        Remediation::Update { targets: targets.collect(), unfixed: owned(unfixed) }
    }

    #[test]
    fn packages_are_updated_as_far_as_inspector_names_a_fix() {
        let two = json!([{"name": "a", "fixedInVersion": "2"}, {"name": "b"}]);
        let none = json!([{"name": "a"}, {"name": "b"}]);
        let names = || vec!["a".to_owned(), "b".to_owned()];
        for (fix, packages, expected) in [
            (json!("YES"), &two, update(&[(Some("2"), &["a"]), (None, &["b"])], &[])),
            (json!("PARTIAL"), &two, update(&[(Some("2"), &["a"])], &["b"])),
            (json!("NO"), &two, update(&[(Some("2"), &["a"])], &["b"])),
            (Value::Null, &two, update(&[(Some("2"), &["a"])], &["b"])),
            (json!("YES"), &none, update(&[(None, &["a", "b"])], &[])),
            (json!("PARTIAL"), &none, update(&[(None, &["a", "b"])], &[])),
            (json!("NO"), &none, Remediation::Mitigate(names())),
            (Value::Null, &none, Remediation::CheckForUpdate(names())),
        ] {
            assert_eq!(of(fix.clone(), packages.clone()), expected, "{fix} {packages}");
        }
    }

    #[test]
    fn packages_without_a_name_are_updated_all_the_same() {
        assert_eq!(of(json!("YES"), json!([])), update(&[(None, &[])], &[]));
        assert_eq!(of(json!("YES"), json!([{}])), update(&[(None, &[])], &[]));
        assert_eq!(of(json!("NO"), json!([])), Remediation::Mitigate(Vec::new()));
        let version = json!([{"fixedInVersion": "2"}]);
        assert_eq!(of(json!("NO"), version), update(&[(Some("2"), &[])], &[]));
    }
}
