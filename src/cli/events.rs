//! Events taken through the function's handler into a store on this machine.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use jiff::Timestamp;

use super::{
    Verdict,
    input::{self, Input},
};
use crate::{
    adapters::{dynamodb::DynamoDb, sns::Sns},
    app::{Attempt, Triage, TriageConfig, failure::BoxError},
    domain::{record::Audience, round::day},
    emulator::{self, Emulator},
    lambda::{self, event, settings::HISTORY_DAYS},
};

/// What came of events.
pub struct Taken {
    /// The time of the latest one.
    pub latest: Option<Timestamp>,
    /// Whether some could not be handled, which has been said.
    pub verdict: Verdict,
}

/// Takes the events of files and folders, each at its own time, and tells what waits until `until`, or until the latest of them.
/// After the last event of each day `day_over` is called with that event's time.
///
/// # Errors
/// A file cannot be read, or the store cannot.
pub async fn take(
    paths: &[PathBuf],
    emulator: &mut Emulator,
    clock: fn() -> Timestamp,
    until: Option<Timestamp>,
    mut day_over: impl AsyncFnMut(&DynamoDb, Timestamp) -> Result<(), BoxError>,
) -> Result<Taken, BoxError> {
    let store = DynamoDb::new(emulator.dynamodb(), emulator::TABLE.to_owned(), HISTORY_DAYS);
    let publisher = Sns::new(emulator.sns(), emulator::topics(Audience::Email));
    let triage = Triage::new(store, publisher, TriageConfig::default());
    let (mut latest, mut verdict, mut number) = (None, Verdict::Done, 0_usize);
    for file in &input::files(paths)? {
        let handle = async |Input { origin, event }: Input| {
            let own_time = event::finding(&event).ok().and_then(|sent| sent.finding.own_time());
            let now = own_time.unwrap_or_else(clock);
            if let Some(before) = latest.filter(|before| day(*before) < day(now)) {
                day_over(&triage.store, before).await?;
                flush(&triage, now).await?;
            }
            latest = latest.max(Some(now));
            number += 1;
            let name = format!("event-{number}");
            if let Err(failed) = lambda::handle(&triage, &event, Attempt::new(&name, now)).await {
                verdict = Verdict::FoundWrong;
                let reason = failed.0.chain();
                writeln!(io::stderr(), "{origin}: not handled: {reason}")?;
            }
            while emulator.published.try_recv().is_ok() {}
            Ok(())
        };
        input::events(file, handle).await?;
    }
    if let Some(now) = until.max(latest) {
        flush(&triage, now).await?;
    }
    Ok(Taken { latest, verdict })
}

/// Tells what waits, as the schedule has it done.
async fn flush(triage: &Triage<DynamoDb, Sns>, now: Timestamp) -> Result<(), BoxError> {
    let name = format!("flush {now}");
    triage.flush(Attempt::new(&name, now)).await.map(drop).map_err(|failed| failed.failure.into())
}
