//! A registry of images, asked.

use super::NotAnswered;
use crate::{
    app::attempt::TimeLimit,
    domain::gate::{Image, ImageName, Platform, Scanning},
};

/// What a registry says when it is asked. An implementation repeats what may pass until `limit`.
pub trait Images {
    /// The Region that it is asked in.
    fn region(&self) -> Option<&str>;

    /// The image with this name. A name without a registry is looked up in that of whoever asks. In which Region the registry
    /// of a name is does not count here: all calls go to one.
    fn image(
        &self,
        image: &ImageName,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Found, NotAnswered>> + Send;

    /// The images with these digests, of the repository of `image`: those that there are.
    fn images(
        &self,
        image: &ImageName,
        digests: &[String],
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Image>, NotAnswered>> + Send;

    /// The images that an index lists, in its order, without what is no image. One that is in the archive cannot be read.
    fn platforms(
        &self,
        index: &Image,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Platform>, NotAnswered>> + Send;

    /// Which images the registry of whoever asks has scanned.
    fn scanning(
        &self,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Scanning, NotAnswered>> + Send;
}

/// What there is under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The registry has no such repository.
    NoRepository,
    /// The repository has no such image.
    NoImage,
    /// This image.
    Image(Box<Image>),
}
