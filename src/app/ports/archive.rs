//! A place for reports.

use crate::app::failure::CallFailed;

/// Where reports are kept, for those who may read there.
pub trait Archive {
    /// What the place is called: the name of a bucket. None where there is no place; then nothing can be kept.
    fn place(&self) -> Option<&str>;

    /// Keeps an object under its key, in place of the one that is there. Whoever calls it has seen that there is a
    /// [`place`](Self::place); without one it fails, and asks nobody.
    fn keep(
        &self,
        object: ArchivedObject<'_>,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}

/// What is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedObject<'a> {
    /// Its name within the place, beginning with [`REVIEWS`]: at most 1024 bytes.
    pub key: &'a str,
    /// What it is, as HTTP says it, such as `text/html; charset=utf-8`.
    pub content_type: &'a str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What the keys of reviews begin with. The role of the function may write nothing else.
pub const REVIEWS: &str = "reviews/";
