//! Events about one finding in any order, more than once, at once and over a bad network.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::common::{
    self, World, event,
    network::{Call, Fate, Fault, Network, Sent},
};
use aws_sdk_dynamodb::types::AttributeValue;
use inspector_triage::{
    adapters::dynamodb::keys,
    app::{Attempt, Outcome, TriageResult},
    domain::{
        finding::FixAvailable,
        record::{Decision, Record, decide},
    },
    lambda::{self, Response},
};
use itertools::Itertools;
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*, sample::Index};
use serde_json::{Value, json};
use tokio::{
    runtime,
    time::{Instant, sleep, sleep_until, timeout},
};

const NOW: &str = "2026-11-20T12:00:00Z";

/// What a row says of the finding. How we came to hear of it is another matter: how often the row
/// was written, when it was opened as far as we know, and what people were told on the way.
fn state(record: &Record) -> Value {
    let mut state = serde_json::to_value(record).unwrap();
    let fields = state.as_object_mut().unwrap();
    for heard in ["revision", "opening", "opened_at", "announced", "end"] {
        fields.remove(heard);
    }
    state
}

#[tokio::test]
async fn a_life_of_five_events_ends_in_the_same_row_in_every_order_and_with_every_repetition() {
    let lives: [[fn(&mut Value); 5]; 2] = [
        [
            |_| {},
            |f| f["exploitAvailable"] = json!("YES"),
            |f| f["status"] = json!("CLOSED"),
            |f| f["exploitAvailable"] = json!("YES"),
            |f| {
                f["exploitAvailable"] = json!("YES");
                f["epss"] = json!({"score": 0.9});
            },
        ],
        [
            |f| f["fixAvailable"] = json!("NO"),
            |f| f["status"] = json!("SUPPRESSED"),
            |f| f["severity"] = json!("CRITICAL"),
            |f| f["fixAvailable"] = json!("YES"),
            |f| f["status"] = json!("CLOSED"),
        ],
    ];
    for life in lives {
        let mut world = World::new().await;
        let events: Vec<Value> = life
            .iter()
            .enumerate()
            .map(|(hour, change)| event(&format!("2026-11-20T0{hour}:00:00Z"), change))
            .collect();
        let orders: Vec<Vec<&Value>> = events.iter().permutations(events.len()).collect();
        assert_eq!(orders.len(), 120);
        for (number, order) in orders.iter().enumerate() {
            // Each event twice in a row, and all of them once more.
            for event in order.iter().flat_map(|event| [event, event]).chain(order) {
                let mut event = (*event).clone();
                event["detail"]["findingArn"] = json!(common::arn(number));
                world.handle(&event, NOW).await.unwrap();
            }
        }
        // Some had a message of their own, the others are in one summary.
        world.published();
        world.flush("2026-11-20T12:05:00Z").await.unwrap();
        let summaries = world.published().len();

        let mut ends = Vec::new();
        for number in 0..orders.len() {
            let arn = common::arn(number);
            let mut end = state(&world.record(&arn).await);
            end["finding"] = json!(end["finding"].as_str().unwrap().replace(&arn, "ARN"));
            // It holds the ARN in its digest.
            let version = end["version"].as_str().unwrap().rsplit_once('~').unwrap().0.to_owned();
            end["version"] = json!(version);
            ends.push(end);
        }
        assert!(ends.iter().all_equal(), "{:#?}", ends.iter().unique().collect::<Vec<_>>());
        let open = ends[0].get("due_at").is_some();
        assert_eq!(summaries, usize::from(open));
        assert_eq!(world.pending(1).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_event_twenty_times_at_once_in_eight_functions_is_one_message() {
    let mut world = World::new().await;
    let event = event("2026-11-20T10:00:00Z", |_| {}).to_string();
    // They give way to each other before and after each call.
    let moment = Duration::from_micros(1);
    let functions: Vec<_> = (0..8)
        .map(|number| {
            let fate = Fate { there: moment, fault: None, back: moment };
            Network::new(move |_| fate, |_| {})
                .triage(&world.emulator, &format!("function {number}"))
        })
        .collect();
    let deliver = |number: usize, now: &'static str| {
        let triage = functions[number % functions.len()].clone();
        let event = event.clone();
        tokio::spawn(async move {
            let name = format!("{number}@{now}");
            let now = now.parse().unwrap();
            let attempt = Attempt::new(&name, now);
            let done = lambda::handle(&triage, event.as_bytes(), attempt).await;
            done.map(|answer| report(answer).outcome).map_err(|failed| failed.0.kind())
        })
    };

    let at_once: Vec<_> = (0..20).map(|number| deliver(number, NOW)).collect();
    let mut failed = Vec::new();
    let mut announced = 0;
    for (number, done) in at_once.into_iter().enumerate() {
        match done.await.unwrap() {
            Ok(Outcome::Announced) => announced += 1,
            // Pending, where it met the one that announces.
            Ok(outcome) => {
                assert!([Outcome::Unchanged, Outcome::Pending].contains(&outcome), "{outcome:?}");
            }
            Err(kind) => {
                assert_eq!(kind, "Contended");
                failed.push(number);
            }
        }
    }
    assert_eq!(world.pending(1).await, []);
    assert_eq!(announced, 1);
    for number in failed {
        let again = deliver(number, "2026-11-20T12:01:01Z").await.unwrap();
        assert_eq!(again, Ok(Outcome::Unchanged));
    }
    assert_eq!(world.published().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn news_that_comes_while_something_older_is_being_said_waits_and_is_said_next() {
    let mut world = World::new().await;
    let send = |event: &Value, name: &'static str, now: &'static str, slow: Option<Call>| {
        let fate = move |sent: Sent| Fate {
            back: Duration::from_secs(u64::from(slow == Some(sent.call))),
            ..Fate::default()
        };
        let triage = Network::new(fate, |_| {}).triage(&world.emulator, name);
        let event = event.to_string();
        tokio::spawn(async move {
            let now = now.parse().unwrap();
            let attempt = Attempt::new(name, now);
            let done = lambda::handle(&triage, event.as_bytes(), attempt).await;
            done.map(|answer| report(answer).reason).map_err(|failed| failed.0.kind())
        })
    };
    let first = event("2026-11-20T10:00:00Z", |_| {});
    let newer = event("2026-11-20T11:00:00Z", |f| f["exploitAvailable"] = json!("YES"));

    let speaking = send(&first, "first", NOW, Some(Call::Publish));
    sleep(Duration::from_millis(500)).await;
    let meanwhile = send(&newer, "newer", NOW, None).await.unwrap().unwrap();
    assert!(meanwhile.starts_with("another invocation tells people of it now"), "{meanwhile}");
    assert_eq!(speaking.await.unwrap(), Ok("new".to_owned()));
    let waiting = world.pending(10).await;
    assert_eq!(waiting.len(), 1, "what came meanwhile is still to be said");
    let announced = &world.items(common::ARN).await[0];
    assert_eq!(announced["what"], AttributeValue::S("new".to_owned()));
    let exploit = &announced["facts"].as_m().unwrap()["exploit"];
    assert_eq!(*exploit, AttributeValue::Bool(false), "the history has what was said");

    let again = send(&newer, "newer again", "2026-11-20T12:01:01Z", None).await.unwrap();
    assert_eq!(again, Ok("exploit-seen".to_owned()));
    assert_eq!(world.published().len(), 2);
    assert_eq!(world.pending(10).await, []);
}

fn report(answer: Response) -> TriageResult {
    let Response::Finding(report) = answer else { panic!("{answer:?}") };
    report
}

/// A state of the finding, as Inspector tells it.
#[derive(Clone, Copy, Debug)]
struct State {
    status: &'static str,
    epss: f64,
    exploit: bool,
    fix: bool,
}

/// One delivery of an event, and what becomes of its requests, one after the other over all tries;
/// those after the last go well.
#[derive(Clone, Debug)]
struct Delivery {
    state: Index,
    at: Duration,
    fates: Vec<Fate>,
}

fn states() -> impl Strategy<Value = Vec<State>> {
    let status = prop_oneof![4 => Just("ACTIVE"), 1 => Just("CLOSED"), 1 => Just("SUPPRESSED")];
    let epss = prop::sample::select(vec![0.000_1, 0.05, 0.9]);
    let state = (status, epss, any::<bool>(), any::<bool>())
        .prop_map(|(status, epss, exploit, fix)| State { status, epss, exploit, fix });
    vec(state, 1..6)
}

fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    // Some requests are slower than the SDK has patience for.
    let delay = || prop_oneof![3 => 0..50_u64, 1 => 0..4_000_u64].prop_map(Duration::from_millis);
    let fault = option::weighted(0.3, prop::sample::select(Fault::ALL.to_vec()));
    let fate =
        (delay(), fault, delay()).prop_map(|(there, fault, back)| Fate { there, fault, back });
    let delivery = (any::<Index>(), 0..200_000_u64, vec(fate, 0..12))
        .prop_map(|(state, at, fates)| Delivery { state, at: Duration::from_millis(at), fates });
    vec(delivery, 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        // A case worth keeping becomes a test of its own.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_people_hear_what_they_must_and_nothing_twice_that_was_noted(
        states in states(),
        deliveries in deliveries(),
    ) {
        let runtime =
            runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(run(&states, deliveries));
    }
}

/// A call that took effect, and the attempt that made it.
type Done = (Call, String);

/// A function that takes deliveries, its clock, and what took effect in the topic and the table.
#[derive(Clone)]
struct Site {
    world: Arc<tokio::sync::Mutex<World>>,
    began: Instant,
    done: Arc<Mutex<Vec<Done>>>,
}

impl Site {
    fn now(&self) -> Timestamp {
        let began: Timestamp = NOW.parse().unwrap();
        began + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    /// One try of an event; whether it succeeded.
    async fn attempt(&self, event: &str, name: &str, fates: &mut Vec<Fate>) -> bool {
        let next = Arc::new(Mutex::new(std::mem::take(fates)));
        let of_request = {
            let next = Arc::clone(&next);
            move |sent: Sent| {
                let mut fates = next.lock().unwrap();
                let fate = if fates.is_empty() { Fate::default() } else { fates.remove(0) };
                Fate { fault: fate.fault.filter(|fault| fault.befalls(sent.call)), ..fate }
            }
        };
        let (done, by) = (Arc::clone(&self.done), name.to_owned());
        let note = move |call| done.lock().unwrap().push((call, by.clone()));
        let network = Network::new(of_request, note);
        let triage = network.triage(&self.world.lock().await.emulator, name);
        let began = Instant::now();
        let limit = Duration::from_secs(30);
        let left = || SignedDuration::try_from(limit.saturating_sub(began.elapsed())).unwrap();
        let attempt = Attempt { left: &left, ..Attempt::new(name, self.now()) };
        let work = Box::pin(lambda::handle(&triage, event.as_bytes(), attempt));
        let work = network.until_killed(work);
        let succeeded = matches!(timeout(limit, work).await, Ok(Some(Ok(_))));
        *fates = std::mem::take(&mut next.lock().unwrap());
        succeeded
    }

    /// What Lambda does with an event; whether it was dealt with, and is not in the failure queue.
    async fn deliver(self, number: usize, event: String, mut delivery: Delivery) -> bool {
        sleep_until(self.began + delivery.at).await;
        for (attempt, pause) in [60, 120, 0].into_iter().enumerate() {
            let name = format!("{number}-{attempt}");
            if self.attempt(&event, &name, &mut delivery.fates).await {
                return true;
            }
            sleep(Duration::from_secs(pause)).await;
        }
        false
    }
}

async fn run(states: &[State], deliveries: Vec<Delivery>) {
    let world = Arc::new(tokio::sync::Mutex::new(World::new().await));
    let site = Site { world: Arc::clone(&world), began: Instant::now(), done: Arc::default() };
    let events: Vec<Value> = states.iter().enumerate().map(|(n, state)| told(n, state)).collect();

    let running: Vec<_> = deliveries
        .iter()
        .enumerate()
        .map(|(number, delivery)| {
            let event = delivery.state.get(&events).to_string();
            tokio::spawn(site.clone().deliver(number, event, delivery.clone()))
        })
        .collect();
    let mut failed = Vec::new();
    for (number, delivered) in running.into_iter().enumerate() {
        if !delivered.await.unwrap() {
            failed.push(number);
        }
    }
    // Whatever is still on its way arrives, and leases end. Then somebody empties the queue.
    sleep(Duration::from_mins(1)).await;
    untold_is_pending(&*world.lock().await).await;
    for number in failed {
        let event = deliveries[number].state.get(&events).to_string();
        let name = format!("{number} again");
        assert!(site.attempt(&event, &name, &mut Vec::new()).await, "{number} fails again");
    }

    let newest = deliveries.iter().map(|delivery| delivery.state.index(states.len())).max();
    let newest = newest.expect("there is a delivery");
    // What met somebody else's lease, or a table that was too busy for a permit, waits for the next summary. That would
    // say what a repetition of the event says, which is easier to read here.
    let event = events[newest].to_string();
    assert!(site.attempt(&event, "once more", &mut Vec::new()).await);
    check(&mut *world.lock().await, states, &events[newest], newest, &site.done).await;

    for (number, event) in events.iter().take(newest + 1).enumerate() {
        let name = format!("late {number}");
        assert!(site.attempt(&event.to_string(), &name, &mut Vec::new()).await);
    }
    assert_eq!(world.lock().await.published(), [], "repetitions are quiet");
}

/// What people have yet to hear can be found without anybody sending it again.
async fn untold_is_pending(world: &World) {
    let untold = match world.find(common::ARN).await {
        Some(record) => matches!(decide(&record), Decision::Alert(_)),
        None => false,
    };
    let waiting = world.pending(10).await;
    assert_eq!(waiting.len(), usize::from(untold), "{waiting:?}");
}

/// Looks at the table and at what was published, now that all is done.
async fn check(
    world: &mut World,
    states: &[State],
    event: &Value,
    newest: usize,
    done: &Mutex<Vec<Done>>,
) {
    let record = world.record(common::ARN).await;
    assert_eq!(record.finding, common::read(event), "the newest state is recorded");
    assert_eq!(record.pending_since, None);
    assert_eq!(world.pending(10).await, [], "the index agrees");

    let recorded = recorded(world, states).await;
    assert!(
        recorded.iter().tuple_windows().all(|(a, b)| a.facts != b.facts),
        "the history has nothing but material transitions: {recorded:?}"
    );
    let said = said(world, &done.lock().unwrap());
    model(states, &recorded, &said, newest, &record);
}

/// The event that tells of a state, by its number.
fn told(number: usize, state: &State) -> Value {
    event(&format!("2026-11-20T10:0{number}:00Z"), |f| {
        f["description"] = json!(format!("State {number} of the model."));
        f["status"] = json!(state.status);
        f["epss"] = json!({"score": state.epss});
        f["exploitAvailable"] = json!(if state.exploit { "YES" } else { "NO" });
        f["fixAvailable"] = json!(if state.fix { "YES" } else { "NO" });
    })
}

/// A state that made it into the history.
#[derive(Debug)]
struct Recorded {
    number: usize,
    facts: String,
}

/// The states in the history, in their order.
async fn recorded(world: &World, states: &[State]) -> Vec<Recorded> {
    let rows = world.items(common::ARN).await;
    let text = |row: &common::Item, name: &str| row[name].as_s().unwrap().clone();
    let rows = rows.iter().filter(|row| text(row, keys::SK).starts_with("HISTORY#"));
    rows.map(|row| {
        let version = text(row, "version");
        let at = |n: usize| version.starts_with(&format!("2026-11-20T10:0{n}:00"));
        let number = (0..states.len()).find(|n| at(*n)).unwrap();
        Recorded {
            number,
            facts: format!(
                "{:?}",
                row["facts"].as_m().unwrap().iter().sorted_by_key(|f| f.0).collect_vec()
            ),
        }
    })
    .collect()
}

/// A message, and whether it was noted that it went out.
#[derive(Debug)]
struct Said {
    by: String,
    number: usize,
    priority: String,
    noted: bool,
}

fn said(world: &mut World, done: &[Done]) -> Vec<Said> {
    let mut messages = world.published().into_iter();
    let mut said: Vec<Said> = Vec::new();
    for (call, by) in done {
        match call {
            Call::Publish => {
                let message = messages.next().unwrap();
                // The SDK had lost patience, and what it had sent arrived all the same.
                if said.iter().any(|said| said.by == *by) {
                    continue;
                }
                let (_, rest) = message.message.split_once("State ").unwrap();
                let number = rest[..1].parse().unwrap();
                let priority = message.attributes["priority"].clone();
                said.push(Said { by: by.clone(), number, priority, noted: false });
            }
            Call::Mark => said.iter_mut().find(|said| said.by == *by).unwrap().noted = true,
            _ => {}
        }
    }
    said
}

/// What must have been said, and what must not, given what was recorded.
fn model(states: &[State], recorded: &[Recorded], said: &[Said], newest: usize, record: &Record) {
    let is_open = |number: usize| states[number].status == "ACTIVE";
    // How often the finding had been opened when it was in this state, by the history.
    let opening = |number: usize| {
        let until = recorded.iter().filter(|state| state.number <= number);
        until.map(|state| is_open(state.number)).dedup().filter(|open| *open).count()
    };
    // Whether people who know of `old` learn something that matters from `new`.
    let news = |old: &Said, new: &Said| {
        let (was, is) = (states[old.number], states[new.number]);
        opening(new.number) > opening(old.number)
            // P1 comes before P2.
            || new.priority < old.priority
            || is.exploit && !was.exploit
            || is.fix && !was.fix
    };

    for message in said {
        assert!(is_open(message.number), "nobody hears of what has ended: {said:?}");
    }
    let mut known: Option<&Said> = None;
    for message in said {
        assert!(known.is_none_or(|known| news(known, message)), "old news: {said:?}");
        if message.noted {
            known = Some(message);
        }
    }
    if is_open(newest) {
        let priority = record.priority().to_string();
        let end = Said { by: String::new(), number: newest, priority, noted: false };
        let known = known.unwrap_or_else(|| panic!("nobody knows: {recorded:?}"));
        assert!(!news(known, &end), "people do not know the latest: {said:?}");
        assert_eq!(record.finding.fix_available == Some(FixAvailable::Yes), states[newest].fix);
    }
}
