//! Every request to the tracker, failing in every way, and every call to the table: there is never a second ticket, none is
//! lost, what is fixed is closed, and nothing is said twice.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use inspector_triage::{
    adapters::{dynamodb::DynamoDb, trackers::TrackerClient},
    app::{TicketLog, tickets::Tickets},
    domain::{
        assess::Priority,
        record::How,
        ticket::{LABEL, TrackerKind},
    },
    emulator::tracker::Trouble,
};
use jiff::SignedDuration;
use serde_json::json;
use tokio::runtime;

use crate::common::{
    desk::{Client, Desk, PATIENCE, TOKEN, Token, project, settings, text, tracker_config},
    network::{Fate, Fault, Network},
};

/// What happens to the findings of a problem, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Chapter {
    Opens,
    JoinsAndIsExploited,
    IsFixed,
    ComesBack,
    IsFixedAgain,
}

use Chapter::{ComesBack, IsFixed, IsFixedAgain, JoinsAndIsExploited, Opens};

const CHAPTERS: [Chapter; 5] = [Opens, JoinsAndIsExploited, IsFixed, ComesBack, IsFixedAgain];

impl Chapter {
    /// Has it happen. Returns which findings there is news of.
    async fn happens(self, desk: &Desk) -> &'static [usize] {
        match self {
            Opens => {
                desk.event(1, |_| {}).await;
                &[1]
            }
            JoinsAndIsExploited => {
                desk.event(2, |_| {}).await;
                desk.event(1, |f| {
                    f["exploitAvailable"] = json!("YES");
                    f["epss"] = json!({"score": 0.9});
                    f["severity"] = json!("CRITICAL");
                })
                .await;
                &[2, 1]
            }
            IsFixed => {
                desk.end(1, How::Fixed).await;
                desk.end(2, How::Gone).await;
                &[1, 2]
            }
            ComesBack => {
                desk.event(2, |_| {}).await;
                &[2]
            }
            IsFixedAgain => {
                desk.end(2, How::Fixed).await;
                &[2]
            }
        }
    }

    /// As many requests as it leads to, if nothing goes wrong.
    fn requests(self, kind: TrackerKind) -> usize {
        let is_github = usize::from(kind == TrackerKind::GitHub);
        match self {
            Opens => 1,
            // To look, to edit, which is two for GitHub, and to comment.
            JoinsAndIsExploited => 3 + is_github,
            // To look, to close, which is two for Jira, and to comment.
            IsFixed | IsFixedAgain => 4 - is_github,
            ComesBack => 5,
        }
    }
}

/// What goes wrong with a request, and as many times in a row as it does so.
const TROUBLES: [(Trouble, usize); 14] = [
    (Trouble::RateLimited(5), 1),
    (Trouble::RateLimited(5), 6),
    (Trouble::RateLimited(600), 2),
    (Trouble::ServerError, 1),
    (Trouble::ServerError, 4),
    (Trouble::Unauthorized, 3),
    (Trouble::Forbidden, 3),
    (Trouble::ErrorAfterDoing, 1),
    (Trouble::GarbledAfterDoing, 1),
    (Trouble::HangsUpBefore, 2),
    (Trouble::HangsUpAfter, 1),
    (Trouble::Slow { done: true }, 1),
    (Trouble::Slow { done: false }, 1),
    // It is carried out after we have given up on it.
    (Trouble::Late, 1),
];

/// The whole story; `trouble` comes after some requests of a chapter.
async fn story(kind: TrackerKind, chapter: Chapter, after: usize, trouble: &[Trouble]) -> Desk {
    let mut desk = Desk::new(kind).await;
    desk.tracker.state().lags = true;
    if trouble.iter().any(|one| matches!(one, Trouble::Slow { .. })) {
        desk.tickets.tracker = client(&desk, kind).waiting(PATIENCE);
    }
    for now in CHAPTERS {
        let news = now.happens(&desk).await;
        desk.note(news).await;
        if now == chapter {
            let nothing = std::iter::repeat_n(Trouble::None, after);
            desk.tracker.state().trouble = nothing.chain(trouble.iter().cloned()).collect();
        }
        desk.until_quiet().await;
        // Of what was left of it, there was no need.
        desk.tracker.state().trouble.clear();
    }
    desk
}

/// What is wrong with how a story ended.
fn wrong(desk: &Desk, kind: TrackerKind) -> Option<String> {
    let state = desk.tracker.state();
    let ours: Vec<_> = state.tickets.iter().collect();
    let [ticket] = ours[..] else {
        return Some(format!("{} tickets", ours.len()));
    };
    if ticket.project != project(kind) || !ticket.labels.iter().any(|label| label == LABEL) {
        return Some("another ticket".to_owned());
    }
    if !["Done", "closed"].contains(&ticket.status.as_str()) {
        return Some(format!("it is {}", ticket.status));
    }
    let said: Vec<String> = ticket.comments.iter().map(|one| text(&one.text)).collect();
    let count = |words: &str| said.iter().filter(|comment| comment.contains(words)).count();
    let expected = [
        ("Found on one more resource", 1),
        ("An exploit is known now", 1),
        ("Closed.", 2),
        ("Ticket reopened.", 1),
        ("Found again on one resource", 1),
    ];
    let off = expected.iter().find(|(words, times)| count(words) != *times);
    off.map(|(words, times)| format!("not {times} times \"{words}\" in {said:?}"))
}

#[test]
fn a_tracker_that_fails_in_any_way_has_one_ticket_in_the_end_and_it_is_closed() {
    let mut cases = Vec::new();
    for kind in [TrackerKind::Jira, TrackerKind::GitHub] {
        for chapter in CHAPTERS {
            for after in 0..chapter.requests(kind) {
                for (trouble, times) in TROUBLES {
                    cases.push((kind, chapter, after, vec![trouble; times]));
                }
            }
        }
    }
    let wrong = side_by_side(&cases, async |(kind, chapter, after, trouble)| {
        let desk = story(*kind, *chapter, *after, trouble).await;
        wrong(&desk, *kind)
    });
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    assert_eq!(cases.len(), 14 * (1 + 3 + 4 + 5 + 4 + 1 + 4 + 3 + 5 + 3));
}

#[test]
fn nothing_that_goes_wrong_asks_for_less_than_nothing() {
    // The numbers of requests above are those of a story in which nothing goes wrong.
    let cases = [TrackerKind::Jira, TrackerKind::GitHub];
    let wrong = side_by_side(&cases, async |kind| {
        let desk = story(*kind, Opens, 0, &[]).await;
        let expected: usize = CHAPTERS.iter().map(|chapter| chapter.requests(*kind)).sum();
        let is = desk.requests();
        wrong(&desk, *kind).or_else(|| (is != expected).then(|| format!("{is} of {expected}")))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// When a function is ended in the midst of a request, and whether the tracker has done it.
#[test]
fn a_function_that_is_ended_in_the_midst_of_a_request_leaves_no_second_ticket() {
    let mut cases = Vec::new();
    for kind in [TrackerKind::Jira, TrackerKind::GitHub] {
        for chapter in CHAPTERS {
            for after in 0..chapter.requests(kind) {
                for done in [false, true] {
                    cases.push((kind, chapter, after, done));
                }
            }
        }
    }
    let wrong = side_by_side(&cases, async |(kind, chapter, after, done)| {
        let desk = Desk::new(*kind).await;
        desk.tracker.state().lags = true;
        for now in CHAPTERS {
            let news = now.happens(&desk).await;
            desk.note(news).await;
            if now == *chapter {
                // What further changes wait for.
                desk.pass(SignedDuration::from_mins(10));
                let mut trouble = vec![Trouble::None; *after];
                trouble.push(Trouble::Slow { done: *done });
                desk.tracker.state().trouble = trouble.into();
                let patient = Tickets {
                    store: desk.tickets.store.clone(),
                    tracker: client(&desk, *kind).waiting(Duration::from_hours(1)),
                    config: settings(*kind, Priority::P4),
                };
                let is_at_it = async {
                    while !desk.tracker.state().trouble.is_empty() {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::select! {
                    result = desk.settle_with(&patient) => panic!("it waits: {result:?}"),
                    () = is_at_it => {}
                }
            }
            desk.until_quiet().await;
        }
        wrong(&desk, *kind)
    });
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}

fn client(desk: &Desk, kind: TrackerKind) -> Client {
    TrackerClient::new(tracker_config(kind, &desk.url), Token(TOKEN))
}

#[test]
fn a_table_that_fails_in_any_way_leads_to_one_ticket_all_the_same() {
    // What fails without an end of the function leaves the same behind, and takes the time of the repetitions.
    let faults = [Fault::KilledBefore, Fault::KilledAfter];
    let mut cases = Vec::new();
    for chapter in CHAPTERS {
        for fault in faults {
            cases.push((TrackerKind::Jira, chapter, fault));
        }
    }
    // How many calls a chapter makes is known once no fault befalls one.
    let calls = Arc::new(AtomicUsize::new(0));
    let wrong = side_by_side(&cases, async |(kind, chapter, fault)| {
        for number in 0.. {
            let desk = Desk::new(*kind).await;
            let mut has_befallen = true;
            for now in CHAPTERS {
                let news = now.happens(&desk).await;
                if now == *chapter {
                    has_befallen = Box::pin(befalls(&desk, *kind, news, number, *fault)).await;
                    calls.fetch_add(usize::from(has_befallen), Ordering::Relaxed);
                    // The queue sends it again.
                    desk.note(news).await;
                } else {
                    desk.note(news).await;
                }
                desk.until_quiet().await;
            }
            if let Some(wrong) = wrong(&desk, *kind) {
                return Some(format!("call {number}: {wrong}"));
            }
            if !has_befallen {
                return None;
            }
        }
        None
    });
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    assert!(calls.load(Ordering::Relaxed) > 100, "{calls:?} faults");
}

/// Has a fault befall the call with a number to the table, of those that note news and deal with it. Returns whether there
/// are as many.
async fn befalls(
    desk: &Desk,
    kind: TrackerKind,
    news: &[usize],
    number: usize,
    fault: Fault,
) -> bool {
    let mut seen = 0;
    let befallen = Arc::new(AtomicUsize::new(0));
    let count = befallen.clone();
    let network = Network::new(
        move |_| {
            let is_it = seen == number;
            seen += 1;
            count.fetch_add(usize::from(is_it), Ordering::Relaxed);
            Fate { fault: is_it.then_some(fault), ..Fate::default() }
        },
        |_| {},
    );
    let name = desk.name();
    let store: DynamoDb = network.triage(&desk.world.emulator, &name).store;
    let tickets =
        Tickets { store, tracker: client(desk, kind), config: settings(kind, Priority::P4) };
    let work = async {
        // A note that fails comes again; what was noted is dealt with.
        let noted = desk.note_with(&tickets, news).await;
        desk.pass(SignedDuration::from_mins(10));
        noted.is_ok() && desk.settle_with(&tickets).await.is_ok()
    };
    let _ = Box::pin(network.until_killed(work)).await;
    befallen.load(Ordering::Relaxed) > 0
}

#[tokio::test]
async fn the_order_of_messages_does_not_matter() {
    for kind in [TrackerKind::Jira, TrackerKind::GitHub] {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let desk = Desk::new(kind).await;
            // All has happened before the first message comes.
            for chapter in [Opens, JoinsAndIsExploited, IsFixed] {
                chapter.happens(&desk).await;
            }
            desk.event(3, |_| {}).await;
            let messages: [&[usize]; 3] = [&[1], &[2, 1], &[3]];
            for message in order {
                desk.note(messages[message]).await;
                desk.settle().await;
            }
            desk.until_quiet().await;
            let ticket = desk.ticket();
            assert!(text(&ticket.text).contains("Open on one resource"), "{order:?}");
            assert!(ticket.comments.is_empty(), "{order:?}: nobody was told that they were there");
            let due = desk.tickets.store.due_tickets(jiff::Timestamp::MAX, 10).await.unwrap();
            assert_eq!(due.len(), 1, "it is looked at again");
        }
    }
}

/// What is wrong with which of the cases, each of them in a runtime of its own, on all processors.
fn side_by_side<C: Sync + std::fmt::Debug>(
    cases: &[C],
    check: impl AsyncFn(&C) -> Option<String> + Sync,
) -> BTreeMap<String, String> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut wrong = BTreeMap::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(what) = runtime.block_on(check(case)) {
                wrong.insert(format!("{case:?}"), what);
            }
        }
        wrong
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
