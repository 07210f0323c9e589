//! The report: a review as a page, as Markdown, or as rows for a spreadsheet.
//!
//! The numbers are those of the [`Review`], and nothing here counts. A page asks nobody for anything: all that it needs is inside, and
//! its policy lets nothing else in.

mod chart;
mod line;
mod words;

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

pub use line::Line;
use words::Words;

use super::{
    Language,
    view::{md, moment, safe},
};
use crate::domain::{
    digest,
    review::{Attention, FirstThing, Owner, Review, Why},
};

/// The style of the page.
const STYLE: &str = include_str!("../templates/report/report.css");
/// What the page can do beside being read.
const SCRIPT: &str = include_str!("../templates/report/report.js");
/// The spans of the chart of due dates in days: three before now, three after.
const SPAN_MARKS: [&str; 6] = [">30", "8–30", "≤7", "≤7", "8–30", ">30"];

/// How many findings are in one part of the table, which a browser lays out when it comes into sight.
const PART: usize = 1000;

/// A report, and the findings that are open, the most urgent first.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The review.
    pub review: &'a Review,
    /// What is open.
    pub lines: &'a [Line],
    /// How many findings that are less urgent are not among them.
    pub left_out: usize,
    /// Where it comes from, such as the name of a table.
    pub source: &'a str,
    /// The language.
    pub language: Language,
}

#[derive(Template)]
#[template(path = "report/report.html")]
struct Page<'a> {
    w: &'static Words,
    review: &'a Review,
    lines: &'a [Line],
    left_out: usize,
    source: String,
    as_of: String,
    since: String,
    policy: String,
    style: &'static str,
    script: &'static str,
    wave: chart::Wave,
    trend: Option<chart::Trend>,
    bars: Vec<chart::Bar<'a>>,
}

#[derive(Template)]
#[template(path = "report/report.md", escape = "none")]
struct Markdown<'a> {
    w: &'static Words,
    review: &'a Review,
    lines: &'a [Line],
    source: String,
    as_of: String,
    since: String,
}

impl Report<'_> {
    /// One file of HTML, readable without scripts.
    pub fn html(&self) -> String {
        Page {
            w: Words::of(self.language),
            review: self.review,
            lines: self.lines,
            left_out: self.left_out,
            source: safe(self.source, 200),
            as_of: moment(self.review.figures.as_of).to_string(),
            since: self.since(),
            policy: policy(),
            style: STYLE,
            script: SCRIPT,
            wave: chart::wave(&self.review.due_in),
            trend: chart::trend(&self.review.trend),
            bars: chart::bars(&self.review.first_things),
        }
        .to_string()
    }

    /// The same in Markdown: what to do and the numbers, and of the findings the most urgent.
    pub fn markdown(&self) -> String {
        /// As many findings as somebody reads in an issue or a wiki.
        const SHOWN: usize = 50;
        Markdown {
            w: Words::of(self.language),
            review: self.review,
            lines: &self.lines[..self.lines.len().min(SHOWN)],
            source: safe(self.source, 200),
            as_of: moment(self.review.figures.as_of).to_string(),
            since: self.since(),
        }
        .to_string()
    }

    fn since(&self) -> String {
        let since: Option<Timestamp> = self.review.figures.since;
        since.map(|since| moment(since).to_string()).unwrap_or_default()
    }
}

/// What the page may do: apply this very style and run this very script, and nothing else, whatever gets into it.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(digest::whole(text)));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
    )
}

/// A number of days, or a dash.
fn days(days: Option<&u64>) -> String {
    days.map_or_else(|| "–".to_owned(), u64::to_string)
}

/// An update in words: packages and version.
fn update(thing: &FirstThing) -> String {
    package(&thing.package, thing.version.as_deref())
}

fn package(name: &str, version: Option<&str>) -> String {
    let name = safe(name, 120);
    match version {
        Some(version) => format!("{name} {}", safe(version, 60)),
        None => name,
    }
}

/// The update that an owner begins with, and how many of their findings go with it.
fn first_thing(owner: &Owner) -> String {
    let first = owner.first_thing.as_ref();
    let words = first.map(|first| {
        let update = package(&first.package, first.version.as_deref());
        format!("{update} ({})", first.findings)
    });
    words.unwrap_or_default()
}

/// The first owners of an update, and how many more there are.
fn owners(thing: &FirstThing) -> String {
    const SHOWN: usize = 3;
    let named: Vec<String> = thing.owners.iter().take(SHOWN).map(|one| safe(one, 60)).collect();
    match thing.owners.len().saturating_sub(SHOWN) {
        0 => named.join(", "),
        more => format!("{} +{more}", named.join(", ")),
    }
}

/// Who an owner is.
fn owner<'a>(owner: &'a Owner, words: &'a Words) -> String {
    owner.owner.as_deref().map_or_else(|| words.nobody.to_owned(), |owner| safe(owner, 80))
}

/// Why somebody has to look at an exception.
fn why(attention: &Attention, words: &Words) -> String {
    let word = |why: &Why| match why {
        Why::Ended => words.ended_word,
        Why::Ending => words.ending,
        Why::ReviewDue => words.review_due,
        Why::Unused => words.unused,
    };
    attention.why.iter().map(word).collect::<Vec<_>>().join(", ")
}
