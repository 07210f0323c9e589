//! What to do, in a sentence.

use askama::Template;

use super::{
    Language,
    facts::{Deed, Facts},
    lists::{english, japanese},
};

#[derive(Template)]
#[template(path = "en/deed.txt", escape = "none")]
struct English<'a> {
    it: &'a Facts<'a>,
}

#[derive(Template)]
#[template(path = "ja/deed.txt", escape = "none")]
struct Japanese<'a> {
    it: &'a Facts<'a>,
}

/// What to do, in a sentence.
pub fn deed(it: &Facts<'_>, language: Language) -> String {
    match language {
        Language::En => English { it }.to_string(),
        Language::Ja => Japanese { it }.to_string(),
    }
}
