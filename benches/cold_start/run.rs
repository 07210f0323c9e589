//! One process from its start to its end, measured.

use std::{path::Path, time::Duration};

use inspector_triage::{
    app::failure::BoxError,
    emulator::{
        self, Emulator,
        template::{OWN, Template},
    },
};

use crate::{
    aws::{self, Deed, Log},
    certificates::Certificates,
    common,
    function::{Function, Handled, programs::Program},
};

/// How many messages the function may publish at once about findings of priority P1, as these are.
///
/// It is the most that can be set. Each process begins with a store of its own, where all tokens
/// are there, and so announces as many findings: one that is its first, and the others.
const ANNOUNCED: usize = 7;
const ALERT_BUDGET: &str = "7,1";

/// How long a function may take for anything at all.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came of a process.
pub struct Run {
    /// From its start until it asked for an event, and the processor time of that.
    pub start: (Duration, Duration),
    /// A new finding, announced, as its first event.
    pub first: Invocation,
    /// Others like it.
    pub new: Vec<Invocation>,
    /// The same events again.
    pub repetition: Vec<Invocation>,
    /// The ends of these findings.
    pub closed: Vec<Invocation>,
    /// The most memory it had, in KiB.
    pub peak_memory: u32,
}

/// What came of an event.
pub struct Invocation {
    /// When it was handed out, and what it took.
    pub handled: Handled,
    /// What the servers did meanwhile.
    pub deeds: Vec<Deed>,
}

/// Picks invocations of a run.
pub type Picked = fn(&Run) -> &[Invocation];

impl Invocation {
    /// The calls to AWS.
    pub fn calls(&self) -> impl Iterator<Item = &Deed> {
        self.deeds.iter().filter(|deed| deed.is_call())
    }

    /// The time without that in which calls were in hand at the servers.
    pub fn own_time(&self) -> Duration {
        self.handled.took.saturating_sub(self.calls().map(Deed::took).sum())
    }
}

/// Starts `program`, gives it events, and ends it.
///
/// # Errors
/// It did not do what it should; with the last of what it wrote.
pub async fn measure(
    program: &Program,
    certificates: &Certificates,
    scratch: &Path,
) -> Result<Run, BoxError> {
    let mut emulator = Emulator::open(&Template::read(OWN)?, None).await?;
    let log = Log::default();
    let settings = [
        ("AWS_REGION", emulator::REGION.to_owned()),
        ("AWS_DEFAULT_REGION", emulator::REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("TABLE_NAME", emulator::TABLE.to_owned()),
        ("TOPIC_ARN", emulator::TOPIC.to_owned()),
        ("ALERT_BUDGET", ALERT_BUDGET.to_owned()),
        (
            "AWS_ENDPOINT_URL_DYNAMODB",
            aws::serve(emulator.store(), certificates.server.clone(), &log).await?,
        ),
        (
            "AWS_ENDPOINT_URL_SNS",
            aws::serve(emulator.topic(), certificates.server.clone(), &log).await?,
        ),
        // Rust's SDK reads the one, Python's the other.
        ("SSL_CERT_FILE", certificates.trusted.display().to_string()),
        ("AWS_CA_BUNDLE", certificates.trusted.display().to_string()),
    ];
    let mut function =
        Function::start(program, settings, &scratch.join("function.log"), PATIENCE).await?;
    measured(&mut function, &mut emulator, &log).await.map_err(|problem| {
        // What went wrong at the servers says more.
        function.failed(&log.take().err().unwrap_or(problem))
    })
}

async fn measured(
    function: &mut Function,
    emulator: &mut Emulator,
    log: &Log,
) -> Result<Run, BoxError> {
    let mut next = function.next().await?;
    let start = (next.at - function.process.started, function.process.cpu.so_far()?);
    let mut new = Vec::new();
    let mut repetition = Vec::new();
    let mut closed = Vec::new();
    for (kind, made_of, invocations) in [
        (Kind::New, common::event as fn(usize) -> String, &mut new),
        (Kind::Repetition, common::event, &mut repetition),
        (Kind::Closed, common::closed, &mut closed),
    ] {
        for number in 0..ANNOUNCED {
            let handled;
            (handled, next) = function.invoke(next, made_of(number)).await?;
            if handled.answer["outcome"] != kind.outcome() {
                return Err(format!("{kind:?} {number}: {}", handled.answer).into());
            }
            invocations.push(Invocation { handled, deeds: log.take()? });
            let published = std::iter::from_fn(|| emulator.published.try_recv().ok()).count();
            if published != usize::from(kind == Kind::New) {
                return Err(format!("{kind:?} {number}: {published} messages published").into());
            }
        }
    }
    let peak_memory = function.process.peak_memory()?;
    Ok(Run { start, first: new.remove(0), new, repetition, closed, peak_memory })
}

/// What an event is to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    New,
    Repetition,
    Closed,
}

impl Kind {
    /// What our function calls the outcome.
    fn outcome(self) -> &'static str {
        match self {
            Self::New => "announced",
            Self::Repetition => "unchanged",
            Self::Closed => "closed",
        }
    }
}
