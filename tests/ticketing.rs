//! Tickets that follow findings, from the first of a problem to the last.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use inspector_triage::{
    app::{
        Attempt, Clock, Observation, TicketLog, Trouble as Means,
        tickets::{SettleOutcome, SettleResult, TicketChange},
    },
    domain::{
        assess::Priority,
        record::{How, Lease},
        ticket::{LABEL, TrackerKind},
    },
    emulator::tracker::Trouble,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    common::desk::{self, Desk, project, settings, text},
    stored,
};

const KINDS: [TrackerKind; 2] = [TrackerKind::Jira, TrackerKind::GitHub];

/// Whether a ticket is closed.
fn is_closed(desk: &Desk) -> bool {
    !["To Do", "In Progress", "open"].contains(&desk.ticket().status.as_str())
}

/// The texts of the comments of the only ticket.
fn comments(desk: &Desk) -> Vec<String> {
    desk.ticket().comments.iter().map(|comment| text(&comment.text)).collect()
}

/// A desk with one ticket of findings with these numbers.
async fn opened(kind: TrackerKind, numbers: &[usize]) -> Desk {
    let desk = Desk::new(kind).await;
    for number in numbers {
        desk.event(*number, |_| {}).await;
    }
    desk.note(numbers).await;
    let result = desk.settle().await;
    assert_eq!((result.opened, result.outcome), (1, SettleOutcome::Done));
    desk
}

#[tokio::test]
async fn a_problem_of_an_owner_is_one_ticket_whatever_the_number_of_resources() {
    for kind in KINDS {
        let desk = opened(kind, &[1, 2, 3]).await;
        let ticket = desk.ticket();
        assert_eq!(ticket.project, project(kind));
        assert_eq!(ticket.title, "CVE-2026-10001 libexample: fix 1.4.3");
        assert!(ticket.labels.iter().any(|label| label == LABEL));
        let body = text(&ticket.text);
        for said in ["Open on 3 resources", "web-1", "i-00000000000000002", "libexample 1.4.2"] {
            assert!(body.contains(said), "{said}: {body}");
        }
        assert!(ticket.comments.is_empty() && !is_closed(&desk));
    }
}

#[tokio::test]
async fn another_owner_has_a_ticket_of_its_own() {
    for kind in KINDS {
        let desk = Desk::new(kind).await;
        desk.event(1, |f| f["resources"][0]["tags"]["owner"] = json!("shop")).await;
        desk.event(2, |f| f["resources"][0]["tags"]["owner"] = json!("payments")).await;
        desk.event(3, |f| f["resources"][0]["tags"]["team"] = json!("Shop")).await;
        desk.note(&[1, 2, 3]).await;
        assert_eq!(desk.settle().await.opened, 2);
        assert_eq!(desk.tracker.state().tickets.len(), 2);
    }
}

#[tokio::test]
async fn a_repetition_costs_the_tracker_nothing() {
    for kind in KINDS {
        let desk = opened(kind, &[1, 2]).await;
        let before = desk.requests();
        for _ in 0..5 {
            desk.note(&[1, 2]).await;
            desk.note(&[2]).await;
            desk.pass(SignedDuration::from_mins(11));
            assert_eq!(desk.settle().await.outcome, SettleOutcome::Done);
        }
        assert_eq!(desk.requests(), before);
    }
}

#[tokio::test]
async fn what_joins_within_minutes_is_one_change_and_one_comment() {
    for kind in KINDS {
        let desk = opened(kind, &[1]).await;
        for number in 2..30 {
            desk.event(number, |_| {}).await;
            desk.note(&[number]).await;
            assert_eq!(desk.settle().await.changed, 0, "it waits for the others");
        }
        desk.pass(SignedDuration::from_mins(10));
        assert_eq!(desk.settle().await.changed, 1);
        let [comment] = &comments(&desk)[..] else { panic!("one comment") };
        assert!(comment.contains("Found on 28 more resources"), "{comment}");
        assert!(comment.contains("and 8 more"), "{comment}");
        assert!(text(&desk.ticket().text).contains("Open on 29 resources"));
    }
}

#[tokio::test]
async fn what_becomes_more_urgent_is_said_at_once() {
    for kind in KINDS {
        let desk = opened(kind, &[1, 2]).await;
        desk.event(1, |f| {
            f["exploitAvailable"] = json!("YES");
            f["epss"] = json!({"score": 0.9});
            f["severity"] = json!("CRITICAL");
        })
        .await;
        desk.note(&[1]).await;
        assert_eq!(desk.settle().await.changed, 1);
        let comments = comments(&desk);
        let [comment] = &comments[..] else { panic!("one comment") };
        for said in
            ["The priority is P1; it was P", "An exploit is known now", "It is to be done by"]
        {
            assert!(comment.contains(said), "{said}: {comment}");
        }
        let ticket = desk.ticket();
        match kind {
            TrackerKind::Jira => assert_eq!(ticket.priority.as_deref(), Some("Highest")),
            TrackerKind::GitHub => assert!(ticket.labels.contains(&"P1".to_owned())),
        }
    }
}

#[tokio::test]
async fn it_is_closed_when_the_last_finding_is_fixed_or_gone_and_says_which() {
    for kind in KINDS {
        let desk = opened(kind, &[1, 2, 3]).await;
        desk.end(1, How::Fixed).await;
        desk.note(&[1]).await;
        desk.pass(SignedDuration::from_mins(10));
        assert_eq!(desk.settle().await.changed, 1);
        assert!(!is_closed(&desk));
        desk.end(2, How::Fixed).await;
        desk.end(3, How::Gone).await;
        desk.note(&[2, 3]).await;
        desk.pass(SignedDuration::from_mins(10));
        let result = desk.settle().await;
        assert_eq!((result.closed, result.changed), (1, 0));
        assert!(is_closed(&desk));
        let comments = comments(&desk);
        let [first, last] = &comments[..] else { panic!("two comments: {comments:?}") };
        assert!(first.contains("Fixed on one resource"), "{first}");
        for said in ["Closed.", "Fixed on one resource", "One resource is gone"] {
            assert!(last.contains(said), "{said}: {last}");
        }
        let before = desk.requests();
        desk.note(&[1, 2, 3]).await;
        desk.pass(SignedDuration::from_hours(100));
        assert_eq!(desk.settle().await, SettleResult::default());
        assert_eq!(desk.requests(), before, "what is over costs nothing");
    }
}

#[tokio::test]
async fn it_is_opened_again_when_one_comes_back() {
    for kind in KINDS {
        let desk = opened(kind, &[1]).await;
        desk.end(1, How::Fixed).await;
        desk.note(&[1]).await;
        desk.until_quiet().await;
        assert!(is_closed(&desk));
        desk.event(1, |_| {}).await;
        desk.note(&[1]).await;
        assert_eq!(desk.settle().await.reopened, 1);
        assert!(!is_closed(&desk));
        let comments = comments(&desk);
        assert!(comments[1].contains("Ticket reopened"), "{}", comments[1]);
        assert!(text(&desk.ticket().text).contains("Open on one resource"));
    }
}

#[tokio::test]
async fn what_is_only_no_longer_looked_at_is_a_comment_and_no_end() {
    for kind in KINDS {
        for (how, said) in [
            (How::Unobserved, "Inspector does not look at one resource any more"),
            (How::Unknown, "the reason is unknown"),
        ] {
            let desk = opened(kind, &[1]).await;
            desk.end(1, how).await;
            desk.note(&[1]).await;
            desk.until_quiet().await;
            let comments = comments(&desk);
            let [comment] = &comments[..] else { panic!("one comment: {comments:?}") };
            assert!(comment.contains(said) && comment.contains("stays open"), "{comment}");
            assert!(!is_closed(&desk));
        }
        let desk = opened(kind, &[1]).await;
        desk.event(1, |f| f["status"] = json!("SUPPRESSED")).await;
        desk.note(&[1]).await;
        desk.until_quiet().await;
        assert!(comments(&desk)[0].contains("A suppression rule hides it"));
        assert!(!is_closed(&desk));
    }
}

#[tokio::test]
async fn nothing_is_said_before_it_is_known_how_a_finding_ended() {
    for kind in KINDS {
        let desk = opened(kind, &[1]).await;
        desk.event(1, |f| f["status"] = json!("CLOSED")).await;
        desk.note(&[1]).await;
        desk.pass(SignedDuration::from_mins(10));
        desk.settle().await;
        assert!(comments(&desk).is_empty() && !is_closed(&desk));
        desk.explain(1, How::Fixed).await;
        desk.note(&[1]).await;
        desk.pass(SignedDuration::from_mins(10));
        desk.settle().await;
        assert!(is_closed(&desk));
    }
}

#[tokio::test]
async fn a_person_who_closes_it_is_told_once_and_not_fought() {
    for kind in KINDS {
        let desk = opened(kind, &[1, 2]).await;
        let close = || {
            let mut state = desk.tracker.state();
            let closed = if kind == TrackerKind::Jira { "Done" } else { "closed" };
            state.tickets[0].status = closed.to_owned();
        };
        close();
        desk.pass(SignedDuration::from_hours(24));
        assert_eq!(desk.settle().await.commented, 1);
        let told = comments(&desk);
        let [comment] = &told[..] else { panic!("one comment") };
        assert!(comment.contains("closed by hand while it is open on 2 resources"), "{comment}");
        // Whatever comes then, it stays closed, and nothing more is said.
        for number in 3..6 {
            desk.event(number, |_| {}).await;
            desk.note(&[number]).await;
            desk.pass(SignedDuration::from_hours(30));
            desk.settle().await;
        }
        assert!(is_closed(&desk));
        assert_eq!(comments(&desk).len(), 1);
        // A person opens it again: it goes on, with all that was missed.
        desk.tracker.state().tickets[0].status =
            if kind == TrackerKind::Jira { "To Do" } else { "open" }.to_owned();
        desk.note(&[5]).await;
        desk.pass(SignedDuration::from_hours(30));
        assert_eq!(desk.settle().await.changed, 1);
        assert!(comments(&desk)[1].contains("Found on 3 more resources"));
        // When all is over, nothing is said of one that was closed by hand.
        close();
        for number in 1..6 {
            desk.end(number, How::Fixed).await;
        }
        desk.note(&[1, 2, 3, 4, 5]).await;
        desk.until_quiet().await;
        assert_eq!(comments(&desk).len(), 2);
        // What comes back then is a life of its own.
        desk.event(2, |_| {}).await;
        desk.note(&[2]).await;
        assert_eq!(desk.settle().await.reopened, 1);
        assert!(!is_closed(&desk));
    }
}

#[tokio::test]
async fn an_owner_who_changes_takes_the_finding_to_another_ticket() {
    for kind in KINDS {
        let desk = Desk::new(kind).await;
        let owned = |owner: &'static str| {
            move |f: &mut Value| f["resources"][0]["tags"]["owner"] = json!(owner)
        };
        desk.event(1, owned("shop")).await;
        desk.note(&[1]).await;
        desk.settle().await;
        desk.event(1, owned("payments")).await;
        // Nobody is told of that: the daily look finds it.
        desk.pass(SignedDuration::from_hours(24));
        desk.until_quiet().await;
        let tickets = desk.tracker.state().tickets.clone();
        let [old, new] = &tickets[..] else { panic!("two tickets") };
        assert!(
            text(&old.comments[0].text)
                .contains("Not fixed, but no matter of this ticket any more")
        );
        assert!(["Done", "closed"].contains(&old.status.as_str()), "{}", old.status);
        assert!(text(&new.text).contains("Owner: payments"));
    }
}

#[tokio::test]
async fn a_ticket_that_is_not_ours_any_more_is_not_touched_and_has_no_second() {
    for kind in KINDS {
        for deed in ["unmarked", "moved", "deleted"] {
            let desk = opened(kind, &[1]).await;
            let key = desk.tracker.key(&desk.ticket());
            match deed {
                "unmarked" => {
                    let mut state = desk.tracker.state();
                    state.tickets[0].labels.retain(|label| label == LABEL);
                    if kind == TrackerKind::GitHub {
                        state.tickets[0].text = json!("something else");
                    }
                }
                "moved" => drop(desk.tracker.transfer(&key, "acme/other")),
                _ => desk.tracker.state().tickets.clear(),
            }
            let before = desk.tracker.state().tickets.clone();
            desk.event(2, |_| {}).await;
            desk.note(&[2]).await;
            desk.until_quiet().await;
            assert_eq!(desk.tracker.state().tickets, before, "{deed}");
            let is_warning = |one: &Observation| matches!(one, Observation::Warning { .. });
            assert!(desk.observed.lock().unwrap().iter().any(is_warning));
            // Once all is over, what comes back has a ticket of its own.
            desk.end(1, How::Fixed).await;
            desk.end(2, How::Fixed).await;
            desk.note(&[1, 2]).await;
            desk.until_quiet().await;
            desk.event(1, |_| {}).await;
            desk.note(&[1]).await;
            assert_eq!(desk.settle().await.opened, 1, "{deed}");
            assert_eq!(desk.tracker.state().tickets.len(), before.len() + 1);
        }
    }
}

#[tokio::test]
async fn what_is_too_little_urgent_opens_none_and_is_in_the_ticket_once_there_is_one() {
    for kind in KINDS {
        let mut desk = Desk::new(kind).await;
        desk.tickets.config = settings(kind, Priority::P1);
        desk.event(1, |_| {}).await;
        desk.note(&[1]).await;
        desk.until_quiet().await;
        assert_eq!(desk.requests(), 0);
        desk.event(2, |f| {
            f["exploitAvailable"] = json!("YES");
            f["epss"] = json!({"score": 0.9});
            f["severity"] = json!("CRITICAL");
        })
        .await;
        desk.note(&[2]).await;
        desk.settle().await;
        assert!(text(&desk.ticket().text).contains("Open on 2 resources"));
    }
}

#[tokio::test]
async fn an_owner_without_a_project_has_no_tickets() {
    let mut desk = Desk::new(TrackerKind::Jira).await;
    desk.tickets.config.projects = "payments=SEC".parse().unwrap();
    desk.event(1, |_| {}).await;
    desk.event(2, |f| f["resources"][0]["tags"]["owner"] = json!("Payments")).await;
    desk.note(&[1, 2]).await;
    assert_eq!(desk.settle().await.opened, 1);
    assert!(text(&desk.ticket().text).contains("i-00000000000000002"));
}

#[tokio::test]
async fn a_workflow_without_a_way_is_said_in_the_ticket() {
    let desk = opened(TrackerKind::Jira, &[1]).await;
    desk.tracker.state().workflow.transitions.retain(|transition| transition.to != "Done");
    desk.end(1, How::Fixed).await;
    desk.note(&[1]).await;
    desk.until_quiet().await;
    assert!(!is_closed(&desk));
    assert!(comments(&desk)[0].contains("Please close this ticket"));
    let before = desk.requests();
    desk.note(&[1]).await;
    desk.pass(SignedDuration::from_hours(48));
    desk.settle().await;
    assert_eq!(desk.requests(), before, "it is said once");
}

#[tokio::test]
async fn a_token_that_has_ended_rings_and_loses_nothing() {
    for kind in KINDS {
        let desk = Desk::new(kind).await;
        desk.tracker.state().tokens.clear();
        for number in 0..5 {
            desk.event(number, |f| {
                f["packageVulnerabilityDetails"]["vulnerabilityId"] =
                    json!(format!("CVE-2026-2000{number}"));
            })
            .await;
        }
        desk.note(&[0, 1, 2, 3, 4]).await;
        for _ in 0..10 {
            let result = desk.settle().await;
            assert_eq!((result.outcome, result.left), (SettleOutcome::Stopped, 5));
            desk.pass(SignedDuration::from_hours(24));
        }
        let observed = std::mem::take(&mut *desk.observed.lock().unwrap());
        let refused = observed.iter().filter(|one| {
            matches!(one, Observation::TicketFailed { trouble: Means::Unauthorized, .. })
        });
        assert_eq!(refused.count(), 10, "each time, once");
        let oldest = observed.iter().filter_map(|one| match one {
            Observation::OldestTicket(age) => Some(age.as_hours()),
            _ => None,
        });
        assert_eq!(oldest.max(), Some(9 * 24));
        assert!(!observed.iter().any(|one| format!("{one:?}").contains(desk::TOKEN)));
        desk.tracker.state().tokens.insert(format!("bot@example.com:{}", desk::TOKEN));
        assert_eq!(desk.settle().await.opened, 5);
    }
}

#[tokio::test]
async fn a_tracker_that_asks_for_time_gets_it() {
    for kind in KINDS {
        let desk = Desk::new(kind).await;
        desk.event(1, |_| {}).await;
        desk.note(&[1]).await;
        // What is short is waited for.
        desk.tracker.state().trouble.push_back(Trouble::RateLimited(20));
        let before = desk.settle().await;
        assert_eq!((before.opened, before.outcome), (1, SettleOutcome::Done));
        // What is long is left to a later invocation, and nobody asks before.
        desk.event(2, |f| f["resources"][0]["tags"]["owner"] = json!("shop")).await;
        desk.note(&[2]).await;
        desk.tracker.state().trouble.push_back(Trouble::RateLimited(900));
        assert_eq!(desk.settle().await.outcome, SettleOutcome::Paused);
        let asked = desk.requests();
        desk.pass(SignedDuration::from_mins(14));
        assert_eq!(desk.settle().await.outcome, SettleOutcome::Paused);
        assert_eq!(desk.requests(), asked);
        desk.pass(SignedDuration::from_mins(2));
        assert_eq!(desk.settle().await.opened, 1);
    }
}

#[tokio::test]
async fn a_storm_is_one_ticket_a_problem_the_most_urgent_first() {
    for kind in KINDS {
        let desk = Desk::new(kind).await;
        let numbers: Vec<usize> = (0..200).collect();
        for number in &numbers {
            desk.event(*number, |f| {
                let problem = number % 8;
                f["packageVulnerabilityDetails"]["vulnerabilityId"] =
                    json!(format!("CVE-2026-3000{problem}"));
                if problem == 5 {
                    f["exploitAvailable"] = json!("YES");
                    f["epss"] = json!({"score": 0.9});
                    f["severity"] = json!("CRITICAL");
                }
            })
            .await;
        }
        for some in numbers.chunks(30) {
            desk.note(some).await;
        }
        desk.until_quiet().await;
        let state = desk.tracker.state();
        assert_eq!((state.tickets.len(), state.requests.len()), (8, 8));
        assert!(state.tickets[0].title.contains("CVE-2026-30005"), "{}", state.tickets[0].title);
        assert!(
            state
                .tickets
                .iter()
                .all(|ticket| { text(&ticket.text).contains("Open on 25 resources") })
        );
    }
}

#[tokio::test]
async fn one_invocation_at_a_time_speaks_to_the_tracker() {
    let desk = Desk::new(TrackerKind::Jira).await;
    desk.event(1, |_| {}).await;
    desk.note(&[1]).await;
    let now = desk.clock.now();
    let until = now + SignedDuration::from_mins(2);
    let lease = Lease { holder: "somebody else".to_owned(), until };
    desk.tickets.store.take_turn(&lease, now).await.unwrap();
    assert_eq!(desk.settle().await.outcome, SettleOutcome::HeldByOther);
    assert_eq!(desk.requests(), 0);
    desk.pass(SignedDuration::from_mins(3));
    assert_eq!(desk.settle().await.opened, 1);
}

#[tokio::test]
async fn what_was_done_is_counted() {
    let desk = opened(TrackerKind::Jira, &[1]).await;
    let observed = desk.observed.lock().unwrap();
    assert!(observed.contains(&Observation::TicketChanged(TicketChange::Opened)));
}

/// What a later version must be able to read: a ticket that is open, one that is being opened, and one that is being changed.
#[tokio::test]
async fn the_rows_of_tickets_are_written_as_they_were() {
    let desk = opened(TrackerKind::Jira, &[1, 2]).await;
    desk.event(2, |f| f["resources"][0]["tags"]["owner"] = json!("shop")).await;
    desk.event(3, |f| f["resources"][0]["tags"]["owner"] = json!("crm")).await;
    desk.note(&[2]).await;
    desk.settle().await;
    desk.event(4, |_| {}).await;
    desk.note(&[4]).await;
    desk.pass(SignedDuration::from_mins(10));
    // It is looked at and edited, and not commented on.
    desk.tracker.state().trouble = [Trouble::None, Trouble::None, Trouble::Forbidden].into();
    desk.settle().await;
    desk.tracker.state().trouble = [Trouble::HangsUpBefore].into();
    desk.note(&[3]).await;
    desk.settle().await;
    let rows: Vec<Value> = stored::rows(&desk.world)
        .into_iter()
        .filter(|(key, _)| key.starts_with("TICKET"))
        .map(|(_, row)| {
            serde_json::from_str(&row.to_string().replace(&desk.url, "https://…")).unwrap()
        })
        .collect();
    insta::assert_json_snapshot!("ticket.rows", rows);
}

/// A clock by which a finding comes back while somebody waits for the tracker.
struct Meanwhile<'a> {
    desk: &'a Desk,
    has_happened: AtomicBool,
}

impl Clock for Meanwhile<'_> {
    fn now(&self) -> Timestamp {
        self.desk.clock.now()
    }

    async fn pause(&self, pause: Duration) {
        self.desk.clock.pause(pause).await;
        if !self.has_happened.swap(true, Ordering::Relaxed) {
            self.desk.event(1, |_| {}).await;
            self.desk.note(&[1]).await;
        }
    }
}

#[tokio::test]
async fn what_comes_back_while_its_ticket_is_closed_is_followed_on() {
    for kind in KINDS {
        let desk = opened(kind, &[1]).await;
        desk.end(1, How::Fixed).await;
        desk.note(&[1]).await;
        desk.pass(SignedDuration::from_mins(10));
        let meanwhile = Meanwhile { desk: &desk, has_happened: AtomicBool::new(false) };
        let attempt = Attempt::new("meanwhile", desk.clock.now());
        let settled = Box::pin(desk.tickets.settle(attempt, &meanwhile, Vec::new())).await;
        let result = settled.unwrap();
        assert_eq!(result.closed, 1);
        desk.until_quiet().await;
        assert!(!is_closed(&desk), "it is open");
        assert!(comments(&desk).last().unwrap().contains("Ticket reopened"));
    }
}

#[tokio::test]
async fn tickets_that_fail_do_not_keep_others_from_their_turn() {
    let mut desk = Desk::new(TrackerKind::Jira).await;
    desk.tickets.config.projects = "shop=NO,*=SEC".parse().unwrap();
    for number in 0..10 {
        desk.event(number, |f| {
            f["resources"][0]["tags"]["owner"] = json!("shop");
            f["packageVulnerabilityDetails"]["vulnerabilityId"] =
                json!(format!("CVE-2026-4000{number}"));
        })
        .await;
    }
    desk.note(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).await;
    let refused = desk.settle().await;
    assert_eq!((refused.failed, refused.left), (3, 10), "a project that refuses is left alone");
    desk.event(20, |_| {}).await;
    desk.note(&[20]).await;
    assert_eq!(desk.settle().await.opened, 1);
}

#[tokio::test]
async fn what_was_too_little_urgent_and_has_ended_keeps_no_ticket_open() {
    let mut desk = Desk::new(TrackerKind::Jira).await;
    desk.tickets.config = settings(TrackerKind::Jira, Priority::P1);
    desk.event(1, |_| {}).await;
    desk.note(&[1]).await;
    desk.end(1, How::Fixed).await;
    desk.note(&[1]).await;
    desk.until_quiet().await;
    let rows = stored::rows(&desk.world);
    let followed = rows.keys().filter(|key| key.contains("FOLLOWS#"));
    assert_eq!(followed.count(), 0);
    let ticket = rows.values().find(|row| row["pk"]["S"].as_str().unwrap().starts_with("TICKET#"));
    assert!(ticket.unwrap().get("expires_at").is_some(), "it is forgotten in the end");
}

#[tokio::test]
async fn what_is_said_of_other_news_is_no_excuse_for_not_saying_these() {
    for kind in KINDS {
        let desk = opened(kind, &[1]).await;
        desk.event(2, |_| {}).await;
        desk.note(&[2]).await;
        desk.pass(SignedDuration::from_mins(10));
        // The comment is written, and its answer is lost.
        let before = if kind == TrackerKind::Jira { 2 } else { 3 };
        let nothing = std::iter::repeat_n(Trouble::None, before);
        desk.tracker.state().trouble = nothing.chain([Trouble::HangsUpAfter]).collect();
        desk.settle().await;
        assert_eq!(comments(&desk).len(), 1);
        // Meanwhile another one joins, and a person closes the ticket.
        desk.event(3, |_| {}).await;
        desk.note(&[3]).await;
        desk.until_quiet().await;
        let said = comments(&desk).join(" ");
        assert!(said.contains("i-00000000000000003"), "{said}");
    }
}

#[tokio::test]
async fn what_would_be_done_is_known_before_it_is_and_is_what_is_done() {
    for kind in KINDS {
        let desk = Desk::new(kind).await;
        let planned = async || {
            let plan = desk.tickets.plan().await.unwrap();
            let ours = plan.planned.iter().map(|one| (one.change, one.open));
            ours.collect::<Vec<_>>()
        };
        desk.event(1, |_| {}).await;
        assert_eq!(planned().await, [(TicketChange::Opened, 1)]);
        assert_eq!(desk.requests(), 0);
        desk.note(&[1]).await;
        desk.settle().await;
        assert_eq!(planned().await, []);
        // Also of what was not noted yet.
        desk.event(2, |_| {}).await;
        assert_eq!(planned().await, [(TicketChange::Changed, 2)]);
        desk.note(&[2]).await;
        desk.until_quiet().await;
        assert_eq!(planned().await, []);
        desk.end(1, How::Fixed).await;
        desk.end(2, How::Gone).await;
        assert_eq!(planned().await, [(TicketChange::Closed, 0)]);
        desk.note(&[1, 2]).await;
        desk.until_quiet().await;
        assert_eq!(planned().await, []);
        desk.event(2, |_| {}).await;
        assert_eq!(planned().await, [(TicketChange::Reopened, 1)]);
    }
}
