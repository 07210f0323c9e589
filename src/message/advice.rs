//! What to do about a finding.

use crate::finding::{Details, Finding, FixAvailable, VulnerablePackage};

/// The deed itself, for the subject: `fix 2.17.1`, `no fix yet`.
pub fn fix_in_few_words(finding: &Finding) -> String {
    match &finding.details {
        Details::Code(_) => "fix the code".to_owned(),
        Details::Network(_) => "close or restrict".to_owned(),
        Details::Package(_) | Details::None => {
            match (fixed_version(finding), &finding.fix_available) {
                (Some(version), _) => format!("fix {version}"),
                (None, Some(FixAvailable::Yes | FixAvailable::Partial)) => "update".to_owned(),
                (None, Some(FixAvailable::No)) => "no fix yet".to_owned(),
                (None, _) => "fix unknown".to_owned(),
            }
        }
    }
}

/// The first fixed version that is named.
fn fixed_version(finding: &Finding) -> Option<&str> {
    finding
        .package()?
        .packages
        .iter()
        .find_map(|package| package.fixed_in.as_deref())
}

/// The packages to update, each once, with the installed version and the fixed one.
pub fn updates(finding: &Finding) -> Vec<&VulnerablePackage> {
    let mut updates: Vec<&VulnerablePackage> = Vec::new();
    for package in finding
        .package()
        .map_or(&[][..], |package| &package.packages)
    {
        let same = |other: &&VulnerablePackage| {
            other.name == package.name
                && other.version == package.version
                && other.fixed_in == package.fixed_in
                && other.file_path == package.file_path
        };
        if !updates.iter().any(same) {
            updates.push(package);
        }
    }
    updates
}

/// The commands and sentences that Inspector gives for the packages, each once.
pub fn remedies(finding: &Finding) -> Vec<&str> {
    let mut remedies: Vec<&str> = Vec::new();
    for package in finding
        .package()
        .map_or(&[][..], |package| &package.packages)
    {
        if let Some(remedy) = package
            .remediation
            .as_deref()
            .filter(|r| !remedies.contains(r))
        {
            remedies.push(remedy);
        }
    }
    remedies
}
