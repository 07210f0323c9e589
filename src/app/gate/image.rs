//! An image in a registry: which it is, whether it is scanned, and what was found in it.

use jiff::Timestamp;

use super::{Asking, Found, Progress, REGISTRY, SCAN_PAUSE, Unknown, failed};
use crate::{
    app::ports::{self, Clock, Images, Inspector, NAMES_PER_CALL, Which},
    domain::{
        coverage::Coverage,
        finding::Finding,
        gate::{CannotTell, Image, ImageName, NotAnIndex, Note, Scan, ScanState, Scanned, Subject},
    },
};

/// An image that runs: the one of a name, or one of its platforms.
struct Part {
    image: Image,
    arn: String,
    platform: Option<String>,
}

impl Part {
    /// What people call it.
    fn name(&self) -> String {
        let Image { repository, digest, .. } = &self.image;
        match &self.platform {
            Some(platform) => format!("{repository}@{digest} ({platform})"),
            None => format!("{repository}@{digest}"),
        }
    }
}

/// A scan that was done.
struct Done {
    at: Timestamp,
    once: bool,
}

impl<I: Inspector + Sync, R: Images + Sync, C: Clock + Sync> Asking<'_, I, R, C> {
    /// What was found in an image. A tag is looked up once: what it is moved to meanwhile is another image.
    ///
    /// # Errors
    /// There is no such image, it was not scanned, or not within the time that there is, or a call failed.
    pub async fn image(&self, name: &ImageName) -> Result<Found, Unknown> {
        let parts = self.parts(name).await?;
        let scans = self.scans(name, &parts).await?;
        let latest = scans.iter().map(|scan| scan.at).max().unwrap_or_else(|| self.waiting.now());
        let of = name.to_string();
        let findings = self.settled(&of, latest, async || self.findings(&parts).await).await?;
        let scan = |(part, done): (&Part, &Done)| Scan {
            of: part.image.digest.clone(),
            platform: part.platform.clone(),
            at: done.at,
        };
        let once = parts.iter().zip(&scans).filter(|(_, done)| done.once);
        let notes = once.map(|(part, done)| Note::ScannedOnce { of: part.name(), at: done.at });
        Ok(Found {
            notes: notes.collect(),
            subject: Subject {
                name: of,
                stable_name: name.repository.clone(),
                scans: parts.iter().zip(&scans).map(scan).collect(),
            },
            findings,
        })
    }

    /// The images that run if this one is deployed: itself, or those of all platforms of an index.
    async fn parts(&self, name: &ImageName) -> Result<Vec<Part>, Unknown> {
        let region = self.registry.region().unwrap_or_default();
        let place = || region.to_owned();
        let part = |image: Image, platform: Option<String>| {
            let arn = image.arn(region);
            Part { image, arn, platform }
        };
        let call = self.waiting.limited(async |limit| self.registry.image(name, limit).await);
        let image = match call.await.map_err(failed(REGISTRY))? {
            ports::Found::Image(image) => *image,
            ports::Found::NoRepository => {
                let repository = name.repository.clone();
                return Err(CannotTell::NoRepository { repository, place: place() }.into());
            }
            ports::Found::NoImage => {
                let image = name.to_string();
                return Err(CannotTell::NoImage { image, place: place() }.into());
            }
        };
        if image.is_archived() {
            return Err(CannotTell::Archived { image: name.to_string() }.into());
        }
        if !image.is_index() {
            return Ok(vec![part(image, None)]);
        }
        let ill = |why: String| CannotTell::IllManifest { image: name.to_string(), why };
        let call = self.waiting.limited(async |limit| self.registry.platforms(&image, limit).await);
        let platforms =
            call.await.map_err(|not| match not.failed.source.downcast_ref::<NotAnIndex>() {
                Some(why) => ill(why.to_string()).into(),
                None => failed(REGISTRY)(not),
            })?;
        if platforms.is_empty() {
            return Err(ill("it is an index that lists no image".to_owned()).into());
        }
        let digests: Vec<String> = platforms.iter().map(|one| one.digest.clone()).collect();
        let call =
            self.waiting.limited(async |limit| self.registry.images(name, &digests, limit).await);
        let images = call.await.map_err(failed(REGISTRY))?;
        let mut parts = Vec::with_capacity(platforms.len());
        for platform in platforms {
            let Some(image) = images.iter().find(|image| image.digest == platform.digest) else {
                let image = format!("{}@{}", name.repository, platform.digest);
                return Err(CannotTell::NoImage { image, place: place() }.into());
            };
            let part = part(image.clone(), Some(platform.to_string()));
            if part.image.is_archived() {
                return Err(CannotTell::Archived { image: part.name() }.into());
            }
            parts.push(part);
        }
        Ok(parts)
    }

    /// The scans of all parts, once they are done.
    async fn scans(&self, name: &ImageName, parts: &[Part]) -> Result<Vec<Done>, Unknown> {
        let mut is_explained = false;
        loop {
            let rows = self.coverage(parts).await?;
            let (mut done, mut missing) = (Vec::with_capacity(parts.len()), None);
            for part in parts {
                let own = rows.iter().filter(|row| row.resource == part.arn);
                match ScanState::of_resource(own, part.image.pushed_at) {
                    Some(ScanState::Scanned { at, once }) => done.push(Done { at, once }),
                    Some(ScanState::NotScanned { reason, scan }) => {
                        let (of, kind) = (part.name(), ECR_IMAGE.to_owned());
                        return Err(CannotTell::NotScanned { of, kind, scan, reason }.into());
                    }
                    Some(ScanState::Waiting { reason }) => {
                        missing.get_or_insert((part, Some(reason)));
                    }
                    None => {
                        missing.get_or_insert((part, None));
                    }
                }
            }
            let Some((part, reason)) = missing else { return Ok(done) };
            if reason.is_none() && !is_explained {
                self.explain(name, part).await?;
                is_explained = true;
            }
            let of = part.name();
            let progress = Progress::Scan { of: &of, reason: reason.as_deref() };
            let not_yet =
                |waited| CannotTell::NotYet { of: of.clone(), reason: reason.clone(), waited };
            self.waiting.pause(SCAN_PAUSE, progress, not_yet).await?;
        }
    }

    /// Inspector's coverage of all parts.
    async fn coverage(&self, parts: &[Part]) -> Result<Vec<Coverage>, Unknown> {
        let mut rows = Vec::with_capacity(parts.len());
        for parts in parts.chunks(NAMES_PER_CALL) {
            let arns: Vec<String> = parts.iter().map(|part| part.arn.clone()).collect();
            rows.extend(
                self.pages("a resource", async |token, limit| {
                    self.inspector.coverage_of(&arns, token, limit).await
                })
                .await?,
            );
        }
        Ok(rows)
    }

    /// Says why Inspector does not know of an image, if there is a reason by which it never will.
    async fn explain(&self, name: &ImageName, part: &Part) -> Result<(), Unknown> {
        if let Some(scan) = part.image.scan.as_ref().filter(|scan| scan.is_refusal()) {
            let description = Some(scan.description.clone()).filter(|text| !text.is_empty());
            let (of, status) = (part.name(), scan.status.clone());
            return Err(CannotTell::RegistryRefused { of, status, description }.into());
        }
        let call = self.waiting.limited(async |limit| self.registry.scanning(limit).await);
        let image = name.to_string();
        match call.await.map_err(failed(REGISTRY))?.of(&part.image) {
            Scanned::Basic => Err(CannotTell::NotEnhanced { image }.into()),
            Scanned::NoRule => Err(CannotTell::NoRule { image }.into()),
            // Which images it has scanned the registry of another account tells nobody else.
            Scanned::Enhanced(_) | Scanned::OtherRegistry => Ok(()),
        }
    }

    /// What Inspector lists of all parts.
    async fn findings(&self, parts: &[Part]) -> Result<Vec<Finding>, Unknown> {
        let mut all = Vec::new();
        for part in parts {
            let which = Which::OfImage(part.image.digest.clone());
            let listed = self.listed(which).await?;
            all.extend(listed.into_iter().filter(|finding| !is_of_a_copy(finding, part)));
        }
        Ok(all)
    }
}

const ECR_IMAGE: &str = "AWS_ECR_CONTAINER_IMAGE";

/// Whether a finding is of the same image in another repository, where it may be excepted otherwise. Whatever is not surely
/// of another one is of this.
fn is_of_a_copy(finding: &Finding, part: &Part) -> bool {
    finding.resources.iter().all(|resource| {
        let is_copy = resource.id.contains(":repository/")
            && resource.id.ends_with(&format!("/{}", part.image.digest));
        is_copy && resource.id != part.arn
    })
}
