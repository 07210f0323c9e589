//! By what a deployment judges: kept with the figures of each day, so that a due date can be explained long after it was set.

use serde::{Deserialize, Serialize};

use super::{
    assess::Policy,
    finding::{OwnerTags, Scope, Severity},
};

/// The settings of a deployment that decide what is recorded, how urgent it is, by when it is due and whose it is. Each is
/// written as the setting of the functions is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// The version of the program.
    pub version: String,
    /// What the assessments are stamped with: [`Policy::stamp`].
    pub policy: String,
    /// By which rule due dates come about.
    pub deadlines: String,
    /// The days within which P1 to P4 have to be dealt with, with commas between.
    pub days: String,
    /// The tags of resources that matter more than others.
    pub urgent_tags: String,
    /// The severities that are recorded.
    pub severities: String,
    /// The EPSS from which on MEDIUM is recorded, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium_from_epss: Option<f64>,
    /// The tags that name the owner of a resource.
    pub owner_tags: String,
}

impl Rules {
    /// The rules of a deployment with these settings.
    pub fn of(policy: &Policy, scope: &Scope, owner_tags: &OwnerTags) -> Self {
        let severities: Vec<&str> = scope.severities.iter().map(Severity::as_str).collect();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: policy.stamp(),
            deadlines: policy.deadlines.to_string(),
            days: policy.sla.to_string(),
            urgent_tags: policy.urgent_tags.to_string(),
            severities: severities.join(","),
            medium_from_epss: scope.medium_from_epss,
            owner_tags: owner_tags.to_string(),
        }
    }
}
