//! How messages and tickets are made.

use super::{BadSetting, Environment, Settings};
use crate::{
    domain::{assess::Policy, finding::OwnerTags},
    render::Style,
};

/// `LANGUAGE`: `en` (default) or `ja`. `OWNER_TAGS`: the tags that name the owner of a resource, default `owner,team`.
impl Settings for Style {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        Ok(Self {
            language: environment
                .optional("LANGUAGE", "en or ja", |language| language.parse().ok())?
                .unwrap_or_default(),
            owner_tags: environment
                .optional("OWNER_TAGS", OwnerTags::EXPECTED, |tags| tags.parse().ok())?
                .unwrap_or_default(),
            deadlines: Policy::read(environment)?.deadlines,
        })
    }
}
