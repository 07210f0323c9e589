//! What was there before: in the base image, or in the last release.

use std::collections::BTreeSet;

use crate::domain::finding::{Details, Finding, Status};

/// The problems of what was there before.
///
/// A problem is a vulnerability in a package, whatever the version and the place: an image that is built anew moves both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeSet<(String, String)>);

impl Baseline {
    /// The problems of these findings that are there: what is closed was gone.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let open = findings.into_iter().filter(|finding| finding.status != Status::Closed);
        Self(open.flat_map(pairs).collect())
    }

    /// Whether all of a finding was there before: the problem, by one of its names, in each of its packages.
    pub fn has(&self, finding: &Finding) -> bool {
        let names = names(finding);
        parts(finding)
            .iter()
            .all(|part| names.iter().any(|name| self.0.contains(&(name.clone(), part.clone()))))
    }
}

fn pairs(finding: &Finding) -> Vec<(String, String)> {
    let parts = parts(finding);
    let pair = |name: String| parts.iter().map(move |part| (name.clone(), part.clone()));
    names(finding).into_iter().flat_map(pair).collect()
}

/// What the problem is called.
fn names(finding: &Finding) -> Vec<String> {
    let names: Vec<&String> = match &finding.details {
        Details::Package(package) => package.id.iter().chain(&package.related).collect(),
        Details::Code(code) => match &code.detector_id {
            Some(detector) => vec![detector],
            None => code.cwes.iter().collect(),
        },
        Details::Network(_) | Details::None => Vec::new(),
    };
    if names.is_empty() {
        return vec![finding.problem()];
    }
    names.into_iter().map(|name| name.to_ascii_uppercase()).collect()
}

/// What has it: packages by name, code by file.
fn parts(finding: &Finding) -> Vec<String> {
    let parts: Vec<String> = match &finding.details {
        Details::Package(package) => {
            package.packages.iter().filter_map(|package| package.name.clone()).collect()
        }
        Details::Code(code) => code.file_path.iter().cloned().collect(),
        Details::Network(_) | Details::None => Vec::new(),
    };
    if parts.is_empty() { vec![String::new()] } else { parts }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::finding::sample;

    fn finding(id: &str, related: &[&str], packages: &[(&str, &str)]) -> Finding {
        sample::with(|f| {
            let details = &mut f["packageVulnerabilityDetails"];
            details["vulnerabilityId"] = json!(id);
            details["relatedVulnerabilities"] = json!(related);
            let package =
                |(name, version): &(&str, &str)| json!({"name": name, "version": version});
            details["vulnerablePackages"] = packages.iter().map(package).collect();
        })
    }

    #[test]
    fn a_problem_was_there_before_if_it_was_in_each_of_its_packages_whatever_their_versions() {
        let before =
            finding("CVE-2026-10001", &["GHSA-1"], &[("openssl", "3.0.1"), ("libssl3", "3.0.1")]);
        let baseline = Baseline::of([&before]);
        let has = |id: &str, related: &[&str], packages: &[(&str, &str)]| {
            baseline.has(&finding(id, related, packages))
        };
        assert!(has("CVE-2026-10001", &[], &[("openssl", "3.0.2")]));
        assert!(has("ghsa-1", &[], &[("openssl", "3.0.1")]), "by another of its names");
        assert!(has("CVE-2026-10001", &[], &[("openssl", "1"), ("libssl3", "1")]));
        assert!(!has("CVE-2026-10001", &[], &[("openssl", "1"), ("curl", "1")]));
        assert!(!has("CVE-2026-10002", &[], &[("openssl", "3.0.1")]));
    }

    #[test]
    fn what_was_closed_before_is_new_and_what_was_hidden_is_not() {
        let with = |status: &str| sample::with(|f| f["status"] = json!(status));
        let now = with("ACTIVE");
        assert!(!Baseline::of([&with("CLOSED")]).has(&now));
        assert!(Baseline::of([&with("SUPPRESSED")]).has(&now));
        assert!(!Baseline::default().has(&now));
    }
}
