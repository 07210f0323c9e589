//! What an exception is about. Keys are joined by *and*, the values of one key by *or*.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::domain::finding::{Details, Finding, Resource, ResourceType, VulnerablePackage};

/// What an exception is about. A key without values selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Selectors {
    /// Ids of vulnerabilities, or aliases of them; for weaknesses in code, the CWE or the detector's id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vulnerabilities: Vec<VulnerabilityId>,
    /// Packages. A finding in several is selected with any of them, as by Inspector's own rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageSelector>,
    /// Accounts, 12 digits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Kinds of resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<ResourceType>,
    /// What messages call the resource, repository or function, with `*` and `?`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// ARNs or ids of resources, with `*` and `?`; of functions and images also without the version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arns: Vec<String>,
    /// Tags that the resource has, all of these keys, each with one of its values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Vec<String>>,
}

/// The id of a vulnerability, such as `CVE-2024-6119`, in whatever case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VulnerabilityId(String);

impl VulnerabilityId {
    /// The id `text`.
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_uppercase())
    }

    /// The id, in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same id.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

/// The ids of what a finding reports: of the vulnerability and its aliases; of a weakness in code, its classes and its detector.
pub(super) fn ids_of(finding: &Finding) -> impl Iterator<Item = &str> {
    let (first, others) = match &finding.details {
        Details::Package(package) => (package.id.as_ref(), package.related.as_slice()),
        Details::Code(code) => (code.detector_id.as_ref(), code.cwes.as_slice()),
        Details::Network(_) | Details::None => (None, [].as_slice()),
    };
    first.into_iter().chain(others).map(String::as_str)
}

/// A package that an exception is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum PackageSelector {
    /// One with this name, of whatever package manager.
    Name(String),
    /// One with this package URL.
    Url(PackageUrl),
}

/// A package URL without version: <https://github.com/package-url/purl-spec>.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageUrl {
    /// The type, such as `deb`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What stands before the name, such as `ubuntu` or `org.apache.logging.log4j`.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl fmt::Display for PackageSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Url(PackageUrl { kind, namespace, name }) => {
                let namespace = namespace.as_ref().map(|n| format!("{n}/")).unwrap_or_default();
                write!(f, "pkg:{kind}/{namespace}{name}")
            }
        }
    }
}

impl Selectors {
    /// Whether a finding is selected.
    pub fn select(&self, finding: &Finding) -> bool {
        self.select_problem(finding) && self.select_resources(finding)
    }

    fn select_problem(&self, finding: &Finding) -> bool {
        let is_vulnerability =
            any(&self.vulnerabilities, |selected| ids_of(finding).any(|id| selected.is(id)));
        let packages = finding.package().map_or(&[][..], |package| &package.packages);
        let has_package = any(&self.packages, |selected| {
            packages.iter().any(|package| selected.selects(package, &finding.resources))
        });
        is_vulnerability && has_package
    }

    /// All resources of the finding have to be selected: an exception for one of them is none for the others.
    fn select_resources(&self, finding: &Finding) -> bool {
        any(&self.accounts, |account| *account == finding.account)
            && finding.resources.iter().all(|resource| self.select_resource(resource, finding))
    }

    fn select_resource(&self, resource: &Resource, finding: &Finding) -> bool {
        let region = resource.region.as_ref().or(finding.region.as_ref());
        any(&self.regions, |selected| region == Some(selected))
            && any(&self.types, |selected| *selected == resource.kind)
            && any(&self.names, |pattern| is_called(resource, |name| is_like(pattern, name)))
            && any(&self.arns, |pattern| {
                is_like(pattern, &resource.id) || is_like(pattern, unversioned(&resource.id))
            })
            && self.tags.iter().all(|(key, values)| {
                resource.tags.get(key).is_some_and(|value| values.contains(value))
            })
    }
}

/// Whether one of these is it, or there is none at all.
fn any<T>(values: &[T], is_it: impl FnMut(&T) -> bool) -> bool {
    values.is_empty() || values.iter().any(is_it)
}

/// The id of a resource without what tells one version of it from the next: of a function its ARN without the version, of an image
/// the ARN of its repository.
fn unversioned(id: &str) -> &str {
    if let Some((repository, _)) = id.rsplit_once("/sha256:") {
        return repository;
    }
    match id.match_indices(':').nth(6) {
        Some((end, _)) if id.contains(":function:") => &id[..end],
        _ => id,
    }
}

/// Whether a pattern fits a text. Most do not even begin like it, and it takes far less to see that.
fn is_like(pattern: &str, text: &str) -> bool {
    let beginning = pattern.split(['*', '?']).next().unwrap_or_default();
    text.starts_with(beginning)
        && (text.len() == pattern.len() && text == pattern || WildMatch::new(pattern).matches(text))
}

/// Whether something that a resource may be called is it.
fn is_called(resource: &Resource, is_it: impl Fn(&str) -> bool) -> bool {
    let names = [resource.name.as_deref(), resource.tags.get("Name").map(String::as_str)];
    let Some(repository) = &resource.repository else {
        return match names {
            [None, None] => is_it(&resource.display_name()),
            names => names.into_iter().flatten().any(is_it),
        };
    };
    names.into_iter().flatten().any(&is_it)
        || is_it(repository)
        || resource.image_tags.iter().any(|tag| is_it(&format!("{repository}:{tag}")))
}

impl PackageSelector {
    /// Whether this is the package that is installed on one of `resources`.
    fn selects(&self, package: &VulnerablePackage, resources: &[Resource]) -> bool {
        let Some(installed) = package.name.as_deref() else { return false };
        match self {
            Self::Name(name) => name == installed,
            Self::Url(url) => {
                url.is_managed_by(package.manager.as_deref())
                    && url.is_called(installed)
                    && (!url.is_of_system() || url.is_on(resources))
            }
        }
    }
}

/// Types of package URLs, and what Inspector calls the managers of such packages:
/// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_VulnerablePackage.html>.
const MANAGERS: [(&str, &[&str]); 11] = [
    ("deb", &["OS", "APT", "DPKG"]),
    ("rpm", &["OS", "DNF", "RPM", "YUM", "ZYPPER"]),
    ("apk", &["OS", "APK"]),
    ("npm", &["NPM", "YARN", "NODEPKG", "PNPM"]),
    ("pypi", &["PIP", "PIPENV", "POETRY", "PYTHONPKG", "UV"]),
    ("maven", &["JAR", "POM"]),
    ("gem", &["BUNDLER", "GEMSPEC"]),
    ("golang", &["GOBINARY", "GOMOD"]),
    ("cargo", &["CARGO"]),
    ("composer", &["COMPOSER"]),
    ("nuget", &["NUGET", "DOTNET_CORE"]),
];

/// What the namespaces of package URLs call a distribution, and Inspector its platform, where the one does not begin like the
/// other.
const DISTRIBUTIONS: [(&str, &[&str]); 5] = [
    ("amzn", &["amazonlinux"]),
    ("redhat", &["redhat", "rhel"]),
    ("rhel", &["redhat", "rhel"]),
    ("sles", &["suse", "sles"]),
    ("opensuse", &["opensuse", "suse"]),
];

impl PackageUrl {
    /// The types of package URLs that select something.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        MANAGERS.into_iter().map(|(kind, _)| kind)
    }

    /// Whether packages of this type come with an operating system.
    fn is_of_system(&self) -> bool {
        matches!(self.kind.as_str(), "deb" | "rpm" | "apk")
    }

    /// Whether `manager`, as Inspector has it, looks after packages of this type.
    fn is_managed_by(&self, manager: Option<&str>) -> bool {
        let managers = MANAGERS.iter().find(|(kind, _)| *kind == self.kind);
        managers.zip(manager).is_some_and(|((_, managers), manager)| {
            managers.iter().any(|known| known.eq_ignore_ascii_case(manager))
        })
    }

    /// Whether Inspector's name of a package is the one that this is.
    fn is_called(&self, installed: &str) -> bool {
        let name = &self.name;
        match (self.kind.as_str(), &self.namespace) {
            // PEP 503: the case, and runs of `-`, `_` and `.`, do not matter.
            ("pypi", _) => normalized(name) == normalized(installed),
            ("maven", Some(group)) => installed == format!("{group}:{name}"),
            ("deb" | "rpm" | "apk", _) | (_, None) => installed == name,
            (_, Some(namespace)) => installed == format!("{namespace}/{name}"),
        }
    }

    /// Whether all of these resources run the distribution. Where that is not known they do not.
    fn is_on(&self, resources: &[Resource]) -> bool {
        let Some(namespace) = &self.namespace else { return true };
        let namespace = letters(namespace);
        let known = DISTRIBUTIONS.iter().find(|(name, _)| *name == namespace);
        let begins_like = |platform: &str| match known {
            Some((_, platforms)) => platforms.iter().any(|known| platform.starts_with(known)),
            None => platform.starts_with(&namespace),
        };
        resources.iter().all(|resource| {
            resource.platform.as_deref().is_some_and(|platform| begins_like(&letters(platform)))
        })
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn normalized(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
