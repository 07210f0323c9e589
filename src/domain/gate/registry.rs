//! What a registry says of an image.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};
use wildmatch::WildMatch;

use super::image::{arn, is_digest};
use crate::domain::text;

/// An image as a registry describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The id of the account whose registry it is in.
    pub account: String,
    /// The name of its repository.
    pub repository: String,
    /// Its digest: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The tags that it has now.
    pub tags: Vec<String>,
    /// When it was pushed last.
    pub pushed_at: Option<Timestamp>,
    /// How many bytes its layers have, compressed.
    pub size: Option<u64>,
    /// The media type of its manifest.
    pub media_type: Option<String>,
    /// Whether it can be pulled.
    pub status: ImageStatus,
    /// How the registry's own record of scans has it. With enhanced scanning, Inspector's coverage says more.
    pub scan: Option<ScanStatus>,
}

/// Whether an image can be pulled: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageStatus {
    /// It can.
    Active,
    /// It is archived, and is neither pulled nor scanned before somebody restores it.
    Archived,
    /// It is being restored from the archive.
    Activating,
    /// A word that AWS has added since this was written.
    Other(String),
}

impl From<&str> for ImageStatus {
    fn from(word: &str) -> Self {
        match word {
            "ACTIVE" => Self::Active,
            "ARCHIVED" => Self::Archived,
            "ACTIVATING" => Self::Activating,
            other => Self::Other(text::short(other, 100)),
        }
    }
}

/// How a registry has the scan of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanStatus {
    /// Such as `ACTIVE`, `COMPLETE`, `PENDING` or `UNSUPPORTED_IMAGE`.
    pub status: String,
    /// What that means, in AWS's words; empty if it says nothing.
    pub description: String,
}

impl ScanStatus {
    /// Whether it says that there is no scan, and that there will be none. Those that end in one by themselves are known, and a
    /// word that AWS adds is waited for in vain.
    /// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanStatus.html>
    pub fn is_refusal(&self) -> bool {
        const REFUSALS: [&str; 7] = [
            "FAILED",
            "UNSUPPORTED_IMAGE",
            "SCAN_ELIGIBILITY_EXPIRED",
            "FINDINGS_UNAVAILABLE",
            "LIMIT_EXCEEDED",
            "IMAGE_ARCHIVED",
            "IMAGE_SIZE_EXCEEDED",
        ];
        REFUSALS.contains(&self.status.as_str())
    }
}

/// The media types of indexes: the OCI's and Docker's.
const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

impl Image {
    /// The media types of what is no image itself, but lists one for each platform.
    pub const INDEXES: [&str; 2] = INDEXES;

    /// Whether it is no image itself, but lists one for each platform. It is the listed ones that run, and that are scanned.
    pub fn is_index(&self) -> bool {
        self.media_type.as_deref().is_some_and(|own| INDEXES.contains(&own))
    }

    /// Whether it is in the archive: neither pulled nor scanned.
    pub fn is_archived(&self) -> bool {
        self.status == ImageStatus::Archived
    }

    /// Its ARN in a Region, by which Inspector knows it.
    pub fn arn(&self, region: &str) -> String {
        arn(&self.account, region, &self.repository, &self.digest)
    }
}

/// An image of an index: the one that runs on a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The operating system, such as `linux`; empty if the index does not say.
    pub os: String,
    /// The architecture, such as `arm64`; empty if the index does not say.
    pub architecture: String,
    /// The variant of the architecture, such as `v8`.
    pub variant: Option<String>,
    /// The digest of its manifest.
    pub digest: String,
    /// The media type of its manifest.
    pub media_type: String,
}

impl fmt::Display for Platform {
    /// As container tools write it: `linux/arm64/v8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |word: &str| if word.is_empty() { "?".to_owned() } else { word.to_owned() };
        write!(f, "{}/{}", named(&self.os), named(&self.architecture))?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

/// Why a manifest is no index whose images can be looked at.
#[derive(Debug, thiserror::Error)]
pub enum NotAnIndex {
    /// It is not JSON, or has not what an index must have.
    #[error("the manifest is no index of images")]
    Json(#[from] serde_json::Error),
    /// It can be read as an image as well as as an index, and who reads it decides which:
    /// <https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh>.
    #[error("the manifest is an index of images and an image at once")]
    Ambiguous,
    /// It lists another index.
    #[error(
        "the index lists another index, {0}, which is not followed: name one of the two whose images are listed"
    )]
    Nested(String),
    /// A digest is none.
    #[error(
        "the index lists an image with the digest \"{0}\": expected sha256: and 64 digits, each 0-9 or a-f"
    )]
    Digest(String),
}

/// An index: <https://github.com/opencontainers/image-spec/blob/main/image-index.md>.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
    #[serde(default)]
    config: Option<IgnoredAny>,
    #[serde(default)]
    layers: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    #[serde(default)]
    platform: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

impl Platform {
    /// The images that an index lists, from its manifest, in its order.
    ///
    /// What `docker buildx` adds of provenance and contents is no image: it stands under the platform `unknown/unknown`, which
    /// nothing runs on, and is left out (<https://docs.docker.com/build/metadata/attestations/attestation-storage/>). That alone
    /// leaves it out. The annotation that it has, too, could be written to an image that runs.
    ///
    /// # Errors
    /// It is no index, or not one that says all that it is deployed as.
    pub fn listed(manifest: &str) -> Result<Vec<Self>, NotAnIndex> {
        let index: Index = serde_json::from_str(manifest)?;
        if index.config.is_some() || index.layers.is_some() {
            return Err(NotAnIndex::Ambiguous);
        }
        let mut platforms = Vec::with_capacity(index.manifests.len());
        for Descriptor { media_type, digest, platform } in index.manifests {
            if !is_digest(&digest) {
                return Err(NotAnIndex::Digest(text::short(&digest, 100)));
            }
            if INDEXES.contains(&media_type.as_str()) {
                return Err(NotAnIndex::Nested(digest));
            }
            let word = |word: &str| text::short(word, 40);
            let named = platform.as_ref();
            let os = named.map_or_else(String::new, |named| word(&named.os));
            let architecture = named.map_or_else(String::new, |named| word(&named.architecture));
            if os == "unknown" && architecture == "unknown" {
                continue;
            }
            let variant = named.and_then(|named| named.variant.as_deref()).map(word);
            let variant = variant.filter(|variant| !variant.is_empty());
            let media_type = text::short(&media_type, 200);
            platforms.push(Self { os, architecture, variant, digest, media_type });
        }
        Ok(platforms)
    }
}

/// Which images a registry has scanned, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanning {
    /// The id of the account whose registry it is. A registry tells nobody else.
    pub account: String,
    /// By whom images are scanned.
    pub scan_type: ScanType,
    /// Which repositories are scanned.
    pub rules: Vec<ScanRule>,
}

/// By whom images are scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanType {
    /// By ECR itself. Inspector knows nothing of it.
    Basic,
    /// By Inspector.
    Enhanced,
}

/// A rule of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanRule {
    /// When images are scanned; none for a rule that has them scanned by hand alone.
    pub frequency: Option<Frequency>,
    /// The names of the repositories, where `*` is any text; without a `*`, a part of their names.
    pub filters: Vec<String>,
}

/// When Inspector scans the images of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// When they are pushed, and not again.
    OnPush,
    /// When they are pushed, and whenever more becomes known of vulnerabilities.
    Continuous,
}

/// Whether Inspector scans an image, as far as its registry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// It does.
    Enhanced(Frequency),
    /// It does not: no rule is about the repository.
    NoRule,
    /// It does not: ECR scans by itself.
    Basic,
    /// The image is in the registry of another account, of which nobody was asked.
    OtherRegistry,
}

impl Scanning {
    /// Whether Inspector scans an image. Of several rules the one that scans more often holds:
    /// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html>.
    pub fn of(&self, image: &Image) -> Scanned {
        if self.account != image.account {
            return Scanned::OtherRegistry;
        }
        if self.scan_type == ScanType::Basic {
            return Scanned::Basic;
        }
        let rules = self.rules.iter().filter(|rule| rule.is_about(&image.repository));
        rules.filter_map(|rule| rule.frequency).max().map_or(Scanned::NoRule, Scanned::Enhanced)
    }
}

impl ScanRule {
    /// Whether it is about a repository.
    fn is_about(&self, repository: &str) -> bool {
        self.filters.iter().any(|filter| {
            if filter.contains('*') {
                WildMatch::new(filter).matches(repository)
            } else {
                // So says AWS: `prod` is about `repo-prod-repo`, too.
                repository.contains(filter.as_str())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const REPOSITORIES: [&str; 5] =
        ["prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo"];

    fn image(repository: &str) -> Image {
        Image {
            account: "111122223333".to_owned(),
            repository: repository.to_owned(),
            digest: format!("sha256:{:064x}", 1),
            tags: Vec::new(),
            pushed_at: None,
            size: None,
            media_type: None,
            status: ImageStatus::Active,
            scan: None,
        }
    }

    fn scanning(rules: &[(Option<Frequency>, &[&str])]) -> Scanning {
        let rules = rules.iter().map(|(frequency, filters)| ScanRule {
            frequency: *frequency,
            filters: filters.iter().map(|&filter| filter.to_owned()).collect(),
        });
        Scanning {
            account: "111122223333".to_owned(),
            scan_type: ScanType::Enhanced,
            rules: rules.collect(),
        }
    }

    #[test]
    fn filters_match_as_in_the_table_of_aws() {
        // https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
        for (filter, matched) in [
            ("prod", [true, true, true, true, true]),
            ("*prod", [true, true, false, false, false]),
            ("prod*", [true, false, true, false, true]),
            ("*prod*", [true, true, true, true, true]),
            ("prod*repo", [false, false, true, false, true]),
            ("*", [true; 5]),
        ] {
            let scanning = scanning(&[(Some(Frequency::OnPush), &[filter])]);
            let found = REPOSITORIES.map(|name| scanning.of(&image(name)) != Scanned::NoRule);
            assert_eq!(found, matched, "{filter}");
        }
        let scanning = scanning(&[(Some(Frequency::OnPush), &["team/*"])]);
        assert_ne!(scanning.of(&image("team/app/web")), Scanned::NoRule, "* passes slashes");
    }

    #[test]
    fn continuous_scans_win_over_those_on_push() {
        let both: [(Option<Frequency>, &[&str]); 2] =
            [(Some(Frequency::Continuous), &["other", "app*"]), (Some(Frequency::OnPush), &["*"])];
        let reversed = [both[1], both[0]];
        for rules in [&both, &reversed] {
            let scanning = scanning(rules);
            assert_eq!(scanning.of(&image("app")), Scanned::Enhanced(Frequency::Continuous));
            assert_eq!(scanning.of(&image("web")), Scanned::Enhanced(Frequency::OnPush));
        }
    }

    #[test]
    fn what_no_rule_is_about_is_not_scanned() {
        let none: [(Option<Frequency>, &[&str]); 3] = [
            (Some(Frequency::OnPush), &["web"]),
            (Some(Frequency::OnPush), &[]),
            // By hand alone.
            (None, &["*"]),
        ];
        assert_eq!(scanning(&none).of(&image("app")), Scanned::NoRule);
        let basic = Scanning {
            scan_type: ScanType::Basic,
            ..scanning(&[(Some(Frequency::OnPush), &["*"])])
        };
        assert_eq!(basic.of(&image("app")), Scanned::Basic);
        let foreign = Scanning { account: "444455556666".to_owned(), ..basic };
        assert_eq!(foreign.of(&image("app")), Scanned::OtherRegistry);
    }

    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

    fn digest(number: u8) -> String {
        format!("sha256:{number:064x}")
    }

    fn listed(index: &Value) -> Result<Vec<Platform>, String> {
        Platform::listed(&index.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_index_lists_an_image_for_each_platform() {
        let entry = |number, platform| json!({"mediaType": MANIFEST, "digest": digest(number), "size": 500, "platform": platform});
        let mut bare = entry(5, json!(null));
        bare.as_object_mut().unwrap().remove("platform");
        // An image that claims to be a record of how it was built runs all the same.
        let mut disguised = entry(4, json!({"os": "linux", "architecture": "s390x"}));
        disguised["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
        let mut record = entry(3, json!({"os": "unknown", "architecture": "unknown"}));
        record["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": digest(1),
        });
        let index = json!({
            "schemaVersion": 2,
            "mediaType": INDEXES[0],
            "manifests": [
                entry(1, json!({"os": "linux", "architecture": "amd64"})),
                entry(2, json!({"os": "linux", "architecture": "arm64", "variant": "v8"})),
                record, disguised, bare,
            ],
            "annotations": {"org.opencontainers.image.created": "2026-11-20T10:00:00Z"},
        });
        let platforms = listed(&index).unwrap();
        let found: Vec<_> =
            platforms.iter().map(|one| (one.to_string(), one.digest.clone())).collect();
        let expected = [("linux/amd64", 1), ("linux/arm64/v8", 2), ("linux/s390x", 4), ("?/?", 5)];
        assert_eq!(found, expected.map(|(name, number)| (name.to_owned(), digest(number))));
        assert_eq!(platforms[0].media_type, MANIFEST);
    }

    #[test]
    fn what_is_no_plain_index_is_refused() {
        let entry =
            |media_type: &str, digest: &str| json!({"mediaType": media_type, "digest": digest});
        let own = digest(1);
        for (index, why) in [
            (json!({"config": {}, "layers": []}), "no index of images"),
            (json!({"manifests": [{"digest": own}]}), "no index of images"),
            (json!([]), "no index of images"),
            (json!({"manifests": [], "layers": []}), "and an image at once"),
            (json!({"manifests": [], "config": {}}), "and an image at once"),
            (json!({"manifests": [entry(INDEXES[1], &own)]}), "lists another index, sha256:00"),
            (json!({"manifests": [entry(MANIFEST, "sha512:12")]}), "the digest \"sha512:12\""),
        ] {
            let error = listed(&index).unwrap_err();
            assert!(error.contains(why), "{index}: {error}");
        }
        // Who reads it decides which of the two it is.
        let twice = "{\"manifests\": [], \"manifests\": []}";
        assert!(matches!(Platform::listed(twice), Err(NotAnIndex::Json(_))));
        assert_eq!(listed(&json!({"manifests": []})), Ok(Vec::new()));
    }

    #[test]
    fn an_index_is_known_by_its_media_type() {
        for (media_type, is_index) in [
            (Some(INDEXES[0]), true),
            (Some(INDEXES[1]), true),
            (Some(MANIFEST), false),
            (Some("application/vnd.docker.distribution.manifest.v2+json"), false),
            (None, false),
        ] {
            let media_type = media_type.map(str::to_owned);
            assert_eq!(Image { media_type, ..image("app") }.is_index(), is_index);
        }
        let archived = Image { status: ImageStatus::from("ARCHIVED"), ..image("app") };
        assert!(archived.is_archived() && !image("app").is_archived());
    }
}
