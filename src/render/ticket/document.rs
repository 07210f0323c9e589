//! Text with a little structure, which each tracker has a mark-up of its own for.

use crate::domain::text;

/// A text of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document(pub Vec<Block>);

/// A part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// Points, each a line of its own.
    Points(Vec<Vec<Inline>>),
}

/// A piece of a line. Its text is as a person is to read it: what of it a tracker would take for mark-up is escaped where
/// the mark-up is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Text.
    Text(String),
    /// Text that stands out.
    Strong(String),
    /// What is to be copied: a name, a version, a command.
    Code(String),
    /// An address that may be clicked: one that this program has made, or that has been through `render::view`.
    Link {
        /// What is read.
        text: String,
        /// Where it leads; `https://` always.
        url: String,
    },
}

impl Document {
    /// A paragraph of plain text.
    pub fn paragraph(text: impl Into<String>) -> Block {
        Block::Paragraph(vec![Inline::Text(text.into())])
    }

    /// The document without so much of its end that what `written` makes of it has at most `max` bytes. A last paragraph
    /// shows that something is missing.
    pub fn within<T>(
        &self,
        max: usize,
        written: impl Fn(&Self) -> T,
        size: impl Fn(&T) -> usize,
    ) -> T {
        let whole = written(self);
        if size(&whole) <= max {
            return whole;
        }
        // The most parts that fit: `fit` of them do, and `too_many` do not.
        let parts =
            |block: &Block| if let Block::Points(points) = block { points.len() } else { 1 };
        let (mut fit, mut too_many) = (0, self.0.iter().map(parts).sum());
        let mut best = written(&self.beginning(0));
        while fit + 1 < too_many {
            let middle = usize::midpoint(fit, too_many);
            let cut = written(&self.beginning(middle));
            if size(&cut) <= max {
                (fit, best) = (middle, cut);
            } else {
                too_many = middle;
            }
        }
        best
    }

    /// The first blocks and points, so many together, and a paragraph that shows that something is missing.
    fn beginning(&self, parts: usize) -> Self {
        let mut left = parts;
        let mut blocks = Vec::new();
        for block in &self.0 {
            if left == 0 {
                break;
            }
            match block {
                Block::Points(points) => {
                    let points = &points[..left.min(points.len())];
                    left -= points.len();
                    blocks.push(Block::Points(points.to_vec()));
                }
                block => {
                    left -= 1;
                    blocks.push(block.clone());
                }
            }
        }
        blocks.push(Self::paragraph(text::ELLIPSIS));
        Self(blocks)
    }
}

/// Text on one line: what is no character to be seen, or ends a line, is a space.
pub(super) fn plain(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if is_break(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_cut_at_its_end_and_says_so() {
        let point = |number: usize| vec![Inline::Text(format!("point {number}"))];
        let document = Document(vec![
            Document::paragraph("first"),
            Block::Points((0..9).map(point).collect()),
            Document::paragraph("last"),
        ]);
        let written = |document: &Document| format!("{document:?}");
        let whole = written(&document);
        assert_eq!(document.within(whole.len(), written, String::len), whole);
        let max = whole.len() / 2;
        let cut = document.within(max, written, String::len);
        assert!(cut.len() <= max && cut.contains("first") && cut.contains("point 0"), "{cut}");
        assert!(!cut.contains("point 8") && cut.contains('…'), "{cut}");
        assert!(document.within(0, written, String::len).contains('…'));
    }
}
