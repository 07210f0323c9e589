//! As much of GitHub's REST API as issues need.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Call, State, Ticket, refusal, whole_second};

/// The longest text, in characters.
const MAX_TEXT: usize = 65_536;

/// What GitHub answers.
pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Result<Answer, Answer> {
    let ["repos", owner, name, steps @ ..] = call.steps else { return Err(none()) };
    let asked = format!("{owner}/{name}");
    let project = state.projects.iter().find(|own| own.eq_ignore_ascii_case(&asked));
    let project = project.ok_or_else(none)?.clone();
    match (call.method, steps) {
        ("GET", []) => {
            Ok(Answer::new(200, json!({"id": 1, "full_name": project, "has_issues": true})))
        }
        ("POST", ["issues"]) => create(state, &project, call.body),
        ("GET", ["issues"]) => list(state, &project, call),
        (method, ["issues", number, rest @ ..]) => {
            let found = find(state, &project, number)?;
            match (method, rest) {
                ("GET", []) => Ok(Answer::new(200, issue(&state.tickets[found]))),
                ("PATCH", []) => edit(state, found, call.body),
                ("GET", ["comments"]) => comments(state, found, call),
                ("POST", ["comments"]) => comment(state, found, call.body),
                _ => Err(none()),
            }
        }
        _ => Err(none()),
    }
}

fn none() -> Answer {
    refusal(404, "Not Found")
}

fn invalid(field: &str) -> Answer {
    let errors = json!([{"resource": "Issue", "field": field, "code": "invalid"}]);
    Answer::new(422, json!({"message": "Validation Failed", "errors": errors}))
}

/// A ticket of a repository; from one that was transferred GitHub sends on to where it is.
fn find(state: &State, project: &str, number: &str) -> Result<usize, Answer> {
    let number: u64 = number.parse().map_err(|_| none())?;
    let is_there = |ticket: &Ticket| ticket.project == project && ticket.number == number;
    if let Some(found) = state.tickets.iter().position(is_there) {
        return Ok(found);
    }
    let former = format!("{project}#{number}");
    match state.tickets.iter().find(|ticket| ticket.former.contains(&former)) {
        Some(moved) => {
            let (project, number) = (&moved.project, moved.number);
            let there = format!("https://api.github.com/repos/{project}/issues/{number}");
            Err(refusal(301, "Moved Permanently").with("location", there))
        }
        None => Err(none()),
    }
}

fn create(state: &mut State, project: &str, body: &Value) -> Result<Answer, Answer> {
    if !body["title"].is_string() {
        return Err(invalid("title"));
    }
    check(body, &["title", "body", "labels"])?;
    let ticket = state.open(project, "open");
    ticket.created_at = whole_second(ticket.created_at);
    apply(ticket, body);
    Ok(Answer::new(201, issue(ticket)))
}

fn edit(state: &mut State, found: usize, body: &Value) -> Result<Answer, Answer> {
    check(body, &["title", "body", "labels", "state", "state_reason"])?;
    let now = state.now;
    let ticket = &mut state.tickets[found];
    apply(ticket, body);
    ticket.updated_at = now;
    Ok(Answer::new(200, issue(ticket)))
}

/// Refuses what GitHub does not take.
fn check(body: &Value, known: &[&str]) -> Result<(), Answer> {
    for (name, value) in body.as_object().ok_or_else(|| invalid("body"))? {
        let is_text = |most: usize| value.as_str().is_some_and(|text| text.chars().count() <= most);
        let is_one_of = |words: &[&str]| value.as_str().is_some_and(|word| words.contains(&word));
        let fits = match name.as_str() {
            _ if !known.contains(&name.as_str()) => false,
            "title" => is_text(256) && value != "",
            "body" => is_text(MAX_TEXT),
            "labels" => value.as_array().is_some_and(|all| {
                let is_label = |label: &Value| {
                    label.as_str().is_some_and(|label| (1..=50).contains(&label.chars().count()))
                };
                all.len() <= 100 && all.iter().all(is_label)
            }),
            "state" => is_one_of(&["open", "closed"]),
            _ => is_one_of(&["completed", "not_planned", "duplicate", "reopened"]),
        };
        if !fits {
            return Err(invalid(name));
        }
    }
    Ok(())
}

fn apply(ticket: &mut Ticket, body: &Value) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(title) = text(&body["title"]) {
        ticket.title = title;
    }
    if body["body"].is_string() {
        ticket.text = body["body"].clone();
    }
    if let Some(labels) = body["labels"].as_array() {
        ticket.labels = labels.iter().filter_map(text).collect();
    }
    if let Some(status) = text(&body["state"]) {
        ticket.status = status;
        ticket.reason = text(&body["state_reason"]);
    }
}

fn issue(ticket: &Ticket) -> Value {
    let repository = format!("https://api.github.com/repos/{}", ticket.project);
    let number = ticket.number;
    let labels: Vec<Value> = ticket
        .labels
        .iter()
        .map(|label| json!({"id": 1, "name": label, "color": "ededed"}))
        .collect();
    let mut issue = json!({
        "id": number, "number": number, "title": ticket.title, "body": ticket.text,
        "state": ticket.status, "state_reason": ticket.reason, "labels": labels,
        "url": format!("{repository}/issues/{number}"), "repository_url": repository,
        "html_url": format!("https://github.com/{}/issues/{number}", ticket.project),
        "created_at": written(ticket.created_at), "updated_at": written(ticket.updated_at),
        "comments": ticket.comments.len(),
    });
    if ticket.is_pull {
        issue["pull_request"] = json!({"url": format!("{repository}/pulls/{number}")});
    }
    issue
}

fn list(state: &State, project: &str, call: &Call<'_>) -> Result<Answer, Answer> {
    let since = since(call)?;
    let labels: Vec<&str> =
        call.query("labels").split(',').filter(|label| !label.is_empty()).collect();
    let has = |ticket: &Ticket, label: &str| {
        ticket.labels.iter().any(|own| own.eq_ignore_ascii_case(label))
    };
    let wanted = call.query("state");
    let mut found: Vec<&Ticket> = state
        .tickets
        .iter()
        .filter(|ticket| {
            ticket.is_listed && ticket.project == project && ticket.updated_at >= since
        })
        .filter(|ticket| labels.iter().all(|label| has(ticket, label)))
        .filter(|ticket| match wanted {
            "all" => true,
            "" => ticket.status == "open",
            wanted => ticket.status == wanted,
        })
        .collect();
    found.sort_by_key(|ticket| ticket.created_at);
    // The newest first, unless it is asked for in another way.
    if call.query("direction") != "asc" {
        found.reverse();
    }
    Ok(page(state, call, found.into_iter().map(issue)))
}

fn comments(state: &State, found: usize, call: &Call<'_>) -> Result<Answer, Answer> {
    let since = since(call)?;
    let listed = state.tickets[found].comments.iter();
    let listed = listed.filter(|comment| comment.is_listed && comment.created_at >= since);
    let comments = listed.map(
        |comment| json!({"id": 1, "body": comment.text, "created_at": written(comment.created_at)}),
    );
    Ok(page(state, call, comments))
}

fn comment(state: &mut State, found: usize, body: &Value) -> Result<Answer, Answer> {
    if !body["body"].is_string() {
        return Err(invalid("body"));
    }
    check(body, &["body"])?;
    let (now, is_listed) = (whole_second(state.now), !state.lags);
    state.tickets[found].write(body["body"].clone(), now, is_listed);
    Ok(Answer::new(201, json!({"id": 1, "body": body["body"], "created_at": written(now)})))
}

fn since(call: &Call<'_>) -> Result<Timestamp, Answer> {
    match call.query("since") {
        "" => Ok(Timestamp::MIN),
        since => since.parse().map_err(|_| invalid("since")),
    }
}

fn page(state: &State, call: &Call<'_>, all: impl Iterator<Item = Value>) -> Answer {
    let number = |name: &str| call.query(name).parse::<usize>().ok();
    let size = number("per_page").unwrap_or(30).min(state.page_size);
    let skipped = number("page").unwrap_or(1).saturating_sub(1) * size;
    Answer::new(200, all.skip(skipped).take(size).collect())
}

fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
