//! What was scanned: an image, most of the time.

use std::collections::BTreeMap;

use super::package::Purl;
use crate::domain::{
    finding::{Resource, ResourceType, bounds},
    text::cut_bytes,
};

/// What was scanned, as findings have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subject {
    /// The resource of all findings.
    pub(super) resource: Resource,
    /// The account, if the name says it; else empty.
    pub(super) account: String,
    /// The Region, if the name says it.
    pub(super) region: Option<String>,
}

impl Subject {
    /// What is called `name`, runs `platform`, and is a container image or not.
    pub(super) fn of(name: Option<&str>, platform: Option<String>, is_image: bool) -> Self {
        let mut resource = Resource {
            kind: if is_image {
                ResourceType::EcrContainerImage
            } else {
                ResourceType::Other("SBOM".to_owned())
            },
            id: cut_bytes(name.unwrap_or("sbom"), bounds::URL),
            region: None,
            account: None,
            tags: BTreeMap::new(),
            repository: None,
            image_tags: Vec::new(),
            name: None,
            platform: platform.map(|platform| cut_bytes(&platform, bounds::NAME)),
            ipv4: Vec::new(),
            ipv6: Vec::new(),
            in_use: None,
        };
        let Some(image) = name.filter(|_| is_image).map(Image::read) else {
            resource.name = name.map(|name| cut_bytes(name, bounds::NAME));
            return Self { resource, account: String::new(), region: None };
        };
        resource.repository = Some(cut_bytes(image.repository, bounds::NAME));
        resource.image_tags =
            image.tag.map(|tag| cut_bytes(tag, bounds::NAME)).into_iter().collect();
        let Some((account, region)) = image.registry.and_then(ecr) else {
            return Self { resource, account: String::new(), region: None };
        };
        resource.id = cut_bytes(&image.arn(account, region), bounds::URL);
        resource.account = Some(account.to_owned());
        resource.region = Some(region.to_owned());
        Self { resource, account: account.to_owned(), region: Some(region.to_owned()) }
    }
}

/// The name of an image in its parts: `[registry/]repository[:tag][@digest]`.
#[derive(Debug, PartialEq, Eq)]
struct Image<'a> {
    registry: Option<&'a str>,
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    fn read(name: &'a str) -> Self {
        let (rest, digest) = match name.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (name, None),
        };
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (rest, tag) = match rest[last..].split_once(':') {
            Some((last_name, tag)) => (&rest[..last + last_name.len()], Some(tag)),
            None => (rest, None),
        };
        // What Docker takes for a registry: https://pkg.go.dev/github.com/distribution/reference.
        let (registry, repository) = match rest.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                (Some(host), path)
            }
            _ => (None, rest),
        };
        let some = |text: &&str| !text.is_empty();
        Self { registry, repository, tag: tag.filter(some), digest: digest.filter(some) }
    }

    /// Whether this is how images are called, with a tag or a digest, and in small letters.
    fn is_plausible(&self) -> bool {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        (self.tag.is_some() || self.digest.is_some())
            && !self.repository.is_empty()
            && self.repository.chars().all(fits)
    }

    /// What findings of the account have as its id.
    fn arn(&self, account: &str, region: &str) -> String {
        let partition = match region {
            china if china.starts_with("cn-") => "aws-cn",
            government if government.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let digest = self.digest.map(|digest| format!("/{digest}")).unwrap_or_default();
        format!("arn:{partition}:ecr:{region}:{account}:repository/{}{digest}", self.repository)
    }
}

/// Whether `name` is how images are called, such as `crm/web:1.4`.
pub(super) fn is_image_name(name: &str) -> bool {
    Image::read(name).is_plausible()
}

/// Account and Region of a registry of Amazon ECR, such as `111122223333.dkr.ecr.eu-central-1.amazonaws.com`.
fn ecr(registry: &str) -> Option<(&str, &str)> {
    let mut parts = registry.split('.');
    let account = parts.next().filter(|part| part.len() == 12)?;
    if !account.bytes().all(|byte| byte.is_ascii_digit()) || parts.next() != Some("dkr") {
        return None;
    }
    parts.next().filter(|part| matches!(*part, "ecr" | "ecr-fips"))?;
    let region = parts.next().filter(|part| !part.is_empty())?;
    Some((account, region))
}

/// The platform as Inspector writes it, such as `UBUNTU_22_04`: from the name and version of an operating system.
pub(super) fn platform(name: &str, version: Option<&str>) -> Option<String> {
    // Debian calls itself `Debian GNU/Linux`.
    let name = name.replace("GNU/Linux", "");
    let text = format!("{name} {}", version.unwrap_or_default()).to_ascii_uppercase();
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let platform = parts.collect::<Vec<_>>().join("_");
    (!platform.is_empty()).then_some(platform)
}

/// The platform, by a package that comes with it.
pub(super) fn platform_of(purl: &Purl) -> Option<String> {
    let namespace = purl.namespace.as_deref().filter(|_| purl.is_of_system())?;
    // Package URLs say `amazon` or `amzn`, Inspector `AMAZON_LINUX_2023`.
    let name = if matches!(namespace, "amazon" | "amzn") { "amazon linux" } else { namespace };
    let distro = purl.qualifier("distro")?;
    // Some write `distro=debian-12`.
    let version = distro.strip_prefix(namespace).unwrap_or(distro);
    platform(name, Some(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_image_is_taken_apart_as_docker_does() {
        let digest = "sha256:0123";
        for (name, registry, repository, tag, hash) in [
            ("web", None, "web", None, None),
            ("crm/web:1.4", None, "crm/web", Some("1.4"), None),
            ("registry.example:5000/crm/web", Some("registry.example:5000"), "crm/web", None, None),
            ("localhost/web:a", Some("localhost"), "web", Some("a"), None),
            ("crm/web@sha256:0123", None, "crm/web", None, Some(digest)),
            ("crm/web:1.4@sha256:0123", None, "crm/web", Some("1.4"), Some(digest)),
            ("web:", None, "web", None, None),
        ] {
            let expected = Image { registry, repository, tag, digest: hash };
            assert_eq!(Image::read(name), expected, "{name}");
        }
    }

    #[test]
    fn the_name_of_an_image_has_a_tag_or_a_digest() {
        for name in ["crm/web:1.4", "registry.example:5000/web@sha256:0123"] {
            assert!(is_image_name(name), "{name}");
        }
        for name in ["till", "Till:1.4", "a till:1", ":1", ""] {
            assert!(!is_image_name(name), "{name}");
        }
    }

    #[test]
    fn an_image_of_ecr_has_the_id_that_findings_of_the_account_have() {
        let name = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/crm/web:1.4@sha256:0123";
        let subject = Subject::of(Some(name), None, true);
        let arn = "arn:aws:ecr:eu-central-1:111122223333:repository/crm/web/sha256:0123";
        assert_eq!(subject.resource.id, arn);
        assert_eq!(subject.account, "111122223333");
        assert_eq!(subject.region.as_deref(), Some("eu-central-1"));
        assert_eq!(subject.resource.display_name(), "crm/web:1.4");
    }

    #[test]
    fn a_platform_is_written_as_inspector_writes_it() {
        for (name, version, expected) in [
            ("Ubuntu", Some("22.04"), "UBUNTU_22_04"),
            ("Debian GNU/Linux", Some("12"), "DEBIAN_12"),
            ("Amazon Linux", Some("2023"), "AMAZON_LINUX_2023"),
            ("Alpine Linux", None, "ALPINE_LINUX"),
        ] {
            assert_eq!(platform(name, version).as_deref(), Some(expected));
        }
        let by_package = |purl| platform_of(&Purl::read(purl).unwrap());
        assert_eq!(
            by_package("pkg:deb/debian/a@1?distro=bookworm").as_deref(),
            Some("DEBIAN_BOOKWORM")
        );
        assert_eq!(
            by_package("pkg:rpm/amazon/a@1?distro=2023").as_deref(),
            Some("AMAZON_LINUX_2023")
        );
        assert_eq!(by_package("pkg:deb/debian/a@1?distro=debian-12").as_deref(), Some("DEBIAN_12"));
        assert_eq!(by_package("pkg:npm/a@1"), None);
    }
}
