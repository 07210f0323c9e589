//! Trackers of tickets on this machine: a Jira and a GitHub that are as strict as the real ones, and fail in every way there
//! is.

mod github;
mod jira;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use serde_json::{Value, json};

pub use jira::{Transition, Workflow};

/// A tracker.
#[derive(Clone)]
pub struct Tracker {
    kind: Kind,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy)]
enum Kind {
    Jira,
    GitHub,
}

/// What a tracker has, and how it behaves.
pub struct State {
    /// Its projects: keys of Jira, `owner/name` of GitHub.
    pub projects: BTreeSet<String>,
    /// The tokens that it takes: `token`, or `user:token`.
    pub tokens: BTreeSet<String>,
    /// Its tickets, in the order in which they were opened.
    pub tickets: Vec<Ticket>,
    /// Each request that came.
    pub requests: Vec<Asked>,
    /// What befalls the next requests, the first of them first.
    pub trouble: VecDeque<Trouble>,
    /// Whether lists are behind: what is new is in none until [`Tracker::catch_up`].
    pub lags: bool,
    /// The time.
    pub now: Timestamp,
    /// How many entries a page has at most.
    pub page_size: usize,
    /// The fields that are on no screen of Jira.
    pub missing_fields: BTreeSet<String>,
    /// How tickets of Jira may move.
    pub workflow: Workflow,
    late: Vec<Asked>,
    opened: BTreeMap<String, u64>,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The project that it is in.
    pub project: String,
    /// Its number there.
    pub number: u64,
    /// The keys that it had in other projects.
    pub former: Vec<String>,
    /// Its title.
    pub title: String,
    /// Its text: a document of Jira, or Markdown.
    pub text: Value,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its status: one of the workflow of Jira, `open` or `closed` of GitHub.
    pub status: String,
    /// Why it is in that status: a resolution of Jira, or a `state_reason` of GitHub.
    pub reason: Option<String>,
    /// Its comments.
    pub comments: Vec<Comment>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// The name of its priority.
    pub priority: Option<String>,
    /// Its due date.
    pub due: Option<String>,
    /// Whether it is a pull request.
    pub is_pull: bool,
    is_listed: bool,
}

/// A comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// Its text.
    pub text: Value,
    /// When it was written.
    pub created_at: Timestamp,
    is_listed: bool,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body; null if there is none.
    pub body: Value,
}

/// What befalls a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Too much was asked: 429, with a number of seconds.
    RateLimited(u32),
    /// Too much was asked: 429, with a date.
    RateLimitedUntil(Timestamp),
    /// GitHub's second limit: 403, with a number of seconds.
    SecondaryLimit(u32),
    /// GitHub's first limit: 403, with the moment when there is more.
    Exhausted(Timestamp),
    /// The token is not taken, for once.
    Unauthorized,
    /// The token is not taken, and Jira answers as it answers anybody.
    TakenForNobody,
    /// It is not allowed.
    Forbidden,
    /// Nothing is done, and this status is answered.
    Status(u16),
    /// Nothing is done, and the server fails.
    ServerError,
    /// All is done, and a proxy fails.
    ErrorAfterDoing,
    /// All is done, and the answer is cut to pieces on its way.
    GarbledAfterDoing,
    /// Nothing is done, and the connection ends.
    HangsUpBefore,
    /// All is done, and the connection ends.
    HangsUpAfter,
    /// There is no answer for as long as somebody waits for one.
    Slow {
        /// Whether all is done.
        done: bool,
    },
    /// The connection ends, and the request is carried out by [`Tracker::carry_out_late`].
    Late,
    /// Nothing befalls it: for sequences.
    None,
}

/// What is answered.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

/// What comes of a request.
enum Reply {
    Answer(Answer),
    /// The same, cut to pieces.
    Garbled(u16),
    HangUp,
    Never,
}

impl Tracker {
    /// A Jira with the project `SEC`.
    pub fn jira(now: Timestamp) -> Self {
        Self::new(Kind::Jira, "SEC", now)
    }

    /// A GitHub with the repository `acme/security`.
    pub fn github(now: Timestamp) -> Self {
        Self::new(Kind::GitHub, "acme/security", now)
    }

    fn new(kind: Kind, project: &str, now: Timestamp) -> Self {
        let state = State {
            projects: BTreeSet::from([project.to_owned()]),
            tokens: BTreeSet::from(["t0ken".to_owned(), "bot@example.com:t0ken".to_owned()]),
            tickets: Vec::new(),
            requests: Vec::new(),
            trouble: VecDeque::new(),
            lags: false,
            now,
            page_size: 100,
            missing_fields: BTreeSet::new(),
            workflow: Workflow::default(),
            late: Vec::new(),
            opened: BTreeMap::new(),
        };
        Self { kind, state: Arc::new(Mutex::new(state)) }
    }

    /// What it has, to look at and to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ticket with this key.
    pub fn ticket(&self, key: &str) -> Option<Ticket> {
        let state = self.state();
        state.tickets.iter().find(|ticket| self.key(ticket) == key).cloned()
    }

    /// The key of a ticket.
    pub fn key(&self, ticket: &Ticket) -> String {
        self.kind.key(&ticket.project, ticket.number)
    }

    /// Takes a ticket to another project, as people do. Returns the key that it has there.
    pub fn transfer(&self, key: &str, project: &str) -> Option<String> {
        let mut state = self.state();
        state.projects.insert(project.to_owned());
        let number = state.next_number(project);
        let ticket = state.tickets.iter_mut().find(|ticket| self.key(ticket) == key)?;
        ticket.former.push(key.to_owned());
        (ticket.project, ticket.number) = (project.to_owned(), number);
        Some(self.key(ticket))
    }

    /// Brings lists up to date.
    pub fn catch_up(&self) {
        for ticket in &mut self.state().tickets {
            ticket.is_listed = true;
            ticket.comments.iter_mut().for_each(|comment| comment.is_listed = true);
        }
    }

    /// Carries out what [`Trouble::Late`] has befallen, in the order in which it came.
    pub fn carry_out_late(&self) {
        let mut state = self.state();
        for asked in std::mem::take(&mut state.late) {
            self.kind.answer(&mut state, &asked);
        }
    }

    /// Performs a request.
    fn perform(&self, asked: Asked) -> Reply {
        let mut state = self.state();
        state.requests.push(asked.clone());
        let trouble = state.trouble.pop_front().unwrap_or(Trouble::None);
        let now = state.now;
        let mut done = || self.kind.answer(&mut state, &asked);
        let http =
            |moment: Timestamp| rfc2822::to_string(&moment.to_zoned(jiff::tz::TimeZone::UTC));
        let mut answer = match trouble {
            Trouble::None => done(),
            Trouble::ErrorAfterDoing => {
                done();
                refusal(502, "Bad gateway")
            }
            Trouble::GarbledAfterDoing => return Reply::Garbled(done().status),
            Trouble::HangsUpAfter => {
                done();
                return Reply::HangUp;
            }
            Trouble::Slow { done: is_done } => {
                if is_done {
                    done();
                }
                return Reply::Never;
            }
            Trouble::Late => {
                state.late.push(asked);
                return Reply::HangUp;
            }
            Trouble::HangsUpBefore => return Reply::HangUp,
            Trouble::RateLimited(seconds) => {
                refusal(429, "Too many requests").with("retry-after", seconds.to_string())
            }
            Trouble::RateLimitedUntil(moment) => refusal(429, "Too many requests")
                .with("retry-after", http(moment).unwrap_or_default()),
            Trouble::SecondaryLimit(seconds) => {
                refusal(403, "You have exceeded a secondary rate limit.")
                    .with("retry-after", seconds.to_string())
            }
            Trouble::Exhausted(until) => refusal(403, "API rate limit exceeded")
                .with("x-ratelimit-remaining", "0".to_owned())
                .with("x-ratelimit-reset", until.as_second().to_string()),
            Trouble::Unauthorized => refusal(401, "Bad credentials"),
            Trouble::TakenForNobody => refusal(404, "Issue does not exist")
                .with("x-seraph-loginreason", "AUTHENTICATED_FAILED".to_owned()),
            Trouble::Forbidden => refusal(403, "Resource not accessible by personal access token"),
            Trouble::Status(status) => refusal(status, "as the test wants it"),
            Trouble::ServerError => refusal(500, "Internal error"),
        };
        answer.headers.extend(http(now).ok().map(|date| ("date", date)));
        Reply::Answer(answer)
    }
}

impl Kind {
    fn key(self, project: &str, number: u64) -> String {
        match self {
            Self::Jira => format!("{project}-{number}"),
            Self::GitHub => format!("{project}#{number}"),
        }
    }

    fn answer(self, state: &mut State, asked: &Asked) -> Answer {
        if !asked.headers.contains_key("user-agent") {
            return refusal(403, "Please make sure your request has a User-Agent header");
        }
        if !state.takes(asked.headers.get("authorization").map_or("", String::as_str)) {
            return refusal(401, "Bad credentials");
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        let call = Call { method: &asked.method, steps: &steps, query, body: &asked.body };
        let answer = match self {
            Self::Jira => jira::answer(state, &call),
            Self::GitHub => github::answer(state, &call),
        };
        answer.unwrap_or_else(|refused| refused)
    }
}

/// A request in parts.
struct Call<'a> {
    method: &'a str,
    steps: &'a [&'a str],
    query: BTreeMap<String, String>,
    body: &'a Value,
}

impl Call<'_> {
    fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

impl State {
    /// Whether a header `authorization` is of a token that is taken.
    fn takes(&self, header: &str) -> bool {
        let (scheme, rest) = header.split_once(' ').unwrap_or_default();
        let token = match scheme {
            "Bearer" => Some(rest.to_owned()),
            "Basic" => {
                let bytes = aws_smithy_types::base64::decode(rest).ok();
                bytes.and_then(|bytes| String::from_utf8(bytes).ok())
            }
            _ => None,
        };
        token.is_some_and(|token| self.tokens.contains(&token))
    }

    fn next_number(&mut self, project: &str) -> u64 {
        let number = self.opened.entry(project.to_owned()).or_default();
        *number += 1;
        *number
    }

    /// Opens a ticket.
    fn open(&mut self, project: &str, status: &str) -> &mut Ticket {
        let (number, now, is_listed) = (self.next_number(project), self.now, !self.lags);
        self.tickets.push(Ticket {
            project: project.to_owned(),
            number,
            former: Vec::new(),
            title: String::new(),
            text: Value::Null,
            labels: Vec::new(),
            status: status.to_owned(),
            reason: None,
            comments: Vec::new(),
            created_at: now,
            updated_at: now,
            priority: None,
            due: None,
            is_pull: false,
            is_listed,
        });
        let last = self.tickets.len() - 1;
        &mut self.tickets[last]
    }
}

impl Ticket {
    fn write(&mut self, text: Value, created_at: Timestamp, is_listed: bool) {
        self.comments.push(Comment { text, created_at, is_listed });
        self.updated_at = created_at;
    }
}

impl Answer {
    fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A refusal that both kinds of trackers could write.
fn refusal(status: u16, why: &str) -> Answer {
    Answer::new(status, json!({"message": why, "errorMessages": [why], "errors": {}}))
}

/// A moment without fractions.
fn whole_second(moment: Timestamp) -> Timestamp {
    let fraction = SignedDuration::from_nanos(i64::from(moment.subsec_nanosecond()));
    moment.checked_sub(fraction).unwrap_or(moment)
}
