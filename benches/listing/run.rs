//! Two rounds of one program, measured.

use std::{
    path::Path,
    pin::pin,
    time::{Duration, Instant},
};

use inspector_triage::{
    adapters::dynamodb::keys,
    app::failure::BoxError,
    domain::round::Rounds,
    emulator::{
        self, Emulator,
        http::Service,
        template::{OWN, Template},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    common,
    function::{Function, Handled, process::Cpu, programs::Program, runtime_api::Next},
};

/// How long a program may take for a round.
const PATIENCE: Duration = Duration::from_mins(30);
/// How often it is looked up how far the round has come.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The rounds: the first, and one that lists everything again.
const EVENTS: [&str; 2] = [
    r#"{"source": "inspector-triage", "detail-type": "Triage Daily"}"#,
    r#"{"source": "inspector-triage", "detail-type": "Triage Daily", "detail": {"now": true, "full": true}}"#,
];

/// The review of the week, after them.
const WEEKLY: &str =
    r#"{"source": "inspector-triage", "detail-type": "Triage Weekly", "detail": {"now": true}}"#;

/// What came of a round.
#[derive(Clone, Copy)]
pub struct Round {
    /// Until all findings were listed and recorded.
    pub listing: Spent,
    /// Until the answer was there.
    pub whole: Spent,
    /// The most memory the program had so far, in KiB.
    pub peak_memory: u32,
}

/// Time that went by, and processor time.
#[derive(Clone, Copy)]
pub struct Spent {
    pub time: Duration,
    /// The program's.
    pub cpu: Duration,
    /// The emulators'.
    pub emulators: Duration,
}

/// Starts `program`, and has it do two rounds with so many findings, and the review of the week if it knows that.
///
/// # Errors
/// It did not do what it should; with the last of what it wrote.
pub async fn measure(
    program: &Program,
    findings: u32,
    is_reviewed: bool,
    scratch: &Path,
) -> Result<Vec<(&'static str, Round)>, BoxError> {
    let emulator = Emulator::open(&Template::read(OWN)?, None).await?;
    emulator.inspector.fleet().findings =
        (0..usize::try_from(findings)?).map(common::listed).collect();
    let mut settings = emulator.serve(0).await?;
    settings.push(("AWS_DEFAULT_REGION", emulator::REGION.to_owned()));
    settings.push(("REVIEW_BUCKET", emulator::BUCKET.to_owned()));
    settings.push(("REVIEW_BUCKET_OWNER", emulator::ACCOUNT.to_owned()));
    // As fast as it gets answers.
    settings.push(("INSPECTOR_RATE", "1000".to_owned()));
    let log = scratch.join("function.log");
    let mut function = Function::start(program, settings, &log, PATIENCE).await?;
    rounds(&mut function, &emulator.store(), findings, is_reviewed)
        .await
        .map_err(|problem| function.failed(&problem))
}

async fn rounds(
    function: &mut Function,
    store: &Service,
    findings: u32,
    is_reviewed: bool,
) -> Result<Vec<(&'static str, Round)>, BoxError> {
    let next = function.next().await?;
    let (first, next) = round(function, next, EVENTS[0], store, findings).await?;
    let (again, next) = round(function, next, EVENTS[1], store, findings).await?;
    let mut rounds = vec![("first", first), ("again", again)];
    if is_reviewed {
        rounds.push(("weekly", weekly(function, next, findings).await?));
    }
    Ok(rounds)
}

async fn weekly(function: &mut Function, next: Next, findings: u32) -> Result<Round, BoxError> {
    let meter = Meter::start(function.process.cpu.clone())?;
    // Kept, because a function whose next event is taken away ends before it is measured.
    let (Handled { answer, .. }, _next) = function.invoke(next, WEEKLY.to_owned()).await?;
    let whole = meter.spent()?;
    if answer["outcome"] != "done" || answer["parts"]["review"]["open"] != findings {
        return Err(format!("not all {findings} findings were reviewed: {answer}").into());
    }
    Ok(Round { listing: whole, whole, peak_memory: function.process.peak_memory()? })
}

async fn round(
    function: &mut Function,
    next: Next,
    event: &str,
    store: &Service,
    findings: u32,
) -> Result<(Round, Next), BoxError> {
    let meter = Meter::start(function.process.cpu.clone())?;
    let (listing, (Handled { answer, .. }, next)) = {
        let mut work = pin!(function.invoke(next, event.to_owned()));
        tokio::select! {
            handled = &mut work => (None, handled?),
            listing = listing_ended(store, &meter) => (Some(listing?), work.await?),
        }
    };
    let whole = meter.spent()?;
    // A listing that takes long begins some pages anew.
    let listed = answer["parts"]["listing"]["listed"].as_u64().unwrap_or_default();
    if answer["outcome"] != "done" || listed < u64::from(findings) {
        return Err(format!("not all {findings} findings were listed: {answer}").into());
    }
    let peak_memory = function.process.peak_memory()?;
    // A program without parts does nothing but list.
    Ok((Round { listing: listing.unwrap_or(whole), whole, peak_memory }, next))
}

/// What was spent until the listing of everything ended that is under way, by the row of the round.
async fn listing_ended(store: &Service, meter: &Meter) -> Result<Spent, BoxError> {
    let before = listed_fully_at(store)?;
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if listed_fully_at(store)? != before {
            return meter.spent();
        }
    }
}

/// When the last complete listing of everything began.
fn listed_fully_at(store: &Service) -> Result<Option<Timestamp>, BoxError> {
    let key = json!({"pk": {"S": keys::ROUND}, "sk": {"S": keys::CURRENT}});
    let ask = json!({"RequestItems": {emulator::TABLE: {"Keys": [key]}}});
    let answer = store.perform("BatchGetItem", ask.to_string().as_bytes());
    let answer: Value = serde_json::from_str(&answer.body)?;
    match answer["Responses"][emulator::TABLE][0]["rounds"]["S"].as_str() {
        Some(rounds) => Ok(serde_json::from_str::<Rounds>(rounds)?.listed_fully_at),
        None => Ok(None),
    }
}

/// Measures what is spent from when it is started on.
struct Meter {
    program: Cpu,
    started: Instant,
    before: [Duration; 2],
}

impl Meter {
    fn start(program: Cpu) -> Result<Self, BoxError> {
        let before = [program.so_far()?, Cpu::own().so_far()?];
        Ok(Self { program, started: Instant::now(), before })
    }

    fn spent(&self) -> Result<Spent, BoxError> {
        let [program, own] = self.before;
        Ok(Spent {
            time: self.started.elapsed(),
            cpu: self.program.so_far()?.saturating_sub(program),
            emulators: Cpu::own().so_far()?.saturating_sub(own),
        })
    }
}
