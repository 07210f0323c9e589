//! Parts of messages in words: what to do, why, by when.

pub mod coverage;
mod deadline;
#[cfg(feature = "cli")]
mod exception;
mod kind;
pub mod lists;
mod reason;
mod remediation;

use std::{fmt, str::FromStr};

use jiff::Timestamp;

pub use deadline::deadline;
#[cfg(feature = "cli")]
pub(super) use exception::why_uncovered;
pub use kind::kind;
#[cfg(feature = "cli")]
pub(super) use reason::Percent;
pub use reason::{reason, reasons};
#[cfg(feature = "cli")]
pub(super) use remediation::what_helps;
pub use remediation::{in_brief, what_to_do};

use crate::domain::round;

/// `1 finding`, `2 findings`.
#[cfg(feature = "cli")]
pub(super) fn number_of<N: fmt::Display + PartialEq + From<u8> + Copy>(
    number: N,
    thing: &str,
) -> String {
    let end = if number == N::from(1) { "" } else { "s" };
    format!("{number} {thing}{end}")
}

/// A day in UTC.
pub(super) struct Day<'a>(pub &'a Timestamp);

impl fmt::Display for Day<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        round::day(*self.0).fmt(f)
    }
}

/// The languages messages come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(code: &str) -> Result<Self, UnknownLanguage> {
        match code {
            "en" => Ok(Self::En),
            "ja" => Ok(Self::Ja),
            _ => Err(UnknownLanguage),
        }
    }
}

/// A language that messages do not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected en or ja")]
pub struct UnknownLanguage;

/// Makes a function that puts something into words, by a template a language.
macro_rules! wording {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident<$a:lifetime>($field:ident: $type:ty) by $english:tt, $japanese:tt) => {
        $(#[$doc])*
        $visibility fn $name<$a>($field: $type, language: $crate::render::Language) -> String {
            #[derive(askama::Template)]
            #[template(path = $english, escape = "none")]
            struct English<$a> {
                $field: $type,
            }

            #[derive(askama::Template)]
            #[template(path = $japanese, escape = "none")]
            struct Japanese<$a> {
                $field: $type,
            }

            match language {
                $crate::render::Language::En => English { $field }.to_string(),
                $crate::render::Language::Ja => Japanese { $field }.to_string(),
            }
        }
    };
}
pub(super) use wording;
