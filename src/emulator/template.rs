//! What `template.yaml` says about the table and the rules.
//!
//! CloudFormation's short tags (`!Ref`, `!GetAtt`) are not part of YAML and are read over: what
//! stands behind them stays as text. The only one that matters here is a `!Ref` to a parameter in
//! an event pattern, which is told from a pattern by being a text where a list belongs.

use serde_json::{Map, Value, json};

use crate::app::failure::BoxError;

/// The template this program was built with.
pub const OWN: &str = include_str!("../../template.yaml");

/// A CloudFormation template.
pub struct Template(Value);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// It is not YAML, or has no resources.
    pub fn read(yaml: &str) -> Result<Self, BoxError> {
        let template: Value = serde_saphyr::from_str(yaml)?;
        if template["Resources"].as_object().is_none_or(Map::is_empty) {
            return Err("the template has no Resources".into());
        }
        Ok(Self(template))
    }

    /// The resources of a type, by their names.
    fn resources(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0["Resources"].as_object().into_iter().flatten();
        resources
            .filter(move |(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.as_str(), resource))
    }

    /// The request that creates the table, under the name `table`.
    ///
    /// # Errors
    /// The template has no table.
    pub fn create_table(&self, table: &str) -> Result<Value, BoxError> {
        let (_, resource) = self
            .resources("AWS::DynamoDB::Table")
            .next()
            .ok_or("the template has no AWS::DynamoDB::Table")?;
        let properties = &resource["Properties"];
        let mut request = Map::from_iter([("TableName".to_owned(), json!(table))]);
        for key in ["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"] {
            if let Some(value) = properties.get(key) {
                request.insert(key.to_owned(), value.clone());
            }
        }
        Ok(Value::Object(request))
    }

    /// The event patterns of the rules, by the rule's name, with parameters at their defaults. Rules
    /// with a condition are left out: by default none of them is there.
    ///
    /// # Errors
    /// The template has no rule, or one that refers to something without a default.
    pub fn rules(&self) -> Result<Vec<(String, Value)>, BoxError> {
        let rules: Vec<_> = self
            .resources("AWS::Events::Rule")
            .filter(|(_, rule)| rule.get("Condition").is_none())
            .map(|(name, rule)| (name, &rule["Properties"]["EventPattern"]))
            .filter(|(_, pattern)| pattern.is_object())
            .map(|(name, pattern)| Ok((name.to_owned(), self.resolve(pattern)?)))
            .collect::<Result<_, BoxError>>()?;
        if rules.is_empty() {
            return Err("the template has no AWS::Events::Rule with an EventPattern".into());
        }
        Ok(rules)
    }

    /// An event pattern in which every reference to a parameter is replaced by its default.
    fn resolve(&self, pattern: &Value) -> Result<Value, BoxError> {
        match pattern {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| Ok((key.clone(), self.resolve(value)?)))
                .collect::<Result<Map<_, _>, BoxError>>()
                .map(Value::Object),
            Value::String(parameter) => {
                let default = self.0["Parameters"][parameter]["Default"].as_str();
                let default = default.ok_or_else(|| {
                    format!("the rule refers to {parameter}, which has no default")
                })?;
                Ok(default.split(',').map(|word| json!(word.trim())).collect())
            }
            other => Ok(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_own_template_has_the_keys_the_store_uses() {
        use crate::adapters::dynamodb::keys;
        let table = Template::read(OWN).unwrap().create_table("findings").unwrap();
        assert_eq!(table["KeySchema"][0], json!({"AttributeName": keys::PK, "KeyType": "HASH"}));
        assert_eq!(table["KeySchema"][1], json!({"AttributeName": keys::SK, "KeyType": "RANGE"}));
        let index = |n: usize, key: usize| {
            table["GlobalSecondaryIndexes"][n]["KeySchema"][key]["AttributeName"].clone()
        };
        assert_eq!([index(0, 0), index(0, 1)], [keys::OPEN_SHARD, keys::DUE_AT]);
        assert_eq!([index(1, 0), index(1, 1)], [keys::PENDING_SHARD, keys::PENDING_SINCE]);
    }

    #[test]
    fn a_rule_takes_the_defaults_of_its_parameters() {
        let rules = Template::read(OWN).unwrap().rules().unwrap();
        let (_, open) = rules.iter().find(|(name, _)| name == "OpenFindingsRule").unwrap();
        assert_eq!(open["detail"]["severity"], json!(["HIGH", "CRITICAL"]));
        assert_eq!(open["detail"]["status"], json!(["ACTIVE"]));
    }

    #[test]
    fn a_template_without_what_is_needed_is_refused_with_what_is_missing() {
        let refused = |yaml: &str| match Template::read(yaml) {
            Ok(template) => template.rules().unwrap_err().to_string(),
            Err(problem) => problem.to_string(),
        };
        assert_eq!(refused("Parameters: {}"), "the template has no Resources");
        assert_eq!(
            refused("Resources: {A: {Type: Other}}"),
            "the template has no AWS::Events::Rule with an EventPattern"
        );
        assert_eq!(
            refused(
                "Resources: {A: {Type: 'AWS::Events::Rule', Properties: {EventPattern: {source: !Ref Source}}}}"
            ),
            "the rule refers to Source, which has no default"
        );
    }
}
