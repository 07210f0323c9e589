//! What CloudFormation makes of the translated template, as far as the template uses it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::{Map, Value, json};

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "111122223333";

/// A stack of the template, with parameters.
pub struct Stack {
    template: Value,
    parameters: BTreeMap<String, Value>,
}

impl Stack {
    /// The stack that `parameters` make, all others at their defaults.
    pub fn new(parameters: &[(&str, &str)]) -> Self {
        let text = fs::read_to_string(super::project("tests/translated.json")).unwrap();
        let template: Value = serde_json::from_str(&text).unwrap();
        let declared = template["Parameters"].as_object().unwrap();
        for (name, _) in parameters {
            assert!(declared.contains_key(*name), "the template has no parameter {name}");
        }
        let value = |name: &str, declared: &Value| {
            let given = parameters.iter().find(|(given, _)| *given == name);
            let value = given.map_or(declared["Default"].clone(), |(_, value)| json!(value));
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match declared["Type"].as_str() {
                Some("CommaDelimitedList") => text.split(',').map(|word| json!(word)).collect(),
                _ => json!(text),
            }
        };
        let parameters = declared.iter().map(|(name, d)| (name.clone(), value(name, d))).collect();
        Self { template, parameters }
    }

    /// The template.
    pub fn template(&self) -> &Value {
        &self.template
    }

    /// The resources of a type, by name, with their properties as they are deployed.
    pub fn resources(&self, kind: &str) -> BTreeMap<String, Value> {
        self.all()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.clone(), self.resolve(&resource["Properties"])))
            .collect()
    }

    /// What the resources of a type are called outside the template: rules have a name, all others that of the template.
    pub fn names(&self, kind: &str) -> BTreeSet<String> {
        let of = |(name, properties): (String, Value)| match kind {
            "AWS::Events::Rule" => properties["Name"].as_str().unwrap().to_owned(),
            _ => name,
        };
        self.resources(kind).into_iter().map(of).collect()
    }

    /// The properties of a resource.
    pub fn resource(&self, name: &str) -> Value {
        let (_, resource) = self.all().find(|(other, _)| *other == name).expect(name);
        self.resolve(&resource["Properties"])
    }

    /// A resource as it stands in the template.
    pub fn raw(&self, name: &str) -> &Value {
        &self.template["Resources"][name]
    }

    fn all(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.template["Resources"].as_object().unwrap().iter().filter(|(_, resource)| {
            resource["Condition"].as_str().is_none_or(|condition| self.condition(condition))
        })
    }

    fn condition(&self, name: &str) -> bool {
        self.holds(&self.template["Conditions"][name])
    }

    fn holds(&self, condition: &Value) -> bool {
        let (function, of) = only(condition).expect("a condition is a function");
        let all = || of.as_array().unwrap().iter();
        match function {
            "Condition" => self.condition(of.as_str().unwrap()),
            "Fn::Not" => !self.holds(&of[0]),
            "Fn::And" => all().all(|one| self.holds(one)),
            "Fn::Or" => all().any(|one| self.holds(one)),
            "Fn::Equals" => self.resolve(&of[0]) == self.resolve(&of[1]),
            other => panic!("{other} is not used in conditions"),
        }
    }

    /// A value without functions. What is `AWS::NoValue` is null, and left out of lists and objects.
    fn resolve(&self, value: &Value) -> Value {
        if let Some((function, of)) = only(value) {
            match function {
                "Ref" => return self.reference(of.as_str().unwrap()),
                "Fn::If" => {
                    let which = if self.condition(of[0].as_str().unwrap()) { 1 } else { 2 };
                    return self.resolve(&of[which]);
                }
                "Fn::GetAtt" => {
                    let (name, attribute) = (of[0].as_str().unwrap(), of[1].as_str().unwrap());
                    return json!(self.attribute(name, attribute));
                }
                "Fn::Join" => {
                    let values = self.resolve(&of[1]);
                    let values = values.as_array().expect("a list is joined").iter();
                    let values: Vec<&str> = values.map(|one| one.as_str().unwrap()).collect();
                    return json!(values.join(of[0].as_str().unwrap()));
                }
                "Fn::Sub" => {
                    let text = of.as_str().or(of[0].as_str()).unwrap();
                    return json!(self.substitute(text, &of[1]));
                }
                other => assert!(!other.starts_with("Fn::"), "{other} is not used"),
            }
        }
        match value {
            Value::Array(list) => {
                list.iter().map(|one| self.resolve(one)).filter(|one| !one.is_null()).collect()
            }
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.resolve(value)))
                .filter(|(_, value)| !value.is_null())
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// A text with its variables; those of its own are `own`.
    fn substitute(&self, text: &str, own: &Value) -> String {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').expect("what is opened is closed");
            if let Some(literal) = name.strip_prefix('!') {
                whole.extend(["${", literal, "}"]);
            } else if let Some(value) = own.get(name) {
                whole.push_str(self.resolve(value).as_str().expect(name));
            } else if let Some((name, attribute)) = name.split_once('.') {
                whole.push_str(&self.attribute(name, attribute));
            } else {
                whole.push_str(self.reference(name).as_str().expect(name));
            }
            whole.push_str(rest);
        }
        whole
    }

    fn reference(&self, name: &str) -> Value {
        match name {
            "AWS::NoValue" => return Value::Null,
            "AWS::Region" => return json!(REGION),
            "AWS::AccountId" => return json!(ACCOUNT),
            "AWS::Partition" => return json!("aws"),
            "AWS::URLSuffix" => return json!("amazonaws.com"),
            "AWS::StackName" => return json!("inspector-triage"),
            _ => {}
        }
        if let Some(value) = self.parameters.get(name) {
            return value.clone();
        }
        assert!(self.all().any(|(other, _)| other == name), "nothing is called {name}");
        match self.raw(name)["Type"].as_str() {
            Some("AWS::SNS::Topic") => json!(self.attribute(name, "Arn")),
            Some("AWS::S3::Bucket") => json!(bucket(name)),
            Some("AWS::Events::Rule") => self.resource(name)["Name"].clone(),
            _ => json!(name),
        }
    }

    fn attribute(&self, name: &str, attribute: &str) -> String {
        assert!(self.all().any(|(other, _)| other == name), "nothing is called {name}");
        let kind = self.raw(name)["Type"].as_str().unwrap();
        if attribute != "Arn" {
            assert!(attribute.ends_with("Name"), "{name}.{attribute} is not used");
            return name.to_owned();
        }
        let (service, resource) = match kind {
            "AWS::SNS::Topic" => ("sns", name.to_owned()),
            "AWS::SQS::Queue" => ("sqs", name.to_owned()),
            "AWS::DynamoDB::Table" => ("dynamodb", format!("table/{name}")),
            "AWS::Logs::LogGroup" => ("logs", format!("log-group:{name}:*")),
            "AWS::Lambda::Function" => ("lambda", format!("function:{name}")),
            // The name of a bucket is one in all accounts and Regions.
            "AWS::S3::Bucket" => return format!("arn:aws:s3:::{}", bucket(name)),
            "AWS::IAM::Role" => ("iam", format!("role/{name}")),
            "AWS::CloudWatch::Alarm" => {
                let alarm = self.resource(name);
                ("cloudwatch", format!("alarm:{}", alarm["AlarmName"].as_str().unwrap()))
            }
            other => panic!("the ARN of {other} is not used"),
        };
        format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
    }
}

/// What CloudFormation calls a bucket that has no name, but for some letters at the end.
fn bucket(name: &str) -> String {
    format!("inspector-triage-{}", name.to_lowercase())
}

/// The field of an object that has only one.
fn only(value: &Value) -> Option<(&str, &Value)> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.iter().next().map(|(name, value)| (name.as_str(), value))
}
