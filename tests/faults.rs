//! Every call of triage, failing in every way: nothing is lost, and what is said twice is said
//! twice only where the fault fell between a message that went out and the note that it did.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::common::{
    self, World, event_of,
    network::{Call, Fate, Fault, Network, Sent},
};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use inspector_triage::{
    adapters::sns::{Sns, Topics},
    app::{Attempt, FlushOutcome, Observation, Outcome, TriageResult},
    domain::{announce::Budget, record::Audience},
    emulator,
    lambda::{self, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::{runtime, time::Instant};

/// What an event meets, and how many messages it leads to if nothing goes wrong.
struct Situation {
    name: &'static str,
    /// The events before it.
    before: &'static [Change],
    event: Change,
    messages: usize,
    calls: &'static [Call],
}

type Change = fn(&mut Value);

const AS_IT_IS: Change = |_| {};
const CLOSED: Change = |f| f["status"] = json!("CLOSED");
const EXPLOITED: Change = |f| f["exploitAvailable"] = json!("YES");
const RETAGGED: Change = |f| f["resources"][0]["tags"]["team"] = json!("shop");

const TOLD: &[Call] = &Call::ALL;

const SITUATIONS: [Situation; 6] = [
    Situation { name: "new", before: &[], event: AS_IT_IS, messages: 1, calls: TOLD },
    Situation {
        name: "exploit seen",
        before: &[AS_IT_IS],
        event: EXPLOITED,
        messages: 1,
        calls: TOLD,
    },
    Situation {
        name: "reopened",
        before: &[AS_IT_IS, CLOSED],
        event: AS_IT_IS,
        messages: 1,
        calls: TOLD,
    },
    Situation {
        name: "first heard of when closed, then opened",
        before: &[CLOSED],
        event: AS_IT_IS,
        messages: 1,
        calls: TOLD,
    },
    Situation {
        name: "closed",
        before: &[AS_IT_IS],
        event: CLOSED,
        messages: 0,
        calls: &[Call::Refresh, Call::Write],
    },
    Situation {
        name: "changed in nothing that matters",
        before: &[AS_IT_IS],
        event: RETAGGED,
        messages: 0,
        calls: &[Call::Refresh],
    },
];

/// When Lambda tries: at once, after a minute, after two more. The last one is somebody who gives
/// the event from the failure queue to the function again.
const TRIES: [&str; 4] = [
    "2026-11-20T12:00:00Z",
    "2026-11-20T12:01:01Z",
    "2026-11-20T12:03:02Z",
    "2026-11-21T09:00:00Z",
];

/// One way for things to go wrong.
#[derive(Clone, Copy, Debug)]
struct Case {
    call: Call,
    fault: Fault,
    /// Whether it befalls the SDK's repetitions of the request as well.
    stubborn: bool,
    /// In how many of Lambda's three tries.
    tries: usize,
}

fn cases(calls: &[Call]) -> Vec<Case> {
    let mut cases = Vec::new();
    for &call in calls {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.befalls(call)) {
            for stubborn in [false, true] {
                for tries in 1..=3 {
                    cases.push(Case { call, fault, stubborn, tries });
                }
            }
        }
    }
    cases
}

/// What came of the cases of one call and one fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    cases: usize,
    not_recorded: usize,
    lost: usize,
    repeated: usize,
}

#[test]
fn nothing_is_lost_and_nothing_repeated_but_where_a_fault_hid_what_was_said() {
    let mut tallies: BTreeMap<(Call, Fault), Tally> = BTreeMap::new();
    thread::scope(|scope| {
        let running = SITUATIONS.each_ref().map(|situation| scope.spawn(|| all_cases(situation)));
        for (call, fault, tally) in running.into_iter().flat_map(|cases| cases.join().unwrap()) {
            tallies.entry((call, fault)).or_default().add(tally);
        }
    });

    let mut total = Tally::default();
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(["Call", "Fault", "Cases", "Lost", "Repeated"]);
    for ((call, fault), tally) in &tallies {
        total.add(*tally);
        table.add_row([
            format!("{call:?}"),
            format!("{fault:?}"),
            tally.cases.to_string(),
            tally.lost.to_string(),
            tally.repeated.to_string(),
        ]);
    }
    table.add_row([
        "all".to_owned(),
        "all".to_owned(),
        total.cases.to_string(),
        total.lost.to_string(),
        total.repeated.to_string(),
    ]);
    writeln!(std::io::stderr(), "{table}").unwrap();
    assert_eq!((total.lost, total.not_recorded), (0, 0));
    insta::assert_snapshot!("faults", table);
}

impl Tally {
    fn add(&mut self, more: Self) {
        self.cases += more.cases;
        self.not_recorded += more.not_recorded;
        self.lost += more.lost;
        self.repeated += more.repeated;
    }
}

/// Runs all cases of a situation in a world of its own.
fn all_cases(situation: &Situation) -> Vec<(Call, Fault, Tally)> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new().await;
        world.triage.config.budget = Budget { p1: u8::MAX, others: u8::MAX };
        let mut outcomes = Vec::new();
        for (number, case) in cases(situation.calls).into_iter().enumerate() {
            let tally = Box::pin(outcome(&mut world, situation, case, number)).await;
            outcomes.push((case.call, case.fault, tally));
        }
        outcomes
    })
}

/// Runs one case with a finding of its own, and looks at what is recorded and what people heard.
async fn outcome(world: &mut World, situation: &Situation, case: Case, number: usize) -> Tally {
    let what = format!("{}, {case:?}", situation.name);
    let arn = common::arn(number);
    let event_of = |time: &str, change: Change| {
        event_of(&arn, time, |f| {
            change(f);
            // A problem of its own.
            let id = format!("CVE-2026-{number}");
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id);
        })
    };
    for (hour, change) in situation.before.iter().enumerate() {
        let time = format!("2026-11-20T0{hour}:00:00Z");
        world.handle(&event_of(&time, *change), &time).await.unwrap();
    }
    world.published();

    let event = event_of("2026-11-20T10:00:00Z", situation.event);
    let hidden = Arc::new(AtomicUsize::new(0));
    for (attempt, now) in TRIES.iter().enumerate() {
        let failing = (attempt < case.tries).then_some(case);
        let network = network(failing, &hidden);
        let triage = network.triage(&world.emulator, &format!("{number}-{attempt}"));
        let name = format!("{number}-{attempt}");
        let attempt = Attempt::new(&name, now.parse().unwrap());
        let event = event.to_string();
        let work = Box::pin(lambda::handle(&triage, event.as_bytes(), attempt));
        if matches!(network.until_killed(work).await, Some(Ok(_))) {
            break;
        }
    }

    // What got no message of its own is in the next summary.
    world.flush("2026-11-21T09:05:00Z").await.unwrap();

    let published = world.published();
    let recorded = world.record(&arn).await;
    let expected = common::read(&event);
    let is_recorded = recorded.finding == expected
        && recorded.pending_since.is_none()
        && recorded.lease.is_none();
    let repeated = published.len().saturating_sub(situation.messages);
    let hidden = hidden.load(Ordering::SeqCst);
    assert!(repeated <= hidden, "{what}: {repeated} repeated, {hidden} hidden");

    let later = world.handle(&event, "2026-11-22T12:00:00Z").await.unwrap();
    assert_eq!(later.outcome, Outcome::Unchanged, "{what}");
    assert_eq!(world.published(), [], "{what}");
    Tally {
        cases: 1,
        not_recorded: usize::from(!is_recorded),
        lost: situation.messages.saturating_sub(published.len()),
        repeated,
    }
}

/// A network with the fault of `case`, which counts the faults that hid that a message went out:
/// it went out and the answer was lost, or the note that it did was not taken.
fn network(case: Option<Case>, hidden: &Arc<AtomicUsize>) -> Network {
    let hidden = Arc::clone(hidden);
    let fates = move |sent: Sent| {
        let hit = case.filter(|case| case.call == sent.call && (case.stubborn || sent.is_first()));
        let fault = hit.map(|case| case.fault);
        let hides = fault.is_some_and(|fault| match sent.call {
            Call::Publish => fault.takes_effect(),
            Call::Mark => !fault.takes_effect(),
            _ => false,
        });
        hidden.fetch_add(usize::from(hides), Ordering::SeqCst);
        Fate { fault, ..Fate::default() }
    };
    Network::new(fates, |_| {})
}

/// The calls of a flush that sums up more than one transaction takes, and which of their kind.
const FLUSH_CALLS: [(Call, usize); 16] = [
    (Call::Listeners, 0),
    (Call::ShareListeners, 0),
    (Call::Read, 0),
    // The last shard, the rows, and the known problems; the last shard of what is partly told.
    (Call::Read, 15),
    (Call::Read, 16),
    (Call::Read, 17),
    (Call::Read, 21),
    (Call::LockSummary, 0),
    (Call::LeaseAll, 0),
    (Call::LeaseAll, 1),
    (Call::Publish, 0),
    (Call::Publish, 1),
    (Call::Mark, 0),
    (Call::Mark, 1),
    (Call::RememberAnnounced, 0),
    (Call::UnlockSummary, 0),
];

/// As the SDK's repetitions fail too, a broken connection is nothing else than an error.
const FLUSH_FAULTS: [Fault; 5] = [
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::Conflict,
    Fault::KilledBefore,
    Fault::KilledAfter,
];

/// How many findings wait.
const WAITING: usize = 55;

#[test]
fn a_flush_that_fails_anywhere_loses_nothing_and_repeats_at_most_what_it_had_just_said() {
    let calls = |half: usize| FLUSH_CALLS.into_iter().skip(half).step_by(2);
    thread::scope(|scope| {
        for half in [0, 1] {
            scope.spawn(move || {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .start_paused(true)
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    for (call, nth) in calls(half) {
                        for fault in FLUSH_FAULTS.into_iter().filter(|fault| fault.befalls(call)) {
                            flush_with(call, nth, fault).await;
                        }
                    }
                });
            });
        }
    });
}

async fn flush_with(call: Call, nth: usize, fault: Fault) {
    let what = format!("{call:?} {nth}, {fault:?}");
    let mut world = World::new().await;
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics.clone());
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for number in 0..WAITING {
        let event = event_of(&common::arn(number), "2026-11-20T10:00:00Z", AS_IT_IS);
        world.handle(&event, "2026-11-20T12:00:00Z").await.unwrap();
    }
    let fates = move |sent: Sent| {
        let hit = sent.call == call && sent.number == nth;
        Fate { fault: hit.then_some(fault), ..Fate::default() }
    };
    let network = Network::new(fates, |_| {});
    let triage = network.triage_for(&world.emulator, "flush", common::all_topics());
    let now = "2026-11-20T12:05:00Z".parse().unwrap();
    let attempt = Attempt::new("flush", now);
    let work = Box::pin(lambda::handle(&triage, common::FLUSH.as_bytes(), attempt));
    // It may have hit nothing: with few findings in a shard there is no such call.
    let _ = network.until_killed(work).await;

    world.triage.config.budget = Budget::default();
    for now in ["2026-11-20T12:06:00Z", "2026-11-20T12:10:00Z"] {
        world.flush(now).await.unwrap();
    }
    assert_eq!(world.pending(1).await, [], "{what}");

    let published = world.published();
    let told = common::told(&published);
    assert_eq!(told.len(), WAITING, "{what}: lost");
    // The SDK sends what it had no answer to up to three times.
    let hides = match call {
        Call::Publish => fault.takes_effect(),
        Call::Mark => !fault.takes_effect(),
        _ => false,
    };
    // A killed flush has marked nothing of what it was about to.
    let cut_short = [Fault::KilledBefore, Fault::KilledAfter].contains(&fault);
    let may_repeat = hides || (cut_short && matches!(call, Call::Publish | Call::Mark));
    let repeated = told.values().filter(|count| **count > 1).count();
    assert!(may_repeat || repeated == 0, "{what}: {repeated} repeated");
    let e_mails = published.iter().filter(|message| message.topic == emulator::TOPIC).count();
    assert!(e_mails >= 1 && (may_repeat || e_mails <= 2), "{what}: {e_mails} e-mails");
}

#[tokio::test(start_paused = true)]
async fn where_somebody_writes_to_one_problem_of_a_summary_the_others_are_known_all_the_same() {
    let mut world = World::new().await;
    let found = |number: usize, vulnerability: usize| {
        event_of(&common::arn(number), "2026-11-20T10:00:00Z", |f| {
            let id = format!("CVE-2026-{vulnerability}");
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(id);
        })
    };
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for number in 0..5 {
        world.handle(&found(number, number), "2026-11-20T12:00:00Z").await.unwrap();
    }
    let fates = |sent: Sent| {
        let hit = (sent.call, sent.number) == (Call::RememberAnnounced, 0);
        Fate { fault: hit.then_some(Fault::Conflict), ..Fate::default() }
    };
    let triage = Network::new(fates, |_| {}).triage(&world.emulator, "flush");
    let attempt = Attempt::new("flush", "2026-11-20T12:05:00Z".parse().unwrap());
    assert_eq!(triage.flush(attempt).await.unwrap().findings, 5);

    world.triage.config.budget = Budget::default();
    for number in 1..5 {
        let report = world.handle(&found(10 + number, number), "2026-11-20T12:06:00Z").await;
        assert_eq!(report.unwrap().outcome, Outcome::Pending, "{number}");
    }
}

/// A network on which `call` never gets through.
fn without(call: Call) -> Network {
    let fault = Some(Fault::ErrorBefore);
    let fates =
        move |sent: Sent| Fate { fault: fault.filter(|_| sent.call == call), ..Fate::default() };
    Network::new(fates, |_| {})
}

#[tokio::test(start_paused = true)]
async fn what_fails_after_people_were_told_is_a_warning() {
    for call in [Call::RememberAnnounced, Call::UnlockSummary, Call::ShareListeners] {
        let mut world = World::new().await;
        two_wait(&mut world).await;
        let triage = without(call).triage(&world.emulator, "flush");
        let warnings = AtomicUsize::new(0);
        let observe = |observation| {
            if let Observation::Warning { .. } = observation {
                warnings.fetch_add(1, Ordering::SeqCst);
            }
        };
        let now = "2026-11-20T12:05:00Z".parse().unwrap();
        let attempt = Attempt { observe: &observe, ..Attempt::new("flush", now) };

        assert_eq!(triage.flush(attempt).await.unwrap().findings, 2, "{call:?}");

        assert_eq!(warnings.into_inner(), 1, "{call:?}");
        assert_eq!(world.published().len(), 1, "{call:?}: the e-mail went out");
        assert_eq!(world.pending(1).await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_audience_that_cannot_be_told_is_counted_and_holds_up_nobody() {
    let mut world = World::new().await;
    two_wait(&mut world).await;
    let gone = "arn:aws:sns:eu-central-1:111122223333:gone";
    let topics = Topics { data: Some(gone.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    let failed = Mutex::new(Vec::new());
    let observe = |observation| {
        if let Observation::AudienceFailed { audience, .. } = observation {
            failed.lock().unwrap().push(audience);
        }
    };
    let at =
        |now: &str| Attempt { observe: &observe, ..Attempt::new("flush", now.parse().unwrap()) };

    let flushed = world.triage.flush(at("2026-11-20T12:05:00Z")).await.unwrap();
    assert_eq!((flushed.outcome, flushed.findings), (FlushOutcome::Flushed, 2));
    assert_eq!(world.published().len(), 1, "the e-mail went out");

    // What is new goes first, and that this audience fails is no failure of the flush.
    let event = event_of(&common::arn(2), "2026-11-20T10:00:00Z", AS_IT_IS);
    world.handle(&event, "2026-11-20T12:06:00Z").await.unwrap();
    let flushed = world.triage.flush(at("2026-11-20T12:10:00Z")).await.unwrap();
    assert_eq!((flushed.outcome, flushed.findings), (FlushOutcome::Flushed, 1));
    assert_eq!(world.published().len(), 1);
    let flushed = world.triage.flush(at("2026-11-20T12:15:00Z")).await.unwrap();
    assert_eq!((flushed.outcome, flushed.messages), (FlushOutcome::Flushed, 0));
    assert_eq!(world.published(), []);
    assert_eq!(failed.into_inner().unwrap(), [Audience::Data; 3]);

    // When it can be told again, it hears of all, and nobody else of anything.
    let topics = Topics { data: Some(emulator::DATA_TOPIC.to_owned()), ..common::topics() };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    world.flush("2026-11-20T12:20:00Z").await.unwrap();
    let [message] = &world.published()[..] else { panic!("one message") };
    assert_eq!(message.topic, emulator::DATA_TOPIC);
    assert_eq!(common::told(std::slice::from_ref(message)).len(), 3);
    assert_eq!(
        world.flush("2026-11-20T12:25:00Z").await.unwrap().outcome,
        FlushOutcome::NothingPending
    );
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_can_tell_nobody_has_failed() {
    let mut world = World::new().await;
    two_wait(&mut world).await;
    let gone = "arn:aws:sns:eu-central-1:111122223333:gone".to_owned();
    let topics = Topics { email: gone, chat: None, data: None };
    world.triage.publisher = Sns::new(world.emulator.sns(), topics);
    let flushed = world.flush("2026-11-20T12:05:00Z").await.unwrap();
    assert_eq!((flushed.outcome, flushed.messages), (FlushOutcome::Failed, 0));
    assert_eq!(world.pending(10).await.len(), 2);
}

/// Two findings, of two problems, that wait for a summary.
async fn two_wait(world: &mut World) {
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    for (number, vulnerability) in [(0, "CVE-2026-0"), (1, "CVE-2026-1")] {
        let event = event_of(&common::arn(number), "2026-11-20T10:00:00Z", |f| {
            f["packageVulnerabilityDetails"]["vulnerabilityId"] = json!(vulnerability);
        });
        world.handle(&event, "2026-11-20T12:00:00Z").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_tells_all_audiences_at_the_same_time() {
    let mut world = World::new().await;
    world.triage.config.budget = Budget { p1: 0, others: 0 };
    let event = event_of(&common::arn(0), "2026-11-20T10:00:00Z", AS_IT_IS);
    world.handle(&event, "2026-11-20T12:00:00Z").await.unwrap();
    let fates = |sent: Sent| Fate {
        back: Duration::from_secs(u64::from(sent.call == Call::Publish)),
        ..Fate::default()
    };
    let triage =
        Network::new(fates, |_| {}).triage_for(&world.emulator, "flush", common::all_topics());
    let attempt = Attempt::new("flush", "2026-11-20T12:05:00Z".parse().unwrap());
    let began = Instant::now();
    assert_eq!(triage.flush(attempt).await.unwrap().messages, 3);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn with_too_little_time_left_nothing_is_said_that_could_not_be_noted() {
    let mut world = World::new().await;
    let event = event_of(&common::arn(0), "2026-11-20T10:00:00Z", AS_IT_IS).to_string();
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    for (seconds, step) in [(11, "12s"), (17, "18s")] {
        let left = move || SignedDuration::from_secs(seconds);
        let attempt = Attempt { left: &left, ..Attempt::new("in a hurry", now) };
        let failed = lambda::handle(&world.triage, event.as_bytes(), attempt).await.unwrap_err();
        assert_eq!(failed.0.kind(), "OutOfTime");
        let expected =
            format!("{seconds}s are left of this invocation, and the next step may take {step}");
        assert!(failed.0.chain().contains(&expected), "{}", failed.0.chain());
        assert_eq!(world.published(), []);
    }
    let attempt =
        Attempt { left: &|| SignedDuration::from_secs(18), ..Attempt::new("at ease", now) };
    let report = lambda::handle(&world.triage, event.as_bytes(), attempt).await.unwrap();
    assert!(matches!(report, Response::Finding(TriageResult { outcome: Outcome::Announced, .. })));
}
