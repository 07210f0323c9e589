//! Text with a little structure, which each tracker has a mark-up of its own for.

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
    /// An address that may be clicked: one that this program has made, or that has been through [`crate::render::view`].
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
}
