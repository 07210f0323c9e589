//! How messages are made.

use super::Language;
use crate::domain::{assess::Deadlines, finding::OwnerTags};

/// What can be set of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The language people are told in.
    pub language: Language,
    /// The tags that name the owner of a resource.
    pub owner_tags: OwnerTags,
    /// The rule by which due dates come about: what it says is said with them.
    pub deadlines: Deadlines,
}
