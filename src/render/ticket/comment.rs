//! Comments: what is new of a ticket's findings.

use super::{Block, Document, Inline, lines::of_resources, phrase::Phrase};
use crate::{
    domain::{
        record::Record,
        ticket::{Changed, MemberState, Movement, News, Standing},
    },
    render::Style,
};

/// How many resources are listed of each change.
const RESOURCES: usize = 20;

/// What a comment is about.
pub enum Comment<'a> {
    /// What is new.
    Changed {
        /// What.
        news: &'a News<'a>,
        /// Where the ticket was to go with it.
        movement: Movement,
        /// Whether it is there.
        has_moved: bool,
    },
    /// That findings are open of a ticket that a person has closed.
    StillOpen,
}

/// The comment, which ends with `mark`, if there is one.
pub fn comment(
    comment: &Comment<'_>,
    standing: &Standing<'_>,
    mark: &str,
    style: &Style,
) -> Document {
    let say = |phrase: Phrase| phrase.in_words(style.language);
    let mut blocks = Vec::new();
    match comment {
        Comment::Changed { news, movement, has_moved } => {
            let has_moved_on = news.changed.iter().any(|(what, _)| *what == Changed::Moved);
            let moved = match (movement, has_moved) {
                (Movement::Stay, _) => None,
                (Movement::Close, true) if has_moved_on => Some(Phrase::ClosedHere),
                (Movement::Close, true) => Some(Phrase::Closed),
                (Movement::Close, false) => Some(Phrase::NotClosed),
                (Movement::Reopen, true) => Some(Phrase::Reopened),
                (Movement::Reopen, false) => Some(Phrase::NotReopened),
            };
            let moved = moved.map(|phrase| Block::Paragraph(vec![Inline::Strong(say(phrase))]));
            blocks.extend(moved);
            blocks.extend(
                news.facts.iter().map(|fact| Document::paragraph(say(Phrase::Fact(*fact)))),
            );
            for (what, records) in &news.changed {
                let changed = say(Phrase::Changed { what: *what, count: records.len() });
                blocks.push(Document::paragraph(format!("{changed}:")));
                blocks.push(of_resources(records, RESOURCES, style));
            }
        }
        Comment::StillOpen => {
            let open: Vec<&Record> = standing.in_state(MemberState::Open).collect();
            blocks.push(Document::paragraph(say(Phrase::StillOpen(open.len()))));
            blocks.push(of_resources(&open, RESOURCES, style));
        }
    }
    if !mark.is_empty() {
        blocks.push(Block::Paragraph(vec![Inline::Code(mark.to_owned())]));
    }
    Document(blocks)
}
