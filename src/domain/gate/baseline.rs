//! What was there before: in the base image, or in the last release.

use std::collections::BTreeSet;

use crate::domain::finding::{Details, Finding, Status};

/// The problems of what was there before.
///
/// A problem is a vulnerability in a package, whatever its version and its place, which move when an image is built anew; a
/// weakness at a line of a file; an open port of a resource. In doubt it is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// By what it is called, and what has it.
    named: BTreeSet<(String, String)>,
    /// By another name of the same.
    aliases: BTreeSet<(String, String)>,
}

impl Baseline {
    /// The problems of these findings that are there: what is closed was gone.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut baseline = Self::default();
        for finding in findings.into_iter().filter(|one| one.status != Status::Closed) {
            let problem = Problem::of(finding);
            for part in &problem.parts {
                baseline.named.insert((problem.name.clone(), part.clone()));
                let aliases = problem.aliases.iter().map(|alias| (alias.clone(), part.clone()));
                baseline.aliases.extend(aliases);
            }
        }
        baseline
    }

    /// Whether all of a finding was there before: the problem, by one of its names, in each of its packages.
    pub fn has(&self, finding: &Finding) -> bool {
        let Problem { name, aliases, parts } = Problem::of(finding);
        parts.iter().all(|part| {
            let is_in =
                |set: &BTreeSet<_>, name: &String| set.contains(&(name.clone(), part.clone()));
            is_in(&self.named, &name)
                || is_in(&self.aliases, &name)
                || aliases.iter().any(|alias| is_in(&self.named, alias))
        })
    }
}

/// What tells one problem from another.
struct Problem {
    name: String,
    /// Other names of it. A CVE has no other CVE, however it is related to one.
    aliases: Vec<String>,
    /// What has it.
    parts: Vec<String>,
}

impl Problem {
    fn of(finding: &Finding) -> Self {
        let resources = || finding.resources.iter().map(|one| one.id.clone()).collect();
        match &finding.details {
            Details::Package(package) => {
                let name = package.id.clone().unwrap_or_else(|| finding.problem());
                let name = name.to_ascii_uppercase();
                let aliases = package.related.iter().map(|other| other.to_ascii_uppercase());
                let aliases = aliases.filter(|other| !(is_cve(other) && is_cve(&name))).collect();
                let parts = package.packages.iter().filter_map(|one| one.name.clone()).collect();
                Self { name, aliases, parts: or_one(parts) }
            }
            Details::Code(code) => {
                let name = code.detector_id.clone().unwrap_or_else(|| finding.problem());
                let line = code.start_line.unwrap_or_default();
                let parts = code.file_path.iter().map(|file| format!("{file}:{line}")).collect();
                Self { name, aliases: Vec::new(), parts: or_one(parts) }
            }
            Details::Network(_) | Details::None => {
                let name = format!("{} {}", finding.kind, finding.problem());
                Self { name, aliases: Vec::new(), parts: or_one(resources()) }
            }
        }
    }
}

fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

fn or_one(parts: Vec<String>) -> Vec<String> {
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
        // An advisory may be of several.
        assert!(!has("CVE-2026-10002", &["GHSA-1"], &[("openssl", "3.0.1")]));
        let relative = finding("CVE-2026-10003", &["CVE-2026-10004"], &[("openssl", "3.0.1")]);
        let newer = finding("CVE-2026-10004", &[], &[("openssl", "3.0.1")]);
        assert!(!Baseline::of([&relative]).has(&newer));
        let advisory = finding("ALAS-2026-1", &["CVE-2026-10004"], &[("openssl", "3.0.1")]);
        assert!(Baseline::of([&advisory]).has(&newer));
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
