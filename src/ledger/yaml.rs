//! YAML as a tree in which every value knows its place.
//!
//! The parser is a library's. What it says of a document is kept as it was written: a ledger has texts, lists and mappings,
//! and whether a text is a day or a number is for whoever reads it to say. An alias shares what it stands for, so that no
//! file is larger in memory than on disk.

use std::{collections::HashMap, rc::Rc};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::Problem;
use crate::domain::text;

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl From<Marker> for Place {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// A value and its place.
#[derive(Debug)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

/// A value.
#[derive(Debug)]
pub enum Value {
    /// Nothing, or `null`, or `~`.
    Nothing,
    /// Anything that is written as one word or text.
    Text(String),
    List(Vec<Rc<Node>>),
    Mapping(Vec<Entry>),
}

/// A key of a mapping, and what it has.
#[derive(Debug)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Rc<Node>,
}

impl Value {
    /// What kind of value it is, in words.
    pub fn kind(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Text(said) => format!("the text \"{}\"", text::short(said, 40)),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Mapping(entries) => format!("a mapping of {}", entries.len()),
        }
    }
}

/// A list or a mapping whose end has not come.
enum Unfinished {
    List(Vec<Rc<Node>>),
    /// With the key of which the value has not come.
    Mapping(Vec<Entry>, Option<(String, Place)>),
}

/// Reads the one document in a text.
///
/// # Errors
/// It is no YAML, or more than one document, or uses what no ledger needs.
pub fn read(source: &str) -> Result<Rc<Node>, Vec<Problem>> {
    let mut tree = Tree::default();
    let mut documents = 0;
    for event in Parser::new_from_str(source) {
        let (event, span) = event.map_err(|error| {
            vec![Problem::at(Place::from(*error.marker()), format!("no YAML: {}", error.info()))]
        })?;
        let place = Place::from(span.start);
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(vec![Problem::at(
                        place,
                        "a second document begins here; a ledger is one document".to_owned(),
                    )]);
                }
            }
            Event::Scalar(said, style, anchor, tag) => {
                tree.tag(tag.as_deref(), place);
                tree.scalar(said.into_owned(), style, anchor, place);
            }
            Event::SequenceStart(_, anchor, tag) => {
                tree.tag(tag.as_deref(), place);
                tree.open.push((Unfinished::List(Vec::new()), anchor, place));
            }
            Event::MappingStart(_, anchor, tag) => {
                tree.tag(tag.as_deref(), place);
                tree.open.push((Unfinished::Mapping(Vec::new(), None), anchor, place));
            }
            Event::SequenceEnd | Event::MappingEnd => tree.close(),
            Event::Alias(anchor) => tree.alias(anchor, place),
            _ => {}
        }
    }
    if !tree.problems.is_empty() {
        return Err(tree.problems);
    }
    let nothing = Node { place: Place { line: 1, column: 1 }, value: Value::Nothing };
    Ok(tree.root.unwrap_or_else(|| Rc::new(nothing)))
}

/// A document that is read.
#[derive(Default)]
struct Tree {
    root: Option<Rc<Node>>,
    /// What is not complete yet, the outermost first, with its anchor.
    open: Vec<(Unfinished, usize, Place)>,
    anchors: HashMap<usize, Rc<Node>>,
    problems: Vec<Problem>,
}

impl Tree {
    fn tag(&mut self, tag: Option<&Tag>, place: Place) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix().is_none()) {
            let what = format!("the tag {} is not taken", text::short(&tag.original(), 40));
            self.problems.push(Problem::at(place, what));
        }
    }

    fn scalar(&mut self, said: String, style: ScalarStyle, anchor: usize, place: Place) {
        let is_plain = matches!(style, ScalarStyle::Plain);
        let is_nothing = is_plain && matches!(said.as_str(), "" | "~" | "null" | "Null" | "NULL");
        if let Some((Unfinished::Mapping(entries, key @ None), ..)) = self.open.last_mut() {
            if entries.iter().any(|entry| entry.key == said) {
                let what = format!("the key {} stands here twice", text::short(&said, 40));
                self.problems.push(Problem::at(place, what));
            }
            *key = Some((said, place));
            return;
        }
        let value = if is_nothing { Value::Nothing } else { Value::Text(said) };
        self.done(Rc::new(Node { place, value }), anchor);
    }

    fn alias(&mut self, anchor: usize, place: Place) {
        let Some(node) = self.anchors.get(&anchor) else {
            let what = "an alias of something that is not complete here".to_owned();
            self.problems.push(Problem::at(place, what));
            return self.done(Rc::new(Node { place, value: Value::Nothing }), 0);
        };
        // What is wrong with a text or a list is shown where it is used.
        let value = match &node.value {
            Value::Nothing => Value::Nothing,
            Value::Text(said) => Value::Text(said.clone()),
            Value::List(items) => Value::List(items.clone()),
            Value::Mapping(_) => return self.done(Rc::clone(node), 0),
        };
        self.done(Rc::new(Node { place, value }), 0);
    }

    fn close(&mut self) {
        let Some((unfinished, anchor, place)) = self.open.pop() else { return };
        let value = match unfinished {
            Unfinished::List(items) => Value::List(items),
            Unfinished::Mapping(entries, _) => Value::Mapping(entries),
        };
        self.done(Rc::new(Node { place, value }), anchor);
    }

    /// Puts a complete value where it belongs.
    fn done(&mut self, node: Rc<Node>, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some((Unfinished::List(items), ..)) => items.push(node),
            Some((Unfinished::Mapping(entries, key), ..)) => {
                if let Some((key, place)) = key.take() {
                    entries.push(Entry { key, place, value: node });
                    return;
                }
                let what = "a key is a text, not a list, a mapping or an alias".to_owned();
                self.problems.push(Problem::at(node.place, what));
                *key = Some((String::new(), node.place));
            }
        }
    }
}
