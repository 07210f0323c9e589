//! Requests, held against the descriptions that Jira and GitHub publish of their APIs, and against what these say in prose
//! alone (see `tests/formats/trackers`).

use std::{fs, sync::LazyLock};

use inspector_triage::{domain::ticket::TrackerKind, emulator::tracker::Asked};
use jiff::civil::Date;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::project;

/// The longest text of Jira, in characters.
pub const JIRA_TEXT: usize = 32_767;
/// The longest text of GitHub, in characters.
pub const GITHUB_TEXT: usize = 65_536;
/// A text of one line.
const LINE: &str = "^[^\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}]+$";
/// The names of the fields that answers of Jira are asked for. None is wrong that it does not know; there is just no answer.
const FIELDS: [&str; 4] = ["created", "labels", "project", "status"];

/// The description of an API, with the rules of its prose.
pub struct Description {
    kind: TrackerKind,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    parameters: Vec<Parameter>,
    body: Option<Body>,
}

struct Parameter {
    name: String,
    place: String,
    is_required: bool,
    kind: String,
    schema: Validator,
}

struct Body {
    is_required: bool,
    described: Validator,
    rules: Validator,
}

impl Description {
    /// The description of a tracker's API.
    pub fn of(kind: TrackerKind) -> &'static Self {
        static JIRA: LazyLock<Description> = LazyLock::new(|| Description::read(TrackerKind::Jira));
        static GITHUB: LazyLock<Description> =
            LazyLock::new(|| Description::read(TrackerKind::GitHub));
        match kind {
            TrackerKind::Jira => &JIRA,
            TrackerKind::GitHub => &GITHUB,
        }
    }

    fn read(kind: TrackerKind) -> Self {
        let file = match kind {
            TrackerKind::Jira => "jira.json",
            TrackerKind::GitHub => "github.json",
        };
        let whole = published(file);
        let mut operations = Vec::new();
        for (path, item) in whole["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                operations.push(Operation::read(kind, path, method, operation, &whole));
            }
        }
        Self { kind, operations }
    }

    /// The names of all operations.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.id.as_str())
    }

    /// The operation that a request asks for.
    ///
    /// # Errors
    /// There is none, or it does not take the request: all that is wrong with it.
    pub fn check(&self, asked: &Asked) -> Result<&str, String> {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let method = asked.method.to_ascii_lowercase();
        let taken = self.operations.iter().filter(|operation| operation.method == method);
        let mut taken = taken.filter_map(|one| Some((one, steps(&one.path, path)?)));
        let (operation, steps) =
            taken.next().ok_or_else(|| format!("no operation is {} {path}", asked.method))?;
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut wrong = operation.wrong_parameters("path", &steps);
        wrong.extend(operation.wrong_parameters("query", &query));
        wrong.extend(operation.wrong_body(&asked.body));
        wrong.extend(self.wrong_headers(asked));
        if wrong.is_empty() {
            Ok(&operation.id)
        } else {
            Err(format!("{}: {}", operation.id, wrong.join("; ")))
        }
    }

    fn wrong_headers(&self, asked: &Asked) -> Vec<String> {
        let accept = match self.kind {
            TrackerKind::Jira => "application/json",
            TrackerKind::GitHub => "application/vnd.github+json",
        };
        let header = |name: &str| asked.headers.get(name).map_or("", String::as_str);
        let mut wrong = Vec::new();
        let mut must = |name: &str, is_right: bool| {
            if !is_right {
                wrong.push(format!("the header {name} is {:?}", header(name)));
            }
        };
        let kind = if asked.body.is_null() { "" } else { "application/json" };
        let authorization = header("authorization").split_once(' ').unwrap_or_default();
        must("content-type", header("content-type") == kind);
        must("accept", header("accept") == accept);
        must("user-agent", !header("user-agent").is_empty());
        must(
            "authorization",
            ["Basic", "Bearer"].contains(&authorization.0) && !authorization.1.is_empty(),
        );
        if self.kind == TrackerKind::GitHub {
            must("x-github-api-version", header("x-github-api-version") == "2022-11-28");
        }
        wrong
    }
}

impl Operation {
    fn read(kind: TrackerKind, path: &str, method: &str, operation: &Value, whole: &Value) -> Self {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let body = operation.get("requestBody").map(|body| {
            let schema = &body["content"]["application/json"]["schema"];
            let described = validator(&json!({
                "allOf": [translated(schema)],
                "components": {"schemas": each(&whole["components"]["schemas"], translated)},
            }));
            let rules = validator(&rules(&id));
            Body { is_required: body["required"] == true, described, rules }
        });
        let parameters = parameters.map(|one| Parameter::read(kind, one, whole)).collect();
        Self { id, method: method.to_owned(), path: path.to_owned(), parameters, body }
    }

    /// What is wrong with the parameters in a part of a request.
    fn wrong_parameters(&self, place: &str, given: &Vec<(String, String)>) -> Vec<String> {
        let here = || self.parameters.iter().filter(|parameter| parameter.place == place);
        let mut wrong = Vec::new();
        for (name, _) in given {
            if !here().any(|parameter| parameter.name == *name) {
                wrong.push(format!("no parameter of the {place} is {name}"));
            }
        }
        for parameter in here() {
            let values = given.iter().filter(|(name, _)| *name == parameter.name);
            let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
            wrong.extend(parameter.wrong(&values));
        }
        wrong
    }

    fn wrong_body(&self, given: &Value) -> Vec<String> {
        match &self.body {
            None if given.is_null() => Vec::new(),
            None => vec!["it takes no body".to_owned()],
            Some(body) if given.is_null() && body.is_required => vec!["it has no body".to_owned()],
            Some(_) if given.is_null() => Vec::new(),
            Some(body) => {
                let mut wrong = errors(&body.described, given);
                wrong.extend(errors(&body.rules, given));
                wrong.extend(wrong_together(given));
                wrong
            }
        }
    }
}

/// What no schema says of a body.
fn wrong_together(body: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for text in [&body["fields"]["description"], &body["body"]] {
        let length = text.to_string().chars().count();
        if text.is_object() && length > JIRA_TEXT {
            wrong.push(format!("a text of {length} characters"));
        }
    }
    for name in body["update"].as_object().into_iter().flat_map(Map::keys) {
        if body["fields"].get(name).is_some() {
            wrong.push(format!("{name} is in fields and in update"));
        }
    }
    wrong
}

impl Parameter {
    fn read(kind: TrackerKind, given: &Value, whole: &Value) -> Self {
        let given = match given["$ref"].as_str() {
            Some(there) => whole.pointer(&there[1..]).unwrap(),
            None => given,
        };
        let text = |name: &str| given[name].as_str().unwrap().to_owned();
        let mut schema = translated(&given["schema"]);
        if kind == TrackerKind::Jira && given["name"] == "fields" {
            schema["items"]["enum"] = json!(FIELDS);
        }
        Self {
            name: text("name"),
            place: text("in"),
            is_required: given["required"] == true,
            kind: given["schema"]["type"].as_str().unwrap().to_owned(),
            schema: validator(&schema),
        }
    }

    /// What is wrong with the values of a parameter. Jira takes lists with commas between their entries.
    fn wrong(&self, values: &[&str]) -> Vec<String> {
        let name = &self.name;
        let value = match (values, self.kind.as_str()) {
            ([], _) if self.is_required => return vec![format!("{name} is missing")],
            ([], _) => return Vec::new(),
            (values, "array") => {
                json!(values.iter().flat_map(|value| value.split(',')).collect::<Vec<_>>())
            }
            ([value], "integer") => value.parse::<i64>().map_or(json!(value), Value::from),
            ([value], "boolean") => value.parse::<bool>().map_or(json!(value), Value::from),
            ([value], _) => json!(value),
            _ => return vec![format!("{name} is there more than once")],
        };
        errors(&self.schema, &value).iter().map(|error| format!("{name} {error}")).collect()
    }
}

/// The values of the names in a path such as `/issue/{key}`, if a path is like it.
fn steps(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut values = Vec::new();
    for (step, given) in template.into_iter().zip(path) {
        match step.strip_prefix('{').and_then(|step| step.strip_suffix('}')) {
            Some(name) => {
                let value = form_urlencoded::parse(given.as_bytes()).next()?.0;
                values.push((name.to_owned(), value.into_owned()));
            }
            None if step == given => {}
            None => return None,
        }
    }
    Some(values)
}

/// A file of `tests/formats/trackers`.
fn published(file: &str) -> Value {
    let path = project("tests/formats/trackers").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A validator by the draft of JSON Schema that OpenAPI 3.0 and Atlassian's documents follow.
fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
    let options = options.with_format("date", |text: &str| text.parse::<Date>().is_ok());
    options.build(schema).unwrap()
}

fn errors(schema: &Validator, value: &Value) -> Vec<String> {
    let told = |error: jsonschema::ValidationError<'_>| {
        let told: String = error.to_string().chars().take(300).collect();
        format!("{}: {told}", error.instance_path())
    };
    schema.iter_errors(value).map(told).collect()
}

fn each(named: &Value, change: impl Fn(&Value) -> Value) -> Value {
    let all = named.as_object().into_iter().flatten();
    Value::Object(all.map(|(name, value)| (name.clone(), change(value))).collect())
}

/// A schema of OpenAPI 3.0, of a request, as one of JSON Schema. What may be null says so in its own way there. What has
/// properties takes no others, whatever it says, and none that only answers have.
fn translated(schema: &Value) -> Value {
    let fields = match schema {
        Value::Array(all) => return all.iter().map(translated).collect(),
        Value::Object(fields) => fields,
        other => return other.clone(),
    };
    let mut out = Map::new();
    for (name, value) in fields {
        let value = match name.as_str() {
            "nullable" => continue,
            "enum" | "required" | "default" => value.clone(),
            "properties" => {
                let mut own = value.clone();
                own.as_object_mut().unwrap().retain(|_, value| value["readOnly"] != true);
                each(&own, translated)
            }
            _ => translated(value),
        };
        out.insert(name.clone(), value);
    }
    if out.contains_key("properties") {
        out.insert("additionalProperties".to_owned(), json!(false));
    }
    if fields.get("nullable") != Some(&json!(true)) {
        return Value::Object(out);
    }
    json!({"anyOf": [{"type": "null"}, out]})
}

/// What is to be known of the body of an operation, and is in no schema of its description.
fn rules(operation: &str) -> Value {
    let line = |max: usize| json!({"type": "string", "maxLength": max, "pattern": LINE});
    let text = json!({"type": "string", "minLength": 1, "maxLength": GITHUB_TEXT});
    let labels = json!({"type": "array", "maxItems": 100, "items": line(50)});
    let issue = json!({"title": line(256), "body": text, "labels": labels});
    match operation {
        "createIssue" => {
            let own = ["project", "issuetype", "summary", "description", "labels"];
            of_jira(&[&own[..], &["priority", "duedate"]].concat(), &own)
        }
        "editIssue" => of_jira(&["summary", "description", "priority", "duedate"], &[]),
        "doTransition" => {
            let mut whole = of_jira(&["resolution"], &[]);
            whole["properties"]["transition"] = json!({"required": ["id"]});
            whole["required"] = json!(["transition"]);
            whole
        }
        "addComment" => json!({
            "properties": {"body": {"$ref": "#/definitions/doc_node"}}, "required": ["body"],
            "definitions": published("adf.json")["definitions"],
        }),
        "searchAndReconsileIssuesUsingJqlPost" => json!({
            "properties": {
                "jql": line(1_000), "fields": {"items": {"enum": FIELDS}},
                "maxResults": {"minimum": 1, "maximum": 5_000},
            },
            "required": ["jql", "fields"],
        }),
        "issues/create" => json!({"properties": issue, "required": ["body", "labels"]}),
        "issues/update" => json!({"properties": issue, "minProperties": 1}),
        "issues/create-comment" => json!({"properties": {"body": text}}),
        other => panic!("what is to be known of {other}?"),
    }
}

/// A body of Jira with these fields.
fn of_jira(names: &[&str], required: &[&str]) -> Value {
    let one = |name: &str, value: Value| json!({"type": "object", "properties": {name: value}, "required": [name], "additionalProperties": false});
    let line = json!({"type": "string", "maxLength": 255, "pattern": LINE});
    let label = json!({"type": "string", "maxLength": 255, "pattern": r"^\S+$"});
    let known = |name: &str| match name {
        "project" => one("key", json!({"type": "string", "pattern": "^[A-Z][A-Z0-9_]+$"})),
        "issuetype" | "priority" => one("name", line.clone()),
        "resolution" => json!({"anyOf": [one("id", line.clone()), one("name", line.clone())]}),
        "summary" => line.clone(),
        "description" => json!({"$ref": "#/definitions/doc_node"}),
        "labels" => json!({"type": "array", "items": label}),
        "duedate" if required.is_empty() => json!({"anyOf": [{"type": "null"}, date()]}),
        "duedate" => date(),
        other => panic!("what is {other}?"),
    };
    let fields: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), known(name))).collect();
    let mut fields = json!({"type": "object", "properties": fields, "additionalProperties": false});
    let mut whole = json!({"definitions": published("adf.json")["definitions"]});
    // Draft 4 knows no list of nothing that is required.
    if !required.is_empty() {
        fields["required"] = json!(required);
        whole["required"] = json!(["fields"]);
    }
    let changes = json!({"type": "array", "minItems": 1, "items": {"anyOf": [one("add", label.clone()), one("remove", label)]}});
    let update = json!({"properties": {"labels": changes}, "additionalProperties": false});
    whole["properties"] = json!({"fields": fields, "update": update});
    whole
}

fn date() -> Value {
    json!({"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"})
}
