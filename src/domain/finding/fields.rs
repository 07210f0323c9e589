//! Reading a JSON object field by field, knowing at every step where one is.
//!
//! A *required* field that is missing or of the wrong type ends the reading with a [`Malformed`]
//! that names path, expectation and what stood there. An *optional* field of the wrong type is
//! left out and noted as an [`Oddity`]: one strange field must not cost a finding.

use std::{cell::RefCell, fmt};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::date;
use crate::domain::text;

/// A field that had to be there and was not, or was of another type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct Malformed {
    /// Where, such as `detail.resources[0].id`.
    pub path: String,
    /// What should stand there.
    pub expected: &'static str,
    /// What stands there, shortened.
    pub found: String,
}

/// An optional field that could not be understood and was taken as unknown.
pub type Oddity = Malformed;

/// The place of an object in the document.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root(&'p str),
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root(name) => f.write_str(name),
            Path::Key(Path::Root(""), key) => f.write_str(key),
            Path::Key(parent, key) => write!(f, "{parent}.{key}"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// One JSON object, its place in the document, and where to note what is odd about it.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: Path<'a>,
    oddities: &'a RefCell<Vec<Oddity>>,
}

impl<'a> Fields<'a> {
    /// Starts at the object `value`, which is called `name` in errors; `name` may be empty.
    pub fn root(
        value: &'a Value,
        name: &'a str,
        oddities: &'a RefCell<Vec<Oddity>>,
    ) -> Result<Self, Malformed> {
        let object = value.as_object().ok_or_else(|| Malformed {
            path: if name.is_empty() { "event".to_owned() } else { name.to_owned() },
            expected: "an object",
            found: show(Some(value)),
        })?;
        Ok(Self { object, path: Path::Root(name), oddities })
    }

    /// The value of a field; `null` counts as not there.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// The error to give when this field is not what it must be.
    pub fn malformed(&self, key: &str, expected: &'static str) -> Malformed {
        Malformed {
            path: Path::Key(&self.path, key).to_string(),
            expected,
            found: show(self.object.get(key)),
        }
    }

    /// Reads an optional field with `read`; notes it as odd if it is there and `read` refuses it.
    fn optional<T>(
        &self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let found = read(value);
        if found.is_none() {
            self.oddities.borrow_mut().push(self.malformed(key, expected));
        }
        found
    }

    /// A required string with something in it.
    pub fn required_str(&self, key: &str) -> Result<&'a str, Malformed> {
        self.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.malformed(key, "a non-empty string"))
    }

    /// An optional string; an empty one counts as not there.
    pub fn str(&self, key: &str) -> Option<&'a str> {
        self.optional(key, "a string", Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// An optional string, cut to `max` bytes.
    pub fn text(&self, key: &str, max: usize) -> Option<String> {
        self.str(key).map(|text| text::cut_bytes(text, max))
    }

    /// An optional number from `low` to `high`.
    pub fn number(&self, key: &str, low: f64, high: f64) -> Option<f64> {
        self.optional(key, "a number in range", |value| {
            value.as_f64().filter(|number| (low..=high).contains(number))
        })
    }

    /// An optional whole number, not negative.
    pub fn whole(&self, key: &str) -> Option<u64> {
        self.optional(key, "a whole number", Value::as_u64)
    }

    /// An optional date in any form of [`date`].
    pub fn date(&self, key: &str) -> Option<Timestamp> {
        self.optional(key, "a date", date::read)
    }

    /// An optional object.
    pub fn object<'s>(&'s self, key: &'s str) -> Option<Fields<'s>> {
        let object = self.optional(key, "an object", Value::as_object)?;
        Some(Fields { object, path: Path::Key(&self.path, key), oddities: self.oddities })
    }

    /// An optional array, empty if it is not there.
    pub fn array<'s>(&'s self, key: &'s str) -> Array<'s> {
        let items = self.optional(key, "an array", Value::as_array);
        Array {
            items: items.map_or(&[], Vec::as_slice),
            path: Path::Key(&self.path, key),
            oddities: self.oddities,
        }
    }

    /// An optional object of strings, at most `max` of them; other values are left out.
    pub fn string_map(&self, key: &str, max: usize) -> Vec<(&'a str, &'a str)> {
        let object = self.optional(key, "an object of strings", Value::as_object);
        let strings = object.into_iter().flatten();
        strings.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).take(max).collect()
    }
}

/// One JSON array and its place in the document.
pub struct Array<'a> {
    items: &'a [Value],
    path: Path<'a>,
    oddities: &'a RefCell<Vec<Oddity>>,
}

impl Array<'_> {
    /// The objects in it; anything else in it is noted as odd.
    ///
    /// `read` gets each object; at most `max` of them.
    pub fn objects<T>(&self, max: usize, mut read: impl FnMut(Fields<'_>) -> Option<T>) -> Vec<T> {
        let mut found = Vec::with_capacity(self.items.len().min(max));
        for (index, value) in self.items.iter().enumerate() {
            if found.len() == max {
                break;
            }
            let path = Path::Index(&self.path, index);
            match value.as_object() {
                Some(object) => {
                    found.extend(read(Fields { object, path, oddities: self.oddities }));
                }
                None => self.note(path, "an object", value),
            }
        }
        found
    }

    /// The objects in it, every one of which must be one and be read.
    pub fn required_objects<T>(
        &self,
        max: usize,
        mut read: impl FnMut(Fields<'_>) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        self.items
            .iter()
            .take(max)
            .enumerate()
            .map(|(index, value)| {
                let path = Path::Index(&self.path, index);
                let object = value.as_object().ok_or_else(|| Malformed {
                    path: path.to_string(),
                    expected: "an object",
                    found: show(Some(value)),
                })?;
                read(Fields { object, path, oddities: self.oddities })
            })
            .collect()
    }

    /// The strings in it, each cut to `bytes`; anything else in it is noted as odd.
    pub fn strings(&self, max: usize, bytes: usize) -> Vec<String> {
        let mut found = Vec::with_capacity(self.items.len().min(max));
        for (index, value) in self.items.iter().enumerate().take(max) {
            match value.as_str() {
                Some(text) => found.push(text::cut_bytes(text, bytes)),
                None => self.note(Path::Index(&self.path, index), "a string", value),
            }
        }
        found
    }

    fn note(&self, path: Path<'_>, expected: &'static str, value: &Value) {
        let oddity = Oddity { path: path.to_string(), expected, found: show(Some(value)) };
        self.oddities.borrow_mut().push(oddity);
    }
}

/// A value as an error shows it: its type and the beginning of its text.
pub fn show(value: Option<&Value>) -> String {
    const LONGEST: usize = 60;
    match value {
        None => "nothing".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Bool(flag)) => format!("the boolean {flag}"),
        Some(Value::Number(number)) => format!("the number {number}"),
        Some(Value::String(text)) if text.is_empty() => "an empty string".to_owned(),
        Some(Value::String(text)) => {
            // Cut before cleaning: the string may be a megabyte long.
            let start = text::cut_bytes(text, 4 * LONGEST);
            format!("the string \"{}\"", text::short(&start, LONGEST))
        }
        Some(Value::Array(items)) if items.is_empty() => "an empty array".to_owned(),
        Some(Value::Array(items)) => format!("an array of {}", items.len()),
        Some(Value::Object(object)) => format!("an object with {} keys", object.len()),
    }
}
