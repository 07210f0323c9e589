//! JSON objects that know where in the answer they stand.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::{
    finding::{Malformed, date, show},
    text,
};

/// An object of the answer, and its path, such as `sbom.vulnerabilities[3]`.
#[derive(Clone, Debug)]
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Object<'a> {
    /// The object `value`, which stands at `path`; empty is the beginning of the document.
    pub(super) fn of(value: &'a Value, path: String) -> Result<Self, Malformed> {
        match value.as_object() {
            Some(map) => Ok(Self { map, path }),
            None => Err(Malformed {
                path: if path.is_empty() { "the answer".to_owned() } else { path },
                expected: "an object",
                found: show(Some(value)),
            }),
        }
    }

    /// The value of a field; `null` counts as not there.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Whether it has one of these fields, even as `null`.
    pub(super) fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.map.contains_key(*key))
    }

    /// The fields in it.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.map.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The path of a field.
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The error to give when a field is not what it must be.
    pub(super) fn malformed(&self, key: &str, expected: &'static str) -> Malformed {
        Malformed { path: self.path_of(key), expected, found: show(self.map.get(key)) }
    }

    /// A string with something in it; `None` if it is missing, or something else.
    pub(super) fn str(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// A string that has to be there.
    pub(super) fn required_str(&self, key: &str) -> Result<&'a str, Malformed> {
        self.str(key).ok_or_else(|| self.malformed(key, "a non-empty string"))
    }

    /// A string, cut to `max` bytes.
    pub(super) fn text(&self, key: &str, max: usize) -> Option<String> {
        self.str(key).map(|text| text::cut_bytes(text, max))
    }

    /// A date in any form that Inspector has.
    pub(super) fn date(&self, key: &str) -> Option<Timestamp> {
        self.get(key).and_then(date::read)
    }

    /// An object that may be missing, and must be one if it is there.
    pub(super) fn object(&self, key: &str) -> Result<Option<Self>, Malformed> {
        self.get(key).map(|value| Self::of(value, self.path_of(key))).transpose()
    }

    /// A list that may be missing, and must be one if it is there.
    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], Malformed> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.malformed(key, "an array")),
        }
    }

    /// A list of objects, each of which must be one. One that is left out could be the one that matters.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Self>, Malformed> {
        let path = self.path_of(key);
        let items = self.list(key)?.iter().enumerate();
        items.map(|(index, item)| Self::of(item, format!("{path}[{index}]"))).collect()
    }

    /// The strings of a list, at most `max`, each cut to `bytes`; other values are left out.
    pub(super) fn strings(
        &self,
        key: &str,
        max: usize,
        bytes: usize,
    ) -> Result<Vec<String>, Malformed> {
        let strings = self.list(key)?.iter().filter_map(Value::as_str);
        Ok(strings.take(max).map(|text| text::cut_bytes(text, bytes)).collect())
    }
}

/// Begins the names of the properties that the scanner adds to an SBOM:
/// <https://docs.aws.amazon.com/inspector/latest/user/cyclonedx-namespace.html>.
pub(super) const NAMESPACE: &str = "amazon:inspector:sbom_scanner:";

/// What the scanner says of something, by name: as `properties` of CycloneDX, a list of names and values, or as an object.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties<'a>(Vec<(&'a str, &'a Value)>);

impl<'a> Properties<'a> {
    /// The properties of `object`. Those of others are left out of a list.
    pub(super) fn of(object: &Object<'a>) -> Result<Self, Malformed> {
        if object.get("properties").is_some_and(Value::is_object) {
            let fields = object.object("properties")?;
            return Ok(Self(fields.iter().flat_map(Object::fields).collect()));
        }
        let mut properties = Vec::new();
        for property in object.objects("properties")? {
            let name = property.str("name").and_then(|name| name.strip_prefix(NAMESPACE));
            properties.extend(name.zip(property.get("value")));
        }
        Ok(Self(properties))
    }

    /// All of them, by name.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().copied()
    }

    /// The first value of this name, if it is something.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.all(name).next()
    }

    /// All values of this name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a Value> {
        let named = self.0.iter().filter(move |(known, _)| *known == name);
        named.map(|(_, value)| *value).filter(|value| !value.is_null() && *value != "")
    }

    /// A text.
    pub(super) fn str(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A date.
    pub(super) fn date(&self, name: &str) -> Option<Timestamp> {
        self.get(name).and_then(date::read)
    }

    /// Yes or no; `None` if it says neither.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(flag)
    }
}

/// Yes or no, as a boolean or a word.
pub(super) fn flag(value: &Value) -> Option<bool> {
    let is = |words: [&str; 2]| {
        value.as_str().is_some_and(|text| words.iter().any(|word| word.eq_ignore_ascii_case(text)))
    };
    let yes = is(["true", "yes"]).then_some(true);
    value.as_bool().or(yes).or_else(|| is(["false", "no"]).then_some(false))
}

/// A whole number, also as text.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}
