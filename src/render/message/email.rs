//! The e-mail: subject, plain text of at most 72 columns, best first.

use textwrap::{WordSeparator, core::Word};

use super::{Language, Message, Style, attributes, subject};
use crate::{
    domain::{
        finding::Remediation,
        ledger::{Decision, WhyEnded},
        record::{AlertReason, Record},
    },
    render::{
        view::{AlertView, Page},
        words::{
            self,
            lists::{english, japanese},
            wording,
        },
    },
};

/// The widest line.
const WIDTH: usize = 72;

wording! {
    fn in_words<'a>(alert: &'a AlertView) by "en/email.txt", "ja/email.txt"
}

/// The e-mail that announces a record, for the reason `why`.
pub fn alert(record: &Record, why: AlertReason, style: &Style) -> Message {
    let body = in_words(&AlertView::new(record, why, style), style.language);
    Message {
        subject: Some(subject::subject(record)),
        body: fit(&body),
        attributes: attributes::alert(record, why, style),
    }
}

/// The words of a line, between which it may be broken: at spaces, and where Japanese, which has no
/// spaces, may be broken; but not within a path or a version, which are to be copied.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    // A label at the start of a line, such as `リソース:`, is one word with what follows it.
    let label = line.find(": ").filter(|end| !line[..*end].trim_start().contains(' '));
    let mut ends: Vec<usize> = Vec::new();
    let mut end = 0;
    for word in WordSeparator::UnicodeBreakProperties.find_words(line) {
        end += word.word.len() + word.whitespace.len();
        let copied = |c: Option<char>| c.is_some_and(|c| c.is_ascii_graphic());
        let within = copied(line[..end].chars().next_back()) && copied(line[end..].chars().next());
        if !within && label.is_none_or(|label| label + ": ".len() < end) {
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
pub fn fit(body: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_never_broken_in_two() {
        let path = "x".repeat(WIDTH);
        for label in ["  リソース:", "  Resource:", "対象:"] {
            let fitted = fit(&format!("{label} {path}"));
            assert!(fitted.starts_with(&format!("{label} {path}")), "{fitted}");
        }
    }
}
