//! Jira and GitHub through the client, over a network, against stand-ins that are as strict as the real ones.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use inspector_triage::{
    adapters::{
        secrets::Secrets,
        trackers::{Address, Credential, Credentials, TrackerClient, TrackerConfig},
    },
    app::{Moved, TicketAt, Tracker, TrackerFailed, Trouble as Means, failure::chain},
    domain::{
        assess::Priority,
        ticket::{Seen, TrackerKind},
    },
    emulator::tracker::{self, Ticket, Transition, Trouble},
    render::ticket::{Block, Card, Document, Inline},
};
use jiff::{SignedDuration, Timestamp, civil::date};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::common::desk::{TOKEN, project};

const NOW: &str = "2026-11-28T03:00:00Z";
const MARK: &str = "inspector-triage-3f2a9c";
const KINDS: [TrackerKind; 2] = [TrackerKind::Jira, TrackerKind::GitHub];

/// One token after the other, of which the last stays.
struct Tokens {
    all: Vec<&'static str>,
    used: AtomicUsize,
}

impl Tokens {
    fn new(all: &[&'static str]) -> Self {
        Self { all: all.to_vec(), used: AtomicUsize::new(0) }
    }
}

impl Credentials for Tokens {
    async fn credential(&self, fresh: bool) -> Result<Credential, TrackerFailed> {
        let last = self.all.len() - 1;
        let used = self.used.fetch_add(usize::from(fresh), Ordering::Relaxed);
        let token = self.all[(used + usize::from(fresh)).min(last)];
        Ok(Credential::new(Some("bot@example.com"), token).unwrap())
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn config(kind: TrackerKind, url: &str) -> TrackerConfig {
    let names = match kind {
        TrackerKind::Jira => ["Highest", "High", "Medium", "Low"],
        TrackerKind::GitHub => ["P1", "P2", "P3", "P4"],
    };
    let names = names.map(str::to_owned);
    TrackerConfig {
        kind,
        url: url.parse().unwrap(),
        issue_type: "Task".to_owned(),
        priorities: Some(names),
        due_dates: true,
        labels: vec!["vulnerability".to_owned()],
    }
}

/// A tracker, and a client of it with this token.
async fn tracker_for(
    kind: TrackerKind,
    tokens: &[&'static str],
) -> (TrackerClient<Tokens>, tracker::Tracker) {
    let tracker = match kind {
        TrackerKind::Jira => tracker::Tracker::jira(now()),
        TrackerKind::GitHub => tracker::Tracker::github(now()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(tracker.clone().serve(listener));
    (TrackerClient::new(config(kind, &url), Tokens::new(tokens)), tracker)
}

async fn tracker(kind: TrackerKind) -> (TrackerClient<Tokens>, tracker::Tracker) {
    tracker_for(kind, &[TOKEN]).await
}

/// A tracker with a ticket of ours, and its key.
async fn opened(kind: TrackerKind) -> (TrackerClient<Tokens>, tracker::Tracker, String) {
    let (client, tracker) = tracker(kind).await;
    let key = client.open(project(kind), MARK, &card("Update openssl")).await.unwrap();
    (client, tracker, key)
}

fn card(title: &str) -> Card {
    let text = Document(vec![
        Block::Heading("What to do".to_owned()),
        Document::paragraph("Update openssl, says @octocat in #12."),
        Block::Points(vec![vec![Inline::Code("apt upgrade".to_owned())]]),
    ]);
    let (title, due) = (title.to_owned(), Some(date(2026, 12, 1)));
    Card { title, text, priority: Priority::P2, due }
}

fn at(kind: TrackerKind, key: &str) -> TicketAt<'_> {
    TicketAt { project: project(kind), key, mark: MARK }
}

fn comment(mark: &str) -> Document {
    let mark = Inline::Code(mark.to_owned());
    Document(vec![Document::paragraph("It is fixed."), Block::Paragraph(vec![mark])])
}

/// Changes a ticket behind the client's back.
fn change(tracker: &tracker::Tracker, change: impl FnOnce(&mut Ticket)) {
    change(tracker.state().tickets.last_mut().unwrap());
}

fn befall(tracker: &tracker::Tracker, trouble: &[Trouble]) {
    tracker.state().trouble.extend(trouble.iter().cloned());
}

fn requests(tracker: &tracker::Tracker) -> Vec<(String, String)> {
    let state = tracker.state();
    state.requests.iter().map(|asked| (asked.method.clone(), asked.path.clone())).collect()
}

#[tokio::test]
async fn a_ticket_is_opened_with_mark_labels_priority_and_date() {
    let (_, tracker, key) = opened(TrackerKind::Jira).await;
    assert_eq!(key, "SEC-1");
    let ticket = tracker.ticket(&key).unwrap();
    assert_eq!(ticket.title, "Update openssl");
    assert_eq!(ticket.labels, ["inspector-triage", "vulnerability", MARK]);
    assert_eq!(ticket.priority.as_deref(), Some("High"));
    assert_eq!(ticket.due.as_deref(), Some("2026-12-01"));
    assert_eq!(ticket.text["content"][0]["type"], "heading");

    let (_, tracker, key) = opened(TrackerKind::GitHub).await;
    assert_eq!(key, "acme/security#1");
    let ticket = tracker.ticket(&key).unwrap();
    assert_eq!(ticket.title, "Update openssl");
    assert_eq!(ticket.labels, ["inspector-triage", "vulnerability", "P2"]);
    let body = "### What to do\n\nUpdate openssl, says `@octocat` in `#12.`\n\n- `apt upgrade`\n\n`inspector-triage-3f2a9c`\n";
    assert_eq!(ticket.text, body);
}

#[tokio::test]
async fn each_request_says_who_asks_and_what_is_taken() {
    let (_, jira, _) = opened(TrackerKind::Jira).await;
    let headers = jira.state().requests[0].headers.clone();
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers["user-agent"].starts_with("inspector-triage/"));
    // `bot@example.com:t0ken`.
    assert_eq!(headers["authorization"], "Basic Ym90QGV4YW1wbGUuY29tOnQwa2Vu");
    let (_, github, _) = opened(TrackerKind::GitHub).await;
    let headers = github.state().requests[0].headers.clone();
    assert_eq!(headers["accept"], "application/vnd.github+json");
    assert_eq!(headers["x-github-api-version"], "2022-11-28");
}

#[tokio::test]
async fn a_ticket_is_open_then_closed_then_open_again() {
    for kind in KINDS {
        let (client, tracker, key) = opened(kind).await;
        assert_eq!(client.look(at(kind, &key)).await.unwrap(), Seen::Open);
        assert_eq!(client.close(at(kind, &key)).await.unwrap(), Moved::Yes);
        assert_eq!(client.look(at(kind, &key)).await.unwrap(), Seen::Closed);
        let reason = tracker.ticket(&key).unwrap().reason.unwrap();
        assert!(["Done", "completed"].contains(&reason.as_str()), "{reason}");
        assert_eq!(client.reopen(at(kind, &key)).await.unwrap(), Moved::Yes);
        assert_eq!(client.look(at(kind, &key)).await.unwrap(), Seen::Open);
        assert!(["To Do", "open"].contains(&tracker.ticket(&key).unwrap().status.as_str()));
    }
}

#[tokio::test]
async fn an_edit_leaves_the_labels_of_people() {
    for kind in KINDS {
        let (client, tracker, key) = opened(kind).await;
        change(&tracker, |ticket| ticket.labels.extend(["team-a".to_owned(), "p3".to_owned()]));
        let mut changed = card("Update openssl and curl");
        (changed.priority, changed.due) = (Priority::P1, None);
        client.edit(at(kind, &key), &changed).await.unwrap();
        let ticket = tracker.ticket(&key).unwrap();
        assert_eq!((ticket.title.as_str(), ticket.due), ("Update openssl and curl", None));
        if kind == TrackerKind::Jira {
            assert_eq!(ticket.labels, ["inspector-triage", "vulnerability", MARK, "team-a", "p3"]);
            assert_eq!(ticket.priority.as_deref(), Some("Highest"));
        } else {
            // Of the labels that are priorities, the right one stays.
            assert_eq!(ticket.labels, ["inspector-triage", "vulnerability", "team-a", "P1"]);
        }
        assert_eq!(client.look(at(kind, &key)).await.unwrap(), Seen::Open);
    }
}

#[tokio::test]
async fn what_was_opened_is_found_by_its_mark_once_the_tracker_has_caught_up() {
    for kind in KINDS {
        let (client, tracker) = tracker(kind).await;
        tracker.state().lags = true;
        let open = async |mark: &str| client.open(project(kind), mark, &card("A")).await.unwrap();
        let find = async |since| client.find(project(kind), MARK, since).await.unwrap();
        let first = open(MARK).await;
        open("inspector-triage-3f2a9c1").await;
        tracker.state().now = now() + SignedDuration::from_mins(1);
        let second = open(MARK).await;
        assert!(find(now()).await.is_empty());
        assert_eq!(client.look(at(kind, &first)).await.unwrap(), Seen::Open);
        tracker.catch_up();
        assert_eq!(find(now()).await, [first, second]);
        // Clocks may differ by minutes, and not by hours.
        assert_eq!(find(now() + SignedDuration::from_mins(4)).await.len(), 2);
        assert!(find(now() + SignedDuration::from_hours(1)).await.is_empty());
    }
}

#[tokio::test]
async fn a_ticket_of_people_or_of_another_project_is_not_found() {
    for kind in KINDS {
        let (client, tracker, key) = opened(kind).await;
        tracker.transfer(&key, if kind == TrackerKind::Jira { "OPS" } else { "acme/ops" });
        assert!(client.find(project(kind), MARK, now()).await.unwrap().is_empty());
    }
    let (client, tracker, key) = opened(TrackerKind::GitHub).await;
    // Labels are dropped of who may not give any.
    change(&tracker, |ticket| ticket.labels.clear());
    assert_eq!(client.find("acme/security", MARK, now()).await.unwrap(), [key]);
    change(&tracker, |ticket| ticket.is_pull = true);
    assert!(client.find("acme/security", MARK, now()).await.unwrap().is_empty());
}

#[tokio::test]
async fn all_pages_are_looked_through() {
    for kind in KINDS {
        let (client, tracker) = tracker(kind).await;
        for _ in 0..101 {
            client.open(project(kind), "inspector-triage-0", &card("A")).await.unwrap();
        }
        let key = client.open(project(kind), MARK, &card("A")).await.unwrap();
        assert_eq!(client.find(project(kind), MARK, now()).await.unwrap(), [key]);
        if kind == TrackerKind::Jira {
            tracker.state().page_size = 40;
            let mark = "inspector-triage-0";
            assert_eq!(client.find("SEC", mark, now()).await.unwrap().len(), 101);
        }
    }
}

#[tokio::test]
async fn a_comment_is_found_by_its_mark() {
    for kind in KINDS {
        let (client, tracker, key) = opened(kind).await;
        let has = async |mark: &str, since| client.has_comment(at(kind, &key), mark, since).await;
        assert!(!has("inspector-triage-c1", now()).await.unwrap());
        client.comment(at(kind, &key), &comment("inspector-triage-c1")).await.unwrap();
        assert!(has("inspector-triage-c1", now()).await.unwrap());
        assert!(!has("inspector-triage-c", now()).await.unwrap());
        assert!(!has("inspector-triage-c1", now() + SignedDuration::from_hours(1)).await.unwrap());
        assert_eq!(tracker.ticket(&key).unwrap().comments.len(), 1);
        let lags = |lags| tracker.state().lags = lags;
        lags(true);
        client.comment(at(kind, &key), &comment("inspector-triage-c2")).await.unwrap();
        assert!(!has("inspector-triage-c2", now()).await.unwrap());
        tracker.catch_up();
        assert!(has("inspector-triage-c2", now()).await.unwrap());
    }
}

#[tokio::test]
async fn a_ticket_that_is_gone_moved_or_unmarked_is_lost() {
    for kind in KINDS {
        let (client, tracker, key) = opened(kind).await;
        let look = async || client.look(at(kind, &key)).await.unwrap();
        change(&tracker, |ticket| {
            ticket.labels.retain(|label| label != MARK);
            if ticket.text.is_string() {
                ticket.text = json!("Somebody wrote this anew.");
            }
        });
        assert_eq!(look().await, Seen::Lost, "{kind:?}: unmarked");
        let (client, tracker, key) = opened(kind).await;
        let look = async || client.look(at(kind, &key)).await.unwrap();
        let there = if kind == TrackerKind::Jira { "OPS" } else { "acme/ops" };
        tracker.transfer(&key, there).unwrap();
        assert_eq!(look().await, Seen::Lost, "{kind:?}: moved");
        tracker.state().tickets.clear();
        assert_eq!(look().await, Seen::Lost, "{kind:?}: deleted");
    }
}

#[tokio::test]
async fn no_ticket_is_lost_because_a_project_is_not_to_be_seen() {
    for kind in KINDS {
        let (client, tracker, key) = opened(kind).await;
        tracker.state().projects.clear();
        tracker.state().tickets.clear();
        let failed = client.look(at(kind, &key)).await.unwrap_err();
        assert_eq!(failed.trouble, Means::Forbidden);
        let failed = client.open(project(kind), MARK, &card("A")).await.unwrap_err();
        assert_eq!(failed.trouble, Means::Forbidden, "{}", chain(&failed));
    }
}

#[tokio::test]
async fn nothing_is_asked_about_a_ticket_of_another_project() {
    for kind in KINDS {
        let (client, tracker) = tracker(kind).await;
        for key in ["OPS-1", "acme/ops#1", "SEC-1/../OPS-1", "", "SEC-", "acme/security#x"] {
            let ticket = at(kind, key);
            assert_eq!(client.look(ticket).await.unwrap(), Seen::Lost);
            let refused = [
                client.edit(ticket, &card("A")).await.unwrap_err(),
                client.comment(ticket, &comment("a")).await.unwrap_err(),
                client.has_comment(ticket, "a", now()).await.unwrap_err(),
                client.close(ticket).await.unwrap_err(),
                client.reopen(ticket).await.unwrap_err(),
            ];
            assert!(refused.iter().all(|failed| failed.trouble == Means::Refused), "{key}");
        }
        assert!(requests(&tracker).is_empty());
    }
}

#[tokio::test]
async fn github_is_not_written_to_where_a_ticket_is_not_ours_any_more() {
    let (client, tracker, key) = opened(TrackerKind::GitHub).await;
    change(&tracker, |ticket| ticket.text = json!("Somebody wrote this anew."));
    let failed = client.edit(at(TrackerKind::GitHub, &key), &card("B")).await.unwrap_err();
    assert_eq!(failed.trouble, Means::Refused);
    assert_eq!(tracker.ticket(&key).unwrap().title, "Update openssl");
}

#[tokio::test]
async fn each_failure_means_what_it_is() {
    let seconds = |seconds| Some(SignedDuration::from_secs(seconds));
    let in_two_minutes = now() + SignedDuration::from_mins(2);
    for (trouble, means, is_done) in [
        (Trouble::RateLimited(30), Means::Busy(seconds(30)), false),
        (Trouble::RateLimitedUntil(in_two_minutes), Means::Busy(seconds(120)), false),
        (Trouble::SecondaryLimit(60), Means::Busy(seconds(60)), false),
        (Trouble::Exhausted(in_two_minutes), Means::Busy(seconds(120)), false),
        (Trouble::Unauthorized, Means::Unauthorized, false),
        (Trouble::TakenForNobody, Means::Unauthorized, false),
        (Trouble::Forbidden, Means::Forbidden, false),
        (Trouble::Status(404), Means::Forbidden, false),
        (Trouble::Status(410), Means::Forbidden, false),
        (Trouble::Status(400), Means::Refused, false),
        (Trouble::Status(409), Means::Refused, false),
        (Trouble::Status(413), Means::Refused, false),
        (Trouble::Status(422), Means::Refused, false),
        (Trouble::Status(301), Means::Refused, false),
        (Trouble::Status(307), Means::Refused, false),
        (Trouble::Status(503), Means::Unknown, false),
        (Trouble::ServerError, Means::Unknown, false),
        (Trouble::ErrorAfterDoing, Means::Unknown, true),
        (Trouble::GarbledAfterDoing, Means::Unknown, true),
        (Trouble::HangsUpBefore, Means::Unknown, false),
        (Trouble::HangsUpAfter, Means::Unknown, true),
    ] {
        for kind in KINDS {
            let (client, tracker) = tracker(kind).await;
            befall(&tracker, std::slice::from_ref(&trouble));
            let failed = client.open(project(kind), MARK, &card("A")).await.unwrap_err();
            assert_eq!(failed.trouble, means, "{trouble:?}: {}", chain(&failed));
            assert_eq!(requests(&tracker).len(), 1, "{trouble:?} is not tried again");
            assert_eq!(tracker.state().tickets.len(), usize::from(is_done), "{trouble:?}");
            let told = format!("{} {failed:?}", chain(&failed));
            assert!(!told.contains(TOKEN) && !told.contains("Ym90QGV4"), "{told}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_known() {
    for kind in KINDS {
        for done in [false, true] {
            let (client, tracker) = tracker(kind).await;
            let client = client.waiting(Duration::from_millis(200));
            befall(&tracker, &[Trouble::Slow { done }]);
            let failed = client.open(project(kind), MARK, &card("A")).await.unwrap_err();
            assert_eq!(failed.trouble, Means::Unknown);
            assert_eq!(tracker.state().tickets.len(), usize::from(done));
        }
    }
}

#[tokio::test]
async fn a_request_may_be_carried_out_late() {
    for kind in KINDS {
        let (client, tracker) = tracker(kind).await;
        befall(&tracker, &[Trouble::Late]);
        let failed = client.open(project(kind), MARK, &card("A")).await.unwrap_err();
        assert_eq!(failed.trouble, Means::Unknown);
        assert!(client.find(project(kind), MARK, now()).await.unwrap().is_empty());
        tracker.carry_out_late();
        assert_eq!(client.find(project(kind), MARK, now()).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_was_not_sent_has_done_nothing() {
    for kind in KINDS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        // Nobody listens; and no such name.
        for url in [url, "https://tracker.invalid".to_owned()] {
            let client = TrackerClient::new(config(kind, &url), Tokens::new(&[TOKEN]));
            let failed = client.open(project(kind), MARK, &card("A")).await.unwrap_err();
            assert_eq!(failed.trouble, Means::NotReached, "{}", chain(&failed));
        }
    }
}

#[tokio::test]
async fn a_token_that_was_changed_is_fetched_anew_once() {
    for kind in KINDS {
        let (client, tracker) = tracker_for(kind, &["0ld", TOKEN]).await;
        client.open(project(kind), MARK, &card("A")).await.unwrap();
        assert_eq!(requests(&tracker).len(), 2);
        let (client, tracker) = tracker_for(kind, &["0ld", "0lder", TOKEN]).await;
        let failed = client.open(project(kind), MARK, &card("A")).await.unwrap_err();
        assert_eq!(failed.trouble, Means::Unauthorized);
        assert_eq!(requests(&tracker).len(), 2);
    }
}

#[tokio::test]
async fn a_token_comes_from_secrets_manager() {
    let world = crate::common::World::new().await;
    let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tracker-a1b2c3";
    let put = |secret: &str| {
        world.emulator.secrets.contents().secrets.insert(arn.to_owned(), secret.to_owned());
    };
    let tracker = tracker::Tracker::jira(now());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(tracker.clone().serve(listener));
    let client = || {
        let secrets = Secrets::new(world.emulator.secrets_manager(), arn);
        TrackerClient::new(config(TrackerKind::Jira, &url), secrets)
    };
    let open = async |client: &TrackerClient<Secrets>| client.open("SEC", MARK, &card("A")).await;
    let asked = || std::mem::take(&mut world.emulator.secrets.contents().requests);

    let failed = open(&client()).await.unwrap_err();
    assert_eq!(failed.trouble, Means::Unauthorized, "there is no secret");
    put("{\"user\": \"bot@example.com\", \"t0ken\": 1}");
    let failed = open(&client()).await.unwrap_err();
    assert_eq!(failed.trouble, Means::Unauthorized, "it is none");
    let told = format!("{} {failed:?}", chain(&failed));
    assert!(told.contains(arn) && !told.contains("t0ken") && !told.contains("bot@"), "{told}");
    assert!(requests(&tracker).is_empty());

    put("{\"user\": \"bot@example.com\", \"token\": \"t0ken\"}");
    asked();
    let kept = client();
    open(&kept).await.unwrap();
    open(&kept).await.unwrap();
    assert_eq!(asked(), 1, "it is fetched once");
    put("n3w");
    tracker.state().tokens = ["n3w".to_owned()].into();
    open(&kept).await.unwrap();
    open(&kept).await.unwrap();
    assert_eq!(asked(), 1, "and once more when it was changed");
    world.emulator.secrets.contents().is_denied = true;
    tracker.state().tokens.clear();
    assert_eq!(open(&kept).await.unwrap_err().trouble, Means::Unauthorized);
}

#[tokio::test]
async fn a_workflow_without_a_way_is_left_alone() {
    let kind = TrackerKind::Jira;
    let (client, tracker, key) = opened(kind).await;
    let cause = Transition::new("31", "Done", &["resolution", "root-cause"]);
    let refuses = Transition { refuses: true, ..Transition::new("41", "Done", &[]) };
    for transitions in
        [vec![], vec![Transition::new("21", "In Progress", &[])], vec![cause, refuses]]
    {
        tracker.state().workflow.transitions = transitions;
        assert_eq!(client.close(at(kind, &key)).await.unwrap(), Moved::NoWay);
        assert_eq!(tracker.ticket(&key).unwrap().status, "To Do");
    }
}

#[tokio::test]
async fn another_way_is_tried_where_one_is_refused() {
    let kind = TrackerKind::Jira;
    let (client, tracker, key) = opened(kind).await;
    let refuses = Transition { refuses: true, ..Transition::new("31", "Done", &[]) };
    let other = Transition::new("41", "Done", &["resolution"]);
    tracker.state().workflow.transitions = vec![refuses, other];
    assert_eq!(client.close(at(kind, &key)).await.unwrap(), Moved::Yes);
    let ticket = tracker.ticket(&key).unwrap();
    assert_eq!((ticket.status.as_str(), ticket.reason.as_deref()), ("Done", Some("Done")));
    // Where there is no way back to the beginning, one into the middle will do.
    tracker.state().workflow.transitions = vec![Transition::new("21", "In Progress", &[])];
    assert_eq!(client.reopen(at(kind, &key)).await.unwrap(), Moved::Yes);
    assert_eq!(tracker.ticket(&key).unwrap().status, "In Progress");
}

#[tokio::test]
async fn a_move_that_somebody_else_makes_too_is_not_known() {
    let kind = TrackerKind::Jira;
    let (client, tracker, key) = opened(kind).await;
    befall(&tracker, &[Trouble::None, Trouble::Status(409)]);
    assert_eq!(client.close(at(kind, &key)).await.unwrap_err().trouble, Means::Unknown);
}

#[tokio::test]
async fn a_ticket_goes_without_what_its_screen_does_not_have() {
    let (client, tracker) = tracker(TrackerKind::Jira).await;
    let miss = |fields: &[&str]| {
        tracker.state().missing_fields = fields.iter().map(|&field| field.to_owned()).collect();
    };
    miss(&["priority", "duedate"]);
    let key = client.open("SEC", MARK, &card("A")).await.unwrap();
    let ticket = tracker.ticket(&key).unwrap();
    assert_eq!((ticket.priority, ticket.due), (None, None));
    miss(&["duedate"]);
    client.edit(at(TrackerKind::Jira, &key), &card("B")).await.unwrap();
    let ticket = tracker.ticket(&key).unwrap();
    assert_eq!((ticket.title.as_str(), ticket.priority.as_deref()), ("B", Some("High")));
    // A ticket without its text or its mark is none.
    miss(&["description", "duedate"]);
    let failed = client.open("SEC", MARK, &card("A")).await.unwrap_err();
    assert_eq!(failed.trouble, Means::Refused);
    assert!(
        chain(&failed).contains("HTTP 400: description: Field 'description'"),
        "{}",
        chain(&failed)
    );
    assert_eq!(tracker.state().tickets.len(), 1);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut() {
    let points = (0..4000).map(|n| vec![Inline::Text(format!("finding number {n}"))]).collect();
    let long = Document(vec![Block::Points(points)]);
    for kind in KINDS {
        let (client, tracker) = tracker(kind).await;
        let mut card = card("A");
        card.text = long.clone();
        let key = client.open(project(kind), MARK, &card).await.unwrap();
        assert_eq!(client.look(at(kind, &key)).await.unwrap(), Seen::Open);
        client.comment(at(kind, &key), &long).await.unwrap();
        let text = tracker.ticket(&key).unwrap().text;
        assert!(text.to_string().contains("finding number 9") && text.to_string().contains('…'));
    }
}

#[tokio::test]
async fn a_tracker_is_told_by_its_kind_and_address() {
    for kind in KINDS {
        let url = "https://tracker.example/api/v3/";
        let client = TrackerClient::new(config(kind, url), Tokens::new(&[TOKEN]));
        assert_eq!(client.site(), format!("{} https://tracker.example/api/v3", kind.as_str()));
        assert!("http://tracker.example/api/v3".parse::<Address>().is_err());
    }
}

#[tokio::test]
async fn bodies_have_no_more_than_what_is_meant() {
    let (client, tracker, key) = opened(TrackerKind::GitHub).await;
    client.close(at(TrackerKind::GitHub, &key)).await.unwrap();
    client.reopen(at(TrackerKind::GitHub, &key)).await.unwrap();
    let state = tracker.state();
    let bodies: Vec<&Value> = state.requests.iter().skip(1).map(|asked| &asked.body).collect();
    let closed = json!({"state": "closed", "state_reason": "completed"});
    assert_eq!(bodies, [&closed, &json!({"state": "open", "state_reason": "reopened"})]);
}
