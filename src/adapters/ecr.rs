//! Amazon ECR: the only place that speaks to it.

use std::collections::BTreeSet;

use aws_sdk_ecr::{
    Client,
    config::{self, retry::RetryConfig},
    types::{ImageDetail, ImageFailure, ImageIdentifier, RegistryScanningRule},
};
use jiff::Timestamp;

use super::{
    failed::broken,
    pace::{self, Pace},
};
use crate::{
    app::{Found, Images, NotAnswered, TimeLimit, failure::BoxError},
    domain::{
        digest,
        gate::{
            Frequency, Image, ImageName, ImageStatus, Platform, Reference, ScanRule, ScanStatus,
            ScanType, Scanning, is_account, is_digest,
        },
        text,
    },
};

const DESCRIBE: &str = "ECR DescribeImages";
const GET: &str = "ECR BatchGetImage";
const SCANNING: &str = "ECR GetRegistryScanningConfiguration";
/// How many images are asked for at a time:
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html>.
const IMAGES_PER_CALL: usize = 100;
const OF_THIS_ACCOUNT: &str = "of this account";

/// Amazon ECR in one Region.
#[derive(Clone, Debug)]
pub struct Ecr {
    client: Client,
    region: Option<String>,
    pace: Pace,
}

/// What a repository has of the images that were asked for.
enum Described {
    NoRepository,
    /// One of them is missing. ECR does not say which, and describes none.
    NoImage,
    Images(Vec<ImageDetail>),
}

impl Ecr {
    /// ECR, in the Region of the configuration.
    pub fn new(config: config::Builder) -> Self {
        let config = config.retry_config(RetryConfig::disabled()).timeout_config(pace::timeouts());
        let config = config.build();
        let region = config.region().map(|region| region.as_ref().to_owned());
        // Few calls are made, and somebody waits for them. Where they are too many, ECR says so.
        Self { client: Client::from_conf(config), region, pace: Pace::unpaced() }
    }

    /// Asked by name, an image is described whether it is archived or not.
    async fn describe(
        &self,
        image: &ImageName,
        ids: Vec<ImageIdentifier>,
        limit: TimeLimit<'_>,
    ) -> Result<Described, NotAnswered> {
        let object = image.to_string();
        let account = image.registry.as_ref().map(|registry| registry.account.clone());
        let request = self
            .client
            .describe_images()
            .set_registry_id(account)
            .repository_name(&image.repository)
            .set_image_ids(Some(ids));
        let described = self.pace.call(DESCRIBE, &object, limit, || async {
            match request.clone().send().await {
                Ok(answer) => Ok(Described::Images(answer.image_details.unwrap_or_default())),
                Err(error) => match error.as_service_error() {
                    Some(known) if known.is_repository_not_found_exception() => {
                        Ok(Described::NoRepository)
                    }
                    Some(known) if known.is_image_not_found_exception() => Ok(Described::NoImage),
                    _ => Err(error),
                },
            }
        });
        described.await
    }

    /// The images of `asked`, which are at most [`IMAGES_PER_CALL`]; none if one of them is missing.
    async fn describe_all(
        &self,
        image: &ImageName,
        asked: &[&String],
        limit: TimeLimit<'_>,
    ) -> Result<Option<Vec<Image>>, NotAnswered> {
        let by_digest = |digest: &&String| ImageIdentifier::builder().image_digest(*digest).build();
        let details =
            match self.describe(image, asked.iter().map(by_digest).collect(), limit).await? {
                Described::NoRepository => return Ok(Some(Vec::new())),
                Described::NoImage => return Ok(None),
                Described::Images(details) => details,
            };
        let images = details.iter().map(|detail| {
            let found = read(detail, image)?;
            let is_asked_for = asked.contains(&&found.digest);
            if is_asked_for { Ok(found) } else { Err(unasked("the digest", &found.digest)) }
        });
        let images = images.collect::<Result<_, BoxError>>();
        images.map(Some).map_err(|source| broken(DESCRIBE, &image.to_string(), source))
    }
}

impl Images for Ecr {
    fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    async fn image(&self, image: &ImageName, limit: TimeLimit<'_>) -> Result<Found, NotAnswered> {
        let id = match &image.reference {
            Reference::Tag(tag) => ImageIdentifier::builder().image_tag(tag),
            Reference::Digest(digest) => ImageIdentifier::builder().image_digest(digest),
        };
        let details = match self.describe(image, vec![id.build()], limit).await? {
            Described::NoRepository => return Ok(Found::NoRepository),
            Described::NoImage => return Ok(Found::NoImage),
            Described::Images(details) => details,
        };
        let read = match &details[..] {
            [detail] => read(detail, image).and_then(|found| match &image.reference {
                Reference::Tag(tag) if !found.tags.contains(tag) => {
                    Err("it is about an image that has not the tag that was asked for".into())
                }
                Reference::Digest(digest) if *digest != found.digest => {
                    Err(unasked("the digest", &found.digest))
                }
                _ => Ok(found),
            }),
            others => Err(format!("expected one image, found {}", others.len()).into()),
        };
        let read = read.map_err(|source| broken(DESCRIBE, &image.to_string(), source));
        read.map(|image| Found::Image(Box::new(image)))
    }

    async fn images(
        &self,
        image: &ImageName,
        digests: &[String],
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Image>, NotAnswered> {
        // One image may be that of several platforms, and is asked for once.
        let asked: Vec<&String> = digests.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut images = Vec::with_capacity(asked.len());
        for asked in asked.chunks(IMAGES_PER_CALL) {
            if let Some(all) = self.describe_all(image, asked, limit).await? {
                images.extend(all);
            } else {
                for one in asked {
                    images
                        .extend(self.describe_all(image, &[one], limit).await?.unwrap_or_default());
                }
            }
        }
        Ok(images)
    }

    async fn platforms(
        &self,
        index: &Image,
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Platform>, NotAnswered> {
        let object = format!("{}@{}", index.repository, index.digest);
        let broken = |source: BoxError| broken(GET, &object, source);
        let id = ImageIdentifier::builder().image_digest(&index.digest).build();
        let request = self
            .client
            .batch_get_image()
            .registry_id(&index.account)
            .repository_name(&index.repository)
            .image_ids(id)
            .set_accepted_media_types(Some(Image::INDEXES.map(str::to_owned).to_vec()));
        let answer = self.pace.call(GET, &object, limit, || request.clone().send()).await?;
        if let Some(failure) = answer.failures().first() {
            return Err(broken(refused(failure)));
        }
        let manifests = answer.images().iter().map(|image| image.image_manifest());
        let manifest = match &manifests.collect::<Vec<_>>()[..] {
            [Some(manifest)] => *manifest,
            [None] => return Err(broken("it has no manifest".into())),
            others => {
                return Err(broken(format!("expected one image, found {}", others.len()).into()));
            }
        };
        // The digest is what is deployed. What does not have it says nothing of that.
        let found = digest::of_content(manifest);
        if found != index.digest {
            return Err(broken(unasked("the digest", &found)));
        }
        Platform::listed(manifest).map_err(|error| broken(error.into()))
    }

    async fn scanning(&self, limit: TimeLimit<'_>) -> Result<Scanning, NotAnswered> {
        let broken = |source: BoxError| broken(SCANNING, OF_THIS_ACCOUNT, source);
        let answer = self.pace.call(SCANNING, OF_THIS_ACCOUNT, limit, || {
            self.client.get_registry_scanning_configuration().send()
        });
        let answer = answer.await?;
        let account = account(answer.registry_id()).map_err(broken)?;
        let Some(configuration) = answer.scanning_configuration() else {
            return Err(broken("it has no scanningConfiguration".into()));
        };
        let scan_type = match configuration.scan_type() {
            Some(scan_type) => scan_type.as_str(),
            None => "nothing",
        };
        let scan_type = match scan_type {
            "BASIC" => ScanType::Basic,
            "ENHANCED" => ScanType::Enhanced,
            other => return Err(broken(unknown("scanType", other))),
        };
        let rules = configuration.rules().iter().map(rule);
        let rules = rules.collect::<Result<_, _>>().map_err(broken)?;
        Ok(Scanning { account, scan_type, rules })
    }
}

/// An image of the repository of `asked`, from what ECR says of it.
fn read(detail: &ImageDetail, asked: &ImageName) -> Result<Image, BoxError> {
    let account = account(detail.registry_id())?;
    if asked.registry.as_ref().is_some_and(|registry| registry.account != account) {
        return Err(unasked("the registry", &account));
    }
    let repository = detail.repository_name().unwrap_or_default();
    if repository != asked.repository {
        return Err(unasked("the repository", repository));
    }
    let digest = detail.image_digest().unwrap_or_default();
    if !is_digest(digest) {
        return Err(unknown("imageDigest", digest));
    }
    let pushed_at = detail.image_pushed_at().and_then(|moment| {
        Timestamp::new(moment.secs(), i32::try_from(moment.subsec_nanos()).ok()?).ok()
    });
    let scan = detail.image_scan_status().and_then(|scan| {
        let description = scan.description().unwrap_or_default();
        Some(ScanStatus {
            status: text::short(scan.status()?.as_str(), 100),
            description: text::short(description, 500),
        })
    });
    // ECR had none before images could be archived.
    let status = detail.image_status().map_or(ImageStatus::Active, |status| status.as_str().into());
    Ok(Image {
        account,
        repository: repository.to_owned(),
        digest: digest.to_owned(),
        tags: detail.image_tags().to_vec(),
        pushed_at,
        size: detail.image_size_in_bytes().and_then(|size| u64::try_from(size).ok()),
        media_type: detail.image_manifest_media_type().map(str::to_owned),
        status,
        scan,
    })
}

fn rule(rule: &RegistryScanningRule) -> Result<ScanRule, BoxError> {
    // The SDK fills in what is missing, and an empty filter would be about everything.
    let frequency = match rule.scan_frequency().as_str() {
        "CONTINUOUS_SCAN" => Some(Frequency::Continuous),
        "SCAN_ON_PUSH" => Some(Frequency::OnPush),
        "MANUAL" => None,
        other => return Err(unknown("scanFrequency", other)),
    };
    let filters = rule.repository_filters().iter().map(|filter| {
        let (text, kind) = (filter.filter(), filter.filter_type().as_str());
        match (text, kind) {
            ("", _) => Err(unknown("filter", text)),
            (_, "WILDCARD") => Ok(text.to_owned()),
            (_, other) => Err(unknown("filterType", other)),
        }
    });
    Ok(ScanRule { frequency, filters: filters.collect::<Result<_, _>>()? })
}

fn account(id: Option<&str>) -> Result<String, BoxError> {
    let id = id.unwrap_or_default();
    if is_account(id) { Ok(id.to_owned()) } else { Err(unknown("registryId", id)) }
}

fn unknown(field: &str, found: &str) -> BoxError {
    format!("{field} is \"{}\", which is not known here", text::short(found, 100)).into()
}

fn unasked(what: &str, found: &str) -> BoxError {
    format!("it is about {what} \"{}\", which was not asked for", text::short(found, 100)).into()
}

/// Why ECR does not give a manifest, such as `ImageInaccessible` for one in the archive.
fn refused(failure: &ImageFailure) -> BoxError {
    let code = failure.failure_code().map_or("", |code| code.as_str());
    let reason = failure.failure_reason().unwrap_or_default();
    text::short(&format!("{code}: {reason}"), 500).into()
}
