//! Jira Cloud, through version 3 of its REST API.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    CLOCK_SKEW, MAX_PAGES, TrackerConfig, carries,
    credential::Credentials,
    encoded,
    http::{Http, Request},
};
use crate::{
    app::{TicketAt, TrackerFailed, Trouble},
    domain::ticket::{Seen, TrackerKind},
    render::ticket::{Card, Document, adf},
};

mod workflow;

const CREATE: &str = "Jira CreateIssue";
const EDIT: &str = "Jira EditIssue";
const GET: &str = "Jira GetIssue";
/// The longest text, in bytes of JSON: Jira takes 32,767 characters.
const MAX_TEXT: usize = 30_000;
/// What a ticket can do without, where its screen does not have it.
const OPTIONAL: [&str; 2] = ["duedate", "priority"];

/// Jira.
#[derive(Debug)]
pub struct Jira<C> {
    pub(super) http: Http<C>,
    config: TrackerConfig,
    has_warned: AtomicBool,
}

#[derive(Deserialize)]
struct Created {
    key: String,
}

#[derive(Deserialize)]
struct Issue {
    key: String,
    fields: Fields,
}

#[derive(Deserialize)]
struct Fields {
    created: Option<String>,
    status: Option<workflow::Status>,
    project: Project,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Deserialize)]
struct Project {
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    issues: Vec<Issue>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Comments {
    comments: Vec<Comment>,
}

#[derive(Deserialize)]
struct Comment {
    created: String,
    #[serde(default)]
    body: Value,
}

impl<C: Credentials> Jira<C> {
    pub(super) fn new(config: TrackerConfig, credentials: C) -> Self {
        let http = Http::new(&config.url, &[("accept", "application/json")], credentials);
        Self { http, config, has_warned: AtomicBool::new(false) }
    }

    pub(super) async fn open(
        &self,
        project: &str,
        mark: &str,
        card: &Card,
    ) -> Result<String, TrackerFailed> {
        let labels: Vec<&str> = self.config.labels().chain([mark]).collect();
        let mut fields = self.fields(card);
        fields.extend([
            ("project".to_owned(), json!({"key": project})),
            ("issuetype".to_owned(), json!({"name": self.config.issue_type})),
            ("labels".to_owned(), json!(labels)),
        ]);
        // One that is not there yet has no date to be taken away.
        fields.retain(|_, value| !value.is_null());
        let request = Request {
            operation: CREATE,
            object: project,
            method: "POST",
            path: "/rest/api/3/issue".to_owned(),
            body: Some(json!({"fields": fields})),
        };
        let answer = self.write(request).await?;
        let created: Created = answer.0.json(&answer.1)?;
        if is_key(&created.key) {
            Ok(created.key)
        } else {
            Err(answer.1.failed(Trouble::Unknown, "the answer has no key of a ticket"))
        }
    }

    pub(super) async fn edit(
        &self,
        ticket: TicketAt<'_>,
        card: &Card,
    ) -> Result<(), TrackerFailed> {
        let add = |label| json!({"add": label});
        let labels: Vec<Value> = self.config.labels().chain([ticket.mark]).map(add).collect();
        let body = json!({"fields": self.fields(card), "update": {"labels": labels}});
        self.write(about_ticket(EDIT, "PUT", ticket, "", Some(body))?).await.map(drop)
    }

    /// What a ticket says, in fields.
    fn fields(&self, card: &Card) -> Map<String, Value> {
        let mut fields = Map::from_iter([
            ("summary".to_owned(), json!(card.title)),
            ("description".to_owned(), text(&card.text)),
        ]);
        if let Some(name) = self.config.priority(card.priority) {
            fields.insert("priority".to_owned(), json!({"name": name}));
        }
        if self.config.due_dates {
            fields.insert("duedate".to_owned(), json!(card.due.map(|due: Date| due.to_string())));
        }
        fields
    }

    /// Writes fields, without those of [`OPTIONAL`] that Jira does not take. A request that is refused has done nothing.
    async fn write<'a>(
        &self,
        mut request: Request<'a>,
    ) -> Result<(super::answer::Answer, Request<'a>), TrackerFailed> {
        let mut answer = self.http.send(&request).await?;
        let wrong = if answer.status == 400 { answer.wrong_fields() } else { Vec::new() };
        if !wrong.is_empty() && wrong.iter().all(|field| OPTIONAL.contains(&field.as_str())) {
            if !self.has_warned.swap(true, Ordering::Relaxed) {
                let fields = wrong.join(", ");
                tracing::warn!(fields, "Jira does not take these fields; tickets go without them");
            }
            if let Some(fields) =
                request.body.as_mut().and_then(|body| body["fields"].as_object_mut())
            {
                fields.retain(|name, _| !wrong.contains(name));
            }
            answer = self.http.send(&request).await?;
        }
        // A project that is not there, or that the token does not see.
        if answer.status == 400 && answer.wrong_fields().iter().any(|field| field == "project") {
            return Err(answer.refused(&request, Trouble::Forbidden));
        }
        Ok((answer.done(&request)?, request))
    }

    pub(super) async fn look(&self, ticket: TicketAt<'_>) -> Result<Seen, TrackerFailed> {
        let Ok(request) = about_ticket(GET, "GET", ticket, "?fields=status,project,labels", None)
        else {
            return Ok(Seen::Lost);
        };
        let answer = self.http.send(&request).await?;
        if !answer.is_unauthorized() && matches!(answer.status, 301 | 302 | 307 | 308 | 404 | 410) {
            // Where the project is not to be seen either, it is not the ticket that is lost.
            self.see_project(ticket.project).await?;
            return Ok(Seen::Lost);
        }
        let issue: Issue = answer.done(&request)?.json(&request)?;
        let status = issue.fields.status.as_ref();
        let status = status.ok_or_else(|| request.failed(Trouble::Unknown, "it has no status"))?;
        Ok(match is_ours(&issue, ticket.project, ticket.mark) {
            false => Seen::Lost,
            true if status.is_done() => Seen::Closed,
            true => Seen::Open,
        })
    }

    async fn see_project(&self, project: &str) -> Result<(), TrackerFailed> {
        let request = Request {
            operation: "Jira GetProject",
            object: project,
            method: "GET",
            path: format!("/rest/api/3/project/{}", encoded(project)),
            body: None,
        };
        self.http.done(&request).await.map(drop)
    }

    pub(super) async fn find(
        &self,
        project: &str,
        mark: &str,
        since: Timestamp,
    ) -> Result<Vec<String>, TrackerFailed> {
        // Jira reads a date in the time zone of the token's user, which is at most 14 hours from UTC: a day earlier is early
        // enough for all. What is too old is left out below.
        let day = earlier(since, SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
        let jql = format!(
            "project = \"{project}\" AND labels = \"{mark}\" AND created >= \"{day}\" ORDER BY created ASC"
        );
        let mut body =
            json!({"jql": jql, "fields": ["created", "project", "labels"], "maxResults": 100});
        let from = earlier(since, CLOCK_SKEW);
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let request = Request {
                operation: "Jira SearchIssues",
                object: project,
                method: "POST",
                path: "/rest/api/3/search/jql".to_owned(),
                body: Some(body.clone()),
            };
            let page: Found = self.http.done(&request).await?.json(&request)?;
            for issue in page.issues {
                let created = issue.fields.created.as_deref().and_then(moment);
                let created =
                    created.ok_or_else(|| request.failed(Trouble::Unknown, "it has no time"))?;
                if created >= from && is_ours(&issue, project, mark) {
                    found.push((created, issue.key));
                }
            }
            match page.next_page_token {
                Some(token) => body["nextPageToken"] = json!(token),
                None => break,
            }
        }
        found.sort_by_key(|(created, _)| *created);
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    pub(super) async fn comment(
        &self,
        ticket: TicketAt<'_>,
        document: &Document,
    ) -> Result<(), TrackerFailed> {
        let body = Some(json!({"body": text(document)}));
        let request = about_ticket("Jira AddComment", "POST", ticket, "/comment", body)?;
        self.http.done(&request).await.map(drop)
    }

    pub(super) async fn has_comment(
        &self,
        ticket: TicketAt<'_>,
        mark: &str,
        since: Timestamp,
    ) -> Result<bool, TrackerFailed> {
        // One page is enough: what is looked for was written a moment ago.
        let path = "/comment?orderBy=-created&maxResults=100";
        let request = about_ticket("Jira GetComments", "GET", ticket, path, None)?;
        let found: Comments = self.http.done(&request).await?.json(&request)?;
        let from = earlier(since, CLOCK_SKEW);
        Ok(found.comments.iter().any(|comment| {
            moment(&comment.created).is_none_or(|created| created >= from)
                && carries(&comment.body.to_string(), mark)
        }))
    }
}

/// A request about a ticket, if it is in its project.
fn about_ticket<'a>(
    operation: &'static str,
    method: &'static str,
    ticket: TicketAt<'a>,
    rest: &str,
    body: Option<Value>,
) -> Result<Request<'a>, TrackerFailed> {
    let path = format!("/rest/api/3/issue/{}{rest}", encoded(ticket.key));
    let request = Request { operation, object: ticket.key, method, path, body };
    let project = ticket.key.rsplit_once('-').map(|(project, _)| project);
    let is_there = project.is_some_and(|own| own.eq_ignore_ascii_case(ticket.project));
    if is_there && is_key(ticket.key) {
        Ok(request)
    } else {
        let source = format!("it is no ticket of {}", ticket.project);
        Err(request.failed(Trouble::Refused, source))
    }
}

/// Whether a text can be the key of a ticket.
fn is_key(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(project, number)| {
        TrackerKind::Jira.is_project(project)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The key of a ticket that was moved is answered with the ticket, in the project where it is now.
fn is_ours(issue: &Issue, project: &str, mark: &str) -> bool {
    issue.fields.project.key.eq_ignore_ascii_case(project)
        && issue.fields.labels.iter().any(|label| label == mark)
}

fn text(document: &Document) -> Value {
    document.within(MAX_TEXT, adf, |written| written.to_string().len())
}

/// A moment as Jira writes it: `2026-11-28T03:00:00.000+0000`.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok().or_else(|| text.parse().ok())
}

fn earlier(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_sub(by).unwrap_or(Timestamp::MIN)
}
