//! How messages are made.

use super::Language;
use crate::domain::finding::OwnerTags;

/// What can be set of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The language people are told in.
    pub language: Language,
    /// The tags that name the owner of a resource.
    pub owner_tags: OwnerTags,
}
