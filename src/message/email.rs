//! The e-mail: subject, plain text of at most 72 columns, best first.

use std::fmt;

use askama::Template;
use textwrap::{WordSeparator, core::Word};

use crate::{
    assess::{Basis, Reason},
    finding::FixAvailable,
    record::{Record, Why},
    text,
};

use super::{
    Language, Message, attributes,
    facts::{Deed, Facts},
    links::Page,
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
    fn reasons_in(&self, language: Language) -> impl Iterator<Item = String> {
        self.reasons.iter().map(move |Reason { points, basis }| {
            format!("{points:>+4}  {}", reason(basis, language))
        })
    }
}

/// How many packages a sentence names before it says how many more there are.
const NAMED: usize = 3;

/// Lists as English has them.
mod english {
    use super::NAMED;

    /// `httpd and httpd-core`.
    pub fn names(names: &[String]) -> String {
        match names {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] if names.len() <= NAMED => {
                format!("{} and {last}", first.join(", "))
            }
            _ => format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED),
        }
    }

    /// `httpd and httpd-core to 2.4.67, curl to 8.1`.
    pub fn targets(targets: &[(Option<String>, Vec<String>)]) -> String {
        let named = targets.iter().take(NAMED).map(|(version, packages)| match version {
            Some(version) => format!("{} to {version}", names(packages)),
            None => names(packages),
        });
        let named = named.collect::<Vec<_>>().join(", ");
        match targets.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }
}

/// Lists as Japanese has them.
mod japanese {
    use super::NAMED;

    /// `httpd、httpd-core ほか 2 件`.
    pub fn names(names: &[String]) -> String {
        let first = names[..names.len().min(NAMED)].join("、");
        match names.len().saturating_sub(NAMED) {
            0 => first,
            more => format!("{first} ほか {more} 件"),
        }
    }

    /// `httpd、httpd-core を 2.4.67 に、curl を 8.1 に`.
    pub fn targets(targets: &[(Option<String>, Vec<String>)]) -> String {
        let named = targets.iter().take(NAMED).map(|(version, packages)| match version {
            Some(version) => format!("{} を {version} に", names(packages)),
            None => format!("{} を修正バージョンに", names(packages)),
        });
        let named = named.collect::<Vec<_>>().join("、");
        match targets.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named}、ほか {more} 件も"),
        }
    }
}

/// The words of a line, between which it may be broken: at spaces, and where Japanese, which has no
/// spaces, may be broken; but not within a path or a version, which are to be copied.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut ends: Vec<usize> = Vec::new();
    let mut end = 0;
    for word in WordSeparator::UnicodeBreakProperties.find_words(line) {
        end += word.word.len() + word.whitespace.len();
        let copied = |c: Option<char>| c.is_some_and(|c| c.is_ascii_graphic());
        let within = copied(line[..end].chars().next_back()) && copied(line[end..].chars().next());
        if !within {
            ends.push(end);
        }
    }
    let starts = std::iter::once(0).chain(ends.clone());
    Box::new(starts.zip(ends).map(|(start, end)| Word::from(&line[start..end])))
}

/// Breaks lines longer than [`WIDTH`]; what follows is indented a little deeper than the line.
///
/// What is to be copied stays whole: lines with an address or an ARN, and words without a place
/// to break, such as paths.
fn fit(body: &str) -> String {
    let mut fitted = String::with_capacity(body.len() + 64);
    for line in body.trim_end().lines().map(str::trim_end) {
        if line.contains("://") || line.contains("arn:") {
            fitted.push_str(line);
        } else {
            // Text after points lines up with itself.
            let start = line.trim_start();
            let indent = match line.len() - start.len() {
                _ if start.starts_with('+') => 6,
                0 => 0,
                indent => indent + 2,
            };
            let indent = " ".repeat(indent);
            let options = textwrap::Options::new(WIDTH)
                .subsequent_indent(&indent)
                .break_words(false)
                .word_separator(WordSeparator::Custom(words))
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            fitted.push_str(&textwrap::fill(line, options));
        }
        fitted.push('\n');
    }
    fitted
}
