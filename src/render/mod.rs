//! How it reads: domain in, text out.
//!
//! Wording lives in `templates/`, a folder a language, checked when the program is built. What a template shows is
//! prepared in `view` and has been through [`crate::domain::text`]: nothing that a stranger wrote reaches a reader alive.

#[cfg(feature = "cli")]
pub mod evidence;
#[cfg(feature = "cli")]
pub mod gate;
pub mod message;
pub mod report;
mod style;
pub mod ticket;
mod view;
pub mod words;

pub use style::Style;
pub use words::{Language, reason};
