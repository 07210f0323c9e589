//! The reasons for a score in words.

use std::fmt;

use askama::Template;

use crate::domain::{
    assess::{Basis, Reason},
    finding::FixAvailable,
    text,
};

use super::{Language, facts::Facts};

#[derive(Template)]
#[template(path = "en/reason.txt", escape = "none")]
struct EnglishReason<'a> {
    basis: &'a Basis,
}

#[derive(Template)]
#[template(path = "ja/reason.txt", escape = "none")]
struct JapaneseReason<'a> {
    basis: &'a Basis,
}

/// A reason in words.
pub fn reason(basis: &Basis, language: Language) -> String {
    // A severity may be a word that we do not know: a stranger's.
    text::defused(&text::line(&match language {
        Language::En => EnglishReason { basis }.to_string(),
        Language::Ja => JapaneseReason { basis }.to_string(),
    }))
}

/// A probability in per cent, with two figures that matter: `94 %`, `0.042 %`.
struct Percent<'a>(&'a f64);

impl fmt::Display for Percent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        let decimals = match percent {
            p if p >= 10.0 || p == 0.0 => 0,
            p if p >= 1.0 => 1,
            p if p >= 0.1 => 2,
            _ => 3,
        };
        write!(f, "{percent:.decimals$} %")
    }
}

impl Facts<'_> {
    /// The reasons, one a line, with their points.
    pub fn reasons_in(&self, language: Language) -> impl Iterator<Item = String> {
        self.reasons.iter().map(move |Reason { points, basis }| {
            format!("{points:>+4}  {}", reason(basis, language))
        })
    }
}
