//! Tickets: what they say, and what is said in them of what has changed.

mod adf;
mod card;
mod comment;
mod document;
#[cfg(test)]
mod hostile;
mod lines;
mod markdown;
mod phrase;

use jiff::civil::Date;

pub use adf::adf;
pub use card::card;
pub use comment::{Comment, comment};
pub use document::{Block, Document, Inline};
pub use markdown::{code, markdown};

use crate::domain::assess::Priority;

/// What a ticket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The title: one line of at most [`TITLE`] characters, harmless as plain text.
    pub title: String,
    /// The text.
    pub text: Document,
    /// The highest class of what is open of it.
    pub priority: Priority,
    /// By when to act, in UTC.
    pub due: Option<Date>,
}

/// The longest title: Jira takes 255 characters, GitHub 256.
pub const TITLE: usize = 200;
