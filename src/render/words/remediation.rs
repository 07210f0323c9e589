//! What helps, in a sentence and in two or three words.

use super::{
    lists::{english, japanese},
    wording,
};
use crate::{domain::finding::Remediation, render::view::AlertView};

wording! {
    /// What to do, in a sentence: `Update log4j-core to 2.17.1 to remove CVE-2021-44832.`
    pub fn what_to_do<'a>(alert: &'a AlertView) by "en/remediation.txt", "ja/remediation.txt"
}

wording! {
    /// The same in two or three words: `fix 2.17.1`, `no fix yet`.
    pub fn in_brief<'a>(remediation: &'a Remediation) by "en/remediation-brief.txt", "ja/remediation-brief.txt"
}

/// What to do about a problem that is no alert, in a sentence, in English.
#[cfg(feature = "cli")]
pub(in crate::render) fn what_helps(remediation: Remediation, problem: String) -> String {
    /// What the template asks of an alert.
    struct Alert {
        remediation: Remediation,
        problem: String,
    }

    #[derive(askama::Template)]
    #[template(path = "en/remediation.txt", escape = "none")]
    struct English {
        alert: Alert,
    }

    English { alert: Alert { remediation, problem } }.to_string()
}
