//! What strangers wrote, as each format can take it.

use crate::{domain::text, render::view::safe};

/// How a stranger's text stands in a sentence: harmless, of at most so many characters.
pub type Quote = fn(&str, usize) -> String;

/// In a line of a log, or of plain text.
///
/// Runners look for commands in what is printed: `##[error]` and `##vso[…]` anywhere in a line, `::error::` at its
/// beginning, where no text of a stranger stands.
pub fn plain(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for c in safe(text, max).chars() {
        if c == '#' && out.ends_with('#') {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// In Markdown: as code, in which nothing is mark-up, nobody is called by `@`, and no issue is meant by `#`. A backslash
/// does not do that: GitHub and GitLab look for names and numbers in the page after it was made.
pub fn code(text: &str, max: usize) -> String {
    let text = plain(text, max).replace('`', "'").replace('|', "¦");
    // A space at an end would be taken off, and a text of nothing is no code.
    match text.trim() {
        "" => String::new(),
        text => format!("`{text}`"),
    }
}

/// Sentences in Markdown.
pub fn prose(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for c in safe(text, max).chars() {
        if matches!(out.chars().last(), Some('@' | '#')) && !c.is_whitespace() {
            out.push(' ');
        }
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '\'' | '"' | '(' | ')' | '/' | ':')
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// In a field of data: one line, whole but for what is out of bounds.
pub fn data(text: &str) -> String {
    text::short(text, 1024)
}

/// The end of a text says most where it is a path.
pub fn end_of(text: &str, max: usize) -> String {
    let text = text::line(text);
    let length = text.chars().count();
    if length <= max {
        return text;
    }
    let kept: String = text.chars().skip(length + 1 - max).collect();
    format!("{}{kept}", text::ELLIPSIS)
}

/// Whether a text is one line that nothing can come of.
#[cfg(test)]
pub fn is_line(line: &str) -> bool {
    !line.is_empty() && line == text::line(line) && !line.contains("##") && !line.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_log_is_a_command() {
        assert_eq!(plain("a\n##[error]b ###vso[c]", 80), "a # #[error]b # # #vso[c]");
        assert_eq!(plain("https://a.example <b>", 80), "https[:]//a.example ‹b›");
    }

    #[test]
    fn nothing_in_markdown_is_mark_up() {
        assert_eq!(code("a`b`|c @user #1", 80), "`a'b'¦c @user #1`");
        assert_eq!(code(" \n ", 80), "");
        assert_eq!(prose("*a* @user #1 [b](c) `d`", 80), r"\*a\* \@ user \# 1 \[b\] (c) \`d\`");
    }

    #[test]
    fn of_a_path_the_end_is_kept() {
        assert_eq!(end_of("usr/lib/python3/METADATA", 10), "…/METADATA");
        assert_eq!(end_of("METADATA", 10), "METADATA");
    }
}
