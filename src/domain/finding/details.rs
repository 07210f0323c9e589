//! What a finding is about: a package, a piece of code, or an open network path.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{bounds, fields::Fields};

/// The details that go with the type of a finding. AWS marks them as optional even where the
/// type says they belong, so [`Details::None`] is possible for every type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Details {
    /// A vulnerability in installed packages.
    Package(PackageVulnerability),
    /// A weakness in code.
    Code(CodeVulnerability),
    /// An open network path.
    Network(NetworkReachability),
    /// Nothing that we know how to read.
    None,
}

impl Details {
    /// Reads whichever details object the finding holds.
    pub fn read(finding: &Fields<'_>) -> Self {
        if let Some(details) = finding.object("packageVulnerabilityDetails") {
            return Self::Package(PackageVulnerability::read(&details));
        }
        if let Some(details) = finding.object("codeVulnerabilityDetails") {
            return Self::Code(CodeVulnerability::read(&details));
        }
        match finding.object("networkReachabilityDetails") {
            Some(details) => Self::Network(NetworkReachability::read(&details)),
            None => Self::None,
        }
    }
}

/// A published vulnerability and the installed packages that have it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageVulnerability {
    /// `CVE-…`, `GHSA-…`, or on Windows the `KB…` that fixes several.
    pub id: Option<String>,
    /// Who published it, such as `NVD`, and where.
    pub source: Option<String>,
    /// The publisher's page.
    pub source_url: Option<String>,
    /// The publisher's rating, free text.
    pub vendor_severity: Option<String>,
    /// When the publisher first published it: the age of the vulnerability counts from here.
    pub published_at: Option<Timestamp>,
    /// All CVSS entries, in the order they came, duplicates left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cvss: Vec<CvssEntry>,
    /// Advisories and other identifiers of the same problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<String>,
    /// Pages about it, duplicates left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The packages that have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<VulnerablePackage>,
}

/// One CVSS rating of a vulnerability.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CvssEntry {
    /// The base score, 0.0 to 10.0.
    pub score: Option<f64>,
    /// The vector; version 2.0 has no `CVSS:` prefix.
    pub vector: Option<String>,
    /// Who rated.
    pub source: Option<String>,
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: Option<String>,
}

/// An installed package with the vulnerability.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VulnerablePackage {
    /// Its name.
    pub name: Option<String>,
    /// The installed version, without epoch and release.
    pub version: Option<String>,
    /// The distribution's release of that version.
    pub release: Option<String>,
    /// The distribution's epoch of that version; 0 where there is none.
    pub epoch: u64,
    /// The package manager, AWS's word. Events hold words that the service model does not.
    pub manager: Option<String>,
    /// Where it was found.
    pub file_path: Option<String>,
    /// The Lambda layer that brings it.
    pub layer: Option<String>,
    /// The layer of the image that brings it, by its digest. Of use to who builds the image, and kept by nobody else.
    #[serde(skip)]
    pub image_layer: Option<String>,
    /// The first version without the vulnerability. `NotAvailable` and `0:` are taken off.
    pub fixed_in: Option<String>,
    /// The command or advice that Inspector gives.
    pub remediation: Option<String>,
}

/// A weakness that a detector found in code.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeVulnerability {
    /// The detector's name, such as `Hardcoded credentials`.
    pub detector: Option<String>,
    /// The detector's identifier.
    pub detector_id: Option<String>,
    /// The classes of weakness, `CWE-…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cwes: Vec<String>,
    /// The file.
    pub file_path: Option<String>,
    /// First line, counted from 1.
    pub start_line: Option<u64>,
    /// Last line, included.
    pub end_line: Option<u64>,
    /// Pages about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

/// A range of ports that can be reached.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkReachability {
    /// First port.
    pub from_port: Option<u64>,
    /// Last port, included.
    pub to_port: Option<u64>,
    /// `TCP` or `UDP`.
    pub protocol: Option<String>,
    /// The way from the edge to the resource, as `type id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
}

/// One component on a network path.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// Such as `sg-0d34debf87410f2d9`.
    pub id: String,
    /// Such as `AWS::EC2::SecurityGroup`.
    pub component: Option<String>,
}

impl PackageVulnerability {
    fn read(details: &Fields<'_>) -> Self {
        Self {
            id: details.text("vulnerabilityId", bounds::NAME),
            source: details.text("source", bounds::NAME),
            source_url: details.text("sourceUrl", bounds::URL),
            vendor_severity: details.text("vendorSeverity", bounds::NAME),
            published_at: details.date("vendorCreatedAt"),
            cvss: distinct(details.array("cvss").objects(bounds::CVSS, |entry| {
                Some(CvssEntry {
                    score: entry.number("baseScore", 0.0, 10.0),
                    vector: entry.text("scoringVector", bounds::NAME),
                    source: entry.text("source", bounds::NAME),
                    version: entry.text("version", bounds::NAME),
                })
            })),
            related: distinct(
                details.array("relatedVulnerabilities").strings(bounds::REFERENCES, bounds::NAME),
            ),
            references: distinct(
                details.array("referenceUrls").strings(bounds::REFERENCES, bounds::URL),
            ),
            packages: details
                .array("vulnerablePackages")
                .objects(bounds::PACKAGES, |package| Some(VulnerablePackage::read(&package))),
        }
    }
}

impl PackageVulnerability {
    /// The packages that have the vulnerability, each once.
    pub fn distinct_packages(&self) -> Vec<&VulnerablePackage> {
        let mut packages: Vec<&VulnerablePackage> = Vec::new();
        for package in &self.packages {
            let same = |other: &&VulnerablePackage| {
                other.name == package.name
                    && other.version == package.version
                    && other.fixed_in == package.fixed_in
                    && other.file_path == package.file_path
            };
            if !packages.iter().any(same) {
                packages.push(package);
            }
        }
        packages
    }
}

impl VulnerablePackage {
    fn read(package: &Fields<'_>) -> Self {
        Self {
            name: package.text("name", bounds::NAME),
            version: package.text("version", bounds::NAME),
            release: package.text("release", bounds::NAME),
            epoch: package.whole("epoch").unwrap_or(0),
            manager: package.text("packageManager", bounds::NAME),
            file_path: package.text("filePath", bounds::URL),
            layer: package.text("sourceLambdaLayerArn", bounds::URL),
            image_layer: package.text("sourceLayerHash", bounds::NAME),
            fixed_in: available(package.text("fixedInVersion", bounds::NAME)).map(without_epoch),
            remediation: available(package.text("remediation", bounds::REMEDY)),
        }
    }

    /// Where it is: the file, or else the layer of the function or of the image.
    pub fn place(&self) -> Option<&str> {
        let places = [&self.file_path, &self.layer, &self.image_layer];
        places.into_iter().flatten().map(String::as_str).next()
    }

    /// The installed version as the package manager prints it: `epoch:version-release`, without
    /// an epoch of 0 and without what is not known.
    pub fn installed(&self) -> Option<String> {
        let version = self.version.as_deref()?;
        let epoch = if self.epoch > 0 { format!("{}:", self.epoch) } else { String::new() };
        let release = self.release.as_deref().map(|r| format!("-{r}")).unwrap_or_default();
        Some(format!("{epoch}{version}{release}"))
    }
}

impl CodeVulnerability {
    fn read(details: &Fields<'_>) -> Self {
        let file = details.object("filePath");
        let file = file.as_ref();
        Self {
            detector: details.text("detectorName", bounds::NAME),
            detector_id: details.text("detectorId", bounds::NAME),
            cwes: distinct(details.array("cwes").strings(bounds::REFERENCES, bounds::NAME)),
            file_path: file.and_then(|f| {
                f.text("filePath", bounds::URL).or_else(|| f.text("fileName", bounds::URL))
            }),
            start_line: file.and_then(|f| f.whole("startLine")),
            end_line: file.and_then(|f| f.whole("endLine")),
            references: distinct(
                details.array("referenceUrls").strings(bounds::REFERENCES, bounds::URL),
            ),
        }
    }
}

impl NetworkReachability {
    fn read(details: &Fields<'_>) -> Self {
        let ports = details.object("openPortRange");
        let path = details.object("networkPath");
        Self {
            from_port: ports.as_ref().and_then(|p| p.whole("begin")),
            to_port: ports.as_ref().and_then(|p| p.whole("end")),
            protocol: details.text("protocol", bounds::NAME),
            path: path.map_or_else(Vec::new, |path| {
                path.array("steps").objects(bounds::STEPS, |step| {
                    Some(PathStep {
                        id: step.text("componentId", bounds::NAME)?,
                        component: step.text("componentType", bounds::NAME),
                    })
                })
            }),
        }
    }
}

/// Inspector writes `NotAvailable` where it knows of none.
fn available(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().eq_ignore_ascii_case("NotAvailable"))
}

/// `0:3.0.13-0ubuntu3.4` is shown by no package manager: an epoch of 0 is left unsaid.
fn without_epoch(version: String) -> String {
    match version.strip_prefix("0:") {
        Some(rest) => rest.to_owned(),
        None => version,
    }
}

/// The items in their order, each only once.
fn distinct<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
