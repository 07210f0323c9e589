//! Documents of which strangers wrote every word, for tests.

use proptest::{prelude::*, sample::select};

use super::{Block, Document, Inline};

/// What somebody might try.
const NASTY: &[&str] = &[
    "@octocat",
    "a@b.example",
    "@org/team",
    "#1",
    "GH-12",
    "octo/repo#7",
    "fixes #12",
    "closes octo/repo#1",
    "0123456789abcdef0123456789abcdef01234567",
    "deadbeef1",
    "https://evil.example/x",
    "http://x.y",
    "ftp://x.y/z",
    "www.evil.example",
    "WWW.evil.example",
    "mailto:a@b.example",
    "xmpp:a@b.example/c",
    "[a](https://evil.example)",
    "![a](https://evil.example/x.png)",
    "[a][b]",
    "[b]: https://evil.example",
    "[^1]",
    "[^1]: note",
    "<script>alert(1)</script>",
    "<img src=x onerror=y>",
    "<!-- x",
    "<https://evil.example>",
    "&lt;b&gt;",
    "&#64;octocat",
    "# heading",
    "a\n===",
    "a\n---",
    "---",
    "***",
    "___",
    "- point",
    "+ point",
    "* point",
    "1. one",
    "1) one",
    "> quote",
    "> [!NOTE]",
    "[ ] task",
    "[x] task",
    "    code",
    "\tcode",
    "```",
    "```sh\nrm\n```",
    "~~~",
    "`",
    "``",
    "a`b",
    "\\`a`",
    "`a",
    "a`",
    "| a | b |\n|---|---|",
    "a | b\n- | -",
    "*a*",
    "**a**",
    "_a_",
    "__a__",
    "~~a~~",
    "~a~",
    "$a$",
    "$`a`$",
    ":smile:",
    "\\",
    "\\\\",
    "a\\",
    "a\r\n\r\nb",
    "  \n",
    "a  ",
    "\u{a0}a",
    "\u{2028}# a",
    "/close",
    "]",
    "(",
    ")",
    "!",
    "![",
    "<",
    "&",
    "_",
    "*",
    "説明@here",
    "a_b_c",
    "1",
    ".",
    ")",
    "#",
    "@",
    ":",
    "w",
    "ww.a.b",
    "://a",
];

/// A text of a stranger.
pub fn text() -> BoxedStrategy<String> {
    let nasty = prop::collection::vec(select(NASTY), 1..4);
    let joined = (nasty, select(&["", " ", "\n", "\n\n", ", "][..]))
        .prop_map(|(parts, between)| parts.join(between));
    prop_oneof![3 => select(NASTY).prop_map(str::to_owned), 3 => joined, 1 => any::<String>()]
        .boxed()
}

fn inline() -> BoxedStrategy<Inline> {
    let url = text().prop_map(|path| format!("https://console.example/{path}"));
    prop_oneof![
        3 => text().prop_map(Inline::Text),
        1 => text().prop_map(Inline::Strong),
        1 => text().prop_map(Inline::Code),
        1 => (text(), prop_oneof![url, text()]).prop_map(|(text, url)| Inline::Link { text, url }),
    ]
    .boxed()
}

/// A document of such texts.
pub fn document() -> BoxedStrategy<Document> {
    let line = || prop::collection::vec(inline(), 0..4);
    let block = prop_oneof![
        text().prop_map(Block::Heading),
        line().prop_map(Block::Paragraph),
        prop::collection::vec(line(), 0..4).prop_map(Block::Points),
    ];
    prop::collection::vec(block, 0..5).prop_map(Document).boxed()
}

/// The inline parts of a block, a line each.
pub fn lines(block: &Block) -> Vec<Vec<Inline>> {
    match block {
        Block::Heading(text) => vec![vec![Inline::Text(text.clone())]],
        Block::Paragraph(inlines) => vec![inlines.clone()],
        Block::Points(points) => points.clone(),
    }
}

/// The text of a piece.
pub fn text_of(inline: &Inline) -> &str {
    match inline {
        Inline::Text(text)
        | Inline::Strong(text)
        | Inline::Code(text)
        | Inline::Link { text, .. } => text,
    }
}

/// All texts of a document, in order.
pub fn texts(document: &Document) -> impl Iterator<Item = &str> {
    document.0.iter().flat_map(|block| match block {
        Block::Heading(text) => vec![text.as_str()],
        Block::Paragraph(inlines) => inlines.iter().map(text_of).collect(),
        Block::Points(points) => points.iter().flatten().map(text_of).collect(),
    })
}
