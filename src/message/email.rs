//! The e-mail: subject, plain text of at most 72 columns, best first.

use std::fmt;

use askama::Template;

use crate::{
    announce::Why,
    assess::{Basis, Reason},
    finding::FixAvailable,
    record::Record,
    text,
};

use super::{
    Language, Message, attributes,
    facts::{Deed, Facts, Target},
    subject,
};

/// The widest line.
const WIDTH: usize = 72;

#[derive(Template)]
#[template(path = "email.en.txt", escape = "none")]
struct English<'a> {
    it: &'a Facts<'a>,
}

#[derive(Template)]
#[template(path = "email.ja.txt", escape = "none")]
struct Japanese<'a> {
    it: &'a Facts<'a>,
}

#[derive(Template)]
#[template(path = "reason.en.txt", escape = "none")]
struct EnglishReason<'a> {
    basis: &'a Basis,
}

#[derive(Template)]
#[template(path = "reason.ja.txt", escape = "none")]
struct JapaneseReason<'a> {
    basis: &'a Basis,
}

/// The e-mail that announces a record, for the reason `why`.
pub fn email(record: &Record, why: Why, language: Language) -> Message {
    let it = &Facts::new(record, why);
    let body = match language {
        Language::En => English { it }.to_string(),
        Language::Ja => Japanese { it }.to_string(),
    };
    Message {
        subject: subject::subject(record),
        body: fit(&body),
        attributes: attributes(record, why),
    }
}

/// A reason in words.
pub fn reason(basis: &Basis, language: Language) -> String {
    // A severity may be a word that we do not know: a stranger's.
    text::line(&match language {
        Language::En => EnglishReason { basis }.to_string(),
        Language::Ja => JapaneseReason { basis }.to_string(),
    })
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

/// Breaks lines longer than [`WIDTH`]; what follows is indented a little deeper than the line.
///
/// What is to be copied stays whole: lines with an address or an ARN, and words without a place
/// to break, such as paths.
fn fit(body: &str) -> String {
    let mut fitted = String::with_capacity(body.len() + 64);
    for line in body.trim_end().lines() {
        if line.contains("://") || line.contains("arn:") {
            fitted.push_str(line.trim_end());
            fitted.push('\n');
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let deeper = " ".repeat(if indent == 0 { 0 } else { indent + 2 });
        let options = textwrap::Options::new(WIDTH)
            .subsequent_indent(&deeper)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        fitted.push_str(&textwrap::fill(line.trim_end(), options));
        fitted.push('\n');
    }
    fitted
}

/// Helpers that the templates call.
impl Facts<'_> {
    fn reasons_in(&self, language: Language) -> impl Iterator<Item = String> {
        self.reasons.iter().map(move |Reason { points, basis }| {
            format!("{points:>+4}  {}", reason(basis, language))
        })
    }

    fn english_reasons(&self) -> impl Iterator<Item = String> {
        self.reasons_in(Language::En)
    }

    fn japanese_reasons(&self) -> impl Iterator<Item = String> {
        self.reasons_in(Language::Ja)
    }
}

/// A list of packages, three at most, each as `one` puts it.
fn list(
    targets: &[Target],
    separator: &str,
    one: impl Fn(&Target) -> String,
    more: impl Fn(usize) -> String,
) -> String {
    let named: Vec<String> = targets.iter().take(3).map(one).collect();
    let rest = targets.len().saturating_sub(named.len());
    let more = if rest > 0 { more(rest) } else { String::new() };
    format!("{}{more}", named.join(separator))
}

impl Deed {
    /// `openssl to 3.0.13 and 2 more`.
    fn english(targets: &[Target]) -> String {
        let one = |target: &Target| match &target.version {
            Some(version) => format!("{} to {version}", target.name),
            None => target.name.clone(),
        };
        list(targets, ", ", one, |rest| format!(" and {rest} more"))
    }

    /// `openssl を 3.0.13 に`.
    fn japanese(targets: &[Target]) -> String {
        let one = |target: &Target| match &target.version {
            Some(version) => format!("{} を {version} に", target.name),
            None => format!("{} を修正バージョンに", target.name),
        };
        list(targets, "、", one, |rest| format!("、ほか {rest} 件も"))
    }

    /// Names alone.
    fn names(targets: &[Target]) -> String {
        list(
            targets,
            ", ",
            |target| target.name.clone(),
            |rest| format!(" (+{rest})"),
        )
    }
}
