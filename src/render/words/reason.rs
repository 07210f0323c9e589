//! The reasons for a score in words.

use std::fmt;

use crate::domain::{
    assess::{Factor, Reason},
    finding::FixAvailable,
    text,
};

use super::{Day, Language, wording};

wording! {
    fn in_words<'a>(factor: &'a Factor) by "en/reason.txt", "ja/reason.txt"
}

/// How many characters of what CISA says to do there is room for.
const ACTION: usize = 300;

/// A reason in words.
pub fn reason(factor: &Factor, language: Language) -> String {
    // A severity may be a word that we do not know: a stranger's.
    text::defang(&text::line(&in_words(factor, language)))
}

/// A probability in per cent, with two figures that matter: `94 %`, `0.042 %`.
pub(in crate::render) struct Percent<'a>(pub &'a f64);

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

/// As much of a stranger's text as a reason has room for.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::short(self.0, ACTION))
    }
}

/// Reasons in words, one a line, with their points.
pub fn reasons(reasons: &[Reason], language: Language) -> impl Iterator<Item = String> {
    reasons
        .iter()
        .map(move |Reason { points, factor }| format!("{points:>+4}  {}", reason(factor, language)))
}
