//! GitHub, and GitHub Enterprise Server, through their REST API.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    CLOCK_SKEW, MAX_PAGES, TrackerConfig, carries,
    credential::Credentials,
    encoded,
    http::{Http, Request},
};
use crate::{
    app::{Moved, TicketAt, TrackerFailed, Trouble},
    domain::{
        assess::Priority,
        ticket::{Seen, TrackerKind},
    },
    render::ticket::{Card, Document, code, markdown},
};

const GET: &str = "GitHub GetIssue";
const EDIT: &str = "GitHub UpdateIssue";
const HEADERS: &[(&str, &str)] =
    &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];
/// The longest text, in bytes, without the mark: GitHub takes 65,536 characters.
const MAX_TEXT: usize = 60_000;
/// How many entries a page has.
const PAGE: usize = 100;

/// GitHub.
#[derive(Debug)]
pub struct GitHub<C> {
    pub(super) http: Http<C>,
    config: TrackerConfig,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    state: String,
    body: Option<String>,
    repository_url: String,
    created_at: Timestamp,
    #[serde(default)]
    labels: Vec<Label>,
    pull_request: Option<Value>,
}

/// A label comes in two forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Name(String),
    Object { name: Option<String> },
}

#[derive(Deserialize)]
struct Comment {
    body: Option<String>,
    created_at: Timestamp,
}

#[derive(Deserialize)]
struct Created {
    number: u64,
}

#[derive(Deserialize)]
struct Repository {
    has_issues: Option<bool>,
}

impl<C: Credentials> GitHub<C> {
    pub(super) fn new(config: TrackerConfig, credentials: C) -> Self {
        Self { http: Http::new(&config.url, HEADERS, credentials), config }
    }

    pub(super) async fn open(
        &self,
        project: &str,
        mark: &str,
        card: &Card,
    ) -> Result<String, TrackerFailed> {
        let labels: Vec<&str> =
            self.config.labels().chain(self.config.priority(card.priority)).collect();
        let body = json!({"title": card.title, "body": text(&card.text, mark), "labels": labels});
        let request = about("GitHub CreateIssue", "POST", project, "/issues", Some(body));
        let created: Created = self.http.done(&request).await?.json(&request)?;
        Ok(format!("{project}#{}", created.number))
    }

    pub(super) async fn edit(
        &self,
        ticket: TicketAt<'_>,
        card: &Card,
    ) -> Result<(), TrackerFailed> {
        let request = request(EDIT, "PATCH", ticket, "", None)?;
        let Some(issue) = self.get(ticket).await?.filter(|issue| is_ours(issue, ticket)) else {
            return Err(request.failed(Trouble::Refused, "it is not ours any more"));
        };
        // Labels are replaced as a whole: those of people stay, and of the priorities the right one.
        let priorities = Priority::ALL.map(|priority| self.config.priority(priority));
        let mut labels: Vec<&str> = issue.labels.iter().filter_map(Label::name).collect();
        labels.retain(|label| {
            !priorities.iter().flatten().any(|own| own.eq_ignore_ascii_case(label))
        });
        for label in self.config.labels().chain(self.config.priority(card.priority)) {
            if !labels.iter().any(|there| there.eq_ignore_ascii_case(label)) {
                labels.push(label);
            }
        }
        let text = text(&card.text, ticket.mark);
        let body = json!({"title": card.title, "body": text, "labels": labels});
        self.http.done(&Request { body: Some(body), ..request }).await.map(drop)
    }

    pub(super) async fn look(&self, ticket: TicketAt<'_>) -> Result<Seen, TrackerFailed> {
        Ok(match self.get(ticket).await? {
            Some(issue) if is_ours(&issue, ticket) && issue.state == "open" => Seen::Open,
            Some(issue) if is_ours(&issue, ticket) => Seen::Closed,
            _ => Seen::Lost,
        })
    }

    /// A ticket, if there is one.
    async fn get(&self, ticket: TicketAt<'_>) -> Result<Option<Issue>, TrackerFailed> {
        let Ok(request) = request(GET, "GET", ticket, "", None) else { return Ok(None) };
        let answer = self.http.send(&request).await?;
        if matches!(answer.status, 301 | 302 | 307 | 308 | 404 | 410) {
            // Where the repository is not to be seen either, or has no issues, it is not the ticket that is lost.
            let request = about("GitHub GetRepository", "GET", ticket.project, "", None);
            let repository: Repository = self.http.done(&request).await?.json(&request)?;
            if repository.has_issues == Some(false) {
                let source = "the repository has its issues turned off";
                return Err(request.failed(Trouble::Forbidden, source));
            }
            return Ok(None);
        }
        answer.done(&request)?.json(&request).map(Some)
    }

    pub(super) async fn find(
        &self,
        project: &str,
        mark: &str,
        since: Timestamp,
    ) -> Result<Vec<String>, TrackerFailed> {
        let from = since.checked_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN);
        // Not by label: GitHub drops the labels of who may not give any, and says nothing. Its `since` is about changes, and
        // what was opened after it was changed after it.
        let list = format!(
            "/issues?state=all&sort=created&direction=desc&since={}&per_page={PAGE}",
            encoded(&second(from))
        );
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let list = format!("{list}&page={page}");
            let request = about("GitHub ListIssues", "GET", project, &list, None);
            let issues: Vec<Issue> = self.http.done(&request).await?.json(&request)?;
            for issue in &issues {
                let key = format!("{project}#{}", issue.number);
                let ticket = TicketAt { project, key: &key, mark };
                if issue.created_at >= from && is_ours(issue, ticket) {
                    found.push((issue.created_at, issue.number, key));
                }
            }
            // The newest come first.
            let is_past = issues.last().is_none_or(|last| last.created_at < from);
            if is_past || issues.len() < PAGE {
                break;
            }
            if page == MAX_PAGES {
                let source = format!("more than {} were opened meanwhile", PAGE * MAX_PAGES);
                return Err(request.failed(Trouble::Unknown, source));
            }
        }
        found.sort();
        // Pages overlap where tickets are opened meanwhile.
        found.dedup();
        Ok(found.into_iter().map(|(.., key)| key).collect())
    }

    pub(super) async fn comment(
        &self,
        ticket: TicketAt<'_>,
        document: &Document,
    ) -> Result<(), TrackerFailed> {
        let body = json!({"body": document.within(MAX_TEXT, markdown, String::len)});
        let request = request("GitHub CreateComment", "POST", ticket, "/comments", Some(body))?;
        self.http.done(&request).await.map(drop)
    }

    pub(super) async fn has_comment(
        &self,
        ticket: TicketAt<'_>,
        mark: &str,
        since: Timestamp,
    ) -> Result<bool, TrackerFailed> {
        let from = since.checked_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN);
        let list = format!("/comments?since={}&per_page={PAGE}", encoded(&second(from)));
        for page in 1..=MAX_PAGES {
            let list = format!("{list}&page={page}");
            let request = request("GitHub ListComments", "GET", ticket, &list, None)?;
            let comments: Vec<Comment> = self.http.done(&request).await?.json(&request)?;
            let is_it = |comment: &Comment| {
                comment.created_at >= from
                    && comment.body.as_deref().is_some_and(|body| carries(body, mark))
            };
            if comments.iter().any(is_it) {
                return Ok(true);
            }
            if comments.len() < PAGE {
                break;
            }
        }
        Ok(false)
    }

    pub(super) async fn close(&self, ticket: TicketAt<'_>) -> Result<Moved, TrackerFailed> {
        self.go(ticket, json!({"state": "closed", "state_reason": "completed"})).await
    }

    pub(super) async fn reopen(&self, ticket: TicketAt<'_>) -> Result<Moved, TrackerFailed> {
        self.go(ticket, json!({"state": "open", "state_reason": "reopened"})).await
    }

    async fn go(&self, ticket: TicketAt<'_>, to: Value) -> Result<Moved, TrackerFailed> {
        let request = request(EDIT, "PATCH", ticket, "", Some(to))?;
        self.http.done(&request).await.map(|_| Moved::Yes)
    }
}

impl Label {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Object { name } => name.as_deref(),
        }
    }
}

/// A request about a repository.
fn about<'a>(
    operation: &'static str,
    method: &'static str,
    project: &'a str,
    rest: &str,
    body: Option<Value>,
) -> Request<'a> {
    let (owner, name) = project.split_once('/').unwrap_or((project, ""));
    let path = format!("/repos/{}/{}{rest}", encoded(owner), encoded(name));
    Request { operation, object: project, method, path, body }
}

/// A request about a ticket, if it is in its project.
fn request<'a>(
    operation: &'static str,
    method: &'static str,
    ticket: TicketAt<'a>,
    rest: &str,
    body: Option<Value>,
) -> Result<Request<'a>, TrackerFailed> {
    let number = ticket.key.rsplit_once('#').and_then(|(project, number)| {
        let number: u64 = number.parse().ok()?;
        project.eq_ignore_ascii_case(ticket.project).then_some(number)
    });
    let rest = format!("/issues/{}{rest}", number.unwrap_or_default());
    let request = about(operation, method, ticket.project, &rest, body);
    let request = Request { object: ticket.key, ..request };
    if number.is_some() && TrackerKind::GitHub.is_project(ticket.project) {
        Ok(request)
    } else {
        let source = format!("it is no ticket of {}", ticket.project);
        Err(request.failed(Trouble::Refused, source))
    }
}

/// A ticket that was transferred is answered from where it is now.
fn is_ours(issue: &Issue, ticket: TicketAt<'_>) -> bool {
    let (url, end) =
        (issue.repository_url.to_ascii_lowercase(), ticket.project.to_ascii_lowercase());
    issue.pull_request.is_none()
        && url.ends_with(&format!("/repos/{end}"))
        && issue.body.as_deref().is_some_and(|body| carries(body, ticket.mark))
}

/// A text with the mark at its end: labels are not for it, since a repository keeps every label that it ever had.
fn text(document: &Document, mark: &str) -> String {
    format!("{}\n{}\n", document.within(MAX_TEXT, markdown, String::len), code(mark))
}

/// A moment as GitHub takes it, without fractions.
fn second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
