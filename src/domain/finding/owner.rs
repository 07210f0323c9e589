//! Whose finding it is: the tag of a resource that names its owner.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::Finding;

/// The tags that name the owner of a resource, the first of them that it has. Their case does not matter: estates have
/// `Owner` beside `owner`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerTags(Vec<String>);

impl OwnerTags {
    /// What a text must be to be read as some.
    pub const EXPECTED: &str = "at most 10 names of tags such as owner,team";

    /// The owner that the tags of a resource name, if they do.
    pub fn owner_in<'a>(&self, tags: &'a BTreeMap<String, String>) -> Option<&'a str> {
        self.0.iter().find_map(|name| {
            let (_, value) = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(value.trim()).filter(|value| !value.is_empty())
        })
    }
}

impl Default for OwnerTags {
    fn default() -> Self {
        Self(["owner", "team"].map(str::to_owned).into())
    }
}

impl FromStr for OwnerTags {
    type Err = NotOwnerTags;

    fn from_str(text: &str) -> Result<Self, NotOwnerTags> {
        let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        let allowed = tags.len() <= 10 && tags.iter().all(|tag| (1..=128).contains(&tag.len()));
        if allowed { Ok(Self(tags)) } else { Err(NotOwnerTags) }
    }
}

impl fmt::Display for OwnerTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// A text that names no tags.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", OwnerTags::EXPECTED)]
pub struct NotOwnerTags;

impl Finding {
    /// The owner of the first resource that has one, as a tag of it says.
    pub fn owner(&self, tags: &OwnerTags) -> Option<&str> {
        self.resources.iter().find_map(|resource| tags.owner_in(&resource.tags))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::finding::sample;

    #[test]
    fn the_first_tag_that_a_resource_has_names_its_owner() {
        let owner = |tags: Value, by: &str| {
            let finding = sample::with(|f| f["resources"][0]["tags"] = tags);
            finding.owner(&by.parse().unwrap()).map(str::to_owned)
        };
        let both = json!({"team": "shop", "Owner": "payments"});
        assert_eq!(owner(both.clone(), "owner,team").as_deref(), Some("payments"));
        assert_eq!(owner(both, "team, owner").as_deref(), Some("shop"));
        assert_eq!(
            owner(json!({"team": "shop", "owner": " "}), "owner,team").as_deref(),
            Some("shop")
        );
        assert_eq!(owner(json!({"Name": "web-1"}), "owner,team"), None);
        for text in ["", "owner,", &["a"; 11].join(","), &"a".repeat(129)] {
            assert_eq!(text.parse::<OwnerTags>(), Err(NotOwnerTags), "{text}");
        }
    }
}
