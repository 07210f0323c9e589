//! Inspector's own suppression rules: what it hides by itself, for everybody.

use serde::Deserialize;
use serde_json::Value;
use serde_with::{DefaultOnNull, serde_as};

/// A rule by which Inspector hides findings.
#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuppressionRule {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The account or organisation that made it.
    #[serde(default)]
    #[serde_as(as = "DefaultOnNull")]
    pub owner_id: String,
    /// What its maker wrote.
    #[serde(default)]
    #[serde_as(as = "DefaultOnNull")]
    pub description: String,
    /// `SUPPRESS`, or `NONE` for a filter that hides nothing.
    pub action: String,
    /// What it hides, as Inspector and the AWS CLI write it.
    pub criteria: Value,
}

impl SuppressionRule {
    /// Reads one of the `filters` of `ListFilters`:
    /// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_Filter.html>.
    ///
    /// # Errors
    /// A field that must be there is missing, or not a text.
    pub fn read(value: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(value)
    }

    /// Whether it hides anything.
    pub fn suppresses(&self) -> bool {
        self.action == "SUPPRESS"
    }

    /// The Region that it is in, by its ARN.
    pub fn region(&self) -> Option<&str> {
        self.arn.split(':').nth(3).filter(|region| !region.is_empty())
    }
}
