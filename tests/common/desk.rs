//! Findings, a tracker, and tickets between them, at a time that passes only when it is told to.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use inspector_triage::{
    adapters::{
        dynamodb::DynamoDb,
        trackers::{Credential, Credentials, TrackerClient, TrackerConfig},
    },
    app::{
        Attempt, Clock, Observation, Records, TicketLog, TrackerFailed,
        failure::CallFailed,
        tickets::{SettleResult, Tickets, TicketsConfig},
    },
    domain::{
        assess::Priority,
        record::{How, Transition},
        ticket::TrackerKind,
    },
    emulator::tracker::{Ticket, Tracker},
    render::Style,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{World, arn, event_of};

/// The token that the tracker takes.
pub const TOKEN: &str = "t0ken";
/// How long an invocation may take.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(240);
/// How long is waited for an answer that does not come. A request that takes so long by itself is one whose outcome is not
/// known, which changes nothing in the end.
pub const PATIENCE: Duration = Duration::from_millis(400);

/// A clock that stands still but where somebody waits by it.
#[derive(Clone)]
pub struct StandingClock(Arc<Mutex<Timestamp>>);

impl StandingClock {
    pub fn pass(&self, time: SignedDuration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn pause(&self, pause: Duration) {
        self.pass(pause.try_into().unwrap());
    }
}

/// A token that stays.
pub struct Token(pub &'static str);

impl Credentials for Token {
    async fn credential(&self, _: bool) -> Result<Credential, TrackerFailed> {
        Ok(Credential::new(Some("bot@example.com"), self.0).unwrap())
    }
}

pub type Client = TrackerClient<Token>;

/// The whole.
pub struct Desk {
    pub world: World,
    pub tracker: Tracker,
    pub clock: StandingClock,
    pub tickets: Tickets<DynamoDb, Client>,
    pub observed: Arc<Mutex<Vec<Observation>>>,
    pub url: String,
    attempts: AtomicUsize,
}

/// The configuration of a tracker at this address.
pub fn tracker_config(kind: TrackerKind, url: &str) -> TrackerConfig {
    let names = match kind {
        TrackerKind::Jira => ["Highest", "High", "Medium", "Low"],
        TrackerKind::GitHub => ["P1", "P2", "P3", "P4"],
    };
    TrackerConfig {
        kind,
        url: url.parse().unwrap(),
        issue_type: "Task".to_owned(),
        priorities: Some(names.map(str::to_owned)),
        due_dates: true,
        labels: Vec::new(),
    }
}

/// The project that all tickets are opened in.
pub fn project(kind: TrackerKind) -> &'static str {
    match kind {
        TrackerKind::Jira => "SEC",
        TrackerKind::GitHub => "acme/security",
    }
}

/// The settings of tickets: all go to one project, from `from` on.
pub fn settings(kind: TrackerKind, from: Priority) -> TicketsConfig {
    let projects = format!("*={}", project(kind)).parse().unwrap();
    TicketsConfig { projects, from, style: Style::default() }
}

impl Desk {
    pub async fn new(kind: TrackerKind) -> Self {
        let clock = StandingClock(Arc::new(Mutex::new("2026-11-20T12:00:00Z".parse().unwrap())));
        let tracker = match kind {
            TrackerKind::Jira => Tracker::jira(clock.now()),
            TrackerKind::GitHub => Tracker::github(clock.now()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(tracker.clone().serve(listener));
        let world = World::new().await;
        let client = TrackerClient::new(tracker_config(kind, &url), Token(TOKEN));
        let tickets = Tickets {
            store: world.triage.store.clone(),
            tracker: client,
            config: settings(kind, Priority::P4),
        };
        let (observed, attempts) = (Arc::default(), AtomicUsize::new(0));
        Self { world, tracker, clock, tickets, observed, url, attempts }
    }

    /// Triages an event of now, after `change` to the ordinary one of the finding with a number.
    pub async fn event(&self, number: usize, change: impl FnOnce(&mut Value)) {
        self.pass(SignedDuration::from_secs(1));
        let now = self.clock.now().to_string();
        let event = event_of(&arn(number), &now, |finding| {
            finding["resources"][0]["id"] = Value::from(format!("i-{number:017x}"));
            change(finding);
        });
        self.world.handle(&event, &now).await.unwrap();
    }

    /// Closes a finding, and finds out how it ended.
    pub async fn end(&self, number: usize, how: How) {
        self.event(number, |finding| finding["status"] = Value::from("CLOSED")).await;
        self.explain(number, how).await;
    }

    /// Finds out how a finding ended.
    pub async fn explain(&self, number: usize, how: How) {
        let record = self.world.record(&arn(number)).await;
        let explained = record.explained(how, None, self.clock.now());
        let record = explained.unwrap_or_else(|| panic!("{record:?} has not ended")).rewritten();
        self.world.triage.store.write(&record, Transition::Explained).await.unwrap();
    }

    /// Notes findings, as a message of the queue has it done.
    pub async fn note(&self, numbers: &[usize]) {
        self.note_with(&self.tickets, numbers).await.unwrap();
    }

    /// The same, with other tickets.
    pub async fn note_with(
        &self,
        tickets: &Tickets<DynamoDb, Client>,
        numbers: &[usize],
    ) -> Result<(), CallFailed> {
        let name = self.name();
        let attempt = Attempt::new(&name, self.clock.now());
        let arns: Vec<String> = numbers.iter().map(|number| arn(*number)).collect();
        let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
        tickets.note(&arns, attempt).await.map(drop)
    }

    /// Deals with the tickets whose turn it is.
    pub async fn settle(&self) -> SettleResult {
        self.settle_with(&self.tickets).await.unwrap()
    }

    /// The same, with other tickets.
    pub async fn settle_with(
        &self,
        tickets: &Tickets<DynamoDb, Client>,
    ) -> Result<SettleResult, CallFailed> {
        let name = self.name();
        let left = self.left();
        let observe = |observation| self.observed.lock().unwrap().push(observation);
        let attempt =
            Attempt { left: &left, observe: &observe, ..Attempt::new(&name, self.clock.now()) };
        let result = tickets.settle(attempt, &self.clock, Vec::new()).await;
        self.tracker.state().now = self.clock.now();
        result
    }

    /// Lets time pass.
    pub fn pass(&self, time: SignedDuration) {
        self.clock.pass(time);
        self.tracker.state().now = self.clock.now();
    }

    /// Has the schedule come every five minutes until nothing is left to do within the next hours.
    pub async fn until_quiet(&self) {
        for _ in 0..100 {
            self.settle().await;
            self.tracker.catch_up();
            self.tracker.carry_out_late();
            let soon = self.clock.now() + SignedDuration::from_hours(12);
            let due = self.tickets.store.due_tickets(soon, 1).await.unwrap();
            if due.is_empty() {
                return;
            }
            self.pass(SignedDuration::from_mins(5));
        }
        panic!("there is no end to it: {:?}", self.tracker.state().tickets);
    }

    /// The only ticket there is.
    pub fn ticket(&self) -> Ticket {
        let state = self.tracker.state();
        let [ticket] = &state.tickets[..] else {
            panic!("one ticket, and not {:?}", state.tickets);
        };
        ticket.clone()
    }

    /// The time, as events have it.
    pub fn clock_text(&self) -> String {
        self.clock.now().to_string()
    }

    /// How many requests the tracker had.
    pub fn requests(&self) -> usize {
        self.tracker.state().requests.len()
    }

    /// What an attempt has left of its time.
    pub fn left(&self) -> impl Fn() -> SignedDuration + Send + Sync + use<> {
        let (clock, until) = (self.clock.clone(), self.clock.now() + TIMEOUT);
        move || until.duration_since(clock.now())
    }

    /// A name that no other attempt has.
    pub fn name(&self) -> String {
        format!("attempt-{}", self.attempts.fetch_add(1, Ordering::Relaxed))
    }
}

/// The text of a comment or of a ticket, in whichever form it is.
pub fn text(of: &Value) -> String {
    fn collect(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(text) = fields.get("text").and_then(Value::as_str) {
                    out.push(text.to_owned());
                }
                fields.values().for_each(|value| collect(value, out));
            }
            Value::Array(all) => all.iter().for_each(|value| collect(value, out)),
            _ => {}
        }
    }
    if let Some(text) = of.as_str() {
        return text.replace('\\', "");
    }
    let mut out = Vec::new();
    collect(of, &mut out);
    out.join(" ")
}
