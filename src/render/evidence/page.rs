//! A page of sections with tables, as HTML and as Markdown: the same words in both.

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{domain::digest, render::view::md};

/// The style of the page.
const STYLE: &str = include_str!("../templates/evidence/summary.css");

/// Up to how many characters a cell is on one line: a date, a CVE.
const SHORT: usize = 16;

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What it is.
    pub title: String,
    /// What it is about, in a line.
    pub about: String,
    /// Its parts.
    pub sections: Vec<Section>,
}

/// A part of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub heading: String,
    /// Sentences.
    pub said: Vec<String>,
    /// Tables.
    pub tables: Vec<Shown>,
    /// What a reader may miss here, and why it is not here.
    pub missing: Vec<String>,
}

/// A table of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// What it shows.
    pub caption: String,
    /// The names of its columns. The first column names the rows.
    pub columns: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

#[derive(Template)]
#[template(path = "evidence/summary.html")]
struct Html<'a> {
    page: &'a Page,
    policy: String,
    style: &'static str,
}

#[derive(Template)]
#[template(path = "evidence/summary.md", escape = "none")]
struct Markdown<'a> {
    page: &'a Page,
}

impl Page {
    /// One file of HTML that asks nobody for anything, and has no scripts.
    pub fn html(&self) -> String {
        let style = STANDARD.encode(digest::whole(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
        );
        Html { page: self, policy, style: STYLE }.to_string()
    }

    /// The same in Markdown.
    pub fn markdown(&self) -> String {
        Markdown { page: self }.to_string()
    }
}

impl Section {
    /// A section without anything yet.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), ..Self::default() }
    }

    /// The same with a sentence more.
    #[must_use]
    pub fn say(mut self, sentence: impl Into<String>) -> Self {
        self.said.push(sentence.into());
        self
    }

    /// The same with sentences more.
    #[must_use]
    pub fn say_all(mut self, sentences: impl IntoIterator<Item = String>) -> Self {
        self.said.extend(sentences);
        self
    }

    /// The same with a table more, unless that has no rows.
    #[must_use]
    pub fn show(mut self, table: Shown) -> Self {
        if !table.rows.is_empty() {
            self.tables.push(table);
        }
        self
    }

    /// The same with something more that is not here.
    #[must_use]
    pub fn miss(mut self, what: impl Into<String>) -> Self {
        self.missing.push(what.into());
        self
    }
}

/// How a cell is laid out: a number, or a dash in place of one, stands on the right, and what is short on one line.
fn class(cell: &str) -> &'static str {
    let is_number = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    match cell {
        _ if is_number || cell == "–" => " class=\"n\"",
        _ if cell.chars().count() <= SHORT => " class=\"s\"",
        _ => "",
    }
}
