//! Markdown, as GitHub reads it.
//!
//! GitHub looks for names, numbers, addresses, emojis and commits in the page after it was made, where a backslash is gone
//! already. It does not look into code: a word that may be taken for one of these stands as code, whole. Other mark-up is
//! escaped.

use super::{Block, Document, Inline, document::plain};

/// A text as Markdown.
pub fn markdown(document: &Document) -> String {
    let blocks = document.0.iter().filter_map(block);
    let mut out = blocks.collect::<Vec<_>>().join("\n\n");
    out.push('\n');
    out
}

fn block(block: &Block) -> Option<String> {
    match block {
        Block::Heading(text) => {
            line(&[Inline::Text(text.clone())]).map(|line| format!("### {line}"))
        }
        Block::Paragraph(inlines) => line(inlines),
        Block::Points(points) => {
            let points: Vec<_> = points.iter().filter_map(|p| line(p)).collect();
            let points = points.iter().map(|point| format!("- {point}"));
            let points = points.collect::<Vec<_>>().join("\n");
            (!points.is_empty()).then_some(points)
        }
    }
}

/// One line, if there is something in it.
fn line(inlines: &[Inline]) -> Option<String> {
    let mut out = String::new();
    // Texts side by side are read as one, and so may be alive together.
    let parts = inlines.chunk_by(|a, b| matches!((a, b), (Inline::Text(_), Inline::Text(_))));
    for part in parts {
        let next = match &part[0] {
            Inline::Text(_) => words(&part.iter().filter_map(text).collect::<String>()),
            Inline::Strong(text) => strong(text),
            Inline::Code(text) => code(text),
            Inline::Link { text, url } => link(text, url),
        };
        // Two fences that touch are one of another length.
        if out.ends_with('`') && next.starts_with('`') {
            out.push(' ');
        }
        // Before a link it would make a picture of it.
        if out.ends_with('!') && next.starts_with('[') {
            out.insert(out.len() - 1, '\\');
        }
        out.push_str(&next);
    }
    let line = out.trim();
    (!line.is_empty()).then(|| without_block(line))
}

fn text(inline: &Inline) -> Option<&str> {
    if let Inline::Text(text) = inline { Some(text) } else { None }
}

/// Words of text, with the spaces that there are at its ends.
fn words(text: &str) -> String {
    let text = plain(text);
    let mut out = String::with_capacity(text.len() + 8);
    for (at, word) in text.split(char::is_whitespace).filter(|word| !word.is_empty()).enumerate() {
        if at > 0 || text.starts_with(char::is_whitespace) {
            out.push(' ');
        }
        if is_alive(word) {
            out.push_str(&code(word));
        } else {
            escape(word, &mut out);
        }
    }
    if text.ends_with(char::is_whitespace) && !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// Whether GitHub may make something of a word: somebody's name, a number of an issue, an address, a commit, an emoji or
/// mathematics.
fn is_alive(word: &str) -> bool {
    let is_commit = |run: &str| run.len() >= 7 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lower = word.to_ascii_lowercase();
    word.contains(['@', '#', '$'])
        || word.matches(':').count() > 1
        || ["://", "www.", "gh-", "mailto:", "xmpp:"].iter().any(|sign| lower.contains(sign))
        || word.split(|c: char| !c.is_ascii_alphanumeric()).any(is_commit)
}

fn escape(word: &str, out: &mut String) {
    for c in word.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// A line that begins no list, quotation, rule or command of a robot, as which its first characters could be read.
fn without_block(line: &str) -> String {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = rest.len() < line.len() && rest.starts_with(['.', ')']);
    let at = if is_number { line.len() - rest.len() } else { 0 };
    if is_number || line.starts_with(['-', '+', '=', ':', '/']) {
        let (number, rest) = line.split_at(at);
        return format!("{number}\\{rest}");
    }
    line.to_owned()
}

fn strong(text: &str) -> String {
    let words = words(text);
    let inner = words.trim();
    if inner.is_empty() {
        return words;
    }
    let (before, after) = words.split_once(inner).unwrap_or_default();
    format!("{before}**{inner}**{after}")
}

/// Text as code, whole, in which nothing is mark-up, nobody is called by `@`, and no issue is meant by `#`.
pub fn code(text: &str) -> String {
    let text = plain(text);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // A backtick at an end would be one of the fence.
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A link, if it leads to a page that is secure.
fn link(text: &str, url: &str) -> String {
    let words = words(text);
    if !url.starts_with("https://") || words.trim().is_empty() {
        return words;
    }
    let mut address = String::with_capacity(url.len());
    for c in url.chars() {
        // Where Markdown would end the address, or read something else.
        let is_safe = c.is_ascii_alphanumeric() || "-._~:/?#@!$'+,;=%[]".contains(c);
        match c {
            '&' => address.push_str("&amp;"),
            c if is_safe => address.push(c),
            c => {
                let mut bytes = [0; 4];
                let bytes = c.encode_utf8(&mut bytes).bytes();
                address.extend(bytes.map(|byte| format!("%{byte:02X}")));
            }
        }
    }
    format!("[{}]({address})", words.trim())
}

#[cfg(test)]
mod tests {
    use comrak::{
        Arena, Options,
        nodes::{ListType, NodeValue},
        parse_document,
    };
    use proptest::prelude::*;

    use super::{super::hostile, *};

    fn of(text: &str) -> String {
        markdown(&Document(vec![Document::paragraph(text)])).trim_end().to_owned()
    }

    #[test]
    fn each_part_has_its_mark_up() {
        let url = "https://a.example/x(y)?a=1&b=2 3|<>".to_owned();
        let document = Document(vec![
            Block::Heading("What to do".into()),
            Block::Paragraph(vec![
                Inline::Text("See ".into()),
                Inline::Link { text: "the page".into(), url },
                Inline::Text(", and ".into()),
                Inline::Strong("act".into()),
            ]),
            Block::Points(vec![vec![Inline::Code("apt upgrade".into())], vec![]]),
        ]);
        assert_eq!(
            markdown(&document),
            "### What to do\n\nSee [the page](https://a.example/x%28y%29?a=1&amp;b=2%203%7C%3C%3E), and **act**\n\n\
             - `apt upgrade`\n"
        );
    }

    #[test]
    fn text_stays_readable_where_nothing_is_alive_in_it() {
        let text = "openssl 3.0.2-0ubuntu1.10 (libssl3), \"CVE-2024-1234\": fixed in 3.0.3!";
        assert_eq!(of(text), text);
    }

    #[test]
    fn what_github_would_make_something_of_is_code() {
        assert_eq!(of("ask @octocat, see octo/repo#7"), "ask `@octocat,` see `octo/repo#7`");
        assert_eq!(
            of("at https://a.example or www.a.example"),
            "at `https://a.example` or `www.a.example`"
        );
        assert_eq!(
            of("commit deadbeef1 of GH-12 :smile:"),
            "commit `deadbeef1` of `GH-12` `:smile:`"
        );
        assert_eq!(of("`@a`"), "`` `@a` ``");
    }

    #[test]
    fn no_line_begins_something() {
        assert_eq!(of("1. one"), r"1\. one");
        assert_eq!(of("- one"), r"\- one");
        assert_eq!(of("/close"), r"\/close");
        assert_eq!(of("# one"), "`#` one");
        assert_eq!(of("a\n\n---"), "a ---");
    }

    fn options() -> Options<'static> {
        let mut options = Options::default();
        options.extension.autolink = true;
        options.extension.table = true;
        options.extension.tasklist = true;
        options.extension.strikethrough = true;
        options.extension.footnotes = true;
        options.extension.alerts = true;
        options.extension.math_dollars = true;
        options.extension.math_code = true;
        options
    }

    /// What is to be seen of a text, whatever became of spaces, and of asterisks that are none of mark-up.
    fn seen(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '*').collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        #[test]
        fn nothing_is_alive_but_what_is_meant(document in hostile::document()) {
            let markdown = markdown(&document);
            let lines: Vec<_> = document.0.iter().flat_map(hostile::lines).collect();
            let links = lines.iter().flatten().filter_map(|inline| match inline {
                Inline::Link { url, .. } if url.starts_with("https://") => Some(url.clone()),
                _ => None,
            });
            let mut links: Vec<String> = links.collect();
            let (arena, mut found) = (Arena::new(), String::new());
            for node in parse_document(&arena, &markdown, &options()).descendants() {
                match &node.data().value {
                    NodeValue::Document | NodeValue::Paragraph | NodeValue::Strong | NodeValue::Item(_)
                    | NodeValue::SoftBreak => {}
                    NodeValue::List(list) => prop_assert_eq!(list.list_type, ListType::Bullet),
                    NodeValue::Heading(heading) => {
                        prop_assert!(heading.level == 3 && !heading.setext, "{}", &markdown);
                    }
                    NodeValue::Code(code) => found.push_str(&code.literal),
                    NodeValue::Text(text) => {
                        found.push_str(text);
                        let lower = text.to_ascii_lowercase();
                        for sign in ["@", "#", "://", "www.", "gh-", "mailto:", "$"] {
                            prop_assert!(!lower.contains(sign), "{} in {}", sign, &markdown);
                        }
                    }
                    NodeValue::Link(link) => {
                        prop_assert!(link.url.starts_with("https://") && link.title.is_empty());
                        let at = links.iter().position(|url| {
                            let host = |url: &str| url[8..].split(['/', ' ']).next().map(str::to_owned);
                            host(url) == host(&link.url)
                        });
                        prop_assert!(at.is_some(), "{}", &markdown);
                        links.remove(at.unwrap());
                    }
                    other => prop_assert!(false, "{:?} in {}", other, &markdown),
                }
            }
            let expected: String = hostile::texts(&document).map(seen).collect();
            prop_assert_eq!(seen(&found), expected, "{}", &markdown);
        }
    }
}
