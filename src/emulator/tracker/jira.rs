//! As much of version 3 of Jira's REST API as tickets need.

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value, json};

use super::{Answer, Call, State, Ticket, refusal};

/// How tickets may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// The names of the statuses, each with its category; new tickets have the first.
    pub statuses: Vec<(&'static str, &'static str)>,
    /// The ways between them.
    pub transitions: Vec<Transition>,
}

/// A way to a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its id.
    pub id: &'static str,
    /// The status that it begins at, or any.
    pub from: Option<&'static str>,
    /// The status that it leads to.
    pub to: &'static str,
    /// The fields that must be filled in.
    pub required: Vec<&'static str>,
    /// Whether a condition refuses it that nobody is told of.
    pub refuses: bool,
}

impl Transition {
    /// A way from anywhere that asks for these fields.
    pub fn new(id: &'static str, to: &'static str, required: &[&'static str]) -> Self {
        Self { id, from: None, to, required: required.to_vec(), refuses: false }
    }
}

impl Default for Workflow {
    /// To do, in progress and done. Who closes must say with which resolution.
    fn default() -> Self {
        Self {
            statuses: vec![("To Do", "new"), ("In Progress", "indeterminate"), ("Done", "done")],
            transitions: vec![
                Transition::new("11", "To Do", &[]),
                Transition::new("21", "In Progress", &[]),
                Transition::new("31", "Done", &["resolution"]),
            ],
        }
    }
}

impl Workflow {
    fn category(&self, status: &str) -> &'static str {
        let found = self.statuses.iter().find(|(name, _)| *name == status);
        found.map_or("undefined", |(_, category)| category)
    }

    fn status(&self, name: &str) -> Value {
        json!({"id": "1", "name": name, "statusCategory": {"id": 1, "key": self.category(name), "name": name}})
    }
}

const PRIORITIES: [&str; 5] = ["Highest", "High", "Medium", "Low", "Lowest"];
const TYPES: [&str; 2] = ["Task", "Bug"];
/// Id and name of each resolution.
const RESOLUTIONS: [(&str, &str); 3] =
    [("10000", "Won't Do"), ("10001", "Done"), ("10002", "Duplicate")];
const NOT_ON_SCREEN: &str = "cannot be set. It is not on the appropriate screen, or unknown.";

/// What Jira answers.
pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Result<Answer, Answer> {
    let ["rest", "api", "3", steps @ ..] = call.steps else { return Err(none()) };
    match (call.method, steps) {
        ("POST", ["issue"]) => create(state, call.body),
        ("POST", ["search", "jql"]) => search(state, call.body),
        ("GET", ["project", key]) if state.projects.contains(*key) => {
            Ok(Answer::new(200, json!({"id": "10000", "key": key, "name": key})))
        }
        (method, ["issue", key, rest @ ..]) => {
            let found = state.tickets.iter().position(|ticket| is(ticket, key)).ok_or_else(none)?;
            match (method, rest) {
                ("GET", []) => Ok(Answer::new(200, issue(state, &state.tickets[found]))),
                ("PUT", []) => edit(state, found, call.body),
                ("GET", ["comment"]) => Ok(comments(state, found)),
                ("POST", ["comment"]) => comment(state, found, call.body),
                ("GET", ["transitions"]) => Ok(transitions(state, found)),
                ("POST", ["transitions"]) => go(state, found, call.body),
                _ => Err(none()),
            }
        }
        _ => Err(none()),
    }
}

fn none() -> Answer {
    refusal(404, "Issue does not exist or you do not have permission to see it.")
}

fn invalid(field: &str, why: &str) -> Answer {
    Answer::new(400, json!({"errorMessages": [], "errors": {field: why}}))
}

/// A ticket is found under its former keys, too.
fn is(ticket: &Ticket, key: &str) -> bool {
    format!("{}-{}", ticket.project, ticket.number).eq_ignore_ascii_case(key)
        || ticket.former.iter().any(|former| former.eq_ignore_ascii_case(key))
}

fn create(state: &mut State, body: &Value) -> Result<Answer, Answer> {
    let none = Map::new();
    let fields = body["fields"].as_object().unwrap_or(&none);
    let project = fields.get("project").and_then(|project| project["key"].as_str());
    let project = project.filter(|key| state.projects.contains(*key));
    let project =
        project.ok_or_else(|| invalid("project", "valid project is required"))?.to_owned();
    let kind = fields.get("issuetype").and_then(|kind| kind["name"].as_str());
    if !kind.is_some_and(|kind| TYPES.contains(&kind)) {
        return Err(invalid("issuetype", "Specify a valid issue type"));
    }
    if !fields.contains_key("summary") {
        return Err(invalid("summary", "You must specify a summary of the issue."));
    }
    let first = state.workflow.statuses.first().map_or("", |(name, _)| name);
    let mut rest = fields.clone();
    rest.retain(|name, _| name != "project" && name != "issuetype");
    check(state, &rest)?;
    let ticket = state.open(&project, first);
    apply(ticket, &rest);
    let key = format!("{}-{}", ticket.project, ticket.number);
    let link = format!("https://example.atlassian.net/rest/api/3/issue/{key}");
    Ok(Answer::new(201, json!({"id": ticket.number.to_string(), "key": key, "self": link})))
}

fn edit(state: &mut State, found: usize, body: &Value) -> Result<Answer, Answer> {
    let fields = body["fields"].as_object().cloned().unwrap_or_default();
    check(state, &fields)?;
    let mut added = Vec::new();
    for operation in body["update"]["labels"].as_array().into_iter().flatten() {
        added.extend(operation["add"].as_str().map(str::to_owned));
    }
    check(state, &Map::from_iter([("labels".to_owned(), json!(added))]))?;
    let now = state.now;
    let ticket = &mut state.tickets[found];
    apply(ticket, &fields);
    for label in added {
        if !ticket.labels.contains(&label) {
            ticket.labels.push(label);
        }
    }
    ticket.updated_at = now;
    Ok(Answer::new(204, Value::Null))
}

/// Refuses what Jira does not take, all of it at once.
fn check(state: &State, fields: &Map<String, Value>) -> Result<(), Answer> {
    let mut errors = Map::new();
    for (name, value) in fields {
        let is_missing = state.missing_fields.contains(name);
        let wrong = match name.as_str() {
            _ if is_missing => Some(format!("Field '{name}' {NOT_ON_SCREEN}")),
            "summary" => {
                let text = value.as_str().unwrap_or_default();
                let fits = (1..=255).contains(&text.chars().count()) && !text.contains('\n');
                (!fits).then(|| "Summary must be one line of up to 255 characters.".to_owned())
            }
            "description" => (!is_document(value)).then(|| "INVALID_INPUT".to_owned()),
            "labels" => {
                let is_label =
                    |label: &Value| label.as_str().is_some_and(|label| !label.contains(' '));
                let fits = value.as_array().is_some_and(|all| all.iter().all(is_label));
                (!fits).then(|| "The label can't contain spaces.".to_owned())
            }
            "priority" => {
                let is_known =
                    value["name"].as_str().is_some_and(|name| PRIORITIES.contains(&name));
                (!is_known).then(|| "The priority selected is invalid.".to_owned())
            }
            "duedate" => {
                let is_date = value.is_null()
                    || value.as_str().is_some_and(|date| date.parse::<Date>().is_ok());
                (!is_date).then(|| "Enter a valid date.".to_owned())
            }
            _ => Some(format!("Field '{name}' {NOT_ON_SCREEN}")),
        };
        errors.extend(wrong.map(|wrong| (name.clone(), json!(wrong))));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Answer::new(400, json!({"errorMessages": [], "errors": errors})))
}

fn apply(ticket: &mut Ticket, fields: &Map<String, Value>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for (name, value) in fields {
        match name.as_str() {
            "summary" => ticket.title = text(value).unwrap_or_default(),
            "description" => ticket.text = value.clone(),
            "labels" => {
                ticket.labels = value.as_array().into_iter().flatten().filter_map(text).collect();
            }
            "priority" => ticket.priority = text(&value["name"]),
            "duedate" => ticket.due = text(value),
            _ => {}
        }
    }
}

/// Whether a document is one, as far as a wrong one would be refused.
fn is_document(value: &Value) -> bool {
    fn is_node(node: &Value) -> bool {
        let inner = node["content"].as_array();
        match node["type"].as_str() {
            Some("text") => node["text"].as_str().is_some_and(|text| !text.is_empty()),
            Some("bulletList" | "listItem") => {
                inner.is_some_and(|inner| !inner.is_empty() && inner.iter().all(is_node))
            }
            Some("paragraph" | "heading") => inner.into_iter().flatten().all(is_node),
            _ => false,
        }
    }
    let content = value["content"].as_array();
    value["type"] == "doc"
        && value["version"] == 1
        && value.to_string().len() <= 32_767
        && content.is_some_and(|content| content.iter().all(is_node))
}

fn issue(state: &State, ticket: &Ticket) -> Value {
    let key = format!("{}-{}", ticket.project, ticket.number);
    json!({
        "id": ticket.number.to_string(), "key": key,
        "self": format!("https://example.atlassian.net/rest/api/3/issue/{key}"),
        "fields": {
            "status": state.workflow.status(&ticket.status),
            "project": {"id": "10000", "key": ticket.project},
            "labels": ticket.labels,
            "created": written(ticket.created_at),
        },
    })
}

/// Answers queries of the one form that is asked.
fn search(state: &State, body: &Value) -> Result<Answer, Answer> {
    let jql = body["jql"].as_str().unwrap_or_default();
    let parts: Vec<&str> = jql.split('"').collect();
    let [
        "project = ",
        project,
        " AND labels = ",
        label,
        " AND created >= ",
        day,
        " ORDER BY created ASC",
    ] = parts[..]
    else {
        return Err(refusal(400, "Unbounded JQL queries are not allowed here."));
    };
    if !state.projects.contains(project) {
        let why = format!("The value '{project}' does not exist for the field 'project'.");
        return Err(refusal(400, &why));
    }
    let day: Date = day.parse().map_err(|_| refusal(400, "Date value is invalid"))?;
    // The user is in Auckland.
    let from = day.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(13)));
    let from = from.map_err(|_| refusal(400, "Date value is invalid"))?.timestamp();
    let found: Vec<Value> = state
        .tickets
        .iter()
        .filter(|ticket| ticket.is_listed && ticket.project == project && ticket.created_at >= from)
        .filter(|ticket| ticket.labels.iter().any(|own| own == label))
        .map(|ticket| issue(state, ticket))
        .collect();
    let begin: usize = match body["nextPageToken"].as_str() {
        None => 0,
        Some(token) => token.parse().map_err(|_| refusal(400, "nextPageToken is invalid"))?,
    };
    let asked = body["maxResults"].as_u64().and_then(|most| usize::try_from(most).ok());
    let end = begin + asked.unwrap_or(50).min(state.page_size);
    let page: Vec<&Value> = found.iter().skip(begin).take(end - begin).collect();
    let mut answer = json!({"issues": page, "isLast": end >= found.len()});
    if end < found.len() {
        answer["nextPageToken"] = json!(end.to_string());
    }
    Ok(Answer::new(200, answer))
}

fn comments(state: &State, found: usize) -> Answer {
    let listed = state.tickets[found].comments.iter().rev().filter(|comment| comment.is_listed);
    let all: Vec<Value> = listed
        .map(|comment| json!({"id": "1", "body": comment.text, "created": written(comment.created_at)}))
        .collect();
    let total = all.len();
    let page = json!({"startAt": 0, "maxResults": 100, "total": total, "comments": all});
    Answer::new(200, page)
}

fn comment(state: &mut State, found: usize, body: &Value) -> Result<Answer, Answer> {
    if !is_document(&body["body"]) {
        return Err(invalid("comment", "Comment body is not valid!"));
    }
    let (now, is_listed) = (state.now, !state.lags);
    state.tickets[found].write(body["body"].clone(), now, is_listed);
    Ok(Answer::new(201, json!({"id": "1", "body": body["body"], "created": written(now)})))
}

fn transitions(state: &State, found: usize) -> Answer {
    let field = |name: &&str| {
        let mut field = json!({"required": true, "name": name, "key": name, "hasDefaultValue": false,
            "operations": ["set"], "schema": {"type": name}});
        if *name == "resolution" {
            let all = RESOLUTIONS.map(|(id, name)| json!({"id": id, "name": name}));
            field["allowedValues"] = json!(all);
        }
        ((*name).to_owned(), field)
    };
    let ways: Vec<Value> = ways(state, found)
        .map(|way| {
            let fields: Map<String, Value> = way.required.iter().map(field).collect();
            json!({"id": way.id, "name": way.to, "to": state.workflow.status(way.to),
                "isAvailable": true, "hasScreen": !fields.is_empty(), "fields": fields})
        })
        .collect();
    Answer::new(200, json!({"expand": "transitions", "transitions": ways}))
}

fn ways(state: &State, found: usize) -> impl Iterator<Item = &Transition> {
    let status = state.tickets[found].status.clone();
    let leads_on = move |way: &&Transition| way.from.is_none_or(|from| from == status);
    state.workflow.transitions.iter().filter(leads_on)
}

fn go(state: &mut State, found: usize, body: &Value) -> Result<Answer, Answer> {
    let id = body["transition"]["id"].as_str().unwrap_or_default();
    let way = ways(state, found).find(|way| way.id == id).cloned();
    let way = way.ok_or_else(|| refusal(400, "It is not possible to go this way."))?;
    if way.refuses {
        return Err(refusal(400, "A validator says no."));
    }
    let given = &body["fields"];
    if let Some(missing) = way.required.iter().find(|name| given[**name].is_null()) {
        return Err(invalid(missing, "is required."));
    }
    let known = RESOLUTIONS.iter().find(|(id, name)| {
        given["resolution"]["id"] == *id || given["resolution"]["name"] == *name
    });
    if !given["resolution"].is_null() && known.is_none() {
        return Err(invalid("resolution", "The resolution selected is invalid."));
    }
    let (now, ticket) = (state.now, &mut state.tickets[found]);
    way.to.clone_into(&mut ticket.status);
    ticket.reason = known.map(|(_, name)| (*name).to_owned());
    ticket.updated_at = now;
    Ok(Answer::new(204, Value::Null))
}

fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}
