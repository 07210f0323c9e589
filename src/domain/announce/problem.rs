//! Which findings are one and the same problem to people. Pure.
//!
//! One vulnerability on 500 machines is one problem, and one message. The other 499 are in the next
//! summary, which counts them.

use jiff::SignedDuration;

use crate::domain::{
    finding::{Details, Finding},
    text,
};

/// A problem that several findings have, and for how long one message about it is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What the findings have in common.
    pub key: String,
    /// For how long after a message about one of them the others get none of their own.
    pub known_for: SignedDuration,
}

/// For how long a vulnerability is known after it was announced for one resource.
const VULNERABILITY: SignedDuration = SignedDuration::from_hours(24);

/// For how long it is known in a repository of images after it was announced for one image. Every
/// build is a new image to Inspector, with the same findings once more.
const REPOSITORY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The problems that a finding is one of.
///
/// A weakness in code is a problem of its own at each place.
pub fn problems(finding: &Finding) -> Vec<Problem> {
    let key = problem_key(finding);
    let resource = finding.resource();
    let repository = resource.and_then(|resource| {
        let repository = resource.repository.as_deref()?;
        // The registry is named by the part of the ARN before the digest; another provider's image
        // has a path.
        let registry = resource.id.split("/sha256:").next().unwrap_or(&resource.id);
        Some(if registry == resource.id { repository } else { registry })
    });
    let known = |key, known_for| Problem { key, known_for };
    let in_repository =
        repository.map(|repository| known(bounded(&format!("{key}|{repository}")), REPOSITORY));
    std::iter::once(known(bounded(&key), VULNERABILITY)).chain(in_repository).collect()
}

/// What the findings of one problem have in common: the vulnerability and the package; the port
/// that is open; the weakness and its place.
pub fn problem_key(finding: &Finding) -> String {
    let problem = finding.problem();
    match &finding.details {
        Details::Package(package) => {
            let name = package.packages.iter().filter_map(|package| package.name.as_deref()).min();
            format!("{problem}|{}", name.unwrap_or_default())
        }
        Details::Code(code) => {
            let place = code.file_path.as_deref().unwrap_or_default();
            let resource = finding.resource().map(|resource| resource.id.as_str());
            format!("{problem}|{place}|{}", resource.unwrap_or_default())
        }
        Details::Network(_) | Details::None => problem,
    }
}

/// A key that fits DynamoDB's limit of 2,048 bytes with room to spare.
fn bounded(key: &str) -> String {
    text::cut_bytes(&text::line(key), 1500)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::finding::sample;

    fn keys(change: impl FnOnce(&mut Value)) -> Vec<String> {
        problems(&sample::with(change)).into_iter().map(|problem| problem.key).collect()
    }

    fn image(digest: &str) -> Vec<String> {
        keys(|f| {
            f["resources"][0] = json!({
                "type": "AWS_ECR_CONTAINER_IMAGE",
                "id": format!("arn:aws:ecr:eu-central-1:111122223333:repository/shop/api/sha256:{digest}"),
                "details": {"awsEcrContainerImage": {"repositoryName": "shop/api", "imageTags": [digest]}},
            });
        })
    }

    #[test]
    fn the_same_vulnerability_in_the_same_package_is_one_problem_on_every_resource() {
        let here = keys(|_| {});
        let there = keys(|f| f["resources"][0]["id"] = json!("i-0ffffffffffffffff"));
        assert_eq!(here, there);
        assert_eq!(here.len(), 1);
        let other = keys(|f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!("CVE-2026-99999");
        });
        assert_ne!(here, other);
    }

    #[test]
    fn a_new_image_of_a_repository_has_the_problems_of_the_one_before() {
        assert_eq!(image("aaaa"), image("bbbb"));
        assert_eq!(image("aaaa").len(), 2);
    }
}
