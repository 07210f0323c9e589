//! How an image is named.

use std::{fmt, str::FromStr};

use crate::domain::text;

/// A reference to an image in a private registry of ECR, as it stands in a task definition or a manifest of Kubernetes.
///
/// It is read from `REPOSITORY:TAG`, `REPOSITORY@sha256:…` or both, of which the digest counts, with or without the registry
/// in front: `111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/app:1.2`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageName {
    /// The registry, if it is named. Otherwise it is the one of whoever asks.
    pub registry: Option<Registry>,
    /// The name of the repository, with its namespaces: `team/app`.
    pub repository: String,
    /// Which image of the repository.
    pub reference: Reference,
}

/// A private registry of ECR: each account has one in each Region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registry {
    /// The id of the account, of 12 digits.
    pub account: String,
    /// The Region, such as `eu-central-1`.
    pub region: String,
}

/// Which image of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// The one that has this tag now. Tags move.
    Tag(String),
    /// The one with this digest: `sha256:` and 64 hexadecimal digits.
    Digest(String),
}

/// Why a text names no image in a private registry of ECR.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnImage {
    /// It has neither a tag nor a digest.
    #[error(
        "\"{0}\" says no tag and no digest: expected {0}:TAG or {0}@sha256:DIGEST (the tag latest is not assumed)"
    )]
    NoReference(String),
    /// What stands in front of the repository is another registry.
    #[error(
        "\"{0}\" is not a private registry of ECR: expected a name such as \
         111122223333.dkr.ecr.eu-central-1.amazonaws.com, or none for the registry of the account that asks (a repository \
         whose name begins with a part that has a dot needs its registry in front)"
    )]
    Registry(String),
    /// The repository has a name that ECR does not take.
    #[error(
        "\"{0}\" is no name of a repository in ECR: expected 2 to 256 lower-case letters and digits, with single . _ - or / \
         between them"
    )]
    Repository(String),
    /// The tag is none.
    #[error(
        "\"{0}\" is no tag of an image: expected 1 to 128 letters, digits, _ . and -, beginning with none of the last two"
    )]
    Tag(String),
    /// The digest is none that ECR has.
    #[error("\"{0}\" is no digest of an image: expected sha256: and 64 digits, each 0-9 or a-f")]
    Digest(String),
}

impl ImageName {
    /// Its digest, if that is how it is named.
    pub fn digest(&self) -> Option<&str> {
        match &self.reference {
            Reference::Digest(digest) => Some(digest),
            Reference::Tag(_) => None,
        }
    }

    /// The image of the same repository that has this digest.
    #[must_use]
    pub fn with_digest(&self, digest: &str) -> Self {
        Self { reference: Reference::Digest(digest.to_owned()), ..self.clone() }
    }

    /// Its ARN in the registry of an account in a Region, by which Inspector knows it. None if it is named by a tag.
    pub fn arn(&self, account: &str, region: &str) -> Option<String> {
        self.digest().map(|digest| arn(account, region, &self.repository, digest))
    }
}

/// The ARN of an image, as Inspector has it:
/// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_CoverageFilterCriteria.html>.
pub fn arn(account: &str, region: &str, repository: &str, digest: &str) -> String {
    let partition = partition(region);
    format!("arn:{partition}:ecr:{region}:{account}:repository/{repository}/{digest}")
}

/// The part of AWS that a Region belongs to, as ARNs have it:
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>.
fn partition(region: &str) -> &'static str {
    let partitions = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
    ];
    let own = partitions.iter().find(|(regions, _)| region.starts_with(regions));
    own.map_or("aws", |(_, partition)| partition)
}

impl fmt::Display for ImageName {
    /// Without the registry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Reference::Tag(tag) => write!(f, "{}:{tag}", self.repository),
            Reference::Digest(digest) => write!(f, "{}@{digest}", self.repository),
        }
    }
}

impl FromStr for ImageName {
    type Err = NotAnImage;

    fn from_str(text: &str) -> Result<Self, NotAnImage> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (registry, name) = match name.split_once('/') {
            Some((host, rest)) if is_host(host) => {
                let registry = registry(host);
                (Some(registry.ok_or_else(|| NotAnImage::Registry(shown(host)))?), rest)
            }
            _ => (None, name),
        };
        let (repository, tag) = match name.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (name, None),
        };
        if !is_repository(repository) {
            return Err(NotAnImage::Repository(shown(repository)));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(NotAnImage::Tag(shown(tag)));
        }
        let reference = match (digest, tag) {
            (Some(digest), _) if is_digest(digest) => Reference::Digest(digest.to_owned()),
            (Some(digest), _) => return Err(NotAnImage::Digest(shown(digest))),
            (None, Some(tag)) => Reference::Tag(tag.to_owned()),
            (None, None) => return Err(NotAnImage::NoReference(shown(repository))),
        };
        Ok(Self { registry, repository: repository.to_owned(), reference })
    }
}

/// What was found, short and harmless.
fn shown(text: &str) -> String {
    text::short(text, 100)
}

/// Whether what stands before the first `/` is a host and no part of a repository's name, by the rule of Docker:
/// <https://docs.docker.com/reference/cli/docker/image/tag/>.
fn is_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost"
}

/// What comes before the Region in the names of registries, and what after it:
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>, and for the other partitions
/// <https://github.com/awslabs/amazon-ecr-credential-helper/blob/main/ecr-login/api/client.go>.
const HOSTS: [(&[&str], &[&str]); 2] = [
    (
        &["dkr.ecr.", "dkr.ecr-fips."],
        &[
            ".amazonaws.com",
            ".amazonaws.com.cn",
            ".amazonaws.eu",
            ".c2s.ic.gov",
            ".sc2s.sgov.gov",
            ".cloud.adc-e.uk",
            ".csp.hci.ic.gov",
        ],
    ),
    // Dual-stack: also for IPv6.
    (&["dkr-ecr.", "dkr-ecr-fips."], &[".on.aws", ".on.amazonwebservices.com.cn"]),
];

/// The registry with this name in the DNS, where case does not count.
fn registry(host: &str) -> Option<Registry> {
    let host = host.to_ascii_lowercase();
    let (account, rest) = host.split_once('.').filter(|(account, _)| is_account(account))?;
    let region = HOSTS.iter().find_map(|(before, after)| {
        let rest = before.iter().find_map(|before| rest.strip_prefix(before))?;
        let regions = after.iter().filter_map(|after| rest.strip_suffix(after));
        regions.into_iter().find(|region| is_region(region))
    })?;
    Some(Registry { account: account.to_owned(), region: region.to_owned() })
}

/// Whether this is the id of an account.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_letter)
}

/// Whether ECR takes this as the name of a repository:
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>.
fn is_repository(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut parts = name.split(['.', '_', '-', '/']);
    (2..=256).contains(&name.len())
        && parts.all(|part| !part.is_empty() && part.bytes().all(is_letter))
}

/// Whether this is a tag, by the rule of the OCI, which is narrower than ECR's own:
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>.
fn is_tag(tag: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=128).contains(&tag.len()) && !tag.starts_with(['.', '-']) && tag.bytes().all(is_letter)
}

/// Whether this is the digest of an image in ECR, which knows SHA-256 alone:
/// <https://github.com/opencontainers/image-spec/blob/main/descriptor.md#sha-256>.
pub fn is_digest(digest: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let hex = digest.strip_prefix("sha256:");
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:94afd1f2e64d908bc90dbca0035a5b567ee2a8b0b9f8e1bb0a8d1b5d6b5e3f01";

    fn read(text: &str) -> ImageName {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refused(text: &str) -> String {
        text.parse::<ImageName>().expect_err(text).to_string()
    }

    #[test]
    fn a_name_is_a_repository_with_a_tag_or_a_digest() {
        for (text, repository, reference) in [
            ("app:1.2".to_owned(), "app", Reference::Tag("1.2".to_owned())),
            ("team/app:v1_A-b".to_owned(), "team/app", Reference::Tag("v1_A-b".to_owned())),
            (format!("team/app@{DIGEST}"), "team/app", Reference::Digest(DIGEST.to_owned())),
            // The digest counts.
            (format!("a/b.c_d-e:1@{DIGEST}"), "a/b.c_d-e", Reference::Digest(DIGEST.to_owned())),
            // A dot is no host where no slash follows.
            ("my.app:1".to_owned(), "my.app", Reference::Tag("1".to_owned())),
        ] {
            let image = read(&text);
            assert_eq!((image.registry, image.repository.as_str()), (None, repository), "{text}");
            assert_eq!(image.reference, reference, "{text}");
        }
    }

    #[test]
    fn the_registry_may_stand_in_front() {
        for (host, region) in [
            ("111122223333.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1"),
            ("111122223333.DKR.ECR.eu-central-1.amazonaws.com", "eu-central-1"),
            ("111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
            ("111122223333.dkr-ecr.eu-central-1.on.aws", "eu-central-1"),
            ("111122223333.dkr-ecr-fips.us-east-1.on.aws", "us-east-1"),
            ("111122223333.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1"),
        ] {
            let image = read(&format!("{host}/team/app:1.2"));
            let account = "111122223333".to_owned();
            let registry = Registry { account, region: region.to_owned() };
            assert_eq!(image.registry, Some(registry), "{host}");
            assert_eq!(image.to_string(), "team/app:1.2", "the registry is left out");
        }
    }

    #[test]
    fn other_registries_are_refused() {
        for host in [
            "docker.io",
            "public.ecr.aws",
            "ghcr.io",
            "localhost",
            "registry:5000",
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com:443",
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com.evil.example",
            "evil.example.dkr.ecr.eu-central-1.amazonaws.com",
            "11112222333.dkr.ecr.eu-central-1.amazonaws.com",
            "111122223333.dkr.ecr.eu-central-1.evil.example.amazonaws.com",
            "111122223333.dkr.ecr..amazonaws.com",
            "111122223333.dkr-ecr.eu-central-1.amazonaws.com",
            "111122223333.dkr.ecr.eu-central-1.on.aws",
            "https:",
        ] {
            let error = refused(&format!("{host}/team/app:1.2"));
            let says = format!("\"{host}\" is not a private registry of ECR: expected a name");
            assert!(error.starts_with(&says), "{error}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        assert_eq!(
            refused("team/app"),
            "\"team/app\" says no tag and no digest: expected team/app:TAG or team/app@sha256:DIGEST (the tag latest is \
             not assumed)"
        );
        let digest = DIGEST.to_uppercase().replace("SHA", "sha");
        for (text, kind) in [
            ("", "name of a repository"),
            (":1", "name of a repository"),
            ("a:1", "name of a repository"),
            ("Team/app:1", "name of a repository"),
            ("team//app:1", "name of a repository"),
            ("/app:1", "name of a repository"),
            ("app/:1", "name of a repository"),
            ("a__b:1", "name of a repository"),
            ("app-:1", "name of a repository"),
            ("app 1:1", "name of a repository"),
            (&format!("{}:1", "a".repeat(257)), "name of a repository"),
            ("app:", "tag of an image"),
            ("app:1:2", "tag of an image"),
            ("app:.1", "tag of an image"),
            ("app:-1", "tag of an image"),
            ("team/app:1/2", "tag of an image"),
            ("app:\u{e9}", "tag of an image"),
            (&format!("app:{}", "1".repeat(129)), "tag of an image"),
            ("app@", "digest of an image"),
            ("app@latest", "digest of an image"),
            ("app@sha256:12", "digest of an image"),
            (&format!("app@{digest}"), "digest of an image"),
            (&format!("app@{DIGEST}@{DIGEST}"), "digest of an image"),
            (&format!("app:.1@{DIGEST}"), "tag of an image"),
        ] {
            let error = refused(text);
            assert!(error.contains(&format!(" is no {kind}")), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_refused_is_shown_short_and_harmless() {
        let error = refused(&format!("app:\u{1b}[31m{}", "x".repeat(1000)));
        assert!(error.len() < 300 && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn an_image_has_an_arn_by_its_digest() {
        let image = read(&format!("team/app@{DIGEST}"));
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-north-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            let expected =
                format!("arn:{partition}:ecr:{region}:111122223333:repository/team/app/{DIGEST}");
            assert_eq!(image.arn("111122223333", region), Some(expected));
        }
        assert_eq!(read("team/app:1").arn("111122223333", "eu-central-1"), None);
        assert_eq!(read("team/app:1").with_digest(DIGEST), image);
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_read_as_the_same(
            repository in "[a-z0-9]{2,8}([._/-][a-z0-9]{1,8}){0,4}",
            tag in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
            digest in "sha256:[0-9a-f]{64}",
            by_digest: bool,
        ) {
            let reference =
                if by_digest { Reference::Digest(digest) } else { Reference::Tag(tag) };
            let registry = "111122223333.dkr.ecr.eu-central-1.amazonaws.com";
            let shown = ImageName { registry: None, repository, reference }.to_string();
            let image = read(&format!("{registry}/{shown}"));
            prop_assert_eq!(image.to_string(), shown.clone());
            // Without its registry, a first part with a dot is taken for another registry.
            match shown.parse::<ImageName>() {
                Ok(read) => prop_assert_eq!(ImageName { registry: None, ..image }, read),
                Err(error) => prop_assert!(
                    matches!(&error, NotAnImage::Registry(host) if host.contains('.')),
                    "{}", error
                ),
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            if let Ok(image) = text.parse::<ImageName>() {
                prop_assert!(text.contains(&image.repository));
            }
        }
    }
}
